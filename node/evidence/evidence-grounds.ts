/** By which roots and which trust logs evidence was found to be by keys that its regions have named. */
import { parseEvidence } from '../../protocol/evidence/evidence.ts';
import { type ProvenEvidence } from '../../protocol/evidence/verify-evidence.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { fingerprintOf, parseEntry } from '../../protocol/trust/statement.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { isNodeError } from '../node-error.ts';
import { type StoreReader } from '../store/reader.ts';
import { type NamedStatements } from './named-statements.ts';

export interface Root {
  readonly region: string;
  readonly fingerprint: Uint8Array;
}

export interface Kept {
  readonly key: string;
  readonly proven: ProvenEvidence;
  /** Of the regions whose statements it holds, the first of each. */
  readonly roots: readonly Root[];
}

/** By its name. */
export type Named = readonly [name: string, kept: Kept];

/**
 * Of the regions whose statements it holds, the first of each.
 * @throws {ProtocolError} as `parseEvidence`, EVIDENCE_MALFORMED where statements do not begin with a root, and as `parseEntry`.
 */
export function rootsIn(bytes: Uint8Array, { sha256 }: { readonly sha256: Sha256 }): Root[] {
  return parseEvidence(bytes).grounds.map(([first]) => {
    const { statement, body } = parseEntry(first ?? new Uint8Array());
    if (statement.kind !== 'root') throw new ProtocolError('EVIDENCE_MALFORMED', 'expected a root');
    return { region: statement.region, fingerprint: fingerprintOf(sha256, body) };
  });
}

export interface LogsLookedAtModules {
  readonly stateOf: (region: string) => TrustState | undefined;
  readonly store: StoreReader;
  readonly named: Pick<NamedStatements, 'branchOf' | 'lack'>;
  /** Told of what is kept and cannot be read. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** By the name of each proof, the logs by which it was looked at last. */
export class LogsLookedAt {
  readonly #modules: LogsLookedAtModules;
  readonly #looks = new Map<string, string>();
  /** Those of which the last look has broken off. */
  readonly #unread = new Set<string>();

  constructor(modules: LogsLookedAtModules) {
    this.#modules = modules;
  }

  /** Which branches of the logs of these roots are held now, and how long they are if `withSizes`: where one does not name the keys, it may once it is longer. */
  of(roots: readonly Root[], withSizes: boolean): string {
    const { named, stateOf } = this.#modules;
    return roots
      .flatMap(({ region }) => [named.branchOf(region), withSizes ? stateOf(region)?.size : ''])
      .join();
  }

  /** Whether other logs are held than those by which it was looked at last; of what they did not name, and what could not be read, also whether they are longer. */
  isDue([name, { roots }]: Named, isNamed: boolean): boolean {
    return this.#looks.get(name) !== this.of(roots, !isNamed || this.#unread.has(name));
  }

  /**
   * Looks whether the logs that are held name the keys behind it, and does `next` if so. Undefined where something cannot be read, of its file or of a log: that
   * is told of once, and keeps nothing else from being looked at. Rejects with STORE_CLOSED.
   */
  async look([name, kept]: Named, next: () => Promise<void>): Promise<boolean | undefined> {
    const [logs, withSizes] = [this.of(kept.roots, false), this.of(kept.roots, true)];
    try {
      const isNamed = await this.#areNamed(kept);
      if (isNamed) await next();
      this.note(name, isNamed ? logs : withSizes);
      return isNamed;
    } catch (error) {
      if (!isNodeError(error) || isNodeError(error, 'STORE_CLOSED')) throw error;
      if (!this.#unread.has(name)) this.#modules.onTrouble?.(error);
      this.#unread.add(name);
      this.#looks.set(name, withSizes);
      return undefined;
    }
  }

  /** Whether no log that is held from its first entry on lacks the statements that name the keys. Rejects as reading the logs. */
  async #areNamed({ key, roots }: Kept): Promise<boolean> {
    const { store, named } = this.#modules;
    const file = await store.get(key);
    const grounds = file === undefined ? [] : parseEvidence(file).grounds;
    for (const [i, { region }] of roots.entries())
      if (await named.lack(region, grounds[i] ?? [])) return false;
    return true;
  }

  /** `logs` as `of` gave it before the look. */
  note(name: string, logs: string): void {
    this.#unread.delete(name);
    this.#looks.set(name, logs);
  }

  forget(name: string): void {
    this.#unread.delete(name);
    this.#looks.delete(name);
  }
}
