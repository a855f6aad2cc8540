/** The issuer's side of a commitment: making it, and keeping what opens it. Spec: SPEC.md 5.2. */
import { concatBytes } from '../bytes.ts';
import { CborReader, encodeCbor } from '../encoding/cbor.ts';
import { cborMalformed } from '../encoding/cbor-reader.ts';
import { ProtocolError } from '../fault.ts';
import { type Sha256 } from '../primitives.ts';
import { commitmentOf, HASH_BYTES, type Openings } from './commitment.ts';
import {
  FIELD_NAMES,
  type Fields,
  fieldValues,
  openedMap,
  parseFields,
  readOpened,
  SALT_BYTES,
} from './field.ts';
import { readAs } from './refault.ts';

export { type Openings } from './commitment.ts';

const FIELDS = FIELD_NAMES.length;

/**
 * Commits to `fields` under fresh salts; a document field keeps the salt that its hash was made with.
 * `random(n)` gives n unpredictable bytes and is called once, with the same n whatever fields are used.
 * @throws {TypeError} if a field has no encoding, or on a salt or random bytes of a wrong length.
 */
export function commitFields(
  sha256: Sha256,
  fields: Fields,
  random: (bytes: number) => Uint8Array,
): { commitment: Uint8Array; openings: Openings } {
  const entropy = random(FIELDS * HASH_BYTES);
  if (entropy.length !== FIELDS * HASH_BYTES) throw new TypeError('random gave another number of bytes');
  const draw = (field: number, bytes: number) =>
    entropy.slice(field * HASH_BYTES, field * HASH_BYTES + bytes);
  const values = fieldValues(fields);
  const opened = values.map((value, field) => {
    if (value === undefined) return undefined;
    const salt = FIELD_NAMES[field] === 'document' ? fields.document?.salt : draw(field, SALT_BYTES);
    if (salt?.length !== SALT_BYTES) throw new TypeError(`a salt has ${SALT_BYTES} bytes`);
    return concatBytes(salt, value);
  });
  const unused = values.map((value, field) => (value === undefined ? draw(field, HASH_BYTES) : undefined));
  const openings = { opened, unused };
  return { commitment: commitmentOf(sha256, openings), openings };
}

/**
 * The form in which an issuer keeps openings: deterministic CBOR of
 * `[ { field number: salt || value, ... }, the random leaves of the other fields (bstr) ]`. Never leaves the region.
 */
export function encodeOpenings({ opened, unused }: Openings): Uint8Array {
  return encodeCbor([openedMap(opened), concatBytes(...unused.filter((leaf) => leaf !== undefined))]);
}

/**
 * The openings whose only kept form is `bytes`, and what they say. Byte strings are views of `bytes`.
 * @throws {ProtocolError} FIELD_MALFORMED
 */
export function parseOpenings(bytes: Uint8Array): { openings: Openings; fields: Fields } {
  const [opened, leaves] = readAs('FIELD_MALFORMED', 'openings', () => {
    const reader = new CborReader(bytes);
    if (reader.array(2) !== 2) throw cborMalformed(0, 'expected two elements');
    const parts = [readOpened(reader), reader.bytes(0, FIELDS * HASH_BYTES)] as const;
    reader.end();
    return parts;
  });
  let offset = 0;
  const unused = opened.map((opening) =>
    opening === undefined ? leaves.subarray(offset, (offset += HASH_BYTES)) : undefined,
  );
  if (offset !== leaves.length) {
    throw new ProtocolError('FIELD_MALFORMED', `expected ${offset} bytes of leaves, got ${leaves.length}`);
  }
  return { openings: { opened, unused }, fields: parseFields(opened) };
}
