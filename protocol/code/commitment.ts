/** The commitment: a tree of four salted leaves, of which a code opens some. Spec: SPEC.md 5.2 and 5.3. */
import { asciiBytes, concatBytes } from '../bytes.ts';
import { type Sha256 } from '../primitives.ts';
import { FIELD_NAMES, type FieldOpenings, OPENING_BYTES_MAX } from './field.ts';

export const HASH_BYTES = 32;

/**
 * What opens a commitment: for each field, in the order of `FIELD_NAMES`, salt and value in `opened` or, where the field is
 * not used, the random leaf in `unused`, and undefined in the other. Private to the issuer: it tells what the log does not.
 */
export interface Openings {
  readonly opened: FieldOpenings;
  readonly unused: readonly (Uint8Array | undefined)[];
}

// One message for each kind of hash, with its label in place: a view is all that a hash allocates here. Sharing them is
// safe because hashing is synchronous and keeps no bytes.
const LEAF_MESSAGES = FIELD_NAMES.map((name) => {
  const label = asciiBytes(`\0entente/field/${name}/v1\n`);
  return { labelBytes: label.length, bytes: concatBytes(label, new Uint8Array(OPENING_BYTES_MAX)) };
});
const PAIR_LABEL = asciiBytes('\x01entente/commitment/v1\n');
const PAIR_MESSAGE = concatBytes(PAIR_LABEL, new Uint8Array(2 * HASH_BYTES));

/** The commitment that `openings` open. */
export function commitmentOf(sha256: Sha256, openings: Openings): Uint8Array {
  const [status, holder, document, evidence] = leavesOf(sha256, openings);
  return pairHash(sha256, pairHash(sha256, status, holder), pairHash(sha256, document, evidence));
}

/** The path of a code that opens the fields of `opened`: all hashes that they do not give. */
export function pathOf(sha256: Sha256, openings: Openings, opened: FieldOpenings): Uint8Array {
  const leaves = leavesOf(sha256, openings);
  const besides = (left: 0 | 2): Uint8Array[] => {
    const right = left === 0 ? 1 : 3;
    if (opened[left] && opened[right]) return [];
    if (opened[left]) return [leaves[right]];
    if (opened[right]) return [leaves[left]];
    return [pairHash(sha256, leaves[left], leaves[right])];
  };
  return concatBytes(...besides(0), ...besides(2));
}

/** Bytes of the path that belongs to these opened fields: a hash for each pair of which not both are opened. */
export function pathBytesOf([status, holder, document, evidence]: FieldOpenings): number {
  return (status && holder ? 0 : HASH_BYTES) + (document && evidence ? 0 : HASH_BYTES);
}

/** The commitment that opened fields and a path lead to. Needs `pathBytesOf(opened)` bytes of path. */
export function commitmentOfOpened(sha256: Sha256, opened: FieldOpenings, path: Uint8Array): Uint8Array {
  const [status, holder, document, evidence] = opened;
  const isOneHash = path.length <= HASH_BYTES;
  const first = isOneHash ? path : path.subarray(0, HASH_BYTES);
  const last = isOneHash ? path : path.subarray(-HASH_BYTES);
  const left = openedPairHash(sha256, 0, status, holder, first);
  return pairHash(sha256, left, openedPairHash(sha256, 2, document, evidence, last));
}

function leavesOf(sha256: Sha256, { opened, unused }: Openings) {
  const leaf = (field: number) => {
    const opening = opened[field];
    return opening === undefined ? (unused[field] as Uint8Array) : leafHash(sha256, field, opening);
  };
  return [leaf(0), leaf(1), leaf(2), leaf(3)] as const;
}

/** The hash of the pair that begins with field `number`; `given` is what the path gives for it, if anything. */
function openedPairHash(
  sha256: Sha256,
  number: number,
  left: Uint8Array | undefined,
  right: Uint8Array | undefined,
  given: Uint8Array,
): Uint8Array {
  if (left === undefined && right === undefined) return given;
  return pairHash(
    sha256,
    left === undefined ? given : leafHash(sha256, number, left),
    right === undefined ? given : leafHash(sha256, number + 1, right),
  );
}

/** `field` is a number below 4, `opening` at most `OPENING_BYTES_MAX` bytes. */
function leafHash(sha256: Sha256, field: number, opening: Uint8Array): Uint8Array {
  const { labelBytes, bytes } = LEAF_MESSAGES[field] as (typeof LEAF_MESSAGES)[number];
  bytes.set(opening, labelBytes);
  return sha256(bytes.subarray(0, labelBytes + opening.length));
}

function pairHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  PAIR_MESSAGE.set(left, PAIR_LABEL.length);
  PAIR_MESSAGE.set(right, PAIR_LABEL.length + HASH_BYTES);
  return sha256(PAIR_MESSAGE);
}
