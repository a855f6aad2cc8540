/** Whether two statuses say the same. */
import { isDeepStrictEqual } from 'node:util';
import { type Status } from '../../protocol/code/status.ts';

/** A member that is undefined is none. */
export function isSameStatus(a: Status, b: Status): boolean {
  return isDeepStrictEqual(plain(a), plain(b));
}

function plain(status: Status): object {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
}
