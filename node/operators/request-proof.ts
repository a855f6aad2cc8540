/**
 * What proves that a request to the admin address is an operator's: their signature over its method, path, time, a value that is
 * used once, and the digest of its body if that is JSON. Bodies that are sent as they are made have none: the address is a unix
 * socket or loopback, where nobody stands in between, and a proof counts once.
 */
import { hash } from 'node:crypto';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { type OperatorKey } from './operator-key.ts';

export interface SignedRequest {
  readonly region: string;
  readonly method: string;
  /** With its query, as it is sent. */
  readonly path: string;
  /** The header `content-digest`; empty without. */
  readonly digest: string;
}

export interface RequestProof {
  readonly name: string;
  readonly atS: number;
  /** 32 lower-case hexadecimal digits. */
  readonly nonce: string;
  readonly signature: Uint8Array;
}

/** Seconds by which the times of whoever asks and of the node may differ; proofs are remembered so long. */
export const PROOF_AGE_S_MAX = 120;
export const NONCE_BYTES = 16;
const HEADER = /^Operator ([a-z][a-z0-9-]{0,31}) (\d{1,12}) ([0-9a-f]{32}) ([A-Za-z0-9_-]{86})$/;

const DIGEST = /^sha-256=:[A-Za-z0-9+/]{43}=:$/;

/** The value of the header `content-digest` (RFC 9530) for this body. */
export function contentDigest(body: string | Uint8Array): string {
  return `sha-256=:${hash('sha256', body, 'base64')}:`;
}

/** Whether a header is one that `contentDigest` may have made. */
export function isContentDigest(header: string): boolean {
  return DIGEST.test(header);
}

/** The value of the header `authorization`. `nonce`: 16 unpredictable bytes. */
export function proofHeader(
  key: OperatorKey,
  request: Omit<SignedRequest, 'region'>,
  { nowS, nonce }: { readonly nowS: number; readonly nonce: Uint8Array },
): string {
  const hex = Buffer.from(nonce).toString('hex');
  const signature = key.sign(proofMessage({ ...request, region: key.region }, { atS: nowS, nonce: hex }));
  return `Operator ${key.name} ${nowS} ${hex} ${Buffer.from(signature).toString('base64url')}`;
}

/** The proof that a header is by its form; undefined for any other text. */
export function parseProof(header: string): RequestProof | undefined {
  const [, name, at, nonce, signature] = HEADER.exec(header) ?? [];
  if (name === undefined || nonce === undefined || signature === undefined) return undefined;
  return { name, atS: Number(at), nonce, signature: Uint8Array.from(Buffer.from(signature, 'base64url')) };
}

/** What an operator signs. */
export function proofMessage(
  { region, method, path, digest }: SignedRequest,
  { atS, nonce }: Pick<RequestProof, 'atS' | 'nonce'>,
): Uint8Array {
  return utf8Bytes(`entente/operator/v2\n${region}\n${method}\n${path}\n${atS}\n${nonce}\n${digest}\n`);
}
