/**
 * The verdict on a text that nobody's adapter which is known begins like, or can read. A local code and a number do not say themselves what they are:
 * while a region whose codes come by its adapters is not known well enough, it may be one of its own. Spec: SPEC.md 17.11.
 */
import { type Fault } from '../fault.ts';
import { CODE_CHARS_MAX } from '../limits.ts';
import { type RecognitionWay } from '../trust/trust-state.ts';
import { type Trust } from '../verdict/knowledge.ts';
import { Leaning } from '../verdict/leaning.ts';
import { type Verdict, type VerdictContext } from '../verdict/verdict.ts';
import { refuseText } from '../verdict/verify.ts';
import { unsignedVerdict } from './judge-unsigned.ts';
import { mayBeUnnamed } from './self-named.ts';

const BY_ADAPTER: ReadonlySet<RecognitionWay> = new Set<RecognitionWay>(['adapter']);

export interface UnreadInput {
  readonly trust: Trust;
  readonly context: VerdictContext;
  readonly nowS: number;
}

/** For a text that nothing that is known here reads, for this fault: a stop, or undetermined, and never more. */
export function refuseUnread(text: string, fault: Fault, { trust, context, nowS }: UnreadInput): Verdict {
  const refused = refuseText(fault, nowS);
  if (refused.outcome !== 'stop' || text.length > CODE_CHARS_MAX || !mayBeUnnamed(text)) return refused;
  const leaning = new Leaning(trust, context, nowS);
  if (!leaning.leanOnHome()) return unsignedVerdict(leaning, undefined, nowS);
  for (const region of adapterRegions(trust, nowS)) {
    const leant = new Leaning(trust, context, nowS);
    if (leant.leanOn(region, BY_ADAPTER).isSound) continue;
    leant.add('KEY_NOT_YET_KNOWN', region);
    return unsignedVerdict(leant, undefined, nowS);
  }
  return refused;
}

/** The other regions whose codes count by their adapters now, in the order of their ids. */
function adapterRegions({ home, regions }: Trust, nowS: number): string[] {
  const recognitions = regions.get(home)?.state.recognitions() ?? [];
  return [...recognitions]
    .flatMap((one) => {
      const isInForce = one.standing === 'recognised' && one.fromS <= nowS && nowS < one.untilS;
      return isInForce && one.way === 'adapter' ? [one.region] : [];
    })
    .sort();
}
