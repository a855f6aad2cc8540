/** Faults that an audit found in what a region has signed, as evidence that anybody verifies without the log. */
import { type Evidence, type EvidenceOf } from '../../protocol/evidence/evidence.ts';
import { verifyEvidence } from '../../protocol/evidence/verify-evidence.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { inclusionProof } from '../../protocol/log/merkle-proof.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { type Note, parseNote } from '../../protocol/log/note.ts';
import { parseOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { TILE_HASHES, tilePath, tilesReadBy, tileSource, tileWidth } from '../../protocol/log/tile.ts';
import { ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { groundStatements } from '../trust/ground-statements.ts';
import { type AuditCode, type AuditFault } from './audit-fault.ts';
import { type AuditSource, type LogSource } from './audit-source.ts';

/** Of the other faults either nothing is signed that contradicts anything, or the copy is damaged and says nothing of the region. */
const PROVABLE: ReadonlySet<AuditCode> = new Set([
  'ATTESTATION_MALFORMED',
  'INDEX_MISMATCH',
  'LOG_MISMATCH',
  'HOUR_MISMATCH',
]);

/**
 * Undefined where the fault proves nothing against the region: an hour that has not come, or a copy that is not the tree that was
 * signed. Rejects as reading the source.
 */
export async function evidenceOfFault(
  { code, log: origin, index }: AuditFault,
  source: AuditSource,
  modules: TrustModules,
): Promise<Evidence | undefined> {
  if (!PROVABLE.has(code) || index === undefined) return undefined;
  const log = source.log(origin);
  const note = await log.checkpoint();
  if (note === undefined) return undefined;
  try {
    const grounds = [await groundOf(origin, parseNote(note), source, modules)];
    const reader = new LeafReader(log, parseCheckpoint(parseNote(note).text).size, modules.sha256);
    const evidence: Evidence =
      code === 'HOUR_MISMATCH'
        ? {
            kind: 'hours',
            grounds,
            note,
            entries: [await reader.placed(index - 1), await reader.placed(index)],
          }
        : { kind: 'entry', grounds, note, index, ...(await reader.leaf(index)) };
    verifyEvidence(evidence, () => true, modules);
    return evidence;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

async function groundOf(
  origin: string,
  { signatures }: Note,
  source: AuditSource,
  modules: TrustModules,
): Promise<Uint8Array[]> {
  const { region, network } = parseOrigin(origin);
  const hasSigned = (publicKey: Uint8Array): boolean => {
    const { keyId } = makeVerifierKey(modules.sha256, { name: origin, algorithm: ED25519, publicKey });
    return signatures.some((line) => line.name === origin && line.keyId === keyId);
  };
  const entries = entriesOf(source.log(trustLogOrigin(region, network)));
  return (await groundStatements({ region, network }, entries, hasSigned, modules)).statements;
}

/** As far as they are there. */
async function* entriesOf(log: LogSource): AsyncGenerator<Uint8Array, void, undefined> {
  const note = await log.checkpoint();
  const { size } = note === undefined ? { size: 0 } : parseCheckpoint(parseNote(note).text);
  for (let index = 0; index * TILE_HASHES < size; index++) {
    const [bundle] = await log.bundles([{ index, width: tileWidth(size, 0, index) }]);
    if (bundle !== undefined) yield* parseEntryBundle(bundle.bytes, bundle.width);
  }
}

class LeafReader {
  readonly #log: LogSource;
  readonly #size: number;
  readonly #sha256: Sha256;

  constructor(log: LogSource, size: number, sha256: Sha256) {
    this.#log = log;
    this.#size = size;
    this.#sha256 = sha256;
  }

  async placed(index: number): Promise<EvidenceOf<'hours'>['entries'][0]> {
    const { entry, path } = await this.leaf(index);
    return { attestation: entry, path };
  }

  /** What is not there is empty, and proves nothing. */
  async leaf(index: number): Promise<Pick<EvidenceOf<'entry'>, 'entry' | 'path'>> {
    const size = this.#size;
    const number = Math.floor(index / TILE_HASHES);
    const [bundle] = await this.#log.bundles([{ index: number, width: tileWidth(size, 0, number) }]);
    const entries = bundle === undefined ? [] : parseEntryBundle(bundle.bytes, bundle.width);
    const build = (source: Parameters<typeof inclusionProof>[2]) =>
      inclusionProof(this.#sha256, { index, size }, source);
    const tiles = tilesReadBy(size, build);
    const parts = await this.#log.tiles(tiles);
    const none = new Uint8Array(0);
    const byPath = new Map(
      tiles.map((tile, i) => [
        tilePath(tile),
        parts[i]?.bytes.subarray(0, tile.width * HASH_BYTES) ?? new Uint8Array(tile.width * HASH_BYTES),
      ]),
    );
    const path = build(tileSource(this.#sha256, size, (tile) => byPath.get(tilePath(tile)) ?? none));
    return { entry: entries[index % TILE_HASHES] ?? none, path };
  }
}
