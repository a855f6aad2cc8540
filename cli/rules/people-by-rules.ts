/** Whom to issue which colour, by rules that the region has activated. */
import { readFacts } from '../../protocol/rules/facts.ts';
import { readRuleSet, isInForce, type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type Identity } from '../../node/lists/identity.ts';
import { KINDS, type ListKind } from '../../node/lists/kinds.ts';
import { type Found } from '../../node/lists/list-view.ts';
import { together } from '../../node/life/known.ts';
import { type ListVersion } from '../../node/lists/shelf.ts';
import { type Encoding } from '../../node/rows/encoding.ts';
import { writeFileAtomically } from '../../node/region/files.ts';
import { type Cli } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { CliError, EXIT } from '../exit.ts';
import { counted, figure } from '../output.ts';
import {
  type BackgroundList,
  decideAll,
  type Declared,
  declarationForm,
  listForm,
  soughtOf,
  soughtOnPaper,
  type Undecided,
  unknownToLists,
} from '../people/by-rules.ts';
import { doubtText, openReport } from './open-report.ts';
import { type Person } from '../people/person.ts';
import { readRows, rowsError } from '../people/rows-argument.ts';
import { printable } from '../printable.ts';
import { spanText } from '../times.ts';
import { openText } from './explanation.ts';
import { readFactsFile } from './facts-file.ts';
import { lackingLists, lackingText } from './lacking-lists.ts';

/** Faults, and people without a colour, that are told one by one. */
const TOLD_MAX = 20;

export interface ByRules {
  /** Id of rules in the region's trust log. */
  readonly rules: string;
  /** Of the file of people and of those of lists. */
  readonly encoding: Encoding;
  /** Files of background data. */
  readonly lists: readonly string[];
  /** Issues to the others where somebody gets no colour. */
  readonly leaveOpen: boolean;
  /** A file to write, of everybody who gets no colour. */
  readonly report: string | undefined;
}

/** The people of a file, with what the rules decide. @throws {CliError} as said; nothing is issued then. */
export async function peopleByRules(
  cli: Cli,
  desk: Desk,
  file: string,
  options: ByRules,
  nowS: number,
): Promise<readonly Person[]> {
  const ruleSet = ruleSetOf(desk, options.rules, nowS);
  const declared = await readRows(cli, file, declarationForm(ruleSet, nowS), options.encoding);
  return decided(cli, desk, ruleSet, { file, declared, options, nowS });
}

/** One person with the facts of a JSON file, or with those of their declaration. */
export async function personByRules(
  cli: Cli,
  desk: Desk,
  { person, identity }: { readonly person: Person; readonly identity: Identity | undefined },
  factsFile: string | undefined,
  options: ByRules,
  nowS: number,
): Promise<readonly Person[]> {
  const ruleSet = ruleSetOf(desk, options.rules, nowS);
  const facts = factsFile === undefined ? new Map() : await readFactsFile(cli, ruleSet, factsFile);
  const declared = [{ subject: person.subject, line: 0, person, facts, ...(identity && { identity }) }];
  const file = factsFile ?? 'the declaration';
  return decided(cli, desk, ruleSet, { file, declared, options, nowS });
}

interface Decided {
  readonly file: string;
  readonly declared: readonly Declared[];
  readonly options: ByRules;
  readonly nowS: number;
}

async function decided(
  cli: Cli,
  desk: Desk,
  ruleSet: RuleSet,
  { file, declared: rows, options, nowS }: Decided,
): Promise<readonly Person[]> {
  const declared = await withDeclarations(desk, ruleSet, rows);
  const files: BackgroundList[] = [];
  for (const name of options.lists)
    files.push({ name, told: await readRows(cli, name, listForm(ruleSet, nowS), options.encoding) });
  const inForce = await desk.listsInForce();
  // Rules that ask for what no list says decide as if nobody stood on it: whoever issues has to know.
  const lacking = files.length === 0 ? await lackingLists(desk, ruleSet, nowS) : [];
  for (const one of lacking) cli.output.note(`${lackingText(one, nowS)}.`);
  const found = await foundOf(cli, desk, { file, declared, nowS }, inForce);
  const { people, undecided, faults, unmatched } = decideAll(
    ruleSet,
    declared,
    { files, ...(found && { found }) },
    nowS,
  );
  if (faults.length > 0) throw rowsError(file, faults.slice(0, TOLD_MAX));
  if (unmatched > 0) {
    const who = unmatched === 1 ? 'person of the lists is' : 'people of the lists are';
    cli.output.note(`${unmatched} ${who} not among those in ${printable(file)}.`);
  }
  if (options.report !== undefined)
    await writeFileAtomically(options.report, openReport(undecided), { mode: 0o600 });
  if (undecided.length > 0) tellUndecided(cli, file, undecided, people.length, options);
  return people;
}

/**
 * What rows leave open of papers comes of the declarations that are stored, and so do facts of people of whom the row tells no
 * declaration: two declarations are never mixed.
 */
async function withDeclarations(
  desk: Desk,
  ruleSet: RuleSet,
  rows: readonly Declared[],
): Promise<readonly Declared[]> {
  const asked = ruleSet.data.facts;
  if (!Object.hasOwn(asked, 'declaration.consent')) return rows;
  const known = await desk.declared(
    rows.map(({ subject }) => subject),
    ruleSet.id,
  );
  return rows.map((row, i) => {
    const stored = known[i];
    if (stored === undefined) return row;
    const declaresItself = [...row.facts.keys()].some((name) => name.startsWith('declaration.'));
    const { facts } = declaresItself ? {} : readFacts(asked, stored.facts);
    return { ...row, identity: row.identity ?? stored.identity, ...(facts && { stored: facts }) };
  });
}

/** What the lists in force say of everybody; undefined where there are none. @throws {CliError} PEOPLE_INVALID */
async function foundOf(
  cli: Cli,
  desk: Desk,
  { file, declared, nowS }: Pick<Decided, 'file' | 'declared' | 'nowS'>,
  inForce: ReadonlyMap<ListKind, ListVersion>,
): Promise<readonly Found[] | undefined> {
  const ofPersons = [...inForce].filter(([kind]) => KINDS[kind].of === 'person');
  if (ofPersons.length === 0) return undefined;
  const faults = unknownToLists(declared);
  if (faults.length > 0) throw rowsError(file, faults.slice(0, TOLD_MAX));
  const onPaper = soughtOnPaper(declared);
  const all = await desk.findInLists([...soughtOf(declared), ...onPaper.map(({ sought }) => sought)]);
  const found = all.slice(0, declared.length);
  for (const [i, { number }] of onPaper.entries()) {
    const [before, one] = [found[number], all[declared.length + i]];
    if (before !== undefined && one !== undefined) found[number] = together(before, one);
  }
  for (const [kind, { version, entries, asOfS }] of ofPersons) {
    const here = found.filter(({ matched }) => matched.some(({ list }) => list === kind)).length;
    const list = `${kind}, version ${version}, ${spanText(Math.max(0, nowS - asOfS))} old`;
    cli.output.note(`${list}: ${counted(here, 'person')} of ${figure(entries)} on the list found here.`);
  }
  return found;
}

function tellUndecided(
  cli: Cli,
  file: string,
  undecided: readonly Undecided[],
  others: number,
  { leaveOpen, report }: ByRules,
): void {
  const lines = undecided.slice(0, TOLD_MAX).map(({ line, open, doubts }) => {
    const place = line === 0 ? '' : `line ${line}: `;
    return `\n  ${place}${[...open.map(openText), ...doubts.map(doubtText)].join('; ')}`;
  });
  const rest = undecided.length - lines.length;
  const list = lines.join('') + (rest > 0 ? `\n  and ${rest} more` : '');
  const all = report === undefined ? '' : `\nAll of them stand in ${printable(report)}.`;
  if (leaveOpen && others > 0) {
    cli.output.note(
      `${counted(undecided.length, 'row')} of ${printable(file)} got no colour and no code:${list}${all}`,
    );
    return;
  }
  const message = `${counted(undecided.length, 'row')} of ${file} got no colour, nothing was issued:${list}${all}`;
  throw new CliError(EXIT.failure, 'UNDECIDED', message, {
    hint: '`entente rules explain` tells more of one person. --leave-open issues to the others.',
    details: undecided.slice(0, TOLD_MAX).map(({ line, open, doubts }) => ({ line, open, doubts })),
  });
}

/** The rules that a code can name, so that whoever audits the region finds them. */
function ruleSetOf({ state, config }: Desk, id: string, nowS: number): RuleSet {
  const logged = state.rules(id);
  const refuse = (code: string, message: string, hint: string) =>
    new CliError(EXIT.failure, code, message, { hint });
  if (logged === undefined)
    throw refuse(
      'NOT_FOUND',
      `${config.region} has no rules ${printable(id)} in its trust log`,
      `Log them: entente rules activate`,
    );
  const { ruleSet } = readRuleSet(logged);
  if (ruleSet === undefined)
    throw refuse(
      'RULES_INVALID',
      `the rules ${id} in the trust log are none that this program knows`,
      'Activate newer ones, or update this program.',
    );
  if (!isInForce(ruleSet, nowS))
    throw refuse(
      'RULES_NOT_IN_FORCE',
      `the rules ${id} are not in force now`,
      'Activate rules for this time.',
    );
  return ruleSet;
}
