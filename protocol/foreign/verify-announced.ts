/** From the text of a code of others to an ordinary verdict, by the adapters that recognised regions announced. Spec: SPEC.md 17.8. */
import { isProtocolError } from '../fault.ts';
import { type Verdict, type VerdictContext } from '../verdict/verdict.ts';
import { type AnnouncedCodes, keySourceOf } from './announced-codes.ts';
import { type ForeignCode } from './foreign-code.ts';
import { type TrustState } from '../trust/trust-state.ts';
import { type Candidates, foreignChecksOf, type ForeignKey } from './foreign-keys.ts';
import { type ForeignPrimitives } from './foreign-primitives.ts';
import { judgeForeign } from './foreign-verdict.ts';
import { refuseUnread } from './refuse-unread.ts';
import { judgeAnnounced } from './judge-announced.ts';
import { type CheckedAnnouncer } from './judge-unsigned.ts';
import { readForeign } from './verify-foreign.ts';
import { type SignedForeign, verifyLocal } from './verify-local.ts';

/**
 * The verdict on `text` at `nowS`, a text of a known format (`foreignFormatOf`). JSON and a JWS that are of none may be local codes whose region
 * announced no beginning for them. Never throws on what a text says.
 */
export async function verifyAnnounced(
  primitives: ForeignPrimitives,
  text: string,
  announced: AnnouncedCodes,
  context: VerdictContext,
  nowS: number,
): Promise<Verdict> {
  let code: ForeignCode;
  try {
    code = await readForeign(primitives, text);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    const local = isProtocolError(error, 'CODE_VERSION_UNKNOWN')
      ? undefined
      : await verifyLocal(primitives, text, { announced, context, nowS });
    const isNone = local === undefined || (local.found === 'nothing' && local.verdict.outcome === 'stop');
    return isNone
      ? refuseUnread(text, error.fault, { trust: announced.trust, context, nowS })
      : local.verdict;
  }
  const { tried, isCrowded } = announced.announcersOf(code);
  const checked: CheckedAnnouncer[] = [];
  for (const announcer of tried)
    checked.push({ ...announcer, results: await resultsOf(primitives, code, announcer.candidates) });
  return judgeAnnounced({ code, announced, context, nowS }, checked, isCrowded);
}

/**
 * A text of a known format and the key of a region that signed it; undefined if none did.
 * @throws {ProtocolError} as `readForeign`.
 */
export async function signedAnnounced(
  primitives: ForeignPrimitives,
  text: string,
  state: TrustState,
  nowS: number,
): Promise<SignedForeign | undefined> {
  const code = await readForeign(primitives, text);
  const candidates = keySourceOf(primitives.sha256, state).candidatesFor(code);
  const { key } = judgeForeign(code, candidates, await resultsOf(primitives, code, candidates), nowS);
  return key && { code, key };
}

async function resultsOf(
  primitives: ForeignPrimitives,
  code: ForeignCode,
  candidates: Candidates<ForeignKey>,
): Promise<boolean[]> {
  const results: boolean[] = [];
  for (const check of foreignChecksOf(code, candidates)) results.push(await primitives.verifyForeign(check));
  return results;
}
