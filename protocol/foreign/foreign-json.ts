/** JSON as others write it: each name once, no deeper than 16, and no number that is too great for a double. */
import { parseStrictJson, StrictJsonError } from '../encoding/strict-json.ts';
import { decodeUtf8 } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { type Json } from './foreign-code.ts';

export type JsonObject = { readonly [name: string]: Json };

/** @throws {ProtocolError} JSON_MALFORMED; the text is bounded by whoever has it. */
export function parseForeignJson(text: string): Json {
  try {
    const value = parseStrictJson(text) as Json;
    requireFinite(value);
    return value;
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    throw new ProtocolError('JSON_MALFORMED', `expected JSON: what came ${error.fault}`);
  }
}

/** `1e400` is read as infinite, which JSON writes as null: what is signed over that form would have two readings. */
function requireFinite(value: Json): void {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new ProtocolError('JSON_MALFORMED', 'expected numbers that a double can hold');
  if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) requireFinite(member);
}

/** The object that UTF-8 bytes hold. @throws {ProtocolError} JSON_MALFORMED */
export function parseJsonObject(bytes: Uint8Array): JsonObject {
  const value = parseForeignJson(decodeUtf8(bytes, 'JSON_MALFORMED'));
  if (isObject(value)) return value;
  throw new ProtocolError('JSON_MALFORMED', 'expected an object');
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member if it is an own one: prototypes hold nothing that came. */
export function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The text under a name, if it is one of at most `charsMax` characters. */
export function textOf(value: Json | undefined, name: string, charsMax: number): string | undefined {
  const member = memberOf(value, name);
  return typeof member === 'string' && member.length <= charsMax ? member : undefined;
}
