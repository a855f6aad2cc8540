/** A world in which things happen one at a time, in an order that follows from a seed. */
import { seeded } from './seeded.ts';

export class SeededSteps {
  readonly #random: () => number;
  readonly #waiting: (() => void)[] = [];

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  draw(): number {
    return this.#random();
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.#random() * 256));
  }

  /** Something else may happen here, and much of it. */
  step(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async turn(): Promise<void> {
    const [next] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
    next?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.turn();
  }
}
