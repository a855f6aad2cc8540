/** CBOR that stands for JSON, as JSON. */
import { ProtocolError } from '../fault.ts';
import { type Json } from './foreign-code.ts';
import { type ForeignCbor, type ForeignCborMap } from './foreign-cbor.ts';

/** The map as a plain object. @throws {ProtocolError} CLAIMS_MALFORMED for what JSON has no form for: byte strings, names that are numbers. */
export function jsonOf(map: ForeignCborMap): { readonly [name: string]: Json } {
  // Entries become own properties whatever their name, `__proto__` included.
  return Object.fromEntries(
    [...map].map(([name, value]) => {
      if (typeof name !== 'string') throw notJson();
      return [name, jsonValueOf(value)];
    }),
  );
}

function jsonValueOf(value: ForeignCbor): Json {
  if (value instanceof Uint8Array) throw notJson();
  if (value instanceof Map) return jsonOf(value as ForeignCborMap);
  return Array.isArray(value) ? (value as readonly ForeignCbor[]).map(jsonValueOf) : (value as Json);
}

function notJson(): ProtocolError {
  return new ProtocolError('CLAIMS_MALFORMED', 'expected a payload that JSON has a form for');
}
