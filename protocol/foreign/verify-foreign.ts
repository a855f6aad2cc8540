/** From the text of a code of others to the verdict. Spec: SPEC.md 17.1. */
import { isProtocolError } from '../fault.ts';
import { type ForeignCode, type ForeignFormat } from './foreign-code.ts';
import { foreignChecksOf, type KeySource } from './foreign-keys.ts';
import { type ForeignPrimitives } from './foreign-primitives.ts';
import { type ForeignVerdict, judgeForeign, refuseForeign } from './foreign-verdict.ts';
import { readCard } from './health-card.ts';
import { readHcert } from './hcert.ts';
import { parseSeal } from './seal.ts';

interface Reader {
  readonly format: ForeignFormat;
  /** By what its texts begin with. */
  readonly begins: RegExp;
  readonly read: (primitives: ForeignPrimitives, text: string) => ForeignCode | Promise<ForeignCode>;
}

const READERS: readonly Reader[] = [
  { format: 'hcert', begins: /^HC[0-9]:/, read: ({ inflate }, text) => readHcert(inflate, text) },
  { format: 'shc', begins: /^(?:shc:\/|eyJ)/, read: readCard },
  { format: 'vdsnc', begins: /^\s*\{/, read: ({ sha256 }, text) => parseSeal(sha256, text) },
];

/** The format that a text belongs to by its beginning; undefined if it is of none that is known here. */
export function foreignFormatOf(text: string): ForeignFormat | undefined {
  return READERS.find(({ begins }) => begins.test(text))?.format;
}

/**
 * Takes a code of a known format apart, without checking anything of it.
 * @throws {ProtocolError} as the format's reader.
 * @throws {RangeError} for a text of no known format: ask `foreignFormatOf` before.
 */
export async function readForeign(primitives: ForeignPrimitives, text: string): Promise<ForeignCode> {
  const reader = READERS.find(({ begins }) => begins.test(text));
  if (reader === undefined) throw new RangeError('expected a text of a known format');
  return reader.read(primitives, text);
}

/** The verdict on `text` at `nowS`, a text of a known format (`foreignFormatOf`). Never throws on what a text says. */
export async function verifyForeign(
  primitives: ForeignPrimitives,
  text: string,
  keys: KeySource,
  nowS: number,
): Promise<ForeignVerdict> {
  let code: ForeignCode;
  try {
    code = await readForeign(primitives, text);
  } catch (error) {
    if (isProtocolError(error)) return refuseForeign(foreignFormatOf(text), error.fault, nowS);
    throw error;
  }
  const candidates = keys.candidatesFor(code);
  const results: boolean[] = [];
  for (const check of foreignChecksOf(code, candidates)) results.push(await primitives.verifyForeign(check));
  return judgeForeign(code, candidates, results, nowS);
}
