/** What nodes ask each other about numbers, as deterministic CBOR. Spec: SPEC.md 14.5.7. */
import * as z from 'zod';
import { hexOf } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { bytesForm, countForm, hashForm, pathForm, pathValue } from '../../protocol/evidence/proof-form.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { LOOKUP_BITS_MAX, LOOKUP_CAPACITY_MAX, LOOKUP_HEAD_BYTES_MAX } from '../../protocol/limits.ts';
import { type ProofPath } from '../../protocol/log/merkle.ts';
import { isRegion } from '../../protocol/log/origin.ts';
import { ELEMENT_BYTES, type Evaluation, LOOKUP_PROOF_BYTES } from '../../protocol/lookup/oblivious.ts';
import { LOOKUP_ENTRY_BYTES } from '../../protocol/lookup/table.ts';

export const LOOKUP_PROTOCOL = '/entente/lookup/1.0.0';

/** Bytes of a request: the longest head, and some. */
export const LOOKUP_REQUEST_BYTES_MAX = LOOKUP_HEAD_BYTES_MAX + 32;
/** Bytes of an answer: the largest bucket, with its path. */
export const LOOKUP_ANSWER_BYTES_MAX = LOOKUP_CAPACITY_MAX * LOOKUP_ENTRY_BYTES + 32 * LOOKUP_BITS_MAX + 64;

/** A bucket by the tree that it is a leaf of: whoever has it may give it. */
export interface BucketPlace {
  readonly region: string;
  readonly day: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly bits: number;
  readonly bucket: number;
}

export type LookupRequest =
  | { readonly kind: 'evaluate'; readonly day: number; readonly blinded: Uint8Array }
  | ({ readonly kind: 'bucket' } & BucketPlace)
  | { readonly kind: 'head'; readonly head: Uint8Array };

/** Why a home answers no question: the asker is no region that it recognises, has had its share, or there is no table of that day. */
export const REFUSALS = ['stranger', 'quota', 'day'] as const;
export type LookupRefusal = (typeof REFUSALS)[number];

export type EvaluateAnswer =
  { readonly evaluation: Evaluation; readonly head: Uint8Array } | { readonly refusal: LookupRefusal };

/** `path`: leaf side first. */
export interface ProvenBucket {
  readonly bytes: Uint8Array;
  readonly path: ProofPath;
}

const evaluateForm = z.tuple([z.literal('evaluate'), countForm, bytesForm]);
const bucketForm = z
  .tuple([
    z.literal('bucket'),
    z.string().refine(isRegion),
    countForm,
    hashForm,
    countForm.max(LOOKUP_BITS_MAX),
    countForm,
  ])
  .refine(([, , , , bits, bucket]) => bucket < 2 ** bits);
const signedForm = bytesForm.refine(({ length }) => length <= LOOKUP_HEAD_BYTES_MAX);
const headForm = z.tuple([z.literal('head'), signedForm]);
const evaluatedForm = z.tuple([
  bytesForm.refine(({ length }) => length === ELEMENT_BYTES),
  bytesForm.refine(({ length }) => length === LOOKUP_PROOF_BYTES),
  signedForm,
]);
const shownForm = z.union([z.tuple([]), z.tuple([signedForm])]);
const refusalForm = z.tuple([z.enum(REFUSALS)]);
const provenForm = z.tuple([bytesForm, pathForm]);

export function encodeLookupRequest(request: LookupRequest): Uint8Array {
  if (request.kind === 'head') return encodeCbor(['head', request.head]);
  if (request.kind === 'evaluate') return encodeCbor(['evaluate', request.day, request.blinded]);
  const { region, day, root, bits, bucket } = request;
  return encodeCbor(['bucket', region, day, root, bits, bucket]);
}

/** @throws {ProtocolError} TOO_LARGE, CBOR_MALFORMED, CBOR_NOT_CANONICAL, SCHEMA_INVALID. */
export function parseLookupRequest(bytes: Uint8Array): LookupRequest {
  const value = decodeCbor(bytes, { bytesMax: LOOKUP_REQUEST_BYTES_MAX });
  const evaluate = evaluateForm.safeParse(value);
  if (evaluate.success) return { kind: 'evaluate', day: evaluate.data[1], blinded: evaluate.data[2] };
  const told = headForm.safeParse(value);
  if (told.success) return { kind: 'head', head: told.data[1] };
  const read = bucketForm.safeParse(value);
  if (!read.success) throw invalid('a question about a number');
  const [kind, region, day, root, bits, bucket] = read.data;
  return { kind, region, day, root, bits, bucket };
}

export function encodeEvaluateAnswer(answer: EvaluateAnswer): Uint8Array {
  if ('refusal' in answer) return encodeCbor([answer.refusal]);
  const { evaluated, proof } = answer.evaluation;
  return encodeCbor([evaluated, proof, answer.head]);
}

/** @throws {ProtocolError} as `parseLookupRequest`. */
export function parseEvaluateAnswer(bytes: Uint8Array): EvaluateAnswer {
  const value = decodeCbor(bytes, { bytesMax: LOOKUP_ANSWER_BYTES_MAX });
  const refused = refusalForm.safeParse(value);
  if (refused.success) return { refusal: refused.data[0] };
  const read = evaluatedForm.safeParse(value);
  if (!read.success) throw invalid('an evaluated element, its proof and a head');
  const [evaluated, proof, head] = read.data;
  return { evaluation: { evaluated, proof }, head };
}

/** An empty array says that it is not to be had there. */
export function encodeBucketAnswer(answer: ProvenBucket | undefined): Uint8Array {
  return answer === undefined ? encodeCbor([]) : encodeCbor([answer.bytes, pathValue(answer.path)]);
}

/** Undefined where the peer does not have it. @throws {ProtocolError} as `parseLookupRequest`. */
export function parseBucketAnswer(bytes: Uint8Array): ProvenBucket | undefined {
  const value = decodeCbor(bytes, { bytesMax: LOOKUP_ANSWER_BYTES_MAX });
  if (Array.isArray(value) && value.length === 0) return undefined;
  const read = provenForm.safeParse(value);
  if (!read.success) throw invalid('a bucket and its path');
  const [bucket, path] = read.data;
  return { bytes: bucket, path };
}

/** An empty array says that it cannot tell whether that is a head. */
export function encodeHeadAnswer(head: Uint8Array | undefined): Uint8Array {
  return encodeCbor(head === undefined ? [] : [head]);
}

/** The head that was first there; undefined where the peer cannot tell. @throws {ProtocolError} as `parseLookupRequest`. */
export function parseHeadAnswer(bytes: Uint8Array): Uint8Array | undefined {
  const read = shownForm.safeParse(decodeCbor(bytes, { bytesMax: LOOKUP_REQUEST_BYTES_MAX }));
  if (!read.success) throw invalid('a head');
  return read.data[0];
}

/** The name of a bucket among others. */
export function bucketName({ root, bits, bucket }: BucketPlace): string {
  return `${hexOf(root)}/${bits}/${bucket}`;
}

function invalid(what: string): ProtocolError {
  return new ProtocolError('SCHEMA_INVALID', `expected ${what}`);
}
