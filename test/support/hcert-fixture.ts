/** EU Digital COVID Certificates of synthetic persons, signed with keys made at run time. */
import { deflateSync } from 'node:zlib';
import { encode } from 'cborg';
import { concatBytes } from '../../protocol/bytes.ts';
import { encodeBase45 } from '../../protocol/encoding/base45.ts';
import { encodeBase64 } from '../../protocol/encoding/base64.ts';
import { sign1Message } from '../../protocol/foreign/cose.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { type ForeignAlgorithm } from '../../protocol/foreign/signature-check.ts';
import { type ForeignSigner } from './foreign-keys.ts';

export const ISSUED_S = 1_700_000_000;
export const EXPIRES_S = ISSUED_S + 180 * 86_400;

const ALGORITHM_IDS: Readonly<Record<ForeignAlgorithm, number>> = {
  ES256: -7,
  ES384: -35,
  PS256: -37,
  EdDSA: -8,
};
export const KEY_ID = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

export const VACCINATION = {
  ver: '1.3.0',
  nam: { fn: 'Beispiel', fnt: 'BEISPIEL', gn: 'Bea', gnt: 'BEA' },
  dob: '1980-02-03',
  v: [{ tg: '840539006', co: 'AT', dn: 2, sd: 2, dt: '2023-10-01', is: 'Test', ci: 'URN:UVCI:01:AT:1#A' }],
};

/** Each part can be replaced by another, a bad one too. */
export interface HcertParts {
  readonly algorithm?: ForeignAlgorithm;
  readonly protectedHeader?: ReadonlyMap<number, unknown> | Uint8Array;
  readonly unprotected?: unknown;
  readonly claims?: ReadonlyMap<number, unknown> | Uint8Array;
  readonly certificate?: unknown;
  readonly issuedAt?: unknown;
  readonly expiresAt?: unknown;
}

export function claimsOf(parts: HcertParts = {}): ReadonlyMap<number, unknown> {
  const { certificate = VACCINATION, issuedAt = ISSUED_S, expiresAt = EXPIRES_S } = parts;
  return new Map<number, unknown>([
    [1, 'AT'],
    [4, expiresAt],
    [6, issuedAt],
    [-260, new Map([[1, certificate]])],
  ]);
}

/** A COSE_Sign1 with its tag. */
export function makeCose(signer: ForeignSigner, parts: HcertParts = {}): Uint8Array {
  const { algorithm = 'ES256', unprotected = new Map() } = parts;
  const header =
    parts.protectedHeader ??
    new Map<number, unknown>([
      [1, ALGORITHM_IDS[algorithm]],
      [4, KEY_ID],
    ]);
  const protectedBytes = header instanceof Uint8Array ? header : encode(header);
  const claims = parts.claims ?? claimsOf(parts);
  const payload = claims instanceof Uint8Array ? claims : encode(claims);
  const signature = signer.sign(algorithm, sign1Message(protectedBytes, payload));
  return concatBytes(Uint8Array.of(0xd2), encode([protectedBytes, unprotected, payload, signature]));
}

export function hcertText(cose: Uint8Array): string {
  return `HC1:${encodeBase45(new Uint8Array(deflateSync(cose)))}`;
}

export function makeHcert(signer: ForeignSigner, parts: HcertParts = {}): string {
  return hcertText(makeCose(signer, parts));
}

export function hcertKey({ publicKey }: ForeignSigner, more: Partial<ForeignKey> = {}): ForeignKey {
  return { format: 'hcert', keyId: encodeBase64(KEY_ID), issuer: 'AT', publicKey, ...more };
}
