/** The part of a node that signs: the sequencer of the trust log, the issuer, the revoker and the registry behind them. */
import { type BulkWatch } from '../abuse/bulk-watch.ts';
import { Tallier } from '../abuse/tallier.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { parseBasis } from '../../protocol/disclosure/basis.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { MANUAL_RULE_ID } from '../../protocol/disclosure/override.ts';
import { reasonOf } from '../../protocol/trust/tally.ts';
import { type AttestationWorkModules, type AttestKeys } from '../issuing/attestation-work.ts';
import {
  Issuer,
  type Issued,
  type IssuerModules,
  type IssuerOptions,
  type IssueRequest,
} from '../issuing/issuer.ts';
import { type TimeBounds } from '../clock/time-bounds.ts';
import { type LogTree } from '../log/log-tree.ts';
import { logError } from '../log/log-error.ts';
import { type Receipt } from '../log/log-work.ts';
import { type LogWriterModules } from '../log/log-writer.ts';
import { isSignedBy } from '../log/own-checkpoint.ts';
import { Sequencer } from '../log/sequencer.ts';
import { type KeyedSigner, type TrustLogItem, TrustLogWork } from '../log/trust-log-work.ts';
import { type NodeError } from '../node-error.ts';
import { type Clock, type HighWater, type Random, type Signer } from '../ports.ts';
import { RegistryMark } from '../registry/registry-mark.ts';
import { type Registry } from '../registry/registry.ts';
import { hourCountIn } from '../revoking/hour-budget.ts';
import { Revoker, type Revocation } from '../revoking/revoker.ts';
import { type Store } from '../store/store.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { requireInTime } from '../trust/late-retirement.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { Turns } from '../turns.ts';
import { StatementVet } from './statement-vet.ts';

/** The secret keys of a region's node. All throw KEY_NOT_IN_FORCE where there is none. */
export interface NodeKeys {
  readonly attest: AttestKeys;
  readonly checkpoint: (atS: number) => Signer;
  /** The same of those alone that this state of the trust log admits: others know no further ones. */
  readonly checkpointBy: (state: TrustState | undefined, atS: number) => Signer;
  readonly trustLog: (atS: number) => KeyedSigner;
  /** The same of those alone that this state of the trust log admits. */
  readonly trustLogBy: (state: TrustState | undefined, atS: number) => KeyedSigner;
  readonly witness: (atS: number) => Signer;
}

export type WritingSideOptions = IssuerOptions;

export interface WritingSideModules
  extends
    Primitives,
    Pick<AttestationWorkModules, 'onSigned'>,
    Pick<IssuerModules, 'tables' | 'takeBack' | 'onTaken' | 'onTrouble' | 'prepare' | 'enter' | 'gate'> {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly keys: NodeKeys;
  readonly registry: Registry;
  readonly home: TrustKeeper;
  readonly openTree: (origin: string) => Promise<LogTree>;
  readonly timeBounds?: TimeBounds;
  /** See `LogWriterModules`. */
  readonly permit?: LogWriterModules['permit'];
  readonly pledged?: LogWriterModules['pledged'];
  readonly share?: LogWriterModules['share'];
  /** Sees when many colours change at once. */
  readonly watch?: BulkWatch | undefined;
  /** Told of every new checkpoint of the trust log, once its state is known. Must not throw. */
  readonly onTrustCheckpoint: (checkpoint: HighWater) => void;
  /** See `Retention.tend`. Must not reject. */
  readonly giveUp?: (ownLastAtS: number) => Promise<void>;
}

export class WritingSide {
  readonly #modules: WritingSideModules;
  readonly #sequencer: Sequencer<TrustLogItem>;
  readonly #issuer: Issuer;
  readonly #revoker: Revoker;
  readonly #tallier: Tallier;
  readonly #turns = new Turns();
  #isTended = false;
  /** The first tending, for all who issue meanwhile. */
  #first: Promise<void> | undefined;
  /** The newest statement when the calendar was last looked at: one by a clock that has just run ahead gives nothing up yet. */
  #lastAtS = 0;

  private constructor(options: WritingSideOptions, modules: WritingSideModules) {
    this.#modules = modules;
    const { home, keys, clock, verifySignature } = modules;
    const origin = trustLogOrigin(options.region, options.network);
    const vet = new StatementVet(home);
    const work = new TrustLogWork(
      { origin },
      {
        verifySignature,
        trustLogKey: keys.trustLog,
        vet: (entry, { index, atS }) => {
          requireInTime(entry, atS);
          vet.take(entry, index);
        },
      },
    );
    const onCheckpoint = (checkpoint: HighWater) => void this.#follow(checkpoint);
    const checkpointKey = keys.checkpoint;
    this.#sequencer = new Sequencer(options, {
      ...modules,
      tree: home.tree,
      work,
      checkpointKey,
      onCheckpoint,
      recordsOf: () => hourCountIn(modules.store),
    });
    this.#issuer = new Issuer(options, {
      ...modules,
      checkpointKey,
      keys: keys.attest,
      trust: () => home.state,
      announce: (log) => this.#announce(log),
    });
    this.#tallier = new Tallier(options, {
      ...modules,
      trust: () => home.state,
      submit: (item) => this.submit(item),
      nowS: () => Math.floor(clock.nowMs() / 1000),
    });
    this.#revoker = new Revoker(
      {},
      {
        ...modules,
        clock,
        trust: () => home.state,
        submit: (item) => this.submit(item),
      },
    );
  }

  /**
   * Finishes what an earlier process left, and takes orders.
   * @throws {NodeError} as `Sequencer.start`; nothing runs then.
   */
  static async start(options: WritingSideOptions, modules: WritingSideModules): Promise<WritingSide> {
    const side = new WritingSide(options, modules);
    try {
      await side.#sequencer.start();
      await modules.home.advance();
      side.#lastAtS = modules.home.state.lastAtS;
      await side.#revoker.start();
      return side;
    } catch (error) {
      await side.stop();
      throw error;
    }
  }

  /** Finishes what is in hand. Safe to call twice. */
  async stop(): Promise<void> {
    await this.#revoker.stop();
    await this.#issuer.stop();
    await this.#sequencer.stop();
  }

  /** Why nothing can be logged now; undefined if all is well. */
  get trouble(): NodeError | undefined {
    return this.#sequencer.trouble;
  }

  /** Logs a statement or an entry of the root in the trust log; resolves once the state follows it. */
  async submit(item: TrustLogItem): Promise<Receipt> {
    const receipt = await this.#sequencer.submit(item);
    await this.#modules.home.advance();
    return receipt;
  }

  async issue(request: IssueRequest): Promise<Issued> {
    await this.#tendFirst();
    const issued = await this.#issuer.issue(request);
    await this.#noteColours([request]);
    return issued;
  }

  /** As `Issuer.issueAll`. */
  async issueAll(requests: readonly IssueRequest[]): Promise<Issued[]> {
    await this.#tendFirst();
    const issued = await this.#issuer.issueAll(requests);
    await this.#noteColours(requests);
    return issued;
  }

  async #tendFirst(): Promise<void> {
    if (this.#isTended) return;
    this.#first ??= this.tend().finally(() => (this.#first = undefined));
    await this.#first;
  }

  async #noteColours(requests: readonly IssueRequest[]): Promise<void> {
    const stricter = requests.filter(({ fields }) => fields.status.colour !== 'green').length;
    await this.#modules.watch?.note('stricter', stricter);
    // Those by two operators are counted as they are confirmed.
    const byHand = requests.filter(
      ({ fields: { status }, basis }) =>
        status.ruleId === MANUAL_RULE_ID && reasonOf(status, basis && parseBasis(basis)) === 'one-person',
    );
    await this.#modules.watch?.note('override', byHand.length);
    const told = requests.filter(({ isTold }) => isTold === true).length;
    const strictByHand = byHand.filter(({ fields }) => fields.status.colour !== 'green').length;
    await this.#modules.watch?.note('told', told + strictByHand);
  }

  async revoke(revocation: Revocation): Promise<void> {
    await this.#revoker.revoke(revocation);
    await this.#modules.watch?.note('revoked', revocation.indexes.length);
  }

  /** As `Issuer.leave`. */
  leave(origin: string): Promise<void> {
    return this.#issuer.leave(origin);
  }

  /** Commits to the state that the trust log has now, so that others can start from there. */
  commitState(): Promise<Receipt> {
    const { fold } = this.#modules.home;
    return this.submit({
      build: ({ index, atS }) => {
        if (fold.size !== index) throw logError('LOG_BUSY', 'entries before the state are not folded yet');
        return { statement: { kind: 'state', format: 1, ...fold.commitmentAt(atS) } };
      },
    });
  }

  /** Finishes what an earlier process began to issue, and takes back what it left in tables elsewhere. Rejects as `tend`. */
  async finish(): Promise<void> {
    if (this.#modules.tables !== undefined || (await this.#issuer.hasStaged())) await this.tend();
  }

  /** What is due with the calendar: logs of the months, as `renew`, and then what is given up of logs that are over. */
  tend(): Promise<void> {
    return this.#turns.take('tend', async () => {
      const { home, giveUp } = this.#modules;
      if (home.state.root === undefined) return;
      // What cannot be done without the database of the registry keeps the logs from nothing.
      const ofLogs = await failuresOf(
        async () => {
          await this.#issuer.tend();
          this.#isTended = true;
        },
        () => this.#renew(),
      );
      const ofRegistry = await failuresOf(
        () => this.#raiseMark(),
        () => this.#tallier.tend(),
      );
      if (ofLogs.length === 0) {
        await giveUp?.(this.#lastAtS);
        this.#lastAtS = home.state.lastAtS;
      }
      const [failure] = [...ofLogs, ...ofRegistry];
      if (failure !== undefined) throw failure.reason;
    });
  }

  /**
   * Lets the checkpoint key in force sign what another one did: the newest checkpoints of all logs, of closed ones too.
   * @throws {NodeError} KEY_NOT_IN_FORCE, and as `Sequencer.refresh`; what is left is done the next time.
   */
  renew(): Promise<void> {
    return this.#turns.take('tend', async () => {
      if (this.#modules.home.state.root !== undefined) await this.#renew();
    });
  }

  /** What is private and no code, such as lists, has been written since too. */
  async #raiseMark(): Promise<void> {
    const { store, tables } = this.#modules;
    if (tables !== undefined) await new RegistryMark({ store, tables }).raise();
  }

  async #renew(): Promise<void> {
    const { home, keys, clock } = this.#modules;
    const { origin, head } = home.tree;
    const inForce = keys.checkpoint(Math.floor(clock.nowMs() / 1000));
    // The trust log first: it is what names the key to others.
    if (head.signed && !isSignedBy(origin, head.signed.note, inForce, this.#modules)) {
      await this.#sequencer.refresh();
      await home.advance();
    }
    await this.#issuer.renew();
  }

  async #announce(log: string): Promise<void> {
    await this.submit({ build: () => ({ statement: { kind: 'log', log, minimum: 0 } }) });
  }

  async #follow(checkpoint: HighWater): Promise<void> {
    try {
      await this.#modules.home.advance();
      this.#modules.onTrustCheckpoint(checkpoint);
    } catch {
      // The store fails: whoever submits or tends next hears of it.
    }
  }
}

/** Takes all steps, one after the other, whatever became of those before. */
async function failuresOf(...steps: readonly (() => Promise<void>)[]): Promise<PromiseRejectedResult[]> {
  const failures: PromiseRejectedResult[] = [];
  for (const step of steps) {
    const [outcome] = await Promise.allSettled([step()]);
    if (outcome?.status === 'rejected') failures.push(outcome);
  }
  return failures;
}
