/** What a region's own verifiers may know: its log and those of the regions that it recognises, with the cosignatures that lie at hand. */
import { resolve } from 'node:path';
import { parseNote, encodeNote } from '../../protocol/log/note.ts';
import { verifyCosignature } from '../../protocol/log/cosignature.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { COSIGNATURE, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type SnapshotSource } from '../../protocol/snapshot/make.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { NodeError } from '../node-error.ts';
import { readFileIfPresent } from './files.ts';
import { cosignaturePath, readRegionConfig, RegionLayout } from './layout.ts';
import { type ReadModules } from './modules.ts';
import { type PublicRegion, readPublicRegion } from './public-region.ts';

/** A recognised region of which nothing could be had, and why. */
export interface MissingPeer {
  readonly region: string;
  readonly reason: string;
}

export interface HomeView {
  readonly home: PublicRegion;
  /** The home's first, then those it recognises. */
  readonly sources: readonly SnapshotSource[];
  readonly missing: readonly MissingPeer[];
}

/**
 * Reads a region directory and the public directories of its peers, without writing. Peers that are unreachable or whose
 * data is bad are left out and named: one of them must not keep the others from being judged.
 * @throws what `readRegionConfig` and `readPublicRegion` throw for the home itself.
 */
export async function readHomeView(path: string, modules: ReadModules): Promise<HomeView> {
  const layout = new RegionLayout(resolve(path));
  const { region, network, peers } = await readRegionConfig(layout);
  const home = await readPublicRegion(layout.public, { region, network }, modules);
  const regions = [home];
  const missing: MissingPeer[] = [];
  for (const recognition of home.state.recognitions()) {
    if (recognition.standing === 'withdrawn') continue;
    const { region: peer, fingerprint } = recognition;
    const publicPath = peers[peer]?.directory;
    try {
      if (publicPath === undefined)
        throw new NodeError('PEER_UNREACHABLE', 'where it publishes is not known');
      regions.push(
        await readPublicRegion(layout.resolve(publicPath), { region: peer, network, fingerprint }, modules),
      );
    } catch (error) {
      if (!(error instanceof NodeError) && !isProtocolError(error)) throw error;
      missing.push({ region: peer, reason: error.message });
    }
  }
  const sources: SnapshotSource[] = [];
  for (const of of regions) sources.push(await sourceOf(of, regions, modules));
  return { home, sources, missing };
}

async function sourceOf(
  of: PublicRegion,
  regions: readonly PublicRegion[],
  modules: ReadModules,
): Promise<SnapshotSource> {
  const { region, checkpoint, note, entries, fold } = of;
  const logLines = note.signatures.filter(({ name }) => name === checkpoint.origin);
  const cosignatures = await cosignaturesOf(of, regions, modules);
  return {
    region,
    size: checkpoint.size,
    note: encodeNote({ text: checkpoint.text, signatures: [...logLines, ...cosignatures] }),
    newestBase: () => fold.newestBase(),
    entries: (from, to) => entries.slice(from, to),
  };
}

/**
 * The good cosignatures of this very checkpoint by the witnesses of `regions`, its own included. Every line is checked here, since
 * one bad line by a known key would make the whole note bad for its readers.
 */
async function cosignaturesOf(
  of: PublicRegion,
  regions: readonly PublicRegion[],
  modules: ReadModules,
): Promise<NoteSignature[]> {
  const { text, origin } = of.checkpoint;
  const good: NoteSignature[] = [];
  for (const witness of regions) {
    const keys = witnessKeys(witness.state, modules);
    for (const line of await linesBy(witness, of, origin, text)) {
      if (keys.some((key) => isGoodCosignature(key, text, line, modules))) good.push(line);
    }
  }
  return good;
}

/** Lines on `text` that a region has published about another's log, or in its own checkpoint. */
async function linesBy(
  witness: PublicRegion,
  of: PublicRegion,
  origin: string,
  text: string,
): Promise<readonly NoteSignature[]> {
  if (witness === of) return of.note.signatures;
  const bytes = await readFileIfPresent(cosignaturePath(witness.path, origin), NOTE_BYTES_MAX);
  if (bytes === undefined) return [];
  try {
    const note = parseNote(bytes);
    return note.text === text ? note.signatures : [];
  } catch (error) {
    if (isProtocolError(error)) return [];
    throw error;
  }
}

function witnessKeys(state: TrustState, { sha256 }: ReadModules): VerifierKey[] {
  const name = witnessName(state.region, state.network);
  return state
    .keysWithRole('witness')
    .map(({ publicKey }) => makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey }));
}

function isGoodCosignature(
  key: VerifierKey,
  text: string,
  line: NoteSignature,
  modules: ReadModules,
): boolean {
  try {
    verifyCosignature(key, text, line, modules.verifySignature);
    return true;
  } catch (error) {
    if (isProtocolError(error)) return false;
    throw error;
  }
}
