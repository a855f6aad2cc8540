/** Between which times it is, as far as others know: whoever signs a time asks first. */
import { CLOCK_AHEAD_S_MAX } from '../../protocol/limits.ts';
import { logError } from '../log/log-error.ts';

/** Seconds since 1970, both included; undefined where too few others say anything. */
export type TimeBounds = () => { readonly fromS: number; readonly untilS: number } | undefined;

/** @throws {NodeError} CLOCK_ASTRAY if `atS` is outside; `what` was to be signed. */
export function requireTime(bounds: TimeBounds | undefined, atS: number, what: string): void {
  const { fromS, untilS } = bounds?.() ?? { fromS: atS, untilS: atS };
  if (atS >= fromS && atS <= untilS) return;
  const way = atS < fromS ? 'behind' : 'ahead of';
  const offS = CLOCK_AHEAD_S_MAX + (atS < fromS ? fromS - atS : atS - untilS);
  throw logError(
    'CLOCK_ASTRAY',
    `${what} is not signed: the clock of this machine is ${offS} s ${way} the clocks of most regions`,
  );
}
