/**
 * Answers requests on streams of other nodes: one after the other on a stream, each with frames that begin with a result code.
 * What breaks the framing, or does not get on, loses its stream; other streams and peers do not notice.
 */
import { type Connection, type Stream } from '@libp2p/interface';
import { encode } from 'it-length-prefixed';
import { pipe } from 'it-pipe';
import { isProtocolError } from '../../../protocol/fault.ts';
import { isNodeError } from '../../node-error.ts';
import { PeerPlaces, type ShareOf } from '../../peer-places.ts';
import { type Conduct } from '../conduct.ts';
import { HELLO_PROTOCOL } from '../hello.ts';
import { CHUNK_BYTES_MAX, IN_HAND, REQUEST_MS_MAX, STALL_MS_MAX } from '../network-limits.ts';
import { sizesOf } from '../protocols.ts';
import { encodeFrame, type Refusal } from '../result-code.ts';
import { Deadline } from './deadline.ts';
import { readRequests } from './request-reader.ts';
import { sendPiece } from './stream-bytes.ts';

/** Chunks of at most `CHUNK_BYTES_MAX`. What it throws becomes a refusal. */
export type Answerer = (
  peer: string,
  request: Uint8Array,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array, void> | Promise<Uint8Array>;

export interface ExchangeOptions {
  /** Milliseconds within which a stream must get on; `STALL_MS_MAX` by default. */
  readonly stallMs?: number;
  /** Milliseconds from the first byte of a request until it is whole; `REQUEST_MS_MAX` by default. */
  readonly requestMs?: number;
}

export interface ExchangeServerModules {
  readonly conduct: Conduct;
  /** Resolves once both sides of a connection have said hello; false if that did not come about. */
  readonly greeted: (connection: Connection) => Promise<boolean>;
  readonly shareOf: ShareOf;
}

export interface ServerCounters {
  readonly answered: number;
  readonly refused: number;
  readonly inHand: number;
  readonly inHandMax: number;
}

export class ExchangeServer {
  readonly #stallMs: number;
  readonly #requestMs: number;
  readonly #modules: ExchangeServerModules;
  readonly #places = new PeerPlaces(IN_HAND);
  readonly #counters = { answered: 0, refused: 0, inHandMax: 0 };

  constructor(
    { stallMs = STALL_MS_MAX, requestMs = REQUEST_MS_MAX }: ExchangeOptions,
    modules: ExchangeServerModules,
  ) {
    this.#stallMs = stallMs;
    this.#requestMs = requestMs;
    this.#modules = modules;
  }

  get counters(): ServerCounters {
    return { ...this.#counters, inHand: this.#places.taken };
  }

  /** Serves one stream to its end. Never rejects: an exception that escaped from here would end the process. */
  async serve(stream: Stream, connection: Connection, answerer: Answerer): Promise<void> {
    const peer = connection.remotePeer.toString();
    const { conduct, greeted } = this.#modules;
    const over = new AbortController();
    const giveUp = (what: string): void => {
      if (what !== 'idle') conduct.note(peer, what);
      over.abort();
      stream.abort(new Error(what));
    };
    const writing = new Deadline(giveUp);
    stream.addEventListener('close', () => over.abort(), { once: true });
    try {
      if (stream.protocol !== HELLO_PROTOCOL && !(await greeted(connection))) throw new Error('not greeted');
      const { requestBytesMax } = sizesOf(stream.protocol);
      const times = { requestBytesMax, stallMs: this.#stallMs, requestMs: this.#requestMs };
      await pipe(
        readRequests(stream, times, giveUp),
        (source) => this.#answers(peer, source, answerer, over.signal),
        async (source) => {
          for await (const frame of source) {
            writing.set(this.#stallMs, 'slow-reader');
            await sendPiece(stream, encode.single(frame), over.signal);
            writing.clear();
          }
        },
      );
      await stream.close({ signal: AbortSignal.timeout(this.#stallMs) });
    } catch (error) {
      if (isFramingError(error)) conduct.breach(peer, 'frame');
      stream.abort(error instanceof Error ? error : new Error('failed'));
    } finally {
      over.abort();
      writing.clear();
    }
  }

  async *#answers(
    peer: string,
    requests: AsyncIterable<Uint8Array>,
    answerer: Answerer,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const request of requests) yield* this.#answer(peer, request, answerer, signal);
  }

  async *#answer(
    peer: string,
    request: Uint8Array,
    answerer: Answerer,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (request.length === 0) {
      this.#modules.conduct.breach(peer, 'empty-request');
      throw new Error('an empty request');
    }
    const release = this.#places.take(peer, this.#modules.shareOf(peer));
    this.#counters.inHandMax = Math.max(this.#counters.inHandMax, this.#places.taken);
    if (release === undefined) {
      this.#modules.conduct.note(peer, 'too-many-requests');
      return yield this.#refuse('busy');
    }
    try {
      const answer = answerer(peer, request, signal);
      if (answer instanceof Promise) yield* framesOf(await answer);
      else {
        for await (const chunk of answer) yield encodeFrame('more', chunk);
        yield encodeFrame('end');
      }
      this.#counters.answered++;
    } catch (error) {
      if (signal.aborted) throw error;
      yield this.#refuse(this.#refusalFor(peer, error));
    } finally {
      release();
    }
  }

  #refuse(refusal: Refusal): Uint8Array {
    this.#counters.refused++;
    return encodeFrame(refusal);
  }

  #refusalFor(peer: string, error: unknown): Refusal {
    if (isProtocolError(error)) {
      this.#modules.conduct.breach(peer, `request-${error.fault.code}`);
      return 'malformed';
    }
    if (isNodeError(error, 'NOT_FOUND')) return 'not-there';
    return isNodeError(error) && error.retry ? 'busy' : 'failed';
  }
}

function* framesOf(answer: Uint8Array): Generator<Uint8Array, void, undefined> {
  let at = 0;
  for (; answer.length - at > CHUNK_BYTES_MAX; at += CHUNK_BYTES_MAX) {
    yield encodeFrame('more', answer.subarray(at, at + CHUNK_BYTES_MAX));
  }
  yield encodeFrame('end', answer.subarray(at));
}

/** Faults that it-length-prefixed finds: a length that is none, or too large; a stream that ends within a frame. */
export function isFramingError(error: unknown): boolean {
  const name = error instanceof Error ? error.name : '';
  return ['InvalidMessageLengthError', 'InvalidDataLengthError', 'InvalidDataLengthLengthError'].includes(
    name,
  );
}
