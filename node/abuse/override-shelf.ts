/**
 * What was proposed and confirmed, at rest, sealed:
 *
 *   override/<id>   who proposed and confirmed what, by their signatures; the people only until they have their codes
 *
 * Everybody's orders walk these rows, so that one which cannot be read is given as what it is, and keeps nobody from the others.
 */
import { isNodeError, NodeError } from '../node-error.ts';
import { type Random } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { parseSealedJson } from '../registry/sealed-json.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateName } from '../registry/whereabouts.ts';
import { oldError, type OldKept, oldKeptSchema } from './old-overrides.ts';
import { type Kept, keptSchema, OVERRIDE_ID } from './override-kept.ts';

export interface OverrideShelfModules {
  readonly tables: PrivateTables;
  readonly random: Random;
}

export interface KeptOverride {
  readonly id: string;
  readonly kept: Kept;
}

/** It cannot be read, or is from before operators signed. */
export interface DamagedOverride {
  readonly id: string;
  /** REGISTRY_CORRUPT; REFUSED for `old`. */
  readonly error: NodeError;
  readonly old?: OldKept;
  /** What is sealed there in another form than this software keeps; undefined where it opens for nobody. */
  readonly text?: string;
}

/** Ids from one on, and before another. */
export interface OverrideRange {
  readonly from?: string;
  readonly to?: string;
}

const PREFIX = 'override/' satisfies PrivateName;

export class OverrideShelf {
  readonly #modules: OverrideShelfModules;
  readonly #sealer: Sealer;

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: OverrideShelfModules) {
    this.#modules = modules;
    this.#sealer = new Sealer(derivedKey(key, 'override'));
  }

  /** In the order of their ids: the newest first. Rejects as the tables. */
  async *all({ from = '', to = '~' }: OverrideRange = {}): AsyncGenerator<
    KeptOverride | DamagedOverride,
    void,
    undefined
  > {
    const damaged: DamagedOverride[] = [];
    const onDamaged = (error: NodeError) => {
      if (error.key !== undefined) damaged.push(damagedAt(error.key.slice(PREFIX.length), error));
    };
    for await (const [key, sealed] of this.#modules.tables.entries(PREFIX + from, PREFIX + to, {
      onDamaged,
    })) {
      yield* damaged.splice(0);
      yield this.#read(key.slice(PREFIX.length), sealed);
    }
    yield* damaged;
  }

  /** Undefined where there is none. @throws {NodeError} REGISTRY_CORRUPT where it cannot be read; REFUSED where nobody signed it; and as the tables. */
  async get(id: string): Promise<Kept | undefined> {
    const read = await this.#at(id);
    if (read !== undefined && 'error' in read) throw read.error;
    return read?.kept;
  }

  /** Undefined where there is none from before operators signed. @throws {NodeError} REGISTRY_CORRUPT, and as the tables. */
  async old(id: string): Promise<OldKept | undefined> {
    const read = await this.#at(id);
    return read !== undefined && 'error' in read ? read.old : undefined;
  }

  async #at(id: string): Promise<KeptOverride | DamagedOverride | undefined> {
    if (!OVERRIDE_ID.test(id)) return undefined;
    const sealed = await this.#modules.tables.get(PREFIX + id).catch((error: unknown) => {
      throw isNodeError(error, 'VALUE_CORRUPT') ? damagedAt(id, error).error : error;
    });
    return sealed && this.#read(id, sealed);
  }

  async keep(id: string, kept: Kept | OldKept): Promise<void> {
    const key = PREFIX + id;
    const bytes = Buffer.from(JSON.stringify(kept));
    const value = this.#sealer.seal(key, bytes, this.#modules.random(NONCE_BYTES));
    await this.#modules.tables.write([{ put: key, value }]);
  }

  remove(id: string): Promise<void> {
    return this.#modules.tables.write([{ del: PREFIX + id }]);
  }

  /** What named people is gone from the disk too. */
  compact(id: string): Promise<void> {
    return this.#modules.tables.compact(PREFIX + id, `${PREFIX}${id}~`);
  }

  #read(id: string, sealed: Uint8Array): KeptOverride | DamagedOverride {
    let opened: Uint8Array | undefined;
    try {
      opened = this.#sealer.open(PREFIX + id, sealed);
      return { id, kept: parseSealedJson(keptSchema, PREFIX + id, opened) };
    } catch (error) {
      if (!isNodeError(error)) throw error;
      const old = opened && oldIn(PREFIX + id, opened);
      if (old !== undefined) return { id, error: oldError(id), old };
      return damagedAt(id, error, opened && Buffer.from(opened).toString());
    }
  }
}

function oldIn(key: string, opened: Uint8Array): OldKept | undefined {
  try {
    return parseSealedJson(oldKeptSchema, key, opened);
  } catch (error) {
    if (!isNodeError(error)) throw error;
    return undefined;
  }
}

/** Whether what is sealed there speaks of a person. */
export function isNamedIn({ text }: DamagedOverride, subject: string): boolean {
  return text?.includes(JSON.stringify(subject)) === true;
}

function damagedAt(id: string, cause: NodeError, text?: string): DamagedOverride {
  const what = text === undefined ? 'is damaged' : 'is not as this software keeps it';
  const error = new NodeError('REGISTRY_CORRUPT', `the override ${id} ${what}`, {
    cause,
    hint: 'No other is concerned. Propose it anew; where newer software wrote it, go back to that.',
  });
  return { id, error, ...(text !== undefined && { text }) };
}
