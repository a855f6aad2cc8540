/**
 * A region's keys in forms that verifiers of others read: a JWK set, and a list as member states of the EU publish theirs. Neither proves
 * anything: whoever serves it vouches for it, and a reader fetches it anew. Spec: SPEC.md 17.10.
 */
import { hexBytes } from '../../protocol/bytes.ts';
import { encodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { readAdapter } from '../../protocol/foreign/adapter.ts';
import { type KeyUsage } from '../../protocol/foreign/foreign-code.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { type LoggedAdapter, type TrustKey, type TrustState } from '../../protocol/trust/trust-state.ts';
import { spkiOf } from './spki.ts';

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
  /** Of when it is, where that is not now: seconds since 1970. Readers that do not know this member pass over it (RFC 7517 5). */
  readonly iat?: number;
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
  const add = (keyId: string, key: DccKey) => {
    const keys = list.get(keyId);
    if (keys === undefined) list.set(keyId, [key]);
    else keys.push(key);
  };
  for (const { keyId, key, untilS } of exported(state)) if (untilS >= nowS) add(keyId, key);
  if (withEd25519)
    for (const { keyId, publicKey } of attestKeys(state)) {
      const subjectPk = base64(spkiOf({ kind: 'ed25519', bytes: publicKey }));
      add(base64(hexBytes(keyId)), { subjectPk, keyUsage: [] });
    }
  return { eu_keys: Object.fromEntries([...list].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** The first end of a key at or after `nowS`, in seconds; until then the list stays what it is while the state does. Infinity for none. */
export function dccListEndS(state: TrustState, nowS: number): number {
  return exported(state).reduce(
    (end, { untilS }) => (untilS >= nowS ? Math.min(end, untilS) : end),
    Infinity,
  );
}

function attestKeys(state: TrustState): TrustKey[] {
  return state
    .keysWithRole('attest')
    .filter(({ fromS, untilS, compromise }) => fromS < untilS && compromise === undefined)
    .sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
}

interface Exported {
  readonly keyId: string;
  readonly key: DccKey;
  readonly untilS: number;
}

function exported(state: TrustState): Exported[] {
  return [...state.adapters()].flatMap((logged) => exportedOf(logged));
}

/** What a statement says never changes, and another one of its region leaves it as it is. */
const exportedOfData = new WeakMap<LoggedAdapter['data'], readonly Exported[]>();

function exportedOf(logged: LoggedAdapter): readonly Exported[] {
  let keys = exportedOfData.get(logged.data);
  if (keys === undefined) exportedOfData.set(logged.data, (keys = announcedKeys(logged).flatMap(toExported)));
  return keys;
}

/** None for a key that is on no curve, and for one that may sign nothing: readers take an empty list of usages for all three. */
function toExported({ keyId, publicKey, usages, untilS = Infinity }: ForeignKey): readonly Exported[] {
  const spki = usages?.length === 0 ? undefined : spkiOf(publicKey);
  const keyUsage = (usages ?? []).map((usage) => USAGE_LETTERS[usage]);
  return spki === undefined ? [] : [{ keyId, untilS, key: { subjectPk: base64(spki), keyUsage } }];
}

/** None of an adapter that cannot be read: what a region logged in another form announces nothing. */
function announcedKeys(logged: LoggedAdapter): readonly ForeignKey[] {
  try {
    const { format, keys } = readAdapter(logged);
    return format === 'hcert' ? keys : [];
  } catch (error) {
    if (isProtocolError(error, 'STATEMENT_MALFORMED')) return [];
    throw error;
  }
}

function base64(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes).toString('base64');
}
