/**
 * A process that writes `ROUND_BYTES` to a disk in the directory that it is given, reads all of it `ROUNDS` times and tells its parent
 * how many bytes of memory that took. It does nothing else: what is left to the collector stays.
 */
import { LevelDisk } from '../../node/store/level-disk.ts';

/** This file, to be started as a process. */
export const PAGE_READING_CHILD = import.meta.filename;

export const ROUNDS = 4;
const [VALUES, VALUE_BYTES, VALUES_AT_ONCE] = [1_600, 37_000, 40];
/** The bytes of 400,000 entries, in values of the size of a run of them. */
export const ROUND_BYTES = VALUES * VALUE_BYTES;

async function read(disk: LevelDisk): Promise<void> {
  let from = 'k';
  for (;;) {
    const page = await disk.range(from, 'l', { limit: 256 });
    const last = page.at(-1)?.[0];
    if (last === undefined) return;
    from = `${last}\0`;
  }
}

async function main(directory: string): Promise<void> {
  const disk = new LevelDisk({ directory, reserveBytes: 0 });
  await disk.open();
  for (let at = 0; at < VALUES; at += VALUES_AT_ONCE) {
    const value = new Uint8Array(VALUE_BYTES).fill(at);
    await disk.write(
      Array.from({ length: VALUES_AT_ONCE }, (_, i) => ({ put: `k${at + i + 10_000}`, value })),
    );
  }
  // The files are mapped while they are read, and count as resident then.
  await read(disk);
  const before = process.memoryUsage.rss();
  for (let round = 0; round < ROUNDS; round++) await read(disk);
  process.send?.(process.memoryUsage.rss() - before);
  await disk.close();
}

const [directory] = process.argv.slice(2);
if (process.send !== undefined && directory !== undefined) await main(directory);
