/** Whom of the witnesses outside this node has vouching for the trust logs, in words. */
import { type OutsideSeen } from './desk/node-status.ts';
import { figure } from './output.ts';
import { printable } from './printable.ts';
import { timeText } from './times.ts';

type Trouble = OutsideSeen['troubles'][string];

export function outsideText({ name, url, silentSinceS, troubles }: OutsideSeen): string {
  const where = `${printable(name)} at ${printable(url)}`;
  if (silentSinceS !== undefined) return `${where}: DOES NOT ANSWER since ${timeText(silentSinceS)}`;
  const each = answered(troubles).map(
    ([origin, one]) =>
      `${printable(origin)}: ${outsideTroubleText(one)}, no line of it since ${timeText(one.sinceS)}`,
  );
  return `${where}: ${each.length === 0 ? 'vouches for what it is asked about' : each.join('; ')}`;
}

/** Of logs for which it did not vouch, what it said to that, or that it said nothing. */
export function outsideTroubleText({ why, size = 0, status = 0 }: Trouble): string {
  if (why === 'ahead' || why === 'conflict') return `says that it cosigned ${figure(size)} entries`;
  if (why === 'strange') return `gives an answer that no witness does (${figure(status)})`;
  return WHY[why] ?? `refuses: ${printable(why)}`;
}

function answered(troubles: OutsideSeen['troubles']): [string, Trouble][] {
  return Object.entries(troubles).filter(([, { why }]) => why !== 'silent');
}

const WHY: Readonly<Record<string, string>> = {
  silent: 'does not answer',
  redirect: 'sends elsewhere, where it is not followed',
  unverified: 'gives no good line by the key of the policy',
  untimely: 'gives lines whose time is not that of now',
  unproven: 'DOES NOT TAKE THAT IT ONLY GREW',
  'unknown-log': 'does not know this log',
  unsigned: 'does not know the keys of this log',
  unfolded: 'is not ready yet',
};
