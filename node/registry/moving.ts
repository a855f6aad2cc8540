/**
 * Moves all that is private between the store and PostgreSQL: copied in the order of names; then it counts there, and is removed here. Its
 * caller has the store alone, so that nothing changes meanwhile. What broke off goes on where it was.
 */
import { NodeError } from '../node-error.ts';
import { type Entry } from '../ports.ts';
import { keyAfter } from '../store/reader.ts';
import { type Store } from '../store/store.ts';
import { type PrivateTables } from './private-tables.ts';
import {
  movingOf,
  noteMoved,
  noteMoving,
  PRIVATE_RANGES,
  type Whereabouts,
  whereabouts,
} from './whereabouts.ts';

export interface MoveOrder {
  readonly to: Whereabouts;
  /** Removes what lies in the other place of this region, which no move has left there. */
  readonly isReplacing: boolean;
}

export interface MoveModules {
  readonly store: Store;
  readonly postgres: PrivateTables;
  /** Told how many rows are copied by now, by this run. Must not throw. */
  readonly onCopied?: (rows: number) => void;
}

/** Rows of one write: of pages, at most 6 MiB. */
const ROWS_TOGETHER = 256;

/**
 * Copies, and lets the copy count. Gives how many rows this run has copied; 0 where all lay there already.
 * @throws {NodeError} REFUSED where rows of this region lie there that no move has left; and as the two.
 */
export async function moveTables({ to, isReplacing }: MoveOrder, modules: MoveModules): Promise<number> {
  const { store, postgres, onCopied } = modules;
  if ((await whereabouts(store)) === to) return 0;
  const [from, target] = to === 'postgres' ? [store, postgres] : [postgres, store];
  const begun = await movingOf(store);
  let after = begun?.to === to ? begun.after : '';
  if (after === '') {
    if (begun?.to !== to && !isReplacing) await requireEmpty(target);
    await noteMoving(store, { to, after });
    await clearTables(target);
  }
  let rows = 0;
  for await (const page of pagesAfter(from, after)) {
    await target.write(page.map(([put, value]) => ({ put, value })));
    after = page.at(-1)?.[0] ?? after;
    await noteMoving(store, { to, after });
    rows += page.length;
    onCopied?.(rows);
  }
  await noteMoved(store, to);
  return rows;
}

/** Removes what does not count any more, in the files of the store too. To be repeated if it is interrupted. */
export async function clearTables(tables: PrivateTables): Promise<void> {
  for (const [from, until] of PRIVATE_RANGES) {
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

async function requireEmpty(tables: PrivateTables): Promise<void> {
  for (const [from, until] of PRIVATE_RANGES) {
    if ((await tables.page(from, until, { limit: 1 })).length === 0) continue;
    throw new NodeError('REFUSED', 'rows of this region lie there already, and no move has left them', {
      hint: 'See whose they are. With --replace they are removed, for ever.',
    });
  }
}
