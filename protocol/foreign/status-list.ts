/** Lists of statuses by index: many codes, a few bits each. Spec: SPEC.md 17.6; IETF draft-ietf-oauth-status-list 4. */
import { ProtocolError } from '../fault.ts';
import { STATUS_LIST_BYTES_MAX } from './foreign-limits.ts';
import { type ForeignPrimitives } from './foreign-primitives.ts';

export type StatusBits = 1 | 2 | 4 | 8;

/** The statuses that have a meaning of their own; from 12 on applications give one. */
export const STATUS = { valid: 0, invalid: 1, suspended: 2 } as const;

/** The list in its compressed form, as tokens carry it. */
export interface PackedStatuses {
  readonly bits: StatusBits;
  /** zlib. */
  readonly deflated: Uint8Array;
}

export class StatusList {
  readonly bits: StatusBits;
  readonly bytes: Uint8Array;

  /** `bytes` hold 8 / `bits` statuses each, the first in the least significant bits. They are not copied. */
  constructor(bits: StatusBits, bytes: Uint8Array) {
    this.bits = bits;
    this.bytes = bytes;
  }

  /** Indexes from 0 to before this. */
  get size(): number {
    return (this.bytes.length * 8) / this.bits;
  }

  /** @throws {ProtocolError} STATUS_LIST_MALFORMED for an index outside: a code that points there has no status, and that is not "valid". */
  at(index: number): number {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.size)
      throw malformed(`expected an index below ${this.size}`);
    const perByte = 8 / this.bits;
    const byte = this.bytes[Math.floor(index / perByte)] ?? 0;
    return (byte >> ((index % perByte) * this.bits)) & ((1 << this.bits) - 1);
  }
}

/** @throws {ProtocolError} COMPRESSION_INVALID; TOO_LARGE above 8 MiB once inflated. */
export async function inflateStatuses(
  { inflate }: Pick<ForeignPrimitives, 'inflate'>,
  { bits, deflated }: PackedStatuses,
): Promise<StatusList> {
  return new StatusList(bits, await inflate(deflated, 'zlib', STATUS_LIST_BYTES_MAX));
}

/**
 * A list for `size` codes with these statuses, all others 0. It ends with a whole byte.
 * @throws {RangeError} for an index from `size` on, a status of more bits, or a list of more than 8 MiB.
 */
export function makeStatusList(
  bits: StatusBits,
  size: number,
  statuses: Iterable<readonly [index: number, status: number]>,
): StatusList {
  const length = Math.ceil((size * bits) / 8);
  if (!Number.isSafeInteger(size) || size < 0 || length > STATUS_LIST_BYTES_MAX)
    throw new RangeError(`a status list has at most ${STATUS_LIST_BYTES_MAX} bytes`);
  const bytes = new Uint8Array(length);
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  for (const [index, status] of statuses) {
    if (!Number.isSafeInteger(index) || index < 0 || index >= size)
      throw new RangeError(`expected an index below ${size}`);
    if ((status & mask) !== status) throw new RangeError(`expected a status of ${bits} bits`);
    const at = Math.floor(index / perByte);
    const shift = (index % perByte) * bits;
    bytes[at] = ((bytes[at] ?? 0) & ~(mask << shift)) | (status << shift);
  }
  return new StatusList(bits, bytes);
}

export function isStatusBits(value: unknown): value is StatusBits {
  return value === 1 || value === 2 || value === 4 || value === 8;
}

function malformed(message: string): ProtocolError {
  return new ProtocolError('STATUS_LIST_MALFORMED', message);
}
