/** In which order heads go into an answer, which has room for so many: so that no region's logs keep those of another out. Spec: SPEC.md 14.5.1. */
import { parseOrigin } from '../../protocol/log/origin.ts';

type ByOrigin<T> = readonly [origin: string, one: T];

/**
 * First what is of the asker's region, which may have lost it; then what is held; then of the other regions' logs in turn one of each region, the last of each
 * first: whoever signs many logs stands behind himself.
 */
export function headOrder<T>(
  held: Iterable<ByOrigin<T>>,
  others: Iterable<ByOrigin<T>>,
  asker: string | undefined,
): T[] {
  const first: T[] = [];
  const second: T[] = [];
  for (const [origin, one] of held) (parseOrigin(origin).region === asker ? first : second).push(one);
  const ofRegion = new Map<string, T[]>();
  for (const [origin, one] of others) {
    const { region } = parseOrigin(origin);
    const logs = ofRegion.get(region) ?? [];
    ofRegion.set(region, logs);
    logs.push(one);
  }
  if (asker !== undefined) first.push(...(ofRegion.get(asker) ?? []).reverse());
  ofRegion.delete(asker ?? '');
  return [...first, ...second, ...inTurn([...ofRegion.values()])];
}

function inTurn<T>(queues: readonly T[][]): T[] {
  const order: T[] = [];
  for (let waiting = queues; waiting.length > 0; waiting = waiting.filter(({ length }) => length > 0))
    for (const queue of waiting) order.push(...queue.splice(-1));
  return order;
}
