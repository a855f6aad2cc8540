/** The running hash over everything that happens in a simulation: two runs are the same if and only if it is. */
import { createHash } from 'node:crypto';

export type TraceListener = (line: string) => void;

export class Trace {
  readonly #hash = createHash('sha256');
  readonly #nowMs: () => number;
  readonly #listener: TraceListener | undefined;
  #events = 0;
  #pending = '';

  constructor({ nowMs, listener }: { nowMs: () => number; listener?: TraceListener | undefined }) {
    this.#nowMs = nowMs;
    this.#listener = listener;
  }

  get events(): number {
    return this.#events;
  }

  /** `details` are what makes the event this one; bytes are hashed, not shown. */
  note(event: string, details: string, bytes?: Uint8Array): void {
    this.#events++;
    const line = `${this.#nowMs()} ${event} ${details}\n`;
    this.#listener?.(line);
    this.#pending += line;
    if (bytes !== undefined || this.#pending.length > 16_384) {
      this.#hash.update(this.#pending);
      this.#pending = '';
    }
    if (bytes !== undefined) this.#hash.update(bytes);
  }

  /** Ends the trace. */
  digest(): string {
    return this.#hash.update(this.#pending).digest('hex');
  }
}
