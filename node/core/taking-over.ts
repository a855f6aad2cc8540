/**
 * What a machine does before it signs where witnesses fence the writer: it claims to write, and makes sure that what it signs next
 * continues all that the writer before may have signed. Spec: SPEC.md 19.3.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { logMonth } from '../../protocol/trust/log-month.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { logInUse } from '../issuing/month-logs.ts';
import { logError } from '../log/log-error.ts';
import { type LogTree } from '../log/log-tree.ts';
import { readStagedBatches } from '../log/staged-batch.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { type Pledge } from '../writer/pledges.ts';
import { type Writership } from '../writer/writership.ts';
import { type LogShelf } from './log-shelf.ts';
import { enterLog } from './named-trees.ts';
import {
  dropOutrun,
  dropOutrunApart,
  dropStaged,
  type OutrunApartModules,
  type OutrunModules,
} from './outrun.ts';
import { type OwnLog } from './own-log.ts';

export interface TakingOverModules extends OutrunModules {
  readonly writership: Writership;
  readonly shelf: LogShelf;
}

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

export interface SettleModules extends OutrunModules, Omit<OutrunApartModules, 'tables'> {
  readonly shelf: LogShelf;
  /** Where witnesses fence whoever writes. */
  readonly fence?: { readonly writership: Pick<Writership, 'pledges'> } | undefined;
  /** Where the registry lies apart from the store. */
  readonly tables?: PrivateTables | undefined;
}

/**
 * Once nothing more is taken of the own logs: what is on its way of others has landed, and what a copy or a thief has outrun is given up, before the first own entry.
 * Of a fenced region `takeOver` has done the latter, but for logs whose place another has taken. What concerns codes in a database waits for `enterOwnLog`. Rejects as the store.
 */
export async function settleOwnLogs({ shelf, fence, tables, ...modules }: SettleModules): Promise<void> {
  for (const log of shelf.ownLogs) {
    await log.settled();
    const { origin, tree } = log;
    if (fence !== undefined || tree.trouble !== undefined) continue;
    if (tables === undefined || parseOrigin(origin).kind === 'trust') await dropOutrun(tree, modules, false);
  }
  await dropReplaced({ shelf, fence, tables, ...modules });
}

/**
 * What is staged of attestation logs whose place another has taken, before anything more of them is signed: but for what witnesses permitted by a key in force, which may be
 * signed, and is finished as it was begun. Of codes in a database in `enterOwnLog`. Rejects as the store.
 */
export async function dropReplaced({ shelf, fence, tables, ...modules }: SettleModules): Promise<void> {
  if (tables !== undefined) return;
  for (const log of shelf.ownLogs)
    if (isReplaced(log, shelf.home.state))
      await dropStaged(log.tree, modules, { isApart: false, from: boundTo(log.origin, fence) });
}

/** How many entries of a log the machine that wrote before may have signed, as witnesses tell. */
function boundTo(origin: string, fence: SettleModules['fence']): number {
  return fence?.writership.pledges.find((pledge) => pledge.origin === origin)?.size ?? 0;
}

/** Whether another log has taken the place of this one, and all is here of it that is known to be signed. */
function isReplaced({ origin, tree, lacking }: OwnLog, state: TrustState): boolean {
  const parsed = parseOrigin(origin);
  if (parsed.kind !== 'attest' || tree.trouble !== undefined || lacking !== undefined) return false;
  return logInUse(state, logMonth(parsed.log).fromS) !== parsed.log;
}

/** Once an attestation log is about to be written, with what was outrun of it in a database. Rejects as `enterLog` and `dropOutrunApart`. */
export async function enterOwnLog(
  origin: string,
  { shelf, fence, tables, ...modules }: SettleModules,
): Promise<void> {
  await enterLog(shelf, origin);
  if (tables === undefined) return;
  const tree = await shelf.openTree(origin);
  await dropOutrunApart(tree, { ...modules, tables });
  const own = shelf.ownLogs.find((log) => log.origin === origin);
  if (own !== undefined && isReplaced(own, shelf.home.state))
    await dropStaged(tree, modules, { isApart: true, from: boundTo(origin, fence) });
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
