/**
 * CBOR as others write it: any order of keys, lengths that are left open, numbers that are longer than need be. Bounded all the same,
 * and without what would have two readings: no name twice, nothing behind the end. What is signed is the bytes as they came, so that
 * nothing depends on a canonical form. Spec: SPEC.md 17.2, RFC 8949.
 */
import { decodeUtf8 } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { CBOR_DEPTH_MAX } from '../limits.ts';

/** Whole numbers within 2^53-1 and finite fractions are numbers; tags 0 and 1, which mark dates, are dropped. */
export type ForeignCbor =
  null | boolean | number | string | Uint8Array | readonly ForeignCbor[] | ForeignCborMap;

export type ForeignCborMap = ReadonlyMap<number | string, ForeignCbor>;

const BREAK = 0xff;
const OPEN = -1;

/**
 * The value that `bytes` stand for. Byte strings are views of `bytes`.
 * @throws {ProtocolError} TOO_LARGE above `bytesMax`; CBOR_MALFORMED with the `offset` of the item at fault: cut off, not well-formed, a
 * string whose length is left open, another tag, a name twice or that is neither text nor whole number, a number beyond 2^53-1 or not
 * finite, more than 16 levels, anything behind the end.
 */
export function decodeForeignCbor(bytes: Uint8Array, bytesMax: number): ForeignCbor {
  if (bytes.length > bytesMax) {
    throw new ProtocolError('TOO_LARGE', `expected at most ${bytesMax} bytes of CBOR, got ${bytes.length}`, {
      bytes: bytes.length,
      bytesMax,
    });
  }
  const reader = new Reader(bytes);
  const value = reader.item(CBOR_DEPTH_MAX);
  reader.end();
  return value;
}

/** A map, or nothing: what most of what is read here has to be. */
export function asMap(value: ForeignCbor | undefined): ForeignCborMap | undefined {
  return value instanceof Map ? (value as ForeignCborMap) : undefined;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  item(depthLeft: number): ForeignCbor {
    const at = this.#at;
    const first = this.#byte();
    const major = first >> 5;
    if (major === 7) return this.#simple(at, first);
    const argument = this.#argument(at, first);
    switch (major) {
      case 0:
        return argument;
      case 1:
        return -1 - argument;
      case 2:
        return this.#string(at, argument);
      case 3:
        return decodeUtf8(this.#string(at, argument), 'CBOR_MALFORMED');
      case 6:
        if (argument > 1) throw malformed(at, 'expected no tag but that of a date');
        return this.#nested(at, depthLeft, (left) => this.item(left));
      default:
        return this.#nested(at, depthLeft, (left) =>
          major === 4 ? this.#array(argument, left) : this.#map(argument, left),
        );
    }
  }

  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left !== 0) throw malformed(this.#at, `expected the end, got ${left} more bytes`);
  }

  #nested<T>(at: number, depthLeft: number, read: (depthLeft: number) => T): T {
    if (depthLeft === 0) throw malformed(at, 'expected fewer arrays and maps within each other');
    return read(depthLeft - 1);
  }

  #array(length: number, depthLeft: number): ForeignCbor[] {
    const items: ForeignCbor[] = [];
    while (this.#goesOn(length, items.length)) items.push(this.item(depthLeft));
    return items;
  }

  #map(length: number, depthLeft: number): ForeignCborMap {
    const entries = new Map<number | string, ForeignCbor>();
    while (this.#goesOn(length, entries.size)) {
      const at = this.#at;
      const name = this.item(0);
      if (typeof name !== 'string' && !Number.isSafeInteger(name))
        throw malformed(at, 'expected a name of text or a whole number');
      if (entries.has(name as string | number)) throw malformed(at, 'expected each name once');
      entries.set(name as string | number, this.item(depthLeft));
    }
    return entries;
  }

  /** Every item takes a byte at least, so that no announced length costs more than the bytes that came. */
  #goesOn(length: number, count: number): boolean {
    if (length !== OPEN) return count < length;
    if (this.#bytes[this.#at] !== BREAK) return true;
    this.#at++;
    return false;
  }

  #simple(at: number, first: number): ForeignCbor {
    switch (first & 0x1f) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 25:
        return finite(at, halfOf(this.#uint(at, 2)));
      case 26:
        this.#skip(at, 4);
        return finite(at, this.#view.getFloat32(this.#at - 4));
      case 27:
        this.#skip(at, 8);
        return finite(at, this.#view.getFloat64(this.#at - 8));
      default:
        throw malformed(at, 'expected false, true, null or a number');
    }
  }

  /** Arrays and maps alone may leave their length open. */
  #argument(at: number, first: number): number {
    const low = first & 0x1f;
    if (low < 24) return low;
    if (low === 31 && (first >> 5 === 4 || first >> 5 === 5)) return OPEN;
    if (low > 27) throw malformed(at, 'expected a length that is told');
    const value = this.#uint(at, 1 << (low - 24));
    // The negative of 2^53-1 is the argument 2^53-2.
    if (value > Number.MAX_SAFE_INTEGER - (first >> 5 === 1 ? 1 : 0))
      throw malformed(at, 'expected a number within 2^53-1');
    return value;
  }

  #string(at: number, length: number): Uint8Array {
    this.#skip(at, length);
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #uint(at: number, width: number): number {
    this.#skip(at, width);
    let value = 0;
    for (let i = this.#at - width; i < this.#at; i++) value = value * 256 + (this.#bytes[i] ?? 0);
    return value;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw malformed(this.#at, 'expected an item, got the end');
    this.#at++;
    return byte;
  }

  #skip(at: number, length: number): void {
    if (length > this.#bytes.length - this.#at) throw malformed(at, 'expected a whole item, got the end');
    this.#at += length;
  }
}

/** Spec: RFC 8949 appendix D. */
function halfOf(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (fraction + 1_024) * 2 ** (exponent - 25);
}

function finite(at: number, value: number): number {
  if (!Number.isFinite(value)) throw malformed(at, 'expected a finite number');
  return value;
}

function malformed(offset: number, message: string): ProtocolError {
  return new ProtocolError('CBOR_MALFORMED', `${message} at byte ${offset}`, { offset });
}
