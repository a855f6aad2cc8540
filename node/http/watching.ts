/**
 * Requests that look at how the node is. They have places of their own: neither a crowd nor those who watch take from each other.
 * Where all are taken, whoever has none still gets one, so that nobody keeps out the one who looks after the node.
 */
import { Counts, holdersOf, type Parts } from '../held.ts';

/** Places of all. */
export const WATCHING_MAX = 64;

export class Watching {
  readonly #parts: Parts;
  readonly #counts = new Counts();
  #all = 0;

  /** `sharePercent`: of all places, for one client. */
  constructor({ sharePercent }: { readonly sharePercent: number }) {
    this.#parts = { ofClient: Math.ceil((WATCHING_MAX * sharePercent) / 100), ofAll: WATCHING_MAX };
  }

  /** Lets a request in, or not. What is let in is handed back with `over`. */
  take(client: string): boolean {
    const holders = holdersOf(client, this.#parts);
    if (this.#all >= WATCHING_MAX && this.#counts.of(client) > 0) return false;
    if (holders.some(({ name, max }) => this.#counts.of(name) >= max)) return false;
    for (const { name } of holders) this.#counts.add(name, 1);
    this.#all++;
    return true;
  }

  over(client: string): void {
    for (const { name } of holdersOf(client, this.#parts)) this.#counts.add(name, -1);
    this.#all--;
  }
}
