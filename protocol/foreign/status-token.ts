/** Status lists under a signature, as JWT and as CWT. Spec: SPEC.md 17.6; IETF draft-ietf-oauth-status-list 5. */
import { asciiBytes } from '../bytes.ts';
import { decodeBase64Url, encodeBase64Url } from '../encoding/base64-url.ts';
import { encodeBase64 } from '../encoding/base64.ts';
import { type CborValue, encodeCbor } from '../encoding/cbor.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { concatBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { COSE_HEADER, parseCoseSign1, sign1Message } from './cose.ts';
import { asMap, decodeForeignCbor, type ForeignCbor } from './foreign-cbor.ts';
import { type ForeignCode, type Json } from './foreign-code.ts';
import { memberOf, parseJsonObject, textOf } from './foreign-json.ts';
import { NAME_CHARS_MAX, STATUS_TOKEN_BYTES_MAX } from './foreign-limits.ts';
import { parseJws } from './jws.ts';
import { isStatusBits, type PackedStatuses } from './status-list.ts';

const JWT_TYPE = 'statuslist+jwt';
const CWT_TYPE = 'application/statuslist+cwt';
const CLAIM = { subject: 2, expires: 4, issued: 6, list: 65_533, ttl: 65_534 } as const;
const COSE_ES256 = -7;
const COSE_SIGN1_TAG = Uint8Array.of(0xd2);

/** What a token says besides its statuses. */
export interface StatusClaims {
  /** The address of the list, by which codes point to it. */
  readonly subject: string;
  readonly issuedAtS: number;
  readonly expiresAtS?: number | undefined;
  /** Seconds for which a copy may be kept. */
  readonly ttlS?: number | undefined;
}

/** A well-formed token, to be judged by `foreignChecksOf` and `judgeForeign` as any other code. */
export interface StatusToken extends ForeignCode {
  readonly subject: string;
  readonly ttlS: number | undefined;
  readonly packed: PackedStatuses;
}

/**
 * The token in a JWT's text or a CWT's bytes, which is to be about the list at `address`: another one is a flaw of it.
 * @throws {ProtocolError} as `parseJws` and `parseCoseSign1`; KEY_ID_MISSING; STATUS_LIST_MALFORMED for another type, claims that are missing
 * or of another kind.
 */
export function parseStatusToken(token: string | Uint8Array, address: string): StatusToken {
  return typeof token === 'string' ? parseJwt(token, address) : parseCwt(token, address);
}

function parseJwt(text: string, address: string): StatusToken {
  const { header, algorithm, payload, message, signature } = parseJws(text, STATUS_TOKEN_BYTES_MAX);
  if (memberOf(header, 'typ') !== JWT_TYPE) throw malformed(`expected the type ${JWT_TYPE}`);
  const keyId = textOf(header, 'kid', NAME_CHARS_MAX);
  if (keyId === undefined) throw new ProtocolError('KEY_ID_MISSING', 'expected a kid');
  const claims = parseJsonObject(payload);
  const list = memberOf(claims, 'status_list');
  const [bits, lst] = [memberOf(list, 'bits'), memberOf(list, 'lst')];
  if (!isStatusBits(bits) || typeof lst !== 'string') throw malformed('expected a status list');
  const packed = { bits, deflated: decodeBase64Url(lst, 'STATUS_LIST_MALFORMED') };
  const said = claimsOf((name) => memberOf(claims, name), {
    subject: 'sub',
    issued: 'iat',
    expires: 'exp',
    ttl: 'ttl',
  });
  return tokenOf({ keyId, algorithm, message, signature }, said, packed, address);
}

function parseCwt(bytes: Uint8Array, address: string): StatusToken {
  const { protectedHeader, keyId, algorithm, payload, message, signature } = parseCoseSign1(
    bytes,
    STATUS_TOKEN_BYTES_MAX,
  );
  if (protectedHeader.get(COSE_HEADER.type) !== CWT_TYPE) throw malformed(`expected the type ${CWT_TYPE}`);
  const claims = asMap(decodeForeignCbor(payload, STATUS_TOKEN_BYTES_MAX));
  const list = asMap(claims?.get(CLAIM.list));
  const [bits, deflated] = [list?.get('bits'), list?.get('lst')];
  if (!isStatusBits(bits) || !(deflated instanceof Uint8Array)) throw malformed('expected a status list');
  const said = claimsOf((name) => claims?.get(name), CLAIM);
  return tokenOf(
    { keyId: encodeBase64(keyId), algorithm, message, signature },
    said,
    { bits, deflated },
    address,
  );
}

function claimsOf<Name>(
  claim: (name: Name) => ForeignCbor | Json | undefined,
  names: { subject: Name; issued: Name; expires: Name; ttl: Name },
): StatusClaims {
  const subject = claim(names.subject);
  const issuedAtS = secondsOf(claim(names.issued));
  if (typeof subject !== 'string' || subject.length > NAME_CHARS_MAX || issuedAtS === undefined)
    throw malformed('expected the address of the list and its time of issue');
  return {
    subject,
    issuedAtS,
    expiresAtS: secondsOf(claim(names.expires)),
    ttlS: secondsOf(claim(names.ttl)),
  };
}

/** Undefined if there is none. */
function secondsOf(value: ForeignCbor | Json | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw malformed('expected seconds');
}

function tokenOf(
  signed: Pick<ForeignCode, 'keyId' | 'algorithm' | 'message' | 'signature'>,
  { subject, issuedAtS, expiresAtS, ttlS }: StatusClaims,
  packed: PackedStatuses,
  address: string,
): StatusToken {
  return {
    ...signed,
    format: 'status-list',
    issuer: undefined,
    times: { issuedAtS, expiresAtS },
    usages: [],
    content: {},
    flaw: subject === address ? undefined : 'about another list',
    subject,
    ttlS,
    packed,
  };
}

/** A token that lacks its signature: what is to be signed by ES256, and the token once it is. */
export interface StatusTokenDraft<Token> {
  readonly message: Uint8Array;
  /** `signature`: r and s, 64 bytes. */
  readonly finish: (signature: Uint8Array) => Token;
}

/** A JWT by the key that `keyId` names. */
export function draftStatusJwt(
  claims: StatusClaims,
  { bits, deflated }: PackedStatuses,
  keyId: string,
): StatusTokenDraft<string> {
  const part = (value: object) => encodeBase64Url(utf8Bytes(JSON.stringify(value)));
  const { subject, issuedAtS, expiresAtS, ttlS } = claims;
  const head = part({ alg: 'ES256', kid: keyId, typ: JWT_TYPE });
  const list = { bits, lst: encodeBase64Url(deflated) };
  const body = part({ sub: subject, iat: issuedAtS, exp: expiresAtS, ttl: ttlS, status_list: list });
  return {
    message: asciiBytes(`${head}.${body}`),
    finish: (signature) => `${head}.${body}.${encodeBase64Url(signature)}`,
  };
}

/** A CWT by the key that `keyId` names, 1 to 32 bytes. */
export function draftStatusCwt(
  claims: StatusClaims,
  { bits, deflated }: PackedStatuses,
  keyId: Uint8Array,
): StatusTokenDraft<Uint8Array> {
  const header = encodeCbor(
    new Map<number, CborValue>([
      [COSE_HEADER.algorithm, COSE_ES256],
      [COSE_HEADER.keyId, keyId],
      [COSE_HEADER.type, CWT_TYPE],
    ]),
  );
  const optional = [
    [CLAIM.expires, claims.expiresAtS],
    [CLAIM.ttl, claims.ttlS],
  ] as const;
  const payload = encodeCbor(
    new Map<number, CborValue>([
      [CLAIM.subject, claims.subject],
      [CLAIM.issued, claims.issuedAtS],
      [CLAIM.list, { bits, lst: deflated }],
      ...optional.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    ]),
  );
  return {
    message: sign1Message(header, payload),
    finish: (signature) => concatBytes(COSE_SIGN1_TAG, encodeCbor([header, {}, payload, signature])),
  };
}

function malformed(message: string): ProtocolError {
  return new ProtocolError('STATUS_LIST_MALFORMED', message);
}
