/**
 * Calls between two threads, in both directions: bytes go over, chunks come back, as fast as they are taken. Bytes are copied once
 * and then handed over, so that neither side sees what the other does to them later; chunks of streams are handed over as they are.
 */
import { NodeError } from '../../node-error.ts';
import { CALLS_AT_ONCE, CHUNKS_AHEAD } from '../network-limits.ts';
import { fromPlainError, type PlainError, toPlainError } from './plain-error.ts';

/** One end of a pair of ports: a `Worker`, or the `parentPort` within it. */
export interface Port {
  postMessage(value: unknown, transferList?: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (value: unknown) => void): unknown;
}

/** What a call is about: `name` is a protocol or a topic. */
export interface Call {
  readonly kind: 'request' | 'stream' | 'gossip' | 'publish';
  readonly name: string;
  /** Empty where there is none. */
  readonly peer: string;
}

export interface ChannelModules {
  /** Answers the other side's calls. What it throws is thrown there. */
  readonly answer: (call: Call, bytes: Uint8Array, signal: AbortSignal) => AsyncIterable<Uint8Array, void>;
  /** Hears what the other side tells. Must not throw. */
  readonly told: (value: unknown) => void;
}

type Message =
  | { readonly type: 'call'; readonly id: number; readonly call: Call; readonly bytes: Uint8Array }
  | { readonly type: 'chunk'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'taken' | 'abort'; readonly id: number }
  | { readonly type: 'fail'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'told'; readonly value: unknown };

interface OwnCall {
  readonly chunks: Uint8Array[];
  failure: Error | undefined;
  isOver: boolean;
  wake: () => void;
}

interface ForeignCall {
  readonly over: AbortController;
  credit: number;
  wake: () => void;
}

const WHOLE_SHARE = 0.9;

export class Channel {
  readonly #port: Port;
  readonly #modules: ChannelModules;
  readonly #own = new Map<number, OwnCall>();
  readonly #foreign = new Map<number, ForeignCall>();
  #lastId = 0;
  #closed: Error | undefined;

  constructor(port: Port, modules: ChannelModules) {
    this.#port = port;
    this.#modules = modules;
    port.on('message', (message) => this.#receive(message as Message));
  }

  /** Calls of this side that are not over. */
  get calls(): number {
    return this.#own.size;
  }

  /** Rejects with what the other side threw, with the signal's reason, or PEER_UNREACHABLE if the other side is gone or busy. */
  async *call(
    call: Call,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    signal.throwIfAborted();
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#own.size >= CALLS_AT_ONCE) throw unreachable('too many calls to the network are under way');
    const id = ++this.#lastId;
    const own: OwnCall = { chunks: [], failure: undefined, isOver: false, wake: () => undefined };
    this.#own.set(id, own);
    const abort = (): void => own.wake();
    signal.addEventListener('abort', abort, { once: true });
    try {
      this.#send({ type: 'call', id, call, bytes: copyOf(bytes) });
      for (;;) {
        signal.throwIfAborted();
        const chunk = own.chunks.shift();
        if (chunk !== undefined) {
          this.#send({ type: 'taken', id });
          yield chunk;
        } else if (own.failure !== undefined) throw own.failure;
        else if (own.isOver) return;
        else await new Promise<void>((resolve) => (own.wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', abort);
      this.#own.delete(id);
      if (!own.isOver) this.#send({ type: 'abort', id });
    }
  }

  /** Says something plain that needs no answer. */
  tell(value: unknown): void {
    this.#send({ type: 'told', value });
  }

  /** The other side is gone: all calls of this side reject, and those of the other are given up. */
  close(): void {
    this.#closed ??= unreachable('the network is down');
    for (const own of this.#own.values()) {
      own.failure = this.#closed;
      own.isOver = true;
      own.wake();
    }
    for (const { over } of this.#foreign.values()) over.abort(this.#closed);
  }

  #receive(message: Message): void {
    switch (message.type) {
      case 'told':
        return this.#modules.told(message.value);
      case 'call':
        return void this.#answer(message.id, message.call, message.bytes);
      case 'taken':
      case 'abort':
        return this.#receiveForForeign(message);
      case 'chunk':
      case 'end':
      case 'fail':
        return this.#receiveForOwn(message);
    }
  }

  #receiveForForeign({ type, id }: { readonly type: 'taken' | 'abort'; readonly id: number }): void {
    const foreign = this.#foreign.get(id);
    if (foreign === undefined) return;
    if (type === 'taken') foreign.credit++;
    else foreign.over.abort(unreachable('the call was given up'));
    foreign.wake();
  }

  #receiveForOwn(message: Extract<Message, { readonly type: 'chunk' | 'end' | 'fail' }>): void {
    const own = this.#own.get(message.id);
    if (own === undefined) return;
    if (message.type === 'chunk') own.chunks.push(message.bytes);
    else own.isOver = true;
    if (message.type === 'fail') own.failure = fromPlainError(message.error);
    own.wake();
  }

  async #answer(id: number, call: Call, bytes: Uint8Array): Promise<void> {
    const over = new AbortController();
    const foreign: ForeignCall = { over, credit: CHUNKS_AHEAD, wake: () => undefined };
    this.#foreign.set(id, foreign);
    over.signal.addEventListener('abort', () => foreign.wake());
    try {
      for await (const chunk of this.#modules.answer(call, bytes, over.signal)) {
        while (foreign.credit === 0 && !over.signal.aborted) {
          await new Promise<void>((resolve) => (foreign.wake = resolve));
        }
        over.signal.throwIfAborted();
        foreign.credit--;
        const isGivenAway = call.kind === 'stream' && isWhole(chunk);
        this.#send({ type: 'chunk', id, bytes: isGivenAway ? chunk : copyOf(chunk) });
      }
      this.#send({ type: 'end', id });
    } catch (error) {
      if (!over.signal.aborted) this.#send({ type: 'fail', id, error: toPlainError(error) });
    } finally {
      this.#foreign.delete(id);
    }
  }

  #send(message: Message): void {
    if (this.#closed !== undefined) return;
    const bytes = 'bytes' in message ? message.bytes : undefined;
    this.#port.postMessage(message, bytes === undefined ? [] : [bytes.buffer as ArrayBuffer]);
  }
}

/** Of a memory of its own: a `Buffer` may be a part of one that others use, and its `slice` is no copy. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Whether the memory holds little else, as the front of a frame; what shares the pool of `Buffer` has less than half of it. */
function isWhole({ buffer, byteLength }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && byteLength >= WHOLE_SHARE * buffer.byteLength;
}

/** The only chunk of an answer that has one. */
export async function onlyChunk(chunks: AsyncIterable<Uint8Array, void>): Promise<Uint8Array> {
  let only: Uint8Array | undefined;
  for await (const chunk of chunks) only ??= chunk;
  if (only === undefined) throw unreachable('an answer without bytes');
  return only;
}

function unreachable(what: string): NodeError {
  return new NodeError('PEER_UNREACHABLE', what, { retry: true });
}
