/** Bits in bytes, the most significant bit of each byte first, zeros after the last one. Spec: SPEC.md 7.2. */
import { ProtocolError } from '../fault.ts';

const CHUNK_BITS = 24;
const CHUNK = 2 ** CHUNK_BITS;

/** Writes bits into `bytes` from byte `start` on: room for all of them, which the caller has computed. */
export class BitWriter {
  readonly #bytes: Uint8Array;
  #at: number;
  /** The last 0 to 7 bits, not yet written. */
  #pending = 0;
  #pendingBits = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  /** The low `width` bits of `value`, high one first. `value`: 0 .. 2^width-1, `width`: 0 .. 48. */
  bits(value: number, width: number): void {
    if (width <= CHUNK_BITS) {
      this.#chunk(value, width);
    } else {
      this.#chunk(Math.floor(value / CHUNK), width - CHUNK_BITS);
      this.#chunk(value % CHUNK, CHUNK_BITS);
    }
  }

  /** `value` ones and a zero. */
  unary(value: number): void {
    let left = value;
    for (; left >= CHUNK_BITS; left -= CHUNK_BITS) this.#chunk(CHUNK - 1, CHUNK_BITS);
    this.#chunk((1 << (left + 1)) - 2, left + 1);
  }

  /** `count` zeros. */
  zeros(count: number): void {
    let left = count;
    for (; left > CHUNK_BITS; left -= CHUNK_BITS) this.#chunk(0, CHUNK_BITS);
    this.#chunk(0, left);
  }

  /** Zeros up to the next byte. */
  end(): void {
    if (this.#pendingBits > 0) this.#chunk(0, 8 - this.#pendingBits);
  }

  #chunk(value: number, width: number): void {
    this.#pending = (this.#pending << width) | value;
    this.#pendingBits += width;
    while (this.#pendingBits >= 8) {
      this.#pendingBits -= 8;
      this.#bytes[this.#at++] = this.#pending >>> this.#pendingBits;
    }
    this.#pending &= (1 << this.#pendingBits) - 1;
  }
}

/**
 * Reads bits from byte `start` to the end. Past the end it reads zeros: `end` tells of it, and until then whoever loops
 * bounds the loop by `left`.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#position = 8 * start;
  }

  /** How many bits are not yet read; negative once it was read past the end. */
  get left(): number {
    return 8 * this.#bytes.length - this.#position;
  }

  /** The next `width` bits as an unsigned integer, high bit first. `width`: 0 .. 53. */
  bits(width: number): number {
    if (width === 0) return 0;
    if (width > 32) return this.bits(width - 32) * 0x1_0000_0000 + this.bits(32);
    const value = this.#window() >>> (32 - width);
    this.#position += width;
    return value;
  }

  /** How many ones come before the next zero. @throws {ProtocolError} REVOCATION_MALFORMED if more than `max`. */
  unary(max: number): number {
    let ones = 0;
    for (;;) {
      const run = Math.clz32(~this.#window());
      ones += run;
      if (ones > max) throw revocationMalformed(this.offset, `expected at most ${max} ones in a row`);
      this.#position += run;
      if (run < 32) {
        this.#position++;
        return ones;
      }
    }
  }

  /** The byte that holds the next bit. */
  get offset(): number {
    return this.#position >>> 3;
  }

  /** Requires that nothing is left but fewer than eight zeros. */
  end(): void {
    const left = this.left;
    if (left < 0) throw revocationMalformed(this.#bytes.length, `expected ${-left} more bits, got the end`);
    if (left >= 8) throw revocationMalformed(this.offset, `expected the end, got ${left} more bits`);
    const { offset } = this;
    if (this.bits(left) !== 0) throw revocationMalformed(offset, 'expected zeros after the last bit');
  }

  /** The next 32 bits. */
  #window(): number {
    const bytes = this.#bytes;
    const at = this.#position >>> 3;
    const shift = this.#position & 7;
    const high =
      ((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0);
    return shift === 0 ? high : (high << shift) | ((bytes[at + 4] ?? 0) >>> (8 - shift));
  }
}

/** `offset`: bytes from the start of the coded set to what is at fault. */
export function revocationMalformed(offset: number, message: string): ProtocolError {
  return new ProtocolError('REVOCATION_MALFORMED', `${message} at byte ${offset}`, { offset });
}
