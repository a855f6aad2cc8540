/** People whose colours rules decide: files of declarations, lists of background data, and what comes of both. */
import {
  type Identity,
  IDENTITY_COLUMNS,
  IDENTITY_EXAMPLES,
  parseIdentity,
} from '../../node/lists/identity.ts';
import { everyKindOf, tellsPaper } from '../../node/lists/paper-document.ts';
import { type Doubtful, type Found, type Matched } from '../../node/lists/list-view.ts';
import { type Sought } from '../../node/lists/matching.ts';
import { isNewerDay } from '../../node/life/known.ts';
import { dayText } from '../../protocol/rules/calendar.ts';
import { type RuleValue } from '../../protocol/rules/evaluate.ts';
import { exampleOf, type Facts, readFacts } from '../../protocol/rules/facts.ts';
import { decide, type OpenReason } from '../../protocol/rules/issuing.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type FactType } from '../../protocol/rules/rule-set-schema.ts';
import { localDay } from '../../protocol/rules/zone.ts';
import { CliError, EXIT } from '../exit.ts';
import { COLUMNS, paperOf, parsePerson, type Person } from './person.ts';
import { type RowFault, type RowForm } from '../../node/rows/row-form.ts';

/** Columns of a person besides facts; colour and days are for the rules to say. */
const PERSON_COLUMNS = COLUMNS.filter((name) => name !== 'colour' && name !== 'days');
const DAY_S = 86_400;

/** What a row tells of somebody. */
export interface Told {
  readonly subject: string;
  readonly line: number;
  readonly facts: Facts;
}

export interface Declared extends Told {
  /** With a colour that means nothing yet. */
  readonly person: Person;
  /** By which lists in force know the person; undefined where the row says nothing of it. */
  readonly identity?: Identity;
  /** What the person declared before, where the row tells no declaration of its own. */
  readonly stored?: Facts;
}

/** A list of background data: facts by person, and how its file is called in messages. */
export interface BackgroundList {
  readonly name: string;
  readonly told: readonly Told[];
}

export interface Background {
  readonly files: readonly BackgroundList[];
  readonly found?: readonly Found[];
}

/** Somebody who gets no colour, and why. */
export interface Undecided {
  readonly subject: string;
  readonly line: number;
  readonly open: readonly OpenReason[];
  /** Entries of lists that may be about them, or about another. */
  readonly doubts: readonly Doubtful[];
}

/** Rows of people at `nowS`, with papers and the facts that these rules know as further columns. */
export function declarationForm({ data }: RuleSet, nowS: number): RowForm<Declared> {
  const factNames = Object.keys(data.facts);
  const today = Math.floor(nowS / DAY_S);
  return {
    columns: [...PERSON_COLUMNS, ...IDENTITY_COLUMNS, ...factNames],
    required: ['subject'],
    plain: new Set(factNames),
    parse: (cells, line) => {
      const [ofFacts, others] = partedCells(cells, factNames);
      const [papers, ofPerson] = partedCells(others, IDENTITY_COLUMNS);
      const person = parsePerson({ ...ofPerson, colour: 'green' }, line);
      const { facts, faults } = factsOfCells(data.facts, ofFacts, line);
      const known = Object.keys(papers).length === 0 ? undefined : parseIdentity(papers, line, today);
      const wrong = [...(known?.faults ?? []), ...faults, ...paperFaults(person, known?.identity, line)];
      if (Array.isArray(person)) return [...person, ...wrong];
      if (facts === undefined || wrong.length > 0) return wrong;
      return { subject: person.subject, line, person, facts, ...(known && { identity: known.identity }) };
    },
  };
}

/** Rows of a list of background data: a person, and facts. */
export function listForm(ruleSet: RuleSet, nowS: number): RowForm<Told> {
  const form = declarationForm(ruleSet, nowS);
  return { ...form, columns: form.columns.filter((name) => name === 'subject' || form.plain.has(name)) };
}

/**
 * Decides on everybody at `nowS`. A fact that stands in two places with two values is a fault, but for what was declared before: a row counts
 * before that, and of the days of lists and of that the newest, as where the region decides by itself. Nobody's is guessed: with an
 * entry of a list that may be about somebody else, nobody gets a colour but the red that is known all the same.
 * `found`: what the lists in force say of each; undefined where there are none. `unmatched` counts those of the files of lists who
 * are not among the people.
 */
export function decideAll(
  ruleSet: RuleSet,
  declared: readonly Declared[],
  { files: lists, found }: Background,
  nowS: number,
): {
  readonly people: readonly Person[];
  readonly undecided: readonly Undecided[];
  readonly faults: readonly RowFault[];
  readonly unmatched: number;
} {
  const background = new Map<string, { readonly list: string; readonly told: Told }[]>();
  for (const { name, told } of lists)
    for (const one of told) {
      const before = background.get(one.subject);
      if (before === undefined) background.set(one.subject, [{ list: name, told: one }]);
      else before.push({ list: name, told: one });
    }
  const today = dayText(localDay(ruleSet.zone, nowS));
  const people: Person[] = [];
  const undecided: Undecided[] = [];
  const faults: RowFault[] = [];
  let matched = 0;
  for (const [i, { subject, line, person, facts: ofRow, identity, stored }] of declared.entries()) {
    const facts = new Map(ofRow);
    const { matched: inForce = [], doubts = [] } = found?.[i] ?? {};
    const others = background.get(subject) ?? [];
    if (others.length > 0) matched++;
    const told = [
      ...others.map(({ list, told: { facts: said, line: at } }) => ({ where: `${list}, line ${at}`, said })),
      ...inForce.map((one) => ({ where: listPlace(one), said: factsInForce(ruleSet, one) })),
    ];
    for (const { where, said } of told)
      for (const [column, value] of said) {
        if (!facts.has(column)) facts.set(column, value);
        else if (!isSame(facts.get(column), value))
          faults.push({ line, column, reason: `is another value than in ${where}` });
      }
    for (const [name, value] of stored ?? []) {
      const before = ofRow.has(name) ? undefined : facts.get(name);
      const areDays =
        ruleSet.data.facts[name] === 'day' && typeof before === 'string' && typeof value === 'string';
      if (!facts.has(name) || (areDays && isNewerDay(value, before, today))) facts.set(name, value);
    }
    const { status, open } = decide(ruleSet, facts, nowS);
    const isOpen = status === undefined || (doubts.length > 0 && status.colour !== 'red');
    if (isOpen) undecided.push({ subject, line, open, doubts });
    else {
      const told = { atS: nowS, facts: Object.fromEntries(facts) };
      people.push({ ...person, colour: status.colour, status, told, ...(identity && { identity }) });
    }
  }
  return { people, undecided, faults, unmatched: background.size - matched };
}

/** Faults of people whom the lists in force cannot be held against: by a document alone a name on a list is not found. */
export function unknownToLists(declared: readonly Declared[]): RowFault[] {
  return declared.flatMap(({ line, identity }): RowFault[] => {
    const missing = (['name', 'birthDate'] as const).filter((member) => identity?.[member] === undefined);
    return missing.map((member) => {
      const column = member === 'name' ? 'full_name' : 'birth_date';
      const reason = 'is empty, and is needed to hold the person against the lists in force';
      return { line, column, reason, example: IDENTITY_EXAMPLES[column] };
    });
  });
}

/** What is wrong with a row whose code is to be bound to another document than its papers tell. */
function paperFaults(
  person: Person | readonly RowFault[],
  identity: Identity | undefined,
  line: number,
): readonly RowFault[] {
  const document = 'subject' in person ? paperOf(person) : undefined;
  if (document === undefined || identity?.document === undefined || tellsPaper(identity, document)) return [];
  const reason =
    'is another document than id_country and id_number tell: give one of them, or the same twice';
  return [{ line, column: 'document_number', reason }];
}

/** People as they are looked for in lists by the documents that their codes are to be bound to, with their number among all. */
export function soughtOnPaper(
  declared: readonly Declared[],
): { readonly number: number; readonly sought: Sought }[] {
  return declared.flatMap(({ person, identity }, number) => {
    const document = paperOf(person);
    if (document === undefined) return [];
    const kinds = everyKindOf(document, identity?.birthDate);
    return kinds.map((one) => ({ number, sought: { identity: { ...one }, isNameShared: false } }));
  });
}

/** People as they are looked for in lists. */
export function soughtOf(declared: readonly Declared[]): Sought[] {
  const nameOf = ({ identity }: Declared) => JSON.stringify([identity?.name, identity?.birthDate]);
  const counts = new Map<string, number>();
  for (const one of declared) counts.set(nameOf(one), (counts.get(nameOf(one)) ?? 0) + 1);
  return declared.map((one) => ({
    identity: { ...one.identity },
    isNameShared: (counts.get(nameOf(one)) ?? 0) > 1,
  }));
}

/** What a list in force says, as far as the rules ask for it. */
function factsInForce({ data }: RuleSet, matched: Matched): Facts {
  const asked = Object.entries(matched.facts).filter(([name]) => Object.hasOwn(data.facts, name));
  const { facts, faults } = readFacts(data.facts, Object.fromEntries(asked));
  if (facts !== undefined) return facts;
  const names = faults.map(({ fact }) => fact).join(', ');
  throw new CliError(
    EXIT.failure,
    'RULES_INVALID',
    `the rules give another type to ${names} than lists of ${matched.list}`,
    {
      hint: 'docs/issuing.md says what comes of lists.',
    },
  );
}

function listPlace({ list, line }: Matched): string {
  return `the list ${list} in force, line ${line}`;
}

type Cells = Readonly<Record<string, string>>;

/** The cells of these columns, and the others. */
function partedCells(cells: Cells, columns: readonly string[]): [Cells, Cells] {
  const wanted = new Set(columns);
  const parted = (isWanted: boolean) =>
    Object.entries(cells).filter(([name]) => wanted.has(name) === isWanted);
  return [Object.fromEntries(parted(true)), Object.fromEntries(parted(false))];
}

function factsOfCells(
  declared: Readonly<Record<string, FactType>>,
  cells: Cells,
  line: number,
): { readonly facts?: Facts; readonly faults: readonly RowFault[] } {
  const values = Object.entries(cells).map(
    ([name, text]) => [name, valueOfCell(declared[name], text)] as const,
  );
  const { facts, faults } = readFacts(declared, Object.fromEntries(values));
  if (facts !== undefined) return { facts, faults: [] };
  return {
    faults: faults.map(({ fact, reason, example }) => {
      const type = fact === undefined ? undefined : declared[fact];
      const written = type === 'texts' ? 'CN-11;CN-42' : (example ?? (type && exampleOf(type)));
      return { line, column: fact, reason, ...(written !== undefined && { example: written }) };
    }),
  };
}

/** What is written in a cell; text that is none of its type stays text, and is refused as such. */
function valueOfCell(type: FactType | undefined, text: string): RuleValue {
  if (type === 'flag' && /^(true|false)$/.test(text)) return text === 'true';
  if (type === 'count' && /^(0|[1-9]\d{0,15})$/.test(text)) return Number(text);
  if (type === 'texts') return text.split(';').map((part) => part.trim());
  return text;
}

function isSame(a: RuleValue | undefined, b: RuleValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
