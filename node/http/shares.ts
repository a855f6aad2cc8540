/**
 * What one client may have under way of the requests that all share, from their head until their answer is taken. So few clients who
 * send or read slowly cannot take all places. Of its share, answers that are made and not taken yet hold half at most: where many
 * are behind one address, those who read slowly leave their neighbours the rest.
 */
import { Counts, type Holder, holdersOf, type Parts } from '../held.ts';

export class Shares {
  readonly #parts: Parts;
  readonly #inHand = new Counts();
  readonly #unread = new Counts();
  #refused = 0;

  /** Of requests. */
  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Lets a request in, or not. What is let in is handed on with `answered` and then `over`. `isShort`: its answer is taken at once
   * where there is room for any; what is not, is turned away while half the share waits to be taken.
   */
  take(client: string, isShort: boolean): boolean {
    const holders = this.#holdersOf(client);
    if (!holders.every((holder) => this.#hasRoom(holder, isShort))) {
      this.#refused++;
      return false;
    }
    for (const { name } of holders) this.#inHand.add(name, 1);
    return true;
  }

  /** It is not in hand any more, and its answer not taken yet. */
  answered(client: string): void {
    for (const { name } of this.#holdersOf(client)) {
      this.#inHand.add(name, -1);
      this.#unread.add(name, 1);
    }
  }

  over(client: string): void {
    for (const { name } of this.#holdersOf(client)) this.#unread.add(name, -1);
  }

  /** Requests turned away since the start because of their client's share. */
  get refused(): number {
    return this.#refused;
  }

  /** Nothing is under way. */
  get isIdle(): boolean {
    return this.#inHand.size === 0 && this.#unread.size === 0;
  }

  #hasRoom({ name, max }: Holder, isShort: boolean): boolean {
    const half = Math.ceil(max / 2);
    const unread = this.#unread.of(name);
    if (!isShort && unread >= half) return false;
    return this.#inHand.of(name) + Math.min(unread, half) < max;
  }

  #holdersOf(client: string): readonly Holder[] {
    return holdersOf(client, this.#parts);
  }
}
