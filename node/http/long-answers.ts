/**
 * Long answers go a piece after the other: of each no more waits to be sent than one piece, and how it gets on can be seen. While they
 * are read, however slowly, they take memory: each body once, whoever takes it, and all together no more than a bound.
 */
import { type ServerResponse } from 'node:http';
import { SNAPSHOT_BYTES_MAX } from '../../protocol/limits.ts';

/** Bytes handed over at a time. What is not longer goes as one, and is not counted. */
export const PIECE_BYTES = 1 << 16;

/** Bytes of all bodies that are being sent: some snapshots of the largest network, or of a small one those of many minutes. */
export const SENDING_BYTES_MAX = 4 * SNAPSHOT_BYTES_MAX;

export class LongAnswers {
  readonly #bytesMax: number;
  /** How many take each. */
  readonly #sending = new Map<Uint8Array, number>();
  #bytes = 0;

  constructor({ bytesMax = SENDING_BYTES_MAX }: { readonly bytesMax?: number } = {}) {
    this.#bytesMax = bytesMax;
  }

  hasRoomFor(body: Uint8Array): boolean {
    return this.#sending.has(body) || this.#bytes + body.length <= this.#bytesMax;
  }

  /** Sends the body of an answer whose head is written, and ends it. `body` must not change before. */
  send(response: ServerResponse, body: Uint8Array): void {
    this.#hold(body);
    response.once('close', () => this.#let(body));
    let at = 0;
    const next = (error?: Error | null): void => {
      if (error != null || response.destroyed) return;
      const piece = body.subarray(at, at + PIECE_BYTES);
      at += piece.length;
      if (at >= body.length) response.end(piece);
      else response.write(piece, next);
    };
    next();
  }

  /** Bytes of all bodies that are being sent. */
  get bytes(): number {
    return this.#bytes;
  }

  #hold(body: Uint8Array): void {
    const count = this.#sending.get(body) ?? 0;
    if (count === 0) this.#bytes += body.length;
    this.#sending.set(body, count + 1);
  }

  #let(body: Uint8Array): void {
    const left = (this.#sending.get(body) ?? 1) - 1;
    if (left > 0) this.#sending.set(body, left);
    else if (this.#sending.delete(body)) this.#bytes -= body.length;
  }
}
