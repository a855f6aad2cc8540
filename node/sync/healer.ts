/**
 * Making good what is damaged in a log: entries from any peer, held against the hashes of the tree; tiles from what lies below
 * them. What cannot be proven is not written.
 */
import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { encodeEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { HASH_BYTES, leafHash, nodeHash } from '../../protocol/log/merkle.ts';
import { TILE_HASHES, tileWidth } from '../../protocol/log/tile.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { parseHead } from '../log/log-head.ts';
import { LogKeys } from '../log/log-keys.ts';
import { type LogTree } from '../log/log-tree.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { keyAfter } from '../store/reader.ts';
import { type Store } from '../store/store.ts';
import { type SyncClient } from './sync-client.ts';
import { RANGE_BYTES_MAX } from './sync-limits.ts';

export interface HealerModules {
  readonly sha256: Sha256;
  readonly store: Store;
  readonly client: SyncClient;
  readonly logs: () => ReadonlyMap<string, { readonly tree: LogTree }>;
}

const PAGE_SIZE = 256;
/** Of tiles: above 2^53 entries there is none. */
const LEVEL_MAX = 6;
const KEY = /^log\/(.+)\/(?:entries|tile\/([0-9]))\/([0-9]{16})$/;

export class Healer {
  readonly #modules: HealerModules;

  constructor(modules: HealerModules) {
    this.#modules = modules;
  }

  /**
   * Puts the value of a key right, or back where it is gone.
   * @throws {NodeError} NOT_FOUND if it is none of a log that is held, or no peer has what was there; what the store throws.
   */
  async heal(key: string): Promise<void> {
    const [, origin = '', level, digits] = KEY.exec(key) ?? [];
    const tree = this.#modules.logs().get(origin)?.tree;
    if (tree === undefined) throw notHealed(key, 'it is no part of a log');
    const index = Number(digits);
    await tree.inTurn(async () => {
      const size = await this.#sizeOf(tree);
      const value =
        level === undefined
          ? await this.#run(tree, size, key, index)
          : await this.#tile(tree, size, Number(level), index);
      await this.#modules.store.write([{ put: key, value }]);
      await tree.reload();
    });
  }

  /** The key of the first tile that is damaged, also where the log is closed for it; else as `damagedRun`. */
  async damaged(tree: LogTree, from: number): Promise<string> {
    const keys = new LogKeys(tree.origin);
    const tile = await this.#firstDamaged(keys.tile(0, 0), keys.tile(LEVEL_MAX, Number.MAX_SAFE_INTEGER));
    return tile ?? this.damagedRun(tree, from);
  }

  /** The key of the first run of entries of a log that is damaged; where none is, `from` begins one that is gone. */
  async damagedRun({ origin, size }: LogTree, from: number): Promise<string> {
    const keys = new LogKeys(origin);
    return (
      (await this.#firstDamaged(keys.run(from - (from % TILE_HASHES)), keys.run(size))) ?? keys.run(from)
    );
  }

  /** Of the keys from `from` on and before `end`. */
  async #firstDamaged(from: string, end: string): Promise<string | undefined> {
    for (let next = from; ;) {
      const page = await this.#modules.store.inspect(next, PAGE_SIZE);
      const damaged = page.find(({ key, intact }) => key < end && !intact);
      const last = page.at(-1);
      if (damaged !== undefined || last === undefined || last.key >= end) return damaged?.key;
      next = keyAfter(last.key);
    }
  }

  /** By its head, also where the log is closed because a check of it met the very tile that is to be put right. */
  async #sizeOf(tree: LogTree): Promise<number> {
    const { trouble, keys, origin } = tree;
    if (trouble === undefined) return tree.size;
    const head = await this.#modules.store.get(keys.head);
    if (head === undefined) throw trouble;
    return parseHead(head, origin).size;
  }

  /** The run of entries that begins at `from`. */
  async #run(tree: LogTree, size: number, key: string, from: number): Promise<Uint8Array> {
    if (from >= size) throw notHealed(key, 'the log ends before it');
    const to = await this.#endOfRun(size, key, from);
    const hashes = await tree.reader.leafHashes(from, to);
    for (const peer of this.#modules.client.peers()) {
      try {
        return encodeEntryBundle(await this.#entriesFrom(peer, tree.origin, from, hashes));
      } catch (error) {
        const isOfPeer =
          isProtocolError(error) || isNodeError(error, 'NOT_FOUND') || isNodeError(error, 'PEER_UNREACHABLE');
        if (!isOfPeer) throw error;
      }
    }
    throw notHealed(key, 'no peer has what was there');
  }

  async #endOfRun(size: number, key: string, from: number): Promise<number> {
    const [next] = await this.#modules.store.inspect(keyAfter(key), 1);
    const endOfBundle = from + TILE_HASHES - (from % TILE_HASHES);
    const isRun = next?.key.startsWith(key.slice(0, key.lastIndexOf('/') + 1)) ?? false;
    return Math.min(endOfBundle, size, isRun && next !== undefined ? LogKeys.indexOf(next.key) : Infinity);
  }

  /** Entries with these leaf hashes. */
  async #entriesFrom(
    peer: string,
    origin: string,
    from: number,
    hashes: readonly Uint8Array[],
  ): Promise<Uint8Array[]> {
    const { client, sha256 } = this.#modules;
    const entries: Uint8Array[] = [];
    while (entries.length < hashes.length) {
      const next = from + entries.length;
      const answer = await client.ask(peer, { kind: 'range', origin, from: next, bytesMax: RANGE_BYTES_MAX });
      client.blaming(peer, () => {
        if (answer.from === next && answer.entries.length > 0) return;
        throw new ProtocolError('SCHEMA_INVALID', 'expected the entries that were asked for', { next });
      });
      const wanted = answer.entries.slice(0, hashes.length - entries.length);
      const isTrue = (entry: Uint8Array, i: number) => {
        return equalBytes(leafHash(sha256, entry), hashes[entries.length + i] as Uint8Array);
      };
      // Whoever holds another branch of the log gives what it has.
      if (!wanted.every(isTrue))
        throw new ProtocolError('PROOF_INVALID', 'expected the entries of the tree', { next });
      entries.push(...wanted);
    }
    return entries;
  }

  /** A tile from the entries, or from the tiles of the level below. */
  async #tile({ reader }: LogTree, size: number, level: number, index: number): Promise<Uint8Array> {
    const { sha256 } = this.#modules;
    const width = tileWidth(size, level, index);
    const hashes: Uint8Array[] = [];
    if (level === 0) {
      const from = index * TILE_HASHES;
      for await (const entry of reader.entries(from, from + width)) hashes.push(leafHash(sha256, entry));
    } else {
      const below = Array.from({ length: width }, (_, i) => ({
        level: level - 1,
        index: index * TILE_HASHES + i,
        width: TILE_HASHES,
      }));
      for (const tile of await reader.tiles(below)) hashes.push(rootOfTile(sha256, tile));
    }
    return concatBytes(...hashes);
  }
}

/** The root over the 256 hashes of a full tile. */
function rootOfTile(sha256: Sha256, tile: Uint8Array): Uint8Array {
  let level = Array.from({ length: tile.length / HASH_BYTES }, (_, i) => {
    return tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
  });
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, i) => {
      return nodeHash(sha256, level[2 * i] as Uint8Array, level[2 * i + 1] as Uint8Array);
    });
  }
  return level[0] as Uint8Array;
}

function notHealed(key: string, why: string): NodeError {
  return new NodeError('NOT_FOUND', `${key} is damaged, and ${why}`, {
    hint: 'Connect to a peer that holds the log, or restore the store.',
  });
}
