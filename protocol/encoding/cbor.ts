/**
 * Deterministic CBOR as values: integers within 2^53-1, byte strings, text, arrays, maps, false, true and null.
 * One value has one encoding, and the decoder takes no other. Spec: SPEC.md 2.1, RFC 8949 4.2.1.
 */
import { compareBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { CBOR_DEPTH_MAX } from '../limits.ts';
import { CborReader, MAJOR, cborMalformed, cborNotCanonical } from './cbor-reader.ts';

export { CborReader } from './cbor-reader.ts';
export { encodeCbor } from './cbor-writer.ts';

/** Maps with text keys are plain objects, maps with unsigned integer keys are `Map`s; the empty map is `{}`. */
export type CborValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<number, CborValue>
  | { readonly [key: string]: CborValue };

/** `bytesMax`: bytes of the whole input. `depthMax`: arrays and maps within each other. */
export interface CborLimits {
  readonly bytesMax: number;
  readonly depthMax?: number;
}

/**
 * The value whose only encoding is `bytes`: `encodeCbor(decodeCbor(b))` equals `b`.
 * Byte strings in it are views of `bytes`. Objects have own properties only; the key `__proto__` is refused.
 * @throws {ProtocolError} TOO_LARGE above `bytesMax`; CBOR_MALFORMED or CBOR_NOT_CANONICAL with the `offset` of the item at fault.
 */
export function decodeCbor(
  bytes: Uint8Array,
  { bytesMax, depthMax = CBOR_DEPTH_MAX }: CborLimits,
): CborValue {
  if (bytes.length > bytesMax) {
    throw new ProtocolError('TOO_LARGE', `expected at most ${bytesMax} bytes of CBOR, got ${bytes.length}`, {
      bytes: bytes.length,
      bytesMax,
    });
  }
  const reader = new CborReader(bytes);
  const value = readValue(reader, bytes, depthMax);
  reader.end();
  return value;
}

function readValue(reader: CborReader, bytes: Uint8Array, depthLeft: number): CborValue {
  const at = reader.offset;
  const major = reader.majorType();
  switch (major) {
    case MAJOR.uint:
    case MAJOR.negative:
      return reader.integer();
    case MAJOR.bytes:
      return reader.bytes(0, bytes.length);
    case MAJOR.text:
      return reader.text(bytes.length);
    case MAJOR.simple:
      return reader.simple();
    case MAJOR.tag:
      throw cborMalformed(at, 'expected no tag');
  }
  if (depthLeft === 0) throw cborMalformed(at, 'expected fewer arrays and maps within each other');
  if (major === MAJOR.map) return readMap(reader, bytes, depthLeft - 1);
  const length = reader.array(bytes.length);
  const items: CborValue[] = [];
  for (let i = 0; i < length; i++) items.push(readValue(reader, bytes, depthLeft - 1));
  return items;
}

function readMap(reader: CborReader, bytes: Uint8Array, depthLeft: number): CborValue {
  const length = reader.mapLength(bytes.length);
  if (length > 0 && reader.majorType() === MAJOR.uint) return readUintMap(reader, bytes, length, depthLeft);
  const fields: Record<string, CborValue> = {};
  let previous = reader.offset;
  for (let i = 0; i < length; i++) {
    const at = reader.offset;
    const key = reader.text(bytes.length);
    // No encoded key is the beginning of another, so the value after the previous key decides nothing.
    if (compareBytes(bytes.subarray(previous, at), bytes.subarray(at, reader.offset)) >= 0) {
      throw cborNotCanonical(at, 'expected keys in ascending order');
    }
    // Assigning to this one key would set the prototype and not a property.
    if (key === '__proto__') throw cborMalformed(at, 'expected no key __proto__');
    fields[key] = readValue(reader, bytes, depthLeft);
    previous = at;
  }
  return fields;
}

function readUintMap(reader: CborReader, bytes: Uint8Array, length: number, depthLeft: number): CborValue {
  const entries = new Map<number, CborValue>();
  let previous = -1;
  for (let i = 0; i < length; i++) {
    const at = reader.offset;
    const key = reader.uint();
    if (key <= previous) throw cborNotCanonical(at, 'expected keys in ascending order');
    entries.set(key, readValue(reader, bytes, depthLeft));
    previous = key;
  }
  return entries;
}
