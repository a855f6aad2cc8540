/** Why a colour came out, or what becomes of a code at a place, in lines for people. */
import { type UpdateOutcome } from '../../node/life/update-figures.ts';
import { type Facts } from '../../protocol/rules/facts.ts';
import { type Applied, type Decision, type OpenReason } from '../../protocol/rules/issuing.ts';
import { dayText } from '../../protocol/rules/calendar.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type TraceStep } from '../../protocol/rules/trace.ts';
import { valueText } from '../../protocol/rules/words.ts';
import { type Colours } from '../output.ts';
import { printable, shortened } from '../printable.ts';
import { wrapped } from '../wrap.ts';

const VALUE_CHARS_MAX = 64;

/** Why no code comes of what rules decide. */
const WITHOUT_CODE: Readonly<Partial<Record<UpdateOutcome, string>>> = {
  open: 'something is not known',
  ambiguous: 'entries of lists may be about them, or about another',
  withdrawn: 'it was revoked, and nothing has come since',
  overridden: 'a stricter one that no update gave counts on',
};

const MEASURES = { none: '', home: 'at home', isolate: 'isolated' } as const;

/** `outcome`: what an update would make of it, of a person whom the region knows. */
export function decisionLines(
  ruleSet: RuleSet,
  decision: Decision,
  trace: readonly TraceStep[],
  colours: Colours,
  outcome?: UpdateOutcome,
): string[] {
  const { status, open, applied } = decision;
  const byRule = new Map(applied.map((one) => [one.rule, one]));
  const deciding = trace.filter(({ rule, list }) => list === 'issuing' && rule === decision.rule);
  const others = trace.filter((step) => !deciding.includes(step));
  const without = outcome && WITHOUT_CODE[outcome];
  const colour = status?.colour.toUpperCase() ?? '';
  const text = headText(ruleSet, decision);
  const head =
    status === undefined
      ? [colours.bold('NO COLOUR')]
      : without === undefined
        ? [`${colours.bold(colours[status.colour](colour))}${text}`]
        : [
            `${colours.bold('NO OTHER CODE')}: ${without}`,
            wrapped(`  but for that: ${colour}${text}`, '    '),
          ];
  return [
    ...head,
    ...open.map((reason) => `  ${openText(reason)}`),
    ...deciding.flatMap((step) => [...stepLines(step), ...daysLines(ruleSet, byRule.get(step.rule))]),
    ...section(
      others.filter(({ list, holds }) => list === 'issuing' && holds === true),
      'Rules that hold too:',
      (step) => [...stepLines(step), ...daysLines(ruleSet, byRule.get(step.rule))],
    ),
    ...section(
      others.filter(({ list, holds }) => list === 'issuing' && holds !== true),
      'Rules that do not:',
      stepLines,
    ),
    ...section(
      others.filter(({ list }) => list === 'requires'),
      'What green needs:',
      stepLines,
    ),
  ];
}

/** The conditions of a list, those that hold first. */
export function stepSections(trace: readonly TraceStep[], holding: string, others: string): string[] {
  return [
    ...section(
      trace.filter(({ holds }) => holds === true),
      holding,
      stepLines,
    ),
    ...section(
      trace.filter(({ holds }) => holds !== true),
      others,
      stepLines,
    ),
  ];
}

/** Facts as they were taken, for the reader to compare. */
export function factsText(facts: Facts): string {
  const told = [...facts].map(([name, value]) => `${name} ${short(valueText(value))}`);
  return told.length === 0 ? 'nothing is known' : told.join('; ');
}

function headText({ data }: RuleSet, { status, rule, applied }: Decision): string {
  if (status === undefined) return '';
  if (rule === undefined) return `, for ${data.green.days} days: no rule gives another colour today`;
  const endDay = applied.find((one) => one.rule === rule)?.endDay ?? 0;
  return `, ${MEASURES[status.measure]} to the end of ${dayText(endDay - 1)}`;
}

const OPEN_TEXTS: Readonly<Record<OpenReason['code'], string>> = {
  NOT_IN_FORCE: 'the rules are not in force at this time',
  NOT_MET: 'green needs what is not known',
  NO_VALUE: 'the condition has no value for these facts',
  SINCE_MISSING: 'the rule holds, but the day from which on is not known',
  SINCE_AHEAD: 'the rule holds, but the day from which on is still to come',
};

/** Why there is no colour, in a few words. */
export function openText({ code, rule }: OpenReason): string {
  return rule === undefined ? OPEN_TEXTS[code] : `${rule}: ${OPEN_TEXTS[code]}`;
}

function section(
  steps: readonly TraceStep[],
  title: string,
  linesOf: (step: TraceStep) => readonly string[],
): string[] {
  return steps.length === 0 ? [] : ['', title, ...steps.flatMap(linesOf)];
}

function stepLines({ rule, holds, because, why, read }: TraceStep): string[] {
  const values = Object.entries(read)
    .map(([path, value]) => `${path.replace(/^facts\./, '')}: ${short(valueText(value))}`)
    .join('; ');
  const seen = values === '' ? '' : ` (${values})`;
  const state = holds === undefined ? 'has no value' : holds ? 'holds' : 'does not hold';
  return [
    wrapped(`  ${rule} ${state}: ${why}`, '    '),
    wrapped(`    ${holds === undefined ? 'asked was whether' : 'because'} ${because}${seen}`, '      '),
  ];
}

function daysLines({ data }: RuleSet, applied: Applied | undefined): string[] {
  if (applied === undefined) return [];
  const { rule, firstDay, endDay, isRunning } = applied;
  const days = data.issuing.find(({ id }) => id === rule)?.days ?? 0;
  const over = isRunning ? '' : ', which is over';
  return [`    ${days} days from ${dayText(firstDay)} on, to the end of ${dayText(endDay - 1)}${over}`];
}

function short(text: string): string {
  return printable(shortened(text, VALUE_CHARS_MAX));
}
