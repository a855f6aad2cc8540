/** Local codes of a synthetic region in each container, signed with Ed25519 keys that are always the same. */
import { deflateSync } from 'node:zlib';
import { encode } from 'cborg';
import { asciiBytes, concatBytes } from '../../protocol/bytes.ts';
import { encodeBase45 } from '../../protocol/encoding/base45.ts';
import { encodeBase64 } from '../../protocol/encoding/base64.ts';
import { encodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { sign1Message } from '../../protocol/foreign/cose.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { localProfileSchema, type LocalProfile } from '../../protocol/foreign/local-profile.ts';
import { type ForeignSigner, makeEd25519Signer } from './foreign-keys.ts';

export const LOCAL_SIGNER = makeEd25519Signer(new Uint8Array(32).fill(7));
export const OTHER_SIGNER = makeEd25519Signer(new Uint8Array(32).fill(8));
export const LOCAL_ISSUED_S = 1_795_000_000;
export const LOCAL_EXPIRES_S = LOCAL_ISSUED_S + 7 * 86_400;
export const LOCAL_KEY_ID = 'k1';
export const COSE_KEY_ID = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

const MAP = {
  issuedAt: { at: ['iat'], unit: 's' },
  expiresAt: { at: ['exp'], unit: 's' },
  status: { at: ['st'], colours: { G: 'green', Y: 'yellow', R: 'red' } },
  id: ['id'],
  subject: ['nm'],
  issuer: { at: ['is'], is: 'Health Office of ZZ' },
  fields: { testDay: ['t', 0, 'd'] },
};

/** As it stands in a statement; members that are set to undefined are left out. */
export type ProfileJson = Readonly<Record<string, unknown>>;

const without = (json: ProfileJson): ProfileJson =>
  Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined));

export const JSON_PROFILE: ProfileJson = {
  container: 'json',
  prefix: 'ZZJ:',
  text: 'plain',
  members: { payload: 'd', form: 'object', signature: 's', algorithm: 'a', keyId: 'k' },
  algorithms: ['EdDSA', 'ES256'],
  map: MAP,
};

export const JWS_PROFILE: ProfileJson = {
  container: 'jws',
  prefix: '',
  keyId: true,
  algorithms: ['EdDSA', 'ES256'],
  map: MAP,
};

/** Names of its claims are numbers. */
export const COSE_PROFILE: ProfileJson = {
  container: 'cose',
  prefix: 'ZZC:',
  text: 'base45',
  deflate: 'zlib',
  keyId: true,
  algorithms: ['EdDSA', 'ES256'],
  map: {
    issuedAt: { at: [6], unit: 's' },
    expiresAt: { at: [4], unit: 's' },
    status: { at: [-70_001, 1], colours: { 0: 'green', 1: 'yellow', 2: 'red' } },
    id: [7],
    subject: [-70_001, 2],
  },
};

export function profileOf(json: ProfileJson, more: ProfileJson = {}): LocalProfile {
  return localProfileSchema.parse(without({ ...json, ...more }));
}

export function mapped(json: ProfileJson, more: ProfileJson): ProfileJson {
  return { ...json, map: without({ ...(json['map'] as ProfileJson), ...more }) };
}

export const LOCAL_CLAIMS: ProfileJson = {
  is: 'Health Office of ZZ',
  id: 'ZZ-2026-000017-q7x2',
  nm: 'B. EXAMPLE',
  st: 'G',
  iat: LOCAL_ISSUED_S,
  exp: LOCAL_EXPIRES_S,
  t: [{ d: '2026-11-16' }],
};

export const COSE_CLAIMS: ReadonlyMap<number, unknown> = new Map<number, unknown>([
  [4, LOCAL_EXPIRES_S],
  [6, LOCAL_ISSUED_S],
  [7, Uint8Array.of(0xab, 0xcd, 0xef)],
  [
    -70_001,
    new Map<number, unknown>([
      [1, 0],
      [2, 'B. EXAMPLE'],
    ]),
  ],
]);

/** The payload as it is to stand there, and what is to stand around it. */
export interface SignedJsonParts {
  readonly payload?: string;
  readonly signer?: ForeignSigner;
  readonly around?: (payload: string, signature: string) => string;
}

export function signedJson({
  payload = JSON.stringify(LOCAL_CLAIMS),
  signer = LOCAL_SIGNER,
  around,
}: SignedJsonParts = {}): string {
  const signature = encodeBase64Url(signer.sign('EdDSA', utf8Bytes(payload)));
  const build = around ?? ((data, sig) => `{"d":${data},"a":"EdDSA","k":"k1","s":"${sig}"}`);
  return `ZZJ:${build(payload, signature)}`;
}

export interface LocalJwsParts {
  readonly header?: object | string;
  readonly claims?: object;
  readonly payload?: string;
  readonly signer?: ForeignSigner;
}

export function localJws({
  header = {},
  claims = {},
  payload,
  signer = LOCAL_SIGNER,
}: LocalJwsParts = {}): string {
  const text = (part: string) => encodeBase64Url(utf8Bytes(part));
  const head =
    typeof header === 'string' ? header : JSON.stringify({ alg: 'EdDSA', kid: LOCAL_KEY_ID, ...header });
  const first = text(head);
  const second = text(payload ?? JSON.stringify({ ...LOCAL_CLAIMS, ...claims }));
  return `${first}.${second}.${encodeBase64Url(signer.sign('EdDSA', asciiBytes(`${first}.${second}`)))}`;
}

export interface LocalCoseParts {
  readonly protectedHeader?: ReadonlyMap<number, unknown> | Uint8Array;
  readonly unprotected?: unknown;
  readonly claims?: unknown;
  readonly payload?: Uint8Array;
  readonly signer?: ForeignSigner;
  readonly tag?: readonly number[];
}

export function localCoseBytes(parts: LocalCoseParts = {}): Uint8Array {
  const { unprotected = new Map(), claims = COSE_CLAIMS, signer = LOCAL_SIGNER, tag = [0xd2] } = parts;
  const header =
    parts.protectedHeader ??
    new Map<number, unknown>([
      [1, -8],
      [4, COSE_KEY_ID],
    ]);
  const protectedBytes = header instanceof Uint8Array ? header : encode(header);
  const payload = parts.payload ?? encode(claims);
  const signature = signer.sign('EdDSA', sign1Message(protectedBytes, payload));
  return concatBytes(Uint8Array.from(tag), encode([protectedBytes, unprotected, payload, signature]));
}

export function localCoseText(bytes: Uint8Array): string {
  return `ZZC:${encodeBase45(new Uint8Array(deflateSync(bytes)))}`;
}

export function localCose(parts: LocalCoseParts = {}): string {
  return localCoseText(localCoseBytes(parts));
}

export function localKey({ publicKey }: ForeignSigner, more: Partial<ForeignKey> = {}): ForeignKey {
  return { format: 'local', keyId: LOCAL_KEY_ID, issuer: 'ZZ', publicKey, ...more };
}

export const COSE_KEY = localKey(LOCAL_SIGNER, { keyId: encodeBase64(COSE_KEY_ID) });

/** The public key as JSON, under the name that codes give it. */
export function localJwk({ publicKey } = LOCAL_SIGNER, more: ProfileJson = {}): ProfileJson {
  if (publicKey.kind !== 'ed25519') throw new TypeError('expected an Ed25519 key');
  return { kty: 'OKP', crv: 'Ed25519', kid: LOCAL_KEY_ID, x: encodeBase64Url(publicKey.bytes), ...more };
}
