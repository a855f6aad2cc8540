/**
 * How two regions that know nothing of each other meet: an invitation of the one, what the other answers to it, and what both
 * operators compare and confirm. Each is signed by a node identity that it names itself, so a signature alone proves nothing of a
 * region: that is what people compare the transcript for. Spec: SPEC.md 20.
 */
import * as z from 'zod';
import { asciiBytes, concatBytes } from '../bytes.ts';
import { decodeBase64, encodeBase64 } from '../encoding/base64.ts';
import { decodeCbor, encodeCbor } from '../encoding/cbor.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { bytesForm, countForm, hashForm } from '../evidence/proof-form.ts';
import { ProtocolError } from '../fault.ts';
import {
  INVITATION_S_MAX,
  JOINING_BYTES_MAX,
  NODE_ADDRESS_BYTES_MAX,
  NODE_ADDRESSES_MAX,
  REGION_NAME_BYTES_MAX,
} from '../limits.ts';
import { isNetwork, isRegion } from '../log/origin.ts';
import { type Primitives, type Sha256 } from '../primitives.ts';
import { SIGNATURE_BYTES } from '../signature/strict-ed25519.ts';

const TRANSCRIPT_LABEL = asciiBytes('entente/joining-transcript/v1\n');
/** What stands before the base64 of an invitation, where it is text. */
export const INVITATION_PREFIX = 'entente-invitation:';
/** Bytes of an invitation's id and of a joining region's nonce. */
export const JOINING_NONCE_BYTES = 16;
const KEY_BYTES = 32;

const fixed = (length: number) => bytesForm.refine((bytes) => bytes.length === length);
const textForm = (bytesMax: number) =>
  z.string().refine((text) => text.length > 0 && utf8Bytes(text).length <= bytesMax);

/** What both sides say of themselves. */
const selfForm = {
  region: z.string().refine(isRegion),
  network: z.string().refine(isNetwork),
  name: textForm(REGION_NAME_BYTES_MAX),
  /** Of the region's root. */
  fingerprint: hashForm,
  /** The public key of the node identity that signs. */
  node: fixed(KEY_BYTES),
  /** libp2p addresses of that node, without its name. */
  addresses: z.array(textForm(NODE_ADDRESS_BYTES_MAX)).max(NODE_ADDRESSES_MAX),
};

const invitationForm = z
  .strictObject({
    kind: z.literal('invitation'),
    ...selfForm,
    /** The base URL of the public interface that takes the answer. */
    http: textForm(NODE_ADDRESS_BYTES_MAX),
    from: countForm,
    until: countForm,
    /** Random, so that nobody answers who was not given it. */
    id: fixed(JOINING_NONCE_BYTES),
  })
  .refine(({ from, until }) => from < until && until - from <= INVITATION_S_MAX);

const answerForm = z.strictObject({
  kind: z.literal('answer'),
  ...selfForm,
  /** SHA-256 of the whole invitation. */
  invitation: hashForm,
  at: countForm,
  /** Random, and told only once the invitation is fixed: nobody can have chosen an invitation by the words that come of it. */
  nonce: fixed(JOINING_NONCE_BYTES),
});

const signedForm = z.tuple([bytesForm, fixed(SIGNATURE_BYTES)]);

export type Invitation = z.infer<typeof invitationForm>;
export type Answer = z.infer<typeof answerForm>;

/** What a side says, as it was read: the signature is that of the node which it names. */
export interface Said<T extends Invitation | Answer> {
  /** The whole, as it was given. */
  readonly bytes: Uint8Array;
  readonly said: T;
}

export type Side = 'inviting' | 'joining';
export type Sign = (message: Uint8Array) => Uint8Array;

/** Signs an invitation or an answer. @throws {TypeError} for one that breaks SPEC.md 20.1. */
export function signJoining<T extends Invitation | Answer>(said: T, sign: Sign): Said<T> {
  const form = said.kind === 'invitation' ? invitationForm : answerForm;
  const parsed = form.safeParse(said);
  if (!parsed.success) throw new TypeError(`no such ${said.kind}: ${parsed.error.message}`);
  const body = encodeCbor(parsed.data);
  return { bytes: encodeCbor([body, sign(messageOf(said.kind, body))]), said };
}

/**
 * Takes an invitation and checks that the node which it names has signed it; whether it is in time the caller says.
 * @throws {ProtocolError} TOO_LARGE, CBOR_MALFORMED, CBOR_NOT_CANONICAL, JOINING_MALFORMED, SIGNATURE_INVALID.
 */
export function openInvitation(bytes: Uint8Array, modules: Pick<Primitives, 'verifySignature'>) {
  return open(bytes, invitationForm, modules);
}

/** The same for an answer. */
export function openAnswer(bytes: Uint8Array, modules: Pick<Primitives, 'verifySignature'>) {
  return open(bytes, answerForm, modules);
}

/** An invitation as text, to be sent by mail or shown as QR. */
export function invitationText(bytes: Uint8Array): string {
  return INVITATION_PREFIX + encodeBase64(bytes);
}

/** The bytes of that text, with white space anywhere, as mail programs add it. @throws {ProtocolError} JOINING_MALFORMED, BASE64_MALFORMED. */
export function parseInvitationText(text: string): Uint8Array {
  const bare = text.replaceAll(/\s/g, '');
  if (!bare.startsWith(INVITATION_PREFIX))
    throw new ProtocolError('JOINING_MALFORMED', `expected a text that begins with ${INVITATION_PREFIX}`);
  return decodeBase64(bare.slice(INVITATION_PREFIX.length));
}

/** What both operators compare, 32 bytes: equal on both sides if and only if both have seen the same invitation and answer. */
export function transcriptOf(sha256: Sha256, invitation: Uint8Array, answer: Uint8Array): Uint8Array {
  return sha256(concatBytes(TRANSCRIPT_LABEL, sha256(invitation), sha256(answer)));
}

/** What a node signs once its operator has confirmed. */
export function confirmationMessage(side: Side, transcript: Uint8Array): Uint8Array {
  return concatBytes(asciiBytes(`entente/joining-confirmed/v1\n${side}\n`), transcript);
}

function open<S extends typeof invitationForm | typeof answerForm>(
  bytes: Uint8Array,
  form: S,
  { verifySignature }: Pick<Primitives, 'verifySignature'>,
): Said<z.infer<S>> {
  const limits = { bytesMax: JOINING_BYTES_MAX };
  const signed = signedForm.safeParse(decodeCbor(bytes, limits));
  if (!signed.success) throw malformed();
  const [body, signature] = signed.data;
  const parsed = form.safeParse(decodeCbor(body, limits));
  if (!parsed.success) throw malformed();
  const said = parsed.data;
  const message = messageOf(said.kind, body);
  if (!verifySignature({ publicKey: said.node, message, signature }))
    throw new ProtocolError('SIGNATURE_INVALID', 'expected the signature of the node that it names');
  return { bytes, said: said as z.infer<S> };
}

function messageOf(kind: 'invitation' | 'answer', body: Uint8Array): Uint8Array {
  return concatBytes(asciiBytes(`entente/joining-${kind}/v1\n`), body);
}

function malformed(): ProtocolError {
  return new ProtocolError('JOINING_MALFORMED', 'expected an invitation or an answer of SPEC.md 20.1');
}
