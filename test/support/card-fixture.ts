/** SMART Health Cards of synthetic persons, signed with keys made at run time. */
import { deflateRawSync } from 'node:zlib';
import { asciiBytes } from '../../protocol/bytes.ts';
import { encodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { thumbprintOf } from '../../protocol/foreign/jwk.ts';
import { type ForeignSigner } from './foreign-keys.ts';
import { sha256 } from './primitives.ts';

export const ISSUER = 'https://cards.example/issuer';
export const ISSUED_S = 1_700_000_000.5;

export const CREDENTIAL = {
  type: ['https://smarthealth.cards#health-card', 'https://smarthealth.cards#immunization'],
  credentialSubject: {
    fhirVersion: '4.0.1',
    fhirBundle: { resourceType: 'Bundle', entry: [{ resource: {} }] },
  },
};

/** Members set to undefined are left out. */
export interface CardParts {
  readonly header?: object;
  readonly claims?: object;
  readonly payload?: Uint8Array;
}

export function makeJws(signer: ForeignSigner, { header, claims, payload }: CardParts = {}): string {
  const head = { alg: 'ES256', zip: 'DEF', kid: thumbprintOf(sha256, signer.publicKey), ...header };
  const body = { iss: ISSUER, nbf: ISSUED_S, vc: CREDENTIAL, ...claims };
  const text = (bytes: Uint8Array | Buffer) => encodeBase64Url(new Uint8Array(bytes));
  const first = text(Buffer.from(JSON.stringify(head)));
  const second = text(payload ?? deflateRawSync(Buffer.from(JSON.stringify(body))));
  const message = asciiBytes(`${first}.${second}`);
  return `${first}.${second}.${text(signer.sign('ES256', message))}`;
}

/** The texts of its QR codes: one, or so many parts. */
export function cardTexts(jws: string, parts = 1): string[] {
  const size = Math.ceil(jws.length / parts);
  return Array.from({ length: parts }, (_, i) => {
    const digits = [...jws.slice(i * size, (i + 1) * size)]
      .map((letter) => String(letter.charCodeAt(0) - 45).padStart(2, '0'))
      .join('');
    return parts === 1 ? `shc:/${digits}` : `shc:/${i + 1}/${parts}/${digits}`;
  });
}

export function cardKey({ publicKey }: ForeignSigner, more: Partial<ForeignKey> = {}): ForeignKey {
  return { format: 'shc', keyId: thumbprintOf(sha256, publicKey), issuer: ISSUER, publicKey, ...more };
}

/** The public key as JSON, under its thumbprint. */
export function jwkOf({ publicKey }: ForeignSigner, more: object = {}): Record<string, unknown> {
  if (publicKey.kind !== 'ec') throw new TypeError('expected a key on a curve');
  const { curve, x, y } = publicKey;
  const kid = thumbprintOf(sha256, publicKey);
  return {
    kty: 'EC',
    kid,
    use: 'sig',
    alg: 'ES256',
    crv: curve,
    x: encodeBase64Url(x),
    y: encodeBase64Url(y),
    ...more,
  };
}
