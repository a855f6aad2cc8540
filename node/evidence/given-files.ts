/** What is given to a peer that asks for evidence. */
import { isNodeError } from '../node-error.ts';
import { type StoreReader } from '../store/reader.ts';
import { EVIDENCE_FILES_MAX, EVIDENCE_GIVEN_BYTES_MAX } from '../sync/sync-limits.ts';

/** The files under these keys, from that one on and around, as many as fit an answer; one that is damaged is left out. Rejects as the store. */
export async function filesThatFit(
  keys: readonly string[],
  from: number,
  store: StoreReader,
): Promise<Uint8Array[]> {
  const files: Uint8Array[] = [];
  let bytes = 0;
  for (const key of [...keys.slice(from), ...keys.slice(0, from)]) {
    const file = await readable(key, store);
    if (file === undefined) continue;
    bytes += file.length;
    if (bytes > EVIDENCE_GIVEN_BYTES_MAX || files.length === EVIDENCE_FILES_MAX) break;
    files.push(file);
  }
  return files;
}

async function readable(key: string, store: StoreReader): Promise<Uint8Array | undefined> {
  try {
    return await store.get(key);
  } catch (error) {
    if (isNodeError(error, 'VALUE_CORRUPT')) return undefined;
    throw error;
  }
}
