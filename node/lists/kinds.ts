/** The kinds of background data: what a row of each says, and which facts come of all rows about one person. */
import { parseDay } from '../../protocol/rules/calendar.ts';
import { type RowFault } from '../rows/row-form.ts';
import { IDENTITY_COLUMNS, IDENTITY_EXAMPLES, nameForm } from './identity.ts';

export const LIST_KINDS = ['control', 'contacts', 'tests', 'vaccination', 'travel', 'areas'] as const;
export type ListKind = (typeof LIST_KINDS)[number];

/** What rows say of one person or area, by name. */
export type Said = Readonly<Record<string, string>>;

/** Facts that come of lists: days as `2026-11-26`, words, counts. */
export type ListFacts = Readonly<Record<string, string | number>>;

export interface KindForm {
  readonly title: string;
  readonly of: 'person' | 'area';
  /** Columns besides those that tell whom or which area it is about; none may be empty. */
  readonly columns: Readonly<Record<string, CellForm>>;
  /** Each name and value that a row adds, from cells of the right form. */
  readonly saying: (cells: Said) => Said;
  /** What becomes of two values under one name: they must agree, or the newest day counts. */
  readonly merge: 'same' | 'newest';
}

export interface CellForm {
  readonly fault: (text: string, lastDay: number) => string | undefined;
  readonly example: string;
}

export const AREA_CHARS_MAX = 64;
const AREA = /^[\p{L}\p{N}][\p{L}\p{N} ._\-/]*$/u;

function oneOf(...words: readonly [string, ...string[]]): CellForm {
  const fault = (text: string) => (words.includes(text) ? undefined : `is none of ${words.join(', ')}`);
  return { fault, example: words[0] };
}

/** A day that has come: of the future no list knows anything. */
const day: CellForm = {
  fault: (text, lastDay) => {
    const parsed = parseDay(text);
    if (parsed === undefined) return 'is not a day of the calendar, written as year, month and day';
    return parsed > lastDay ? 'is after the day of the list itself' : undefined;
  },
  example: '2026-11-20',
};

/** Whether `text` can name an area: a code or name of 1 to 64 characters. */
export function isArea(text: string): boolean {
  return text.length <= AREA_CHARS_MAX && AREA.test(text);
}

const area: CellForm = {
  fault: (text) =>
    isArea(text)
      ? undefined
      : `is not a code or name of 1 to ${AREA_CHARS_MAX} letters, digits, blanks and - . _ /`,
  example: 'CN-42',
};

/** As areas are compared, by whichever office they were written: an area that is not found would be one at low risk. */
export const areaForm = nameForm;

export const KINDS: Readonly<Record<ListKind, KindForm>> = {
  control: {
    title: 'control list of key persons',
    of: 'person',
    columns: { level: oneOf('key', 'watch'), since: day },
    saying: ({ level = '', since = '' }) => ({ level, since }),
    merge: 'same',
  },
  contacts: {
    title: 'contacts of infected persons',
    of: 'person',
    columns: { contact: oneOf('close', 'secondary'), day },
    saying: ({ contact = '', day: on = '' }) => ({ [contact]: on }),
    merge: 'newest',
  },
  tests: {
    title: 'results of tests',
    of: 'person',
    columns: { result: oneOf('negative', 'positive'), day },
    saying: ({ result = '', day: on = '' }) => ({ [result]: on }),
    merge: 'newest',
  },
  vaccination: {
    title: 'vaccinations',
    of: 'person',
    columns: { dose: oneOf('1', '2', '3', '4', '5', '6', '7', '8', '9'), day },
    saying: ({ dose = '', day: on = '' }) => ({ [dose]: on }),
    merge: 'same',
  },
  travel: {
    title: 'stays in areas and entries from them',
    of: 'person',
    columns: { area, day },
    saying: ({ area: where = '', day: on = '' }) => ({ [areaForm(where)]: on }),
    merge: 'newest',
  },
  areas: {
    title: 'areas and their level of risk',
    of: 'area',
    columns: { area, risk: oneOf('low', 'medium', 'high'), since: day },
    saying: ({ area: where = '', risk = '', since = '' }) => ({ area: areaForm(where), risk, since }),
    merge: 'same',
  },
};

/** All columns of a kind, in the order in which files are best written. */
export function columnsOf(kind: ListKind): readonly string[] {
  const own = Object.keys(KINDS[kind].columns);
  return KINDS[kind].of === 'person' ? [...IDENTITY_COLUMNS, ...own] : own;
}

/** A header and a row of the right form. */
export function exampleFile(kind: ListKind): string {
  const row = [
    ...(KINDS[kind].of === 'person' ? Object.values(IDENTITY_EXAMPLES) : []),
    ...Object.values(KINDS[kind].columns).map(({ example }) => example),
  ];
  return `${columnsOf(kind).join(',')}\n${row.join(',')}\n`;
}

/** What a row says, of cells that are not empty. */
export function parseSaying(
  kind: ListKind,
  cells: Said,
  line: number,
  lastDay: number,
): { readonly said: Said; readonly faults: readonly RowFault[] } {
  const { columns, saying } = KINDS[kind];
  const faults = Object.entries(columns).flatMap(([column, { fault, example }]): RowFault[] => {
    const text = cells[column]?.trim();
    const reason = text === undefined || text === '' ? 'is empty' : fault(text, lastDay);
    return reason === undefined ? [] : [{ line, column, reason, example }];
  });
  const trimmed = Object.fromEntries(Object.keys(columns).map((name) => [name, cells[name]?.trim() ?? '']));
  return { said: saying(trimmed), faults };
}

/** The facts that can come of each kind. */
export const FACT_NAMES: Readonly<Record<ListKind, readonly string[]>> = {
  control: ['control.level', 'control.since'],
  contacts: ['contact.close', 'contact.secondary'],
  tests: ['test.positive', 'test.negative'],
  vaccination: ['vaccination.doses', 'vaccination.day'],
  travel: ['travel.high', 'travel.medium'],
  areas: [],
};

/** The level of risk of each area, by its name in the form in which areas are compared, and the day from which on it counts. */
export type Areas = ReadonlyMap<string, Said>;

/**
 * The facts that come of what a list says of a person. Of stays those count that were in an area of that risk on or after the day
 * on which its risk began; an area that stands on no list is at low risk.
 */
export function factsOf(kind: ListKind, said: Said, areas: Areas): ListFacts {
  switch (kind) {
    case 'control':
      return prefixed('control', said);
    case 'contacts':
      return prefixed('contact', said);
    case 'tests':
      return prefixed('test', said);
    case 'vaccination':
      return {
        'vaccination.doses': Math.max(...Object.keys(said).map(Number)),
        'vaccination.day': newest(Object.values(said)),
      };
    case 'travel':
      return travelFacts(said, areas);
    case 'areas':
      return {};
  }
}

function travelFacts(stays: Said, areas: Areas): ListFacts {
  const days: Record<string, string[]> = {};
  for (const [where, on] of Object.entries(stays)) {
    const { risk = 'low', since = '' } = areas.get(areaForm(where)) ?? {};
    if (risk !== 'low' && on >= since) (days[risk] ??= []).push(on);
  }
  return Object.fromEntries(Object.entries(days).map(([risk, all]) => [`travel.${risk}`, newest(all)]));
}

function prefixed(prefix: string, said: Said): ListFacts {
  return Object.fromEntries(Object.entries(said).map(([name, value]) => [`${prefix}.${name}`, value]));
}

/** Days in this form sort as text. */
function newest(days: readonly string[]): string {
  return days.reduce((last, one) => (one > last ? one : last), '');
}
