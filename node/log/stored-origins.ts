/** Which logs a store holds. */
import { keyAfter } from '../store/reader.ts';

const LOG_KEY = /^log\/(.+?)\/(?:head$|staged\/|entries\/|drafts\/|tile\/)/;

/**
 * The origins of all logs of which anything is stored, ascending by their keys: one look for each log, from each on to the key
 * behind its last. `keyFrom` gives the first key that is not below the one it is given.
 */
export async function* storedOrigins(
  keyFrom: (from: string) => Promise<string | undefined>,
): AsyncGenerator<string, void, undefined> {
  for (let from = 'log/'; ;) {
    const key = await keyFrom(from);
    if (key === undefined || !key.startsWith('log/')) return;
    const origin = LOG_KEY.exec(key)?.[1];
    if (origin === undefined) from = keyAfter(key);
    else {
      yield origin;
      from = `log/${origin}0`;
    }
  }
}
