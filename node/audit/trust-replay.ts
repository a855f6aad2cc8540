/** The trust log of a region, folded again from its first entry: its state, the keys it ever had, and what had no effect. */
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { SNAPSHOT_ENTRIES_MAX } from '../../protocol/limits.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { NodeError } from '../node-error.ts';
import { KeyBook } from './attest-key.ts';
import { type AuditFault, type FaultList } from './audit-fault.ts';

export interface TrustReplayOptions {
  readonly region: string;
  readonly network: string;
  /** Of the log. */
  readonly origin: string;
}

export class TrustReplay {
  readonly keys = new KeyBook();
  readonly #origin: string;
  readonly #fold: TrustFold;
  /** A compromise may reach back to any of them. At most `SNAPSHOT_ENTRIES_MAX`. */
  readonly #entries: Uint8Array[] = [];

  constructor({ region, network, origin }: TrustReplayOptions, modules: TrustModules) {
    this.#origin = origin;
    const history = (from: number) => this.#entries.slice(from);
    this.#fold = new TrustFold({ region, network, history }, modules);
  }

  get size(): number {
    return this.#fold.size;
  }

  get state(): TrustState {
    return this.#fold.state;
  }

  /** @throws {NodeError} DATA_INCONSISTENT if the log has more entries than anybody folds. */
  append(entry: Uint8Array): void {
    if (this.#entries.length >= SNAPSHOT_ENTRIES_MAX) {
      throw new NodeError(
        'DATA_INCONSISTENT',
        `${this.#origin} has more than ${SNAPSHOT_ENTRIES_MAX} entries`,
      );
    }
    this.#fold.append(entry);
    this.#entries.push(entry.slice());
    if (changesKeys(entry)) this.keys.learn(this.#fold.state);
  }

  /** What is wrong with the entries goes to `faults`; what merely had no effect to `remarks`. */
  report({ faults, remarks }: { readonly faults: FaultList; readonly remarks: FaultList }): void {
    const log = this.#origin;
    for (const { index, code, reason } of this.#fold.findings) {
      const isFault = code === 'STATE_MISMATCH';
      const finding: AuditFault = {
        code: isFault ? 'STATE_MISMATCH' : 'NO_EFFECT',
        log,
        index,
        message: isFault ? reason : `${code}: ${reason}`,
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
    faults.add({ code: 'FINGERPRINT_MISMATCH', log: this.#origin, index: 0, message });
  }
}

function changesKeys(entry: Uint8Array): boolean {
  try {
    const { kind } = parseEntry(entry).statement;
    return kind === 'keys' || kind === 'compromise';
  } catch (error) {
    if (isProtocolError(error)) return false;
    throw error;
  }
}
