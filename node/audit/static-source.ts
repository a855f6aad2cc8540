/** The logs that a region publishes as files in the layout of C2SP tlog-tiles. */
import { join, resolve } from 'node:path';
import { ENTRY_BYTES_MAX, NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { parseNote } from '../../protocol/log/note.ts';
import {
  attestationLogOrigin,
  isAttestationLogId,
  parseOrigin,
  trustLogOrigin,
} from '../../protocol/log/origin.ts';
import { type Tile, TILE_HASHES, type TileResource, tilePath } from '../../protocol/log/tile.ts';
import { NodeError } from '../node-error.ts';
import { namesIn, readPublishedFile } from '../region/files.ts';
import { attestationLogsPath, trustLogPath } from '../region/layout.ts';
import { type AuditSource, type BundleName, type LogSource, type SourcePart } from './audit-source.ts';

/** One byte more than any may have, so that one that goes on is seen to. */
const BUNDLE_BYTES_MAX = TILE_HASHES * (2 + ENTRY_BYTES_MAX) + 1;
/** Three times what attestations need: several of these bundles are read at a time. */
const ATTESTATIONS_BYTES_MAX = TILE_HASHES * 512;
const TILE_BYTES_MAX = TILE_HASHES * HASH_BYTES + 1;

class StaticLog implements LogSource {
  readonly origin: string;
  readonly #path: string;
  readonly #bundleBytesMax: number;

  constructor(origin: string, path: string, bundleBytesMax: number) {
    this.origin = origin;
    this.#path = path;
    this.#bundleBytesMax = bundleBytesMax;
  }

  checkpoint(): Promise<Uint8Array | undefined> {
    return readPublishedFile(join(this.#path, 'checkpoint'), NOTE_BYTES_MAX);
  }

  /** Files say nothing of it: the trust log does. */
  minimum(): Promise<number> {
    return Promise.resolve(0);
  }

  bundles(parts: readonly BundleName[]): Promise<(SourcePart | undefined)[]> {
    return Promise.all(parts.map((part) => this.#part({ ...part, level: 'entries' }, this.#bundleBytesMax)));
  }

  tiles(tiles: readonly Tile[]): Promise<(SourcePart | undefined)[]> {
    return Promise.all(tiles.map((tile) => this.#part(tile, TILE_BYTES_MAX)));
  }

  /** A partial one may go once the full one is there. */
  async #part(resource: TileResource, bytesMax: number): Promise<SourcePart | undefined> {
    for (const width of new Set([resource.width, TILE_HASHES])) {
      const path = join(this.#path, tilePath({ ...resource, width }));
      const bytes = await readPublishedFile(path, bytesMax);
      if (bytes !== undefined) return { bytes, width };
    }
    return undefined;
  }
}

class StaticSource implements AuditSource {
  readonly where: string;
  readonly owner: AuditSource['owner'];

  constructor(path: string, owner: AuditSource['owner']) {
    this.where = path;
    this.owner = owner;
  }

  async origins(): Promise<readonly string[]> {
    const { region, network } = this.owner;
    const logs = (await namesIn(attestationLogsPath(this.where))).filter(isAttestationLogId);
    const attestation = logs.map((log) => attestationLogOrigin(region, network, log));
    return [...attestation, trustLogOrigin(region, network)].sort();
  }

  log(origin: string): LogSource {
    const parsed = parseOrigin(origin);
    if (parsed.kind !== 'attest') return new StaticLog(origin, trustLogPath(this.where), BUNDLE_BYTES_MAX);
    return new StaticLog(origin, join(attestationLogsPath(this.where), parsed.log), ATTESTATIONS_BYTES_MAX);
  }

  /** Files hold no state: they are folded from their beginning or not at all. */
  base(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * The source of a public directory. Whose logs these are is what the checkpoint of its trust log says.
 * @throws {NodeError} PEER_UNREACHABLE if nothing is published there.
 * @throws {ProtocolError} if the checkpoint of the trust log is none, or of no trust log.
 */
export async function openStaticSource(path: string): Promise<AuditSource> {
  const where = resolve(path);
  const note = await readPublishedFile(join(trustLogPath(where), 'checkpoint'), NOTE_BYTES_MAX);
  if (note === undefined) {
    throw new NodeError('PEER_UNREACHABLE', `no region publishes at ${path}`, {
      hint: 'Name the directory of a node, or a public directory such as CN-33/public.',
    });
  }
  const { region, network } = parseOrigin(parseCheckpoint(parseNote(note).text).origin);
  return new StaticSource(where, { region, network });
}
