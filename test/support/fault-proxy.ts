/** A TCP proxy on loopback that makes a link bad: late, lossy, thin, silent, cut, or wrong by a bit. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect, type Server, type Socket } from 'node:net';

export interface LinkFaults {
  /** Milliseconds of one way, and how many more at most. */
  delayMs: number;
  jitterMs: number;
  /** The share of pieces that come `lossMs` later, as TCP makes of a lost packet. */
  lossRate: number;
  lossMs: number;
  /** Bytes in a second, of each way of each connection. */
  bytesPerS: number;
  /** Nothing is passed on while this holds; it all comes later. */
  isStalled: boolean;
  /** The share of pieces in which one bit is turned. */
  flipRate: number;
}

const GOOD: LinkFaults = {
  delayMs: 0,
  jitterMs: 0,
  lossRate: 0,
  lossMs: 200,
  bytesPerS: Infinity,
  isStalled: false,
  flipRate: 0,
};

/** Bytes that one way of a connection holds before its sender has to wait; connections at the same time. */
const HELD_BYTES_MAX = 1 << 20;
const CONNECTIONS_MAX = 256;
const TICK_MS = 5;

interface Piece {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** One way of a connection. */
class Way {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #proxy: FaultProxy;
  readonly #pieces: Piece[] = [];
  #heldBytes = 0;
  #lastDueMs = 0;
  #isEnded = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, proxy: FaultProxy) {
    this.#from = from;
    this.#to = to;
    this.#proxy = proxy;
    from.on('data', (bytes: Buffer) => this.#hold(bytes));
    from.on('end', () => {
      this.#isEnded = true;
      this.#pass();
    });
    from.on('close', () => clearTimeout(this.#timer));
  }

  #hold(bytes: Buffer): void {
    const { faults, random, isDead } = this.#proxy;
    if (isDead(this.#from)) return;
    const { delayMs, jitterMs, lossRate, lossMs, bytesPerS, flipRate } = faults;
    const lateMs = delayMs + random() * jitterMs + (random() < lossRate ? lossMs : 0);
    // In order, and no faster than the link is wide.
    const earliestMs = this.#lastDueMs + (bytes.length * 1_000) / bytesPerS;
    const dueMs = Math.max(performance.now() + lateMs, earliestMs);
    if (random() < flipRate) {
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      this.#proxy.flips++;
    }
    this.#lastDueMs = dueMs;
    this.#pieces.push({ bytes, dueMs });
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > HELD_BYTES_MAX) this.#from.pause();
    this.#pass();
  }

  #pass(): void {
    clearTimeout(this.#timer);
    for (;;) {
      const [next] = this.#pieces;
      if (next === undefined) break;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0 || this.#proxy.faults.isStalled) {
        this.#timer = setTimeout(() => this.#pass(), Math.max(waitMs, TICK_MS));
        return;
      }
      this.#pieces.shift();
      this.#heldBytes -= next.bytes.length;
      if (this.#to.writable) this.#to.write(next.bytes);
    }
    if (this.#from.isPaused()) this.#from.resume();
    if (this.#isEnded && !this.#proxy.isDead(this.#from)) this.#to.end();
  }
}

/** Call `start` before use and `stop` after; whatever it holds is lost then. */
export class FaultProxy {
  readonly faults: LinkFaults;
  readonly random: () => number;
  flips = 0;
  /** Connections that came through. */
  accepted = 0;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #dead = new WeakSet<Socket>();

  constructor(port: number, faults: Partial<LinkFaults> = {}, random: () => number = Math.random) {
    this.#target = { host: '127.0.0.1', port };
    this.faults = { ...GOOD, ...faults };
    this.random = random;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** The port that it listens at. */
  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.reset();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Cuts all connections by a reset of both sides. */
  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
    this.#pairs.clear();
  }

  /** The listening side of all connections is gone; the dialling side hears nothing of it, and nothing any more. */
  halfOpen(): void {
    for (const [outer, inner] of this.#pairs) {
      this.#dead.add(outer);
      this.#dead.add(inner);
      inner.destroy();
    }
  }

  readonly isDead = (socket: Socket): boolean => this.#dead.has(socket);

  #accept(outer: Socket): void {
    this.accepted++;
    const inner = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const pair = [outer, inner] as const;
    this.#pairs.add(pair);
    new Way(outer, inner, this);
    new Way(inner, outer, this);
    const end = (): void => {
      if (this.#dead.has(outer) && !outer.destroyed) return;
      this.#pairs.delete(pair);
      outer.destroy();
      inner.destroy();
    };
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', end);
    }
  }
}

/** The port of a libp2p address. */
export function portOf(address: string): number {
  const port = /\/tcp\/([0-9]+)/.exec(address)?.[1];
  assert.ok(port, `no port in ${address}`);
  return Number(port);
}
