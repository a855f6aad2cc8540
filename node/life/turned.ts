/** Whether somebody would be turned: whether a status demands more than what they have. */
import { type Status } from '../../protocol/code/status.ts';
import { MANUAL_RULE_ID } from '../../protocol/disclosure/override.ts';
import { byPlace } from '../registry/pages.ts';
import { type RegistryRecord } from '../registry/registry.ts';
import { type Claim } from './claim.ts';
import { isStricter, type JudgedAt } from './judging.ts';

/** What somebody has. */
export interface Having extends Pick<JudgedAt, 'isRevoked'> {
  /** Their codes that are not over, revoked or not. */
  readonly records: readonly RegistryRecord[];
  /** Whether there is more of that than can be read: it may demand less. */
  readonly areUnread: boolean;
  readonly hasDeclared: boolean;
  /** Whether they never declared, and were forgotten in the last days. */
  readonly wasForgotten: boolean;
}

/**
 * Whether a status demands more than the newest code of somebody: better news leave a stricter one to end. What is revoked counts
 * where nothing newer is there: whoever revokes a code first turns its holder no less, and what rules gave is given again, as for another device. Not so
 * to who declared, and gets another by an update.
 */
export function isTurned(status: Status, having: Having): boolean {
  const { records, isRevoked, areUnread, hasDeclared } = having;
  if (areUnread) return true;
  const newest = newestOf(records.filter((record) => !isRevoked(record)));
  const last = hasDeclared ? newest : newestOf(records);
  if (last === undefined || [newest, last].some((one) => one && isStricter(status, one.fields.status)))
    return true;
  return newest === undefined && last.fields.status.ruleId === MANUAL_RULE_ID;
}

/** Whether the region knows anything of somebody. */
export function isKnown({ records, areUnread, hasDeclared, wasForgotten }: Having): boolean {
  return hasDeclared || areUnread || wasForgotten || records.length > 0;
}

export interface WithForgottenModules {
  readonly areNamed: boolean;
  /** As `ForgottenMarks.lately`. */
  readonly lately: (subjects: readonly string[]) => Promise<ReadonlySet<string>>;
}

/**
 * Adds who was forgotten, where operators are named: whoever forgets somebody first, and issues to them again, turns them no less. It asks nothing of who
 * gets green, or declared. Rejects as the tables.
 */
export async function withForgotten(
  claims: readonly Pick<Claim, 'subject' | 'status'>[],
  having: readonly Having[],
  { areNamed, lately }: WithForgottenModules,
): Promise<readonly Having[]> {
  const isAsked = ({ status }: Pick<Claim, 'status'>, i: number) => {
    const { [i]: had } = having;
    return areNamed && status.colour !== 'green' && had?.hasDeclared === false;
  };
  const asked = claims.filter(isAsked).map(({ subject }) => subject);
  if (asked.length === 0) return having;
  const forgotten = await lately(asked);
  return having.map((had, i) => {
    const { [i]: claim } = claims;
    return claim && isAsked(claim, i) && forgotten.has(claim.subject) ? { ...had, wasForgotten: true } : had;
  });
}

function newestOf(records: readonly RegistryRecord[]): RegistryRecord | undefined {
  return [...records].sort((a, b) => b.hour - a.hour || byPlace(b, a))[0];
}
