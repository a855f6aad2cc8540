/** The mark that a region has left its directory. While it is there nobody opens the region: what still lies in the old place signs nothing. */
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { NodeError } from '../node-error.ts';
import { readFileIfPresent, removeFile, writeFileAtomically } from './files.ts';
import { RegionLayout } from './layout.ts';

/** Its name in the region's directory. */
export const MOVED_FILE = 'moved';
const FILE_BYTES_MAX = 65_536;

const movedSchema = z.strictObject({ to: z.string().min(1), hasArrived: z.boolean() });

/** `to` is an absolute path; before `hasArrived`, all may still lie in the old place alone. */
export type MovedMark = z.infer<typeof movedSchema>;

/** What the mark says; undefined without one. @throws {NodeError} DATA_INCONSISTENT if it cannot be read as one. */
export async function readMoved({ path }: RegionLayout): Promise<MovedMark | undefined> {
  const file = join(path, MOVED_FILE);
  const bytes = await readFileIfPresent(file, FILE_BYTES_MAX);
  if (bytes === undefined) return undefined;
  try {
    return movedSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    throw new NodeError('DATA_INCONSISTENT', `${file} does not say where the region went`, {
      cause: error,
      hint: 'Nothing is signed here before it is clear where the region is. If it is nowhere else, remove the file.',
    });
  }
}

/** Synced when this returns. Whoever moves a region holds its store locked meanwhile. */
export function writeMoved({ path }: RegionLayout, moved: MovedMark): Promise<void> {
  return writeFileAtomically(join(path, MOVED_FILE), `${JSON.stringify(moved)}\n`);
}

export function removeMoved({ path }: RegionLayout): Promise<void> {
  return removeFile(join(path, MOVED_FILE));
}

/** @throws {NodeError} REGION_MOVED if the region has left, or was about to; and as `readMoved`. */
export async function requireNotMoved(layout: RegionLayout): Promise<void> {
  const moved = await readMoved(layout);
  if (moved !== undefined) throw movedError(layout, moved);
}

/**
 * The same for whoever only reads what a region publishes, by its public directory as an absolute path: what lies in the old place says nothing of keys
 * that the move gave up and of codes that were revoked since. @throws {NodeError} REGION_MOVED; and as `readMoved`.
 */
export async function requirePublishesHere(publicPath: string): Promise<void> {
  const left = await movedFrom(publicPath);
  if (left === undefined) return;
  const error = movedError(left.layout, left.moved);
  if (!left.moved.hasArrived) throw error;
  const hint = `Name the new place: ${left.moved.to}. What is published in the old one is of before, with keys that are given up since.`;
  throw new NodeError('REGION_MOVED', error.message, { fatal: true, hint });
}

/**
 * Of a public directory in the place of a region, that place and where the region has gone from there, or was about to; whatever links `publicPath`, an
 * absolute path, leads there by. Rejects as `readMoved`.
 */
export async function movedFrom(
  publicPath: string,
): Promise<{ readonly layout: RegionLayout; readonly moved: MovedMark } | undefined> {
  for (const path of new Set([publicPath, await resolvedPath(publicPath)])) {
    const layout = new RegionLayout(dirname(path));
    const moved = layout.public === path ? await readMoved(layout) : undefined;
    if (moved !== undefined) return { layout, moved };
  }
  return undefined;
}

/** The path without links; as it is where nothing can be found there, which whoever reads it will say. */
async function resolvedPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return path;
  }
}

/** What is to be done where the region is not any more. */
export function movedError({ path }: RegionLayout, { to, hasArrived }: MovedMark): NodeError {
  const again = `entente host move ${path} ${to}`;
  return hasArrived
    ? new NodeError('REGION_MOVED', `the region of ${path} has moved to ${to}: it signs there alone`, {
        fatal: true,
        hint: `Run its node there: entente run ${to}. If the move broke off behind that, finish it: ${again}`,
      })
    : new NodeError('REGION_MOVED', `the region of ${path} is on its way to ${to}: nothing is signed here`, {
        fatal: true,
        hint: `If the move broke off, finish it: ${again}. Or, only if nothing is at ${to}, remove ${join(path, MOVED_FILE)}: then it stays here.`,
      });
}
