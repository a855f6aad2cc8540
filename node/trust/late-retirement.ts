/** A retirement that comes too late: signed in time, and logged when the key may have gone on signing. Spec: SPEC.md 8.3. */
import { isProtocolError } from '../../protocol/fault.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { NodeError } from '../node-error.ts';

/**
 * Requires that an entry, if it retires a key, is logged before the key is to end: what the key signed since then would count no more, and
 * the fold, which has no clock, cannot tell.
 * @throws {NodeError} REFUSED
 */
export function requireInTime(entry: Uint8Array, nowS: number): void {
  const until = endIn(entry);
  if (until === undefined || until > nowS) return;
  throw new NodeError(
    'REFUSED',
    `a key was to be retired ${nowS - until} s ago: what it has signed since would count no more`,
    { hint: 'Nothing was logged. Retire it anew, from a later time on: entente key retire.' },
  );
}

function endIn(entry: Uint8Array): number | undefined {
  try {
    const { statement } = parseEntry(entry);
    return statement.kind === 'retirement' ? statement.until : undefined;
  } catch (error) {
    if (isProtocolError(error, 'STATEMENT_MALFORMED')) return undefined;
    throw error;
  }
}
