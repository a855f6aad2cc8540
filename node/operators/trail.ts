/**
 * What operators did with a region, one line each in a file that only grows: every line names the hash of the one before, so that
 * nothing can be changed or taken out unseen. A line is on the disk before what it speaks of begins; a later one says if that was
 * refused or failed. It holds nothing of people: no references, names, papers or texts.
 *
 * One writer: whoever holds the region open.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NodeError } from '../node-error.ts';
import { isErrno, modeOf, statIfPresent, syncDirectory, withFile } from '../region/files.ts';
import {
  FIRST_PREVIOUS,
  parseTrailLine,
  type TrailEntry,
  type TrailHead,
  trailHash,
  type TrailNote,
  trailNoteSchema,
} from './trail-line.ts';

export type { TrailNote } from './trail-line.ts';

export interface TrailModules {
  readonly nowS: () => number;
}

interface Waiting {
  readonly note: TrailNote;
  readonly resolve: (n: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Bytes from the end in which the last line is looked for: no line is longer. */
const TAIL_BYTES = 65_536;
/** Notes that wait for the disk. */
const WAITING_MAX = 65_536;
const NEWLINE = 0x0a;

export class Trail {
  readonly #path: string;
  readonly #modules: TrailModules;
  #head: TrailHead;
  /** Bytes of whole lines; what lies behind them was never acknowledged. */
  #length: number;
  #isNamed: boolean;
  readonly #waiting: Waiting[] = [];
  #isWriting = false;

  private constructor(
    path: string,
    modules: TrailModules,
    { head, length, isNamed }: { head: TrailHead; length: number; isNamed: boolean },
  ) {
    this.#path = path;
    this.#modules = modules;
    this.#head = head;
    this.#length = length;
    this.#isNamed = isNamed;
  }

  /** Goes on behind the last whole line; a file is made with the first note. @throws {NodeError} DATA_INCONSISTENT if that is none. */
  static async open(path: string, modules: TrailModules): Promise<Trail> {
    const isNamed = (await modeOf(path)) !== undefined;
    const { size = 0 } = (await statIfPresent(path)) ?? {};
    const from = Math.max(0, size - TAIL_BYTES);
    const tail = isNamed ? await bytesOf(path, from, size - from) : Buffer.alloc(0);
    const end = tail.lastIndexOf(NEWLINE);
    const start = end < 1 ? 0 : tail.lastIndexOf(NEWLINE, end - 1) + 1;
    if (end < 0) {
      if (from > 0) throw inconsistent(path);
      return new Trail(path, modules, { head: { size: 0, hash: FIRST_PREVIOUS }, length: 0, isNamed });
    }
    const line = tail.toString('utf8', start, end);
    const entry = parseTrailLine(line);
    if (entry === undefined) throw inconsistent(path);
    const head = { size: entry.n + 1, hash: trailHash(line) };
    return new Trail(path, modules, { head, length: from + end + 1, isNamed });
  }

  /** How long it is on the disk, and the hash of its last line. */
  get head(): TrailHead {
    return this.#head;
  }

  /**
   * Resolves with the number of the line once that is on the disk. Those that come together share a write. Rejects as the disk does,
   * and with a TypeError for what would be no line of a trail.
   */
  append(note: TrailNote): Promise<number> {
    const { error } = trailNoteSchema.safeParse(note);
    if (error !== undefined)
      return Promise.reject(new TypeError('this is no note for a trail', { cause: error }));
    if (this.#waiting.length >= WAITING_MAX)
      return Promise.reject(
        new NodeError('STORE_BUSY', 'too much waits for the trail', { retry: true, hint: 'Ask again.' }),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ note, resolve, reject });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0);
      const first = this.#head.size;
      try {
        await this.#write(some.map(({ note }) => note));
        some.forEach(({ resolve }, i) => resolve(first + i));
      } catch (error) {
        for (const { reject } of some) reject(diskError(error, this.#path));
      }
    }
    this.#isWriting = false;
  }

  /** What an earlier write left behind the last whole line is cut off first. */
  async #write(notes: readonly TrailNote[]): Promise<void> {
    let { size, hash } = this.#head;
    let text = '';
    const at = this.#modules.nowS();
    for (const note of notes) {
      const line = JSON.stringify({ n: size, prev: hash, at, ...note } satisfies TrailEntry);
      text += `${line}\n`;
      hash = trailHash(line);
      size++;
    }
    const bytes = Buffer.from(text);
    const file = await open(this.#path, this.#isNamed ? 'r+' : 'w', 0o600);
    try {
      await file.truncate(this.#length);
      await writeWhole(file, bytes, this.#length);
      await file.datasync();
    } finally {
      await file.close();
    }
    if (!this.#isNamed) await syncDirectory(dirname(this.#path));
    this.#isNamed = true;
    this.#length += bytes.length;
    this.#head = { size, hash };
  }
}

/** A write may take a part of the bytes and say so: what is left is written after it. */
async function writeWhole(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written);
    if (bytesWritten === 0) throw new Error('the disk takes no more bytes');
    written += bytesWritten;
  }
}

async function bytesOf(path: string, from: number, length: number): Promise<Buffer> {
  return withFile(path, 'r', 0, async (file) => {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, from);
    return buffer.subarray(0, bytesRead);
  });
}

function inconsistent(path: string): NodeError {
  return new NodeError('DATA_INCONSISTENT', `${path} does not end with a line of a trail`, {
    hint: 'See what is left with `entente trail verify`, and restore it from a backup; move it away only to begin a new one.',
  });
}

function diskError(cause: unknown, path: string): NodeError {
  const isFull = isErrno(cause, 'ENOSPC') || isErrno(cause, 'EDQUOT');
  const why = cause instanceof Error ? cause.message : String(cause);
  return new NodeError(isFull ? 'DISK_FULL' : 'DISK_IO', `${path} cannot be written: ${why}`, {
    cause,
    retry: true,
    hint: 'What an operator does has to be noted first: make room, or mend the disk.',
  });
}
