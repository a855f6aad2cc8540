/** Snapshots in files, and what a verifier holds after reading some. */
import { readFileIfPresent } from '../node/region/files.ts';
import { type HomeView, type MissingPeer, readHomeView } from '../node/region/home-view.ts';
import { type ReadModules } from '../node/region/modules.ts';
import { SNAPSHOT_BYTES_MAX } from '../protocol/limits.ts';
import {
  type AppliedSnapshot,
  applySnapshot,
  type Holdings,
  type SnapshotReader,
} from '../protocol/snapshot/apply.ts';
import { makeSnapshot } from '../protocol/snapshot/make.ts';
import { CliError, EXIT, usageError } from './exit.ts';
import { isProtocolError } from '../protocol/fault.ts';
import { printable } from './printable.ts';

/** @throws {CliError} if there is no such file; {NodeError} if it is longer than any snapshot. */
export async function readSnapshotFile(path: string): Promise<Uint8Array> {
  const bytes = await readFileIfPresent(path, SNAPSHOT_BYTES_MAX);
  if (bytes !== undefined) return bytes;
  throw usageError(
    `there is no file ${printable(path)}`,
    'Make a snapshot with `entente snapshot make REGION --out FILE`.',
  );
}

/** Applies snapshots one after the other. @throws {ProtocolError} as `applySnapshot`, at the first that is refused. */
export function applyAll(
  modules: ReadModules,
  snapshots: readonly Uint8Array[],
  reader: SnapshotReader,
  held: Holdings | undefined,
  nowS: number,
): AppliedSnapshot | undefined {
  let applied: AppliedSnapshot | undefined;
  for (const bytes of snapshots) {
    applied = applySnapshot(modules, bytes, reader, applied?.holdings ?? held, nowS);
  }
  return applied;
}

/** A full snapshot of what a region directory and its peers publish, or deltas from the sizes held. */
export async function snapshotOf(
  view: HomeView,
  heldSizes?: ReadonlyMap<string, number>,
): Promise<Uint8Array> {
  return makeSnapshot(view.home.network, view.sources, heldSizes);
}

/**
 * What a verifier holds that reads the region directory itself: its pin is the region's own fingerprint. `missing` are recognised
 * regions whose codes it cannot judge.
 * @throws {CliError} as `applyToHome`.
 */
export async function holdingsOfRegion(
  path: string,
  modules: ReadModules,
): Promise<{ holdings: Holdings; missing: readonly MissingPeer[] }> {
  const view = await readHomeView(path, modules);
  const witnessed = applyToHome(view, [await snapshotOf(view)], modules);
  // What a region published since then changes no state before others vouch for it, but what it revokes counts at once.
  const newer = await makeSnapshot(view.home.network, view.newer);
  const { holdings, outcomes } = applyToHome(view, [newer], modules, witnessed.holdings);
  const missing = new Map(view.missing.map((peer) => [peer.region, peer]));
  for (const { region, effect, fault } of [...witnessed.outcomes, ...outcomes]) {
    if (fault !== undefined)
      missing.set(region, { region, reason: `what it publishes is not as it should be: ${fault.code}` });
    else if (effect === 'left-out')
      missing.set(region, { region, reason: `too few vouch for it; ${vouchHint(view.home.region, region)}` });
  }
  return { holdings, missing: [...missing.values()] };
}

function vouchHint(witness: string, region: string): string {
  return `run: entente witness <directory of ${witness}> <directory of ${region}>`;
}

/**
 * Applies snapshots of a region as its own verifiers would.
 * @throws {CliError} with exit code 4 if too few witnesses vouch for the region; {ProtocolError} as `applySnapshot`.
 */
export function applyToHome(
  { home, missing, unwitnessed }: HomeView,
  snapshots: readonly Uint8Array[],
  modules: ReadModules,
  held?: Holdings,
): AppliedSnapshot {
  const { region, network, fingerprint: pin } = home;
  try {
    const applied = applyAll(modules, snapshots, { home: region, network, pin }, held, modules.nowS());
    if (applied === undefined) throw new RangeError('there is no snapshot to apply');
    return applied;
  } catch (error) {
    if (!isProtocolError(error, 'SNAPSHOT_INCOMPLETE')) throw error;
    throw new CliError(
      EXIT.undetermined,
      error.fault.code,
      `too few witnesses vouch for the log of ${region}`,
      {
        hint: [
          ...missing.map((peer) => `Nothing can be had of ${peer.region}: ${peer.reason}`),
          // A region counts as a witness by what is known of it, for which somebody must vouch in turn.
          ...unwitnessed
            .filter((peer) => peer !== region)
            .map(
              (peer) =>
                `Nobody vouches for ${peer}, so that it is no witness yet; ${vouchHint(region, peer)}`,
            ),
          `Let those that ${region} recognises vouch for it; ${vouchHint('each', region)}`,
        ].join('\n'),
        details: [error.fault.details],
      },
    );
  }
}
