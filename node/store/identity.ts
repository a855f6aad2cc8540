/** Whose directory this is and in which form it was written: the one value that every schema must be able to read. */
import { asciiBytes } from '../../protocol/bytes.ts';
import { storeError } from './store-error.ts';

/**
 * The form of everything under the store's keys. A newer one is refused by older programs; a lower one is read as it is, and counts as this one from the
 * opening on. 2: whose attestations stand where is said under `registry/held/`, and what makes place under `life/revoking/`. A program that knows neither
 * would take people to have no codes.
 */
export const SCHEMA_VERSION = 2;

export interface StoreIdentity {
  readonly schema: number;
  /** The region and network that own the store, such as `CN-33.example`. */
  readonly owner: string;
}

const FORM = /^entente ([1-9][0-9]{0,8}) ([\x21-\x7e]{1,200})$/;

export function encodeIdentity({ schema, owner }: StoreIdentity): Uint8Array {
  const text = `entente ${schema} ${owner}`;
  if (!FORM.test(text)) throw new RangeError('the owner of a store is 1 to 200 printable ASCII characters');
  return asciiBytes(text);
}

/**
 * Passes a store of this owner in a schema that this program knows, and gives what it says.
 * @throws {NodeError} SCHEMA_NEWER, STORE_FOREIGN, or STORE_CORRUPT if it is no identity at all.
 */
export function verifyIdentity(payload: Uint8Array, owner: string): StoreIdentity {
  const found = parseIdentity(payload);
  if (found.owner === owner) return found;
  const message = `the store is that of ${found.owner}, not of ${owner}: check the data path`;
  throw storeError('STORE_FOREIGN', message);
}

/** Whose store it is. @throws {NodeError} SCHEMA_NEWER, or STORE_CORRUPT if it is no identity at all. */
export function parseIdentity(payload: Uint8Array): StoreIdentity {
  const [, digits, owner] = FORM.exec(String.fromCharCode(...payload.subarray(0, 300))) ?? [];
  if (owner === undefined) throw storeError('STORE_CORRUPT', 'the store says in no known form whose it is');
  const schema = Number(digits);
  if (schema > SCHEMA_VERSION) {
    throw storeError(
      'SCHEMA_NEWER',
      `the store has schema ${schema}, this program knows up to ${SCHEMA_VERSION}: run the newer program`,
    );
  }
  return { schema, owner };
}
