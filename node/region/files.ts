/** Files that are either old or new after a crash, and reads with a bound. The only file of `node/region` that touches `node:fs`. */
import { randomBytes } from 'node:crypto';
import { type Stats } from 'node:fs';
import {
  constants,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { concatBytes } from '../../protocol/bytes.ts';
import { NodeError } from '../node-error.ts';

/** Read at a time where a size is not known. */
const PART_BYTES = 65_536;
/** What `writeFileAtomically` leaves beside a file if the process dies before the rename. */
const TEMPORARY = /\.[0-9a-f]{12}\.tmp$/;

export interface WriteOptions {
  /** Permission bits of the new file; 0o644 unless given. */
  readonly mode?: number;
}

/**
 * Replaces the file with `data`, or creates it with the folders above it. When this returns, the data and the name are synced;
 * a crash before that leaves the old file or none, never a part. The name of the temporary file is not a secret.
 */
export async function writeFileAtomically(
  path: string,
  data: Uint8Array | string | Iterable<string> | AsyncIterable<string>,
  { mode = 0o644 }: WriteOptions = {},
): Promise<void> {
  await writeFileSynced(path, data, { mode });
  await syncDirectory(dirname(path));
}

/** The same, but that the name is not synced: the caller syncs the folder once all its files are there. */
export async function writeFileSynced(
  path: string,
  data: Uint8Array | string | Iterable<string> | AsyncIterable<string>,
  { mode = 0o644 }: WriteOptions = {},
): Promise<void> {
  const temporary = await writeTemporary(path, data, mode);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Creates the file with `data`, and the folders above it, unless there is one: gives whether it did. Of several that try at the same time one does. Synced
 * either way, and never seen in part.
 */
export async function createFileAtomically(
  path: string,
  data: Uint8Array,
  { mode = 0o644 }: WriteOptions = {},
): Promise<boolean> {
  const temporary = await writeTemporary(path, data, mode);
  let isMade = true;
  try {
    await link(temporary, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    isMade = false;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(dirname(path));
  return isMade;
}

/** Beside the file that it is to become, synced. */
async function writeTemporary(
  path: string,
  data: Uint8Array | string | Iterable<string> | AsyncIterable<string>,
  mode: number,
): Promise<string> {
  await makeDirectory(dirname(path));
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await withFile(temporary, 'wx', mode, async (file) => {
      await writeFile(file, data);
      await file.sync();
    });
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return temporary;
}

/** Moves a synced file to its final name, creating the folders above it; both names are synced when this returns. */
export async function moveFile(from: string, to: string): Promise<void> {
  await makeDirectory(dirname(to));
  await rename(from, to);
  await syncDirectory(dirname(to));
  await syncDirectory(dirname(from));
}

export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
}

/** Removes a folder and all that is in it, if it is there. */
export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await syncDirectory(dirname(path));
}

/** The file's bytes, or undefined where there is none. @throws {NodeError} DATA_INCONSISTENT if it has more than `bytesMax`. */
export async function readFileIfPresent(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  return unlessAbsent(() => withFile(path, 'r', 0, (file) => readWhole(file, path, bytesMax)));
}

/**
 * The same of a file that somebody else has published, who may have put there what is none: nothing waits for a pipe or reads a
 * device. @throws {NodeError} DATA_INCONSISTENT for that too.
 */
export async function readPublishedFile(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  const { O_RDONLY, O_NONBLOCK } = constants;
  try {
    return await unlessAbsent(() =>
      withFile(path, O_RDONLY | O_NONBLOCK, 0, async (file) => {
        if (!(await file.stat()).isFile()) throw noFile(path);
        return readWhole(file, path, bytesMax);
      }),
    );
  } catch (error) {
    if (isErrno(error, 'ELOOP') || isErrno(error, 'ENXIO') || isErrno(error, 'ENAMETOOLONG'))
      throw noFile(path);
    throw error;
  }
}

async function readWhole(file: FileHandle, path: string, bytesMax: number): Promise<Uint8Array> {
  const stat = await file.stat();
  const { size } = stat;
  const tooLong = (bytes: string) =>
    new NodeError('DATA_INCONSISTENT', `${path} has ${bytes} bytes; at most ${bytesMax} were expected`);
  if (size > bytesMax) throw tooLong(`${size}`);
  const parts: Uint8Array[] = [];
  let length = 0;
  // Pipes and devices have no size, and a file may grow meanwhile.
  for (;;) {
    const part = new Uint8Array(length === 0 && size > 0 ? size + 1 : PART_BYTES);
    const { bytesRead } = await file.read(part);
    length += bytesRead;
    if (length > bytesMax) throw tooLong(`more than ${bytesMax}`);
    parts.push(part.subarray(0, bytesRead));
    if (bytesRead === 0 || (stat.isFile() && bytesRead < part.length)) break;
  }
  const [first, ...more] = parts;
  return first !== undefined && more.length === 0 ? first : concatBytes(...parts);
}

function noFile(path: string): NodeError {
  return new NodeError('DATA_INCONSISTENT', `${path} is no ordinary file`);
}

async function unlessAbsent<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Permission bits of a file, or undefined where there is none. */
export async function modeOf(path: string): Promise<number | undefined> {
  try {
    return await withFile(path, 'r', 0, async (file) => (await file.stat()).mode & 0o777);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** What is there; undefined for nothing, and for a text that can be no path. */
export async function statIfPresent(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const isNone = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'].some((code) =>
      isErrno(error, code),
    );
    if (isNone) return undefined;
    throw error;
  }
}

/** Names in a folder in ascending order, without the leavings of interrupted writes; none where there is no folder. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !TEMPORARY.test(name)).sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Removes what interrupted writes of files whose names begin so left in a folder, if there is one. Nobody may be writing to them. */
export async function removeLeavings(path: string, start = ''): Promise<void> {
  try {
    for (const name of await readdir(path))
      if (name.startsWith(start) && TEMPORARY.test(name)) await removeFile(join(path, name));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Creates the folder and those above it, synced. Not by Node's own recursion, which never ends where nothing can be made (`/proc/x`). */
export async function makeDirectory(path: string, mode = 0o755): Promise<void> {
  const above = dirname(path);
  try {
    if (!(await isMade(path, mode))) return;
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || above === path) throw error;
    await makeDirectory(above, mode);
    if (!(await isMade(path, mode))) return;
  }
  await syncDirectory(above);
}

/** False if the folder was there. */
async function isMade(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST') && (await stat(path)).isDirectory()) return false;
    throw error;
  }
}

/** Whether a file of somebody else cannot be read, by its rights or its medium. */
export function isUnreadable(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EIO', 'ESTALE', 'ENOTDIR'].some((code) => isErrno(error, code));
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

export async function withFile<T>(
  path: string,
  flags: string | number,
  mode: number,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await open(path, flags, mode);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Makes a folder durable with all that is in it, which nobody changes meanwhile. What its links point to is not in it. */
export async function syncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) await syncTree(below);
    else if (entry.isFile()) await withFile(below, 'r', 0, (file) => file.sync());
  }
  await syncDirectory(path);
}

/** Makes the names in a folder durable. */
export async function syncDirectory(path: string): Promise<void> {
  await withFile(path, 'r', 0, (directory) => directory.sync());
}
