/** The records of a stretch of a log, with what their colours rest on; past pages that cannot be read where somebody is told of them. */
import { NodeError } from '../node-error.ts';
import { keyAfter } from '../store/reader.ts';
import { openBases } from './bases.ts';
import { type LogSealers } from './log-sealers.ts';
import { basisKey, pageKey } from './page-keys.ts';
import { firstOf, type RegistryRecord } from './pages.ts';
import { type PrivateTables } from './private-tables.ts';
import { hourOfPage, recordOfPage, RECORDS_PER_PAGE, slotsOfPage } from './record-page.ts';
import { isRegistryDamage } from './registry-error.ts';
import { rowsPastDamage, valuesPastDamage } from './rows-past-damage.ts';
import { type Stretch } from './uncounted.ts';

export type RecordWithBasis = RegistryRecord & { readonly basis: Uint8Array | undefined };

/** Leaves of the stretch, in one run, whose records or bases cannot be read, and why; the last page of all may tell of leaves behind its end. */
export interface UnreadLeaves {
  readonly from: number;
  readonly until: number;
  readonly error: NodeError;
}

export interface StretchModules {
  readonly tables: PrivateTables;
  readonly sealers: Pick<LogSealers, 'open'>;
}

/** Pages that are held at once. */
const PAGES_TOGETHER = 32;

/**
 * By index; `onUnread` is told of leaves before any behind them is given. Rejects as the tables, and without `onUnread` with REGISTRY_CORRUPT or VALUE_CORRUPT for
 * what is damaged of these leaves.
 */
export async function* recordsInStretch(
  { log, from, until }: Stretch,
  { tables, sealers }: StretchModules,
  onUnread?: (unread: UnreadLeaves) => void,
): AsyncGenerator<RecordWithBasis, void, undefined> {
  const end = pageKey(log, until);
  // Pages begin where their batches do, so that one which holds `from` begins at most so far before it.
  let at = pageKey(log, Math.max(0, from - RECORDS_PER_PAGE + 1));
  for (;;) {
    const rows = await rowsPastDamage(tables, [at, end], PAGES_TOGETHER);
    const keys = rows.map(([key]) => basisKey(key));
    const bases = await valuesPastDamage(tables, keys);
    for (const [i, [key, sealed]] of rows.entries()) {
      const start = firstOf(key);
      const next = rows[i + 1];
      const size = Math.min(RECORDS_PER_PAGE, next === undefined ? Infinity : firstOf(next[0]) - start);
      const first = Math.max(from, start);
      let records: RecordWithBasis[];
      try {
        records = recordsOf({ log, key, sealed, bases: bases[i] }, sealers);
      } catch (error) {
        if (!isRegistryDamage(error)) throw error;
        const unread = { from: first, until: Math.min(until, start + size), error };
        if (unread.until <= first) continue;
        if (onUnread === undefined) throw error;
        onUnread(unread);
        continue;
      }
      yield* records.filter(({ index }) => index >= first && index < until);
    }
    const last = rows.at(-1)?.[0];
    if (last === undefined || rows.length < PAGES_TOGETHER) return;
    at = keyAfter(last);
  }
}

interface SealedPage {
  readonly log: string;
  readonly key: string;
  readonly sealed: Uint8Array | NodeError;
  readonly bases: Uint8Array | NodeError | undefined;
}

function recordsOf({ log, key, sealed, bases }: SealedPage, sealers: StretchModules['sealers']) {
  if (sealed instanceof NodeError) throw sealed;
  const page = sealers.open(log, key, sealed);
  if (bases instanceof NodeError) throw bases;
  const opened = openBases(sealers, key, bases);
  const records: RecordWithBasis[] = [];
  for (let slot = 0; slot < slotsOfPage(page); slot++) {
    const record = recordOfPage(page, slot);
    if (record === undefined) continue;
    records.push({
      ...record,
      log,
      index: firstOf(key) + slot,
      hour: hourOfPage(page),
      basis: opened[slot],
    });
  }
  return records;
}
