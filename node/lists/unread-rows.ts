/** Rows of lists in force that cannot be read: each is told of once, and whoever it may be about is in doubt. Nobody else is concerned. */
import { NodeError } from '../node-error.ts';

/** A row of a list whose value is not what was written there. */
export class UnreadRow {
  /** Its name, which tells nothing of a person without the registry key. */
  readonly name: string;
  readonly cause: NodeError;

  constructor(name: string, cause: NodeError) {
    this.name = name;
    this.cause = cause;
  }
}

export interface UnreadRowsModules {
  /** Told once of each. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** Rows that are named and told one by one; of further ones the people are in doubt all the same. */
export const UNREAD_MAX = 100;

/** Those that were met since the start of the process. */
export class UnreadRows {
  readonly #modules: UnreadRowsModules;
  readonly #names = new Set<string>();

  constructor(modules: UnreadRowsModules) {
    this.#modules = modules;
  }

  /** In the order in which they were met, at most `UNREAD_MAX`; of lists that were replaced too. */
  get names(): readonly string[] {
    return [...this.#names];
  }

  add({ name, cause }: UnreadRow): void {
    if (this.#names.has(name) || this.#names.size >= UNREAD_MAX) return;
    this.#names.add(name);
    const message = `a row of a list in force, ${name}, cannot be read: whoever it may be about is in doubt`;
    const hint =
      'Import the list again, as of a later moment: entente lists import. They get no looser colour until then, and nobody else is concerned.';
    this.#modules.onTrouble?.(new NodeError('REGISTRY_CORRUPT', message, { cause, hint }));
  }

  /** Forgets those of versions that are in force no more. */
  keep(isInForce: (name: string) => boolean): void {
    for (const name of this.#names) if (!isInForce(name)) this.#names.delete(name);
  }
}

/** For whoever cannot do without. @throws {NodeError} why it cannot be read. */
export function requireRead<T>(row: T | UnreadRow): T {
  if (row instanceof UnreadRow) throw row.cause;
  return row;
}
