/**
 * The commit mark in a file of its own: two slots, written in turn and in place. Not synced: it has to outlive the
 * process and to be on another page of the disk than the newest batches, and after a loss of power an older mark only
 * says less.
 */
import { type FileHandle, open } from 'node:fs/promises';
import * as crypto from 'node:crypto';
import { type CommitMark } from '../ports.ts';
import { isErrno, writeFileAtomically } from '../region/files.ts';
import { diskError } from './disk-error.ts';
import { storeError } from './store-error.ts';

/** `count in 16 decimal digits || first 16 hexadecimal digits of SHA-256 of them || newline`. */
const SLOT_BYTES = 33;
const COUNT_DIGITS = 16;
const SLOTS = 2;

export class FileCommitMark implements CommitMark {
  readonly #path: string;
  #file: FileHandle | undefined;
  #next = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<number> {
    try {
      const file = await this.#open();
      const bytes = Buffer.alloc(SLOTS * SLOT_BYTES);
      await file.read(bytes, 0, bytes.length, 0);
      const counts = [parseSlot(bytes, 0), parseSlot(bytes, 1)];
      const [first = -1, second = -1] = counts;
      if (first < 0 && second < 0) {
        throw storeError('STORE_CORRUPT', `${this.#path} does not say how many batches were acknowledged`);
      }
      this.#next = first > second ? 1 : 0;
      return Math.max(first, second);
    } catch (error) {
      throw diskError(error, this.#path);
    }
  }

  async note(commits: number): Promise<void> {
    try {
      const file = await this.#open();
      await file.write(encodeSlot(commits), this.#next * SLOT_BYTES, 'latin1');
      this.#next = 1 - this.#next;
    } catch (error) {
      throw diskError(error, this.#path);
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #open(): Promise<FileHandle> {
    this.#file ??= await openOrCreate(this.#path);
    return this.#file;
  }
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    await writeFileAtomically(path, encodeSlot(0).repeat(SLOTS), { mode: 0o600 });
    return open(path, 'r+');
  }
}

function encodeSlot(commits: number): string {
  const digits = String(commits).padStart(COUNT_DIGITS, '0');
  return `${digits}${checkOf(digits)}\n`;
}

function parseSlot(bytes: Buffer, slot: number): number | undefined {
  const text = bytes.toString('latin1', slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES);
  const digits = text.slice(0, COUNT_DIGITS);
  return /^[0-9]{16}$/.test(digits) && text === `${digits}${checkOf(digits)}\n` ? Number(digits) : undefined;
}

function checkOf(digits: string): string {
  return crypto.hash('sha256', digits, 'hex').slice(0, SLOT_BYTES - COUNT_DIGITS - 1);
}
