/** The bundles of a log read and checked, some at a time, their reports in order. Memory is bounded by those under way. */
import { type Tile, TILE_HASHES, tileWidth } from '../../protocol/log/tile.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { isNodeError } from '../node-error.ts';
import { type LogSource, type SourcePart } from './audit-source.ts';
import { type BundleContext, type BundleJob, type BundleReport, checkBundle } from './bundle-check.ts';
import { type BundlePool } from './bundle-pool.ts';

export interface BundleRange {
  /** The first entry, a multiple of 256. */
  readonly from: number;
  /** Of the tree. */
  readonly size: number;
  readonly context: BundleContext;
}

export interface BundleReportsModules extends Primitives {
  readonly source: LogSource;
  /** None: all is done in this thread. */
  readonly pool?: BundlePool | undefined;
}

/**
 * Bundles read, checked and handed to a thread together, so that the trips to the disk and to threads are shared. Entries of a
 * trust log may be so long that one bundle is enough.
 */
const SPAN_BUNDLES = 8;
/** Spans under way for each thread: one at work, one waiting, one being read. */
const AHEAD_PER_THREAD = 3;

type Checked = readonly [BundleJob, BundleReport];

/** Rejects with what reading rejects with. */
export async function* bundleReports(
  { from, size, context }: BundleRange,
  modules: BundleReportsModules,
): AsyncGenerator<Checked, void, undefined> {
  const { source, pool } = modules;
  const check =
    pool?.forLog(context, modules) ??
    ((jobs: readonly BundleJob[]) => jobs.map((job) => checkBundle(job, context, modules)));
  const begin = async (tiles: readonly Tile[]): Promise<Checked[]> => {
    const jobs = await readJobs(source, tiles);
    const reports = await check(jobs);
    return reports.map((report, i) => [jobs[i] as BundleJob, report]);
  };
  const ahead = AHEAD_PER_THREAD * (pool?.size ?? 1);
  const underWay: Promise<Checked[]>[] = [];
  const spans = spansOf(from, size, context.attestations === undefined ? 1 : SPAN_BUNDLES);
  try {
    for (;;) {
      while (underWay.length < ahead) {
        const { done, value } = spans.next();
        if (done === true) break;
        const reports = begin(value);
        reports.catch(() => undefined); // it is heard of when its turn comes
        underWay.push(reports);
      }
      const reports = underWay.shift();
      if (reports === undefined) return;
      yield* await reports;
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** The tiles of leaf hashes, up to `length` at a time. */
function* spansOf(from: number, size: number, length: number): Generator<Tile[], void, undefined> {
  const end = Math.ceil(size / TILE_HASHES);
  for (let first = from / TILE_HASHES; first < end; first += length) {
    yield Array.from({ length: Math.min(length, end - first) }, (_, i) => {
      const index = first + i;
      return { level: 0, index, width: tileWidth(size, 0, index) };
    });
  }
}

async function readJobs(source: LogSource, tiles: readonly Tile[]): Promise<BundleJob[]> {
  const [bundles, hashes] = await Promise.all([
    readable(tiles, (some) => source.bundles(some)),
    readable(tiles, (some) => source.tiles(some)),
  ]);
  return tiles.map(({ index, width }, i) => ({ index, width, bundle: bundles[i], tile: hashes[i] }));
}

type Parts = (SourcePart | undefined)[];

/** What is there and is not what was written is as good as missing: the check says which index that is. */
async function readable(
  tiles: readonly Tile[],
  read: (tiles: readonly Tile[]) => Promise<Parts>,
): Promise<Parts> {
  try {
    return await read(tiles);
  } catch (error) {
    if (!isNodeError(error, 'VALUE_CORRUPT') && !isNodeError(error, 'DATA_INCONSISTENT')) throw error;
    if (tiles.length === 1) return [undefined];
    const parts: Parts = [];
    for (const tile of tiles) parts.push(...(await readable([tile], read)));
    return parts;
  }
}
