/**
 * What nodes ask each other about logs, and what they answer: deterministic CBOR maps, told apart by `kind`. Gossip uses the
 * answers: `range` on the topic trust, `heads` on head, `forks`, `evidence` and `evidence-names` on evidence. Nothing in them is proven by having been read.
 * Spec: SPEC.md 14.5.1, 14.6.
 */
import { z } from 'zod';
import { decodeCbor, encodeCbor, type CborValue } from '../../protocol/encoding/cbor.ts';
import {
  bytesForm,
  countForm,
  entryForm,
  forkSidesForm,
  forkSidesValue,
  forkSizeForm,
  hashForm,
  noteForm,
  pathForm,
  pathValue,
} from '../../protocol/evidence/proof-form.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { EVIDENCE_BYTES_MAX, NAMING_STATEMENTS_MAX } from '../../protocol/limits.ts';
import {
  ANSWER_BYTES_MAX,
  EVIDENCE_FILES_MAX,
  EVIDENCE_NAMES_BYTES_MAX,
  FORKS_MAX,
  HEAD_DIGEST_BYTES,
  HEADS_MAX,
  RANGE_BYTES_MAX,
  RANGE_ENTRIES_MAX,
  SYNC_REQUEST_BYTES_MAX,
} from './sync-limits.ts';

export const SYNC_PROTOCOL = '/entente/sync/1.0.0';
export const WITNESS_PROTOCOL = '/entente/witness/1.0.0';
export const TOPICS = { trust: 'trust', head: 'head', evidence: 'evidence' } as const;

/** Characters of the longest origin. */
export const ORIGIN_CHARS_MAX = 56;

const origin = z.string().max(ORIGIN_CHARS_MAX);
/** Digests of notes, joined. */
const digests = bytesForm.refine(
  ({ length }) => length % HEAD_DIGEST_BYTES === 0 && length <= HEADS_MAX * HEAD_DIGEST_BYTES,
  'expected at most 1,024 digests of 32 bytes',
);

/** The first 16 bytes of the hash of each proof, joined. */
const evidenceNames = bytesForm.refine(
  ({ length }) => length % 16 === 0 && length <= EVIDENCE_NAMES_BYTES_MAX,
  'expected names of 16 bytes',
);
const evidenceFile = bytesForm.refine(({ length }) => length <= EVIDENCE_BYTES_MAX);

const request = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('heads'), known: digests.exactOptional() }),
  z.strictObject({
    kind: z.literal('range'),
    origin,
    from: countForm,
    bytesMax: countForm.max(RANGE_BYTES_MAX),
  }),
  z.strictObject({ kind: z.literal('claim'), origin, size: countForm.min(1) }),
  z.strictObject({ kind: z.literal('forks'), origin }),
  z.strictObject({ kind: z.literal('naming'), origin }),
  z.strictObject({ kind: z.literal('evidence'), known: evidenceNames }),
  z.strictObject({ kind: z.literal('leaf'), origin, index: countForm, size: countForm.min(1) }),
]);

/**
 * `heads`: of all logs but those whose notes are `known`. `range`: entries from an index on, as many as fit. `claim`: the root that the log had at a size.
 * `forks`: proofs that a log has forked. `naming`: what its root says of the keys that sign it. `leaf`: the proof of one leaf in the tree of a size.
 * `evidence`: all that is held against regions besides, but what is `known`.
 */
export type SyncRequest = z.infer<typeof request>;

const fork = z.strictObject({ size: forkSizeForm, sides: forkSidesForm });
const statement = z.strictObject({ index: countForm, entry: entryForm });
const head = z.strictObject({ note: noteForm, forks: countForm });

const answer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('heads'), heads: z.array(head).max(HEADS_MAX) }),
  z.strictObject({
    kind: z.literal('range'),
    from: countForm,
    entries: z.array(entryForm).max(RANGE_ENTRIES_MAX),
    note: noteForm,
    path: pathForm,
  }),
  z.strictObject({
    kind: z.literal('claim'),
    size: countForm.min(1),
    root: hashForm,
    path: pathForm,
    note: noteForm,
  }),
  z.strictObject({ kind: z.literal('forks'), forks: z.array(fork).max(FORKS_MAX) }),
  z.strictObject({ kind: z.literal('evidence'), files: z.array(evidenceFile).max(EVIDENCE_FILES_MAX) }),
  z.strictObject({ kind: z.literal('evidence-names'), names: evidenceNames }),
  z.strictObject({
    kind: z.literal('naming'),
    statements: z.array(statement).max(NAMING_STATEMENTS_MAX),
    note: noteForm,
  }),
  z.strictObject({ kind: z.literal('leaf'), leafHash: hashForm, path: pathForm }),
  z.strictObject({
    kind: z.literal('refused'),
    reason: z.enum(['malformed', 'unknown-log', 'not-there', 'busy']),
  }),
]);

/** `note` in all of them: a signed note of the log, with what cosignatures the sender knows. */
export type SyncAnswer = z.infer<typeof answer>;
export type AnswerTo<K extends SyncAnswer['kind']> = Extract<SyncAnswer, { kind: K }>;
/** The newest checkpoint that a node holds of a log, and how many proofs it has that the log forked. */
export type LogHeadMessage = AnswerTo<'heads'>['heads'][number];
export type RefusalReason = AnswerTo<'refused'>['reason'];

export function encodeRequest(message: SyncRequest): Uint8Array {
  return encodeCbor(message);
}

/** @throws {ProtocolError} TOO_LARGE, CBOR_MALFORMED, CBOR_NOT_CANONICAL, SCHEMA_INVALID. */
export function parseRequest(message: Uint8Array): SyncRequest {
  return parse(request, message, SYNC_REQUEST_BYTES_MAX);
}

/** @throws {RangeError} if the answer has more bytes than anybody takes. */
export function encodeAnswer(message: SyncAnswer): Uint8Array {
  const encoded = encodeCbor(wireForm(message));
  if (encoded.length > ANSWER_BYTES_MAX) throw new RangeError(`an answer of ${encoded.length} bytes`);
  return encoded;
}

/** Byte strings in the result are views of `message`. @throws {ProtocolError} as `parseRequest`. */
export function parseAnswer(message: Uint8Array, bytesMax = ANSWER_BYTES_MAX): SyncAnswer {
  return parse(answer, message, bytesMax);
}

function parse<S extends z.ZodType>(schema: S, message: Uint8Array, bytesMax: number): z.infer<S> {
  const parsed = schema.safeParse(decodeCbor(message, { bytesMax }));
  if (parsed.success) return parsed.data;
  const { path: at = [], message: what = '' } = parsed.error.issues[0] ?? {};
  throw new ProtocolError('SCHEMA_INVALID', `not a message of this protocol: ${at.join('.')} ${what}`);
}

/** Paths are joined. */
function wireForm(message: SyncAnswer): CborValue {
  switch (message.kind) {
    case 'range':
    case 'claim':
    case 'leaf':
      return { ...message, path: pathValue(message.path) };
    case 'forks':
      return {
        ...message,
        forks: message.forks.map(({ size, sides }) => ({ size, sides: forkSidesValue(sides) })),
      };
    case 'heads':
    case 'naming':
    case 'evidence':
    case 'evidence-names':
    case 'refused':
      return message;
  }
}
