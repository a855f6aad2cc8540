/**
 * High-water marks in files of a second directory, on another disk if there is one: what shows a node that its store
 * has gone back, as after a restored backup. One file for each name, replaced as a whole, with a hash of its own; names with a colon,
 * of which there may be thousands, share sixteen files for each of what stands before it.
 */
import * as crypto from 'node:crypto';
import { join } from 'node:path';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type HighWater, type SecondPlace } from '../ports.ts';
import {
  makeDirectory,
  moveFile,
  namesIn,
  readFileIfPresent,
  removeFile,
  withFile,
} from '../region/files.ts';
import { diskError } from './disk-error.ts';
import { assertNotBehind, encodeHighWater, HIGH_WATER_BYTES_MAX, parseHighWater } from './high-water.ts';
import { SHARED_MARKS_BYTES_MAX, SharedMarks } from './shared-marks.ts';
import { storeError } from './store-error.ts';
import { Turns } from '../turns.ts';

export interface SecondPlaceOptions {
  /** Created where it is absent. One process at a time. */
  readonly directory: string;
}

const ENDING = '.mark';
const SHARED = /^([a-z-]+)-[0-9a-f]\.marks$/;
const KIND = /^([a-z-]+):/;
/** The longest name is that of what is put away of the attestation log with the longest origin: 103. As names of files they are shorter than 255. */
const NAME_CHARS_MAX = 120;
const NAME_FORM = new RegExp(`^[\\x21-\\x7e]{1,${NAME_CHARS_MAX}}$`);

export class FileSecondPlace implements SecondPlace {
  readonly #directory: string;
  /** What the files hold, as far as they were read. */
  readonly #marks = new Map<string, HighWater | undefined>();
  /** Calls for each name follow one another. */
  readonly #turns = new Turns();
  readonly #shared = new Map<string, SharedMarks>();

  constructor({ directory }: SecondPlaceOptions) {
    this.#directory = directory;
  }

  read(name: string): Promise<HighWater | undefined> {
    return this.#inTurn(name, () => this.#read(name));
  }

  raise(name: string, mark: HighWater): Promise<void> {
    return this.#inTurn(name, async () => {
      const before = await this.#read(name);
      if (before !== undefined) assertNotBehind(name, before, mark);
      const shared = this.#sharedOf(name);
      if (shared !== undefined) return shared.set(name, mark);
      const bytes = encodeHighWater(name, mark);
      this.#marks.delete(name); // until it is written, either may be in place
      const path = this.#pathOf(name);
      await this.#onDisk(path, () => this.#write(path, bytes));
      this.#marks.set(name, mark);
    });
  }

  forget(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      if ((await this.#read(name)) === undefined) return;
      await this.#sharedOf(name)?.set(name, undefined);
      const path = this.#pathOf(name);
      this.#marks.delete(name);
      await this.#onDisk(path, () => removeFile(path));
    });
  }

  async names(prefix: string): Promise<readonly string[]> {
    const files = await this.#onDisk(this.#directory, () => namesIn(this.#directory));
    const names = new Set(files.flatMap((file) => nameOf(file) ?? []));
    for (const file of files) {
      const kind = SHARED.exec(file)?.[1];
      const mayHold = kind !== undefined && (prefix.startsWith(`${kind}:`) || `${kind}:`.startsWith(prefix));
      if (mayHold) for (const name of await this.#sharedIn(file).names()) names.add(name);
    }
    return [...names].filter((name) => name.startsWith(prefix));
  }

  /** Why files of it cannot be read, one error for each: all others are as they were written. Rejects where there is no reading at all. */
  async faults(): Promise<readonly NodeError[]> {
    const files = await this.#onDisk(this.#directory, () => namesIn(this.#directory));
    const faults: NodeError[] = [];
    for (const file of files) {
      const name = nameOf(file);
      try {
        if (SHARED.test(file)) await this.#sharedIn(file).names();
        else if (name !== undefined) await this.read(name);
      } catch (error) {
        if (!isNodeError(error)) throw error;
        faults.push(error);
      }
    }
    return faults;
  }

  /** A name that shares a file by now may have had one of its own. */
  async #read(name: string): Promise<HighWater | undefined> {
    const shared = await this.#sharedOf(name)?.read(name);
    if (shared !== undefined) return shared;
    if (this.#marks.has(name)) return this.#marks.get(name);
    const path = this.#pathOf(name);
    const bytes = await this.#onDisk(path, () => readFileIfPresent(path, HIGH_WATER_BYTES_MAX));
    const mark = bytes === undefined ? undefined : parseHighWater(name, bytes, path);
    this.#marks.set(name, mark);
    return mark;
  }

  #sharedOf(name: string): SharedMarks | undefined {
    const kind = KIND.exec(name)?.[1];
    if (kind === undefined) return undefined;
    return this.#sharedIn(`${kind}-${crypto.hash('sha256', name, 'hex').slice(0, 1)}.marks`);
  }

  #sharedIn(file: string): SharedMarks {
    const known = this.#shared.get(file);
    if (known !== undefined) return known;
    const path = join(this.#directory, file);
    const shared = new SharedMarks(path, {
      read: () => this.#onDisk(path, () => readFileIfPresent(path, SHARED_MARKS_BYTES_MAX)),
      write: (bytes) => this.#onDisk(path, () => this.#write(path, bytes)),
    });
    this.#shared.set(file, shared);
    return shared;
  }

  /** The temporary file has one name, so that a crash leaves at most one behind, which the next write replaces. */
  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${path}.new`;
    await makeDirectory(this.#directory, 0o700);
    await withFile(temporary, 'w', 0o600, async (file) => {
      await file.writeFile(bytes);
      await file.sync();
    });
    await moveFile(temporary, path);
  }

  async #onDisk<T>(path: string, use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      if (isNodeError(error)) throw storeError('SECOND_PLACE_CORRUPT', error.message, { cause: error });
      throw diskError(error, path);
    }
  }

  #inTurn<T>(name: string, call: () => Promise<T>): Promise<T> {
    if (!NAME_FORM.test(name))
      throw new RangeError(`a name has 1 to ${NAME_CHARS_MAX} printable ASCII characters`);
    return this.#turns.take(name, call);
  }

  #pathOf(name: string): string {
    const escaped = name.replaceAll(
      /[^A-Za-z0-9_-]/g,
      (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
    return join(this.#directory, `${escaped}${ENDING}`);
  }
}

/** Undefined for files that no mark is in. */
function nameOf(file: string): string | undefined {
  if (!file.endsWith(ENDING)) return undefined;
  return file
    .slice(0, -ENDING.length)
    .replaceAll(/%([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
