/**
 * A ballast file: space that a full disk gives back at once, so that the store can still be closed in order, opened
 * again and read. LevelDB cannot even open on a disk without a free byte.
 */
import { open, rm, stat, statfs } from 'node:fs/promises';
import * as crypto from 'node:crypto';
import { isErrno } from '../region/files.ts';
import { diskError } from './disk-error.ts';
import { storeError } from './store-error.ts';

const STEP_BYTES = 1 << 20;

export interface ReserveOptions {
  readonly path: string;
  /** Bytes kept back. To open, LevelDB turns up to two full write buffers of 4 MiB into tables: 10 MiB is the least. */
  readonly bytes: number;
}

export class Reserve {
  readonly #options: ReserveOptions;

  constructor(options: ReserveOptions) {
    this.#options = options;
  }

  async free(): Promise<void> {
    await rm(this.#options.path, { force: true });
  }

  /**
   * Does nothing if all of it is kept. Random bytes: a file system may compress others away.
   * @throws {NodeError} DISK_FULL unless as much again stays free, then none is kept; DISK_IO, DISK_UNWRITABLE.
   */
  async fill(): Promise<void> {
    const { path, bytes } = this.#options;
    if (bytes === 0 || (await sizeOf(path)) === bytes) return;
    try {
      const file = await open(path, 'w', 0o600);
      try {
        const step = crypto.randomBytes(Math.min(STEP_BYTES, bytes));
        for (let written = 0; written < bytes;) {
          written += (await file.write(step, 0, Math.min(step.length, bytes - written))).bytesWritten;
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const { bavail, bsize } = await statfs(path);
      if (bavail * bsize < bytes)
        throw storeError('DISK_FULL', `${path}: less than ${bytes} bytes are left beside it`);
    } catch (error) {
      await this.free();
      throw diskError(error, path);
    }
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw diskError(error, path);
  }
}
