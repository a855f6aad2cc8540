/** Stores over a faulty medium, and what their tests say again and again. */
import assert from 'node:assert/strict';
import { isNodeError, type NodeErrorCode } from '../../node/node-error.ts';
import { type Change, type Clock } from '../../node/ports.ts';
import { Store, type StoreOptions } from '../../node/store/store.ts';
import { FaultyMedium, type FaultyMediumOptions } from './faulty-disk.ts';
import { seeded } from './seeded.ts';

export const OWNER = 'CN-33.example';

export function medium(options: Partial<FaultyMediumOptions> = {}): FaultyMedium {
  return new FaultyMedium({ random: seeded(1), ...options });
}

/** A clock whose waits are over at once. */
export const hurriedClock: Clock = {
  nowMs: () => 0,
  runMs: () => 0,
  wait: (_ms, signal) => (signal?.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve()),
};

/** A store of its own process over `on`, not started. */
export function storeOn(on: FaultyMedium, options: Partial<StoreOptions> = {}, clock = hurriedClock): Store {
  return new Store({ owner: OWNER, ...options }, { disk: on.disk(), mark: on.mark(), clock });
}

export async function startedStore(on: FaultyMedium, options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = storeOn(on, options);
  await store.start();
  return store;
}

export function put(key: string, text: string): Change {
  return { put: key, value: Uint8Array.from(Buffer.from(text)) };
}

export async function textAt(store: Pick<Store, 'get'>, key: string): Promise<string | undefined> {
  const value = await store.get(key);
  return value === undefined ? undefined : Buffer.from(value).toString();
}

export function throwsWith(call: () => unknown, code: NodeErrorCode, message?: RegExp): void {
  assert.throws(call, (error) => {
    assert.ok(isNodeError(error, code), `expected ${code}, got ${String(error)}`);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

export async function rejectsWith(
  promise: Promise<unknown>,
  code: NodeErrorCode,
  message?: RegExp,
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isNodeError(error, code), `expected ${code}, got ${String(error)}`);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}
