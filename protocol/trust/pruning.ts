/** What a trust state no longer needs at a time. Spec: SPEC.md 8.4. */
import { TRUST_KEPT_S } from '../limits.ts';
import { logMonth } from './log-month.ts';
import { type StateDraft } from './state-draft.ts';
import { type StatementOf } from './statement-schema.ts';

/** No code of the log can still be good at `atS`. */
export function isLogOver(log: string, atS: number): boolean {
  return logMonth(log).untilS + TRUST_KEPT_S < atS;
}

/** No code under any of the keys can still be good at `atS`. By the windows that it announces, or a key that was retired could be named anew by it. */
export function areKeysOver({ keys }: StatementOf<'keys'>, atS: number): boolean {
  return keys.every(({ until }) => until + TRUST_KEPT_S < atS);
}

export function isNodeOver({ until }: StatementOf<'node'>, atS: number): boolean {
  return until <= atS;
}

/** No code that it names can still be in force at `atS`. */
export function isForeignRevocationOver({ until }: StatementOf<'foreign-revocation'>, atS: number): boolean {
  return until <= atS;
}

/**
 * Drops from `draft` what is over at `atS`. Keys go last: one stays for as long as something stands on its signature.
 */
export function prune(draft: StateDraft, atS: number): void {
  for (const [name, { entry }] of [...draft.slots()]) {
    const { statement } = entry;
    const isOver =
      ((statement.kind === 'log' || statement.kind === 'tally') && isLogOver(statement.log, atS)) ||
      (statement.kind === 'node' && isNodeOver(statement, atS)) ||
      (statement.kind === 'foreign-revocation' && isForeignRevocationOver(statement, atS)) ||
      (statement.kind === 'suspension' && draft.recognition(statement.region)?.standing !== 'suspended');
    if (isOver) draft.drop(name);
  }
  for (const [log] of [...draft.revocations()]) if (isLogOver(log, atS)) draft.dropRevocations(log);
  pruneKeys(draft, atS);
}

function pruneKeys(draft: StateDraft, atS: number): void {
  const standing = new Set<string>();
  for (const [, { entry }] of draft.slots()) {
    for (const { keyId } of entry.signatures) standing.add(keyId);
  }
  for (const [name, { entry }] of [...draft.slots()]) {
    const { statement } = entry;
    if (statement.kind !== 'keys' || !areKeysOver(statement, atS)) continue;
    if (!draft.keyIdsOf(statement).some((keyId) => standing.has(keyId) || isStolen(draft, keyId)))
      draft.drop(name);
  }
}

/** What a thief signed about the log itself stays his for good: two trees of it, and what he revoked on the one that was left. */
function isStolen(draft: StateDraft, keyId: string): boolean {
  const { role, compromise } = draft.key(keyId) ?? {};
  return compromise !== undefined && (role === 'checkpoint' || role === 'trust-log');
}
