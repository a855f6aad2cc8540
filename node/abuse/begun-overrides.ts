/**
 * Which overrides this node began to issue, each by what was signed, kept in the store of the node and not where people are:
 *
 *   abuse/override/<id>   the evidence of its codes, and whether all have theirs
 *
 * So a row that says of itself that it was confirmed is looked at as a new one, and one that comes back after it was done is not issued again.
 */
import { z } from 'zod';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Store } from '../store/store.ts';

const begunSchema = z.strictObject({ evidence: z.string(), isDone: z.boolean() });
/** The evidence is in hexadecimal digits. */
export type Begun = Readonly<z.infer<typeof begunSchema>>;

export type BegunStore = Pick<Store, 'get' | 'write' | 'entries'>;

const PREFIX = 'abuse/override/';

export class BegunOverrides {
  readonly #store: BegunStore;

  constructor(store: BegunStore) {
    this.#store = store;
  }

  /** Undefined for one that this node did not begin, or of which it cannot read that it did: then it is looked at as a new one. Rejects as the store. */
  async of(id: string): Promise<Begun | undefined> {
    const bytes = await this.#store.get(PREFIX + id).catch((error: unknown) => {
      if (isNodeError(error, 'VALUE_CORRUPT')) return undefined;
      throw error;
    });
    try {
      return bytes && begunSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
    } catch {
      return undefined;
    }
  }

  note(id: string, begun: Begun): Promise<void> {
    return this.#store.write([{ put: PREFIX + id, value: Buffer.from(JSON.stringify(begun)) }]);
  }

  /** Forgets those whose ids come behind this one, which are older. Rejects as the store. */
  async forgetFrom(id: string): Promise<void> {
    const old: string[] = [];
    const onDamaged = ({ key }: NodeError) => key !== undefined && old.push(key);
    for await (const [key] of this.#store.entries(PREFIX + id, `${PREFIX}~`, { onDamaged })) old.push(key);
    if (old.length > 0) await this.#store.write(old.map((del) => ({ del })));
  }
}
