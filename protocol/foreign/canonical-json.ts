/** JSON in its one form: members by name, no white space. Spec: RFC 8785. */
import { type Json } from './foreign-code.ts';
import { isObject } from './foreign-json.ts';

/** As RFC 8785 writes it: names in the order of their UTF-16 code units, numbers and texts as ECMAScript prints them. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`);
  return `{${members.join(',')}}`;
}
