/** A region's revocations in a form that other people's verifiers read: an IETF token status list. Spec: SPEC.md 17.6. */
import * as crypto from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { ProtocolError } from '../../protocol/fault.ts';
import { thumbprintOf } from '../../protocol/foreign/jwk.ts';
import { type EcPublicKey } from '../../protocol/foreign/signature-check.ts';
import { makeStatusList, STATUS } from '../../protocol/foreign/status-list.ts';
import { draftStatusCwt, draftStatusJwt, type StatusClaims } from '../../protocol/foreign/status-token.ts';
import { decodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { nativeSha256 } from '../crypto/native.ts';
import { publicKeyOf } from './certificate.ts';

/** Signs token status lists by ES256. Apart from the keys of the trust log: those sign nothing that they do not label. */
export interface StatusSigner {
  readonly publicKey: EcPublicKey;
  /** The thumbprint, by which tokens name the key. */
  readonly keyId: string;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** A signer from a private key as PEM (PKCS #8 or SEC 1). @throws {ProtocolError} KEY_INVALID unless it is one on P-256. */
export function openStatusSigner(pem: string): StatusSigner {
  let key: crypto.KeyObject;
  try {
    key = crypto.createPrivateKey(pem);
  } catch (cause) {
    throw new ProtocolError(
      'KEY_INVALID',
      'expected a private key as PEM, without a passphrase',
      {},
      { cause },
    );
  }
  const publicKey = publicKeyOf(crypto.createPublicKey(key));
  if (publicKey.kind !== 'ec' || publicKey.curve !== 'P-256')
    throw new ProtocolError('KEY_INVALID', 'expected a key on P-256');
  return {
    publicKey,
    keyId: thumbprintOf(nativeSha256, publicKey),
    sign: (message) => new Uint8Array(crypto.sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' })),
  };
}

/** The codes of one log: how many leaves it has, and which of them are revoked. */
export interface LogStatuses {
  readonly size: number;
  readonly revoked: Iterable<number>;
}

/** A bit for each leaf, 1 where it is revoked, as a JWT's text. @throws {RangeError} above 67,108,864 leaves. */
export function statusJwt(statuses: LogStatuses, claims: StatusClaims, signer: StatusSigner): string {
  const { message, finish } = draftStatusJwt(claims, packed(statuses), signer.keyId);
  return finish(signer.sign(message));
}

/** The same as a CWT's bytes; its key id is the thumbprint's 32 bytes. */
export function statusCwt(statuses: LogStatuses, claims: StatusClaims, signer: StatusSigner): Uint8Array {
  const { message, finish } = draftStatusCwt(claims, packed(statuses), decodeBase64Url(signer.keyId));
  return finish(signer.sign(message));
}

function packed({ size, revoked }: LogStatuses) {
  const statuses = Array.from(revoked, (index) => [index, STATUS.invalid] as const);
  // A revocation of a leaf that is still to come stands behind the last one.
  const reach = statuses.reduce((most, [index]) => Math.max(most, index + 1), size);
  const { bits, bytes } = makeStatusList(1, reach, statuses);
  return { bits, deflated: new Uint8Array(deflateSync(bytes, { level: 9 })) };
}
