/** JSON Web Signatures in their compact form. Spec: SPEC.md 17.4, RFC 7515 7.1. */
import { asciiBytes } from '../bytes.ts';
import { decodeBase64Url } from '../encoding/base64-url.ts';
import { ProtocolError } from '../fault.ts';
import { memberOf, parseJsonObject, type JsonObject } from './foreign-json.ts';
import { JWS_CHARS_MAX } from './foreign-limits.ts';
import { FOREIGN_ALGORITHMS, type ForeignAlgorithm } from './signature-check.ts';

export interface Jws {
  readonly header: JsonObject;
  readonly algorithm: ForeignAlgorithm;
  readonly payload: Uint8Array;
  /** What the signature covers: the first two parts as they came. */
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** Header members that bring a key along, or an address to fetch one from: a key comes from the verifier's lists. */
const OTHER_KEYS = ['jwk', 'jku', 'x5u'];

/**
 * Takes a JWS apart.
 * @throws {ProtocolError} TOO_LARGE; JWS_MALFORMED, also for a critical header and one that brings a key along; ALGORITHM_UNKNOWN;
 * JSON_MALFORMED for the header.
 */
export function parseJws(
  text: string,
  charsMax = JWS_CHARS_MAX,
  algorithms: readonly ForeignAlgorithm[] = FOREIGN_ALGORITHMS,
): Jws {
  if (text.length > charsMax) {
    throw new ProtocolError('TOO_LARGE', `expected at most ${charsMax} characters, got ${text.length}`, {
      chars: text.length,
      charsMax,
    });
  }
  const [, head = '', body = '', tail = ''] = COMPACT.exec(text) ?? [];
  if (head === '') throw malformed('expected three parts in base64url with dots between');
  const header = parseJsonObject(decodeBase64Url(head, 'JWS_MALFORMED'));
  for (const name of ['crit', ...OTHER_KEYS])
    if (memberOf(header, name) !== undefined) throw malformed(`expected no ${name} in the header`);
  const algorithm = algorithms.find((name) => name === memberOf(header, 'alg'));
  if (algorithm === undefined)
    throw new ProtocolError('ALGORITHM_UNKNOWN', `expected one of ${algorithms.join(', ')}`);
  return {
    header,
    algorithm,
    payload: decodeBase64Url(body, 'JWS_MALFORMED'),
    message: asciiBytes(`${head}.${body}`),
    signature: decodeBase64Url(tail, 'JWS_MALFORMED'),
  };
}

function malformed(message: string): ProtocolError {
  return new ProtocolError('JWS_MALFORMED', message);
}
