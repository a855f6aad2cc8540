/**
 * Those who are turned away are told so, in their order and at a steady pace: however large the crowd, and however soon each of it
 * asks again, refusing takes the same small part of the processor, and what is left goes into verdicts.
 */
import { type ServerResponse } from 'node:http';
import { RETRY_AFTER_S } from './replies.ts';

export interface RefusalsModules {
  /** Milliseconds of a clock that never steps; that of the process by default. */
  readonly nowMs?: () => number;
}

/** Milliseconds until the soonest answer: whoever does not wait by himself is made to. */
const REST_MS = 100;
const TICK_MS = 10;
/** 1,500 a second: refusing takes some six hundredths of what one thread can do. */
const TOLD_PER_TICK_MAX = 15;
/** More would wait longer than anybody does: three seconds. */
export const REFUSALS_WAITING_MAX = (3_000 / TICK_MS) * TOLD_PER_TICK_MAX;

const BODY = JSON.stringify({
  type: 'about:blank',
  title: 'Service Unavailable',
  status: 503,
  code: 'OVERLOADED',
  detail: 'the node has too much to do: ask another, or again later',
  retry: true,
});
const HEADERS = {
  'content-type': 'application/problem+json',
  'content-length': BODY.length,
  'retry-after': String(RETRY_AFTER_S),
  'cache-control': 'no-store',
  'access-control-allow-origin': '*',
};

export class Refusals {
  readonly #nowMs: () => number;
  /** When each may be told, in the order in which they came. */
  readonly #waiting = new Map<ServerResponse, number>();
  #timer: NodeJS.Timeout | undefined;
  #cutOff = 0;

  constructor({ nowMs = () => performance.now() }: RefusalsModules = {}) {
    this.#nowMs = nowMs;
  }

  /** Answers 503 in its turn. Where too many wait already, the connection ends instead. */
  add(response: ServerResponse): void {
    if (this.#waiting.size >= REFUSALS_WAITING_MAX) {
      this.#cutOff++;
      response.destroy();
      return;
    }
    this.#waiting.set(response, this.#nowMs() + REST_MS);
    this.#timer ??= setInterval(() => this.tell(), TICK_MS).unref();
  }

  /** Tells those whose turn it is; called by a timer while anybody waits. */
  tell(): void {
    const nowMs = this.#nowMs();
    let told = 0;
    for (const [response, atMs] of this.#waiting) {
      if (atMs > nowMs || told === TOLD_PER_TICK_MAX) return;
      this.#waiting.delete(response);
      if (response.destroyed) continue;
      response.writeHead(503, HEADERS);
      response.end(BODY);
      told++;
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Connections that ended instead, since the start. */
  get cutOff(): number {
    return this.#cutOff;
  }
}
