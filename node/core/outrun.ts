/**
 * Batches that are staged here and that no log will have: another machine of the region, a copy of it, or a thief has logged others in their places. What the registry
 * says of their codes was never true.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { parseAttestation } from '../../protocol/code/attestation.ts';
import { commitmentOf } from '../../protocol/code/commitment.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Handover, handoverGone } from '../issuing/handovers.ts';
import { HeldCodes } from '../issuing/held-codes.ts';
import { takenBack } from '../issuing/records-apart.ts';
import { type LogTree } from '../log/log-tree.ts';
import { clearingChanges, readStagedBatches, type StagedBatch } from '../log/staged-batch.ts';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Change } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { type Registry } from '../registry/registry.ts';
import { type Store } from '../store/store.ts';

export interface OutrunModules {
  readonly store: Store;
  readonly registry: () => Registry;
  /** Takes back what is noted of these people's codes, which no log will have: as far as one write can do it, by what is given to `write`. Rejects as that and as the store. */
  readonly takeBack: (codes: Handover, subjects: readonly string[], write?: Write) => Promise<void>;
  /** Told of codes of persons that a log has others in the place of. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Makes changes durable, with all that has to become so in the same write, or none of that. */
export type Write = (changes: readonly Change[]) => Promise<void>;

/** Behind all indexes for which the registry has a place. */
const INDEXES_END = 2 ** 40;
const NOTHING = new Uint8Array(0);

/**
 * Batches that are logged by now lie here for nothing. Those that another writer has outrun, or, once the log is caught up with, that come after one
 * that is missing here or of which only a part has come, are in no log: no quorum permitted them, since the log went on without, or what was permitted is
 * fetched from elsewhere. What the registry says of them was never true. As far as the log goes it tells of each batch by itself; behind its end, what
 * was staged upon one that was outrun was outrun with it, unless the machine that writes gave it since: that goes on from its own log. Rejects as the store.
 */
export async function dropOutrun(tree: LogTree, modules: OutrunModules, isCaughtUp: boolean): Promise<void> {
  const { store } = modules;
  const { outrun, next } = await passedBatches(tree, store, isCaughtUp);
  await giveUp(tree, outrun, modules);
  if (!isCaughtUp) return;
  await removeFrom(tree, { rows: next, codes: next }, modules, async (rest) => {
    if (rest.length > 0) await store.write(rest);
  });
}

/**
 * Gives up what is staged behind the end of a log that nothing is issued into any more: more of it may have been signed elsewhere. Nobody has a code of that from here.
 * `from`: nothing below that. `isApart`: what the registry says of it goes as this process takes over there (`RecordsApart`). Rejects as the store.
 */
export async function dropStaged(
  tree: LogTree,
  modules: OutrunModules,
  { isApart, from = 0 }: { readonly isApart: boolean; readonly from?: number },
): Promise<void> {
  const { store } = modules;
  const end = Math.max(tree.size, from);
  const behind = (await readStagedBatches(tree.keys, store)).filter(({ index }) => index >= end);
  if (!isApart) return giveUp(tree, behind, modules);
  for (const staged of behind.toReversed()) await store.write(droppingChanges(tree, staged));
}

/** Backwards: what breaks off leaves the one on which the others were staged. */
async function giveUp(tree: LogTree, batches: readonly StagedBatch[], modules: OutrunModules): Promise<void> {
  for (const staged of batches.toReversed()) {
    const place = { index: staged.index, count: staged.drafts.length };
    const gone = await takeBackAt(tree, place, modules, (changes) =>
      modules.store.write([...changes, ...droppingChanges(tree, staged)]),
    );
    if (gone !== undefined) modules.onTrouble?.(gone);
  }
}

export interface OutrunApartModules extends OutrunModules {
  readonly sha256: Sha256;
  /** Where the registry lies apart from the store. */
  readonly tables: PrivateTables;
}

/**
 * The same of an attestation log that is about to be written, where the registry lies in a database, which may be what the other machine has written to: of these
 * places it keeps what the log has. What it has behind the end of the log goes when this process takes over there (`RecordsApart`). Rejects as the store, the database
 * and `takeBack`; what is left is done the next time.
 */
export async function dropOutrunApart(tree: LogTree, modules: OutrunApartModules): Promise<void> {
  const { store } = modules;
  const { outrun } = await passedBatches(tree, store, false);
  for (const staged of outrun.toReversed()) {
    await takeBackApart(tree, staged, modules);
    await store.write(droppingChanges(tree, staged));
  }
}

/** The batches that were outrun, and how far those come that were not, once those that are logged are cleared. Rejects as the store. */
async function passedBatches(
  tree: LogTree,
  store: Store,
  isCaughtUp: boolean,
): Promise<{ readonly outrun: readonly StagedBatch[]; readonly next: number }> {
  let next = tree.size;
  let isOutrun = false;
  const outrun: StagedBatch[] = [];
  for (const staged of await readStagedBatches(tree.keys, store)) {
    const { index, drafts } = staged;
    const end = index + drafts.length;
    if (isCaughtUp && index > next) break;
    isOutrun =
      index < tree.size ? !(await isBegunBy(tree, staged)) : isOutrun && !(await isGiven(tree, index, store));
    if (isOutrun) outrun.push(staged);
    else {
      next = Math.max(next, end);
      if (end <= tree.size) await store.write(clearingChanges(tree.keys, staged));
    }
  }
  return { outrun, next };
}

/**
 * Gives up all that is staged of a log from an index on, for what the machine that writes stages there: `write` is told what has to change for it, and makes
 * that durable with what comes in its place, so that there is always one of the two; or nothing, and all stays as it is. What is logged stays, whatever
 * index is named. So does what is staged below, which may have been permitted, until the log tells; what comes is marked then, since it need not lean on that.
 * Rejects as `write` and the store.
 */
export async function giveWay(
  tree: LogTree,
  index: number,
  modules: OutrunModules,
  write: Write,
): Promise<void> {
  const logged: Change[] = [];
  const marks: Change[] = [];
  let from = Math.max(index, tree.size);
  for (const staged of await readStagedBatches(tree.keys, modules.store)) {
    const end = staged.index + staged.drafts.length;
    const isLogged = end <= tree.size && (await isBegunBy(tree, staged));
    if (isLogged) logged.push(...clearingChanges(tree.keys, staged));
    else if (end > index) from = Math.min(from, staged.index);
    else marks[0] = { put: tree.keys.given(index), value: NOTHING };
  }
  const at = { rows: Math.min(index, from), codes: from };
  await removeFrom(tree, at, modules, (gone) => write([...logged, ...gone, ...marks]));
}

/** Gives up all that is kept of batches from indexes on, of those too that never came to their end. Rejects as `write` and the store. */
async function removeFrom(
  tree: LogTree,
  { rows, codes }: { readonly rows: number; readonly codes: number },
  modules: OutrunModules,
  write: Write,
): Promise<void> {
  const { keys } = tree;
  const last = Number.MAX_SAFE_INTEGER;
  const kept: Change[] = [];
  for (const [from, to] of [
    [keys.staged(rows), keys.staged(last)],
    [keys.draftRun(rows), keys.draftRun(last)],
    [keys.given(rows), keys.given(last)],
  ] as const)
    for await (const [key] of modules.store.entries(from, to)) kept.push({ del: key });
  const place = { index: codes, count: INDEXES_END - codes };
  await takeBackAt(tree, place, modules, (gone) => write([...gone, ...kept]));
}

/** Takes back codes that no log will have: what is noted of them, and what the registry says of them. Gives what is to be told of it. Rejects as `write` and the store. */
async function takeBackAt(
  tree: LogTree,
  place: { readonly index: number; readonly count: number },
  { registry, takeBack }: OutrunModules,
  write: Write,
): Promise<NodeError | undefined> {
  const origin = parseOrigin(tree.origin);
  if (origin.kind !== 'attest') return void (await write([]));
  const codes = { log: origin.log, ...place };
  // While the registry still tells whose they are: what breaks off here is begun again.
  const subjects = await registry().subjectsIn(codes);
  await takeBack(codes, subjects, async (noted) => write([...noted, ...(await registry().removal(codes))]));
  return subjects.length === 0 ? undefined : takenBack(codes, subjects.length);
}

async function takeBackApart(
  tree: LogTree,
  { index, drafts }: StagedBatch,
  { sha256, registry, tables, takeBack, onTrouble }: OutrunApartModules,
): Promise<void> {
  const origin = parseOrigin(tree.origin);
  if (origin.kind !== 'attest') return;
  await registry().requireKey();
  const codes = { log: origin.log, index, count: drafts.length };
  const held = new HeldCodes(origin, { registry: registry(), openTree: () => Promise.resolve(tree) });
  for await (const { index: at, openings, attestation } of held.ofLog(codes.log, index)) {
    if (at >= index + codes.count) return;
    if (equalBytes(commitmentOf(sha256, openings), parseAttestation(attestation).commitment)) continue;
    // A batch is logged as a whole, and so the database has the one or the other.
    const subjects = await registry().subjectsIn(codes);
    await takeBack(codes, subjects);
    await tables.write(await registry().removal(codes));
    return onTrouble?.(takenBack(codes, subjects.length));
  }
}

/** A batch that no log will have, and who was to get its codes. */
function droppingChanges({ origin, keys }: LogTree, staged: StagedBatch): Change[] {
  const parsed = parseOrigin(origin);
  const place = parsed.kind === 'attest' ? [{ log: parsed.log, index: staged.index }] : [];
  return [...clearingChanges(keys, staged), ...place.map(handoverGone)];
}

/** Whether a batch is marked as one that the machine that writes gave: a mark that cannot be read is one. Rejects as the store. */
async function isGiven({ keys }: LogTree, index: number, store: Store): Promise<boolean> {
  const mark = await store.get(keys.given(index)).catch((error: unknown) => {
    if (isNodeError(error, 'VALUE_CORRUPT')) return NOTHING;
    throw error;
  });
  return mark !== undefined;
}

/** Whether the entries that the log has in the places of a batch are those of the batch. */
async function isBegunBy(tree: LogTree, { index, drafts }: StagedBatch): Promise<boolean> {
  let at = 0;
  // An attestation ends in its signature, which its draft has not; the statement in a draft is whole.
  const unsigned = parseOrigin(tree.origin).kind === 'attest' ? 64 : 0;
  for await (const entry of tree.reader.entries(index, Math.min(tree.size, index + drafts.length))) {
    const draft = drafts[at++] as Uint8Array;
    const end = draft.length - unsigned;
    if (entry.length !== draft.length || !equalBytes(entry.subarray(0, end), draft.subarray(0, end)))
      return false;
  }
  return true;
}
