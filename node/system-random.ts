/** The unpredictable bytes of the machine. */
import * as crypto from 'node:crypto';
import { type Random } from './ports.ts';

const POOL_BYTES = 1 << 16;

/** Draws from the operating system by the page: a call for each draw costs more than most of what is made of it. */
export function systemRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return (length) => {
    if (length > POOL_BYTES) return crypto.randomBytes(length).slice();
    if (used + length > POOL_BYTES) {
      crypto.randomFillSync(pool);
      used = 0;
    }
    const drawn = pool.slice(used, used + length);
    // What was handed out is nobody else's to find in memory.
    pool.fill(0, used, used + length);
    used += length;
    return drawn;
  };
}
