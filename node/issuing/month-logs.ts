/** Which log of a month a region issues into: the one of the month, or the newest that was announced to take its place. */
import { type TrustState } from '../../protocol/trust/trust-state.ts';

/** The replacements that a log may have within its month, the newest first. */
const REPLACEMENTS = ['.9', '.8', '.7', '.6', '.5', '.4', '.3', '.2', '.1', ''];

/** The id that the log of the month (UTC) has that holds `atS`, before any takes its place. */
export function logIdAt(atS: number): string {
  return new Date(atS * 1_000).toISOString().slice(0, 7);
}

/** The log into which codes go at `atS`, by this state of the region; `logIdAt` where none of that month is announced. */
export function logInUse(state: Pick<TrustState, 'log'>, atS: number): string {
  const month = logIdAt(atS);
  return month + (REPLACEMENTS.find((suffix) => state.log(month + suffix) !== undefined) ?? '');
}

/** The log that takes the place of the one in use; undefined where the month has had all of them. */
export function nextInUse(state: Pick<TrustState, 'log'>, atS: number): string | undefined {
  const month = logIdAt(atS);
  const place = REPLACEMENTS.indexOf(logInUse(state, atS).slice(month.length));
  const suffix = REPLACEMENTS[place - 1];
  return suffix === undefined ? undefined : month + suffix;
}
