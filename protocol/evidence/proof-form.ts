/** The parts that evidence and the messages of nodes are made of, as decoded CBOR. Spec: SPEC.md 14.5, 18.1. */
import * as z from 'zod';
import { concatBytes } from '../bytes.ts';
import { type CborValue } from '../encoding/cbor.ts';
import { ENTRY_BYTES_MAX, NOTE_BYTES_MAX, PROOF_HASHES_MAX } from '../limits.ts';
import { HASH_BYTES, type ProofPath } from '../log/merkle.ts';
import { type ForkSide } from './fork.ts';

export const countForm = z.int().nonnegative();
export const bytesForm = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes');
export const hashForm = bytesForm.refine(({ length }) => length === HASH_BYTES, 'expected 32 bytes');
export const noteForm = bytesForm.refine(({ length }) => length <= NOTE_BYTES_MAX, 'expected a shorter note');
export const entryForm = bytesForm.refine(
  ({ length }) => length <= ENTRY_BYTES_MAX,
  'expected a shorter entry',
);

/** Hashes joined; on the wire one byte string. */
export const pathForm = bytesForm
  .refine(({ length }) => length % HASH_BYTES === 0 && length <= PROOF_HASHES_MAX * HASH_BYTES)
  .transform((joined): ProofPath =>
    Array.from({ length: joined.length / HASH_BYTES }, (_, i) =>
      joined.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
    ),
  );

export const forkSizeForm = countForm.min(1);
export const forkSideForm = z.strictObject({ note: noteForm, root: hashForm, path: pathForm });
export const forkSidesForm = z.tuple([forkSideForm, forkSideForm]);

/** What `pathForm` takes apart. */
export function pathValue(path: ProofPath): Uint8Array {
  return concatBytes(...path);
}

/** What `forkSidesForm` takes apart. */
export function forkSidesValue(sides: readonly ForkSide[]): CborValue {
  return sides.map(({ note, root, path }) => ({ note, root, path: pathValue(path) }));
}
