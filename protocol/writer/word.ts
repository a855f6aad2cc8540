/**
 * What a writer of a region says to the witnesses that fence it: that it writes from now on (a claim), and which tree it is about to sign
 * (a permit asked for). Neither is a checkpoint, and two of them that differ prove nothing against a region. Spec: SPEC.md 19.1.
 */
import * as z from 'zod';
import { asciiBytes, concatBytes, equalBytes } from '../bytes.ts';
import { decodeCbor, encodeCbor } from '../encoding/cbor.ts';
import { bytesForm, countForm, hashForm } from '../evidence/proof-form.ts';
import { ProtocolError } from '../fault.ts';
import { WRITER_WORD_BYTES_MAX } from '../limits.ts';
import { parseOrigin } from '../log/origin.ts';
import { type VerifySignature } from '../primitives.ts';
import { SIGNATURE_BYTES } from '../signature/strict-ed25519.ts';

const LABEL = asciiBytes('entente/writer/v1\n');
const KEY_BYTES = 32;
const SESSION_BYTES = 16;

const fixed = (length: number) => bytesForm.refine((bytes) => bytes.length === length);
const key = fixed(KEY_BYTES);
const session = fixed(SESSION_BYTES);
const epoch = countForm.min(1);

const claimForm = z
  .strictObject({
    kind: z.literal('claim'),
    /** The trust log of the region: a claim is for all of its logs. */
    origin: z.string(),
    epoch,
    /** The public key of the node identity of whoever claims. */
    writer: key,
    /** Random, of the process that claims: two copies of one machine are told apart by it. */
    session,
    /** Unix seconds, by the clock of whoever claims; decides nothing. */
    at: countForm,
  })
  .refine(({ origin }) => kindOf(origin) === 'trust');

const permitForm = z
  .strictObject({
    kind: z.literal('permit'),
    /** The log that is about to be signed. */
    origin: z.string(),
    epoch,
    session,
    /** The size up to which it may sign already. */
    from: countForm,
    size: countForm,
    root: hashForm,
  })
  .refine(({ from, size }) => from < size)
  .refine(({ origin }) => kindOf(origin) === 'trust' || kindOf(origin) === 'attest');

const wordForm = z.union([claimForm, permitForm]);
const signedForm = z.tuple([bytesForm, key, fixed(SIGNATURE_BYTES)]);

export type Claim = z.infer<typeof claimForm>;
export type Permit = z.infer<typeof permitForm>;
export type WriterWord = Claim | Permit;

/** A word as it was read. Nothing is said of the signature before `verifyWord`. */
export interface SignedWord<W extends WriterWord = WriterWord> {
  readonly bytes: Uint8Array;
  readonly word: W;
  readonly body: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** Signs a word with a checkpoint key of the region. @throws {TypeError} for a word that breaks SPEC.md 19.1. */
export function signWord<W extends WriterWord>(
  word: W,
  { publicKey, sign }: { readonly publicKey: Uint8Array; readonly sign: (message: Uint8Array) => Uint8Array },
): SignedWord<W> {
  const parsed = wordForm.safeParse(word);
  if (!parsed.success) throw new TypeError(`no such word of a writer: ${parsed.error.message}`);
  const body = encodeCbor(parsed.data);
  const signature = sign(concatBytes(LABEL, body));
  return { bytes: encodeCbor([body, publicKey, signature]), word, body, publicKey, signature };
}

/** Takes what `signWord` makes. @throws {ProtocolError} TOO_LARGE, CBOR_MALFORMED, CBOR_NOT_CANONICAL, ORIGIN_INVALID, SCHEMA_INVALID. */
export function parseWord(bytes: Uint8Array): SignedWord {
  const signed = signedForm.safeParse(decodeCbor(bytes, { bytesMax: WRITER_WORD_BYTES_MAX }));
  if (!signed.success) throw malformed();
  const [body, publicKey, signature] = signed.data;
  const word = wordForm.safeParse(decodeCbor(body, { bytesMax: WRITER_WORD_BYTES_MAX }));
  if (!word.success) throw malformed();
  return { bytes, word: word.data, body, publicKey, signature };
}

/** @throws {ProtocolError} SCHEMA_INVALID for a permit, and as `parseWord`. */
export function parseClaim(bytes: Uint8Array): SignedWord<Claim> {
  const { word, ...signed } = parseWord(bytes);
  if (word.kind === 'claim') return { ...signed, word };
  throw malformed();
}

/** @throws {ProtocolError} SCHEMA_INVALID for a claim, and as `parseWord`. */
export function parsePermit(bytes: Uint8Array): SignedWord<Permit> {
  const { word, ...signed } = parseWord(bytes);
  if (word.kind === 'permit') return { ...signed, word };
  throw malformed();
}

/** Whether one of these keys signed the word. Total. */
export function verifyWord(
  { body, publicKey, signature }: SignedWord,
  keys: readonly { readonly publicKey: Uint8Array }[],
  verifySignature: VerifySignature,
): boolean {
  if (!keys.some((known) => equalBytes(known.publicKey, publicKey))) return false;
  return verifySignature({ publicKey, message: concatBytes(LABEL, body), signature });
}

function kindOf(origin: string): string {
  return parseOrigin(origin).kind;
}

function malformed(): ProtocolError {
  return new ProtocolError('SCHEMA_INVALID', 'expected a claim or a permit of a writer');
}
