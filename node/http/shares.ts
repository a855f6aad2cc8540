/**
 * What one client may have under way of the requests that all share, from their head until their answer is taken. So few clients who
 * send or read slowly cannot take all places.
 */
export class Shares {
  readonly #max: number;
  readonly #of = new Map<string, number>();
  #refused = 0;

  /** `max`: requests of one client. */
  constructor({ max }: { readonly max: number }) {
    this.#max = max;
  }

  /** Lets a request in, or not. What is let in is handed back with `over`. */
  take(client: string): boolean {
    const count = this.#of.get(client) ?? 0;
    if (count >= this.#max) {
      this.#refused++;
      return false;
    }
    this.#of.set(client, count + 1);
    return true;
  }

  over(client: string): void {
    const left = (this.#of.get(client) ?? 1) - 1;
    if (left > 0) this.#of.set(client, left);
    else this.#of.delete(client);
  }

  /** Clients of which there are requests. */
  get clients(): number {
    return this.#of.size;
  }

  /** Requests turned away since the start because of their client's share. */
  get refused(): number {
    return this.#refused;
  }
}
