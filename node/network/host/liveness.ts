/**
 * Finds connections whose other end is gone without a word: one that is silent is asked for an echo, and closed when none comes in
 * time. One late echo is no reason: the time is long enough for a peer that is busy.
 */
import { type Connection } from '@libp2p/interface';
import { byteStream } from '@libp2p/utils';
import { PING, PING_LOOKS } from '../network-limits.ts';

export interface LivenessOptions {
  /** Milliseconds; see `PING`. */
  readonly everyMs?: number;
  readonly deadlineMs?: number;
}

export interface LivenessModules {
  readonly connections: () => readonly Connection[];
  readonly onDead: (connection: Connection) => void;
  /** Whether something came of a peer within so many milliseconds; of one with several connections nobody knows on which. */
  readonly isHeard: (peer: string, withinMs: number) => boolean;
  /** At each look, of one that is alive; with the time of an echo, if there was one. */
  readonly onAlive: (connection: Connection, rttMs?: number) => void;
}

const PROTOCOL = '/ipfs/ping/1.0.0';
const BYTES = 32;

export class Liveness {
  readonly #options: Required<LivenessOptions>;
  readonly #modules: LivenessModules;
  readonly #asked = new WeakSet<Connection>();
  /** Looks until a connection is asked for an echo in any case. */
  readonly #looksLeft = new WeakMap<Connection, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LivenessOptions, modules: LivenessModules) {
    this.#options = { ...PING, ...options };
    this.#modules = modules;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      for (const connection of this.#modules.connections()) void this.#check(connection);
    }, this.#options.everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A connection is to be asked at the next look: its peer has made another, perhaps since this one is dead. */
  doubt(connection: Connection): void {
    this.#looksLeft.delete(connection);
  }

  async #check(connection: Connection): Promise<void> {
    if (this.#asked.has(connection) || connection.status !== 'open') return;
    const { everyMs, deadlineMs } = this.#options;
    const { isHeard, onAlive } = this.#modules;
    const looksLeft = this.#looksLeft.get(connection) ?? 0;
    this.#looksLeft.set(connection, looksLeft - 1);
    if (looksLeft > 0 && isHeard(connection.remotePeer.toString(), PING_LOOKS.silent * everyMs))
      return onAlive(connection);
    this.#asked.add(connection);
    try {
      const rttMs = await echo(connection, AbortSignal.timeout(deadlineMs));
      this.#looksLeft.set(connection, PING_LOOKS.echo - 1);
      onAlive(connection, rttMs);
    } catch {
      if (connection.status === 'open') this.#modules.onDead(connection);
    } finally {
      this.#asked.delete(connection);
    }
  }
}

async function echo(connection: Connection, signal: AbortSignal): Promise<number> {
  const stream = await connection.newStream(PROTOCOL, { signal });
  try {
    const bytes = byteStream(stream);
    const fromMs = performance.now();
    const question = crypto.getRandomValues(new Uint8Array(BYTES));
    await bytes.write(question, { signal });
    const answer = await bytes.read({ bytes: BYTES, signal });
    if (Buffer.compare(answer.subarray(), question) !== 0) throw new Error('another echo');
    const rttMs = performance.now() - fromMs;
    await stream.close({ signal });
    return rttMs;
  } catch (error) {
    stream.abort(error as Error);
    throw error;
  }
}
