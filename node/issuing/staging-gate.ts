/**
 * Puts the forgetting of a person and the orders for them in one order: while somebody is being forgotten, and by orders from before that, nothing is
 * staged for them and no code is given out. What was staged before is there to be forgotten.
 */
import { type NodeError } from '../node-error.ts';
import { Turns } from '../turns.ts';
import { forgottenSince, type ForgottenMarks, type Ordered } from './forgotten-marks.ts';

export interface StagingGateModules {
  readonly marks: Pick<ForgottenMarks, 'now' | 'refusalOf'>;
}

export class StagingGate {
  readonly #modules: StagingGateModules;
  /** Who is being forgotten. */
  readonly #shut = new Set<string>();
  /** Batches that are being made durable. */
  readonly #staging = new Set<Promise<unknown>>();
  readonly #turns = new Turns();

  constructor(modules: StagingGateModules) {
    this.#modules = modules;
  }

  /** As `ForgottenMarks.now`. */
  now(): Promise<Ordered> {
    return this.#modules.marks.now();
  }

  /** Why nothing is staged for somebody by an order. As `ForgottenMarks.refusalOf`. */
  refusalToStage(subject: string, ordered: Ordered): NodeError | undefined {
    return this.#shut.has(subject) ? forgottenSince() : this.#modules.marks.refusalOf(subject, ordered);
  }

  /** Why somebody is not given what was staged for them by an order, once it is known whether they are forgotten. As `ForgottenMarks.refusalOf`. */
  async refusalToGive(subject: string, ordered: Ordered): Promise<NodeError | undefined> {
    if (this.#shut.has(subject)) await this.#turns.take(subject, () => Promise.resolve());
    return this.#modules.marks.refusalOf(subject, ordered);
  }

  /** Makes a batch durable: to be called in the turn in which `refusalToStage` was asked for all in it. It waits for nobody. Rejects as `write`. */
  async stage<T>(write: () => Promise<T>): Promise<T> {
    const staging = write();
    this.#staging.add(staging);
    try {
      return await staging;
    } finally {
      this.#staging.delete(staging);
    }
  }

  /** Runs what forgets somebody: it finds all that is staged for them, and until it is over nothing more is. Rejects as `forget`. */
  shutFor<T>(subject: string, forget: () => Promise<T>): Promise<T> {
    return this.#turns.take(subject, async () => {
      this.#shut.add(subject);
      try {
        await Promise.allSettled(this.#staging);
        return await forget();
      } finally {
        this.#shut.delete(subject);
      }
    });
  }
}
