/**
 * The statuses of a day, sealed each for whoever has looked its number up, in buckets of one size: a mirror that serves them learns
 * neither whose status a bucket holds nor how many are in it. Spec: SPEC.md 21.4.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { asciiBytes, compareBytes, concatBytes, equalBytes } from '../bytes.ts';
import { encodeStatus, parseStatus, type Status } from '../code/status.ts';
import { ProtocolError } from '../fault.ts';
import { LOOKUP_BITS_MAX, LOOKUP_CAPACITY_MAX } from '../limits.ts';
import { LOCATOR_BYTES, type LookupPlace, type NumberSecrets, placeBytes } from './oblivious.ts';

const ENTRY_LABEL = asciiBytes('entente/lookup-entry/v1\n');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A length and the longest status, and some: all entries have one size. */
const PLAIN_BYTES = 96;

export const LOOKUP_ENTRY_BYTES = LOCATOR_BYTES + NONCE_BYTES + PLAIN_BYTES + TAG_BYTES;

type RandomBytes = (length: number) => Uint8Array;

export interface LookupTable {
  /** There are 2^bits buckets. */
  readonly bits: number;
  /** Entries of each bucket, random ones among them. */
  readonly capacity: number;
  /** By number, each of `capacity * LOOKUP_ENTRY_BYTES` bytes. */
  readonly buckets: readonly Uint8Array[];
}

export interface TableSizes {
  readonly bits: number;
  /** 16 by default. */
  readonly step?: number;
}

/** The entry of a number: 140 bytes. Each sealing takes fresh randomness, so that a status that changes within its day tells nothing. */
export function sealStatus(
  { locator, key }: NumberSecrets,
  status: Status,
  place: LookupPlace,
  random: RandomBytes,
): Uint8Array {
  const encoded = encodeStatus(status);
  if (encoded.length >= PLAIN_BYTES) throw new RangeError(`a status has at most ${PLAIN_BYTES - 1} bytes`);
  const plain = new Uint8Array(PLAIN_BYTES);
  plain[0] = encoded.length;
  plain.set(encoded, 1);
  const nonce = random(NONCE_BYTES);
  return concatBytes(locator, nonce, chacha20poly1305(key, nonce, aadOf(place, locator)).encrypt(plain));
}

/** The number of the bucket that a locator belongs to: its first `bits` bits. */
export function bucketOf(locator: Uint8Array, bits: number): number {
  const head = ((locator[0] ?? 0) << 16) | ((locator[1] ?? 0) << 8) | (locator[2] ?? 0);
  return head >>> (24 - bits);
}

/**
 * Puts entries in buckets and fills these up with random ones. Their capacity is that of the fullest, rounded up to a multiple of
 * `step`, so that it does not follow each person who comes or goes.
 * @throws {RangeError} for bits above 20, a number that is there twice, and a bucket above 448 entries.
 */
export function makeTable(
  entries: readonly Uint8Array[],
  sizes: TableSizes,
  random: RandomBytes,
): LookupTable {
  const { bits, capacity, bucket } = planTable(entries, sizes, random);
  return { bits, capacity, buckets: Array.from({ length: 2 ** bits }, (_, i) => bucket(i)) };
}

/** The same, bucket by bucket: each is made once, whenever its maker has time for it. @throws {RangeError} as `makeTable`; `bucket` for a number that is there twice. */
export function planTable(
  entries: readonly Uint8Array[],
  { bits, step = 16 }: TableSizes,
  random: RandomBytes,
): Pick<LookupTable, 'bits' | 'capacity'> & { readonly bucket: (bucket: number) => Uint8Array } {
  if (!Number.isInteger(bits) || bits < 0 || bits > LOOKUP_BITS_MAX)
    throw new RangeError(`a table has at most 2^${LOOKUP_BITS_MAX} buckets`);
  const filled: Uint8Array[][] = Array.from({ length: 2 ** bits }, () => []);
  for (const entry of entries) {
    if (entry.length !== LOOKUP_ENTRY_BYTES) throw new RangeError('not an entry of a table');
    filled[bucketOf(entry, bits)]?.push(entry);
  }
  const fullest = filled.reduce((most, { length }) => Math.max(most, length), 1);
  const capacity = Math.ceil(fullest / step) * step;
  if (capacity > LOOKUP_CAPACITY_MAX)
    throw new RangeError(`a bucket has at most ${LOOKUP_CAPACITY_MAX} entries: take more bits`);
  const bucket = (i: number) => bucketWith(filled[i] ?? [], { i, bits, capacity }, random);
  return { bits, capacity, bucket };
}

function bucketWith(
  entries: readonly Uint8Array[],
  { i, bits, capacity }: { readonly i: number; readonly bits: number; readonly capacity: number },
  random: RandomBytes,
): Uint8Array {
  const bucket = [...entries];
  while (bucket.length < capacity) bucket.push(filler(i, bits, random));
  bucket.sort(compareBytes);
  if (bucket.some((entry, at) => at > 0 && equalBytes(locatorIn(entry), locatorIn(bucket[at - 1] ?? entry))))
    throw new RangeError('a number is there twice');
  return concatBytes(...bucket);
}

/**
 * The status that a bucket holds for a number; undefined where it is not known.
 * @throws {ProtocolError} LOOKUP_MALFORMED for a bucket of another size, and an entry that its own number does not open.
 */
export function statusIn(
  bucket: Uint8Array,
  { capacity }: Pick<LookupTable, 'capacity'>,
  { locator, key }: NumberSecrets,
  place: LookupPlace,
): Status | undefined {
  if (bucket.length !== capacity * LOOKUP_ENTRY_BYTES)
    throw malformed(`expected a bucket of ${capacity * LOOKUP_ENTRY_BYTES} bytes, got ${bucket.length}`);
  for (let at = 0; at < bucket.length; at += LOOKUP_ENTRY_BYTES) {
    const entry = bucket.subarray(at, at + LOOKUP_ENTRY_BYTES);
    if (equalBytes(locatorIn(entry), locator)) return open(entry, key, place);
  }
  return undefined;
}

function open(entry: Uint8Array, key: Uint8Array, place: LookupPlace): Status {
  const nonce = entry.subarray(LOCATOR_BYTES, LOCATOR_BYTES + NONCE_BYTES);
  const sealed = entry.subarray(LOCATOR_BYTES + NONCE_BYTES);
  let plain: Uint8Array;
  try {
    plain = chacha20poly1305(key, nonce, aadOf(place, locatorIn(entry))).decrypt(sealed);
  } catch (cause) {
    throw malformed('expected an entry that its number opens', cause);
  }
  const length = plain[0] ?? 0;
  if (length >= PLAIN_BYTES || plain.subarray(1 + length).some((byte) => byte !== 0))
    throw malformed('expected a status and zeros behind it');
  return parseStatus(plain.slice(1, 1 + length));
}

/** A random entry, in the place of one that might be there. */
function filler(bucket: number, bits: number, random: RandomBytes): Uint8Array {
  const entry = random(LOOKUP_ENTRY_BYTES);
  const head = ((entry[0] ?? 0) << 16) | ((entry[1] ?? 0) << 8) | (entry[2] ?? 0);
  const mended = bits === 0 ? head : bucket * 2 ** (24 - bits) + (head % 2 ** (24 - bits));
  entry.set([mended >>> 16, (mended >>> 8) & 0xff, mended & 0xff]);
  return entry;
}

function locatorIn(entry: Uint8Array): Uint8Array {
  return entry.subarray(0, LOCATOR_BYTES);
}

function aadOf(place: LookupPlace, locator: Uint8Array): Uint8Array {
  return concatBytes(ENTRY_LABEL, placeBytes(place), locator);
}

function malformed(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError('LOOKUP_MALFORMED', message, {}, { cause });
}
