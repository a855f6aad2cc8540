/** EU Digital COVID Certificates, `HC1:`. Spec: SPEC.md 17.3; eHealth Network, "Technical Specifications for EU Digital COVID Certificates", volumes 1 and 3. */
import { decodeBase45 } from '../encoding/base45.ts';
import { encodeBase64 } from '../encoding/base64.ts';
import { ProtocolError } from '../fault.ts';
import { CODE_CHARS_MAX } from '../limits.ts';
import { parseCoseSign1 } from './cose.ts';
import { type ForeignCode, type ForeignTimes, type KeyUsage } from './foreign-code.ts';
import { asMap, decodeForeignCbor, type ForeignCborMap } from './foreign-cbor.ts';
import {
  FOREIGN_LIFE_S_MAX,
  HCERT_ENTRIES_MAX,
  INFLATED_BYTES_MAX,
  INFLATION_MAX,
} from './foreign-limits.ts';
import { type Inflate } from './foreign-primitives.ts';
import { jsonOf } from './json-of-cbor.ts';

const PREFIX = 'HC1:';
const OTHER_VERSION = /^HC[0-9]:/;
/** The first byte of zlib with the one method there is; the rest of its header is zlib's to check. */
const ZLIB_METHOD = 0x08;

const CLAIM = { issuer: 1, expires: 4, issued: 6, certificates: -260 } as const;
/** The one kind of certificate under the claim. */
const EU_DCC = 1;

/** The lists of a certificate, by what their entries attest. */
const ENTRIES: Readonly<Record<string, KeyUsage>> = { v: 'vaccination', t: 'test', r: 'recovery' };

/**
 * The deflated bytes of a certificate's text. Nothing is trimmed: a space is a character of base45.
 * @throws {ProtocolError} TOO_LARGE; CODE_EMPTY, CODE_UNKNOWN, CODE_VERSION_UNKNOWN; BASE45_MALFORMED; COMPRESSION_INVALID for what
 * is not compressed.
 */
export function unwrapHcert(text: string): Uint8Array {
  if (text.length > CODE_CHARS_MAX) {
    throw new ProtocolError(
      'TOO_LARGE',
      `expected at most ${CODE_CHARS_MAX} characters, got ${text.length}`,
      {
        chars: text.length,
        charsMax: CODE_CHARS_MAX,
      },
    );
  }
  if (!text.startsWith(PREFIX)) throw unknown(text);
  if (text.length === PREFIX.length)
    throw new ProtocolError('CODE_EMPTY', 'expected a certificate behind the prefix');
  const bytes = decodeBase45(text, CODE_CHARS_MAX, PREFIX.length);
  if (((bytes[0] ?? 0) & 0x0f) !== ZLIB_METHOD)
    throw new ProtocolError('COMPRESSION_INVALID', 'expected bytes compressed with zlib');
  return bytes;
}

/** From the text to the certificate in one call. @throws {ProtocolError} as `unwrapHcert`, `Inflate` and `parseHcert`. */
export async function readHcert(inflate: Inflate, text: string): Promise<ForeignCode> {
  const deflated = unwrapHcert(text);
  return parseHcert(
    await inflate(deflated, 'zlib', Math.min(INFLATED_BYTES_MAX, INFLATION_MAX * deflated.length)),
  );
}

/**
 * The certificate in inflated bytes.
 * @throws {ProtocolError} as `parseCoseSign1`; CBOR_MALFORMED; CLAIMS_MALFORMED unless it carries a certificate with at most 16 entries of a kind.
 */
export function parseHcert(bytes: Uint8Array): ForeignCode {
  const { algorithm, keyId, payload, message, signature } = parseCoseSign1(bytes);
  const claims = asMap(decodeForeignCbor(payload, INFLATED_BYTES_MAX));
  const certificate = asMap(asMap(claims?.get(CLAIM.certificates))?.get(EU_DCC));
  if (claims === undefined || certificate === undefined)
    throw new ProtocolError('CLAIMS_MALFORMED', 'expected the claims of a health certificate');
  const issuer = claims.get(CLAIM.issuer);
  const usages = usagesOf(certificate);
  return {
    format: 'hcert',
    keyId: encodeBase64(keyId),
    algorithm,
    message,
    signature,
    issuer: typeof issuer === 'string' ? issuer : undefined,
    times: timesOf(claims),
    usages,
    content: jsonOf(certificate),
    flaw: flawOf(claims, usages),
  };
}

/** What the entries attest, each once. */
function usagesOf(certificate: ForeignCborMap): KeyUsage[] {
  const usages: KeyUsage[] = [];
  for (const [name, usage] of Object.entries(ENTRIES)) {
    // Some issuers write the lists that they do not use as null.
    const list = certificate.get(name) ?? [];
    if (!Array.isArray(list) || list.length > HCERT_ENTRIES_MAX)
      throw new ProtocolError(
        'CLAIMS_MALFORMED',
        `expected at most ${HCERT_ENTRIES_MAX} entries under ${name}`,
      );
    if (!list.every((entry) => entry instanceof Map))
      throw new ProtocolError('CLAIMS_MALFORMED', `expected maps under ${name}`);
    if (list.length > 0) usages.push(usage);
  }
  return usages;
}

function timesOf(claims: ForeignCborMap): ForeignTimes {
  return { issuedAtS: secondsOf(claims, CLAIM.issued), expiresAtS: secondsOf(claims, CLAIM.expires) };
}

/** RFC 8392 lets a time be a fraction, and issuers have written whole seconds in that form; no other fraction is one. */
function secondsOf(claims: ForeignCborMap, claim: number): number | undefined {
  const value = claims.get(claim);
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function flawOf(claims: ForeignCborMap, usages: readonly KeyUsage[]): string | undefined {
  const { issuedAtS, expiresAtS } = timesOf(claims);
  if (issuedAtS === undefined || expiresAtS === undefined) return 'no time of issue or of expiry';
  if (expiresAtS <= issuedAtS) return 'expires before it was issued';
  if (expiresAtS - issuedAtS >= FOREIGN_LIFE_S_MAX) return 'a life of ten years or more';
  return usages.length === 0 ? 'attests neither test, vaccination nor recovery' : undefined;
}

function unknown(text: string): ProtocolError {
  if (text === '') return new ProtocolError('CODE_EMPTY', 'expected a certificate, got no text');
  if (!OTHER_VERSION.test(text))
    return new ProtocolError('CODE_UNKNOWN', `expected a text that begins with ${PREFIX}`);
  const version = Number(text[2]);
  return new ProtocolError(
    'CODE_VERSION_UNKNOWN',
    `expected version 1, got ${version}: a newer verifier may know it`,
    { version },
  );
}
