/** The logs in the store of a node: its own ones, and its copies of others'. */
import { concatBytes } from '../../protocol/bytes.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { type Tile, TILE_HASHES } from '../../protocol/log/tile.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type FoldBase } from '../../protocol/trust/boot.ts';
import { parseHead } from '../log/log-head.ts';
import { LogKeys } from '../log/log-keys.ts';
import { LogReader } from '../log/log-reader.ts';
import { storedOrigins } from '../log/stored-origins.ts';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Disk } from '../ports.ts';
import { DiskReader, type StoreReader } from '../store/reader.ts';
import { readBase } from '../trust/stored-base.ts';
import { type AuditSource, type BundleName, type LogSource, type SourcePart } from './audit-source.ts';

/** One log in the store of a node, which may run. */
export class StoreLog implements LogSource {
  readonly origin: string;
  readonly #keys: LogKeys;
  readonly #reader: StoreReader;

  constructor(origin: string, reader: StoreReader) {
    this.origin = origin;
    this.#keys = new LogKeys(origin);
    this.#reader = reader;
  }

  async checkpoint(): Promise<Uint8Array | undefined> {
    return (await this.#head())?.signed?.note;
  }

  async minimum(): Promise<number> {
    return (await this.#head())?.minimum ?? 0;
  }

  /** The runs of each bundle, joined: as far as they follow each other and are what was written. */
  async bundles(parts: readonly BundleName[]): Promise<(SourcePart | undefined)[]> {
    const first = parts[0]?.index ?? 0;
    const joined = parts.map(() => ({ runs: [] as Uint8Array[], held: 0 }));
    const range = [first, first + parts.length].map((index) => this.#keys.run(index * TILE_HASHES));
    try {
      for await (const [key, run] of this.#reader.entries(range[0] ?? '', range[1] ?? '')) {
        const at = LogKeys.indexOf(key) - first * TILE_HASHES;
        const bundle = joined[Math.floor(at / TILE_HASHES)];
        if (bundle?.held !== at % TILE_HASHES) continue;
        bundle.runs.push(run);
        bundle.held += entriesIn(run);
      }
    } catch (error) {
      // Bundles behind the damaged one may be whole: whoever wanted several asks for each.
      if (parts.length > 1 || !isNodeError(error, 'VALUE_CORRUPT')) throw error;
    }
    return joined.map(({ runs, held }) => {
      if (held === 0) return undefined;
      return { bytes: runs.length === 1 && runs[0] ? runs[0] : concatBytes(...runs), width: held };
    });
  }

  async tiles(tiles: readonly Tile[]): Promise<(SourcePart | undefined)[]> {
    const stored = await this.#reader.getMany(tiles.map(({ level, index }) => this.#keys.tile(level, index)));
    return tiles.map(({ width }, i) => {
      const bytes = stored[i];
      if (bytes === undefined) return undefined;
      // A partial tile is replaced as it grows: the tree may be ahead of its newest checkpoint.
      const held = Math.floor(bytes.length / HASH_BYTES);
      return { bytes, width: Math.min(TILE_HASHES, Math.max(width, held)) };
    });
  }

  async #head() {
    const stored = await this.#reader.get(this.#keys.head);
    return stored && parseHead(stored, this.origin);
  }
}

/** How many entries a run claims to have. A run that ends within one has that one too: whoever parses it says so. */
function entriesIn(run: Uint8Array): number {
  const view = new DataView(run.buffer, run.byteOffset, run.byteLength);
  let count = 0;
  for (let offset = 0; offset < run.length; count++) {
    offset += 2 + (offset + 2 <= run.length ? view.getUint16(offset) : 0);
  }
  return count;
}

export class StoreSource implements AuditSource {
  readonly where: string;
  readonly owner: AuditSource['owner'];
  readonly damage: NodeError | undefined;
  readonly #disk: Disk;
  /** Of everything that the store holds. */
  readonly reader: StoreReader;

  /** `disk` is open, and closed with this. */
  constructor({ where, owner, damage }: Pick<AuditSource, 'where' | 'owner' | 'damage'>, disk: Disk) {
    this.where = where;
    this.owner = owner;
    this.damage = damage;
    this.#disk = disk;
    this.reader = new DiskReader(disk);
  }

  /** What is staged and was never logged is no log yet. */
  async origins(): Promise<readonly string[]> {
    const origins: string[] = [];
    // Whatever the value is: a log that begins with a damaged one is a log.
    const keyFrom = async (from: string) => (await this.#disk.range(from, 'log0', { limit: 1 }))[0]?.[0];
    for await (const origin of storedOrigins(keyFrom)) {
      if ((await this.reader.get(new LogKeys(origin).head)) !== undefined) origins.push(origin);
    }
    return origins.sort();
  }

  log(origin: string): LogSource {
    return new StoreLog(origin, this.reader);
  }

  async base(sha256: Sha256): Promise<FoldBase | undefined> {
    const { region, network } = this.owner;
    const origin = trustLogOrigin(region, network);
    if ((await this.log(origin).minimum()) === 0) return undefined;
    const stored = await readBase(origin, this.reader);
    if (stored === undefined) return undefined;
    try {
      const tree = new LogReader(origin, { reader: this.reader, sha256 });
      return { ...stored, frontier: (await tree.frontierAt(stored.index)).hashes() };
    } catch (error) {
      // A tile is gone or damaged: the audit of the log says which.
      if (isNodeError(error, 'LOG_CORRUPT') || isNodeError(error, 'VALUE_CORRUPT')) return undefined;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#disk.close();
  }
}
