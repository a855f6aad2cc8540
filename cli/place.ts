/** A place as the command line describes it. */
import { type AskedPlace, unknownWord } from '../protocol/rules/asked-place.ts';
import { type RuleSet } from '../protocol/rules/rule-set.ts';
import { type Place } from '../protocol/verdict/verdict.ts';
import { usageError } from './exit.ts';
import { printable } from './printable.ts';
import { parseSpan, type SpanBounds } from './times.ts';

/** Of the limits of a place, as nodes take them too: SPEC.md 15.3. */
const LIMIT: SpanBounds = { from: '0s', to: '3650d' };

export const PLACE_HELP = `what the place asks for, as in kind=hospital,risk=high or grade=live,age=12h,silence=1d (knowledge age and issuer silence at most, up to ${LIMIT.to})`;

const RISKS = ['low', 'medium', 'high'] as const;
const GRADES = ['static', 'live', 'challenged'] as const;
const KIND = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** Pairs `name=value` between commas; without any nothing is said of the place. @throws {CliError} on anything else. */
export function parsePlace(text: string | undefined): AskedPlace {
  const pairs = new Map<string, string>();
  for (const pair of text === undefined ? [] : text.split(',')) {
    const [name = '', value = ''] = pair.split('=', 2);
    if (pairs.has(name)) throw usageError(`--place names ${printable(name)} twice`);
    pairs.set(name, value);
  }
  return [...pairs].reduce<AskedPlace>((so, [name, value]) => ({ ...so, ...parsePair(so, name, value) }), {});
}

function parsePair(place: AskedPlace, name: string, value: string): AskedPlace {
  switch (name) {
    case 'kind':
      if (!KIND.test(value)) break;
      return { kind: value };
    case 'risk':
      return { risk: oneOf(RISKS, name, value) };
    case 'grade':
      return { gradeNeeded: oneOf(GRADES, name, value) };
    case 'age':
      return { limits: { ...place.limits, knowledgeAgeS: parseSpan(value, LIMIT) } };
    case 'silence':
      return { limits: { ...place.limits, issuerSilenceS: parseSpan(value, LIMIT) } };
  }
  throw usageError(
    `--place does not know ${printable(`${name}=${value}`)}`,
    'It knows kind, risk, grade, age and silence.',
  );
}

/** A mistyped word would pass by every rule that was made for it. @throws {CliError} USAGE for a kind or a role that the rules do not know. */
export function requireKnownWords(ruleSet: RuleSet, { kind }: Place, role: string | undefined): void {
  const unknown = unknownWord(ruleSet, { kind, role });
  if (unknown === undefined) return;
  const word = unknown.of === 'kind' ? `kind of place ${printable(kind)}` : `role ${printable(role ?? '')}`;
  throw usageError(
    `the rules ${ruleSet.id} know no ${word}`,
    `They know ${unknown.known.join(', ') || 'none'}.`,
  );
}

function oneOf<T extends string>(values: readonly T[], name: string, value: string): T {
  const found = values.find((known) => known === value);
  if (found !== undefined) return found;
  throw usageError(`--place: ${name} is one of ${values.join(', ')}`);
}
