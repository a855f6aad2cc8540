/**
 * Until when time is over for good, so that what ended before may be destroyed. By its own clock alone a machine destroys nothing: where few regions
 * are asked the time, nobody outvotes a clock that is weeks ahead, and secrets of days to come would go.
 */
import { WITNESSES_CHOSEN } from '../../protocol/limits.ts';
import { neededCosignatures } from '../../protocol/log/quorum.ts';
import { type KnowledgeReport } from '../../protocol/verdict/verdict.ts';
import { type ClockStanding } from './clock-votes.ts';

export interface TimeTold {
  /** By the clock of this machine, in seconds since 1970. */
  readonly nowS: number;
  /** What other regions say of that clock. */
  readonly standing: ClockStanding;
  /** What is known of the home's own trust log, and so what the clocks of a quorum of its witnesses say. */
  readonly home: KnowledgeReport | undefined;
  /** Regions that the home recognises directly, those too whose recognition has not begun or is over by the clock of this machine. */
  readonly recognised: number;
}

/** While some doubt the clock, time is over so much later: a peer that lies keeps a secret a week longer, and not for ever. */
const DOUBT_S = 7 * 86_400;

/**
 * Seconds since 1970; undefined while the clock is outvoted, and where no other region vouches for the home, or fewer do than make a quorum of all that are
 * recognised: by a clock that is weeks ahead recognitions are over that are not, and the last one that counts could lie.
 */
export function surelyPastS({ nowS, standing, home, recognised }: TimeTold): number | undefined {
  const needed = Math.max(1, neededCosignatures(Math.min(recognised, WITNESSES_CHOSEN)));
  const vouchedAtS = home === undefined || home.witnesses.needed < needed ? undefined : home.knowledgeAtS;
  if (standing === 'astray' || vouchedAtS === undefined) return undefined;
  return Math.min(standing === 'doubtful' ? nowS - DOUBT_S : nowS, vouchedAtS);
}
