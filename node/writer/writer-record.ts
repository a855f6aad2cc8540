/** What a witness has promised the writers of one region, and the form in which it keeps that. */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { bytesForm } from '../../protocol/evidence/proof-form.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { WRITER_WORD_BYTES_MAX } from '../../protocol/limits.ts';
import {
  type Claim,
  parseClaim,
  parsePermit,
  type Permit,
  type SignedWord,
} from '../../protocol/writer/word.ts';
import { logError } from '../log/log-error.ts';

export interface WriterRecord {
  /** How often it changed: of two copies the one with more is the newer. */
  readonly changes: number;
  /** The claim with the highest epoch. Undefined where that was signed by a key that was given up since. */
  readonly claim: SignedWord<Claim> | undefined;
  /** By log, what was permitted last. */
  readonly permits: ReadonlyMap<string, SignedWord<Permit>>;
}

/** Logs of a region for which permits are kept: the trust log and those of the latest months. */
export const PERMITTED_LOGS_MAX = 16;

export const NO_RECORD: WriterRecord = { changes: 0, claim: undefined, permits: new Map() };

/** The key of the store under which a witness keeps the record of a region, by the name of its trust log. */
export function recordKey(origin: string): string {
  return `writer/${origin}`;
}

/** What two machines of one witness have promised together; the same record if the other adds nothing. */
export function joinRecords(one: WriterRecord, other: WriterRecord): WriterRecord {
  const claim = laterOf(one.claim, other.claim, ({ word }) => [word.epoch]);
  const permits = new Map(one.permits);
  for (const [origin, permit] of other.permits) {
    const later = laterOf(permits.get(origin), permit, ({ word }) => [word.epoch, word.size]);
    if (later !== undefined) permits.set(origin, later);
  }
  while (permits.size > PERMITTED_LOGS_MAX) permits.delete(oldestOf(permits.keys()));
  const isSame =
    claim === one.claim && [...permits].every(([origin, permit]) => one.permits.get(origin) === permit);
  return isSame ? one : { changes: Math.max(one.changes, other.changes) + 1, claim, permits };
}

/** Of attestation logs the one of the earliest month: their names sort so, and before that of the trust log. */
export function oldestOf(origins: Iterable<string>): string {
  return [...origins].sort()[0] ?? '';
}

/** The first where neither is later. */
function laterOf<W>(
  one: W | undefined,
  other: W | undefined,
  ageOf: (word: W) => readonly number[],
): W | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const [before, after] = [ageOf(one), ageOf(other)];
  const at = before.findIndex((age, i) => age !== after[i]);
  return at >= 0 && (after[at] ?? 0) > (before[at] ?? 0) ? other : one;
}

const FORM = 1;
const BYTES_MAX = (PERMITTED_LOGS_MAX + 1) * (WRITER_WORD_BYTES_MAX + 8) + 64;
const schema = z.tuple([
  z.literal(FORM),
  z.int().nonnegative(),
  z.array(bytesForm).max(1),
  z.array(bytesForm).max(PERMITTED_LOGS_MAX),
]);

export function encodeRecord({ changes, claim, permits }: WriterRecord): Uint8Array {
  const words = [...permits.values()].map(({ bytes }) => bytes);
  return encodeCbor([FORM, changes, claim === undefined ? [] : [claim.bytes], words]);
}

/** @throws {NodeError} LOG_CORRUPT if these are not the bytes of a record. */
export function parseRecord(stored: Uint8Array, origin: string): WriterRecord {
  try {
    const [, changes, claims, words] = schema.parse(decodeCbor(stored, { bytesMax: BYTES_MAX }));
    const permits = words.map((bytes) => parsePermit(bytes));
    const [claim] = claims.map((bytes) => parseClaim(bytes));
    return { changes, claim, permits: new Map(permits.map((permit) => [permit.word.origin, permit])) };
  } catch (cause) {
    if (!isProtocolError(cause) && !(cause instanceof z.ZodError)) throw cause;
    throw logError('LOG_CORRUPT', `${origin}: what is stored of its writers is no record`, { cause });
  }
}
