/** A trust state from the items that a `state` statement commits to. Spec: SPEC.md 8.4. */
import { compareBytes } from '../bytes.ts';
import { CborReader } from '../encoding/cbor.ts';
import { isProtocolError, ProtocolError } from '../fault.ts';
import { isAttestationLogId } from '../log/origin.ts';
import { type CodedBlock, RevocationSet } from '../revocation/revocation-set.ts';
import { applyStatement } from './effect.ts';
import { type HourCount, StateDraft } from './state-draft.ts';
import { ITEM_BLOCK, ITEM_COUNTERS, ITEM_LENGTHS, ITEM_STATEMENT } from './state-items.ts';
import { type TrustModules, verifyStatement } from './verify-statement.ts';
import { isVoided, voidingOf, type Voidings, withVoiding } from './voiding.ts';

/** Where a fold may start besides index 0: before entry `index`, which is a `state` statement. */
export interface FoldBase {
  readonly index: number;
  /** The frontier of the tree of size `index` (SPEC.md 4.2): 32 bytes each, largest subtree first. */
  readonly frontier: readonly Uint8Array[];
  /** The items of the state before entry `index`, pruned at that entry's `at`; strictly ascending bytewise. */
  readonly items: readonly Uint8Array[];
}

interface ReadItems {
  readonly statements: { readonly index: number; readonly bytes: Uint8Array }[];
  readonly blocks: Map<string, CodedBlock[]>;
  counters: (HourCount & { readonly lastAtS: number; readonly reach: number }) | undefined;
}

/**
 * The state that `items` describe. Statements are held against every rule of SPEC.md 8.3 that they can be held against; that no
 * item was left out, the counters and the blocks are proven only by the `state` statement at `base.index`.
 * @throws {ProtocolError} STATE_MISMATCH
 */
export function draftOfItems(
  names: { readonly region: string; readonly network: string },
  base: FoldBase,
  modules: TrustModules,
): StateDraft {
  const draft = new StateDraft(names, modules.sha256);
  try {
    const { statements, blocks, counters } = readItems(base);
    if (counters === undefined) throw mismatch('the counters are missing');
    foldStatements(statements, draft, modules);
    draft.size = base.index;
    draft.hourCount = { hour: counters.hour, count: counters.count };
    draft.lastAtS = counters.lastAtS;
    draft.reach = counters.reach;
    for (const [log, coded] of blocks) draft.setRevoked(log, RevocationSet.fromBlocks(coded));
    return draft;
  } catch (cause) {
    if (!isProtocolError(cause)) throw cause;
    throw new ProtocolError('STATE_MISMATCH', `a state item: ${cause.message}`, {}, { cause });
  }
}

function foldStatements(statements: ReadItems['statements'], draft: StateDraft, modules: TrustModules): void {
  let voidings: Voidings = new Map();
  for (const { index, bytes } of statements) {
    const place = { index, draft, isVoided: () => false, rootAt: undefined };
    const slot = verifyStatement(bytes, place, modules);
    const { kind } = slot.entry.statement;
    if (kind === 'revocation' || kind === 'state') throw mismatch(`a ${kind} statement is no item`);
    const voiding = voidingOf(slot.entry.statement, index, draft);
    if (voiding !== undefined) voidings = withVoiding(voidings, voiding);
    applyStatement(slot, draft, modules.sha256);
  }
  for (const [, { index, entry }] of draft.slots()) {
    if (entry.signatures.some(({ keyId }) => isVoided(voidings, keyId, index))) {
      throw mismatch(`the statement of index ${index} is voided`);
    }
  }
}

function readItems({ index, items }: FoldBase): ReadItems {
  const read: ReadItems = { statements: [], blocks: new Map<string, CodedBlock[]>(), counters: undefined };
  let previous: Uint8Array | undefined;
  for (const item of items) {
    if (previous !== undefined && compareBytes(previous, item) >= 0) throw mismatch('items do not ascend');
    previous = item;
    readItem(item.slice(), index, read);
  }
  return read;
}

/** `base`: the index before which the state is. */
function readItem(item: Uint8Array, base: number, read: ReadItems): void {
  const reader = new CborReader(item);
  const length = reader.array(Math.max(...ITEM_LENGTHS));
  const type = reader.uint(ITEM_BLOCK);
  if (length !== ITEM_LENGTHS[type]) throw mismatch(`type ${type} and length ${length}`);
  if (type === ITEM_STATEMENT) {
    read.statements.push({ index: reader.uint(base - 1), bytes: reader.bytes(0, item.length) });
  } else if (type === ITEM_COUNTERS) {
    const [hour, count, lastAtS, reach] = [reader.uint(), reader.uint(), reader.uint(), reader.uint()];
    read.counters = { hour, count, lastAtS, reach };
  } else {
    const log = reader.text(LOG_ID_BYTES_MAX);
    if (!isAttestationLogId(log)) throw mismatch('expected an attestation log id');
    const block = { number: reader.uint(), bytes: reader.bytes(1, item.length) };
    const ofLog = read.blocks.get(log);
    if (ofLog === undefined) read.blocks.set(log, [block]);
    else ofLog.push(block);
  }
  reader.end();
}

/** Bytes of an attestation log id, `yyyy-mm.k`. */
const LOG_ID_BYTES_MAX = 9;

function mismatch(message: string): ProtocolError {
  return new ProtocolError('STATE_MISMATCH', message);
}
