/** What came of those acts on colours that take long, counted as it is told. */
import { type Tally } from '../operators/acting.ts';
import { type UpdateNews, type UpdateOrder } from './life.ts';

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
    }
    yield one;
  }
}
