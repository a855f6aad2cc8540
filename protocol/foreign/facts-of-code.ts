/** What a code of others says, as facts that the rules of its region decide on. Spec: SPEC.md 17.8. */
import { isProtocolError } from '../fault.ts';
import { DateTime } from '../rules/date-time.ts';
import { evaluate, type RuleValue, type Steps } from '../rules/evaluate.ts';
import { type Facts, isOfType } from '../rules/facts.ts';
import { timeText } from '../rules/issuing.ts';
import { type FactType, type RuleSetData } from '../rules/rule-set-schema.ts';
import { type Adapter } from './adapter.ts';
import { type ForeignCode } from './foreign-code.ts';

/**
 * The facts that an adapter reads from a code, each if the rules declare it and what is read is of its type: anything else is not known. Total.
 * Expressions read `code` (the payload), `issuer`, `issuedAt` and `expiresAt`, all of them together in these steps.
 */
export function factsOfCode(
  adapter: Adapter,
  declared: RuleSetData['facts'],
  code: ForeignCode,
  steps: Steps,
): Facts {
  const { issuedAtS, expiresAtS } = code.times;
  const data = {
    code: code.content,
    issuer: code.issuer ?? null,
    issuedAt: timeOrNull(issuedAtS),
    expiresAt: timeOrNull(expiresAtS),
  };
  const facts = new Map<string, RuleValue>();
  for (const [name, expression] of adapter.facts) {
    const type = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (type === undefined) continue;
    try {
      const value = factOf(type, evaluate(expression, data, { steps }));
      if (isOfType(type, value)) facts.set(name, value);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
    }
  }
  return facts;
}

/** In the form that facts have: formats write days as times, times as numbers and choices as numbers. */
function factOf(type: FactType, value: RuleValue): RuleValue {
  if (type === 'day') return dayOf(value);
  if (type === 'time') return timeOf(value);
  const isWord = type === 'text' || typeof type !== 'string';
  return isWord && typeof value === 'number' ? String(value) : value;
}

/** The day as it stands in the text: that of the zone in which it was written. */
function dayOf(value: RuleValue): RuleValue {
  if (typeof value === 'string') return /^\d{4}-\d{2}-\d{2}T/.test(value) ? value.slice(0, 10) : value;
  const time = timeOf(value);
  return typeof time === 'string' ? time.slice(0, 10) : null;
}

/** A text with a time of day, or seconds since 1970. */
function timeOf(value: RuleValue): RuleValue {
  if (typeof value === 'string') return value.includes('T') ? textOf(DateTime.parse(value)) : null;
  if (typeof value === 'number') return textOf(DateTime.at(1_000 * Math.floor(value)));
  return value instanceof DateTime ? textOf(value) : null;
}

function textOf(moment: DateTime | undefined): string | null {
  return moment === undefined ? null : timeText(Math.floor(moment.ms / 1_000));
}

function timeOrNull(timeS: number | undefined): RuleValue {
  return timeS === undefined ? null : timeOf(timeS);
}
