/** People whose colours rules decide: files of declarations, lists of background data, and what comes of both. */
import { type RuleValue } from '../../protocol/rules/evaluate.ts';
import { exampleOf, type Facts, readFacts } from '../../protocol/rules/facts.ts';
import { decide, type OpenReason } from '../../protocol/rules/issuing.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type FactType } from '../../protocol/rules/rule-set-schema.ts';
import { COLUMNS, parsePerson, type Person } from './person.ts';
import { type RowFault, type RowForm } from '../../node/rows/row-form.ts';

/** Columns of a person besides facts; colour and days are for the rules to say. */
const PERSON_COLUMNS = COLUMNS.filter((name) => name !== 'colour' && name !== 'days');

/** What a row tells of somebody. */
export interface Told {
  readonly subject: string;
  readonly line: number;
  readonly facts: Facts;
}

export interface Declared extends Told {
  /** With a colour that means nothing yet. */
  readonly person: Person;
}

/** A list of background data: facts by person, and how its file is called in messages. */
export interface BackgroundList {
  readonly name: string;
  readonly told: readonly Told[];
}

/** Somebody who gets no colour, and why. */
export interface Undecided {
  readonly line: number;
  readonly open: readonly OpenReason[];
}

/** Rows of people with the facts that these rules know as further columns. */
export function declarationForm({ data }: RuleSet): RowForm<Declared> {
  const factNames = Object.keys(data.facts);
  return {
    columns: [...PERSON_COLUMNS, ...factNames],
    required: ['subject'],
    plain: new Set(factNames),
    parse: (cells, line) => {
      const [ofPerson, ofFacts] = partedCells(cells, factNames);
      const person = parsePerson({ ...ofPerson, colour: 'green' }, line);
      const { facts, faults } = factsOfCells(data.facts, ofFacts, line);
      if (Array.isArray(person) || facts === undefined)
        return [...(Array.isArray(person) ? person : []), ...faults];
      return { subject: person.subject, line, person, facts };
    },
  };
}

/** Rows of a list of background data: a person, and facts. */
export function listForm(ruleSet: RuleSet): RowForm<Told> {
  const form = declarationForm(ruleSet);
  return { ...form, columns: form.columns.filter((name) => name === 'subject' || form.plain.has(name)) };
}

/**
 * Decides on everybody at `nowS`. A fact that stands in two places with two values is a fault, and nobody's is guessed.
 * `unmatched` counts those of the lists who are not among the people.
 */
export function decideAll(
  ruleSet: RuleSet,
  declared: readonly Declared[],
  lists: readonly BackgroundList[],
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
  const people: Person[] = [];
  const undecided: Undecided[] = [];
  const faults: RowFault[] = [];
  let matched = 0;
  for (const { subject, line, person, facts: ofRow } of declared) {
    const facts = new Map(ofRow);
    const others = background.get(subject) ?? [];
    if (others.length > 0) matched++;
    for (const { list, told } of others)
      for (const [column, value] of told.facts) {
        if (!facts.has(column)) facts.set(column, value);
        else if (!isSame(facts.get(column), value))
          faults.push({ line, column, reason: `is another value than in ${list}, line ${told.line}` });
      }
    const { status, open } = decide(ruleSet, facts, nowS);
    if (status === undefined) undecided.push({ line, open });
    else people.push({ ...person, colour: status.colour, status });
  }
  return { people, undecided, faults, unmatched: background.size - matched };
}

type Cells = Readonly<Record<string, string>>;

function partedCells(cells: Cells, factNames: readonly string[]): [Cells, Cells] {
  const isFact = new Set(factNames);
  const parted = (wanted: boolean) => Object.entries(cells).filter(([name]) => isFact.has(name) === wanted);
  return [Object.fromEntries(parted(false)), Object.fromEntries(parted(true))];
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
