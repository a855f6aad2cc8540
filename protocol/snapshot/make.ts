/** Making snapshots, full and delta, from wherever the logs are kept. Spec: SPEC.md 10. */
import { type FoldBase } from '../trust/boot.ts';
import { type Holdings } from './apply.ts';
import { encodeSnapshot, type SnapshotPart } from './snapshot.ts';

/** A region's trust log as its keeper has it, up to one checkpoint. */
export interface SnapshotSource {
  readonly region: string;
  /** The tree size that `note` signs. */
  readonly size: number;
  /** The signed checkpoint with the cosignatures that the keeper collected. */
  readonly note: Uint8Array;
  /** Where a new reader can start, the newest there is below `size`; undefined for index 0. As `TrustFold.newestBase` gives it. */
  readonly newestBase: () => FoldBase | undefined;
  /** Index of the first entry that the keeper still has; 0 without it. */
  readonly first?: number;
  /** The entries from index `from` to before `to`, none of them before `first`. */
  readonly entries: (from: number, to: number) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
}

/**
 * A snapshot of `sources`. A region that stands in `heldSizes` becomes a delta from that size if its source has the entries from
 * there on, every other one a full part. A delta without entries still carries fresh cosignatures.
 * @throws {RangeError} if a source gives other entries than asked for, or the snapshot would be larger than a reader takes.
 */
export async function makeSnapshot(
  network: string,
  sources: Iterable<SnapshotSource>,
  heldSizes: ReadonlyMap<string, number> = new Map(),
): Promise<Uint8Array> {
  const parts: SnapshotPart[] = [];
  for (const source of sources) parts.push(await makePart(source, heldSizes.get(source.region)));
  parts.sort((a, b) => (a.region < b.region ? -1 : 1));
  return encodeSnapshot({ network, parts });
}

/** What a reader holds, to be stored or handed on. Revocations held beside a log are not part of it. */
export function sourcesOf({ trust, logs }: Holdings): SnapshotSource[] {
  const sources: SnapshotSource[] = [];
  for (const [region, { note }] of trust.regions) {
    const log = logs.get(region);
    if (log === undefined) continue;
    const { fold, base, entries } = log;
    sources.push({
      region,
      size: fold.size,
      note,
      // The one that it began with is always one that others can begin with.
      newestBase: () => fold.newestBase() ?? base,
      first: base.index,
      entries: (from, to) => entries.slice(from - base.index, to - base.index),
    });
  }
  return sources;
}

/** Whether a reader that holds `heldSize` entries gets a delta, of a source that has those from `first` to before `size`. */
export function isDeltaFrom(
  heldSize: number,
  { first, size }: { readonly first: number; readonly size: number },
): boolean {
  return heldSize > 0 && heldSize >= first && heldSize <= size;
}

async function makePart(source: SnapshotSource, heldSize: number | undefined): Promise<SnapshotPart> {
  const { region, size, note, first = 0 } = source;
  const isDelta = heldSize !== undefined && isDeltaFrom(heldSize, { first, size });
  const base = isDelta ? undefined : (source.newestBase() ?? { index: 0, frontier: [], items: [] });
  const from = base?.index ?? heldSize ?? 0;
  const entries = await source.entries(from, size);
  if (entries.length !== size - from)
    throw new RangeError(`expected the entries ${from} to ${size} of ${region}`);
  const delta = { region, checkpoint: note, from, entries };
  return base === undefined ? delta : { ...delta, base: { frontier: base.frontier, items: base.items } };
}
