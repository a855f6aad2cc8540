/** Keys of foreign issuers, generated at run time, and signing with them. */
import * as crypto from 'node:crypto';
import {
  type EcCurve,
  type ForeignAlgorithm,
  type ForeignPublicKey,
} from '../../protocol/foreign/signature-check.ts';

export interface ForeignSigner {
  readonly publicKey: ForeignPublicKey;
  readonly privateKey: crypto.KeyObject;
  readonly sign: (algorithm: ForeignAlgorithm, message: Uint8Array) => Uint8Array;
}

const bytesOf = (text: string | undefined) => new Uint8Array(Buffer.from(text ?? '', 'base64url'));

export function makeEcSigner(curve: EcCurve = 'P-256'): ForeignSigner {
  const pair = crypto.generateKeyPairSync('ec', { namedCurve: curve });
  const { x, y } = pair.publicKey.export({ format: 'jwk' });
  return {
    publicKey: { kind: 'ec', curve, x: bytesOf(x), y: bytesOf(y) },
    privateKey: pair.privateKey,
    sign: (algorithm, message) =>
      new Uint8Array(
        crypto.sign(algorithm === 'ES384' ? 'sha384' : 'sha256', message, {
          key: pair.privateKey,
          dsaEncoding: 'ieee-p1363',
        }),
      ),
  };
}

export function makeRsaSigner(modulusLength = 2_048): ForeignSigner {
  const pair = crypto.generateKeyPairSync('rsa', { modulusLength });
  const { n, e } = pair.publicKey.export({ format: 'jwk' });
  const padding = crypto.constants.RSA_PKCS1_PSS_PADDING;
  return {
    publicKey: { kind: 'rsa', modulus: bytesOf(n), exponent: bytesOf(e) },
    privateKey: pair.privateKey,
    sign: (_, message) =>
      new Uint8Array(crypto.sign('sha256', message, { key: pair.privateKey, padding, saltLength: 32 })),
  };
}

/** `secretKey`: 32 bytes, for the same signatures each time. */
export function makeEd25519Signer(secretKey: Uint8Array): ForeignSigner {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const privateKey = crypto.createPrivateKey({
    key: Buffer.concat([prefix, secretKey]),
    format: 'der',
    type: 'pkcs8',
  });
  const { x } = crypto.createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    publicKey: { kind: 'ed25519', bytes: bytesOf(x) },
    privateKey,
    sign: (_, message) => new Uint8Array(crypto.sign(null, message, privateKey)),
  };
}
