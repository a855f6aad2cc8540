/** A local code by the profile that its region has announced: signed JSON, a JWS or a COSE_Sign1. Spec: SPEC.md 17.11. */
import { decodeBase45 } from '../encoding/base45.ts';
import { decodeBase64Url } from '../encoding/base64-url.ts';
import { encodeBase64 } from '../encoding/base64.ts';
import { decodeUtf8 } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { CODE_CHARS_MAX } from '../limits.ts';
import { COSE_HEADER, keyIdOf, parseCoseParts } from './cose.ts';
import { asMap, decodeForeignCbor } from './foreign-cbor.ts';
import { type ForeignCode } from './foreign-code.ts';
import { memberOf, textOf } from './foreign-json.ts';
import { INFLATION_MAX, LOCAL_BYTES_MAX, NAME_CHARS_MAX } from './foreign-limits.ts';
import { type ForeignPrimitives } from './foreign-primitives.ts';
import { parseJws } from './jws.ts';
import { type LocalPayload, readLocalClaims } from './local-claims.ts';
import { parseLocalObject, parseSignedJson, requireWellFormed } from './local-json.ts';
import { type LocalProfile } from './local-profile.ts';
import { type ForeignAlgorithm } from './signature-check.ts';

/** The name of all keys of a profile whose codes name none. */
export const UNNAMED_KEY = '-';

/** Algorithms by the numbers of RFC 9053. */
const COSE_ALGORITHMS: Readonly<Record<ForeignAlgorithm, number>> = {
  ES256: -7,
  ES384: -35,
  PS256: -37,
  EdDSA: -8,
};

/** Header members that change what is signed or how it is packed, or that bring a key along. `parseJws` refuses further ones. */
const JWS_REFUSED = ['b64', 'zip', 'x5c'];

/** What the containers have in common. */
interface Signed extends Pick<ForeignCode, 'algorithm' | 'message' | 'signature'> {
  readonly keyId: string | undefined;
  readonly payload: LocalPayload;
}

/**
 * Takes a text apart that begins as codes of the profile do (`mayBeLocal`), without checking anything of it.
 * @throws {ProtocolError} TOO_LARGE; as the container: BASE45_MALFORMED, CODE_MALFORMED, COMPRESSION_INVALID, JSON_MALFORMED, JWS_MALFORMED,
 * COSE_MALFORMED, CBOR_MALFORMED; ALGORITHM_UNKNOWN for one that the profile does not allow; KEY_ID_MISSING; CLAIMS_MALFORMED without a payload.
 */
export async function readLocal(
  { inflate }: Pick<ForeignPrimitives, 'inflate'>,
  profile: LocalProfile,
  text: string,
): Promise<ForeignCode> {
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
  const { algorithm, message, signature, keyId, payload } = await signedIn(inflate, profile, text);
  const claims = readLocalClaims(profile, payload);
  return {
    format: 'local',
    keyId: keyId ?? UNNAMED_KEY,
    algorithm,
    message,
    signature,
    usages: [],
    ...claims,
  };
}

async function signedIn(
  inflate: ForeignPrimitives['inflate'],
  profile: LocalProfile,
  text: string,
): Promise<Signed> {
  const body = text.slice(profile.prefix.length);
  if (profile.container === 'jws') return jwsIn(profile, body);
  if (profile.container === 'cose') return coseIn(profile, await bytesIn(inflate, profile, body));
  const json =
    profile.text === 'plain' ? body : decodeUtf8(await bytesIn(inflate, profile, body), 'JSON_MALFORMED');
  return parseSignedJson(json, profile.members, profile.algorithms);
}

async function bytesIn(
  inflate: ForeignPrimitives['inflate'],
  { text: form, deflate }: Exclude<LocalProfile, { container: 'jws' }>,
  body: string,
): Promise<Uint8Array> {
  const bytes =
    form === 'base45' ? decodeBase45(body, CODE_CHARS_MAX) : decodeBase64Url(body, 'CODE_MALFORMED');
  if (deflate === undefined) return bytes;
  return inflate(bytes, deflate, Math.min(LOCAL_BYTES_MAX, INFLATION_MAX * bytes.length));
}

function jwsIn(
  { algorithms, keyId: isNamed }: Extract<LocalProfile, { container: 'jws' }>,
  text: string,
): Signed {
  const { header, algorithm, payload, message, signature } = parseJws(text, CODE_CHARS_MAX, algorithms);
  requireWellFormed(header);
  for (const name of JWS_REFUSED)
    if (memberOf(header, name) !== undefined)
      throw new ProtocolError('JWS_MALFORMED', `expected no ${name} in the header`);
  const keyId = isNamed ? textOf(header, 'kid', NAME_CHARS_MAX) : undefined;
  if (isNamed && (keyId === undefined || keyId === ''))
    throw new ProtocolError('KEY_ID_MISSING', `expected a kid of 1 to ${NAME_CHARS_MAX} characters`);
  return { algorithm, message, signature, keyId, payload: parseLocalObject(payload) };
}

function coseIn(
  { algorithms, keyId: isNamed }: Extract<LocalProfile, { container: 'cose' }>,
  bytes: Uint8Array,
): Signed {
  const { protectedHeader, unprotected, payload, message, signature } = parseCoseParts(
    bytes,
    LOCAL_BYTES_MAX,
  );
  // A label in both headers would have two readings (RFC 9052 3), and what is critical or an algorithm has to be signed.
  for (const label of [COSE_HEADER.algorithm, COSE_HEADER.critical, ...protectedHeader.keys()])
    if (unprotected.has(label))
      throw new ProtocolError(
        'COSE_MALFORMED',
        'expected each label in one header, and the algorithm in the protected one',
      );
  const number = protectedHeader.get(COSE_HEADER.algorithm);
  const algorithm = algorithms.find((name) => COSE_ALGORITHMS[name] === number);
  if (algorithm === undefined)
    throw new ProtocolError(
      'ALGORITHM_UNKNOWN',
      `expected one of ${algorithms.join(', ')} in the protected header`,
    );
  const keyId = isNamed
    ? encodeBase64(keyIdOf(protectedHeader.get(COSE_HEADER.keyId) ?? unprotected.get(COSE_HEADER.keyId)))
    : undefined;
  const claims = asMap(decodeForeignCbor(payload, LOCAL_BYTES_MAX));
  if (claims === undefined) throw new ProtocolError('CLAIMS_MALFORMED', 'expected a map as payload');
  return { algorithm, message, signature, keyId, payload: claims };
}
