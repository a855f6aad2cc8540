/**
 * The back end on node:crypto, present in every Node. OpenSSL 3.0 takes keys and R of small order and keys that are
 * not canonical; the precheck is what refuses them.
 */
import * as crypto from 'node:crypto';
import { type SignatureCheck } from '../../protocol/primitives.ts';
import { admitPublicKey } from '../../protocol/signature/noble.ts';
import { passesPrecheck, PUBLIC_KEY_BYTES } from '../../protocol/signature/strict-ed25519.ts';
import { assertSecretKeyLength, type SignatureBackEnd, type Signer } from './back-end.ts';

/** DER before the 32 bytes of a secret key: PKCS #8, RFC 8410. */
const SECRET_KEY_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export const opensslBackEnd: SignatureBackEnd = {
  name: 'openssl',
  verifySignature,
  admitPublicKey,
  signerOf,
};

function verifySignature(check: SignatureCheck): boolean {
  if (!passesPrecheck(check)) return false;
  // Parsed anew each time, since that is a twelfth of a check; as DER it would take as long as the check itself.
  const x = Buffer.from(check.publicKey).toString('base64url');
  const key = crypto.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return crypto.verify(null, check.message, key, check.signature);
}

function signerOf(secretKey: Uint8Array): Signer {
  assertSecretKeyLength(secretKey);
  const key = crypto.createPrivateKey({
    key: Buffer.concat([SECRET_KEY_PREFIX, secretKey]),
    format: 'der',
    type: 'pkcs8',
  });
  const encoded = crypto.createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(encoded.subarray(-PUBLIC_KEY_BYTES)),
    sign: (message) => new Uint8Array(crypto.sign(null, message, key)),
  };
}
