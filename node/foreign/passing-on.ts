/**
 * What is passed on to verifiers of others has to be new: to them a key that was given up is one that is absent, and they cannot tell how old it is what
 * they are given. One rule for the routes of a node and for commands. Spec: SPEC.md 17.10.
 */
import { KNOWLEDGE_AGE_ONLINE_S_MAX } from '../../protocol/limits.ts';
import { type RecognitionWay } from '../../protocol/trust/trust-state.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { Leaning } from '../../protocol/verdict/leaning.ts';
import { ANY_PLACE } from '../../protocol/verdict/verdict.ts';

/** Keys are passed on in whatever way codes of the region come. */
const NO_WAYS: ReadonlySet<RecognitionWay> = new Set();

/** Of the age the rule below decides. */
const WHATEVER_ITS_AGE = { ...ANY_PLACE, limits: { knowledgeAgeS: Infinity } };

/** Whether it may still be passed on at `nowS` what was so at `atS`; undefined where nothing proves when it was. */
export function isNewEnough(atS: number | undefined, nowS: number): boolean {
  return atS !== undefined && nowS - atS <= KNOWLEDGE_AGE_ONLINE_S_MAX;
}

/** Whether what a node knows of a region may be passed on: verdicts would lean on it and on the home, and both are new enough. */
export function isKnownWell(trust: Trust, region: string, nowS: number): boolean {
  const leaning = new Leaning(trust, { place: WHATEVER_ITS_AGE, mode: 'online' }, nowS);
  if (!leaning.leanOnHome() || !leaning.leanOn(region, NO_WAYS).isSound) return false;
  return [trust.home, region].every((one) => isNewEnough(trust.assess(one, nowS)?.knowledgeAtS, nowS));
}
