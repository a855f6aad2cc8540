/** The revoked ones among 2^16 indexes of one log, in memory and as bytes. Spec: SPEC.md 7.5. */
import { BLOCK_BYTES_MAX } from '../limits.ts';
import { decodeIndexSet, encodeIndexSet } from './index-set-code.ts';

/** Indexes of one block; block n holds n * 65,536 and those after it. */
export const BLOCK_INDEXES = 65_536;

/** How the members of a block are held, `data` in each case: */
const LIST = 0; // every member, ascending
const BITMAP = 1; // bit (member mod 16), the lowest first, of word (member div 16)
const RUNS = 2; // first and last member of each run, ascending
type Form = typeof LIST | typeof BITMAP | typeof RUNS;

const BITMAP_WORDS = BLOCK_INDEXES / 16;

/** Members are places in 0 .. 65,535; there is at least one. Immutable: a union is another block. */
export class RevocationBlock {
  readonly count: number;
  readonly #form: Form;
  readonly #data: Uint16Array;
  #bytes: Uint8Array | undefined;

  private constructor(count: number, form: Form, data: Uint16Array) {
    this.count = count;
    this.#form = form;
    this.#data = data;
  }

  /** In the smallest form. `members` are ascending, distinct and not empty, and are the block's from now on. */
  static of(members: Uint16Array): RevocationBlock {
    const count = members.length;
    if (count === 0) throw new RangeError('a block has at least one member');
    const runs = countRuns(members);
    if (count <= BITMAP_WORDS && count <= 2 * runs) return new RevocationBlock(count, LIST, members);
    if (2 * runs < BITMAP_WORDS) return new RevocationBlock(count, RUNS, runsOf(members, runs));
    return new RevocationBlock(count, BITMAP, bitmapOf(members));
  }

  /**
   * The block that `encode` turns into `bytes`; undefined if they are the empty set.
   * @throws {ProtocolError} TOO_LARGE above `BLOCK_BYTES_MAX`; REVOCATION_MALFORMED as `decodeIndexSet`.
   */
  static decode(bytes: Uint8Array): RevocationBlock | undefined {
    const members = decodeIndexSet(bytes, {
      bytesMax: BLOCK_BYTES_MAX,
      countMax: BLOCK_INDEXES,
      indexBound: BLOCK_INDEXES,
    });
    return members.length === 0 ? undefined : RevocationBlock.of(new Uint16Array(members));
  }

  /** The only encoding of the members, as a set of places. Not to be written to: it is kept for the next call. */
  encode(): Uint8Array {
    return (this.#bytes ??= encodeIndexSet(new Float64Array(this.members())));
  }

  /** Bytes of memory that the members take. */
  get memoryBytes(): number {
    return this.#data.byteLength;
  }

  /** `place`: 0 .. 65,535. */
  has(place: number): boolean {
    const data = this.#data;
    if (this.#form === BITMAP) return (((data[place >> 4] ?? 0) >> (place & 15)) & 1) === 1;
    const step = this.#form === LIST ? 0 : 1;
    // Narrows to the last entry that is not above `place`. The sign of the difference is the choice: a branch there would be
    // guessed wrongly every other time.
    let low = 0;
    for (let left = data.length >> step; left > 1;) {
      const half = left >> 1;
      low += half & (((data[(low + half) << step] ?? 0) - place - 1) >> 31);
      left -= half;
    }
    const first = data[low << step] ?? 0;
    const last = data[(low << step) + step] ?? 0;
    return first <= place && place <= last;
  }

  /** All members, ascending. Not to be written to: it may be the block's own. */
  members(): Uint16Array {
    const data = this.#data;
    if (this.#form === LIST) return data;
    const members = new Uint16Array(this.count);
    let filled = 0;
    if (this.#form === RUNS) {
      for (let i = 0; i < data.length; i += 2) {
        const last = data[i + 1] ?? 0;
        for (let member = data[i] ?? 0; member <= last; member++) members[filled++] = member;
      }
      return members;
    }
    for (let word = 0; word < BITMAP_WORDS; word++) {
      for (let rest = data[word] ?? 0; rest !== 0; rest &= rest - 1) {
        members[filled++] = 16 * word + 31 - Math.clz32(rest & -rest);
      }
    }
    return members;
  }

  /** The members of both; this very block if it has all of them already. */
  union(other: RevocationBlock): RevocationBlock {
    if (this === other) return this;
    const merged = mergeSorted(this.members(), other.members());
    if (merged.length === this.count) return this;
    return merged.length === other.count ? other : RevocationBlock.of(merged);
  }

  equals(other: RevocationBlock): boolean {
    if (this === other) return true;
    // Equal members are held in the same form.
    if (this.count !== other.count || this.#form !== other.#form) return false;
    return this.#data.length === other.#data.length && this.#data.every((word, i) => word === other.#data[i]);
  }
}

function countRuns(members: Uint16Array): number {
  let runs = 1;
  for (let i = 1; i < members.length; i++) if (members[i] !== (members[i - 1] ?? 0) + 1) runs++;
  return runs;
}

function runsOf(members: Uint16Array, runCount: number): Uint16Array {
  const runs = new Uint16Array(2 * runCount);
  let at = -1;
  for (let i = 0; i < members.length; i++) {
    const member = members[i] ?? 0;
    if (i === 0 || member !== (members[i - 1] ?? 0) + 1) runs[(at += 2) - 1] = member;
    runs[at] = member;
  }
  return runs;
}

function bitmapOf(members: Uint16Array): Uint16Array {
  const words = new Uint16Array(BITMAP_WORDS);
  for (const member of members) words[member >> 4] = (words[member >> 4] ?? 0) | (1 << (member & 15));
  return words;
}

function mergeSorted(a: Uint16Array, b: Uint16Array): Uint16Array {
  const merged = new Uint16Array(Math.min(a.length + b.length, BLOCK_INDEXES));
  let filled = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const ours = a[i] ?? 0;
    const theirs = b[j] ?? 0;
    merged[filled++] = Math.min(ours, theirs);
    if (ours <= theirs) i++;
    if (theirs <= ours) j++;
  }
  while (i < a.length) merged[filled++] = a[i++] ?? 0;
  while (j < b.length) merged[filled++] = b[j++] ?? 0;
  return merged.slice(0, filled);
}
