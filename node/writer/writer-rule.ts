/**
 * What a witness answers a writer: a function of what it has promised before. An epoch once claimed is never given to anybody else, and
 * within an epoch each permit begins where the one before ended, so that of two trees that part no quorum permits both. Spec: SPEC.md 19.2.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { type Claim, type Permit, type SignedWord } from '../../protocol/writer/word.ts';
import { type WriterRecord } from './writer-record.ts';

/**
 * `fenced`: somebody else has claimed that epoch or a later one. `taken`: within the epoch another tree was permitted, as to a second
 * copy of the writer that runs; or somebody else had a tree permitted in that epoch or a later one, whose claim counts no more.
 */
export type WriterDecision =
  | { readonly granted: true; readonly record: WriterRecord; readonly isNew: boolean }
  | { readonly granted: false; readonly refusal: 'fenced'; readonly claim: SignedWord<Claim> }
  | { readonly granted: false; readonly refusal: 'taken'; readonly permit: SignedWord<Permit> };

export function decideClaim(record: WriterRecord, claim: SignedWord<Claim>): WriterDecision {
  const standing = record.claim;
  const isKept = standing !== undefined && isOfSameReign(standing.word, claim.word);
  if (standing !== undefined && standing.word.epoch >= claim.word.epoch && !isKept)
    return { granted: false, refusal: 'fenced', claim: standing };
  // A reign keeps its claim while keys change: the claim may count no more where its permits do.
  const permit = [...record.permits.values()].find(({ word }) => isBeyond(word, claim.word));
  if (permit !== undefined) return { granted: false, refusal: 'taken', permit };
  if (isKept) return { granted: true, record, isNew: false };
  return { granted: true, record: { ...record, changes: record.changes + 1, claim }, isNew: true };
}

/** `claim` and `permit` are of one reign, and of one region. A witness that has not heard of the claim takes it with the permit. */
export function decidePermit(
  before: WriterRecord,
  claim: SignedWord<Claim>,
  permit: SignedWord<Permit>,
): WriterDecision {
  const claimed = decideClaim(before, claim);
  if (!claimed.granted) return claimed;
  const { origin, epoch, from, size, root } = permit.word;
  const standing = before.permits.get(origin);
  if (standing?.word.epoch === epoch) {
    const isSame = standing.word.size === size && equalBytes(standing.word.root, root);
    // By another key it is remembered too: the one that stands may be given up.
    if (isSame && equalBytes(standing.publicKey, permit.publicKey)) return claimed;
    if (!isSame && from < standing.word.size) return { granted: false, refusal: 'taken', permit: standing };
  }
  const permits = new Map(before.permits).set(origin, permit);
  return { granted: true, record: { changes: before.changes + 1, claim, permits }, isNew: true };
}

/** Of one process that writes. */
export function isOfSameReign(
  one: Pick<Claim | Permit, 'epoch' | 'session'>,
  other: Pick<Claim | Permit, 'epoch' | 'session'>,
): boolean {
  return one.epoch === other.epoch && equalBytes(one.session, other.session);
}

/** Of a later epoch, or of another process in the same. */
export function isBeyond(
  word: Pick<Claim | Permit, 'epoch' | 'session'>,
  reign: Pick<Claim | Permit, 'epoch' | 'session'>,
): boolean {
  return word.epoch > reign.epoch || (word.epoch === reign.epoch && !isOfSameReign(word, reign));
}
