/** Names of evidence that was refused of late, so that who gives it again costs nothing and keeps nothing else away. */
import { type Clock } from '../ports.ts';

interface Refused {
  readonly untilMs: number;
  readonly isStill: () => boolean;
}

/** Names that are remembered, those of the newest, and for how long: as much as 16 regions can have kept against them. */
const NAMES_MAX = 1_024;
const REMEMBERED_MS = 600_000;

export class RefusedNames {
  readonly #clock: Pick<Clock, 'runMs'>;
  /** The oldest first. */
  readonly #refused = new Map<string, Refused>();

  constructor(clock: Pick<Clock, 'runMs'>) {
    this.#clock = clock;
  }

  /** `isStill`: whether what decided is as it was. Without it that is the file itself. */
  add(name: string, isStill: () => boolean = () => true): void {
    this.#refused.delete(name);
    this.#refused.set(name, { untilMs: this.#clock.runMs() + REMEMBERED_MS, isStill });
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > NAMES_MAX && oldest !== undefined) this.#refused.delete(oldest);
  }

  has(name: string): boolean {
    const refused = this.#refused.get(name);
    if (refused === undefined) return false;
    const isStill = this.#clock.runMs() < refused.untilMs && refused.isStill();
    if (!isStill) this.#refused.delete(name);
    return isStill;
  }

  get names(): string[] {
    return [...this.#refused.keys()].filter((name) => this.has(name));
  }
}
