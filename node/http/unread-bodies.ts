/**
 * Requests whose body has not come whole, by the address that sends them. Each has a place among those in hand until its time is
 * over, so that few clients who send slowly could take all places: one address may have so many, and no more.
 */
import { type IncomingMessage } from 'node:http';

export class UnreadBodies {
  readonly #max: number;
  /** Requests in hand, by address; those that are read whole are forgotten when the rest are counted. */
  readonly #of = new Map<string, Set<IncomingMessage>>();

  /** `max`: requests of one address. */
  constructor({ max }: { readonly max: number }) {
    this.#max = max;
  }

  /** Lets a request in, or not. What is let in is handed back with `done`. */
  take(request: IncomingMessage): boolean {
    const address = addressOf(request);
    const unread = this.#of.get(address) ?? new Set();
    if (unread.size >= this.#max) {
      for (const one of unread) if (one.complete) unread.delete(one);
      if (unread.size >= this.#max) return false;
    }
    this.#of.set(address, unread.add(request));
    return true;
  }

  /** Safe to call twice. */
  done(request: IncomingMessage): void {
    const address = addressOf(request);
    const unread = this.#of.get(address);
    unread?.delete(request);
    if (unread?.size === 0) this.#of.delete(address);
  }

  /** Addresses of which requests are in hand. */
  get addresses(): number {
    return this.#of.size;
  }
}

/** Of a socket that is closed already the address is gone; it is noted with the first look. */
const addresses = new WeakMap<IncomingMessage, string>();

function addressOf(request: IncomingMessage): string {
  const known = addresses.get(request) ?? request.socket.remoteAddress ?? '';
  addresses.set(request, known);
  return known;
}
