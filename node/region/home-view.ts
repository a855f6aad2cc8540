/** What a region's own verifiers may know: its log and those of the regions that it recognises, with the cosignatures that lie at hand. */
import { resolve } from 'node:path';
import { hexBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { neededCosignatures } from '../../protocol/log/quorum.ts';
import { applySnapshot } from '../../protocol/snapshot/apply.ts';
import { makeSnapshot, type SnapshotSource } from '../../protocol/snapshot/make.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { type WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { isUnreadable } from './files.ts';
import { type KnownRegion, readKnownRegion } from './known-log.ts';
import { readRegionConfig, RegionLayout } from './layout.ts';
import { type ReadModules } from './modules.ts';
import { movedFrom, requirePublishesHere } from './moved.ts';
import { policyOf, readPolicyFile } from './policy-file.ts';
import { type PublicRegion } from './public-region.ts';
import { isProvenForked } from './published-forks.ts';
import { directoriesOf } from './published-network.ts';
import { type WitnessedCheckpoint, witnessedCheckpoints } from './witnessed-checkpoint.ts';

/** A recognised region of which nothing could be had, and why. */
export interface MissingPeer {
  readonly region: string;
  readonly reason: string;
}

/** A region whose own directory shows less than others have seen of it. */
export interface BehindRegion {
  readonly region: string;
  /** Entries of its trust log there, 0 where that cannot be read. */
  readonly shownSize: number;
  readonly knownSize: number;
}

/** A region that has left the directory that is named for it. */
export interface MovedRegion {
  readonly region: string;
  /** An absolute path on the machine where that directory is. */
  readonly to: string;
}

/** A copy of a region's log that another one keeps, and that is not what the region has signed. */
export interface BadCopy {
  readonly region: string;
  readonly keeper: string;
  readonly reason: string;
}

/** A region for which too few others vouch. */
export interface LackingRegion {
  readonly region: string;
  /** Further ones that its newest checkpoint needs. */
  readonly needed: number;
  /** Regions that could vouch for it and have not. */
  readonly silent: readonly string[];
}

export interface HomeView {
  readonly home: PublicRegion;
  /**
   * The home's first, then those it recognises. Each region but the home stands at the largest checkpoint for which enough of the
   * others vouch: what was published a moment ago nobody can have seen yet, and who knew only that would know nothing of the region.
   * Where there is none, it stands at that for which most vouch.
   */
  readonly sources: readonly SnapshotSource[];
  /** The newest checkpoints of the regions that stand in `sources` at an older one. */
  readonly newer: readonly SnapshotSource[];
  /** The logs of all regions that could be read, whoever vouches for them. */
  readonly known: readonly PublicRegion[];
  /** Logs that contradict those of `sources`. */
  readonly branches: readonly PublicRegion[];
  /** Regions that have told two stories: those of `branches`, and those of which a proof lies in some directory. */
  readonly forked: ReadonlySet<string>;
  /** The home first, if it is among them. */
  readonly lacking: readonly LackingRegion[];
  readonly behind: readonly BehindRegion[];
  readonly missing: readonly MissingPeer[];
  readonly moved: readonly MovedRegion[];
  readonly badCopies: readonly BadCopy[];
  /** By which it was looked who vouches: that of the caller, or of the config; the table without one. */
  readonly policy: WitnessPolicy | undefined;
  /** Where other regions publish, as far as that is known. */
  readonly directories: ReadonlyMap<string, string>;
}

export interface HomeViewOptions {
  /** A policy of witnesses that stands over that of the config. */
  readonly policyFile?: string | undefined;
}

/**
 * Reads a region directory and the public directories of its peers, without writing. Of each region the longest log counts that
 * anybody keeps. Peers of which nothing can be read, or whose data is bad, are left out and named: one of them must not keep the
 * others from being judged.
 * @throws what `readPolicyFile` throws; what `readRegionConfig` and `readKnownRegion` throw for the home itself, as a `NodeError`: DATA_INCONSISTENT; REGION_MOVED where it has left; and
 * {ProtocolError} FORK where the home itself has signed two logs.
 */
export async function readHomeView(
  path: string,
  modules: ReadModules,
  { policyFile }: HomeViewOptions = {},
): Promise<HomeView> {
  const layout = new RegionLayout(resolve(path));
  await requirePublishesHere(layout.public);
  const config = await readRegionConfig(layout);
  const { region, network, peers, fingerprint } = config;
  const policy = await (policyFile === undefined
    ? policyOf(layout, config, modules)
    : readPolicyFile(policyFile, network, modules));
  const directories = directoriesOf(peers, layout);
  const places = { network, readerPath: layout.public, copiesAt: [...directories.values()] };
  const pin = fingerprint === undefined ? undefined : hexBytes(fingerprint);
  const known = [await readHome({ ...places, region, fingerprint: pin, path: layout.public }, modules)];
  const [{ region: home, branches }] = known as [KnownRegion];
  const proofs = { own: layout.public, others: [...directories.values()] };
  if (branches.length > 0 || (await isProvenForked(home, proofs, modules)))
    throw new ProtocolError('FORK', `${region} has signed two logs that contradict each other`);
  const missing: MissingPeer[] = [];
  const moved: MovedRegion[] = [];
  const forked = new Set<string>();
  for (const recognition of home.state.recognitions()) {
    if (recognition.standing === 'withdrawn') continue;
    const { region: peer } = recognition;
    const directory = directories.get(peer);
    try {
      const left = directory === undefined ? undefined : await movedFrom(directory);
      if (left !== undefined) moved.push({ region: peer, to: left.moved.to });
      const sought = { ...places, region: peer, fingerprint: recognition.fingerprint, path: directory };
      const found = await readKnownRegion(sought, modules);
      known.push(found);
      if (found.branches.length > 0 || (await isProvenForked(found.region, proofs, modules)))
        forked.add(peer);
    } catch (error) {
      if (!(error instanceof NodeError) && !isProtocolError(error) && !isUnreadable(error)) throw error;
      const { message } = error as Error;
      missing.push({ region: peer, reason: directory ? message : 'where it publishes is not known' });
    }
  }
  const regions = known.map((one) => one.region);
  const voters = votersOf(home, policy === undefined ? modules.nowS() : undefined);
  const ranked = await Promise.all(
    regions.map((of) => rankedView({ of, home, voters, regions, policy }, modules)),
  );
  const taken = await takenViews({ home, policy }, ranked, modules);
  return {
    home,
    sources: taken.map(({ source }) => source),
    newer: taken.flatMap(({ newer }) => newer ?? []),
    known: regions,
    branches: known.flatMap(({ branches }) => branches),
    forked,
    lacking: taken.flatMap(({ lacking }) => lacking ?? []),
    behind: known.flatMap(({ region: { region: id, checkpoint }, shownSize }) =>
      shownSize < checkpoint.size ? [{ region: id, shownSize, knownSize: checkpoint.size }] : [],
    ),
    missing,
    moved,
    badCopies: known.flatMap((one) => badCopiesOf(one, directories)),
    policy,
    directories,
  };
}

function badCopiesOf(
  { region: { region }, passedOver }: KnownRegion,
  directories: ReadonlyMap<string, string>,
): BadCopy[] {
  return passedOver.flatMap(({ keptAt, reason }) =>
    [...directories]
      .filter(([, directory]) => directory === keptAt)
      .map(([keeper]) => ({ region, keeper, reason })),
  );
}

/** The checkpoints of a region, the best one to take first: at least one. */
interface RankedView {
  readonly of: PublicRegion;
  readonly newest: WitnessedCheckpoint;
  readonly ranked: readonly [WitnessedCheckpoint, ...WitnessedCheckpoint[]];
  /** How many further ones have to vouch for a checkpoint. */
  readonly lackOf: (one: WitnessedCheckpoint) => number;
  readonly others: readonly string[];
}

interface Ranking {
  readonly of: PublicRegion;
  readonly home: PublicRegion;
  readonly voters: readonly string[];
  /** All of which something is known. */
  readonly regions: readonly PublicRegion[];
  readonly policy: WitnessPolicy | undefined;
}

async function rankedView(
  { of, home, voters, regions, policy }: Ranking,
  modules: ReadModules,
): Promise<RankedView> {
  // Those who count in the quorum, and nobody else, say which checkpoint is the one to take.
  const others = voters.filter((voter) => voter !== of.region);
  const witnesses = regions.filter(({ region }) => others.includes(region));
  const by = { witnesses, reader: home, outside: policy?.outside };
  const [newest, ...older] = await witnessedCheckpoints(of, by, modules);
  if (newest === undefined) throw new TypeError('a region that was read has a checkpoint');
  const tableNeeds = neededCosignatures(others.length);
  const lackOf = ({ vouching, cosigned }: WitnessedCheckpoint) => {
    const { counted, needed } = policy?.count(cosigned, (region) => others.includes(region)).witnesses ?? {
      counted: vouching.length,
      needed: tableNeeds,
    };
    return needed - counted;
  };
  const [best = newest, ...rest] =
    of === home ? [newest] : [newest, ...older].sort((a, b) => order(a, b, lackOf));
  const asked = policy === undefined ? others : others.filter((voter) => policy.regions.includes(voter));
  return { of, newest, ranked: [best, ...rest], lackOf, others: asked };
}

interface TakenView {
  readonly source: SnapshotSource;
  readonly newer: SnapshotSource | undefined;
  readonly lacking: LackingRegion | undefined;
}

/**
 * Lets each region stand at the best of its checkpoints at which a reader takes it. That may be another than the first: a witness key
 * that only an unwitnessed log names does not count, so that nobody brings a region out of sight by vouching with such a key.
 */
async function takenViews(
  by: Pick<Ranking, 'home' | 'policy'>,
  views: readonly RankedView[],
  modules: ReadModules,
): Promise<TakenView[]> {
  const places = views.map(() => 0);
  const current = () =>
    views.map(({ of, ranked }, i) => sourceAt(of, ranked[places[i] ?? 0] ?? ranked[0], modules));
  // Where all agree there is nothing to try. Else every round but the last leaves one checkpoint behind at least.
  for (let isMoved = views.some(({ ranked }) => ranked.length > 1); isMoved;) {
    const leftOut = await leftOutOf(by, current(), modules);
    isMoved = false;
    for (const [i, { of, ranked }] of views.entries()) {
      const next = (places[i] ?? 0) + 1;
      if (!leftOut.has(of.region) || next > ranked.length) continue;
      // Of a region that is left out at each of them the first is still the best.
      places[i] = next;
      isMoved ||= next < ranked.length;
    }
  }
  const sources = current();
  return views.map(({ of, newest, ranked, lackOf, others }, i) => {
    const best = ranked[places[i] ?? 0] ?? ranked[0];
    const silent = others.filter((voter) => !newest.vouching.includes(voter));
    const lacking = { region: of.region, needed: lackOf(newest), silent };
    return {
      source: sources[i] as SnapshotSource,
      newer: best === newest ? undefined : besideAt(of, newest, modules),
      lacking: lackOf(best) > 0 ? lacking : undefined,
    };
  });
}

/** The regions that a reader of these alone leaves out; none where it refuses all, for want of a quorum for the home. */
async function leftOutOf(
  { home: { region, network, fingerprint }, policy }: Pick<Ranking, 'home' | 'policy'>,
  sources: readonly SnapshotSource[],
  modules: ReadModules,
): Promise<ReadonlySet<string>> {
  const bytes = await makeSnapshot(network, sources);
  const reader = { home: region, network, pin: fingerprint, policy };
  try {
    const { outcomes } = applySnapshot(modules, bytes, reader, undefined, modules.nowS());
    return new Set(outcomes.flatMap((one) => (one.effect === 'left-out' ? [one.region] : [])));
  } catch (error) {
    if (isProtocolError(error)) return new Set();
    throw error;
  }
}

/** What a region has published itself can be made again: its faults are not those of somebody else. */
async function readHome(...args: Parameters<typeof readKnownRegion>): Promise<KnownRegion> {
  try {
    return await readKnownRegion(...args);
  } catch (error) {
    if (!isProtocolError(error) && !isNodeError(error, 'DATA_INCONSISTENT')) throw error;
    throw new NodeError(
      'DATA_INCONSISTENT',
      `what lies in ${args[0].readerPath} is not what was published: ${error.message}`,
      {
        cause: error,
        fatal: true,
        hint: 'Remove its folders trust and attest, then run `entente witness`: they are made anew from the store.',
      },
    );
  }
}

/** The regions whose witnesses count in a quorum, the home among them; without a time whatever the windows of recognitions say. SPEC.md 9, 9.1. */
function votersOf({ region, state }: PublicRegion, nowS: number | undefined): string[] {
  const voters = [region];
  for (const recognition of state.recognitions()) {
    if (recognition.standing === 'withdrawn' || recognition.way !== 'direct') continue;
    const isInForce = nowS === undefined || (recognition.fromS <= nowS && nowS < recognition.untilS);
    if (isInForce) voters.push(recognition.region);
  }
  return voters;
}

/** More votes than are needed make no checkpoint better: those of the one before it would hide what was revoked since. */
function order(a: WitnessedCheckpoint, b: WitnessedCheckpoint, lackOf: RankedView['lackOf']): number {
  return Math.max(0, lackOf(a)) - Math.max(0, lackOf(b)) || b.size - a.size;
}

/**
 * A checkpoint that is not the one to take, from its first entry on, so that what is held is proven to be a part of it. Without what
 * witnesses said of it: it counts beside what is taken, whatever one of them makes of it.
 */
function besideAt(
  of: PublicRegion,
  { size, ownNote }: WitnessedCheckpoint,
  modules: ReadModules,
): SnapshotSource {
  return { ...sourceAt(of, { size, note: ownNote }, modules), newestBase: () => undefined };
}

function sourceAt(
  { region, network, entries, fold }: PublicRegion,
  { size, note }: Pick<WitnessedCheckpoint, 'size' | 'note'>,
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
