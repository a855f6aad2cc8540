/**
 * How long a code of others stays what it is now: its colour follows from facts and the time, by the rules of its region, and may change long before
 * the code itself expires. Whoever is shown the bridged code has no facts to ask again. Spec: SPEC.md 5.6.
 */
import { AnnouncedCodes } from '../../protocol/foreign/announced-codes.ts';
import { isSame } from '../../protocol/foreign/claims.ts';
import { verifyAnnounced } from '../../protocol/foreign/verify-announced.ts';
import { foreignFormatOf } from '../../protocol/foreign/verify-foreign.ts';
import { verifyLocal } from '../../protocol/foreign/verify-local.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { ANY_PLACE, type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';

const STEP_S = 3_600;

/** At a later time nothing newer is known than now, and that is no change of the code. */
const WHATEVER_ITS_AGE: VerdictContext = {
  place: { ...ANY_PLACE, limits: { knowledgeAgeS: Infinity, issuerSilenceS: Infinity } },
  mode: 'online',
  acceptance: () => [],
};

/**
 * A second of `[fromS, endS]` up to which a code of others stays what `verdict` says, in outcome, colour and measure; undefined if it is another already at `fromS`, by what is known now.
 * Looked at are `endS` and whole hours from `fromS` on, at most a day of them; within the first of these stretches whose end differs a second is found by halving after which it changes.
 * What changes and changes back between two looks is not seen.
 */
export async function sameUntilS(
  text: string,
  verdict: Verdict,
  trust: Trust,
  { fromS, endS }: { readonly fromS: number; readonly endS: number },
): Promise<number | undefined> {
  const announced = new AnnouncedCodes(trust);
  const isSameAt = async (atS: number) => {
    const then = await verdictAt(text, announced, atS);
    return then !== undefined && isSame(verdict, then);
  };
  if (!(await isSameAt(fromS))) return undefined;
  let sameS = fromS;
  let differsS: number | undefined;
  while (sameS < endS && differsS === undefined) {
    const nextS = Math.min(sameS + STEP_S, endS);
    if (await isSameAt(nextS)) sameS = nextS;
    else differsS = nextS;
  }
  while (differsS !== undefined && differsS - sameS > 1) {
    const middleS = Math.floor((sameS + differsS) / 2);
    if (await isSameAt(middleS)) sameS = middleS;
    else differsS = middleS;
  }
  return sameS;
}

/** Undefined for a text that is no code of others. */
async function verdictAt(
  text: string,
  announced: AnnouncedCodes,
  nowS: number,
): Promise<Verdict | undefined> {
  const context = WHATEVER_ITS_AGE;
  if (foreignFormatOf(text) !== undefined)
    return verifyAnnounced(nativeForeignPrimitives, text, announced, context, nowS);
  return (await verifyLocal(nativeForeignPrimitives, text, { announced, context, nowS }))?.verdict;
}
