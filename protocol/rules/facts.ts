/** What is known of a person, as the rules of a set may ask for it. Spec: SPEC.md 16.5. */
import { RULE_TEXT_CHARS_MAX, RULES_PER_LIST_MAX } from '../limits.ts';
import { parseDay } from './calendar.ts';
import { DateTime } from './date-time.ts';
import { type RuleValue } from './evaluate.ts';
import { type FactType, type RuleSetData } from './rule-set-schema.ts';

/** Facts by dotted name; whatever is not known is not there. */
export type Facts = ReadonlyMap<string, RuleValue>;

/** `fact` is a name of the rules, or undefined where a name that they do not know came; `reason` quotes no value. */
export interface FactFault {
  readonly fact: string | undefined;
  /** A name as it came, for whoever gave it. */
  readonly unknown?: string;
  readonly reason: string;
  /** A value of the right form. */
  readonly example?: string;
}

/** Objects within each other that dotted names can say. */
const NAME_PARTS_MAX = 4;

/**
 * Facts from JSON: an object with dotted names, objects within it, or both. Null is not known.
 * Takes only facts that the rules declare, each of its type.
 */
export function readFacts(
  declared: RuleSetData['facts'],
  json: unknown,
): { readonly facts?: Facts; readonly faults: readonly FactFault[] } {
  const facts = new Map<string, RuleValue>();
  const faults: FactFault[] = [];
  if (!isObject(json))
    return { faults: [{ fact: undefined, reason: 'facts are an object of names and values' }] };
  for (const [name, value] of membersOf(json, NAME_PARTS_MAX)) {
    if (value === null) continue;
    const type = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (type === undefined) {
      faults.push({ fact: undefined, unknown: name, reason: 'is no fact that these rules know' });
    } else if (facts.has(name)) {
      faults.push({ fact: name, reason: 'is there twice' });
    } else if (isOfType(type, value)) {
      facts.set(name, value);
    } else {
      faults.push({ fact: name, reason: `is not ${typeText(type)}`, example: exampleOf(type) });
    }
  }
  return faults.length > 0 ? { faults } : { facts, faults };
}

/** The same as nested objects, for paths of conditions. */
export function nestedFacts(facts: Facts): RuleValue {
  const top: Record<string, RuleValue> = {};
  for (const [name, value] of facts) {
    const parts = name.split('.');
    let at = top;
    for (const part of parts.slice(0, -1)) {
      if (!Object.hasOwn(at, part)) at[part] = {};
      at = at[part] as Record<string, RuleValue>;
    }
    at[parts[parts.length - 1] as string] = value;
  }
  return top;
}

/** What a fact of this type can be, in words that follow `is`. */
export function typeText(type: FactType): string {
  if (typeof type !== 'string') return `one of ${type.join(', ')}`;
  return TYPES[type].text;
}

/** A value of this type as it is written in a file. */
export function exampleOf(type: FactType): string {
  return typeof type === 'string' ? TYPES[type].example : (type[0] ?? '');
}

const TYPES: Readonly<
  Record<
    Extract<FactType, string>,
    { readonly text: string; readonly example: string; readonly has: (value: unknown) => boolean }
  >
> = {
  flag: { text: 'true or false', example: 'true', has: (value) => typeof value === 'boolean' },
  count: {
    text: 'a whole number from 0',
    example: '2',
    has: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  },
  text: { text: `text of 1 to ${RULE_TEXT_CHARS_MAX} characters`, example: 'text', has: isText },
  texts: {
    text: `a list of at most ${RULES_PER_LIST_MAX} texts`,
    example: '["CN-11","CN-42"]',
    has: (value) => Array.isArray(value) && value.length <= RULES_PER_LIST_MAX && value.every(isText),
  },
  day: {
    text: 'a day of the calendar',
    example: '2026-11-26',
    has: (value) => typeof value === 'string' && parseDay(value) !== undefined,
  },
  time: {
    text: 'a time with its zone',
    example: '2026-11-26T14:00:00+08:00',
    has: (value) => typeof value === 'string' && isTime(value),
  },
};

/** Total: whether `text` is a point in time with its zone. */
export function isTime(text: string): boolean {
  return /T.*(Z|[+-]\d{2}:\d{2})$/.test(text) && DateTime.parse(text) !== undefined;
}

/** Total, and quick whatever the value: no fact is an object. */
export function isOfType(type: FactType, value: unknown): value is RuleValue {
  return typeof type === 'string'
    ? TYPES[type].has(value)
    : typeof value === 'string' && type.includes(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= RULE_TEXT_CHARS_MAX;
}

function* membersOf(object: object, depthLeft: number, prefix = ''): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    const name = prefix + key;
    if (isObject(value) && depthLeft > 1) yield* membersOf(value, depthLeft - 1, `${name}.`);
    else yield [name, value];
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
