/**
 * What a region signs over the table of a day, so that any mirror may serve its buckets: which tree they are the leaves of, and when that was
 * so. A bucket that is left out, or of an earlier hour, is found out. Spec: SPEC.md 21.5.
 */
import * as z from 'zod';
import { asciiBytes, concatBytes, equalBytes } from '../bytes.ts';
import { decodeCbor, encodeCbor } from '../encoding/cbor.ts';
import { bytesForm, countForm, hashForm } from '../evidence/proof-form.ts';
import { ProtocolError } from '../fault.ts';
import { LOOKUP_BITS_MAX, LOOKUP_CAPACITY_MAX, LOOKUP_HEAD_BYTES_MAX, LOOKUP_HEAD_S } from '../limits.ts';
import { type HashSource, inclusionProof, rootOf } from '../log/merkle-proof.ts';
import { leafHash, nodeHash, type ProofPath, verifyInclusion } from '../log/merkle.ts';
import { isNetwork, isRegion } from '../log/origin.ts';
import { type Sha256, type VerifySignature } from '../primitives.ts';
import { SIGNATURE_BYTES } from '../signature/strict-ed25519.ts';
import { LOOKUP_SALT_BYTES } from './oblivious.ts';
import { type LookupTable } from './table.ts';

const LABEL = asciiBytes('entente/lookup-head/v1\n');
const KEY_BYTES = 32;

const headForm = z.strictObject({
  kind: z.literal('lookup'),
  region: z.string().refine(isRegion),
  network: z.string().refine(isNetwork),
  /** Days since 1970. */
  day: countForm,
  /** Seconds since 1970: the table says what was so then. */
  at: countForm,
  bits: countForm.max(LOOKUP_BITS_MAX),
  capacity: countForm.min(1).max(LOOKUP_CAPACITY_MAX),
  /** Of this table alone: `numberSecrets`. */
  salt: bytesForm.refine(({ length }) => length === LOOKUP_SALT_BYTES),
  /** Of the tree whose leaves are the buckets. */
  root: hashForm,
});
const signedForm = z.tuple([
  bytesForm,
  bytesForm.refine(({ length }) => length === KEY_BYTES),
  bytesForm.refine(({ length }) => length === SIGNATURE_BYTES),
]);

export type LookupHead = z.infer<typeof headForm>;

export interface SignedHead {
  readonly head: LookupHead;
  /** The key that signed it, 32 bytes; whose it is, and from when until when, the trust state says. */
  readonly publicKey: Uint8Array;
}

/** Signs a head with a trust-log key of the region. @throws {TypeError} for one that breaks SPEC.md 21.5. */
export function signLookupHead(
  head: LookupHead,
  { publicKey, sign }: { readonly publicKey: Uint8Array; readonly sign: (message: Uint8Array) => Uint8Array },
): Uint8Array {
  const parsed = headForm.safeParse(head);
  if (!parsed.success) throw new TypeError(`no such head: ${parsed.error.message}`);
  const body = encodeCbor(parsed.data);
  return encodeCbor([body, publicKey, sign(concatBytes(LABEL, body))]);
}

/**
 * Takes a head and checks its signature, by the key that it carries.
 * @throws {ProtocolError} TOO_LARGE, CBOR_MALFORMED, CBOR_NOT_CANONICAL, LOOKUP_MALFORMED, SIGNATURE_INVALID.
 */
export function openLookupHead(
  bytes: Uint8Array,
  { verifySignature }: { readonly verifySignature: VerifySignature },
): SignedHead {
  const limits = { bytesMax: LOOKUP_HEAD_BYTES_MAX };
  const signed = signedForm.safeParse(decodeCbor(bytes, limits));
  if (!signed.success) throw malformed();
  const [body, publicKey, signature] = signed.data;
  const parsed = headForm.safeParse(decodeCbor(body, limits));
  if (!parsed.success) throw malformed();
  if (!verifySignature({ publicKey, message: concatBytes(LABEL, body), signature }))
    throw new ProtocolError('SIGNATURE_INVALID', 'expected the signature of the key that it names');
  return { head: parsed.data, publicKey };
}

/** The minute of which a head is, since 1970: of each day a region signs one table for it. */
export function minuteOf({ at }: Pick<LookupHead, 'at'>): number {
  return Math.floor(at / LOOKUP_HEAD_S);
}

/** Whether two heads of one day say the same table, whenever that was so. */
export function areOneTable(one: LookupHead, other: LookupHead): boolean {
  const { bits, capacity, salt, root } = other;
  const isOfSize = one.bits === bits && one.capacity === capacity;
  return isOfSize && equalBytes(one.salt, salt) && equalBytes(one.root, root);
}

export interface TableTree {
  readonly root: Uint8Array;
  readonly pathOf: (bucket: number) => ProofPath;
}

/** The tree over the buckets of a table: its root, and the path of each bucket, leaf side first. */
export function treeOfTable(sha256: Sha256, { buckets }: LookupTable): TableTree {
  return treeOfLeaves(
    sha256,
    buckets.map((bucket) => leafHash(sha256, bucket)),
  );
}

/** The same, by the leaf hashes of the buckets, 2^bits of them. */
export function treeOfLeaves(sha256: Sha256, leaves: readonly Uint8Array[]): TableTree {
  const levels = [[...leaves]];
  for (let below = levels[0] ?? []; below.length > 1; below = levels.at(-1) ?? []) {
    const above = below
      .filter((_, i) => i % 2 === 0)
      .map((left, i) => nodeHash(sha256, left, below[2 * i + 1] ?? left));
    levels.push(above);
  }
  const source: HashSource = (level, index) => {
    const hash = levels[level]?.[index];
    if (hash === undefined) throw new RangeError('no such place in the tree of a table');
    return hash;
  };
  const size = leaves.length;
  return {
    root: rootOf(sha256, size, source),
    pathOf: (bucket) => inclusionProof(sha256, { index: bucket, size }, source),
  };
}

/** Checks that a bucket is the one that the head commits to. @throws {ProtocolError} PROOF_INVALID */
export function verifyBucket(
  sha256: Sha256,
  { root, bits }: Pick<LookupHead, 'root' | 'bits'>,
  { bucket, bytes, path }: { readonly bucket: number; readonly bytes: Uint8Array; readonly path: ProofPath },
): void {
  verifyInclusion(sha256, { leafHash: leafHash(sha256, bytes), index: bucket, size: 2 ** bits, root, path });
}

function malformed(): ProtocolError {
  return new ProtocolError('LOOKUP_MALFORMED', 'expected a head of SPEC.md 21.5');
}
