/** Logs tallies of the own attestation logs: each of at least 1,000 codes, or of a day, and of no more leaves than can be disclosed together. Spec: SPEC.md 8.6. */
import { parseBasis } from '../../protocol/disclosure/basis.ts';
import { DISCLOSURE_LEAVES_MAX, TALLY_CODES_MIN, TALLY_S_MAX } from '../../protocol/limits.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { isLogOver } from '../../protocol/trust/pruning.ts';
import { TallyCounter } from '../../protocol/trust/tally.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type TrustLogItem } from '../log/trust-log-work.ts';
import { type Registry } from '../registry/registry.ts';

export interface TallierModules {
  readonly registry: Registry;
  readonly trust: () => TrustState;
  readonly openTree: (origin: string) => Promise<LogTree>;
  readonly submit: (item: TrustLogItem) => Promise<unknown>;
  readonly nowS: () => number;
}

const HOUR_S = 3_600;
const INDEX_END = 2 ** 40;

export class Tallier {
  readonly #names: { readonly region: string; readonly network: string };
  readonly #modules: TallierModules;

  constructor(names: { readonly region: string; readonly network: string }, modules: TallierModules) {
    this.#names = names;
    this.#modules = modules;
  }

  /** Tells what is due. Rejects as `submit` and the store; what is left is told the next time. */
  async tend(): Promise<void> {
    const state = this.#modules.trust();
    for (const { log } of state.logs()) {
      const { registry, nowS } = this.#modules;
      // What an earlier tally told of, or none will: not by a clock that ran ahead.
      const isOver = isLogOver(log, Math.min(nowS(), state.lastAtS));
      const until = isOver ? INDEX_END : (state.tally(log)?.until ?? 0);
      await registry.dropUncounted({ log, from: 0, until });
      if (isLogOver(log, nowS())) continue;
      const { region, network } = this.#names;
      const { head } = await this.#modules.openTree(attestationLogOrigin(region, network, log));
      for (let from = state.tally(log)?.until ?? 0; from < head.size;) {
        const until = Math.min(head.size, from + DISCLOSURE_LEAVES_MAX);
        if (!(await this.#tell(log, from, until))) break;
        await registry.dropUncounted({ log, from, until });
        from = until;
      }
    }
  }

  /** False where these leaves are left for the next time. */
  async #tell(log: string, from: number, until: number): Promise<boolean> {
    const { registry, nowS, submit } = this.#modules;
    const counter = new TallyCounter();
    let oldestS = Infinity;
    const counted = new Set<number>();
    for await (const { index, fields, basis, hour } of registry.withBases({ log, from, until })) {
      counter.add(fields.status, basis && parseBasis(basis));
      counted.add(index);
      oldestS = Math.min(oldestS, hour * HOUR_S);
    }
    // After the records, so that nobody who is forgotten meanwhile is missed.
    for await (const { index, status, hour } of registry.uncounted({ log, from, until })) {
      if (counted.has(index)) continue;
      counter.add(status, undefined);
      oldestS = Math.min(oldestS, hour * HOUR_S);
    }
    const isDayOver = nowS() - oldestS >= TALLY_S_MAX;
    const isFull = until - from === DISCLOSURE_LEAVES_MAX;
    if (counter.total < TALLY_CODES_MIN && !isDayOver && !isFull) return false;
    const { cells, merged, overrides } = counter.counts;
    const told = { cells: [...cells], merged, overrides: [...overrides] };
    await submit({ build: () => ({ statement: { kind: 'tally', log, from, until, ...told } }) });
    return true;
  }
}
