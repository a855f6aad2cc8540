/** The one byte string that stands for a set of log indexes. Spec: SPEC.md 7.1. */
import { ProtocolError } from '../fault.ts';
import { ENTRY_BYTES_MAX, INDEX_BOUND, INDEX_SET_COUNT_MAX } from '../limits.ts';
import { BitReader, BitWriter, revocationMalformed } from './bits.ts';
import { type BodyCode, type Frame, lastOf } from './body.ts';
import { gapsBody } from './gaps-body.ts';
import { runsBody } from './runs-body.ts';
import { threesBody } from './threes-body.ts';

/** A body's mode is its place; of the shortest bodies the one with the lowest mode is the encoding. */
const BODIES: readonly BodyCode[] = [gapsBody, threesBody, runsBody];

/** A varint of six bytes says more than the largest header field, 4 * 2^20 + 3 or 2^40 - 1. */
const VARINT_BYTES_MAX = 6;

/** Bounds of what the decoder takes: bytes in, members out, and one above the largest index. */
export interface IndexSetLimits {
  readonly bytesMax: number;
  readonly countMax: number;
  readonly indexBound: number;
}

const ENTRY_LIMITS: IndexSetLimits = {
  bytesMax: ENTRY_BYTES_MAX,
  countMax: INDEX_SET_COUNT_MAX,
  indexBound: INDEX_BOUND,
};

/**
 * The only encoding of the set of `members`, which must be ascending and distinct, each in 0 .. 2^40-1, at most 2^20 of them.
 * @throws {RangeError} if they are not.
 */
export function encodeIndexSet(members: Float64Array): Uint8Array {
  requireMembers(members);
  const count = members.length;
  const first = members[0] ?? 0;
  const holes = count === 0 ? 0 : (members[count - 1] ?? 0) - first - (count - 1);
  const frame = { count, first, holes };
  const shortest = shortestBody(members, frame);
  const header = varint(4 * count + shortest.mode);
  if (count > 0) header.push(...varint(first));
  if (count > 1) header.push(...varint(holes));
  const bytes = new Uint8Array(header.length + shortest.bytes);
  bytes.set(header);
  const out = new BitWriter(bytes, header.length);
  shortest.body?.write(out, members, frame);
  out.end();
  return bytes;
}

/**
 * The members, ascending, of the set whose only encoding is `bytes`: `encodeIndexSet(decodeIndexSet(b))` equals `b`.
 * Takes time and memory linear in the bytes and the count that they announce, at most 8 bytes for each member.
 * @throws {ProtocolError} TOO_LARGE above `limits.bytesMax`; REVOCATION_MALFORMED with the `offset` in bytes.
 */
export function decodeIndexSet(bytes: Uint8Array, limits: IndexSetLimits = ENTRY_LIMITS): Float64Array {
  const { bytesMax, countMax, indexBound } = limits;
  if (bytes.length > bytesMax) {
    throw new ProtocolError(
      'TOO_LARGE',
      `expected at most ${bytesMax} bytes of indexes, got ${bytes.length}`,
      {
        bytes: bytes.length,
        bytesMax,
      },
    );
  }
  const header = new VarintReader(bytes);
  const countAndMode = header.varint();
  const count = Math.floor(countAndMode / 4);
  const mode = countAndMode % 4;
  if (count > countMax) throw revocationMalformed(0, `expected at most ${countMax} indexes, got ${count}`);
  const first = count > 0 ? header.varint() : 0;
  const holes = count > 1 ? header.varint() : 0;
  const frame = { count, first, holes };
  if (lastOf(frame) >= indexBound) {
    throw revocationMalformed(0, `expected indexes below ${indexBound}, got ${lastOf(frame)}`);
  }
  const body = BODIES[mode];
  if (body === undefined) throw revocationMalformed(0, `expected a mode below ${BODIES.length}, got ${mode}`);
  const input = new BitReader(bytes, header.offset);
  const members = holes > 0 ? body.read(input, frame) : consecutive(frame);
  input.end();
  const shortest = shortestBody(members, frame);
  if (mode !== shortest.mode) {
    throw revocationMalformed(
      0,
      `expected the shortest form of a set, mode ${shortest.mode}, got mode ${mode}`,
    );
  }
  return members;
}

function consecutive({ count, first }: Frame): Float64Array {
  const members = new Float64Array(count);
  for (let i = 0; i < count; i++) members[i] = first + i;
  return members;
}

/** `body` is absent if the frame says it all. */
function shortestBody(members: Float64Array, frame: Frame): { mode: number; bytes: number; body?: BodyCode } {
  if (frame.holes === 0) return { mode: 0, bytes: 0 };
  let shortest = { mode: 0, bytes: Infinity, body: gapsBody };
  for (const [mode, body] of BODIES.entries()) {
    const bytes = Math.ceil(body.bits(members, frame) / 8);
    if (bytes < shortest.bytes) shortest = { mode, bytes, body };
  }
  return shortest;
}

function requireMembers(members: Float64Array): void {
  if (members.length > INDEX_SET_COUNT_MAX)
    throw new RangeError(`expected at most ${INDEX_SET_COUNT_MAX} indexes`);
  let previous = -1;
  for (const member of members) {
    if (!Number.isSafeInteger(member) || member <= previous || member >= INDEX_BOUND) {
      throw new RangeError(`expected ascending integers in 0 .. 2^40-1, got ${member} after ${previous}`);
    }
    previous = member;
  }
}

/** Seven bits a byte, the low ones first; all bytes but the last have their high bit set. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
  return bytes;
}

class VarintReader {
  readonly #bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** 0 .. 2^42-1, in the fewest bytes. */
  varint(): number {
    const start = this.offset;
    let value = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#bytes[this.offset++];
      if (byte === undefined) throw revocationMalformed(start, 'expected a whole number, got the end');
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) {
        if (byte === 0 && i > 0) throw revocationMalformed(start, 'expected the shortest form of a number');
        return value;
      }
    }
    throw revocationMalformed(start, `expected a number of at most ${VARINT_BYTES_MAX} bytes`);
  }
}
