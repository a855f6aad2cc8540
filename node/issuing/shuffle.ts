/** Orders that nobody can foretell. */
import { type Random } from '../ports.ts';

const DRAW_BYTES = 4;

/** The numbers below `count` in random order (Fisher and Yates); every order is as likely as any other within 2^-18. */
export function shuffled(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const drawn = random(DRAW_BYTES * count);
  const view = new DataView(drawn.buffer, drawn.byteOffset);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor((view.getUint32(DRAW_BYTES * last) / 2 ** 32) * (last + 1));
    const moved = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = moved;
  }
  return order;
}
