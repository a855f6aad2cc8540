/**
 * Values that tell when they are not what was written: LevelDB hands out flipped bits as they are. A stored value is
 * the payload and 16 bytes of SHA-256(key || NUL || payload), so that a value found under another key is refused too.
 * This finds faults, not forgers: who can write to the disk can also seal.
 */
import * as crypto from 'node:crypto';
import { storeError } from './store-error.ts';

export const SEAL_BYTES = 16;

/** The stored form of a payload: a copy, so that the caller keeps its buffer. `key` is printable ASCII. */
export function sealValue(key: string, payload: Uint8Array): Uint8Array {
  const start = key.length + 1;
  const end = start + payload.length;
  const bytes = Buffer.allocUnsafe(end + SEAL_BYTES);
  writeInput(bytes, key, payload);
  bytes.write(sealOf(bytes.subarray(0, end)), end, SEAL_BYTES, 'latin1');
  return bytes.subarray(start);
}

/**
 * The payload of a stored value, as a view of it.
 * @throws {NodeError} VALUE_CORRUPT naming the key, if it is not what was written there.
 */
export function openValue(key: string, stored: Uint8Array): Uint8Array {
  if (isIntact(key, stored)) return stored.subarray(0, -SEAL_BYTES);
  throw storeError('VALUE_CORRUPT', `the value of ${printable(key)} is not what was written there`, { key });
}

/** Total: tells whether a stored value is what was written under this key. */
export function isIntact(key: string, stored: Uint8Array): boolean {
  const length = stored.length - SEAL_BYTES;
  if (length < 0) return false;
  const end = key.length + 1 + length;
  const bytes = end <= ROOM.length ? ROOM.subarray(0, end) : Buffer.allocUnsafe(end);
  writeInput(bytes, key, stored.subarray(0, length));
  const seal = sealOf(bytes);
  for (let i = 0; i < SEAL_BYTES; i++) if (stored[length + i] !== seal.charCodeAt(i)) return false;
  return true;
}

/** What is hashed of a value that is read: of most, which are small, always here. */
const ROOM = Buffer.allocUnsafeSlow(16_384);

/** `key || NUL || payload` */
function writeInput(bytes: Buffer, key: string, payload: Uint8Array): void {
  bytes.write(key, 0, 'latin1');
  bytes[key.length] = 0;
  bytes.set(payload, key.length + 1);
}

/** The hash as a character for each byte, the cheapest form that node:crypto gives: 32 of them. */
function sealOf(input: Uint8Array): string {
  return crypto.hash('sha256', input, 'binary');
}

/** A damaged key may hold any character. */
function printable(key: string): string {
  return JSON.stringify(key.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 200));
}
