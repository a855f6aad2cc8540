/**
 * Connections whose other end has not proven who it is. All together have few places, each address has few of those, and all of an
 * IPv6 /48 half of them: from one address nobody who comes from another is kept out; as many addresses as it takes to fill all places
 * do keep others out.
 */
import { type MultiaddrConnection } from '@libp2p/interface';
import { clientAt } from '../../client-address.ts';
import { Counts, holdersOf, type Parts } from '../../held.ts';

export class Pending {
  readonly #parts: Parts;
  readonly #connections = new Set<MultiaddrConnection>();
  readonly #of = new Counts();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Counts a connection that has just come, until `end` or until it closes; false if its address, or its /48, has too many. */
  begin(connection: MultiaddrConnection): boolean {
    const holders = holdersOf(clientOf(connection), this.#parts);
    if (holders.some(({ name, max }) => this.#of.of(name) >= max)) return false;
    for (const { name } of holders) this.#of.add(name, 1);
    this.#connections.add(connection);
    connection.addEventListener('close', () => this.end(connection), { once: true });
    return true;
  }

  /** Its other end has proven who it is. Safe to call twice, and for one that was not let in. */
  end(connection: MultiaddrConnection): void {
    if (!this.#connections.delete(connection)) return;
    for (const { name } of holdersOf(clientOf(connection), this.#parts)) this.#of.add(name, -1);
  }

  /** Connections that are pending. */
  get size(): number {
    return this.#connections.size;
  }
}

/** Only TCP is listened to, so the address comes first. */
function clientOf({ remoteAddr }: MultiaddrConnection): string {
  return clientAt(remoteAddr.getComponents()[0]?.value ?? '');
}
