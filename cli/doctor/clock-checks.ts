/** The clock of this machine against those of peers, its own newest entry and its running time. Nobody else is asked. */
import { CLOCK_AHEAD_S_MAX } from '../../protocol/limits.ts';
import { spanText, timeText } from '../times.ts';
import { type Finding, must, note, ok, warn } from './finding.ts';
import { type Patient } from './patient.ts';

/** Commands that there are on machines with systemd; others keep their clock by other means. */
const SET_CLOCK = 'sudo timedatectl set-ntp true && timedatectl timesync-status';
const DOUBT_S = 10;
/** Milliseconds of difference between wall time and running time that scheduling alone does not explain. */
const STEP_MS_MAX = 500;

export function checkOffset({ running, peers }: Patient): Finding[] {
  const heard = peers.flatMap(({ region, aheadS }) => (aheadS === undefined ? [] : [{ region, aheadS }]));
  const [one] = heard;
  if (one === undefined) return [note('no peer can be asked what time it is')];
  const sorted = heard.map(({ aheadS }) => aheadS).sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  const all = heard.map(({ region, aheadS }) => `${region} ${offText(aheadS)}`).join(', ');
  if (running?.clock.standing === 'astray' || (heard.length > 1 && Math.abs(middle) > CLOCK_AHEAD_S_MAX)) {
    return [
      must(`it is ${offText(middle)} others, and nothing is signed by such a clock: ${all}`, SET_CLOCK),
    ];
  }
  if (Math.abs(middle) > DOUBT_S) return [warn(`it differs from that of peers: ${all}`, SET_CLOCK)];
  const odd = heard.filter(({ aheadS }) => Math.abs(aheadS) > CLOCK_AHEAD_S_MAX);
  if (odd.length > 0) {
    return [note(`it agrees with most; not with ${odd.map(({ region }) => region).join(', ')}: ${all}`)];
  }
  return [ok(`it agrees with ${heard.map(({ region }) => region).join(', ')} (${offText(middle)} them)`)];
}

/** Nothing is signed at a time before the newest entry. */
export function checkAgainstLog({ state, nowS }: Patient): Finding[] {
  if (state === undefined || state.lastAtS === 0) return [];
  const behindS = state.lastAtS - nowS;
  if (behindS <= 0)
    return [ok(`it is after the newest entry of the own trust log, ${timeText(state.lastAtS)}`)];
  return [must(`it is ${spanText(behindS)} before the newest entry of the own trust log`, SET_CLOCK)];
}

export function checkSteps({ steppedMs }: Patient): Finding[] {
  if (Math.abs(steppedMs) <= STEP_MS_MAX) return [ok('it goes on evenly')];
  return [warn(`it jumped by ${Math.round(steppedMs)} ms while this command ran`, SET_CLOCK)];
}

function offText(aheadS: number): string {
  if (aheadS === 0) return 'with';
  return `${spanText(Math.abs(Math.round(aheadS)))} ${aheadS > 0 ? 'ahead of' : 'behind'}`;
}
