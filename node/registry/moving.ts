/**
 * Moves all that is private between the store and PostgreSQL: copied in the order of names, and compared; then it counts there, and is
 * removed here. Its caller has the store alone, so that nothing changes meanwhile. What broke off goes on where it was, if the database
 * is the one that it was begun with.
 */
import { createHash } from 'node:crypto';
import { NodeError } from '../node-error.ts';
import { type Entry, type Random } from '../ports.ts';
import { keyAfter } from '../store/reader.ts';
import { type Store } from '../store/store.ts';
import { type PrivateTables } from './private-tables.ts';
import { CHECK_KEY } from './registry-check.ts';
import { registryNone } from './registry-error.ts';
import {
  dropLeft,
  dropMoving,
  leftBy,
  MARK,
  MOVE,
  type Moving,
  movingOf,
  noteAdopted,
  noteMoved,
  noteMoving,
  PRIVATE_RANGES,
  putText,
  REGISTRY,
  requireRegistry,
  textAt,
  type Whereabouts,
  whereabouts,
  WORK_RANGE,
} from './whereabouts.ts';

export interface MoveOrder {
  readonly to: Whereabouts;
  /** Removes what lies in the other place of this region, which no move has left there. */
  readonly isReplacing: boolean;
}

export interface Places {
  readonly store: Store;
  readonly postgres: PrivateTables;
}

export interface MoveModules extends Places {
  readonly random: Random;
  /** Told how many rows are copied by now, by this run. Must not throw. */
  readonly onCopied?: (rows: number) => void;
}

/** Rows of one write: of pages, at most 6 MiB. */
const ROWS_TOGETHER = 256;
const ID_BYTES = 16;
/** Behind every name: nothing is left to copy. */
const COPIED = '~';

/**
 * Copies, and lets the copy count; `clearLeft` is to follow. Gives how many rows this run has copied; 0 where all lay there already,
 * and then a move elsewhere that broke off is called off.
 * @throws {NodeError} REFUSED where rows of this region lie there that no move has left, or where the copy is not the same;
 * REGISTRY_ELSEWHERE where it counts in another database; and as the two.
 */
export async function moveTables(order: MoveOrder, modules: MoveModules): Promise<number> {
  const { store, postgres, onCopied } = modules;
  const { to } = order;
  const place = await whereabouts(store);
  if (place.at === 'postgres') await requireRegistry(postgres, place.id);
  if (place.at === to) {
    await callOff(to, modules);
    if (to === 'store' && !(await isLeft(modules))) await requireEmpty(postgres);
    return 0;
  }
  const [from, target] = to === 'postgres' ? [store, postgres] : [postgres, store];
  let moving = await begin(order, modules);
  let rows = 0;
  for await (const page of pagesAfter(from, moving.after)) {
    await target.write(page.map(([put, value]) => ({ put, value })));
    moving = { ...moving, after: page.at(-1)?.[0] ?? moving.after };
    await noteMoving(store, moving);
    rows += page.length;
    onCopied?.(rows);
  }
  if ((await digestOf(from)) !== (await digestOf(target))) {
    await noteMoving(store, { ...moving, after: '' });
    throw new NodeError(
      'REFUSED',
      'the copy is not the same: somebody wrote meanwhile, and nothing is moved',
      {
        hint: 'Stop whatever writes there, and run it again: all is copied anew.',
      },
    );
  }
  await noteMoving(store, { ...moving, after: COPIED });
  // Whoever has an older copy of this store cannot go on with this move from here on.
  if (to === 'postgres') await postgres.write([putText(REGISTRY, moving.id), { del: MOVE }]);
  await noteMoved(store, moving);
  return rows;
}

/**
 * Removes what the last move has copied from where it was, in the files of the store too. To be repeated if it is interrupted.
 * @throws {NodeError} REFUSED where this database is not the one that it copied from; and as the two.
 */
export async function clearLeft(places: Places): Promise<void> {
  const { store, postgres } = places;
  if ((await leftBy(store)) === undefined) return;
  if ((await whereabouts(store)).at === 'postgres') await clearTables(store);
  else {
    if (!(await isLeft(places)))
      throw notLeft('this database is not the one that the registry was moved from');
    await clearTables(postgres, [...PRIVATE_RANGES, WORK_RANGE]);
    await postgres.write([{ del: REGISTRY }, { del: MOVE }, { del: MARK }]);
  }
  await dropLeft(store);
}

/**
 * Takes the registry that the database holds for that of this store, in which none lies, and copies nothing: for a directory that was made
 * anew, or is older than the move. Whether anything changed.
 * @throws {NodeError} REGISTRY_ELSEWHERE where the database holds none; REFUSED where rows lie in the store; and as the two.
 */
export async function adoptTables(
  { isReplacing }: Pick<MoveOrder, 'isReplacing'>,
  places: Places,
): Promise<boolean> {
  const { store, postgres } = places;
  const id = await textAt(postgres, REGISTRY);
  if (id === undefined) throw registryNone();
  const place = await whereabouts(store);
  if (place.at === 'postgres' && place.id === id) return false;
  if (place.at === 'store' && !isReplacing) await requireUnused(store);
  await noteAdopted(store, id);
  await clearTables(store);
  return true;
}

/** Nothing but by which key it would be sealed. */
async function requireUnused(store: Store): Promise<void> {
  for await (const page of pagesAfter(store, ''))
    if (page.some(([name]) => name !== CHECK_KEY)) throw notLeft('rows of this region lie in the store');
}

/** Where a move goes on, or begins in a place that is empty by then. */
async function begin({ to, isReplacing }: MoveOrder, modules: MoveModules): Promise<Moving> {
  const { store, postgres, random } = modules;
  const target = to === 'postgres' ? postgres : store;
  const begun = await movingOf(store);
  const isOwn = begun?.to === to && (await isBegunIn(postgres, begun));
  if (isOwn && begun.after !== '') return begun;
  if (!isOwn && !isReplacing && !(await isLeft(modules))) await requireEmpty(target);
  const id = isOwn ? begun.id : Buffer.from(random(ID_BYTES)).toString('hex');
  const moving = { to, id, after: '' };
  await noteMoving(store, moving);
  await postgres.write([putText(MOVE, id), ...(to === 'postgres' ? [{ del: REGISTRY }] : [])]);
  await clearTables(target);
  await dropLeft(store);
  return moving;
}

/** Whether the database is the one of this move, and nobody else has moved there since. */
async function isBegunIn(postgres: PrivateTables, { id, after }: Moving): Promise<boolean> {
  if ((await textAt(postgres, MOVE)) === id) return true;
  return after === COPIED && (await textAt(postgres, REGISTRY)) === id;
}

/** Of a move that broke off: its copy goes, if it is there, and it is never gone on with. */
async function callOff(at: Whereabouts, { store, postgres }: Places): Promise<void> {
  const begun = await movingOf(store);
  if (begun === undefined) return;
  if (begun.to !== at && (await textAt(postgres, MOVE)) === begun.id) {
    await clearTables(begun.to === 'postgres' ? postgres : store);
    await postgres.write([{ del: MOVE }]);
    await dropLeft(store);
  }
  await dropMoving(store);
}

/** Whether what lies in the place that does not count is what the last move has copied from there. */
async function isLeft({ store, postgres }: Places): Promise<boolean> {
  const left = await leftBy(store);
  if (left === undefined) return false;
  return (await whereabouts(store)).at === 'postgres' || (await textAt(postgres, MOVE)) === left;
}

async function clearTables(tables: PrivateTables, ranges = PRIVATE_RANGES): Promise<void> {
  for (const [from, until] of ranges) {
    let removed = 0;
    for (;;) {
      const page = await tables.page(from, until, { limit: ROWS_TOGETHER });
      if (page.length === 0) break;
      await tables.write(page.map(([del]) => ({ del })));
      removed += page.length;
    }
    if (removed > 0) await tables.compact(from, until);
  }
}

/** Rows of all that is private there, for progress. Reads all of them. */
export async function countRows(tables: PrivateTables): Promise<number> {
  let rows = 0;
  for await (const page of pagesAfter(tables, '')) rows += page.length;
  return rows;
}

async function* pagesAfter(tables: PrivateTables, after: string): AsyncGenerator<Entry[], void, undefined> {
  for (const [first, until] of PRIVATE_RANGES) {
    let from = after >= first ? keyAfter(after) : first;
    while (from < until) {
      const page = await tables.page(from, until, { limit: ROWS_TOGETHER });
      const last = page.at(-1)?.[0];
      if (last === undefined) break;
      yield page;
      from = keyAfter(last);
    }
  }
}

/** Of the number of rows, their names and values. Reads all of them. */
async function digestOf(tables: PrivateTables): Promise<string> {
  const hash = createHash('sha256');
  let rows = 0;
  for await (const page of pagesAfter(tables, '')) {
    for (const [name, value] of page) hash.update(`${name} ${value.length} `).update(value);
    rows += page.length;
  }
  return `${rows} ${hash.digest('hex')}`;
}

async function requireEmpty(tables: PrivateTables): Promise<void> {
  if ((await tables.get(REGISTRY)) !== undefined) throw notLeft('a registry of this region counts there');
  for (const [from, until] of PRIVATE_RANGES)
    if ((await tables.page(from, until, { limit: 1 })).length > 0)
      throw notLeft('rows of this region lie there');
}

function notLeft(what: string): NodeError {
  return new NodeError('REFUSED', `${what}, and no move of this store has left them: nothing was removed`, {
    hint: 'See whose they are: a directory that was put back may be older than its database. To move there for all that, add --replace: they are removed, for ever.',
  });
}
