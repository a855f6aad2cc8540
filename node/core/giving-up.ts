/**
 * Giving up the key by which the words of a region's writer are signed, where whoever stole it keeps the region from signing: its witnesses
 * are shown what the root has signed, before the log that says so is permitted. Spec: SPEC.md 19.3.
 */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { NAMING_STATEMENTS_MAX, WRITER_STATEMENTS_BYTES_MAX } from '../../protocol/limits.ts';
import { type LoggedStatement, namingStatements } from '../../protocol/trust/naming.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { logError } from '../log/log-error.ts';
import { type LogTree } from '../log/log-tree.ts';
import { readStagedBatches } from '../log/staged-batch.ts';
import { NodeError } from '../node-error.ts';
import { type Store } from '../store/store.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { tooFew } from '../writer/asking.ts';
import { Hearing, type HearingModules, type Voters } from '../writer/hearing.ts';
import { rootWordOf } from '../writer/root-word.ts';
import { type RegionNodeModules } from './node-options.ts';
import { forgetOrder, noteOrder, readOrder } from './root-order.ts';

/** Tries to show what follows a log that grows meanwhile. */
const TRIES_MAX = 8;

export interface GivingUpModules
  extends Pick<RegionNodeModules, 'sha256' | 'clock' | 'onTrouble'>, Omit<HearingModules, 'keys'> {
  readonly store: Store;
  readonly home: () => Pick<TrustKeeper, 'fold' | 'state'> | undefined;
  readonly witnesses: () => Voters;
  /** Whom the trust log names as witnesses after each of the entries that are to follow it, where that changes. */
  readonly named: (entries: readonly Uint8Array[]) => Promise<readonly Voters[]>;
}

export class GivingUp {
  readonly #origin: string;
  readonly #modules: GivingUpModules;
  /** The state that the log is about to have, as far as witnesses have been shown what it says of keys. */
  #ahead: TrustState | undefined;

  /** `origin`: the name of the region's trust log. */
  constructor(origin: string, modules: GivingUpModules) {
    this.#origin = origin;
    this.#modules = modules;
  }

  /** The state that says by which keys words of the writer are signed, and by which they count. */
  get state(): TrustState | undefined {
    const state = this.#modules.home()?.state;
    if (this.#ahead !== undefined && isSaid(this.#ahead, state)) this.#ahead = undefined;
    return this.#ahead ?? state;
  }

  /**
   * Shows a quorum of the witnesses, and of those whom they name, what these entries of the root, which follow the log, give up of its checkpoint
   * keys; nothing if they give up none. All of them are asked for the log next, by a key that they may hear of here alone.
   * @throws {NodeError} PEER_UNREACHABLE if too few heed it, REFUSED for statements of too many bytes, LOG_BUSY while the log grows too fast. Rejects also as
   * `RegionFold.stateAfter`.
   */
  async show(entries: readonly Uint8Array[]): Promise<void> {
    const home = this.#modules.home();
    const witnesses = this.#modules.witnesses();
    if (home === undefined || witnesses.length === 0) return;
    const after = await this.#stateAfter(home, entries);
    if (isSaid(after, home.state)) return;
    const request = {
      kind: 'given-up',
      origin: this.#origin,
      statements: this.#statements(home, entries, after),
    } as const;
    const hearing = new Hearing(this.#origin, { ...this.#modules, keys: () => [] });
    const sets = [witnesses, ...(await this.#modules.named(entries))].filter((set) => set.length > 0);
    const { answers, lacking } = await hearing.ask(request, sets, ({ kind }) => kind === 'record');
    if (lacking !== undefined)
      throw tooFew(lacking.found, lacking.needed, 'heard which keys the root gives up', answers);
    this.#ahead = after;
  }

  /**
   * Shows entries, and then logs them by `log`. Until either has failed or all is done, the order is noted: of a process that dies meanwhile nobody
   * hears whether witnesses have heard of it, and the next one goes on with it. Rejects as `show`, `log` and the store.
   */
  async order<T>(entries: readonly Uint8Array[], log: () => Promise<T>): Promise<T> {
    const { home, store, onTrouble } = this.#modules;
    await noteOrder({ index: home()?.fold.size ?? 0, entries }, store);
    try {
      await this.show(entries);
      return await log();
    } finally {
      await forgetOrder(store).catch((error: unknown) => onTrouble?.(error));
    }
  }

  /** What an order has of which an earlier process told nobody, as long as the log has not grown since. Rejects as the store. */
  async unfinished({ size }: Pick<LogTree, 'size'>): Promise<readonly Uint8Array[]> {
    const order = await readOrder(this.#modules.store);
    return order?.index === size ? order.entries : [];
  }

  /**
   * Shows again what the log is about to give up by the batches that are staged, and by an unfinished order, which it gives: who has begun anew has
   * forgotten that witnesses know it, and would ask by a key that they take no word of any more. Rejects as `show` and the store.
   */
  async showStaged(tree: Pick<LogTree, 'keys' | 'size'>): Promise<readonly Uint8Array[]> {
    const entries: Uint8Array[] = [];
    for (const { index, drafts } of await readStagedBatches(tree.keys, this.#modules.store))
      if (index === tree.size + entries.length) entries.push(...drafts);
    const order = await this.unfinished(tree);
    const isStaged = entries.some((entry) => order.some((one) => equalBytes(one, entry)));
    await this.show(isStaged ? entries : [...entries, ...order]);
    return order;
  }

  /** Logs an order that was shown anew, unless the log has it by now. One that the log has outgrown is told of. Rejects as `log` and the store. */
  async finish(
    order: readonly Uint8Array[],
    log: (entries: readonly Uint8Array[]) => Promise<unknown>,
  ): Promise<void> {
    const { home, store, onTrouble } = this.#modules;
    const entries = (await readOrder(store))?.entries;
    const fold = home()?.fold;
    if (entries === undefined || fold === undefined) return;
    if ((await fold.firstFindingOf(entries)) === undefined) {
      if (order.length > 0) await log(entries);
      else onTrouble?.(outgrown());
    }
    await forgetOrder(store);
  }

  /** What is logged meanwhile comes before the entries, and is shown with them. */
  async #stateAfter(
    { fold }: Pick<TrustKeeper, 'fold'>,
    entries: readonly Uint8Array[],
  ): Promise<TrustState> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const after = await fold.stateAfter(entries);
      if (after.size === fold.size + entries.length) return after;
    }
    throw logError('LOG_BUSY', `${this.#origin} grows while witnesses are shown what follows`);
  }

  #statements(
    { fold }: Pick<TrustKeeper, 'fold'>,
    entries: readonly Uint8Array[],
    after: TrustState,
  ): LoggedStatement[] {
    const { sha256, clock } = this.#modules;
    const nowS = Math.floor(clock.nowMs() / 1000);
    const usable = [...after.keysWithRole('checkpoint')].filter(
      ({ compromise, untilS }) => compromise === undefined && untilS > nowS,
    );
    const isUsable = (publicKey: Uint8Array) => usable.some((key) => equalBytes(key.publicKey, publicKey));
    const added = entries.map((bytes, i) => ({ index: fold.size + i, entry: parseEntry(bytes) }));
    const givenUpBy = (statement: Statement) => {
      const keyId = statement.kind === 'compromise' ? hexOf(statement.key) : '';
      return after.key(keyId)?.role === 'checkpoint' ? keyId : undefined;
    };
    const statements = namingStatements([...fold.statements(), ...added], isUsable, sha256, givenUpBy);
    const bytes = statements.reduce((sum, { entry }) => sum + entry.length, 0);
    if (bytes <= WRITER_STATEMENTS_BYTES_MAX && statements.length < NAMING_STATEMENTS_MAX) return statements;
    throw new NodeError(
      'REFUSED',
      `what the root says of its keys has ${statements.length} statements of ${bytes} bytes`,
      {
        hint: `Witnesses take fewer than ${NAMING_STATEMENTS_MAX}, of no more than ${WRITER_STATEMENTS_BYTES_MAX / 1024} KiB. Let one machine write without them: docs/operations.md, a standby.`,
      },
    );
  }
}

function outgrown(): NodeError {
  return new NodeError(
    'REFUSED',
    'an order of the root that gives a checkpoint key up broke off when this node died, and the trust log has grown since: it is not logged',
    {
      hint: 'Witnesses may know of it. Give the order once more: entente key compromise DIR --key ID --cut-off trust=now.',
    },
  );
}

/** Whether a state says already of all checkpoint keys which another gives up that they are. */
function isSaid(of: TrustState, by: TrustState | undefined): boolean {
  const known = by === undefined ? [] : rootWordOf(by).givenUp;
  return rootWordOf(of).givenUp.every((key) => known.some((one) => equalBytes(one, key)));
}
