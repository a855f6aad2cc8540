/**
 * The witness of a region: it cosigns what peers publish, after checking that their logs only grew since it last looked. Its
 * memory is one checkpoint per log, stored before the cosignature leaves. Witnessing a log is not recognising its region.
 */
import { join } from 'node:path';
import { equalBytes } from '../../protocol/bytes.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { verifyConsistency } from '../../protocol/log/merkle.ts';
import { consistencyProof, rootOf } from '../../protocol/log/merkle-proof.ts';
import { encodeNote, type Note, parseNote } from '../../protocol/log/note.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { objectionTo } from '../../protocol/trust/vouching.ts';
import { readFileIfPresent, writeFileAtomically } from './files.ts';
import { attestationLogsPath, cosignaturePath, trustLogPath } from './layout.ts';
import { LogFiles } from './log-files.ts';
import { type RegionModules } from './modules.ts';
import { cosign } from './own-checkpoint.ts';
import { checkpointKeys, type PublicRegion, readPublicRegion } from './public-region.ts';
import { type RegionDirectory } from './region-directory.ts';

/** A log that was cosigned. `sizeBefore` is what the witness saw last, 0 at the first meeting. */
export interface Witnessed extends Checkpoint {
  readonly sizeBefore: number;
}

/**
 * Cosigns the trust log and the attestation logs that a peer publishes at `publicPath`, each once it is found consistent, and
 * publishes the cosignatures. At the first meeting the log is taken as it is; a recognised region must have the fingerprint that was
 * recognised.
 * @throws {ProtocolError} ROLLBACK, FORK or PROOF_INVALID for a log that did not only grow; what `objectionTo` gives and
 * `readPublicRegion` throws.
 * What was cosigned before a fault stays.
 */
export async function witnessPeer(
  directory: RegionDirectory,
  publicPath: string,
  modules: RegionModules,
): Promise<Witnessed[]> {
  const peer = await readPeer(directory, publicPath, modules);
  const objection = objectionTo(peer.fold, modules.nowS());
  if (objection !== undefined) throw objection;
  const witnessed = [await witnessLog(directory, new LogFiles(trustLogPath(publicPath)), peer, modules)];
  for (const { log } of peer.state.logs()) {
    const files = new LogFiles(join(attestationLogsPath(publicPath), log));
    const bytes = await files.checkpoint();
    if (bytes === undefined) continue;
    const origin = attestationLogOrigin(peer.region, peer.network, log);
    const checkpoint = openCheckpoint(
      bytes,
      checkpointKeys(modules.sha256, peer.state, origin),
      modules.verifySignature,
    );
    if (checkpoint.origin !== origin)
      throw new ProtocolError('ORIGIN_INVALID', `expected ${origin}, got ${checkpoint.origin}`);
    witnessed.push(await witnessLog(directory, files, { checkpoint, note: parseNote(bytes) }, modules));
  }
  return witnessed;
}

/** The peer, held against the fingerprint that this region recognised, if it did. */
async function readPeer(
  directory: RegionDirectory,
  publicPath: string,
  modules: RegionModules,
): Promise<PublicRegion> {
  const { network, region } = directory.config;
  const peer = await readPublicRegion(publicPath, { network }, modules);
  if (peer.region === region) throw new RangeError('a region does not witness itself');
  const recognition = directory.state.recognition(peer.region);
  if (recognition === undefined || recognition.standing === 'withdrawn') return peer;
  return readPublicRegion(publicPath, { network, fingerprint: recognition.fingerprint }, modules);
}

async function witnessLog(
  directory: RegionDirectory,
  files: LogFiles,
  { checkpoint, note }: { readonly checkpoint: Checkpoint; readonly note: Note },
  modules: RegionModules,
): Promise<Witnessed> {
  const { layout, state, keyring } = directory;
  const { origin, size, root } = checkpoint;
  const before = await readWitnessed(layout.witnessed(origin));
  if (before !== undefined) await verifyGrowth(files, before, checkpoint, modules);
  else await verifyRoot(files, checkpoint, modules);
  const logLines = note.signatures.filter(({ name }) => name === origin);
  await writeFileAtomically(layout.witnessed(origin), encodeNote({ text: note.text, signatures: logLines }));
  const line = await cosign(note.text, state, modules.nowS(), { ...modules, keyring });
  const cosigned = encodeNote({ text: note.text, signatures: [...logLines, line] });
  await writeFileAtomically(cosignaturePath(layout.public, origin), cosigned);
  return { origin, size, root, sizeBefore: before?.size ?? 0 };
}

async function readWitnessed(path: string): Promise<Checkpoint | undefined> {
  const bytes = await readFileIfPresent(path, NOTE_BYTES_MAX);
  return bytes && parseCheckpoint(parseNote(bytes).text);
}

async function verifyGrowth(
  files: LogFiles,
  before: Checkpoint,
  now: Checkpoint,
  { sha256 }: RegionModules,
): Promise<void> {
  const details = { held: before.size, offered: now.size };
  if (now.size < before.size) {
    throw new ProtocolError(
      'ROLLBACK',
      `${now.origin} had ${before.size} entries and now shows ${now.size}`,
      details,
    );
  }
  if (now.size === before.size) {
    if (equalBytes(now.root, before.root)) return;
    throw new ProtocolError(
      'FORK',
      `${now.origin} shows another tree of ${now.size} entries than before`,
      details,
    );
  }
  if (before.size === 0) return verifyRoot(files, now, { sha256 });
  const sizes = { oldSize: before.size, newSize: now.size };
  const path = await files.withHashes(sha256, now.size, (source) => consistencyProof(sha256, sizes, source));
  verifyConsistency(sha256, { ...sizes, oldRoot: before.root, newRoot: now.root, path });
}

/** That the published tiles are those of the checkpoint, at least where they meet in its root. */
async function verifyRoot(
  files: LogFiles,
  { size, root, origin }: Checkpoint,
  { sha256 }: Pick<RegionModules, 'sha256'>,
): Promise<void> {
  const published = await files.withHashes(sha256, size, (source) => rootOf(sha256, size, source));
  if (equalBytes(published, root)) return;
  throw new ProtocolError('PROOF_INVALID', `the tiles of ${origin} are not those of its checkpoint`, {
    size,
  });
}
