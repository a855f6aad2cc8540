/** Snapshots in files, and what a verifier holds after reading some. */
import { readFileIfPresent } from '../node/region/files.ts';
import { type HomeView, type HomeViewOptions, readHomeView } from '../node/region/home-view.ts';
import { type ReadModules } from '../node/region/modules.ts';
import { readWithdrawn } from '../node/region/withdrawn-regions.ts';
import { SNAPSHOT_BYTES_MAX } from '../protocol/limits.ts';
import {
  type AppliedSnapshot,
  applySnapshot,
  type Holdings,
  type PartOutcome,
  type SnapshotReader,
} from '../protocol/snapshot/apply.ts';
import { contradicted } from '../protocol/snapshot/contradiction.ts';
import { makeSnapshot } from '../protocol/snapshot/make.ts';
import { type TrustState } from '../protocol/trust/trust-state.ts';
import { Trust } from '../protocol/verdict/knowledge.ts';
import { CliError, EXIT, usageError } from './exit.ts';
import { isProtocolError } from '../protocol/fault.ts';
import { printable } from './printable.ts';
import { ownerPathOf } from './region.ts';

/** @throws {CliError} if there is no such file; {NodeError} if it is longer than any snapshot. */
export async function readSnapshotFile(path: string): Promise<Uint8Array> {
  const bytes = await readFileIfPresent(path, SNAPSHOT_BYTES_MAX);
  if (bytes !== undefined) return bytes;
  throw usageError(
    `there is no file ${printable(path)}`,
    'Make a snapshot with `entente snapshot make REGION --out FILE`.',
  );
}

/**
 * Applies snapshots one after the other, and gives the outcomes of all.
 * @throws {ProtocolError} as `applySnapshot`, at the first that is refused.
 */
export function applyAll(
  modules: ReadModules,
  snapshots: readonly Uint8Array[],
  reader: SnapshotReader,
  held: Holdings | undefined,
  nowS: number,
): AppliedSnapshot | undefined {
  const outcomes: PartOutcome[] = [];
  let holdings = held;
  for (const bytes of snapshots) {
    const applied = applySnapshot(modules, bytes, reader, holdings, nowS);
    outcomes.push(...applied.outcomes);
    ({ holdings } = applied);
  }
  return holdings === undefined || snapshots.length === 0 ? undefined : { holdings, outcomes };
}

/**
 * A full snapshot of what a region directory and its peers publish, or deltas from the sizes held. It has no place for a second log
 * of a region: one that has signed two is left out, so that nothing that either revokes passes for whoever knows only this.
 */
export async function snapshotOf(
  { home, sources, forked }: HomeView,
  heldSizes?: ReadonlyMap<string, number>,
): Promise<Uint8Array> {
  return makeSnapshot(
    home.network,
    sources.filter(({ region }) => !forked.has(region)),
    heldSizes,
  );
}

/** What a verifier holds that reads a region directory itself, and what its user has to hear. */
export interface HomeHoldings {
  readonly holdings: Holdings;
  readonly warnings: readonly string[];
}

/**
 * What a verifier holds that reads the region directory itself: its pin is the region's own fingerprint.
 * @throws {CliError} as `applyToHome`.
 */
export async function holdingsOfRegion(
  path: string,
  modules: ReadModules,
  options?: HomeViewOptions,
): Promise<HomeHoldings> {
  const view = await readHomeView(path, modules, options);
  const { home } = view;
  // What a region published since then changes no state before others vouch for it, but what it revokes counts at once.
  const outcomes: PartOutcome[] = [];
  let holdings: Holdings | undefined;
  for (const sources of [view.sources, view.newer]) {
    const applied = applyToHome(view, await makeSnapshot(home.network, sources), path, modules, holdings);
    outcomes.push(...applied.outcomes);
    holdings = applied.holdings;
  }
  if (holdings === undefined) throw new TypeError('a snapshot was applied');
  for (const region of view.forked) {
    const others = view.branches.filter((branch) => branch.region === region).map(({ state }) => state);
    holdings = contradicted(holdings, { region, others }, modules);
  }
  holdings = withWithdrawn(holdings, await readWithdrawn(view, modules), modules);
  const warnings = new Map(view.missing.map(({ region, reason }) => [region, missingText(region, reason)]));
  for (const { region, effect, fault } of outcomes) {
    if (fault !== undefined)
      warnings.set(region, missingText(region, `what it publishes is not as it should be: ${fault.code}`));
    else if (effect === 'left-out') warnings.set(region, missingText(region, 'too few vouch for it'));
  }
  for (const region of view.forked) warnings.set(region, branchText(region));
  const lacking = view.lacking.filter(({ region }) => warnings.has(region));
  const hints = vouchHints({ ...view, lacking }, path);
  return {
    holdings,
    warnings: [
      ...warnings.values(),
      ...movedTexts(view, path),
      ...behindTexts(view),
      ...badCopyTexts(view),
      ...hints,
    ],
  };
}

/** The holdings of a verifier that also has what lies published of regions whose recognition is withdrawn. */
function withWithdrawn(holdings: Holdings, before: readonly TrustState[], modules: ReadModules): Holdings {
  if (before.length === 0) return holdings;
  const { home, network, policy, regions } = holdings.trust;
  return {
    ...holdings,
    trust: new Trust({ home, network, policy, regions: regions.values(), before }, modules),
  };
}

/** What to say of regions whose directories show less than is known. */
export function behindTexts({ behind }: HomeView): string[] {
  return behind.map(({ region, shownSize, knownSize }) =>
    shownSize === 0
      ? `the directory of ${region} cannot be read: the ${knownSize} entries of its trust log that others have seen count`
      : `${region} shows ${shownSize} entries of its trust log, and others have seen ${knownSize}: those count; ask its operator whether an old copy was put back`,
  );
}

/** What to say of regions of which a directory is named that they have left: it stays as it was then. */
export function movedTexts({ moved }: Pick<HomeView, 'moved'>, path: string): string[] {
  return moved.map(
    ({ region, to }) =>
      `${region} has moved to ${printable(to)}, and the directory that is named for it is of before: entente peer add ${printable(path)} ${region} --directory ${printable(to)}`,
  );
}

/** What to say of copies that were passed over: nothing rests on them, but who keeps one that is bad is broken or hostile. */
export function badCopyTexts({ badCopies }: HomeView): string[] {
  return badCopies.map(
    ({ region, keeper, reason }) =>
      `the copy of the log of ${region} that ${keeper} keeps is passed over: ${printable(reason)}`,
  );
}

export function branchText(region: string): string {
  return `${region} has signed two logs that contradict each other, so that none of its codes passes: ask its operator`;
}

function missingText(region: string, reason: string): string {
  return `nothing is known of ${region}: ${printable(reason)}`;
}

/** The commands after which enough regions vouch for those that lack it, the home last: it leans on the others. */
export function vouchHints({ home, lacking, forked, directories }: HomeView, path: string): string[] {
  const placeOf = (region: string) => {
    if (region === home.region) return printable(path);
    const directory = directories.get(region);
    return directory === undefined ? `<directory of ${region}>` : printable(ownerPathOf(directory));
  };
  return lacking
    .filter(({ region }) => !forked.has(region))
    .toReversed()
    .flatMap(({ region, needed, silent }) =>
      silent
        .slice(0, Math.max(needed, 0))
        .map((one) => `Let ${one} vouch for ${region}: entente witness ${placeOf(one)} ${placeOf(region)}`),
    );
}

/**
 * Applies a snapshot of the region at `path` as its own verifiers would.
 * @throws {CliError} with exit code 4 if too few witnesses vouch for the region; {ProtocolError} as `applySnapshot`.
 */
export function applyToHome(
  view: HomeView,
  bytes: Uint8Array,
  path: string,
  modules: ReadModules,
  held?: Holdings,
): AppliedSnapshot {
  const { home, missing, policy } = view;
  const { region, network, fingerprint: pin } = home;
  try {
    return applySnapshot(modules, bytes, { home: region, network, pin, policy }, held, modules.nowS());
  } catch (error) {
    if (!isProtocolError(error, 'SNAPSHOT_INCOMPLETE')) throw error;
    throw new CliError(
      EXIT.undetermined,
      error.fault.code,
      `too few witnesses vouch for the log of ${region}${policy === undefined ? '' : ' by the policy'}`,
      {
        hint: [
          ...missing.map((peer) => `Nothing can be had of ${peer.region}: ${printable(peer.reason)}`),
          ...[...view.forked].map(branchText),
          ...vouchHints(view, path),
        ].join('\n'),
        details: [error.fault.details],
      },
    );
  }
}
