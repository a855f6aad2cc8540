/** Faults that were found in what a region has signed, as evidence that anybody verifies without the log. */
import { equalBytes } from '../../protocol/bytes.ts';
import { type Attestation } from '../../protocol/code/attestation.ts';
import { type Evidence, type EvidenceOf } from '../../protocol/evidence/evidence.ts';
import { verifyEvidence } from '../../protocol/evidence/verify-evidence.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { type HashSource, inclusionProof } from '../../protocol/log/merkle-proof.ts';
import { HASH_BYTES, leafHash } from '../../protocol/log/merkle.ts';
import { encodeNote, type Note, parseNote } from '../../protocol/log/note.ts';
import { attestationLogOrigin, parseOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { TILE_HASHES, tilePath, tilesReadBy, tileSource, tileWidth } from '../../protocol/log/tile.ts';
import { ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { givenUpLast, goodLineOf } from '../evidence/good-line.ts';
import { groundStatements, type GroundStatements } from '../trust/ground-statements.ts';
import { type AuditCode, type AuditFault } from './audit-fault.ts';
import { type AuditSource, type LogSource } from './audit-source.ts';

export interface FaultEvidenceModules extends TrustModules {
  /** By which keys are given up that may have signed: what is by one of them alone proves nothing. */
  readonly stateOf: (region: string) => Pick<TrustState, 'key'> | undefined;
}

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
  { code, log: origin, index }: Pick<AuditFault, 'code' | 'log' | 'index'>,
  source: Pick<AuditSource, 'log'>,
  modules: FaultEvidenceModules,
): Promise<Evidence | undefined> {
  if (!PROVABLE.has(code) || index === undefined) return undefined;
  const log = source.log(origin);
  const note = await log.checkpoint();
  if (note === undefined) return undefined;
  try {
    const signed = await byOneKey(origin, note, source, modules);
    if (signed === undefined) return undefined;
    const reader = new LeafReader(log, parseCheckpoint(parseNote(note).text).size, modules.sha256);
    const evidence: Evidence =
      code === 'HOUR_MISMATCH'
        ? {
            kind: 'hours',
            ...signed,
            entries: [await reader.placed(index - 1), await reader.placed(index)],
          }
        : { kind: 'entry', ...signed, index, ...(await reader.leaf(index)) };
    verifyEvidence(evidence, () => true, modules);
    return evidence;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

/**
 * That a log has another leaf than an attestation, at its index. Undefined where it has that very leaf, is not as long yet or is not
 * there. Rejects as reading the source.
 * @throws {ProtocolError} as `verifyEvidence` for an attestation or a checkpoint that is not the region's.
 */
export async function evidenceOfLeaf(
  attestation: Attestation,
  source: AuditSource,
  modules: TrustModules,
): Promise<Evidence | undefined> {
  const { region, log: id, index, keyId, bytes } = attestation;
  const origin = attestationLogOrigin(region, source.owner.network, id);
  const log = source.log(origin);
  const note = await log.checkpoint();
  if (note === undefined) return undefined;
  const parsed = parseNote(note);
  const { size } = parseCheckpoint(parsed.text);
  if (index >= size) return undefined;
  const reader = new LeafReader(log, size, modules.sha256);
  const { leafHash: logged, path } = await reader.proof(index);
  if (equalBytes(logged, leafHash(modules.sha256, bytes))) return undefined;
  const grounds = [(await groundOf(origin, parsed, source, modules, keyId)).statements];
  const evidence: Evidence = { kind: 'leaf', grounds, attestation: bytes, note, leafHash: logged, path };
  verifyEvidence(evidence, () => true, modules);
  return evidence;
}

/**
 * A note with one good line of its log alone, by a key that is not given up if there is such a line, and what names that key: a region that signs with
 * many would need more statements than evidence takes. Undefined where no line is good. Rejects as reading the source.
 */
async function byOneKey(
  origin: string,
  note: Uint8Array,
  source: Pick<AuditSource, 'log'>,
  modules: FaultEvidenceModules,
): Promise<{ readonly note: Uint8Array; readonly grounds: Uint8Array[][] } | undefined> {
  const { region, network } = parseOrigin(origin);
  const parsed = parseNote(note);
  const { statements, state } = await groundOf(origin, parsed, source, modules);
  const keys = givenUpLast(state.keysWithRole('checkpoint'), modules.stateOf(region));
  const good = goodLineOf(parsed, { name: origin, algorithm: ED25519, keys }, modules);
  if (good === undefined) return undefined;
  const isIt = (publicKey: Uint8Array) => equalBytes(publicKey, good.key.publicKey);
  const one = await groundStatements({ region, network }, statements, isIt, modules);
  return { note: encodeNote({ text: parsed.text, signatures: [good.line] }), grounds: [one.statements] };
}

/** With what names the keys that signed the note, and the one with this id. */
async function groundOf(
  origin: string,
  { signatures }: Note,
  source: Pick<AuditSource, 'log'>,
  modules: TrustModules,
  alsoKeyId?: string,
): Promise<GroundStatements> {
  const { region, network } = parseOrigin(origin);
  const { sha256 } = modules;
  const hasSigned = (publicKey: Uint8Array): boolean => {
    if (keyIdOf(sha256, publicKey) === alsoKeyId) return true;
    const { keyId } = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    return signatures.some((line) => line.name === origin && line.keyId === keyId);
  };
  const entries = entriesOf(source.log(trustLogOrigin(region, network)));
  return groundStatements({ region, network }, entries, hasSigned, modules);
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
    const number = Math.floor(index / TILE_HASHES);
    const [bundle] = await this.#log.bundles([{ index: number, width: tileWidth(this.#size, 0, number) }]);
    const entries = bundle === undefined ? [] : parseEntryBundle(bundle.bytes, bundle.width);
    const { path } = await this.proof(index);
    return { entry: entries[index % TILE_HASHES] ?? new Uint8Array(0), path };
  }

  /** By the tiles alone. */
  async proof(index: number): Promise<Pick<EvidenceOf<'leaf'>, 'leafHash' | 'path'>> {
    const size = this.#size;
    const build = (source: HashSource) => ({
      leafHash: source(0, index),
      path: inclusionProof(this.#sha256, { index, size }, source),
    });
    const tiles = tilesReadBy(size, build);
    const parts = await this.#log.tiles(tiles);
    const byPath = new Map(
      tiles.map((tile, i) => {
        const bytes = tile.width * HASH_BYTES;
        const held = parts[i]?.bytes;
        return [
          tilePath(tile),
          held && held.length >= bytes ? held.subarray(0, bytes) : new Uint8Array(bytes),
        ];
      }),
    );
    const source = tileSource(this.#sha256, size, (tile) => byPath.get(tilePath(tile)) ?? new Uint8Array(0));
    return build(source);
  }
}
