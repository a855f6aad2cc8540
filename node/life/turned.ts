/** Whether somebody would be turned: whether a status demands more than what they have. */
import { type Status } from '../../protocol/code/status.ts';
import { MANUAL_RULE_ID } from '../../protocol/trust/tally.ts';
import { byPlace } from '../registry/pages.ts';
import { type RegistryRecord } from '../registry/registry.ts';
import { isStricter, type JudgedAt } from './judging.ts';

/** What somebody has. */
export interface Having extends Pick<JudgedAt, 'isRevoked'> {
  /** Their codes that are not over, revoked or not. */
  readonly records: readonly RegistryRecord[];
  /** Whether there is more of that than can be read: it may demand less. */
  readonly areUnread: boolean;
  readonly hasDeclared: boolean;
}

/**
 * Whether a status demands more than the newest code of somebody: better news leave a stricter one to end. What is revoked counts
 * where nothing else is there: whoever revokes a code first turns its holder no less, and what rules gave is given again, as for another device. Not so
 * to who declared, and gets another by an update.
 */
export function isTurned(status: Status, having: Having): boolean {
  const { records, isRevoked, areUnread, hasDeclared } = having;
  if (areUnread) return true;
  const newest = newestOf(records.filter((record) => !isRevoked(record)));
  if (newest !== undefined) return isStricter(status, newest.fields.status);
  const revoked = hasDeclared ? undefined : newestOf(records);
  if (revoked === undefined || revoked.fields.status.ruleId === MANUAL_RULE_ID) return true;
  return isStricter(status, revoked.fields.status);
}

/** Whether the region knows anything of somebody. */
export function isKnown({ records, areUnread, hasDeclared }: Having): boolean {
  return hasDeclared || areUnread || records.length > 0;
}

function newestOf(records: readonly RegistryRecord[]): RegistryRecord | undefined {
  return [...records].sort((a, b) => b.hour - a.hour || byPlace(b, a))[0];
}
