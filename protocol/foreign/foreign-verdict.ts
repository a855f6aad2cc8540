/** Judging a code of others. Spec: SPEC.md 17.1. */
import { type Fault } from '../fault.ts';
import { isSameIssuer } from './country.ts';
import { type ForeignCode, type ForeignFormat } from './foreign-code.ts';
import { type Candidates, type ForeignKey, type TriedKey, triedKeys } from './foreign-keys.ts';
import {
  type ForeignOutcome,
  foreignOutcomeOf,
  type ForeignReason,
  foreignReason,
} from './foreign-reasons.ts';

/** Plain JSON but for the code and the key. */
export interface ForeignVerdict<K extends ForeignKey = ForeignKey> {
  readonly outcome: ForeignOutcome;
  readonly reasons: readonly ForeignReason[];
  readonly atS: number;
  readonly format: ForeignFormat | undefined;
  /** The code as it stands, whatever the outcome; undefined if the text is none. */
  readonly code: ForeignCode | undefined;
  /** The key that signed it; undefined unless its signature is good. */
  readonly key: K | undefined;
}

/**
 * The verdict at `nowS` on a code whose checks (`foreignChecksOf` with the same candidates) had these results, in the same order. A key
 * is judged at the time of issue, and now where the format has none. One key that a list has twice may sign under either entry: the one
 * counts by which least speaks against the code.
 * @throws {RangeError} unless there is a result for each check.
 */
export function judgeForeign<K extends ForeignKey>(
  code: ForeignCode,
  candidates: Candidates<K>,
  results: readonly boolean[],
  nowS: number,
): ForeignVerdict<K> {
  const tried = triedKeys(code, candidates, results);
  const judged = tried
    .filter(({ hasSigned, isVouched }) => hasSigned && isVouched)
    .map(({ key }) => ({ key, reasons: reasonsOf(code, key, nowS) }))
    .sort((a, b) => weightOf(a.reasons) - weightOf(b.reasons))[0];
  const reasons = judged?.reasons ?? [unsigned(candidates, tried)];
  return {
    outcome: foreignOutcomeOf(reasons),
    reasons,
    atS: nowS,
    format: code.format,
    code,
    key: judged?.key,
  };
}

/** The verdict on a text that is no code of this format, with the fault that says why. */
export function refuseForeign(
  format: ForeignFormat | undefined,
  { code, details }: Fault,
  nowS: number,
): ForeignVerdict {
  const reasons =
    code === 'CODE_VERSION_UNKNOWN'
      ? [foreignReason('VERSION_UNKNOWN')]
      : [foreignReason('MALFORMED', { ...details, fault: code })];
  return { outcome: foreignOutcomeOf(reasons), reasons, atS: nowS, format, code: undefined, key: undefined };
}

/** How many reasons speak against a code; notes do not. */
function weightOf(reasons: readonly ForeignReason[]): number {
  return reasons.filter(({ outcome }) => outcome !== 'note').length;
}

function unsigned({ keys, isCrowded, signerFlaw }: Candidates, tried: readonly TriedKey[]): ForeignReason {
  if (signerFlaw !== undefined) return foreignReason('CERTIFICATE', { why: signerFlaw });
  if (keys.length === 0) return foreignReason('KEY_UNKNOWN');
  if (isCrowded) return foreignReason('KEYS_CROWDED');
  // The key of the certificate made the signature of the code, but no authority that of the certificate.
  if (tried.some(({ hasSigned }) => hasSigned))
    return foreignReason('CERTIFICATE', { why: 'SIGNATURE_INVALID' });
  return foreignReason('SIGNATURE_INVALID');
}

function reasonsOf(code: ForeignCode, key: ForeignKey, nowS: number): ForeignReason[] {
  const { issuedAtS, expiresAtS } = code.times;
  const reasons: ForeignReason[] = [];
  if (code.flaw !== undefined) reasons.push(foreignReason('CLAIMS_INVALID', { flaw: code.flaw }));
  if (key.usages !== undefined && !code.usages.every((usage) => key.usages?.includes(usage)))
    reasons.push(foreignReason('KEY_USAGE'));
  if (!isWithin(issuedAtS ?? nowS, key)) reasons.push(foreignReason('KEY_NOT_FOR_THIS'));
  else if (key.vouching !== undefined && !isWithin(issuedAtS ?? nowS, key.vouching))
    reasons.push(foreignReason('KEY_NOT_FOR_THIS', { of: 'authority' }));
  if (issuedAtS !== undefined && issuedAtS > nowS)
    reasons.push(foreignReason('NOT_YET_ISSUED', { aheadS: issuedAtS - nowS }));
  if (expiresAtS !== undefined && expiresAtS <= nowS)
    reasons.push(foreignReason('EXPIRED', { sinceS: nowS - expiresAtS }));
  const issuerReason = issuerReasonOf(code, key);
  return issuerReason === undefined ? reasons : [...reasons, issuerReason];
}

/** Signers of seals are bound to their country (ICAO Doc 9303-13). Elsewhere one may sign for another. */
function issuerReasonOf({ format, issuer }: ForeignCode, key: ForeignKey): ForeignReason | undefined {
  if (issuer === undefined || isSameIssuer(issuer, key.issuer)) return undefined;
  if (format === 'vdsnc') return foreignReason('SIGNER_OF_OTHER_COUNTRY');
  return foreignReason(key.issuer === '' ? 'ISSUER_UNPROVEN' : 'ISSUER_DIFFERS');
}

function isWithin(timeS: number, { fromS, untilS }: Pick<ForeignKey, 'fromS' | 'untilS'>): boolean {
  return timeS >= (fromS ?? 0) && timeS <= (untilS ?? Infinity);
}
