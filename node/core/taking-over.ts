/**
 * What a machine does before it signs where witnesses fence the writer: it claims to write, and makes sure that what it signs next
 * continues all that the writer before may have signed. Spec: SPEC.md 19.3.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type Handover } from '../issuing/handovers.ts';
import { logError } from '../log/log-error.ts';
import { type LogTree } from '../log/log-tree.ts';
import { clearingChanges, readStagedBatches, type StagedBatch } from '../log/staged-batch.ts';
import { isNodeError } from '../node-error.ts';
import { type Change } from '../ports.ts';
import { type Registry } from '../registry/registry.ts';
import { type Store } from '../store/store.ts';
import { type Pledge } from '../writer/pledges.ts';
import { type Writership } from '../writer/writership.ts';
import { type LogShelf } from './log-shelf.ts';

export interface TakingOverModules {
  readonly writership: Writership;
  readonly shelf: LogShelf;
  readonly store: Store;
  readonly registry: () => Registry;
  /** Takes back what is noted of these people's codes, which no log will have: as far as one write can do it, by what is given to `write`. Rejects as that and as the store. */
  readonly takeBack: (codes: Handover, subjects: readonly string[], write?: Write) => Promise<void>;
}

/** Makes changes durable, with all that has to become so in the same write, or none of that. */
export type Write = (changes: readonly Change[]) => Promise<void>;

/** Behind all indexes for which the registry has a place. */
const INDEXES_END = 2 ** 40;
const NOTHING = new Uint8Array(0);

type DropModules = Pick<TakingOverModules, 'store' | 'registry' | 'takeBack'>;

/**
 * Resolves once the way is free for this machine to sign.
 * @throws {NodeError} as `Writership.take`; LOG_BEHIND where the writer before may have signed more than is held here, LOG_CONTRADICTED
 * where it may have signed another tree; what the store rejects with.
 */
export async function takeOver(how: 'resume' | 'promote', modules: TakingOverModules): Promise<void> {
  const { writership, shelf, store } = modules;
  await writership.take(how);
  for (const { tree } of shelf.ownLogs) await dropOutrun(tree, modules, false);
  for (const pledge of writership.pledges) await meet(pledge, shelf.logs.get(pledge.origin)?.tree, modules);
  // What comes after a gap may be what was permitted, until all of that is here.
  for (const { tree, lacking } of shelf.ownLogs) await dropOutrun(tree, modules, lacking === undefined);
  if (store.incomplete) throw logError('LOG_BEHIND', 'the store was salvaged, and is not whole yet');
  // What was signed while nobody fenced it, nobody has permitted.
  await writership.confirm();
}

/**
 * Once nothing more is taken of the own logs: what is on its way of others has landed, and what a copy or a thief has outrun is given up, before the first own entry.
 * Of a fenced region `takeOver` has done the latter. What a database has of codes that were outrun is not taken back here: nothing is issued then (LOG_CONTRADICTED). Rejects as the store.
 */
export async function settleOwnLogs({
  shelf,
  fence,
  tables,
  ...modules
}: DropModules & Pick<TakingOverModules, 'shelf'> & SettleModules): Promise<void> {
  for (const log of shelf.ownLogs) {
    await log.settled();
    const { origin, tree } = log;
    if (fence !== undefined || tree.trouble !== undefined) continue;
    if (tables === undefined || parseOrigin(origin).kind === 'trust') await dropOutrun(tree, modules, false);
  }
}

interface SettleModules {
  readonly fence?: object | undefined;
  /** Where the registry lies apart from the store. */
  readonly tables?: object | undefined;
}

async function meet(
  pledge: Pledge,
  tree: LogTree | undefined,
  { writership, store }: TakingOverModules,
): Promise<void> {
  const { origin, size, root } = pledge;
  if (tree !== undefined && tree.size >= size) {
    if (equalBytes(await tree.reader.rootAt(size), root)) return writership.keep(pledge);
    const message = `${origin}: the writer before had another tree of ${size} entries permitted`;
    throw logError('LOG_CONTRADICTED', message);
  }
  const staged = tree === undefined ? [] : await readStagedBatches(tree.keys, store);
  // They are finished as they were begun, and their permits asked for again: that tells whether they are the ones.
  let next = tree?.size ?? 0;
  for (const { index, drafts } of staged) {
    if (index > next) break;
    next = index + drafts.length;
    if (next === size) return;
  }
  throw logError(
    'LOG_BEHIND',
    `${origin} has ${tree?.size ?? 0} entries here, and the writer before had ${size} permitted`,
  );
}

/**
 * Batches that are logged by now lie here for nothing. Those that another writer has outrun, or, once the log is caught up with, that come after one
 * that is missing here or of which only a part has come, are in no log: no quorum permitted them, since the log went on without, or what was permitted is
 * fetched from elsewhere. What the registry says of them was never true. As far as the log goes it tells of each batch by itself; behind its end, what
 * was staged upon one that was outrun was outrun with it, unless the machine that writes gave it since: that goes on from its own log. Rejects as the store.
 */
export async function dropOutrun(tree: LogTree, modules: DropModules, isCaughtUp: boolean): Promise<void> {
  const { store } = modules;
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
  // Backwards: what breaks off leaves the one on which the others were staged.
  for (const staged of outrun.toReversed())
    await takeBackAt(tree, { index: staged.index, count: staged.drafts.length }, modules, (gone) =>
      store.write([...gone, ...clearingChanges(tree.keys, staged)]),
    );
  if (!isCaughtUp) return;
  await removeFrom(tree, { rows: next, codes: next }, modules, async (rest) => {
    if (rest.length > 0) await store.write(rest);
  });
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
  modules: DropModules,
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
  modules: DropModules,
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

/** Takes back codes that no log will have: what is noted of them, and what the registry says of them. Rejects as `write` and the store. */
async function takeBackAt(
  tree: LogTree,
  place: { readonly index: number; readonly count: number },
  { registry, takeBack }: DropModules,
  write: Write,
): Promise<void> {
  const origin = parseOrigin(tree.origin);
  if (origin.kind !== 'attest') return write([]);
  const codes = { log: origin.log, ...place };
  // While the registry still tells whose they are: what breaks off here is begun again.
  const subjects = await registry().subjectsIn(codes);
  await takeBack(codes, subjects, async (noted) => write([...noted, ...(await registry().removal(codes))]));
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
