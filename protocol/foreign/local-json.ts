/** Signed JSON of a local code: an object with the payload and its signature. What is signed are the very characters or bytes that came. Spec: SPEC.md 17.11. */
import { decodeBase64Url } from '../encoding/base64-url.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { type Json } from './foreign-code.ts';
import {
  isObject,
  type JsonObject,
  memberOf,
  parseForeignJson,
  parseJsonObject,
  textOf,
} from './foreign-json.ts';
import { LOCAL_BYTES_MAX, NAME_CHARS_MAX } from './foreign-limits.ts';
import { type LocalMembers, type LocalProfile } from './local-profile.ts';
import { type ForeignAlgorithm } from './signature-check.ts';

export interface SignedJson {
  readonly algorithm: ForeignAlgorithm;
  /** Undefined where the profile has no member for it. */
  readonly keyId: string | undefined;
  readonly payload: JsonObject;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Takes signed JSON apart. Members that the profile does not name are not signed, and nothing reads them.
 * @throws {ProtocolError} JSON_MALFORMED; CODE_MALFORMED for a member that is missing or of another type; ALGORITHM_UNKNOWN, KEY_ID_MISSING.
 */
export function parseSignedJson(
  text: string,
  members: LocalMembers,
  algorithms: LocalProfile['algorithms'],
): SignedJson {
  // It has no UTF-8 form, so that nothing signed can have it.
  if (LONE_SURROGATE.test(text)) throw new ProtocolError('JSON_MALFORMED', 'expected well-formed text');
  const json = parseForeignJson(text);
  requireWellFormed(json);
  if (!isObject(json)) throw malformed('expected an object');
  const signature = textOf(json, members.signature, LOCAL_BYTES_MAX);
  if (signature === undefined) throw malformed('expected the signature as text');
  return {
    algorithm: algorithmOf(json, members, algorithms),
    keyId: keyIdOf(json, members),
    ...signedPart(text, json, members),
    signature: decodeBase64Url(signature, 'CODE_MALFORMED'),
  };
}

function signedPart(
  text: string,
  json: JsonObject,
  { payload: name, form }: LocalMembers,
): Pick<SignedJson, 'payload' | 'message'> {
  const value = memberOf(json, name);
  if (form === 'object') {
    if (!isObject(value)) throw malformed('expected the payload as an object');
    return { payload: value, message: utf8Bytes(sliceOfMember(text, name)) };
  }
  if (typeof value !== 'string') throw malformed('expected the payload as text');
  const message = form === 'text' ? utf8Bytes(value) : decodeBase64Url(value, 'CODE_MALFORMED');
  return { payload: parseLocalObject(message), message };
}

/** The object that UTF-8 bytes hold. @throws {ProtocolError} JSON_MALFORMED, also for half of a surrogate pair that an escape makes. */
export function parseLocalObject(bytes: Uint8Array): JsonObject {
  const object = parseJsonObject(bytes);
  requireWellFormed(object);
  return object;
}

/** In names and values alike; no deeper than 16, as the parser has it. @throws {ProtocolError} JSON_MALFORMED */
export function requireWellFormed(json: Json): void {
  if (typeof json === 'string') {
    if (LONE_SURROGATE.test(json)) throw new ProtocolError('JSON_MALFORMED', 'expected well-formed text');
  } else if (typeof json === 'object' && json !== null) {
    for (const [name, value] of Object.entries(json)) {
      requireWellFormed(name);
      requireWellFormed(value);
    }
  }
}

function algorithmOf(
  json: JsonObject,
  { algorithm: name }: LocalMembers,
  algorithms: LocalProfile['algorithms'],
): ForeignAlgorithm {
  const found = name === undefined ? algorithms[0] : algorithms.find((one) => one === memberOf(json, name));
  if (found !== undefined) return found;
  throw new ProtocolError('ALGORITHM_UNKNOWN', `expected one of ${algorithms.join(', ')}`);
}

function keyIdOf(json: JsonObject, { keyId: name }: LocalMembers): string | undefined {
  if (name === undefined) return undefined;
  const keyId = textOf(json, name, NAME_CHARS_MAX);
  if (keyId === undefined || keyId === '')
    throw new ProtocolError('KEY_ID_MISSING', `expected a key id of 1 to ${NAME_CHARS_MAX} characters`);
  return keyId;
}

/**
 * The characters of a member's value in the text of an object that has it once, without the white space around them. The text is known to
 * be JSON in which no name of the outermost object stands twice.
 */
function sliceOfMember(text: string, name: string): string {
  let depth = 0;
  let isWanted = false;
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charAt(i);
    if (unit === '"') {
      const end = endOfString(text, i);
      // At the first level a text behind `{` or `,` is a name: values of the wanted member are objects.
      if (depth === 1 && isName(text, end)) isWanted = JSON.parse(text.slice(i, end)) === name;
      i = end - 1;
    } else if (unit === '{' || unit === '[') {
      if (depth++ === 1 && isWanted) start = i;
    } else if (unit === '}' || unit === ']') {
      if (--depth === 1 && start >= 0) return text.slice(start, i + 1);
    }
  }
  throw new RangeError('expected a member that is an object');
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}

function isName(text: string, from: number): boolean {
  let i = from;
  while (/\s/.test(text.charAt(i))) i++;
  return text[i] === ':';
}

function malformed(message: string): ProtocolError {
  return new ProtocolError('CODE_MALFORMED', message);
}
