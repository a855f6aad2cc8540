/**
 * Long answers go a piece after the other: of each no more waits to be sent than one piece, and how it gets on can be seen. While they
 * are read, however slowly, they take memory: each body once, whoever takes it, and all together no more than a bound; those that
 * one client reads no more than a part of it.
 */
import { type ServerResponse } from 'node:http';
import { SNAPSHOT_BYTES_MAX } from '../../protocol/limits.ts';
import { Counts, holdersOf, type Parts } from '../held.ts';

/** Bytes handed over at a time. What is not longer goes as one, and is not counted. */
export const PIECE_BYTES = 1 << 16;

/** Bytes of all bodies that are being sent: some snapshots of the largest network, or of a small one those of many minutes. */
export const SENDING_BYTES_MAX = 4 * SNAPSHOT_BYTES_MAX;

export interface LongAnswersOptions {
  readonly bytesMax?: number;
  /** Bytes of all bodies that one client reads; no bound of its own without it. */
  readonly clientBytesMax?: number;
}

export class LongAnswers {
  readonly #parts: Parts;
  /** How many answers of each body each takes. */
  readonly #sending = new Map<Uint8Array, Counts>();
  readonly #bytesOf = new Counts();
  #bytes = 0;

  constructor({ bytesMax = SENDING_BYTES_MAX, clientBytesMax = bytesMax }: LongAnswersOptions = {}) {
    this.#parts = { ofClient: clientBytesMax, ofAll: bytesMax };
  }

  hasRoomFor(body: Uint8Array, client: string): boolean {
    const takers = this.#sending.get(body);
    if (takers === undefined && this.#bytes + body.length > this.#parts.ofAll) return false;
    return holdersOf(client, this.#parts).every(
      ({ name, max }) => (takers?.of(name) ?? 0) > 0 || this.#bytesOf.of(name) + body.length <= max,
    );
  }

  /** Sends the body of an answer whose head is written, and ends it. `body` must not change before. */
  send(response: ServerResponse, body: Uint8Array, client: string): void {
    // Whoever left before the answer was made closed it then, and will not close it again.
    if (response.closed || response.destroyed) return;
    this.#hold(body, client);
    response.once('close', () => this.#let(body, client));
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

  #hold(body: Uint8Array, client: string): void {
    const takers = this.#sending.get(body) ?? new Counts();
    if (takers.size === 0) this.#bytes += body.length;
    this.#sending.set(body, takers);
    for (const { name } of holdersOf(client, this.#parts)) {
      if (takers.of(name) === 0) this.#bytesOf.add(name, body.length);
      takers.add(name, 1);
    }
  }

  #let(body: Uint8Array, client: string): void {
    const takers = this.#sending.get(body);
    if (takers === undefined) return;
    for (const { name } of holdersOf(client, this.#parts)) {
      takers.add(name, -1);
      if (takers.of(name) === 0) this.#bytesOf.add(name, -body.length);
    }
    if (takers.size > 0) return;
    this.#sending.delete(body);
    this.#bytes -= body.length;
  }
}
