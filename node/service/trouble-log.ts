/** What goes wrong in the background, told once in a while and not with every round. */
import { isProtocolError } from '../../protocol/fault.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Log } from '../logging/log.ts';
import { NodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';

/** One kind of trouble, told once a minute with how often it came in between. */
const QUIET_MS = 60_000;
const KINDS_MAX = 256;

interface Told {
  atMs: number;
  since: number;
}

/** A listener for `onTrouble`. */
export function troubleLog(log: Log, clock: Pick<Clock, 'nowMs'>): (error: unknown) => void {
  const told = new RecentMap<Told>(KINDS_MAX);
  return (error) => {
    const kind = kindOf(error);
    const nowMs = clock.nowMs();
    const last = told.get(kind);
    if (last !== undefined && nowMs >= last.atMs && nowMs - last.atMs < QUIET_MS) {
      last.since++;
      return;
    }
    told.set(kind, { atMs: nowMs, since: 0 });
    const isGrave = !(error instanceof NodeError) || error.fatal;
    const details = { error, ...(last !== undefined && last.since > 0 && { before: last.since }) };
    if (isGrave && !isProtocolError(error)) log.error('something went wrong', details);
    else log.warn('something went wrong', details);
  };
}

function kindOf(error: unknown): string {
  if (error instanceof NodeError) return `${error.code} ${error.message.slice(0, 128)}`;
  if (isProtocolError(error)) return `${error.fault.code} ${error.message.slice(0, 128)}`;
  return error instanceof Error
    ? `${error.name} ${error.message.slice(0, 128)}`
    : String(error).slice(0, 128);
}
