/** A clock that never makes anybody wait: time goes on by what is waited for. */
import { type Clock } from '../../node/ports.ts';

export class RunningClock implements Clock {
  nowAtMs: number;

  constructor(nowMs: number) {
    this.nowAtMs = nowMs;
  }

  nowMs(): number {
    return this.nowAtMs;
  }

  runMs(): number {
    return this.nowAtMs;
  }

  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    this.nowAtMs += ms;
  }
}
