/** Asks other nodes. A few streams to each peer stay open for the next request: opening one costs three round trips. */
import { type Connection, type Stream } from '@libp2p/interface';
import { decode, encode } from 'it-length-prefixed';
import { isProtocolError } from '../../../protocol/fault.ts';
import { isNodeError, NodeError } from '../../node-error.ts';
import { type Conduct } from '../conduct.ts';
import {
  CHUNK_BYTES_MAX,
  IDLE_STREAM_MS,
  REQUESTS_WAITING,
  STALL_MS_MAX,
  STREAMS_KEPT,
} from '../network-limits.ts';
import { parseFrame, RefusalError } from '../result-code.ts';
import { Deadline } from './deadline.ts';
import { type ExchangeOptions, isFramingError } from './exchange-server.ts';
import { type Bytes, readStream, sendPiece } from './stream-bytes.ts';

export interface ExchangeClientModules {
  readonly conduct: Conduct;
  /** A connection on which both have said hello. */
  readonly connectionTo: (peer: string) => Connection | undefined;
}

interface Line {
  readonly stream: Stream;
  readonly frames: AsyncIterator<Bytes>;
  readonly idle: Deadline;
}

/** The streams to one peer for one protocol. */
interface Pool {
  readonly free: Line[];
  readonly waiting: (() => void)[];
  taken: number;
}

export class ExchangeClient {
  readonly #stallMs: number;
  readonly #modules: ExchangeClientModules;
  readonly #pools = new Map<string, Pool>();

  constructor({ stallMs = STALL_MS_MAX }: ExchangeOptions, modules: ExchangeClientModules) {
    this.#stallMs = stallMs;
    this.#modules = modules;
  }

  /**
   * The chunks of an answer, in order. Rejects with `NodeError`: NOT_FOUND and REFUSED if the peer says so, else PEER_UNREACHABLE;
   * and with the signal's reason.
   */
  async *ask(
    peer: string,
    protocol: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const name = `${peer} ${protocol}`;
    const pool = await this.#enter(name, peer, signal);
    let line: Line | undefined;
    try {
      line = pool.free.pop() ?? (await this.#open(this.#connectionTo(peer), protocol, signal));
      line.idle.clear();
      yield* this.#exchange(peer, line, request, signal);
      this.#keep(pool, line);
      line = undefined;
    } catch (error) {
      // After a refusal the stream is good for the next request.
      if (line !== undefined && error instanceof RefusalError) {
        this.#keep(pool, line);
        line = undefined;
      }
      throw this.#reasonFor(peer, error, signal);
    } finally {
      line?.stream.abort(new Error('given up'));
      this.#leave(name, pool);
    }
  }

  /** One request on one connection, greeted or not, on a stream of its own. */
  async askOn(
    connection: Connection,
    protocol: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const peer = connection.remotePeer.toString();
    let line: Line | undefined;
    try {
      line = await this.#open(connection, protocol, signal);
      const chunks: Uint8Array[] = [];
      for await (const chunk of this.#exchange(peer, line, request, signal)) chunks.push(chunk);
      void line.stream.close({ signal: AbortSignal.timeout(this.#stallMs) }).catch(() => undefined);
      line = undefined;
      if (chunks.length !== 1) throw unreachable(peer, 'it answered in pieces');
      return chunks[0] as Uint8Array;
    } catch (error) {
      throw this.#reasonFor(peer, error, signal);
    } finally {
      line?.stream.abort(new Error('given up'));
    }
  }

  /** Gives up the streams that wait for a next request. */
  close(): void {
    for (const { free } of this.#pools.values()) {
      for (const { stream, idle } of free.splice(0)) {
        idle.clear();
        stream.abort(new Error('stopped'));
      }
    }
  }

  async *#exchange(
    peer: string,
    { stream, frames }: Line,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const giveUp = (): void => stream.abort(new Error('given up'));
    const getsOn = new Deadline(giveUp);
    signal.throwIfAborted();
    signal.addEventListener('abort', giveUp);
    try {
      getsOn.set(this.#stallMs, 'slow');
      await sendPiece(stream, encode.single(request), signal);
      for (;;) {
        getsOn.set(this.#stallMs, 'slow');
        const next = await frames.next();
        getsOn.clear();
        if (next.done === true) throw unreachable(peer, 'the stream ended before the answer did');
        const { result, payload } = parseFrame(next.value.slice());
        if (result !== 'end' && result !== 'more') throw new RefusalError(peer, result);
        if (result === 'more' && payload.length === 0) throw unreachable(peer, 'it sends empty chunks');
        if (payload.length > 0) yield payload;
        if (result === 'end') return;
      }
    } finally {
      getsOn.clear();
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #open(connection: Connection, protocol: string, signal: AbortSignal): Promise<Line> {
    const stream = await connection.newStream(protocol, { signal, maxOutboundStreams: STREAMS_KEPT });
    const frames = decode(readStream(stream), { maxDataLength: CHUNK_BYTES_MAX + 1 });
    const idle = new Deadline(() => stream.abort(new Error('idle')));
    return { stream, frames: frames[Symbol.asyncIterator](), idle };
  }

  #connectionTo(peer: string): Connection {
    const connection = this.#modules.connectionTo(peer);
    if (connection === undefined) throw unreachable(peer, 'it is not connected');
    return connection;
  }

  #keep(pool: Pool, line: Line): void {
    if (line.stream.status !== 'open') return;
    const forget = (): void => {
      const at = pool.free.indexOf(line);
      if (at >= 0) pool.free.splice(at, 1);
    };
    line.stream.addEventListener('close', forget, { once: true });
    line.idle.set(IDLE_STREAM_MS / 2, 'idle');
    pool.free.push(line);
  }

  async #enter(name: string, peer: string, signal: AbortSignal): Promise<Pool> {
    const pool = this.#pools.get(name) ?? { free: [], waiting: [], taken: 0 };
    this.#pools.set(name, pool);
    if (pool.taken >= STREAMS_KEPT) {
      if (pool.waiting.length >= REQUESTS_WAITING) throw unreachable(peer, 'too many requests wait for it');
      await this.#turn(pool, signal);
    }
    pool.taken++;
    return pool;
  }

  #turn(pool: Pool, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        pool.waiting.splice(pool.waiting.indexOf(enter), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      pool.waiting.push(enter);
    });
  }

  #leave(name: string, pool: Pool): void {
    pool.taken--;
    pool.waiting.shift()?.();
    if (pool.taken === 0 && pool.free.length === 0 && pool.waiting.length === 0) this.#pools.delete(name);
  }

  #reasonFor(peer: string, error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (isProtocolError(error) || isFramingError(error)) {
      this.#modules.conduct.breach(peer, 'frame');
      return unreachable(peer, 'it breaks the framing', error);
    }
    if (isNodeError(error)) return error;
    return unreachable(peer, 'the stream failed', error);
  }
}

function unreachable(peer: string, what: string, cause?: unknown): NodeError {
  return new NodeError('PEER_UNREACHABLE', `${peer}: ${what}`, { retry: true, cause });
}
