/** Reading what a store keeps of evidence, so that what is damaged there keeps back nothing behind it. */
import { isNodeError, NodeError } from '../node-error.ts';
import { type Entry } from '../ports.ts';
import { keyAfter } from '../store/reader.ts';
import { type Store } from '../store/store.ts';

export interface KeptFilesModules {
  readonly store: Pick<Store, 'inspect' | 'get'>;
  /** Told of each value that is damaged, which stays where it is. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Keys looked at together. */
const PAGE_SIZE = 16;

/** All whose keys begin so, in the order of these. Rejects as the store does for anything but a damaged value. */
export async function* keptFiles(
  prefix: string,
  { store, onTrouble }: KeptFilesModules,
): AsyncGenerator<Entry, void, undefined> {
  for await (const key of keptKeys(prefix, store)) {
    const file = await store.get(key).catch((cause: unknown) => {
      if (!isNodeError(cause, 'VALUE_CORRUPT')) throw cause;
      onTrouble?.(damaged(key, cause));
      return undefined;
    });
    if (file !== undefined) yield [key, file];
  }
}

/** The keys alone, those of damaged values too. Rejects as the store does. */
export async function* keptKeys(
  prefix: string,
  store: Pick<Store, 'inspect'>,
): AsyncGenerator<string, void, undefined> {
  for (let from = prefix; ;) {
    const page = await store.inspect(from, PAGE_SIZE);
    for (const { key } of page) {
      if (!key.startsWith(prefix)) return;
      yield key;
    }
    const last = page.at(-1);
    if (last === undefined) return;
    from = keyAfter(last.key);
  }
}

function damaged(key: string, cause: NodeError): NodeError {
  const message = `what is kept as ${key} is damaged: it is left where it is, and does not count until a peer gives it again`;
  return new NodeError('VALUE_CORRUPT', message, {
    cause,
    hint: 'Have the disk looked at. Whoever has the proof as a file can tell it again: `entente evidence tell`.',
  });
}
