/**
 * A strict cursor over deterministic CBOR: whatever it reads has exactly one encoding, and that is the one it read.
 * Spec: SPEC.md 2.1, RFC 8949 4.2.1.
 */
import { ProtocolError } from '../fault.ts';
import { decodeUtf8 } from './utf8.ts';

/** The three high bits of a data item's first byte. Spec: RFC 8949 3.1. */
export const MAJOR = {
  uint: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const;

const MAJOR_NAMES = [
  'unsigned integer',
  'negative integer',
  'byte string',
  'text',
  'array',
  'map',
  'tag',
  'simple value',
];

/** The smallest argument that needs 1, 2, 4 and 8 bytes after the first. */
const LEAST_LONG_ARGUMENTS = [24, 0x100, 0x1_0000, 0x1_0000_0000];

const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;

/** `offset`: bytes from the start of the reader's input to the item that is at fault. */
export function cborMalformed(offset: number, message: string, cause?: unknown): ProtocolError {
  return new ProtocolError('CBOR_MALFORMED', `${message} at byte ${offset}`, { offset }, { cause });
}

/** Well-formed CBOR in a form that RFC 8949 4.2.1 does not choose. `offset` as for `cborMalformed`. */
export function cborNotCanonical(offset: number, message: string): ProtocolError {
  return new ProtocolError('CBOR_NOT_CANONICAL', `${message} at byte ${offset}`, { offset });
}

/**
 * Reads the items of `bytes` one after the other; the caller says which kind must come next.
 * Every length is checked against the bytes that are left before anything is allocated.
 * Each method throws `ProtocolError` with the `offset` of the item: CBOR_MALFORMED if the item is cut, of another kind,
 * outside the caller's bounds or outside the subset; CBOR_NOT_CANONICAL if it is longer than needed or of indefinite length.
 * After a throw the position is unspecified. A reader of maps checks the order of keys itself.
 */
export class CborReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  /** `bytes` stay the caller's and must not change while they are read. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Where the next item starts. */
  get offset(): number {
    return this.#offset;
  }

  /** The kind of the next item, one of `MAJOR`; the position stays. */
  majorType(): number {
    const first = this.#bytes[this.#offset];
    if (first === undefined) throw cborMalformed(this.#offset, 'expected a data item, got the end');
    return first >> 5;
  }

  /** An integer in 0 .. `max`. */
  uint(max = Number.MAX_SAFE_INTEGER): number {
    const at = this.#offset;
    const value = this.#argument(MAJOR.uint);
    if (value > max) throw cborMalformed(at, `expected an integer of at most ${max}, got ${value}`);
    return value;
  }

  /** An integer in -(2^53-1) .. 2^53-1. */
  integer(): number {
    const at = this.#offset;
    if (this.majorType() === MAJOR.uint) return this.#argument(MAJOR.uint);
    const value = -1 - this.#argument(MAJOR.negative);
    if (value < Number.MIN_SAFE_INTEGER) throw cborMalformed(at, 'expected an integer of at least -(2^53-1)');
    return value;
  }

  /** `min` .. `max` bytes as a view of the input, not a copy: valid for as long as the input is unchanged. */
  bytes(min: number, max: number): Uint8Array {
    const at = this.#offset;
    const length = this.#lengthOf(MAJOR.bytes, max, 1);
    if (length < min) throw cborMalformed(at, `expected at least ${min} bytes, got ${length}`);
    const start = this.#offset;
    this.#offset = start + length;
    return this.#bytes.subarray(start, start + length);
  }

  /** Text whose UTF-8 form has at most `bytesMax` bytes. */
  text(bytesMax: number): string {
    const at = this.#offset;
    const length = this.#lengthOf(MAJOR.text, bytesMax, 1);
    const start = this.#offset;
    const end = start + length;
    this.#offset = end;
    // Keys and names are short ASCII: built here in a fifth of a decoder's time.
    let ascii = '';
    if (length <= 32) {
      let i = start;
      for (; i < end; i++) {
        const byte = this.#bytes[i] ?? 0;
        if (byte > 0x7f) break;
        ascii += String.fromCharCode(byte);
      }
      if (i === end) return ascii;
    }
    try {
      return decodeUtf8(this.#bytes.subarray(start, end));
    } catch (cause) {
      throw cborMalformed(at, 'expected UTF-8 text', cause);
    }
  }

  /** How many items of an array follow: at most `max`, and no more than the bytes that are left. */
  array(max: number): number {
    return this.#lengthOf(MAJOR.array, max, 1);
  }

  /** How many pairs of key and value follow: at most `max`, and no more than the bytes that are left can hold. */
  mapLength(max: number): number {
    return this.#lengthOf(MAJOR.map, max, 2);
  }

  /** Requires the tag `expected`; the tagged item comes next. */
  tag(expected: number): void {
    const at = this.#offset;
    const tag = this.#argument(MAJOR.tag);
    if (tag !== expected) throw cborMalformed(at, `expected tag ${expected}, got ${tag}`);
  }

  /** `false`, `true` or `null`: the simple values of the subset. */
  simple(): boolean | null {
    const at = this.#offset++;
    const first = this.#bytes[at];
    if (first === FALSE) return false;
    if (first === TRUE) return true;
    if (first === NULL) return null;
    throw cborMalformed(at, 'expected false, true or null');
  }

  /** Requires that nothing is left. */
  end(): void {
    const left = this.#bytes.length - this.#offset;
    if (left !== 0) throw cborMalformed(this.#offset, `expected the end, got ${left} more bytes`);
  }

  #lengthOf(major: number, max: number, bytesPerItem: number): number {
    const at = this.#offset;
    const length = this.#argument(major);
    if (length > max) throw cborMalformed(at, `expected a length of at most ${max}, got ${length}`);
    if (length * bytesPerItem > this.#bytes.length - this.#offset) {
      throw cborMalformed(at, `expected ${length} more, got the end`);
    }
    return length;
  }

  #argument(major: number): number {
    const at = this.#offset;
    const first = this.#bytes[at];
    if (first === undefined || first >> 5 !== major) {
      const came = first === undefined ? 'the end' : MAJOR_NAMES[first >> 5];
      throw cborMalformed(at, `expected ${MAJOR_NAMES[major]}, got ${came}`);
    }
    const low = first & 0x1f;
    this.#offset = at + 1;
    return low < 24 ? low : this.#longArgument(at, major, low);
  }

  #longArgument(at: number, major: number, low: number): number {
    if (low === 31 && major >= MAJOR.bytes && major <= MAJOR.map) {
      throw cborNotCanonical(at, 'expected a definite length');
    }
    const least = LEAST_LONG_ARGUMENTS[low - 24];
    if (least === undefined) throw cborMalformed(at, 'expected a defined first byte');
    const width = 1 << (low - 24);
    if (this.#bytes.length - this.#offset < width)
      throw cborMalformed(at, 'expected a whole item, got the end');
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + (this.#bytes[this.#offset++] ?? 0);
    if (value < least) throw cborNotCanonical(at, 'expected the shortest form of a number');
    if (value > Number.MAX_SAFE_INTEGER) throw cborMalformed(at, 'expected a number of at most 2^53-1');
    return value;
  }
}
