/**
 * Until when time is over for good, so that what ended before may be destroyed. By its own clock alone a machine destroys nothing: where few regions
 * are asked the time, nobody outvotes a clock that is weeks ahead, and secrets of days to come would go.
 */
import { type ClockStanding } from './clock-votes.ts';

export interface TimeTold {
  /** By the clock of this machine, in seconds since 1970. */
  readonly nowS: number;
  /** What other regions say of that clock. */
  readonly standing: ClockStanding;
  /** As `surelyVouchedAtS`. */
  readonly vouchedAtS: number | undefined;
}

/** While some doubt the clock, time is over so much later: a peer that lies keeps a secret a week longer, and not for ever. */
const DOUBT_S = 7 * 86_400;

/** Seconds since 1970; undefined while the clock is outvoted, and where no quorum of the regions that the home recognises directly vouches. Spec: SPEC.md 9. */
export function surelyPastS({ nowS, standing, vouchedAtS }: TimeTold): number | undefined {
  if (standing === 'astray' || vouchedAtS === undefined) return undefined;
  return Math.min(standing === 'doubtful' ? nowS - DOUBT_S : nowS, vouchedAtS);
}
