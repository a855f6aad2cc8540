/** SMART Health Cards: `shc:/` texts and the JWS in them. Spec: SPEC.md 17.4; SMART Health Cards Framework 1.4.0. */
import { ProtocolError } from '../fault.ts';
import { type ForeignCode, type ForeignTimes } from './foreign-code.ts';
import { isObject, type JsonObject, memberOf, parseJsonObject, textOf } from './foreign-json.ts';
import { CARD_BYTES_MAX, FOREIGN_LIFE_S_MAX, INFLATION_MAX, NAME_CHARS_MAX } from './foreign-limits.ts';
import { type ForeignPrimitives } from './foreign-primitives.ts';
import { type Jws, parseJws } from './jws.ts';
import { isCardText, jwsOfCardText } from './card-text.ts';

const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;
const RID = /^[A-Za-z0-9_-]{1,24}$/;
const CARD_TYPE = 'https://smarthealth.cards#health-card';

/**
 * The card in a text: `shc:/` and digits, all of its parts with white space between, or the bare JWS.
 * @throws {ProtocolError} as `jwsOfCardText`, `parseJws` and `Inflate`; KEY_ID_MISSING, COMPRESSION_INVALID, JSON_MALFORMED;
 * CLAIMS_MALFORMED without an issuer and a credential.
 */
export async function readCard(
  { inflate }: Pick<ForeignPrimitives, 'inflate'>,
  text: string,
): Promise<ForeignCode> {
  const jws = parseJws(isCardText(text) ? jwsOfCardText(text) : text);
  // The only algorithm that cards know.
  if (jws.algorithm !== 'ES256') throw new ProtocolError('ALGORITHM_UNKNOWN', 'expected ES256');
  const keyId = textOf(jws.header, 'kid', NAME_CHARS_MAX);
  if (keyId === undefined || !THUMBPRINT.test(keyId))
    throw new ProtocolError('KEY_ID_MISSING', 'expected the thumbprint of a key as kid');
  if (memberOf(jws.header, 'zip') !== 'DEF')
    throw new ProtocolError('COMPRESSION_INVALID', 'expected a deflated payload');
  const bytesMax = Math.min(CARD_BYTES_MAX, INFLATION_MAX * jws.payload.length);
  const claims = parseJsonObject(await inflate(jws.payload, 'raw', bytesMax));
  return codeOf(jws, keyId, claims);
}

function codeOf({ algorithm, message, signature }: Jws, keyId: string, claims: JsonObject): ForeignCode {
  const issuer = textOf(claims, 'iss', NAME_CHARS_MAX);
  const credential = memberOf(claims, 'vc');
  if (issuer === undefined || !isObject(credential))
    throw new ProtocolError('CLAIMS_MALFORMED', 'expected an issuer and a credential');
  const times = timesOf(claims);
  return {
    format: 'shc',
    keyId,
    algorithm,
    message,
    signature,
    issuer,
    times,
    usages: [],
    content: credential,
    flaw: flawOf(claims, credential, issuer, times),
  };
}

/** The name by which the issuer can revoke a card; undefined where it cannot. Needs a code that `readCard` made. */
export function cardRevocationId({ content }: ForeignCode): string | undefined {
  return textOf(content, 'rid', NAME_CHARS_MAX);
}

/** Cards may give fractions of a second. Most never expire. */
function timesOf(claims: JsonObject): ForeignTimes {
  return { issuedAtS: secondsOf(claims, 'nbf'), expiresAtS: secondsOf(claims, 'exp') };
}

function secondsOf(claims: JsonObject, name: string): number | undefined {
  const value = memberOf(claims, name);
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

function flawOf(
  claims: JsonObject,
  credential: JsonObject,
  issuer: string,
  { issuedAtS, expiresAtS }: ForeignTimes,
): string | undefined {
  if (!isIssuer(issuer)) return 'an issuer that is no https address without a slash at its end';
  if (issuedAtS === undefined) return 'no time of issue';
  if (memberOf(claims, 'exp') !== undefined) {
    if (expiresAtS === undefined) return 'a time of expiry that is none';
    if (expiresAtS <= issuedAtS) return 'expires before it was issued';
    if (expiresAtS - issuedAtS >= FOREIGN_LIFE_S_MAX) return 'a life of ten years or more';
  }
  const types = memberOf(credential, 'type');
  if (!Array.isArray(types) || !types.includes(CARD_TYPE)) return 'not of the type of a health card';
  if (!isObject(memberOf(memberOf(credential, 'credentialSubject'), 'fhirBundle')))
    return 'no bundle of facts';
  const rid = memberOf(credential, 'rid');
  if (rid !== undefined && !(typeof rid === 'string' && RID.test(rid))) return 'a revocation id that is none';
  return undefined;
}

/** Https, without query, fragment or a slash at the end. */
export function isIssuer(text: string): boolean {
  return /^https:\/\/[^\s?#]+[^\s?#/]$/.test(text) && text.length <= NAME_CHARS_MAX;
}
