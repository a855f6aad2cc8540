/** Values to deterministic CBOR: the one encoding that the reader takes. Spec: SPEC.md 2.1, RFC 8949 4.2.1. */
import { compareBytes } from '../bytes.ts';
import { CBOR_DEPTH_MAX } from '../limits.ts';
import { MAJOR } from './cbor-reader.ts';
import { type CborValue } from './cbor.ts';
import { utf8Bytes } from './utf8.ts';

/** The output of the last value, so that small values, which are most, do not each pay for a buffer. */
let spare: Output | undefined;
/** Bytes of a value after which the output is let go. */
const SPARE_BYTES_MAX = 4_096;

/**
 * The only encoding of `value`, freshly allocated. Keys may come in any order; an empty `Map` encodes as `{}` does.
 * @throws {TypeError} on what the subset has no form for: fractions, unsafe integers, undefined, bigints, lone surrogates,
 * objects with a class, the key `__proto__`, keys of a `Map` that are not unsigned integers, more than `CBOR_DEPTH_MAX`
 * levels (so also cycles).
 */
export function encodeCbor(value: CborValue): Uint8Array {
  const out = spare ?? new Output();
  spare = undefined;
  writeValue(out, value, CBOR_DEPTH_MAX);
  const bytes = out.taken();
  if (bytes.length <= SPARE_BYTES_MAX) spare = out;
  return bytes;
}

class Output {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** First byte of an item and its argument in the fewest bytes. `argument`: 0 .. 2^53-1. */
  head(major: number, argument: number): void {
    this.#reserve(9);
    const first = major << 5;
    if (argument < 24) {
      this.#bytes[this.#length++] = first | argument;
      return;
    }
    const logWidth = argument < 0x100 ? 0 : argument < 0x1_0000 ? 1 : argument < 0x1_0000_0000 ? 2 : 3;
    const width = 1 << logWidth;
    this.#bytes[this.#length] = first | (24 + logWidth);
    let rest = argument;
    for (let i = width; i > 0; i--) {
      this.#bytes[this.#length + i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.#length += 1 + width;
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A copy of what was written; the output is empty then. */
  taken(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

function writeValue(out: Output, value: CborValue, depthLeft: number): void {
  if (value === null) out.byte(0xf6);
  else if (typeof value === 'boolean') out.byte(value ? 0xf5 : 0xf4);
  else if (typeof value === 'number') writeInteger(out, value);
  else if (typeof value === 'string') writeText(out, textBytes(value));
  else if (value instanceof Uint8Array) {
    out.head(MAJOR.bytes, value.length);
    out.raw(value);
  } else if (typeof value !== 'object')
    throw new TypeError(`CBOR here has no form for a value of type ${typeof value}`);
  else if (depthLeft === 0) throw new TypeError(`CBOR here has at most ${CBOR_DEPTH_MAX} levels`);
  else if (isArray(value)) {
    out.head(MAJOR.array, value.length);
    // By index, so that a hole is met as undefined and refused.
    for (let i = 0; i < value.length; i++) writeValue(out, value[i] as CborValue, depthLeft - 1);
  } else if (value instanceof Map) writeUintMap(out, value as ReadonlyMap<number, CborValue>, depthLeft - 1);
  else writeTextMap(out, value as Readonly<Record<string, CborValue>>, depthLeft - 1);
}

function isArray(value: object): value is readonly CborValue[] {
  return Array.isArray(value);
}

function writeInteger(out: Output, value: number): void {
  if (!Number.isSafeInteger(value)) throw new TypeError('CBOR here holds integers within 2^53-1 only');
  if (value >= 0) out.head(MAJOR.uint, value);
  else out.head(MAJOR.negative, -1 - value);
}

function writeText(out: Output, utf8: Uint8Array): void {
  out.head(MAJOR.text, utf8.length);
  out.raw(utf8);
}

function textBytes(text: string): Uint8Array {
  // Most text is ASCII, and an encoder would take five times as long.
  const ascii = new Uint8Array(text.length);
  let i = 0;
  for (; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) break;
    ascii[i] = unit;
  }
  if (i === text.length) return ascii;
  try {
    return utf8Bytes(text);
  } catch (cause) {
    throw new TypeError('CBOR text holds no lone surrogate', { cause });
  }
}

function writeTextMap(out: Output, fields: Readonly<Record<string, CborValue>>, depthLeft: number): void {
  const prototype: unknown = Object.getPrototypeOf(fields);
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError('CBOR here takes plain objects only');
  const keys = Object.keys(fields).map((name) => ({ name, utf8: textBytes(name) }));
  // The head of an encoded key holds its length, so the shorter key comes first.
  keys.sort((a, b) => a.utf8.length - b.utf8.length || compareBytes(a.utf8, b.utf8));
  out.head(MAJOR.map, keys.length);
  for (const { name, utf8 } of keys) {
    if (name === '__proto__') throw new TypeError('a CBOR map here has no key __proto__');
    writeText(out, utf8);
    writeValue(out, fields[name] as CborValue, depthLeft);
  }
}

function writeUintMap(out: Output, entries: ReadonlyMap<number, CborValue>, depthLeft: number): void {
  out.head(MAJOR.map, entries.size);
  const keys = [...entries.keys()];
  // Most maps are made in the order of their keys.
  if (keys.some((key, i) => i > 0 && key < (keys[i - 1] as number))) keys.sort((a, b) => a - b);
  for (const key of keys) {
    if (!Number.isSafeInteger(key) || key < 0)
      throw new TypeError('a CBOR map here has unsigned integer keys');
    out.head(MAJOR.uint, key);
    writeValue(out, entries.get(key) as CborValue, depthLeft);
  }
}
