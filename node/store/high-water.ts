/** The file form of a high-water mark: five lines of text, then the note. */
import * as crypto from 'node:crypto';
import { asciiBytes, concatBytes, equalBytes, hexOf } from '../../protocol/bytes.ts';
import { NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { type HighWater } from '../ports.ts';
import { storeError } from './store-error.ts';

const HASH_DIGITS = 64;
const ROOT_BYTES = 32;
const HEAD_BYTES_MAX = 512;

/** Bytes of a file. */
export const HIGH_WATER_BYTES_MAX = HEAD_BYTES_MAX + NOTE_BYTES_MAX;

const HEAD_FORM = /^entente high-water 1\n([\x21-\x7e]+)\n(0|[1-9][0-9]{0,15})\n([0-9a-f]{64})\n/;

/** SHA-256 of all that follows it, the name, size and root in a line each, the note. */
export function encodeHighWater(name: string, { size, root, note }: HighWater): Uint8Array {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('a size is an integer from 0 to 2^53-1');
  if (root.length !== ROOT_BYTES) throw new RangeError(`a root has ${ROOT_BYTES} bytes, not ${root.length}`);
  if (note.length > NOTE_BYTES_MAX) throw new RangeError(`a note has at most ${NOTE_BYTES_MAX} bytes`);
  const rest = concatBytes(asciiBytes(`entente high-water 1\n${name}\n${size}\n${hexOf(root)}\n`), note);
  return concatBytes(asciiBytes(`${hashOf(rest)}\n`), rest);
}

/** @throws {NodeError} SECOND_PLACE_CORRUPT unless the bytes are those written for `name`. */
export function parseHighWater(name: string, bytes: Uint8Array, path: string): HighWater {
  const rest = bytes.subarray(HASH_DIGITS + 1);
  const hash = Buffer.from(bytes.subarray(0, HASH_DIGITS + 1)).toString('latin1');
  const head = HEAD_FORM.exec(Buffer.from(rest.subarray(0, HEAD_BYTES_MAX)).toString('latin1'));
  if (hash !== `${hashOf(rest)}\n` || head?.[1] !== name) {
    throw storeError('SECOND_PLACE_CORRUPT', `${path} is not what was written there for ${name}`);
  }
  return {
    size: Number(head[2]),
    root: Uint8Array.from(Buffer.from(head[3] ?? '', 'hex')),
    note: rest.slice(head[0].length),
  };
}

/** The rule of every second place. @throws {NodeError} SECOND_PLACE_BEHIND unless `mark` may replace `before`. */
export function assertNotBehind(name: string, before: HighWater, mark: HighWater): void {
  const behind = mark.size < before.size;
  if (!behind && (mark.size > before.size || equalBytes(mark.root, before.root))) return;
  const found = behind ? `size ${mark.size}` : `another root at size ${mark.size}`;
  throw storeError('SECOND_PLACE_BEHIND', `${name}: ${found}, where this node was at size ${before.size}`);
}

function hashOf(bytes: Uint8Array): string {
  return crypto.hash('sha256', bytes, 'hex');
}
