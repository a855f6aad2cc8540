/**
 * Issues codes: status in, code out, and by then it is durable and logged. Each month has its log, announced ahead; the
 * issuer opens it when its time comes and seals the one before.
 */
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { logMonth } from '../../protocol/trust/log-month.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type Receipt } from '../log/log-work.ts';
import { type LogWriterModules } from '../log/log-writer.ts';
import { isSignedBy } from '../log/own-checkpoint.ts';
import { type Outcome, Sequencer, type SequencerOptions } from '../log/sequencer.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Clock, type Random } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type SharedTables } from '../registry/private-tables.ts';
import { RegistryMark } from '../registry/registry-mark.ts';
import { type Registry } from '../registry/registry.ts';
import { type Store } from '../store/store.ts';
import {
  type AttestKeys,
  AttestationWork,
  type AttestationWorkModules,
  type CommittedStatus,
} from './attestation-work.ts';
import { type ForgottenMarksOptions } from './forgotten-marks.ts';
import { isCounted } from './forgetting.ts';
import { committed, type Issued, type IssueRequest, unpreparedOf } from './issue-request.ts';
import { logIdAt, logInUse } from './month-logs.ts';
import { type Prepare } from './preparing.ts';
import { RecordsApart, type RecordsApartModules } from './records-apart.ts';
import { shuffled } from './shuffle.ts';
import { type StagingGate } from './staging-gate.ts';

export { type Issued, type IssueRequest } from './issue-request.ts';

export interface IssuerOptions extends SequencerOptions {
  readonly region: string;
  readonly network: string;
  /** See `ForgottenMarksOptions`: where the region has another machine, that is to forget too what is forgotten here. */
  readonly fenced?: ForgottenMarksOptions['fenced'];
}

export interface IssuerModules
  extends
    Primitives,
    Pick<LogWriterModules, 'checkpointKey' | 'timeBounds' | 'onCheckpoint' | 'permit' | 'pledged' | 'share'>,
    Pick<AttestationWorkModules, 'onSigned'> {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: Registry;
  readonly gate: Pick<StagingGate, 'now' | 'refusalToStage' | 'refusalToGive' | 'stage'>;
  /** Where the registry is kept, if that is not the store. */
  readonly tables?: SharedTables | undefined;
  /** See `RecordsApartModules`. Must not wait for anybody who issues. */
  readonly takeBack?: RecordsApartModules['takeBack'];
  /** See `RecordsApartModules`. */
  readonly onTaken?: RecordsApartModules['onTaken'];
  readonly onTrouble?: RecordsApartModules['onTrouble'];
  readonly keys: AttestKeys;
  /** What needs no place in a log: salts and commitments, here or by workers. */
  readonly prepare: Prepare;
  /** Opens an own log, or gives the one that is open. */
  readonly openTree: (origin: string) => Promise<LogTree>;
  /** Called before a log is written: from then on nobody else adds to it. @throws {NodeError} LOG_BEHIND while entries of it are missing here. */
  readonly enter?: ((origin: string) => Promise<void>) | undefined;
  /** The region's own trust state, as its log says now. */
  readonly trust: () => TrustState;
  /** Announces a log in the trust log; resolves once it is logged and `trust` says so. */
  readonly announce: (log: string) => Promise<void>;
}

/** A log that is issued into, and its one writer. */
interface OpenMonth {
  readonly log: string;
  readonly tree: LogTree;
  readonly sequencer: Sequencer<CommittedStatus>;
}

interface Logged {
  readonly log: string;
  readonly outcome: Outcome;
}

const HOUR_S = 3_600;

export class Issuer {
  readonly #options: IssuerOptions;
  readonly #modules: IssuerModules;
  /** By log id, from the moment it is being opened. */
  readonly #months = new Map<string, Promise<OpenMonth>>();
  /** The one that was opened last. */
  #current: OpenMonth | undefined;
  /** The log of an hour, which is asked for with every issue, by the state that says so. */
  #now: { readonly hour: number; readonly state: TrustState; readonly log: string } | undefined;
  /** Logs of which it was told that they lack entries. */
  readonly #told = new Set<string>();
  #stopped = false;

  constructor(options: IssuerOptions, modules: IssuerModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Finishes what was left open and begins. Rejects as `tend`. */
  start(): Promise<void> {
    return this.tend();
  }

  /** Finishes the batches in hand. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const months = await Promise.allSettled(this.#months.values());
    for (const month of months) if (month.status === 'fulfilled') await month.value.sequencer.stop();
  }

  /**
   * What is due with the calendar, to be called at least once an hour: opens the log of this month, announces that of the
   * next, finishes and seals those before. A log that lacks entries is left as it is, and keeps no other from anything; nor does one before that is contradicted.
   * @throws {NodeError} as `announce` and `Sequencer.start`; what is left is done the next time.
   */
  async tend(): Promise<void> {
    const nowS = this.#nowS();
    await this.#announce(logIdAt(nowS));
    const current = this.#logNow();
    await this.#ifWhole(current, () => this.#month(current));
    await this.#announce(logIdAt(logMonth(current).untilS));
    for (const { log } of this.#modules.trust().logs()) {
      if (log !== current && logMonth(log).fromS <= nowS) await this.#ifWhole(log, () => this.#seal(log));
    }
  }

  /** Whether an earlier process left a batch that is to be finished. Rejects as the store. */
  async hasStaged(): Promise<boolean> {
    const { trust, openTree, store } = this.#modules;
    for (const { log } of trust().logs()) {
      const { head, keys } = await openTree(this.#originOf(log));
      const range = [keys.staged(0), keys.staged(Number.MAX_SAFE_INTEGER)] as const;
      if (!head.sealed && (await store.page(...range, { limit: 1 })).length > 0) return true;
    }
    return false;
  }

  /**
   * Lets the checkpoint key in force sign the newest checkpoint of every log, closed ones too, that it has not signed yet: what a
   * key signed that was given up, nobody takes any more. One that lacks entries is left as it is. Rejects as `tend`.
   */
  async renew(): Promise<void> {
    const { trust, openTree, checkpointKey } = this.#modules;
    for (const { log } of trust().logs()) {
      const { head, origin } = await openTree(this.#originOf(log));
      if (head.signed === undefined) continue;
      if (isSignedBy(origin, head.signed.note, checkpointKey(this.#nowS()), this.#modules)) continue;
      await this.#ifWhole(log, async () => {
        const { sequencer } = await this.#month(log);
        await sequencer.refresh();
        if (head.sealed) await this.#shut(log, sequencer);
      });
    }
  }

  /** Finishes what is in hand of a log, and writes no more of it before `enter` allows that again. */
  async leave(origin: string): Promise<void> {
    for (const [log, opening] of [...this.#months]) {
      if (this.#originOf(log) !== origin) continue;
      const month = await opening.catch(() => undefined);
      if (month !== undefined) await this.#shut(log, month.sequencer);
    }
  }

  /**
   * Passes over a log that lacks entries, and tells of it once: whoever knows of them, be it the second place, the root or the database of the
   * registry, speaks of that log alone. So does what contradicts one that is not in use. Nothing is written there, and whoever asks for a code of it hears why.
   */
  async #ifWhole(log: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.#told.delete(log);
    } catch (error) {
      const isOver = log !== this.#logNow() && isNodeError(error, 'LOG_CONTRADICTED');
      if (!isOver && !isNodeError(error, 'LOG_BEHIND')) throw error;
      if (!this.#told.has(log)) this.#modules.onTrouble?.(error);
      this.#told.add(log);
    }
  }

  /**
   * Issues one attestation. Many that are asked for together share a batch. What it resolves with may be handed out.
   * @throws {TypeError} on a subject or on fields that have no encoding. @throws {ProtocolError} SCHEMA_INVALID on a document.
   * @throws {NodeError} LOG_NOT_ANNOUNCED, KEY_NOT_IN_FORCE, FORGOTTEN if the person was forgotten since it was ordered, and as
   * `ForgottenMarks.refusalOf` and `Sequencer.submit`.
   */
  async issue(request: IssueRequest): Promise<Issued> {
    const [issued] = await this.#issueAll(await this.#commit([request]));
    return issued as Issued;
  }

  /**
   * Issues attestations that belong together, in one batch as far as `batchMax` and others who issue leave room for it; who gets into which of several
   * is random, so that the order of asking is not told by any.
   * Rejects as `issue`; by then some may be logged, if they took more than one batch, and nothing of the others is under way.
   */
  async issueAll(requests: readonly IssueRequest[]): Promise<Issued[]> {
    const items = await this.#commit(requests);
    // The month is opened first, so that all are offered in the same turn.
    await this.#month(this.#logNow());
    const order = shuffled(items.length, this.#modules.random);
    const issued = await this.#issueAll(Array.from(order, (number) => items[number] as CommittedStatus));
    const inTurn = new Array<Issued>(items.length);
    for (const [i, one] of issued.entries()) inTurn[order[i] as number] = one;
    return inTurn;
  }

  /** All are looked at before the first error is told. */
  async #issueAll(items: readonly CommittedStatus[]): Promise<Issued[]> {
    const issued: Issued[] = [];
    const errors: unknown[] = [];
    for (const [i, { log, outcome }] of (await this.#logged(items)).entries()) {
      const item = items[i] as CommittedStatus;
      if ('error' in outcome) errors.push(outcome.error);
      else
        await this.#given(item, log, outcome.receipt).then(
          (one) => issued.push(one),
          (error: unknown) => errors.push(error),
        );
    }
    if (errors.length > 0) throw errors[0];
    return issued;
  }

  async #commit(requests: readonly IssueRequest[]): Promise<CommittedStatus[]> {
    const { sha256, prepare, gate } = this.#modules;
    const now = await gate.now();
    const prepared = await prepare(requests.map((request) => unpreparedOf(sha256, request)));
    if (prepared.length !== requests.length)
      throw new RangeError('expected as many prepared as were asked for');
    return prepared.map(({ commitment, openings }, i) => {
      const request = requests[i] as IssueRequest;
      return committed({ ...request, ordered: request.ordered ?? now }, commitment, openings);
    });
  }

  async #given(item: CommittedStatus, log: string, receipt: Receipt): Promise<Issued> {
    const { index, entry: attestation, checkpoint } = receipt;
    const refusal = await this.#modules.gate.refusalToGive(item.subject, item.ordered);
    if (refusal !== undefined) {
      if (isNodeError(refusal, 'FORGOTTEN')) await this.#forget(item, { log, index });
      throw refusal;
    }
    return { log, index, attestation, openings: item.openings, checkpoint };
  }

  /**
   * Of somebody who was forgotten once it was staged: what opens it does not leave here, and is destroyed. Who was forgotten here has nothing there any more;
   * but whom the other machine was told to forget it names by the codes that it knows itself.
   */
  #forget({ subject, ordered }: CommittedStatus, place: Place): Promise<void> {
    const { fenced } = this.#options;
    return this.#modules.registry.forgetPlace(subject, place, {
      isCounted: (one) => isCounted(one, this.#modules),
      // By the other machine too, which was given the batch: no later than the person was, so that what is ordered since is theirs.
      ...(fenced !== undefined && { forOtherAtS: ordered.atS }),
    });
  }

  /** What came of each, and in which log. */
  async #logged(items: readonly CommittedStatus[]): Promise<readonly Logged[]> {
    const logged = new Array<Logged>(items.length);
    let left = items.map((_, number) => number);
    for (;;) {
      const log = this.#logNow();
      const late: number[] = [];
      const outcomes = await this.#submit(
        log,
        left.map((number) => items[number] as CommittedStatus),
      );
      for (const [i, outcome] of outcomes.entries()) {
        const number = left[i] as number;
        // It came too late for this log and is in none, so it may go into the next.
        if ('error' in outcome && isNodeError(outcome.error, 'LOG_SEALED') && this.#logNow() !== log)
          late.push(number);
        else logged[number] = { log, outcome };
      }
      if (late.length === 0) return logged;
      left = late;
    }
  }

  async #submit(log: string, items: readonly CommittedStatus[]): Promise<readonly Outcome[]> {
    try {
      const { sequencer } = this.#current?.log === log ? this.#current : await this.#month(log);
      return await sequencer.submitAll(items);
    } catch (error) {
      return items.map(() => ({ error }));
    }
  }

  async #announce(log: string): Promise<void> {
    if (this.#modules.trust().log(log) === undefined) await this.#modules.announce(log);
  }

  #month(log: string): Promise<OpenMonth> {
    let month = this.#months.get(log);
    if (month === undefined) {
      month = this.#open(log);
      this.#months.set(log, month);
      month.catch(() => this.#months.delete(log));
    }
    return month;
  }

  async #open(log: string): Promise<OpenMonth> {
    const { region, network } = this.#options;
    const { trust, openTree, enter } = this.#modules;
    if (this.#stopped)
      throw new NodeError('LOG_STOPPED', 'the issuer was stopped', { hint: 'Start the node.' });
    if (trust().log(log) === undefined) {
      throw new NodeError('LOG_NOT_ANNOUNCED', `the region has not announced the log ${log}`, {
        retry: true,
        hint: 'Check the clock; else see why the trust log does not take the announcement.',
      });
    }
    const origin = this.#originOf(log);
    const tree = await openTree(origin);
    await enter?.(origin);
    const work = new AttestationWork({ region, network, log }, this.#modules);
    const apart = this.#apart(log);
    const recordsOf: LogWriterModules['recordsOf'] = (batch) =>
      this.#modules.registry.recordsOf({ log, ...batch });
    const staging: LogWriterModules['staging'] = (write) => this.#modules.gate.stage(write);
    const modules = { ...this.#modules, tree, work, apart, recordsOf, staging };
    const sequencer = new Sequencer(this.#options, modules);
    await sequencer.start();
    this.#current = { log, tree, sequencer };
    return this.#current;
  }

  #apart(log: string): RecordsApart | undefined {
    const { tables, takeBack = () => Promise.resolve() } = this.#modules;
    if (tables === undefined) return undefined;
    const mark = new RegistryMark({ store: this.#modules.store, tables });
    return new RecordsApart({ log }, { ...this.#modules, tables, mark, takeBack });
  }

  /** Ends a log whose month is over; does nothing to one that is sealed. */
  async #seal(log: string): Promise<void> {
    const { head } = await this.#modules.openTree(this.#originOf(log));
    if (head.sealed) return;
    const { sequencer } = await this.#month(log);
    await sequencer.seal();
    await this.#shut(log, sequencer);
  }

  /** Nothing is logged there any more. */
  async #shut(log: string, sequencer: OpenMonth['sequencer']): Promise<void> {
    await sequencer.stop();
    this.#months.delete(log);
    if (this.#current?.log === log) this.#current = undefined;
  }

  #originOf(log: string): string {
    const { region, network } = this.#options;
    return attestationLogOrigin(region, network, log);
  }

  /** The log of this month; where it was closed, the newest of its replacements. */
  #logNow(): string {
    const state = this.#modules.trust();
    const nowS = this.#nowS();
    const hour = Math.floor(nowS / HOUR_S);
    if (this.#now?.hour !== hour || this.#now.state !== state) {
      this.#now = { hour, state, log: logInUse(state, nowS) };
    }
    return this.#now.log;
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1000);
  }
}
