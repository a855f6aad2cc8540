/**
 * Logs tallies of the own attestation logs: each of at least 1,000 codes, or of a day, and of no more leaves than can be disclosed together. None goes past
 * leaves whose records cannot be read: once they are restored, a disclosure would open codes that it does not tell of. Spec: SPEC.md 8.6.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { evidenceOf, readBasis } from '../../protocol/disclosure/basis.ts';
import { DISCLOSURE_LEAVES_MAX, TALLY_CODES_MIN, TALLY_S_MAX } from '../../protocol/limits.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { isLogOver } from '../../protocol/trust/pruning.ts';
import { TallyCounter } from '../../protocol/trust/tally.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type TrustLogItem } from '../log/trust-log-work.ts';
import { NodeError } from '../node-error.ts';
import { isRegistryDamage, registryCorrupt } from '../registry/registry-error.ts';
import { type Registry } from '../registry/registry.ts';
import { type RecordWithBasis, type UnreadLeaves } from '../registry/stretch-reader.ts';

export interface TallierModules extends Pick<Primitives, 'sha256'> {
  readonly registry: Registry;
  readonly trust: () => TrustState;
  readonly openTree: (origin: string) => Promise<LogTree>;
  readonly submit: (item: TrustLogItem) => Promise<unknown>;
  readonly nowS: () => number;
  /** Told once of each tally that counts codes whose basis is none. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
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

  /**
   * Tells what is due. Rejects as `submit` and the store; what is left is told the next time. Damage of one log keeps no other back.
   * @throws {NodeError} REGISTRY_CORRUPT, VALUE_CORRUPT where a log is told of no further than that, once all others are.
   */
  async tend(): Promise<void> {
    const state = this.#modules.trust();
    let damage: NodeError | undefined;
    for (const { log } of state.logs()) {
      try {
        await this.#tend(log, state);
      } catch (error) {
        if (!isRegistryDamage(error)) throw error;
        damage ??= heldUp(log, error);
      }
    }
    if (damage !== undefined) throw damage;
  }

  async #tend(log: string, state: TrustState): Promise<void> {
    const { registry, nowS } = this.#modules;
    // What an earlier tally told of, or none will: not by a clock that ran ahead.
    const isOver = isLogOver(log, Math.min(nowS(), state.lastAtS));
    const until = isOver ? INDEX_END : (state.tally(log)?.until ?? 0);
    await registry.dropUncounted({ log, from: 0, until });
    if (isLogOver(log, nowS())) return;
    const { region, network } = this.#names;
    const { head } = await this.#modules.openTree(attestationLogOrigin(region, network, log));
    for (let from = state.tally(log)?.until ?? 0; from < head.size;) {
      const told = await this.#tell(log, from, Math.min(head.size, from + DISCLOSURE_LEAVES_MAX));
      if (told === undefined) break;
      await registry.dropUncounted({ log, from, until: told });
      from = told;
    }
  }

  /** Up to before which leaf it told; undefined where these leaves are left for the next time. @throws {NodeError} for what is damaged, before which nothing is due. */
  async #tell(log: string, from: number, end: number): Promise<number | undefined> {
    const { registry, nowS, submit, onTrouble } = this.#modules;
    const counter = new TallyCounter();
    let oldestS = Infinity;
    const counted = new Set<number>();
    const unread: Pick<UnreadLeaves, 'from' | 'error'>[] = [];
    const malformed: number[] = [];
    const records = registry.withBases({ log, from, until: end }, (some) => unread.push(some));
    for await (const record of records) {
      if (unread.length > 0) break;
      const { index, fields, hour } = record;
      const basis = record.basis && readBasis(record.basis);
      if (basis === 'malformed' && !this.#isCommitted(record)) {
        unread.push({
          from: index,
          error: registryCorrupt(`the basis of the code ${log} ${index} is not its own`),
        });
        break;
      }
      // Nothing restores it: it was so when the code was issued.
      if (basis === 'malformed') malformed.push(index);
      counter.add(fields.status, basis);
      counted.add(index);
      oldestS = Math.min(oldestS, hour * HOUR_S);
    }
    const [damaged] = unread;
    const until = damaged?.from ?? end;
    // After the records, so that nobody who is forgotten meanwhile is missed.
    for await (const { index, status, hour } of registry.uncounted({ log, from, until })) {
      if (counted.has(index)) continue;
      counter.add(status, undefined);
      oldestS = Math.min(oldestS, hour * HOUR_S);
    }
    const isDayOver = nowS() - oldestS >= TALLY_S_MAX;
    const isFull = until - from === DISCLOSURE_LEAVES_MAX;
    if (counter.total < TALLY_CODES_MIN && !isDayOver && !isFull) {
      if (damaged !== undefined) throw damaged.error;
      return undefined;
    }
    const { cells, merged, overrides } = counter.counts;
    const told = { cells: [...cells], merged, overrides: [...overrides] };
    await submit({ build: () => ({ statement: { kind: 'tally', log, from, until, ...told } }) });
    if (malformed.length > 0) onTrouble?.(countedAsNone(log, malformed));
    return until;
  }

  #isCommitted({ basis, fields: { evidence } }: RecordWithBasis): boolean {
    return (
      basis !== undefined &&
      evidence !== undefined &&
      equalBytes(evidenceOf(this.#modules.sha256, basis), evidence)
    );
  }
}

function countedAsNone(log: string, indexes: readonly number[]): NodeError {
  const message = `what ${indexes.length} codes of the log ${log} rest on has no known form, the first at ${indexes[0]}: a tally counts them as if they rested on nothing`;
  const hint = 'Auditors find BASIS_MALFORMED at them: tell them which software issued these codes.';
  return new NodeError('REGISTRY_CORRUPT', message, { hint });
}

function heldUp(log: string, cause: NodeError): NodeError {
  return new NodeError(cause.code, `nothing more is tallied of the log ${log}: ${cause.message}`, {
    cause,
    hint: 'Restore the registry from its backup: the next tally goes on by itself. Until then a disclosure leaves these leaves closed, and auditors find TALLY_MISSING for those behind them: tell them why.',
  });
}
