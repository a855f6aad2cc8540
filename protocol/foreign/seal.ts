/** ICAO visible digital seals for non-constrained environments. Spec: SPEC.md 17.5; ICAO Doc 9303-13, VDS-NC. */
import { decodeBase64Url, encodeBase64Url } from '../encoding/base64-url.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { type Sha256 } from '../primitives.ts';
import { canonicalJson } from './canonical-json.ts';
import { type ForeignCode, type Json } from './foreign-code.ts';
import { isObject, memberOf, parseForeignJson, textOf } from './foreign-json.ts';
import { NAME_CHARS_MAX, SEAL_CHARS_MAX } from './foreign-limits.ts';
import { FOREIGN_ALGORITHMS } from './signature-check.ts';

const VERSION = 1;
const TYPES = ['icao.vacc', 'icao.test'];

/** A seal brings its signer's certificate along: whom to trust is for the verifier's list. */
export interface Seal extends ForeignCode {
  readonly certificate: Uint8Array;
}

/**
 * The seal in a text. What is signed is the canonical form of its data, so that the text itself may be spaced and ordered in any way.
 * @throws {ProtocolError} TOO_LARGE, JSON_MALFORMED; SEAL_MALFORMED; CODE_VERSION_UNKNOWN; ALGORITHM_UNKNOWN; KEY_ID_MISSING without a certificate.
 */
export function parseSeal(sha256: Sha256, text: string): Seal {
  if (text.length > SEAL_CHARS_MAX) {
    throw new ProtocolError(
      'TOO_LARGE',
      `expected at most ${SEAL_CHARS_MAX} characters, got ${text.length}`,
      {
        chars: text.length,
        charsMax: SEAL_CHARS_MAX,
      },
    );
  }
  const seal = parseForeignJson(text);
  const [data, sig] = [memberOf(seal, 'data'), memberOf(seal, 'sig')];
  const [header, message] = [memberOf(data, 'hdr'), memberOf(data, 'msg')];
  if (!isObject(data) || !isObject(header) || !isObject(message) || !isObject(sig))
    throw new ProtocolError('SEAL_MALFORMED', 'expected data with header and message, and a signature');
  const version = memberOf(header, 'v');
  if (version !== VERSION) throw unknownVersion(version);
  const algorithm = FOREIGN_ALGORITHMS.find((name) => name === memberOf(sig, 'alg'));
  if (algorithm === undefined)
    throw new ProtocolError('ALGORITHM_UNKNOWN', `expected one of ${FOREIGN_ALGORITHMS.join(', ')}`);
  const certificate = bytesOf(sig, 'cer');
  if (certificate.length === 0)
    throw new ProtocolError('KEY_ID_MISSING', "expected the signer's certificate under cer");
  return {
    format: 'vdsnc',
    keyId: encodeBase64Url(sha256(certificate)),
    algorithm,
    message: utf8Bytes(canonicalJson(data)),
    signature: bytesOf(sig, 'sigvl'),
    issuer: textOf(header, 'is', NAME_CHARS_MAX),
    times: { issuedAtS: undefined, expiresAtS: undefined },
    usages: [],
    content: data,
    flaw: flawOf(header),
    certificate,
  };
}

function flawOf(header: Json): string | undefined {
  if (!TYPES.includes(textOf(header, 't', NAME_CHARS_MAX) ?? '')) return 'of a type that is not known';
  return /^[A-Z]{1,3}$/.test(textOf(header, 'is', NAME_CHARS_MAX) ?? '') ? undefined : 'no issuer';
}

function unknownVersion(version: Json | undefined): ProtocolError {
  if (!Number.isSafeInteger(version))
    return new ProtocolError('SEAL_MALFORMED', 'expected a version that is a whole number');
  return new ProtocolError(
    'CODE_VERSION_UNKNOWN',
    `expected version ${VERSION}: a newer verifier may know others`,
    {
      version: version as number,
    },
  );
}

/** Base64 with the URL alphabet; issuers differ in whether they pad it. */
function bytesOf(sig: Json, name: string): Uint8Array {
  const text = textOf(sig, name, SEAL_CHARS_MAX) ?? '';
  const bare = text.length % 4 === 0 ? text.replace(/={1,2}$/, '') : text;
  return decodeBase64Url(bare, 'SEAL_MALFORMED');
}
