/**
 * The requests on a stream, one after the other, for whoever asks for the next when the one before is answered. The other side may
 * rest between two for long, and within one neither rest nor dawdle.
 */
import { type Stream } from '@libp2p/interface';
import { decode } from 'it-length-prefixed';
import { IDLE_STREAM_MS } from '../network-limits.ts';
import { Deadline } from './deadline.ts';
import { type Bytes, readStream } from './stream-bytes.ts';

export interface RequestTimes {
  readonly requestBytesMax: number;
  /** Milliseconds until the next piece of a request that has begun. */
  readonly stallMs: number;
  /** Milliseconds from the first byte of a request, or the end of the answer before it, until it is whole. */
  readonly requestMs: number;
}

/**
 * Tells `giveUp` whether the stream was `idle`, or the request `stalled-request` or `slow-request`: it is to end the stream. Throws
 * what `readStream` and it-length-prefixed throw.
 */
export async function* readRequests(
  stream: Stream,
  { requestBytesMax, stallMs, requestMs }: RequestTimes,
  giveUp: (what: string) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const next = new Deadline(giveUp);
  const whole = new Deadline(giveUp);
  /** Bytes that have come of requests that are not whole. */
  let begun = 0;
  async function* pieces(): AsyncGenerator<Bytes, void, undefined> {
    for await (const piece of readStream(stream)) {
      next.set(stallMs, 'stalled-request');
      if (begun === 0) whole.set(requestMs, 'slow-request');
      begun += piece.byteLength;
      yield piece;
    }
  }
  const wait = (): void => {
    if (begun === 0) return next.set(IDLE_STREAM_MS, 'idle');
    next.set(stallMs, 'stalled-request');
    whole.set(requestMs, 'slow-request');
  };
  try {
    wait();
    for await (const request of decode(pieces(), { maxDataLength: requestBytesMax })) {
      next.clear();
      whole.clear();
      begun -= lengthBytes(request.byteLength) + request.byteLength;
      yield request.slice();
      wait();
    }
  } finally {
    next.clear();
    whole.clear();
  }
}

/** Bytes of the varint that stands before so many. */
function lengthBytes(length: number): number {
  let bytes = 1;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}
