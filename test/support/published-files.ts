/** A short log as the files that its region, or who keeps a copy, publishes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { TILE_HASHES, tilePath } from '../../protocol/log/tile.ts';

/** Writes the entries and the note below `logPath`; what lay there of a longer log stays. */
export function publishLog(logPath: string, entries: readonly Uint8Array[], note: Uint8Array): void {
  for (let from = 0; from < entries.length; from += TILE_HASHES) {
    const bundle = entries.slice(from, from + TILE_HASHES);
    const path = join(
      logPath,
      tilePath({ level: 'entries', index: from / TILE_HASHES, width: bundle.length }),
    );
    putFile(path, encodeEntryBundle(bundle));
  }
  putFile(join(logPath, 'checkpoint'), note);
}

/** Writes a file and the folders that lead to it. */
export function putFile(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
