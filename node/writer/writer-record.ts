/** What a witness goes by when a writer of a region asks: of all that it remembers that which counts. */
import { type Claim, type Permit, type SignedWord } from '../../protocol/writer/word.ts';

export interface WriterRecord {
  /** How often what is remembered changed: of two copies the one with more is the newer. */
  readonly changes: number;
  /** The claim with the highest epoch. */
  readonly claim: SignedWord<Claim> | undefined;
  /** By log, what was permitted last. */
  readonly permits: ReadonlyMap<string, SignedWord<Permit>>;
}

/** Logs of a region for which permits of one key are kept: the trust log and those of the latest months. */
export const PERMITTED_LOGS_MAX = 16;

export const NO_RECORD: WriterRecord = { changes: 0, claim: undefined, permits: new Map() };

/** The claim of the higher epoch; the first where neither is. */
export function laterClaim(
  one: SignedWord<Claim> | undefined,
  other: SignedWord<Claim> | undefined,
): SignedWord<Claim> | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.word.epoch > one.word.epoch ? other : one;
}

/** Of each log the permit of the higher epoch, or of the same and a larger size. */
export function laterPermits(
  one: WriterRecord['permits'],
  other: Iterable<SignedWord<Permit>>,
): Map<string, SignedWord<Permit>> {
  const permits = new Map(one);
  for (const permit of other) {
    const { origin, epoch, size } = permit.word;
    const known = permits.get(origin)?.word;
    const isLater =
      known === undefined || epoch > known.epoch || (epoch === known.epoch && size > known.size);
    if (isLater) permits.set(origin, permit);
  }
  return permits;
}

/** Those of at most `PERMITTED_LOGS_MAX` logs: names of attestation logs sort by their months, and before that of the trust log. */
export function ofLatestLogs(permits: WriterRecord['permits']): WriterRecord['permits'] {
  if (permits.size <= PERMITTED_LOGS_MAX) return permits;
  const latest = [...permits.keys()].sort().slice(-PERMITTED_LOGS_MAX);
  return new Map([...permits].filter(([origin]) => latest.includes(origin)));
}
