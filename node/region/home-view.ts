/** What a region's own verifiers may know: its log and those of the regions that it recognises, with the cosignatures that lie at hand. */
import { resolve } from 'node:path';
import { isProtocolError } from '../../protocol/fault.ts';
import { type SnapshotSource } from '../../protocol/snapshot/make.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { NodeError } from '../node-error.ts';
import { isUnreadable } from './files.ts';
import { readRegionConfig, RegionLayout } from './layout.ts';
import { type ReadModules } from './modules.ts';
import { type PublicRegion, readPublicRegion } from './public-region.ts';
import { type WitnessedCheckpoint, witnessedCheckpoints } from './witnessed-checkpoint.ts';

/** A recognised region of which nothing could be had, and why. */
export interface MissingPeer {
  readonly region: string;
  readonly reason: string;
}

export interface HomeView {
  readonly home: PublicRegion;
  /**
   * The home's first, then those it recognises. Each region but the home stands at the checkpoint for which most of the others
   * vouch: what was published a moment ago nobody can have seen yet, and who knew only that would know nothing of the region.
   */
  readonly sources: readonly SnapshotSource[];
  /** The newest checkpoints of the regions that stand in `sources` at an older one. */
  readonly newer: readonly SnapshotSource[];
  /** Regions for whose newest checkpoint no other one vouches, the home among them. */
  readonly unwitnessed: readonly string[];
  readonly missing: readonly MissingPeer[];
}

/**
 * Reads a region directory and the public directories of its peers, without writing. Peers that are unreachable or whose
 * data is bad are left out and named: one of them must not keep the others from being judged.
 * @throws what `readRegionConfig` and `readPublicRegion` throw for the home itself, as a `NodeError`: DATA_INCONSISTENT.
 */
export async function readHomeView(path: string, modules: ReadModules): Promise<HomeView> {
  const layout = new RegionLayout(resolve(path));
  const { region, network, peers } = await readRegionConfig(layout);
  const home = await readHome(layout.public, { region, network }, modules);
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
      if (!(error instanceof NodeError) && !isProtocolError(error) && !isUnreadable(error)) throw error;
      missing.push({ region: peer, reason: (error as Error).message });
    }
  }
  // Those who count in the quorum, and nobody else, say which checkpoint is the one to take.
  const witnesses = regions.filter((peer) => peer === home || isWitness(home.state, peer.region));
  const sources: SnapshotSource[] = [];
  const newer: SnapshotSource[] = [];
  const unwitnessed: string[] = [];
  for (const of of regions) {
    const [newest, ...older] = await witnessedCheckpoints(of, witnesses, modules);
    if (newest === undefined) throw new TypeError('a region that was read has a checkpoint');
    if (newest.vouching === 0) unwitnessed.push(of.region);
    const best = of === home ? newest : older.reduce(better, newest);
    sources.push(sourceAt(of, best, modules));
    if (best !== newest) newer.push(sourceAt(of, newest, modules));
  }
  return { home, sources, newer, unwitnessed, missing };
}

/** What a region has published itself can be made again: its faults are not those of somebody else. */
async function readHome(...args: Parameters<typeof readPublicRegion>): Promise<PublicRegion> {
  try {
    return await readPublicRegion(...args);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    throw new NodeError(
      'DATA_INCONSISTENT',
      `what lies in ${args[0]} is not what was published: ${error.message}`,
      {
        cause: error,
        fatal: true,
        hint: 'Remove its folders trust and attest, then run `entente witness`: they are made anew from the store.',
      },
    );
  }
}

function isWitness(home: TrustState, region: string): boolean {
  const recognition = home.recognition(region);
  return recognition !== undefined && recognition.standing !== 'withdrawn' && recognition.way === 'direct';
}

function better(a: WitnessedCheckpoint, b: WitnessedCheckpoint): WitnessedCheckpoint {
  return b.vouching > a.vouching || (b.vouching === a.vouching && b.size > a.size) ? b : a;
}

function sourceAt(
  { region, network, entries, fold }: PublicRegion,
  { size, note }: WitnessedCheckpoint,
  modules: ReadModules,
): SnapshotSource {
  const newestBase = () => {
    if (size === fold.size) return fold.newestBase();
    const before = new TrustFold({ region, network, history: (from) => entries.slice(from, size) }, modules);
    for (const entry of entries.slice(0, size)) before.append(entry);
    return before.newestBase();
  };
  return { region, size, note, newestBase, entries: (from, to) => entries.slice(from, to) };
}
