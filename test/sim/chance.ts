/** Chance that follows from a seed and a name: each part of a simulation has its own stream, so that none disturbs another. */
import { createHash } from 'node:crypto';
import { seeded } from '../support/seeded.ts';

export class Chance {
  /** Draws from [0, 1). */
  readonly draw: () => number;

  constructor(seed: number, name: string) {
    this.draw = seeded(createHash('sha256').update(`${seed} ${name}`).digest().readUInt32BE());
  }

  /** True in a share of the draws. */
  hits(share: number): boolean {
    return this.draw() < share;
  }

  /** A whole number of `[from, to)`. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.draw() * (to - from));
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to pick from');
    return from[this.whole(0, from.length)] as T;
  }

  /** `count` different ones, or all where they are fewer. */
  some<T>(from: readonly T[], count: number): T[] {
    const left = [...from];
    const picked: T[] = [];
    while (picked.length < count && left.length > 0) {
      picked.push(...left.splice(this.whole(0, left.length), 1));
    }
    return picked;
  }

  readonly bytes = (length: number): Uint8Array => {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let i = 0; i < length; i += 4) {
      const word = Math.floor(this.draw() * 2 ** 32);
      for (let j = i; j < Math.min(i + 4, length); j++) bytes[j] = (word >>> (8 * (j - i))) & 0xff;
    }
    return bytes;
  };
}
