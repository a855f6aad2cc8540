/**
 * Connections whose other end has not proven who it is. All together have few places, and each address has few of those: whoever
 * connects and is silent keeps out nobody but who shares that address.
 */
import { type MultiaddrConnection } from '@libp2p/interface';
import { clientAt } from '../../client-address.ts';
import { CONNECTIONS_PENDING } from '../network-limits.ts';

export class Pending {
  readonly #of = new Map<string, Set<MultiaddrConnection>>();

  /** Counts a connection that has just come, until `end` or until it closes; false if its address has too many. */
  begin(connection: MultiaddrConnection): boolean {
    const client = clientOf(connection);
    const pending = this.#of.get(client) ?? new Set();
    if (pending.size >= CONNECTIONS_PENDING.ofAddress) return false;
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
