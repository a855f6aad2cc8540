/**
 * Checks the files of a LevelDB directory. LevelDB drops records of its write-ahead log that do not check, forgets edits
 * at the end of its manifest, and reads tables without looking at their checksums, all without a word: then keys are
 * missing or old values come back. Must run before LevelDB opens the directory, since opening consumes the logs.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../region/files.ts';
import { type DiskCheck } from '../../ports.ts';
import { readLogRecords } from './log-file.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { damageOfTable } from './table.ts';

const CURRENT = 'CURRENT';
const MANIFEST_NAME = /^MANIFEST-[0-9]{6,}\n$/;

/**
 * Checks a directory that no process has open, file by file; damage ends it. What a write that never finished may have
 * left at the end of a log is none: whether that was acknowledged only a count of batches can tell.
 */
export async function* checkClosedDirectory(directory: string): AsyncGenerator<DiskCheck, void, undefined> {
  const manifest = await liveManifest(directory);
  yield manifest.check;
  if (manifest.live === undefined) return;
  const { logNumber, tables } = manifest.live;
  yield await checkLogs(directory, logNumber);
  for (const [number, bytes] of tables) yield await checkTable(directory, number, bytes);
}

/** Checks the tables of a directory while it is in use; those that are dropped meanwhile are passed over. */
export async function* checkTablesInUse(directory: string): AsyncGenerator<DiskCheck, void, undefined> {
  const { check, live } = await liveManifest(directory);
  yield check;
  for (const [number, bytes] of live?.tables ?? []) {
    const checked = await checkTable(directory, number, bytes);
    const dropped = checked.damage !== undefined && !(await liveManifest(directory)).live?.tables.has(number);
    if (!dropped) yield checked;
  }
}

async function liveManifest(directory: string): Promise<{ check: DiskCheck; live?: Manifest }> {
  const current = await readIfPresent(join(directory, CURRENT));
  const name = current === undefined ? '' : Buffer.from(current).toString('latin1');
  if (!MANIFEST_NAME.test(name)) return { check: { bytes: 0, damage: `${CURRENT} names no manifest` } };
  const file = name.trimEnd();
  const bytes = await readIfPresent(join(directory, file));
  if (bytes === undefined) return { check: { bytes: 0, damage: `${file} is missing` } };
  const { records, damaged } = readLogRecords(bytes);
  const live = damaged ? undefined : readManifest(records);
  if (live === undefined) return { check: { bytes: bytes.length, damage: `${file} is damaged` } };
  return { check: { bytes: bytes.length }, live };
}

/** The logs from `logNumber` on: the first must be there, and only the last with records may have a torn end. */
async function checkLogs(directory: string, logNumber: number): Promise<DiskCheck> {
  const numbers = await logsFrom(directory, logNumber);
  if (logNumber > 0 && numbers[0] !== logNumber) {
    return { bytes: 0, damage: `the log ${logNumber} is missing` };
  }
  let bytes = 0;
  let torn: string | undefined;
  for (const number of numbers) {
    const name = `${String(number).padStart(6, '0')}.log`;
    const contents = await readIfPresent(join(directory, name));
    if (contents === undefined) continue;
    bytes += contents.length;
    const { records, brokenAt, damaged } = readLogRecords(contents);
    if (records.length > 0 && torn !== undefined) return { bytes, damage: torn };
    if (brokenAt !== undefined) torn = `${name} is damaged at byte ${brokenAt}`;
    if (damaged) return { bytes, ...(torn !== undefined && { damage: torn }) };
  }
  return { bytes };
}

async function checkTable(directory: string, number: number, size: number): Promise<DiskCheck> {
  const stem = String(number).padStart(6, '0');
  const bytes =
    (await readIfPresent(join(directory, `${stem}.ldb`))) ??
    (await readIfPresent(join(directory, `${stem}.sst`)));
  if (bytes === undefined) return { bytes: 0, damage: `the table ${stem} is missing` };
  const damage =
    bytes.length === size ? damageOfTable(bytes) : `it has ${bytes.length} bytes instead of ${size}`;
  return { bytes: bytes.length, ...(damage !== undefined && { damage: `the table ${stem}: ${damage}` }) };
}

async function logsFrom(directory: string, logNumber: number): Promise<number[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => /^[0-9]{6,}\.log$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .filter((number) => number >= logNumber)
    .sort((a, b) => a - b);
}

async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
