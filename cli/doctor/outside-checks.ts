/** Witnesses outside that the policy of the region asks for, and that the node asks: who does not vouch, and since when. Spec: SPEC.md 9.1. */
import { type RunningStatus } from '../desk/node-status.ts';
import { outsideTroubleText } from '../outside-text.ts';
import { printable } from '../printable.ts';
import { timeText } from '../times.ts';
import { type Finding, ok, quoted, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

/** Seconds for which it may fail: it is asked twice within. */
const SETTLING_S = 120;

/** Whether enough vouch for each region all the same is told by `checkQuorums`. */
export function checkOutside({ running, nowS }: ReadablePatient): Finding[] {
  const all = running?.outside ?? [];
  const findings = all.flatMap((one) => findingsOf(one, nowS));
  if (all.length === 0 || findings.length > 0) return findings;
  return [ok(`${all.map(({ name }) => printable(name)).join(', ')} outside answer as witnesses`)];
}

function findingsOf(
  { name, url, silentSinceS, troubles }: NonNullable<RunningStatus['outside']>[number],
  nowS: number,
): Finding[] {
  const who = `the witness outside ${printable(name)}`;
  const lasts = (sinceS: number) => nowS - sinceS >= SETTLING_S;
  if (silentSinceS !== undefined) {
    const fix = `curl -sS -X POST ${quoted(printable(url))}   # 400 is what a witness answers to that. Is the address in the policy the right one?`;
    return lasts(silentSinceS)
      ? [warn(`${who} does not answer at ${printable(url)} since ${timeText(silentSinceS)}`, fix)]
      : [];
  }
  return Object.entries(troubles)
    .filter(([, { why, sinceS }]) => why !== 'silent' && lasts(sinceS))
    .map(([origin, trouble]) =>
      warn(
        `${who} does not vouch for ${printable(origin)} since ${timeText(trouble.sinceS)}: it ${outsideTroubleText(trouble)}`,
        `ask its operator, by its name ${printable(name)}: the log and the keys that sign it have to be known there`,
      ),
    );
}
