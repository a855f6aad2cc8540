/**
 * The trust log of a region, folded again: its state, the keys and logs it ever had, and what had no effect. From its first entry, or
 * where that was pruned from a `state` statement, which then is believed for what came before.
 */
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { SNAPSHOT_ENTRIES_MAX, TRUST_KEPT_S } from '../../protocol/limits.ts';
import { type FoldBase } from '../../protocol/trust/boot.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type StatementKind } from '../../protocol/trust/statement-schema.ts';
import { type AnnouncedLog, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { NodeError } from '../node-error.ts';
import { KeyBook } from './attest-key.ts';
import { type AuditFault, type FaultList } from './audit-fault.ts';

export interface TrustReplayOptions {
  readonly region: string;
  readonly network: string;
  /** Of the log. */
  readonly origin: string;
  /** To start from if the log does not begin at index 0. */
  readonly base: FoldBase | undefined;
}

export class TrustReplay {
  readonly keys = new KeyBook();
  readonly #options: TrustReplayOptions;
  readonly #modules: TrustModules;
  #fold: TrustFold;
  /** The first entry that is folded. */
  #from = 0;
  #knownSinceS = 0;
  /** Logs that were long over at a `state` statement, which drops them. */
  readonly #forgotten = new Map<string, AnnouncedLog>();
  /** A compromise may reach back to any of them. At most `SNAPSHOT_ENTRIES_MAX`. */
  readonly #entries: Uint8Array[] = [];

  readonly #history = (from: number): Iterable<Uint8Array> => this.#entries.slice(from - this.#from);

  constructor(options: TrustReplayOptions, modules: TrustModules) {
    this.#options = options;
    this.#modules = modules;
    this.#fold = new TrustFold({ ...options, history: this.#history }, modules);
  }

  get size(): number {
    return this.#fold.size;
  }

  /** The first entry that was folded: what came before is known from the `state` statement there alone. */
  get from(): number {
    return this.#from;
  }

  /** Keys and logs that were in force at this time or after it are all known: a `state` statement drops those that are long over. */
  get knownSinceS(): number {
    return this.#knownSinceS;
  }

  get state(): TrustState {
    return this.#fold.state;
  }

  /** From `from` on. */
  get entries(): readonly Uint8Array[] {
    return this.#entries;
  }

  /** The indexes of entries that had no effect. */
  get without(): ReadonlySet<number> {
    return new Set(this.#fold.findings.map(({ index }) => index));
  }

  /**
   * Takes the entries of the log in their order. Those before the base, and those behind a gap, change nothing.
   * @throws {ProtocolError} STATE_MISMATCH if the base is not what its entry commits to; HISTORY_NEEDED for a compromise that
   * reaches back behind it.
   * @throws {NodeError} DATA_INCONSISTENT if the log has more entries than anybody folds.
   */
  append(entry: Uint8Array, index: number): void {
    const { base, origin } = this.#options;
    const isBase = this.size === 0 && index > 0 && index === base?.index;
    if (!isBase && index !== this.size) return;
    if (this.#entries.length >= SNAPSHOT_ENTRIES_MAX) {
      throw new NodeError('DATA_INCONSISTENT', `${origin} has more than ${SNAPSHOT_ENTRIES_MAX} entries`);
    }
    const kind = kindOf(entry);
    const announced = kind === 'state' ? [...this.state.logs()] : [];
    if (isBase) this.#startFrom(base, entry);
    else this.#fold.append(entry);
    this.#entries.push(entry.slice());
    if (isBase || kind === 'keys' || kind === 'compromise' || kind === 'retirement')
      this.keys.learn(this.#fold.state);
    for (const one of announced) {
      if (this.state.log(one.log) === undefined) this.#forgotten.set(one.log, one);
    }
  }

  /** What the region announced of a log, though states may have forgotten it since. */
  log(log: string): AnnouncedLog | undefined {
    return this.state.log(log) ?? this.#forgotten.get(log);
  }

  #startFrom(base: FoldBase, stateEntry: Uint8Array): void {
    const options = { ...this.#options, history: this.#history, base, stateEntry };
    this.#fold = TrustFold.fromBase(options, this.#modules);
    this.#from = base.index;
    this.#knownSinceS = this.#fold.state.lastAtS - TRUST_KEPT_S;
  }

  /** What is wrong with the entries goes to `faults`; what merely had no effect to `remarks`. */
  report({ faults, remarks }: { readonly faults: FaultList; readonly remarks: FaultList }): void {
    const log = this.#options.origin;
    for (const { index, code, reason } of this.#fold.findings) {
      const isFault = code === 'STATE_MISMATCH';
      const finding: AuditFault = {
        code: isFault ? 'STATE_MISMATCH' : 'NO_EFFECT',
        log,
        index,
        // The reason begins with its code; of what had no effect that is told too.
        message: isFault ? reason.slice(code.length + 2) : reason,
      };
      (isFault ? faults : remarks).add(finding);
    }
    if (this.state.fingerprint !== undefined) return;
    faults.add({ code: 'ROOT_MISSING', log, index: 0, message: 'the log does not begin with a root' });
  }

  /** Holds the region against what the auditor knows of it. */
  requireFingerprint(expected: Uint8Array, faults: FaultList): void {
    const { fingerprint } = this.state;
    if (fingerprint === undefined || hexOf(fingerprint) === hexOf(expected)) return;
    const message = `expected the region ${hexOf(expected)}, got ${hexOf(fingerprint)}`;
    faults.add({ code: 'FINGERPRINT_MISMATCH', log: this.#options.origin, index: 0, message });
  }
}

function kindOf(entry: Uint8Array): StatementKind | undefined {
  try {
    return parseEntry(entry).statement.kind;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
