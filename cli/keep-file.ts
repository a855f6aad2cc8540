/**
 * What a verifier keeps between runs: whom it trusts, and the snapshots that lead to what it holds. With it an older snapshot is
 * refused, and a delta is enough to go on.
 */
import { z } from 'zod';
import { readFileIfPresent, writeFileAtomically } from '../node/region/files.ts';
import { type ReadModules } from '../node/region/modules.ts';
import { hexBytes, hexOf } from '../protocol/bytes.ts';
import { isProtocolError } from '../protocol/fault.ts';
import { SNAPSHOT_BYTES_MAX } from '../protocol/limits.ts';
import { applySnapshot, type Holdings, type SnapshotReader } from '../protocol/snapshot/apply.ts';
import { CliError, EXIT } from './exit.ts';
import { applyAll } from './snapshot-file.ts';

/** Snapshots that are kept: a full one and the deltas after it. */
const SNAPSHOTS_MAX = 64;
const KEEP_BYTES_MAX = 2 * SNAPSHOT_BYTES_MAX;

const keepSchema = z.strictObject({
  format: z.literal(1),
  home: z.string(),
  network: z.string(),
  pin: z.string().regex(/^[0-9a-f]{64}$/),
  snapshots: z.array(z.base64()).max(SNAPSHOTS_MAX),
});

export interface Kept {
  readonly reader: SnapshotReader;
  readonly snapshots: readonly Uint8Array[];
}

/** Undefined where there is no file yet. @throws {CliError} if it cannot be read. */
export async function readKeepFile(path: string): Promise<Kept | undefined> {
  const bytes = await readFileIfPresent(path, KEEP_BYTES_MAX);
  if (bytes === undefined) return undefined;
  const parsed = keepSchema.safeParse(parseJson(bytes));
  if (!parsed.success) {
    throw new CliError(EXIT.inconsistent, 'KEEP_INVALID', `${path} is not what a verifier keeps`, {
      hint: 'Restore it. Without it, name --home and --pin again: older snapshots can then no longer be told.',
    });
  }
  const { home, network, pin, snapshots } = parsed.data;
  return {
    reader: { home, network, pin: hexBytes(pin) },
    snapshots: snapshots.map((text) => Uint8Array.from(Buffer.from(text, 'base64'))),
  };
}

/** Stores the shortest list of snapshots that leads to `holdings`: the last one alone, if it does. */
export async function writeKeepFile(
  path: string,
  { reader, snapshots }: Kept,
  holdings: Holdings,
  modules: ReadModules,
): Promise<void> {
  const last = snapshots.slice(-1);
  const kept = leadsTo(last, reader, holdings, modules) ? last : snapshots;
  if (kept.length > SNAPSHOTS_MAX) {
    throw new CliError(EXIT.failure, 'KEEP_FULL', `${path} keeps ${SNAPSHOTS_MAX} snapshots`, {
      hint: 'Go on with a full snapshot: `entente snapshot make REGION --out FILE` without --since.',
    });
  }
  const { home, network, pin } = reader;
  const texts = kept.map((bytes) => Buffer.from(bytes).toString('base64'));
  await writeFileAtomically(
    path,
    `${JSON.stringify({ format: 1, home, network, pin: hexOf(pin), snapshots: texts })}\n`,
  );
}

/** What the kept snapshots lead to. They were accepted before, so a fault means that the file was altered. */
export function holdingsOf(
  { reader, snapshots }: Kept,
  modules: ReadModules,
  nowS: number,
): Holdings | undefined {
  return applyAll(modules, snapshots, reader, undefined, nowS)?.holdings;
}

function leadsTo(
  snapshots: readonly Uint8Array[],
  reader: SnapshotReader,
  holdings: Holdings,
  modules: ReadModules,
): boolean {
  try {
    let reached: Holdings | undefined;
    for (const bytes of snapshots)
      reached = applySnapshot(modules, bytes, reader, reached, modules.nowS()).holdings;
    if (reached?.logs.size !== holdings.logs.size) return false;
    return [...holdings.logs].every(([region, { fold }]) => {
      const isBeside = holdings.trust.regions.get(region)?.revokedBeside !== undefined;
      return !isBeside && reached.logs.get(region)?.fold.size === fold.size;
    });
  } catch (error) {
    if (isProtocolError(error)) return false;
    throw error;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
