/**
 * What clients hold of something that all share. Each may hold a part of it, and all clients of one IPv6 /48 half of it together:
 * whoever has a /48 has 65,536 clients.
 */
import { siteOf } from './client-address.ts';

export interface Parts {
  /** Of one client. */
  readonly ofClient: number;
  /** All there is. */
  readonly ofAll: number;
}

export interface Holder {
  readonly name: string;
  readonly max: number;
}

/** In whose name a client holds something: its own, and that of the /48 that it is in. */
export function holdersOf(client: string, { ofClient, ofAll }: Parts): readonly Holder[] {
  const own = { name: client, max: ofClient };
  const site = siteOf(client);
  return site === undefined ? [own] : [own, { name: site, max: Math.max(ofClient, Math.ceil(ofAll / 2)) }];
}

/** How much is held, by name; nothing is kept of who holds nothing. */
export class Counts {
  readonly #of = new Map<string, number>();

  of(name: string): number {
    return this.#of.get(name) ?? 0;
  }

  add(name: string, amount: number): void {
    const count = this.of(name) + amount;
    if (count > 0) this.#of.set(name, count);
    else this.#of.delete(name);
  }

  /** Names that hold something. */
  get size(): number {
    return this.#of.size;
  }
}
