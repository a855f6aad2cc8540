/** Texts of local codes and the profiles by which they are read. A name begins with the number of the bad input that it is, where there is one. */
import { deflateSync } from 'node:zlib';
import { encode } from 'cborg';
import { concatBytes, hexBytes } from '../../../protocol/bytes.ts';
import { encodeBase45 } from '../../../protocol/encoding/base45.ts';
import { sha256 } from '../../support/primitives.ts';
import { encodeBase64Url } from '../../../protocol/encoding/base64-url.ts';
import { utf8Bytes } from '../../../protocol/encoding/utf8.ts';
import {
  COSE_CLAIMS,
  COSE_KEY_ID,
  COSE_PROFILE,
  JSON_PROFILE,
  JWS_PROFILE,
  LOCAL_CLAIMS,
  LOCAL_EXPIRES_S,
  LOCAL_ISSUED_S,
  LOCAL_SIGNER,
  localCose,
  localCoseBytes,
  localCoseText,
  localJws,
  mapped,
  OTHER_SIGNER,
  type ProfileJson,
  signedJson,
} from '../../support/local-fixture.ts';

export interface CodeCase {
  readonly name: string;
  readonly profile: ProfileJson;
  readonly text: string;
}

const one = (name: string, profile: ProfileJson, text: string): CodeCase => ({
  name,
  profile: JSON.parse(JSON.stringify(profile)) as ProfileJson,
  text,
});

const claims = JSON.stringify(LOCAL_CLAIMS);
const SPACED = JSON.stringify(LOCAL_CLAIMS, undefined, 2);
const base64url = (text: string) => encodeBase64Url(utf8Bytes(text));
const sign = (text: string) => encodeBase64Url(LOCAL_SIGNER.sign('EdDSA', utf8Bytes(text)));

const TEXT_PROFILE: ProfileJson = {
  ...JSON_PROFILE,
  prefix: 'ZZT:',
  members: { payload: 'p', form: 'text', signature: 's' },
  algorithms: ['EdDSA'],
};
const BYTES_PROFILE: ProfileJson = { ...TEXT_PROFILE, members: { payload: 'p', form: 'base64url', signature: 's' } };
const textCode = (payload: string) => `ZZT:${JSON.stringify({ p: payload, s: sign(payload) })}`;
const bytesCode = (payload: string) => `ZZT:${JSON.stringify({ p: base64url(payload), s: sign(payload) })}`;
const wrapped = { ...JSON_PROFILE, prefix: 'ZZW:', text: 'base64url', deflate: 'raw' };
const BARE_JSON = { ...TEXT_PROFILE, prefix: '' };
const UNNAMED_JWS = { ...JWS_PROFILE, keyId: false };
const UNNAMED_COSE = { ...COSE_PROFILE, keyId: false };
const of = (more: object) => signedJson({ payload: JSON.stringify({ ...LOCAL_CLAIMS, ...more }) });
const time = (at: string, unit: string, offset?: number) => ({ at: [at], unit, ...(offset !== undefined && { offset }) });
const header = (...more: readonly (readonly [number | string, unknown])[]) =>
  new Map<never, unknown>([[1, -8], [4, COSE_KEY_ID], ...more] as never);
const cborClaims = (...more: readonly (readonly [number, unknown])[]) => new Map([...COSE_CLAIMS, ...more]);

export const GOOD_CODES: readonly CodeCase[] = [
  one('signed JSON, an object as it stands', JSON_PROFILE, signedJson()),
  one('signed JSON, spaces and ends of lines are signed as they stand', JSON_PROFILE, signedJson({ payload: SPACED })),
  one('signed JSON, white space around the object is not signed', JSON_PROFILE, signedJson({ around: (d, s) => `{ "s" : "${s}", "k":"k1",\n"a":"EdDSA" , "d" :  ${d} }` })),
  one('signed JSON, a name within another member is not the payload', JSON_PROFILE, signedJson({ around: (d, s) => `{"x":{"d":{}},"y":["d",{"d":[]}],"z":"\\"d\\":{","d":${d},"a":"EdDSA","k":"k1","s":"${s}"}` })),
  one('signed JSON, the name of the payload in escapes', JSON_PROFILE, signedJson({ around: (d, s) => `{"\\u0064":${d},"a":"EdDSA","k":"k1","s":"${s}"}` })),
  one('signed JSON, escapes in it are signed as they stand', JSON_PROFILE, signedJson({ payload: claims.replace('B. EXAMPLE', 'B. \\u0045XAMPLE') })),
  one('signed JSON, a whole pair in escapes', JSON_PROFILE, signedJson({ payload: claims.replace('B. EXAMPLE', 'B. \\ud83d\\ude00') })),
  one('signed JSON, the text of a member', TEXT_PROFILE, textCode(claims)),
  one('signed JSON, the bytes of a member', BYTES_PROFILE, bytesCode(SPACED)),
  one('signed JSON without a beginning', BARE_JSON, textCode(claims).slice(4)),
  one('signed JSON in deflated base64url', wrapped, `ZZW:${encodeBase64Url(new Uint8Array(deflateRaw(signedJson().slice(4))))}`),
  one('signed JSON by another key', JSON_PROFILE, signedJson({ signer: OTHER_SIGNER })),
  one('signed JSON, a bit of it flipped', JSON_PROFILE, signedJson().replace('"st":"G"', '"st":"F"')),
  one('a JWS', JWS_PROFILE, localJws()),
  one('a JWS behind a beginning', { ...JWS_PROFILE, prefix: 'https://pass.example/c#' }, `https://pass.example/c#${localJws()}`),
  one('a JWS whose kid is not looked at', UNNAMED_JWS, localJws({ header: { kid: '../../etc/passwd' } })),
  one('a COSE_Sign1', COSE_PROFILE, localCose()),
  one('a COSE_Sign1 within the tag of a CWT', COSE_PROFILE, localCose({ tag: [0xd8, 0x3d, 0xd2] })),
  one('a COSE_Sign1 with the key id in the other header', COSE_PROFILE, localCose({ protectedHeader: new Map([[1, -8]]), unprotected: new Map([[4, COSE_KEY_ID]]) })),
  one('a COSE_Sign1 whose key id is not looked at', UNNAMED_COSE, localCose({ protectedHeader: new Map([[1, -8]]) })),
  one('a COSE_Sign1 that is not deflated', { ...COSE_PROFILE, text: 'base64url', deflate: undefined }, `ZZC:${encodeBase64Url(localCoseBytes())}`),
  one('a status that the table does not name', JSON_PROFILE, of({ st: 'g' })),
  one('a status that is a number', mapped(JSON_PROFILE, { status: { at: ['st'], colours: { 1: 'red', true: 'green' } } }), of({ st: 1.0 })),
  one('a status that is true', mapped(JSON_PROFILE, { status: { at: ['st'], colours: { 1: 'red', true: 'green' } } }), of({ st: true })),
  one('a status that is a fraction', mapped(JSON_PROFILE, { status: { at: ['st'], colours: { 1: 'red', '1.5': 'green' } } }), of({ st: 1.5 })),
  one('B28 a status by the name of a prototype', JSON_PROFILE, of({ st: 'constructor' })),
  one('times in milliseconds', mapped(JSON_PROFILE, { issuedAt: time('iat', 'ms'), expiresAt: time('exp', 'ms') }), of({ iat: 1_795_000_000_999, exp: 1_795_600_000_000.5 })),
  one('times as RFC 3339', mapped(JSON_PROFILE, { issuedAt: time('iat', 'rfc3339'), expiresAt: time('exp', 'rfc3339') }), of({ iat: '2026-11-18T08:00:00.999+08:00', exp: '2026-11-25T00:00:00Z' })),
  one('days in a zone ahead', mapped(JSON_PROFILE, { issuedAt: time('iat', 'day', 480), expiresAt: time('exp', 'day', 480) }), of({ iat: '2026-11-18', exp: '2026-11-24' })),
  one('a code that ends some seconds after its issue', mapped(JSON_PROFILE, { expiresAt: undefined, life: 86_400 }), of({ exp: 1 })),
  one('B37 no time of expiry', JSON_PROFILE, of({ exp: undefined })),
  one('B37 a time that is text', JSON_PROFILE, of({ exp: String(LOCAL_EXPIRES_S) })),
  one('B37 a time below zero', JSON_PROFILE, of({ iat: -1 })),
  one('B37 a time beyond the year 9999', JSON_PROFILE, of({ exp: 253_402_300_800 })),
  one('B37 expires before it was issued', JSON_PROFILE, of({ exp: LOCAL_ISSUED_S })),
  one('B37 a life of ten years', JSON_PROFILE, of({ exp: LOCAL_ISSUED_S + 315_360_000 })),
  one('B37 a second less than ten years', JSON_PROFILE, of({ exp: LOCAL_ISSUED_S + 315_359_999 })),
  one('B37 a time without a zone', mapped(JSON_PROFILE, { issuedAt: time('iat', 'rfc3339') }), of({ iat: '2026-11-18T08:00:00' })),
  one('B37 a day that is none', mapped(JSON_PROFILE, { issuedAt: time('iat', 'day', 0) }), of({ iat: '2026-02-30' })),
  one('of another issuer', JSON_PROFILE, of({ is: 'Health Office of YY' })),
  one('B38 no identifier', JSON_PROFILE, of({ id: undefined })),
  one('B65 an identifier beyond 2^53-1', JSON_PROFILE, signedJson({ payload: claims.replace('"ZZ-2026-000017-q7x2"', '9007199254740993') })),
  one('an identifier of 128 characters', JSON_PROFILE, of({ id: 'x'.repeat(128) })),
  one('an identifier of 129 characters', JSON_PROFILE, of({ id: 'x'.repeat(129) })),
  one('an identifier that is a number', JSON_PROFILE, of({ id: 17 })),
  one('B17 a name that turns the direction of text is not shown', JSON_PROFILE, of({ nm: 'B. \u202eELPMAXE' })),
  one('B17 a name with a control character is not shown', JSON_PROFILE, of({ nm: 'B.\u001b[2JEXAMPLE' })),
  one('a name that is too long is not shown', JSON_PROFILE, of({ nm: 'x'.repeat(129) })),
  one('a path that ends in nothing', JSON_PROFILE, of({ t: [] })),
  one('B28 a path into a prototype', mapped(JSON_PROFILE, { fields: { x: ['__proto__', 'toString'], y: ['t', 'length'] } }), signedJson()),
  one('512 values', JSON_PROFILE, of({ x: new Array(502).fill(0) })),
];

function deflateRaw(text: string): Uint8Array {
  // The bytes of zlib between its header and its sum.
  return new Uint8Array(deflateSync(Buffer.from(text)).subarray(2, -4));
}

const deflated = (bytes: Uint8Array) => `ZZC:${encodeBase45(new Uint8Array(deflateSync(bytes)))}`;
/** 1,536 bytes that nothing makes shorter. */
const NOISE = concatBytes(...Array.from({ length: 48 }, (_, i) => sha256(Uint8Array.of(i))));
const jsonHeader = (more: string) => `{"alg":"EdDSA","kid":"k1"${more}}`;
const [head = '', body = '', tail = ''] = localJws().split('.');

export const BAD_CODES: readonly CodeCase[] = [
  one('B1 nothing behind the beginning', JSON_PROFILE, 'ZZJ:'),
  one('B9 4,297 characters', JSON_PROFILE, `ZZJ:${' '.repeat(4_293)}`),
  one('B64 a name twice in the payload', JSON_PROFILE, signedJson({ payload: claims.replace('"st":"G"', '"st":"R","st":"G"') })),
  one('B64 the payload twice', JSON_PROFILE, signedJson({ around: (d, s) => `{"d":{},"d":${d},"a":"EdDSA","k":"k1","s":"${s}"}` })),
  one('B64 the payload twice, once in escapes', JSON_PROFILE, signedJson({ around: (d, s) => `{"d":{},"\\u0064":${d},"a":"EdDSA","k":"k1","s":"${s}"}` })),
  one('B63 deeper than 16', JSON_PROFILE, signedJson({ payload: `{"x":${'['.repeat(16)}${']'.repeat(16)}}` })),
  one('B37 a time beyond what a double holds', JSON_PROFILE, signedJson({ payload: claims.replace(String(LOCAL_EXPIRES_S), '1e999') })),
  one('B37 a time of 400 digits', JSON_PROFILE, signedJson({ payload: claims.replace(String(LOCAL_EXPIRES_S), '9'.repeat(400)) })),
  one('something behind the object', JSON_PROFILE, `${signedJson()}{}`),
  one('a byte order mark before the object', JSON_PROFILE, signedJson().replace('{', '\ufeff{')),
  one('a list', JSON_PROFILE, 'ZZJ:[]'),
  one('no payload', JSON_PROFILE, signedJson({ around: (_, s) => `{"a":"EdDSA","k":"k1","s":"${s}"}` })),
  one('a payload that is a list', JSON_PROFILE, signedJson({ payload: '[]' })),
  one('a payload of another form', JSON_PROFILE, signedJson({ payload: JSON.stringify(claims) })),
  one('a payload as text that is no JSON', TEXT_PROFILE, textCode('st=G')),
  one('a payload as text with half of a pair', TEXT_PROFILE, `ZZT:{"p":"{\\"st\\":\\"\\ud800\\"}","s":"${sign('{}')}"}`),
  one('half of a pair in escapes', JSON_PROFILE, signedJson({ payload: claims.replace('B. EXAMPLE', 'B. \\ud800') })),
  one('half of a pair in escapes, in a name that is not signed', JSON_PROFILE, signedJson({ around: (d, s) => `{"x":[{"\\udc00":1}],"d":${d},"a":"EdDSA","k":"k1","s":"${s}"}` })),
  one('half of a pair in escapes of a payload as text', TEXT_PROFILE, textCode(claims.replace('B. EXAMPLE', 'B. \\udfff'))),
  one('half of a pair in escapes of the claims of a JWS', JWS_PROFILE, localJws({ payload: '{"nm":"\\ud800"}' })),
  one('half of a pair in escapes of the header of a JWS', JWS_PROFILE, localJws({ header: jsonHeader(',"x":"\\udbff"') })),
  one('padded base64url', BYTES_PROFILE, bytesCode(SPACED).replace(/"p":"([^"]+)"/, '"p":"$1="')),
  one('B27 bytes that are no UTF-8', BYTES_PROFILE, `ZZT:{"p":"${encodeBase64Url(hexBytes('7b22ff227d'))}","s":"${sign('{}')}"}`),
  one('no signature', JSON_PROFILE, signedJson({ around: (d) => `{"d":${d},"a":"EdDSA","k":"k1"}` })),
  one('B35 a signature that is no base64url', JSON_PROFILE, signedJson({ around: (d, s) => `{"d":${d},"a":"EdDSA","k":"k1","s":"${s}+"}` })),
  one('B34 no key id', JSON_PROFILE, signedJson({ around: (d, s) => `{"d":${d},"a":"EdDSA","s":"${s}"}` })),
  one('B34 an empty key id', JSON_PROFILE, signedJson({ around: (d, s) => `{"d":${d},"a":"EdDSA","k":"","s":"${s}"}` })),
  one('B34 a key id that is no text', JSON_PROFILE, signedJson({ around: (d, s) => `{"d":${d},"a":"EdDSA","k":1,"s":"${s}"}` })),
  one('B33 no algorithm', JSON_PROFILE, signedJson({ around: (d, s) => `{"d":${d},"k":"k1","s":"${s}"}` })),
  one('B33 an algorithm that the profile does not allow', JSON_PROFILE, signedJson({ around: (d, s) => `{"d":${d},"a":"PS256","k":"k1","s":"${s}"}` })),
  one('B39 none as the algorithm of signed JSON', JSON_PROFILE, signedJson({ around: (d, s) => `{"d":${d},"a":"none","k":"k1","s":"${s}"}` })),
  one('513 values', JSON_PROFILE, of({ x: new Array(503).fill(0) })),
  one('B39 alg none', JWS_PROFILE, localJws({ header: { alg: 'none' } })),
  one('B39 alg HS256', JWS_PROFILE, localJws({ header: { alg: 'HS256' } })),
  one('B39 an algorithm that the profile does not allow', JWS_PROFILE, localJws({ header: { alg: 'PS256' } })),
  one('B39 no alg', JWS_PROFILE, localJws({ header: { alg: undefined } })),
  one('B64 alg twice', JWS_PROFILE, localJws({ header: jsonHeader(',"alg":"ES256"') })),
  one('B39 crit', JWS_PROFILE, localJws({ header: { crit: ['exp'] } })),
  one('B39 a payload that is not encoded', JWS_PROFILE, localJws({ header: { b64: false, crit: ['b64'] } })),
  one('B39 b64, even true', JWS_PROFILE, localJws({ header: { b64: true } })),
  one('B39 zip', JWS_PROFILE, localJws({ header: { zip: 'DEF' } })),
  ...['jwk', 'jku', 'x5u', 'x5c'].map((name) => one(`B39 ${name}`, JWS_PROFILE, localJws({ header: { [name]: 'https://x.example' } }))),
  one('B39 no kid', JWS_PROFILE, localJws({ header: { kid: undefined } })),
  one('B39 a kid of 257 characters', JWS_PROFILE, localJws({ header: { kid: 'k'.repeat(257) } })),
  one('B39 detached', JWS_PROFILE, `${head}..${tail}`),
  one('B39 without a signature', JWS_PROFILE, `${head}.${body}.`),
  one('five parts', JWS_PROFILE, `${head}.${body}.${tail}.${body}.${tail}`),
  one('B8 a space behind it', JWS_PROFILE, `${localJws()} `),
  one('B64 a name twice in the claims', JWS_PROFILE, localJws({ payload: '{"st":"R","st":"G"}' })),
  one('claims that are a list', JWS_PROFILE, localJws({ payload: '[]' })),
  one('B5 base45 that breaks off', COSE_PROFILE, 'ZZC:A'),
  one('B7 not of the alphabet', COSE_PROFILE, 'ZZC:a!'),
  one('B10 zlib that breaks off', COSE_PROFILE, `ZZC:${encodeBase45(hexBytes('789c'))}`),
  one('B11 something behind zlib', COSE_PROFILE, `ZZC:${encodeBase45(concatBytes(new Uint8Array(deflateSync(localCoseBytes())), hexBytes('6a756e6b')))}`),
  one('B12 more than sixteen times its length', COSE_PROFILE, deflated(new Uint8Array(16_000))),
  one('B12 more than 16,384 bytes', COSE_PROFILE, deflated(concatBytes(...new Array<Uint8Array>(11).fill(NOISE)))),
  one('B14 not deflated', COSE_PROFILE, `ZZC:${encodeBase45(localCoseBytes())}`),
  one('B30 no tag', COSE_PROFILE, localCose({ tag: [] })),
  one('B30 another tag', COSE_PROFILE, localCose({ tag: [0xd1] })),
  one('B31 five parts', COSE_PROFILE, localCoseText(concatBytes(Uint8Array.of(0xd2), encode([encode(header()), new Map(), encode(COSE_CLAIMS), new Uint8Array(64), 0])))),
  one('B32 a protected header that is a map', COSE_PROFILE, localCoseText(concatBytes(Uint8Array.of(0xd2), encode([header(), new Map(), encode(COSE_CLAIMS), new Uint8Array(64)])))),
  one('B32 an empty protected header', COSE_PROFILE, localCose({ protectedHeader: new Uint8Array(0), unprotected: new Map([[4, COSE_KEY_ID]]) })),
  one('B33 the algorithm in the other header alone', COSE_PROFILE, localCose({ protectedHeader: new Map([[4, COSE_KEY_ID]]), unprotected: new Map([[1, -8]]) })),
  one('B33 the algorithm in both', COSE_PROFILE, localCose({ unprotected: new Map([[1, -8]]) })),
  one('B33 algorithm 0', COSE_PROFILE, localCose({ protectedHeader: header([1, 0]) })),
  one('B33 HMAC', COSE_PROFILE, localCose({ protectedHeader: header([1, 5]) })),
  one('B33 an algorithm of COSE that the profile does not allow', COSE_PROFILE, localCose({ protectedHeader: header([1, -37]) })),
  one('B34 key ids in both headers', COSE_PROFILE, localCose({ unprotected: new Map([[4, COSE_KEY_ID]]) })),
  one('B34 a key id of no byte', COSE_PROFILE, localCose({ protectedHeader: header([4, new Uint8Array(0)]) })),
  one('B34 a key id of 33 bytes', COSE_PROFILE, localCose({ protectedHeader: header([4, new Uint8Array(33)]) })),
  one('B38 a critical header', COSE_PROFILE, localCose({ protectedHeader: header([2, [4]]) })),
  one('B38 a critical header that is not protected', COSE_PROFILE, localCose({ unprotected: new Map([[2, [4]]]) })),
  one('B31 detached', COSE_PROFILE, localCoseText(concatBytes(Uint8Array.of(0xd2), encode([encode(header()), new Map(), null, new Uint8Array(64)])))),
  one('claims that are no map', COSE_PROFILE, localCose({ claims: [1] })),
  one('B22 a name twice in the claims', COSE_PROFILE, localCose({ payload: hexBytes('a201010102') })),
  one('B24 a list that is not closed', COSE_PROFILE, localCose({ payload: hexBytes('9f01') })),
  one('B25 something behind the claims', COSE_PROFILE, localCose({ payload: concatBytes(encode(COSE_CLAIMS), Uint8Array.of(0)) })),
  one('B26 NaN as a time', COSE_PROFILE, localCose({ payload: concatBytes(Uint8Array.of(0xa1, 0x04), hexBytes('f97e00')) })),
  one('B29 a number below -2^53', COSE_PROFILE, localCose({ payload: concatBytes(Uint8Array.of(0xa1, 0x04), hexBytes('3bffffffffffffffff')) })),
  one('B18 seventeen levels', COSE_PROFILE, localCose({ payload: concatBytes(Uint8Array.of(0xa1, 0x04), new Uint8Array(16).fill(0x81), Uint8Array.of(0)) })),
  one('513 values in CBOR', COSE_PROFILE, localCose({ claims: cborClaims([9, new Array(506).fill(0)]) })),
];
