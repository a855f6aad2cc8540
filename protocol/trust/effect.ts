/** What a statement that has authority and comes in order does to the state. Spec: SPEC.md 8.3. */
import { equalBytes } from '../bytes.ts';
import { isProtocolError, ProtocolError } from '../fault.ts';
import { REVOCATION_BLOCKS_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { decodeIndexSet } from '../revocation/index-set-code.ts';
import { RevocationSet } from '../revocation/revocation-set.ts';
import { conflict } from './order.ts';
import { prune } from './pruning.ts';
import { type Signer, type Slot, slotName } from './slot.ts';
import { commitmentTo } from './state-items.ts';
import { type StateDraft } from './state-draft.ts';
import { type StatementOf } from './statement-schema.ts';
import { reachOf, voidingOf } from './voiding.ts';

const HOUR_S = 3600;

/**
 * Lets the statement take effect: on `draft`, or for a `state` statement on a fork of it, pruned. Gives the state to go on with.
 * @throws {ProtocolError} and leaves `draft` as it was: STATEMENT_MALFORMED for a set that is none, STATEMENT_CONFLICT for more
 * revocations than an hour may have, STATE_MISMATCH.
 */
export function applyStatement(slot: Slot, draft: StateDraft, sha256: Sha256): StateDraft {
  const { statement } = slot.entry;
  let next = draft;
  if (statement.kind === 'revocation') revoke(statement, slot, draft);
  else if (statement.kind === 'state') next = prunedAsStated(statement, draft, sha256);
  else {
    draft.reach += reachOf(voidingOf(statement, slot.index, draft));
    draft.fill(slotName(statement, slot.index), slot);
  }
  if (slot.signer === 'trust-log') next.lastAtS = statement.at;
  return next;
}

function revoke({ at, log, set }: StatementOf<'revocation'>, { signer }: Slot, draft: StateDraft): void {
  const before = draft.revoked(log) ?? RevocationSet.empty;
  const after = before.union(RevocationSet.ofAscending(decodeSet(set)));
  if (after.blockCount > before.blockCount) requireRoom(after.blockCount - before.blockCount, signer, draft);
  if (signer === 'trust-log') {
    const hour = Math.floor(at / HOUR_S);
    const sameHour = draft.hourCount.hour === hour ? draft.hourCount.count : 0;
    const count = sameHour + after.count - before.count;
    if (count > draft.revocationsPerHour) {
      throw conflict(`expected at most ${draft.revocationsPerHour} revocations an hour, got ${count}`);
    }
    draft.hourCount = { hour, count };
  }
  draft.setRevoked(log, after);
}

/** Of the blocks that one may fill, the root alone may fill half: a thief who has filled the others keeps no revocation from the root. */
function requireRoom(more: number, signer: Signer, draft: StateDraft): void {
  let blocks = more;
  for (const [, { blockCount }] of draft.revocations()) blocks += blockCount;
  const blocksMax = REVOCATION_BLOCKS_MAX[signer];
  if (blocks > blocksMax) {
    throw conflict(`expected at most ${blocksMax} blocks of revocations by ${signer}, got ${blocks}`);
  }
}

function decodeSet(set: Uint8Array): Float64Array {
  try {
    return decodeIndexSet(set);
  } catch (cause) {
    if (!isProtocolError(cause)) throw cause;
    throw new ProtocolError('STATEMENT_MALFORMED', cause.message, {}, { cause });
  }
}

/** The state pruned at the statement's `at`, if the statement commits to just that. */
function prunedAsStated(
  { at, items, root }: StatementOf<'state'>,
  draft: StateDraft,
  sha256: Sha256,
): StateDraft {
  const pruned = draft.fork();
  prune(pruned, at);
  const commitment = commitmentTo(sha256, pruned);
  if (commitment.items.length !== items || !equalBytes(commitment.root, root)) {
    throw new ProtocolError(
      'STATE_MISMATCH',
      `expected the state of ${commitment.items.length} items folded up to here, got another`,
    );
  }
  return pruned;
}
