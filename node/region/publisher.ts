/**
 * What a node holds as static files in the layout of C2SP tlog-tiles: tiles and bundles first and synced, then the checkpoint that
 * commits to them. Files are a function of the log, so that a run that broke off is simply done again.
 */
import { dirname, join } from 'node:path';
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { encodeEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { type Checkpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { isAttestationLogId, parseOrigin } from '../../protocol/log/origin.ts';
import { newTiles, TILE_HASHES, type TileResource, tilePath, tileWidth } from '../../protocol/log/tile.ts';
import { ED25519 } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { givenUpLast, goodLineOf } from '../evidence/good-line.ts';
import { logError } from '../log/log-error.ts';
import { isNodeError } from '../node-error.ts';
import { type LogTree } from '../log/log-tree.ts';
import { namedSize } from '../trust/cut-offs.ts';
import {
  namesIn,
  removeLeavings,
  removeTree,
  syncDirectory,
  writeFileAtomically,
  writeFileSynced,
} from './files.ts';
import { attestationLogsPath, copyPath, cosignaturePath, trustLogPath } from './layout.ts';
import { LogFiles } from './log-files.ts';

/** Files that are written at once: as many as libuv has threads, and as much again. */
const FILES_AT_ONCE = 8;

export class Publisher {
  readonly #path: string;
  readonly #modules: Primitives;

  /** `path`: of the public directory; created where it is absent. One process at a time. */
  constructor(path: string, modules: Primitives) {
    this.#path = path;
    this.#modules = modules;
  }

  /**
   * Publishes an own log up to a checkpoint that it has signed. Does nothing where that is published already. `state`: of the log's region.
   * @throws {NodeError} LOG_BEHIND if more is published than the log holds, unless that is left for good: then it is replaced; what the log's reader throws.
   */
  log(tree: LogTree, note: Uint8Array, state: TrustState): Promise<void> {
    return this.#publish(tree, note, state, this.#logPath(tree.origin));
  }

  /**
   * Publishes this region's copy of the trust log of a region, up to a signed checkpoint: what was seen of it stays at hand whatever becomes of the other's
   * own directory. Where more of it lies published than the store holds, and is not left for good, that stays. `state`: what the log says, with a root.
   * @throws {NodeError} what the log's reader throws.
   */
  async copy(tree: LogTree, note: Uint8Array, state: TrustState): Promise<void> {
    const { head, origin } = tree;
    const { fingerprint } = state;
    if (head.minimum > 0 || fingerprint === undefined) return;
    try {
      await this.#publish(tree, note, state, copyPath(this.#path, origin, fingerprint));
    } catch (error) {
      if (!isNodeError(error, 'LOG_BEHIND')) throw error;
    }
  }

  /** The ids of the attestation logs that are published. */
  async attestationLogs(): Promise<readonly string[]> {
    return (await namesIn(attestationLogsPath(this.#path))).filter(isAttestationLogId);
  }

  /** Publishes an attestation log no longer. */
  async withdraw(log: string): Promise<void> {
    await removeTree(join(attestationLogsPath(this.#path), log));
  }

  /** Publishes what this region's witness said of another's log. */
  async cosignature(origin: string, note: Uint8Array): Promise<void> {
    await writeFileAtomically(cosignaturePath(this.#path, origin), note);
  }

  async #publish(tree: LogTree, note: Uint8Array, state: TrustState, path: string): Promise<void> {
    const files = new LogFiles(path);
    const before = await files.checkpoint();
    if (before !== undefined && equalBytes(before, note)) return;
    const { origin } = tree;
    const { size } = parseCheckpoint(parseNote(note).text);
    const checkpoint = before && checkpointOf(before);
    const published = checkpoint?.origin === origin ? checkpoint : undefined;
    if (before !== undefined && published !== undefined && published.size > size) {
      if (!this.#isLeft(before, published, size, state))
        throw logError(
          'LOG_BEHIND',
          `${origin}: ${published.size} entries are published, and the store has ${size}`,
        );
      // What lies there counts for nothing, and would lie behind what is written.
      await removeTree(join(path, 'tile'));
    }
    const from = await sizeFrom(tree, published, size);
    await this.#writeTiles(tree, path, from, size);
    await writeFileAtomically(join(path, 'checkpoint'), note);
    await removeOutgrown(path, from, size);
  }

  /**
   * Whether what is published, of more entries than the store has, is a tree that the region has left: keys alone have signed it that the root gave up, and all that
   * the root has signed of the log by cut-offs is in the store.
   */
  #isLeft(note: Uint8Array, { origin }: Checkpoint, size: number, state: TrustState): boolean {
    if (namedSize(state, origin) > size) return false;
    const keys = givenUpLast([...state.keysWithRole('checkpoint')], state);
    const good = goodLineOf(parseNote(note), { name: origin, algorithm: ED25519, keys }, this.#modules);
    return good?.key.compromise !== undefined;
  }

  async #writeTiles(tree: LogTree, path: string, from: number, size: number): Promise<void> {
    const directories = new Set<string>();
    let writing: Promise<void>[] = [];
    const write = async (resource: TileResource, data: Uint8Array): Promise<void> => {
      const file = join(path, tilePath(resource));
      directories.add(dirname(file));
      const written = writeFileSynced(file, data);
      written.catch(() => undefined); // it is awaited with its batch
      writing.push(written);
      if (writing.length < FILES_AT_ONCE) return;
      const batch = writing;
      writing = [];
      await Promise.all(batch);
    };
    for (const tile of newTiles(from, size)) {
      const [hashes] = await tree.reader.tiles([tile]);
      await write(tile, hashes as Uint8Array);
      if (tile.level === 0) await write({ ...tile, level: 'entries' }, await bundleOf(tree, tile));
    }
    await Promise.all(writing);
    for (const directory of directories) {
      await removeLeavings(directory);
      await syncDirectory(directory);
    }
  }

  #logPath(origin: string): string {
    const parsed = parseOrigin(origin);
    if (parsed.kind === 'attest') return join(attestationLogsPath(this.#path), parsed.log);
    return trustLogPath(this.#path);
  }
}

/** Up to where the published tiles are those of the log: 0 where what is published is no part of it. */
async function sizeFrom(
  { reader }: LogTree,
  published: Checkpoint | undefined,
  size: number,
): Promise<number> {
  if (published === undefined || published.size === 0 || published.size > size) return 0;
  return equalBytes(await reader.rootAt(published.size), published.root) ? published.size : 0;
}

async function bundleOf({ reader }: LogTree, { index, width }: TileResource): Promise<Uint8Array> {
  const entries: Uint8Array[] = [];
  const from = index * TILE_HASHES;
  for await (const entry of reader.entries(from, from + width)) entries.push(entry);
  return encodeEntryBundle(entries);
}

/** Removes the partial tiles of a tree of `oldSize` that one of `newSize` has in full. */
async function removeOutgrown(path: string, oldSize: number, newSize: number): Promise<void> {
  for (let level = 0, count = oldSize; count > 0; level++, count = Math.floor(count / TILE_HASHES)) {
    const index = Math.floor(count / TILE_HASHES);
    if (count % TILE_HASHES === 0 || tileWidth(newSize, level, index) < TILE_HASHES) continue;
    for (const kind of level === 0 ? ([0, 'entries'] as const) : [level]) {
      await removeTree(`${join(path, tilePath({ level: kind, index, width: TILE_HASHES }))}.p`);
    }
  }
}

/** Undefined for what is no checkpoint: a file that was damaged is written anew. */
function checkpointOf(note: Uint8Array): Checkpoint | undefined {
  try {
    return parseCheckpoint(parseNote(note).text);
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
