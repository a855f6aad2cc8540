/**
 * Whose word counts on a code of others that several regions claim, since a key that they announced has signed it. A code proves to nobody whose it is
 * beyond its country: what one region says of it must neither stop nor free the codes of another. Spec: SPEC.md 17.8, 17.11.
 */
import { Leaning } from '../verdict/leaning.ts';
import { type Trust } from '../verdict/knowledge.ts';
import { type Verdict, type VerdictContext } from '../verdict/verdict.ts';
import { type ForeignReason } from './foreign-reasons.ts';

/** A region that knows a code as one of its own, and what speaks against that by the key that signed it. */
export interface Claim {
  readonly region: string;
  readonly reasons: readonly ForeignReason[];
}

/**
 * Those whose word counts: the home's alone, where it is among them; else none whose recognition is suspended or not in force, and none that has given
 * the key for other times alone, so that a home can end a claim on another's key, unless nobody would be left. One of which little is known counts:
 * the code may be its own.
 */
export function countingOf<T extends Claim>(trust: Trust, claims: readonly T[], nowS: number): readonly T[] {
  const ofHome = claims.filter(({ region }) => region === trust.home);
  if (ofHome.length > 0) return ofHome;
  const forThis = claims.filter(({ reasons }) => !reasons.some(({ code }) => code === 'KEY_NOT_FOR_THIS'));
  const speaking = new Set(
    forThis.map(({ region }) => region).filter((region) => isInForce(trust, region, nowS)),
  );
  return speaking.size > 0 ? claims.filter(({ region }) => speaking.has(region)) : claims;
}

/** Whether the home's recognition of a region counts now; the home's own word always does. */
export function isInForce({ home, regions }: Trust, region: string, nowS: number): boolean {
  if (region === home) return true;
  const recognition = regions.get(home)?.state.recognition(region);
  return recognition?.standing === 'recognised' && recognition.fromS <= nowS && nowS < recognition.untilS;
}

/** Whose words differ, of a verdict that is undetermined for it. */
export function differing(
  trust: Trust,
  regions: Iterable<string>,
  { context, nowS }: { readonly context: VerdictContext; readonly nowS: number },
): Leaning {
  const leaning = new Leaning(trust, context, nowS);
  leaning.leanOnHome();
  for (const region of regions) leaning.add('FOREIGN_REGIONS_DIFFER', region);
  return leaning;
}

/** In everything that a gate goes by. */
export function isSame(one: Verdict, other: Verdict): boolean {
  return (
    one.outcome === other.outcome &&
    one.colour === other.colour &&
    one.measure?.kind === other.measure?.kind &&
    one.measure?.untilS === other.measure?.untilS &&
    one.expiresAtS === other.expiresAtS &&
    one.foreign?.subject === other.foreign?.subject
  );
}

/** Whether the region that a verdict is by has taken the code back: by its name, or by a rule that voids some of its certificates. */
export function isRevoked({ reasons, foreign }: Verdict): boolean {
  return reasons.some(
    ({ code, region }) => code === 'REVOKED' || (code === 'RULE_STOPS' && region === foreign?.region),
  );
}
