/**
 * Requests that look at how the node is. They have places of their own: neither a crowd nor those who watch take from each other.
 * Where all are taken, whoever has none still gets one, so that nobody keeps out the one who looks after the node.
 */
export const WATCHING = { ofClient: 16, ofAll: 64 } as const;

export class Watching {
  readonly #of = new Map<string, number>();
  #all = 0;

  /** Lets a request in, or not. What is let in is handed back with `over`. */
  take(client: string): boolean {
    const count = this.#of.get(client) ?? 0;
    if (count >= (this.#all < WATCHING.ofAll ? WATCHING.ofClient : 1)) return false;
    this.#of.set(client, count + 1);
    this.#all++;
    return true;
  }

  over(client: string): void {
    const left = (this.#of.get(client) ?? 1) - 1;
    if (left > 0) this.#of.set(client, left);
    else this.#of.delete(client);
    this.#all--;
  }
}
