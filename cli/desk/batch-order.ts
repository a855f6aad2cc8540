/** How a batch of codes is ordered from a node, so that it can be ordered again. */
import { createHash } from 'node:crypto';
import { shuffled } from '../../node/issuing/shuffle.ts';
import { type Random } from '../../node/ports.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { type BatchOrder } from './desk.ts';

const KEY_BYTES = 16;

/** An order of now, of which nobody has a code. */
export function newOrder({
  random,
  nowS,
}: {
  readonly random: Random;
  readonly nowS: () => number;
}): BatchOrder {
  return { key: hexOf(random(KEY_BYTES)), atS: nowS(), has: new Set() };
}

/**
 * The lines of an order, undefined for an empty one. Indexes in the log must not follow the order of the file, and a node knows a person of an order by
 * the number of the line: so the key says how they are mixed, and who has a code leaves an empty line.
 */
export function linesOfOrder<T extends { readonly subject: string }>(
  people: readonly T[],
  { key, has }: Pick<BatchOrder, 'key' | 'has'>,
): (T | undefined)[] {
  const mixed = shuffled(people.length, (outputLength) =>
    createHash('shake256', { outputLength }).update(`entente/order/${key}`).digest(),
  );
  return [...mixed].map((i) => {
    const person = people[i];
    return person === undefined || has.has(person.subject) ? undefined : person;
  });
}
