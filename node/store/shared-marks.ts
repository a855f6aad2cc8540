/**
 * Marks of many names in one file: replaced as a whole, with a hash of its own, once for all that wait. So a witness of thousands of
 * logs waits for the disk as often as one of a few.
 */
import * as crypto from 'node:crypto';
import { asciiBytes, concatBytes } from '../../protocol/bytes.ts';
import { type HighWater } from '../ports.ts';
import { encodeHighWater, HIGH_WATER_BYTES_MAX, parseHighWater } from './high-water.ts';
import { storeError } from './store-error.ts';

export interface SharedMarksModules {
  /** The bytes of the file; undefined where there is none. */
  readonly read: () => Promise<Uint8Array | undefined>;
  /** Replaces it durably: when this rejects, the old or the new one is in place. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

interface Kept {
  readonly mark: HighWater;
  /** As the file has it. */
  readonly record: Uint8Array;
}

interface Change {
  readonly name: string;
  /** Undefined: there is none any more. */
  readonly kept: Kept | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** More than any node needs: 65,536 logs with notes of 1 KiB. */
export const SHARED_MARKS_BYTES_MAX = 64 * 1024 * 1024;

const HEAD = asciiBytes('entente high-waters 1\n');
const HASH_DIGITS = 64;
const LENGTH_BYTES = 4;

export class SharedMarks {
  /** For errors. */
  readonly #path: string;
  readonly #modules: SharedMarksModules;
  #kept: Map<string, Kept> | undefined;
  #loading: Promise<Map<string, Kept>> | undefined;
  #waiting: Change[] = [];
  #writing: Promise<void> | undefined;

  constructor(path: string, modules: SharedMarksModules) {
    this.#path = path;
    this.#modules = modules;
  }

  /** Rejects as `SecondPlace.read`. */
  async read(name: string): Promise<HighWater | undefined> {
    return (await this.#load()).get(name)?.mark;
  }

  async names(): Promise<readonly string[]> {
    return [...(await this.#load()).keys()];
  }

  /** Sets a mark, or takes it away. Calls for one name follow one another. Rejects as `SecondPlace.raise`. */
  async set(name: string, mark: HighWater | undefined): Promise<void> {
    const kept = mark && { mark, record: recordOf(name, mark) };
    await this.#load();
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ name, kept, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Never rejects: those that wait are told. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const changes = this.#waiting.splice(0);
      try {
        const next = new Map(await this.#load());
        for (const { name, kept } of changes) {
          if (kept === undefined) next.delete(name);
          else next.set(name, kept);
        }
        await this.#modules.write(encode([...next.values()]));
        this.#kept = next;
        for (const { resolve } of changes) resolve();
      } catch (error) {
        this.#kept = undefined; // either file may be in place
        for (const { reject } of changes) reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #load(): Promise<Map<string, Kept>> {
    if (this.#kept !== undefined) return this.#kept;
    this.#loading ??= this.#modules.read().then((bytes) => this.#parse(bytes));
    try {
      return (this.#kept = await this.#loading);
    } finally {
      this.#loading = undefined;
    }
  }

  #parse(bytes: Uint8Array | undefined): Map<string, Kept> {
    const kept = new Map<string, Kept>();
    if (bytes === undefined) return kept;
    const rest = bytes.subarray(HASH_DIGITS + 1);
    const hash = Buffer.from(bytes.subarray(0, HASH_DIGITS + 1)).toString('latin1');
    if (hash !== `${hashOf(rest)}\n` || Buffer.compare(rest.subarray(0, HEAD.length), HEAD) !== 0)
      throw this.#corrupt();
    const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
    for (let at = HEAD.length; at < rest.length;) {
      const end = at + LENGTH_BYTES + (at + LENGTH_BYTES <= rest.length ? view.getUint32(at) : Infinity);
      if (end > rest.length || end > at + LENGTH_BYTES + HIGH_WATER_BYTES_MAX) throw this.#corrupt();
      const record = rest.slice(at, end);
      const name = nameIn(record.subarray(LENGTH_BYTES));
      kept.set(name, { mark: parseHighWater(name, record.subarray(LENGTH_BYTES), this.#path), record });
      at = end;
    }
    return kept;
  }

  #corrupt(): Error {
    return storeError('SECOND_PLACE_CORRUPT', `${this.#path} is not what was written there`);
  }
}

function recordOf(name: string, mark: HighWater): Uint8Array {
  const encoded = encodeHighWater(name, mark);
  const record = new Uint8Array(LENGTH_BYTES + encoded.length);
  new DataView(record.buffer).setUint32(0, encoded.length);
  record.set(encoded, LENGTH_BYTES);
  return record;
}

/** The third line: the first two are a hash and what this is. */
function nameIn(encoded: Uint8Array): string {
  return Buffer.from(encoded.subarray(0, 512)).toString('latin1').split('\n', 3)[2] ?? '';
}

function encode(kept: readonly Kept[]): Uint8Array {
  const rest = concatBytes(HEAD, ...kept.map(({ record }) => record));
  if (rest.length > SHARED_MARKS_BYTES_MAX - HASH_DIGITS - 1)
    throw storeError('STORE_FULL', 'the second place has marks of too many logs');
  return concatBytes(asciiBytes(`${hashOf(rest)}\n`), rest);
}

function hashOf(bytes: Uint8Array): string {
  return crypto.hash('sha256', bytes, 'hex');
}
