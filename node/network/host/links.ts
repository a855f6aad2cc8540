/** The connections that are open, and which of them have begun with a hello of both sides. */
import { type Connection } from '@libp2p/interface';
import { type Clock } from '../../ports.ts';
import { type Hello } from '../hello.ts';

interface Link {
  readonly connection: Connection;
  readonly hello: Hello;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  rttMs: number | undefined;
}

export class Links {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #open = new Map<string, Set<Connection>>();
  /** By peer, the newest last. */
  readonly #greeted = new Map<string, Link[]>();
  /** When something came from a connected peer that it said of itself, in milliseconds since 1970. */
  readonly #heardMs = new Map<string, number>();

  /** Told when somebody has been greeted or is gone. Must not throw. */
  onChange: () => void = () => undefined;

  constructor({ clock }: { readonly clock: Pick<Clock, 'nowMs'> }) {
    this.#clock = clock;
  }

  opened(connection: Connection): void {
    const peer = connection.remotePeer.toString();
    const open = this.#open.get(peer) ?? new Set();
    this.#open.set(peer, open.add(connection));
  }

  closed(connection: Connection): void {
    const peer = connection.remotePeer.toString();
    const open = this.#open.get(peer);
    open?.delete(connection);
    if (open?.size === 0) {
      this.#open.delete(peer);
      this.#heardMs.delete(peer);
    }
    const left = this.#greeted.get(peer)?.filter((link) => link.connection !== connection) ?? [];
    if (left.length > 0) this.#greeted.set(peer, left);
    else if (this.#greeted.delete(peer)) this.onChange();
  }

  greeted(connection: Connection, hello: Hello): void {
    const peer = connection.remotePeer.toString();
    const links = this.#greeted.get(peer)?.filter((link) => link.connection !== connection) ?? [];
    links.push({ connection, hello, sinceMs: this.#clock.nowMs(), rttMs: undefined });
    this.#greeted.set(peer, links);
    this.onChange();
  }

  echoed(connection: Connection, rttMs: number): void {
    const link = this.#greeted
      .get(connection.remotePeer.toString())
      ?.find((one) => one.connection === connection);
    if (link !== undefined) link.rttMs = rttMs;
  }

  /** A peer has said something of itself. */
  heard(peer: string): void {
    if (this.#open.has(peer)) this.#heardMs.set(peer, this.#clock.nowMs());
  }

  /** Whether a peer has said something of itself within so many milliseconds, on whichever of its connections. */
  isHeard(peer: string, withinMs: number): boolean {
    const agoMs = this.#clock.nowMs() - (this.#heardMs.get(peer) ?? -Infinity);
    return 0 <= agoMs && agoMs < withinMs;
  }

  /** Peers with an open connection, greeted or not. */
  get connected(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** The open connections of a peer but one, greeted or not. */
  besides(connection: Connection): Connection[] {
    return [...(this.#open.get(connection.remotePeer.toString()) ?? [])].filter((one) => one !== connection);
  }

  /** Open connections of a peer, greeted or not. */
  countOf(peer: string): number {
    return this.#open.get(peer)?.size ?? 0;
  }

  /** Ends all connections of a peer at once. */
  abort(peer: string, why: string): void {
    for (const connection of this.#open.get(peer) ?? []) connection.abort(new Error(why));
  }

  /** Whether a peer has said hello on a connection that is open. */
  has(peer: string): boolean {
    return this.#greeted.has(peer);
  }

  /** Peers that have said hello. */
  get peers(): readonly string[] {
    return [...this.#greeted.keys()];
  }

  /** The newest: an older one may be dead without anybody knowing yet. */
  newestOf(peer: string): Link | undefined {
    return this.#greeted.get(peer)?.at(-1);
  }
}
