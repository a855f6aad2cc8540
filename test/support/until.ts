/** Waiting for what happens elsewhere, with a deadline. */
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

const POLL_MS = 5;

/** Resolves once `isSo`, and fails the test if that takes longer than `deadlineMs`. */
export async function until(isSo: () => boolean, what: string, deadlineMs = 20_000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!isSo()) {
    assert.ok(performance.now() < endMs, `${what}: not within ${deadlineMs} ms`);
    await setTimeout(POLL_MS);
  }
}
