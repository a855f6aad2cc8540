/** What a region keeps of its invitations, and of those that it has answered, until they are over. The only writer of these records. */
import { z } from 'zod';
import { hexOf } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { JOINING_BYTES_MAX } from '../../protocol/limits.ts';
import { type Side } from '../../protocol/joining/joining.ts';
import { logError } from '../log/log-error.ts';
import { type Store } from '../store/store.ts';

/** An invitation, what was answered to it, and who has confirmed. */
export interface JoiningRecord {
  /** What the own region is in it. */
  readonly side: Side;
  readonly invitation: Uint8Array;
  /** Empty while nobody has answered. */
  readonly answer: Uint8Array;
  /** The own operator has confirmed. */
  readonly ours: boolean;
  /** The signature by which the other side says that its operator has; empty before. */
  readonly theirs: Uint8Array;
  readonly untilS: number;
}

const PREFIX = 'joining/';
const VALUE_BYTES_MAX = 2 * JOINING_BYTES_MAX + 1_024;
const bytes = z.instanceof(Uint8Array);
const recordForm = z.strictObject({
  side: z.enum(['inviting', 'joining']),
  invitation: bytes,
  answer: bytes,
  ours: z.boolean(),
  theirs: bytes,
  untilS: z.int().nonnegative(),
});

export class JoiningBook {
  readonly #store: Store;

  constructor({ store }: { readonly store: Store }) {
    this.#store = store;
  }

  /** By the hash of their invitation, in no order that means anything. Rejects with what the store rejects with, and LOG_CORRUPT. */
  async all(): Promise<ReadonlyMap<string, JoiningRecord>> {
    const all = new Map<string, JoiningRecord>();
    for await (const [key, value] of this.#store.entries(PREFIX, `${PREFIX}~`))
      all.set(key.slice(PREFIX.length), recordOf(key, value));
    return all;
  }

  async of(hash: Uint8Array): Promise<JoiningRecord | undefined> {
    const key = PREFIX + hexOf(hash);
    const value = await this.#store.get(key);
    return value && recordOf(key, value);
  }

  async put(hash: Uint8Array, record: JoiningRecord): Promise<void> {
    await this.#store.write([{ put: PREFIX + hexOf(hash), value: encodeCbor({ ...record }) }]);
  }

  /** Hashes in hexadecimal, as `all` gives them. */
  async drop(hashes: readonly string[]): Promise<void> {
    if (hashes.length > 0) await this.#store.write(hashes.map((hash) => ({ del: PREFIX + hash })));
  }
}

function recordOf(key: string, value: Uint8Array): JoiningRecord {
  try {
    return recordForm.parse(decodeCbor(value, { bytesMax: VALUE_BYTES_MAX }));
  } catch (cause) {
    throw logError('LOG_CORRUPT', `${key} is no record of an invitation`, { cause });
  }
}
