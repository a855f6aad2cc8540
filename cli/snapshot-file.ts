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
import { usageError } from './exit.ts';
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
 */
export async function holdingsOfRegion(
  path: string,
  modules: ReadModules,
): Promise<{ holdings: Holdings; missing: readonly MissingPeer[] }> {
  const view = await readHomeView(path, modules);
  const { region: home, network, fingerprint: pin } = view.home;
  const bytes = await snapshotOf(view);
  const { holdings } = applySnapshot(modules, bytes, { home, network, pin }, undefined, modules.nowS());
  return { holdings, missing: view.missing };
}
