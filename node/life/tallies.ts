/** What came of acts on colours, and on what they rest on, counted for the trail. */
import { type ImportReport } from '../lists/lists.ts';
import { type NumbersReport } from '../lookup/numbers.ts';
import { type Tally } from '../operators/acting.ts';
import { Measured } from '../rows/measured.ts';
import { type IntakeReport } from './intake.ts';
import { type UpdateNews, type UpdateOrder } from './updating.ts';

/** How wide an update is, for the trail. */
export function textOfUpdate({ rules, dry }: UpdateOrder): string {
  return (
    [...(dry === undefined ? [] : ['dry run']), ...(rules === undefined ? [] : [rules])].join(' ') || 'all'
  );
}

/** Counts each value. */
export async function* counting<T>(
  values: AsyncIterable<T>,
  tally: Tally,
): AsyncGenerator<T, void, undefined> {
  for await (const value of values) {
    tally.done++;
    yield value;
  }
}

/** Counts people: those whose colour cannot be told now are not done. */
export async function* countingUpdate(
  news: AsyncIterable<UpdateNews>,
  tally: Tally,
): AsyncGenerator<UpdateNews, void, undefined> {
  for await (const one of news) {
    if ('figures' in one) {
      const { open, ambiguous, damaged, unread, ...settled } = one.figures;
      tally.failed = open + ambiguous + damaged + unread;
      tally.done = Object.values(settled).reduce((sum, count) => sum + count, 0);
      tally.figures = one.figures;
    }
    yield one;
  }
}

/** Counts rows of declarations, and whose declarations they came to. */
export async function countingIntake(
  file: AsyncIterable<Uint8Array>,
  tally: Tally,
  take: (file: AsyncIterable<Uint8Array>) => Promise<IntakeReport>,
): Promise<IntakeReport> {
  const measured = new Measured(file);
  const report = await take(measured.parts());
  if (report.outcome === 'refused') tally.failed = report.faults.length;
  else {
    const { added, replaced, unchanged, older } = report;
    tally.figures = { added, replaced, unchanged, older };
    tally.done = added + replaced + unchanged + older;
    tally.digest = measured.sum().digest;
  }
  return report;
}

/** Counts rows of a list, and the people or areas that they are about. */
export async function countingImport(tally: Tally, importing: Promise<ImportReport>): Promise<ImportReport> {
  const report = await importing;
  if (report.outcome === 'refused') tally.failed = report.faults.length;
  else {
    const { rows, entries, digest } = report.list;
    tally.digest = digest;
    if (report.outcome === 'imported') [tally.done, tally.figures] = [rows, { entries }];
  }
  return report;
}

/** Counts numbers, and what became of them. */
export async function countingNumbers(
  tally: Tally,
  importing: Promise<NumbersReport>,
): Promise<NumbersReport> {
  const report = await importing;
  if (report.outcome === 'refused') tally.failed = report.faults.length;
  else {
    const { list, added, changed, removed, stricter, looser } = report;
    tally.digest = list.digest;
    if (report.outcome === 'imported') tally.done = list.rows;
    tally.figures = { added, changed, removed, stricter, looser };
  }
  return report;
}
