/**
 * Connections whose client does not take its answers. Each is given up when nothing more was taken for too long; one that is read
 * slowly but steadily is not. What is seen is what the system takes: it takes some MB ahead of the client, and more only when a good
 * part of that is gone, a third on Linux. So the time has to do for that part, not for a piece.
 */
import { type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

export interface AnswerWatchOptions {
  /** Milliseconds in which the system has to take more. */
  readonly stillMsMax: number;
  /** Milliseconds of a clock that never steps; that of the process by default. */
  readonly nowMs?: () => number;
}

interface Waiting {
  answers: number;
  /** Bytes that were handed to the system when somebody last looked, and when that was first so. */
  bytes: number;
  sinceMs: number;
}

/** Looks within that time, and the most milliseconds between two. */
const LOOKS = 8;
const LOOK_MS_MAX = 1_000;

export class AnswerWatch {
  readonly #stillMsMax: number;
  readonly #nowMs: () => number;
  readonly #waiting = new Map<Socket, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #givenUp = 0;

  constructor({ stillMsMax, nowMs = () => performance.now() }: AnswerWatchOptions) {
    this.#stillMsMax = stillMsMax;
    this.#nowMs = nowMs;
  }

  /** The answer is made; what of it was not taken yet is watched from now on. */
  watch(socket: Socket, response: ServerResponse): void {
    if (response.closed || socket.destroyed) return;
    const waiting = this.#waiting.get(socket) ?? {
      answers: 0,
      bytes: socket.bytesWritten,
      sinceMs: this.#nowMs(),
    };
    waiting.answers++;
    this.#waiting.set(socket, waiting);
    response.once('close', () => {
      if (--waiting.answers === 0) this.#waiting.delete(socket);
    });
    this.#timer ??= setInterval(() => this.look(), Math.min(LOOK_MS_MAX, this.#stillMsMax / LOOKS)).unref();
  }

  isWaiting(socket: Socket): boolean {
    return this.#waiting.has(socket);
  }

  /** Gives up those that did not get on; called by a timer while there are any. */
  look(): void {
    const nowMs = this.#nowMs();
    for (const [socket, waiting] of this.#waiting) {
      // The next piece is only handed over once the one before was taken.
      if (socket.bytesWritten !== waiting.bytes) {
        waiting.bytes = socket.bytesWritten;
        waiting.sinceMs = nowMs;
      } else if (nowMs - waiting.sinceMs >= this.#stillMsMax) {
        this.#givenUp++;
        socket.destroy();
      }
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Connections given up since the start. */
  get givenUp(): number {
    return this.#givenUp;
  }
}
