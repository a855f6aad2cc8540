/** What a node holds of a log, and the form in which the store keeps it. */
import { z } from 'zod';
import { concatBytes } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { emptyRoot, HASH_BYTES } from '../../protocol/log/merkle.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type HighWater } from '../ports.ts';
import { logError } from './log-error.ts';

/** A signed note on a larger tree than is held, and the consistency path that proves this one to be its beginning. */
export interface AheadNote {
  readonly note: Uint8Array;
  readonly path: readonly Uint8Array[];
}

export interface LogHead {
  /** Leaves held, pruned ones included. */
  readonly size: number;
  readonly root: Uint8Array;
  /** As `Frontier.hashes`. */
  readonly frontier: readonly Uint8Array[];
  /** The newest checkpoint whose whole tree is held. Undefined only while the log has never had one. */
  readonly signed: HighWater | undefined;
  /** Present if and only if `size` is above that of `signed`: in a copy that is catching up. */
  readonly ahead: AheadNote | undefined;
  /** Entries below it may be gone. A multiple of 256. */
  readonly minimum: number;
  /** When the newest batch was made, by the clock of its sequencer; 0 in copies. Never falls. */
  readonly atS: number;
  /** Nothing is appended any more. */
  readonly sealed: boolean;
}

const FORM = 1;
/** Two notes and the hashes of a path and a frontier. */
const BYTES_MAX = 1 << 18;

const bytes = z.instanceof(Uint8Array);
const hash = bytes.refine(({ length }) => length === HASH_BYTES);
const hashes = bytes
  .refine(({ length }) => length % HASH_BYTES === 0)
  .transform((joined) =>
    Array.from({ length: joined.length / HASH_BYTES }, (_, i) =>
      joined.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
    ),
  );
const count = z.int().nonnegative();
const absent = z.tuple([]).transform(() => undefined);
const signedTree = z.tuple([count, hash, bytes]).transform(([size, root, note]) => ({ size, root, note }));
const aheadNote = z.tuple([bytes, hashes]).transform(([note, path]) => ({ note, path }));
const schema = z.tuple([
  z.literal(FORM),
  count,
  hash,
  hashes,
  z.union([absent, signedTree]),
  z.union([absent, aheadNote]),
  count,
  count,
  z.boolean(),
]);

/** The head of a log that has no leaf and was never signed. */
export function emptyHead(sha256: Sha256): LogHead {
  return {
    size: 0,
    root: emptyRoot(sha256),
    frontier: [],
    signed: undefined,
    ahead: undefined,
    minimum: 0,
    atS: 0,
    sealed: false,
  };
}

export function encodeHead(head: LogHead): Uint8Array {
  const { size, root, frontier, signed, ahead, minimum, atS, sealed } = head;
  return encodeCbor([
    FORM,
    size,
    root,
    concatBytes(...frontier),
    signed === undefined ? [] : [signed.size, signed.root, signed.note],
    ahead === undefined ? [] : [ahead.note, concatBytes(...ahead.path)],
    minimum,
    atS,
    sealed,
  ]);
}

/** @throws {NodeError} LOG_CORRUPT if these are not the bytes of a head. */
export function parseHead(stored: Uint8Array, origin: string): LogHead {
  try {
    const fields = schema.parse(decodeCbor(stored, { bytesMax: BYTES_MAX }));
    const [, size, root, frontier, signed, ahead, minimum, atS, sealed] = fields;
    return { size, root, frontier, signed, ahead, minimum, atS, sealed };
  } catch (cause) {
    throw logError('LOG_CORRUPT', `${origin}: the head in the store is none`, { cause });
  }
}
