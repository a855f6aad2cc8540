/** What an owner may ask a store to change, and the form in which the disk gets it. */
import { type Change } from '../ports.ts';
import { STORE_PREFIX } from './bring-up.ts';
import { sealValue } from './sealed.ts';

/** Bytes of one value, seal not counted: tiles and bundles are far below it, and a read holds a page of values. */
export const VALUE_BYTES_MAX = 1 << 20;

/** Keys sort as bytes. Never a person's data: keys stand in errors and logs. */
const KEY_FORM = /^[\x21-\x7e]{1,200}$/;

/** Copies the value. @throws {RangeError} as `requireChange`. */
export function sealChange(change: Change): Change {
  const key = requireChange(change);
  return 'put' in change ? { put: key, value: sealValue(key, change.value) } : { del: key };
}

/** The key of a change. @throws {RangeError} if it is no owner's key or the value is too large. */
export function requireChange(change: Change): string {
  const key = 'put' in change ? change.put : change.del;
  if (!KEY_FORM.test(key) || key.startsWith(STORE_PREFIX)) {
    throw new RangeError(`a key has 1 to 200 printable ASCII characters and not the prefix ${STORE_PREFIX}`);
  }
  const bytes = 'put' in change ? change.value.length : 0;
  if (bytes > VALUE_BYTES_MAX)
    throw new RangeError(`a value has at most ${VALUE_BYTES_MAX} bytes, not ${bytes}`);
  return key;
}

/** Of keys and values. */
export function bytesOf(changes: readonly Change[]): number {
  let bytes = 0;
  for (const change of changes)
    bytes += 'put' in change ? change.put.length + change.value.length : change.del.length;
  return bytes;
}
