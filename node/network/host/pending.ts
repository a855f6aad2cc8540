/**
 * Connections whose other end has not proven who it is. All together have few places, and each address has few of those: from one
 * address nobody who comes from another is kept out; as many addresses as it takes to fill all places do keep others out.
 */
import { type MultiaddrConnection } from '@libp2p/interface';
import { clientAt } from '../../client-address.ts';

export interface PendingBounds {
  readonly ofAddress: number;
}

export class Pending {
  readonly #bounds: PendingBounds;
  readonly #of = new Map<string, Set<MultiaddrConnection>>();

  constructor(bounds: PendingBounds) {
    this.#bounds = bounds;
  }

  /** Counts a connection that has just come, until `end` or until it closes; false if its address has too many. */
  begin(connection: MultiaddrConnection): boolean {
    const client = clientOf(connection);
    const pending = this.#of.get(client) ?? new Set();
    if (pending.size >= this.#bounds.ofAddress) return false;
    this.#of.set(client, pending.add(connection));
    connection.addEventListener('close', () => this.end(connection), { once: true });
    return true;
  }

  /** Its other end has proven who it is. Safe to call twice. */
  end(connection: MultiaddrConnection): void {
    const client = clientOf(connection);
    const pending = this.#of.get(client);
    pending?.delete(connection);
    if (pending?.size === 0) this.#of.delete(client);
  }

  /** Addresses of which connections are pending. */
  get addresses(): number {
    return this.#of.size;
  }
}

/** Only TCP is listened to, so the address comes first. */
function clientOf({ remoteAddr }: MultiaddrConnection): string {
  return clientAt(remoteAddr.getComponents()[0]?.value ?? '');
}
