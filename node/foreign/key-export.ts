/**
 * A region's keys in forms that verifiers of others read: a JWK set, and a list as member states of the EU publish theirs. Neither proves
 * anything: whoever serves it vouches for it, and a reader fetches it anew. Spec: SPEC.md 17.10.
 */
import * as crypto from 'node:crypto';
import { hexBytes } from '../../protocol/bytes.ts';
import { encodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { readAdapter } from '../../protocol/foreign/adapter.ts';
import { type KeyUsage } from '../../protocol/foreign/foreign-code.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { type TrustKey, type TrustState } from '../../protocol/trust/trust-state.ts';
import { keyObjectOf } from '../crypto/foreign-signatures.ts';

/** A public key of RFC 7517 and RFC 8037. There is no `x5c`: these keys have no certificates. */
export interface AttestJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** As codes name the key: 16 hexadecimal digits. */
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
  readonly x: string;
  /** Seconds since 1970, as in RFC 7519: what is signed outside of them counts for nothing. */
  readonly nbf: number;
  readonly exp: number;
}

export interface JwkSet {
  readonly keys: readonly AttestJwk[];
}

/**
 * The keys that sign attestations, those to come and those of codes that may still be shown too, by their ids. A key that was given up is left
 * out, and with it the genuine codes before its cut-off: a reader of this form cannot have them proven.
 */
export function attestJwks(state: TrustState): JwkSet {
  return {
    keys: attestKeys(state).map(({ keyId, publicKey, fromS, untilS }) => ({
      kty: 'OKP',
      crv: 'Ed25519',
      kid: keyId,
      use: 'sig',
      alg: 'EdDSA',
      x: encodeBase64Url(publicKey),
      nbf: fromS,
      exp: untilS,
    })),
  };
}

/** Who may sign what, as the lists of member states write it: tests, vaccinations, recoveries. */
const USAGE_LETTERS: Readonly<Record<KeyUsage, string>> = { test: 't', vaccination: 'v', recovery: 'r' };

export interface DccKey {
  /** DER of a SubjectPublicKeyInfo (RFC 5280), in base64. */
  readonly subjectPk: string;
  /** Empty where the key may sign all three. */
  readonly keyUsage: readonly string[];
}

export interface DccKeyList {
  /** By key id: 8 bytes in base64. Several keys may share one. */
  readonly eu_keys: Readonly<Record<string, readonly DccKey[]>>;
}

export interface DccKeyOptions {
  readonly nowS: number;
  /** The region's own attestation keys too, which are Ed25519: no reader of EU certificates knows that algorithm. */
  readonly withEd25519?: boolean;
}

/** The keys of EU certificates that the region's adapters announce and that are in force. */
export function dccKeyList(state: TrustState, { nowS, withEd25519 = false }: DccKeyOptions): DccKeyList {
  const list = new Map<string, DccKey[]>();
  const add = (keyId: string, key: DccKey) => list.set(keyId, [...(list.get(keyId) ?? []), key]);
  for (const { keyId, publicKey, usages = [], untilS = Infinity } of announcedKeys(state)) {
    if (untilS < nowS) continue;
    const key = keyObjectOf(publicKey);
    if (key === undefined) continue;
    add(keyId, { subjectPk: spkiOf(key), keyUsage: usages.map((usage) => USAGE_LETTERS[usage]) });
  }
  if (withEd25519)
    for (const { keyId, publicKey } of attestKeys(state)) {
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(publicKey) };
      const key = crypto.createPublicKey({ key: jwk, format: 'jwk' });
      add(Buffer.from(hexBytes(keyId)).toString('base64'), { subjectPk: spkiOf(key), keyUsage: [] });
    }
  return { eu_keys: Object.fromEntries([...list].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function attestKeys(state: TrustState): TrustKey[] {
  return state
    .keysWithRole('attest')
    .filter(({ compromise }) => compromise === undefined)
    .sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
}

/** Of adapters that can be read: what a region logged in another form announces nothing. */
function announcedKeys(state: TrustState): ForeignKey[] {
  return [...state.adapters()].flatMap((logged) => {
    try {
      const { format, keys } = readAdapter(logged);
      return format === 'hcert' ? keys : [];
    } catch (error) {
      if (isProtocolError(error, 'STATEMENT_MALFORMED')) return [];
      throw error;
    }
  });
}

function spkiOf(key: crypto.KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).toString('base64');
}
