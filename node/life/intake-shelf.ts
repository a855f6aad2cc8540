/**
 * Declarations that are being taken, at rest, sealed:
 *
 *   life/staged/<pseudonym>    a declaration that is to be taken
 *   life/intake                whose declarations they are, and how far the moving has come
 *
 * That there is a head says that all rows are there, whatever can be read of it.
 */
import { z } from 'zod';
import { NodeError } from '../node-error.ts';
import { broughtBySchema } from '../operators/brought-by.ts';
import { type Change, type Random } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { rowsPastDamage, valuesPastDamage } from '../registry/rows-past-damage.ts';
import { parseSealedJson } from '../registry/sealed-json.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateName } from '../registry/whereabouts.ts';
import { keyAfter } from '../store/reader.ts';
import { declarationSchema } from './declaration.ts';
import { STAGED } from './dossier-shelf.ts';

export interface IntakeShelfModules {
  readonly tables: PrivateTables;
  readonly random: Random;
  /** Told of what cannot be read. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

export const countsShape = {
  /** Persons who declared for the first time. */
  added: z.int(),
  /** Persons of whom a newer declaration took the place of an older one. */
  replaced: z.int(),
  /** Rows that are known already. */
  unchanged: z.int(),
  /** Rows that are older than what is known: what they tell counts beside it. */
  older: z.int(),
};

const headSchema = z.strictObject({
  source: z.string(),
  operator: broughtBySchema.optional(),
  receivedAtS: z.int(),
  ...countsShape,
});
export type Head = z.infer<typeof headSchema>;
const stagedSchema = z.strictObject({ line: z.int(), declaration: declarationSchema });
export type Staged = z.infer<typeof stagedSchema>;

export interface StagedRow {
  readonly name: string;
  readonly pseudonym: string;
  /** Undefined where it cannot be read. */
  readonly staged: Staged | undefined;
}

const HEAD = 'life/intake' satisfies PrivateName;
/** Whose declarations a head that cannot be read named. */
const SOURCE_UNKNOWN = 'unknown';
/** Rows that are read, compared and written at once. */
export const ROWS_TOGETHER = 1_024;

export class IntakeShelf {
  readonly #modules: IntakeShelfModules;
  readonly #sealer: Sealer;

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: IntakeShelfModules) {
    this.#modules = modules;
    this.#sealer = new Sealer(derivedKey(key, 'life/intake'));
  }

  /** Undefined where nothing is being moved. Of one that cannot be read it is told, and the moving goes on: counted from there, of a source that nobody knows. */
  async head(nowS: number): Promise<Head | undefined> {
    const [value] = await valuesPastDamage(this.#modules.tables, [HEAD]);
    try {
      return value && this.#read(headSchema, HEAD, value);
    } catch (cause) {
      if (!isRegistryDamage(cause)) throw cause;
      this.#modules.onTrouble?.(headLost(cause));
      return { source: SOURCE_UNKNOWN, receivedAtS: nowS, added: 0, replaced: 0, unchanged: 0, older: 0 };
    }
  }

  headChange(head: Head): Change {
    return this.#sealed(HEAD, head);
  }

  readonly noHead: Change = { del: HEAD };

  stagedChange(pseudonym: string, staged: Staged): Change {
    return this.#sealed(STAGED + pseudonym, staged);
  }

  /** The first of them behind `after`, in the order of the pseudonyms: `ROWS_TOGETHER`, or all that are left. */
  async page(after = ''): Promise<StagedRow[]> {
    const from = after === '' ? STAGED : keyAfter(after);
    const rows = await rowsPastDamage(this.#modules.tables, [from, `${STAGED}~`], ROWS_TOGETHER);
    return rows.map(([name, value]) => ({
      name,
      pseudonym: name.slice(STAGED.length),
      staged: this.#readable(name, value),
    }));
  }

  /** The lines of those of these persons who are staged already. @throws {NodeError} REGISTRY_CORRUPT where that cannot be read. */
  async lines(pseudonyms: readonly string[]): Promise<Map<string, number>> {
    const names = pseudonyms.map((pseudonym) => STAGED + pseudonym);
    const values = await valuesPastDamage(this.#modules.tables, names);
    const lines = new Map<string, number>();
    for (const [i, pseudonym] of pseudonyms.entries()) {
      const value = values[i];
      if (value !== undefined) lines.set(pseudonym, this.#read(stagedSchema, names[i] ?? '', value).line);
    }
    return lines;
  }

  async removeStaged(): Promise<void> {
    const { tables } = this.#modules;
    for (;;) {
      const page = await rowsPastDamage(tables, [STAGED, `${STAGED}~`], ROWS_TOGETHER);
      if (page.length === 0) return;
      await tables.write(page.map(([name]) => ({ del: name })));
    }
  }

  #readable(name: string, value: Uint8Array | NodeError): Staged | undefined {
    try {
      return this.#read(stagedSchema, name, value);
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      return undefined;
    }
  }

  #read<T>(schema: z.ZodType<T>, name: string, value: Uint8Array | NodeError): T {
    if (value instanceof NodeError) throw value;
    return parseSealedJson(schema, name, this.#sealer.open(name, value));
  }

  #sealed(name: string, value: unknown): Change {
    const plain = Buffer.from(JSON.stringify(value));
    return { put: name, value: this.#sealer.seal(name, plain, this.#modules.random(NONCE_BYTES)) };
  }
}

function headLost(cause: NodeError): NodeError {
  return new NodeError('REGISTRY_CORRUPT', `${HEAD} does not say whose declarations are being taken`, {
    cause,
    hint: 'All of them are taken all the same, as of a source that is unknown. The same file once more changes nothing, and says how it stands.',
  });
}

/** Declarations of a file that were to be taken, and are not. */
export function declarationsLost(names: readonly string[], cause?: NodeError): NodeError {
  const shown = names.slice(0, NAMED_MAX).join(', ');
  const more = names.length > NAMED_MAX ? `, and ${names.length - NAMED_MAX} more` : '';
  return new NodeError(
    'REGISTRY_CORRUPT',
    `declarations that were being taken are damaged, come to what is, or tell a document that another has by now: ${shown}${more}`,
    {
      ...(cause && { cause }),
      hint: 'All others of their file are taken. Give the file again: what is known already is not changed, and it says of each row what is wrong with it.',
    },
  );
}

const NAMED_MAX = 10;
