/** Giving up what attestation logs of past months hold, once their codes cannot pass any more and the operator wants the space. */
import { parseOrigin } from '../../protocol/log/origin.ts';
import { TILE_HASHES } from '../../protocol/log/tile.ts';
import { logMonth } from '../../protocol/trust/log-month.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Clock } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { parseHead } from './log-head.ts';
import { LogKeys } from './log-keys.ts';
import { type LogTree } from './log-tree.ts';
import { pruneLog } from './prune.ts';
import { storedOrigins } from './stored-origins.ts';

export interface RetentionRule {
  /** Days after its month that an attestation log is kept, at least 31; undefined: for good. */
  readonly keepAttestationDays?: number | undefined;
}

export interface RetentionOptions extends RetentionRule {
  /** The region whose node this is. */
  readonly region: string;
}

export interface RetentionModules {
  readonly store: Store;
  readonly clock: Clock;
  /** What a region's trust log says; undefined for one that is not followed, whose logs all stay. */
  readonly stateOf: (region: string) => Pick<TrustState, 'lastAtS'> | undefined;
  /** Opens a log, or gives the one that is open. */
  readonly openTree: (origin: string) => Promise<LogTree>;
}

/**
 * Whether the log of a month is given up. How late it is at least is what the newest statement of the log's region says, so that
 * of a region that signs nothing more all stays; the clock of this machine can only put it off. Neither a clock that ran ahead nor
 * a statement that a thief signed ahead of time gives anything up.
 */
export function isGivenUp(
  log: string,
  { keepAttestationDays }: RetentionRule,
  { lastAtS, nowS }: { readonly lastAtS: number; readonly nowS: number },
): boolean {
  if (keepAttestationDays === undefined) return false;
  return logMonth(log).untilS + keepAttestationDays * 86_400 <= Math.min(lastAtS, nowS);
}

/**
 * Prunes own attestation logs and mirrors of others' alike. Their heads stay, and with them what was signed: no index is used
 * twice, and a mirror still tells a fork. So does the last bundle, unless it is full.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #modules: RetentionModules;

  constructor(options: RetentionOptions, modules: RetentionModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * Gives up what is due, and goes on with what an earlier run began. `ownLastAtS`: the newest statement of the own trust log that
   * counts. Rejects as `pruneLog` and the opening of a log.
   */
  async tend(ownLastAtS: number): Promise<void> {
    const { region: home, keepAttestationDays } = this.#options;
    if (keepAttestationDays === undefined) return;
    const { store, clock, openTree, stateOf } = this.#modules;
    const nowS = Math.floor(clock.nowMs() / 1000);
    const keyFrom = async (from: string) => (await store.inspect(from, 1))[0]?.key;
    for await (const origin of storedOrigins(keyFrom)) {
      const parsed = parseOrigin(origin);
      if (parsed.kind !== 'attest') continue;
      const lastAtS = parsed.region === home ? ownLastAtS : (stateOf(parsed.region)?.lastAtS ?? 0);
      if (!isGivenUp(parsed.log, this.#options, { lastAtS, nowS })) continue;
      const head = await store.get(new LogKeys(origin).head);
      if (head === undefined || !(await this.#isLeft(origin, parseHead(head, origin).size))) continue;
      const tree = await openTree(origin);
      await pruneLog(tree.size, { tree, store });
    }
  }

  /** Whether anything is still there that pruning drops. */
  async #isLeft(origin: string, size: number): Promise<boolean> {
    const keys = new LogKeys(origin);
    const bound = keys.run(size - (size % TILE_HASHES));
    const [first] = await this.#modules.store.inspect(keys.run(0), 1);
    return first !== undefined && first.key < bound;
  }
}
