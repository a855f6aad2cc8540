/** Whom to issue which colour, by rules that the region has activated. */
import { readRuleSet, isInForce, type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type Cli } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { CliError, EXIT } from '../exit.ts';
import { counted } from '../output.ts';
import {
  type BackgroundList,
  decideAll,
  type Declared,
  declarationForm,
  listForm,
  type Undecided,
} from '../people/by-rules.ts';
import { type Person } from '../people/person.ts';
import { readRows, rowsError } from '../people/rows-argument.ts';
import { printable } from '../printable.ts';
import { openText } from './explanation.ts';
import { readFactsFile } from './facts-file.ts';

/** Faults, and people without a colour, that are told one by one. */
const TOLD_MAX = 20;

export interface ByRules {
  /** Id of rules in the region's trust log. */
  readonly rules: string;
  /** Files of background data. */
  readonly lists: readonly string[];
  /** Issues to the others where somebody gets no colour. */
  readonly leaveOpen: boolean;
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
  const declared = await readRows(cli, file, declarationForm(ruleSet));
  return decided(cli, ruleSet, { file, declared, options, nowS });
}

/** One person with the facts of a JSON file. */
export async function personByRules(
  cli: Cli,
  desk: Desk,
  person: Person,
  factsFile: string,
  options: ByRules,
  nowS: number,
): Promise<readonly Person[]> {
  const ruleSet = ruleSetOf(desk, options.rules, nowS);
  const facts = await readFactsFile(cli, ruleSet, factsFile);
  const declared = [{ subject: person.subject, line: 0, person, facts }];
  return decided(cli, ruleSet, { file: factsFile, declared, options, nowS });
}

async function decided(
  cli: Cli,
  ruleSet: RuleSet,
  {
    file,
    declared,
    options,
    nowS,
  }: { file: string; declared: readonly Declared[]; options: ByRules; nowS: number },
): Promise<readonly Person[]> {
  const lists: BackgroundList[] = [];
  for (const name of options.lists) lists.push({ name, told: await readRows(cli, name, listForm(ruleSet)) });
  const { people, undecided, faults, unmatched } = decideAll(ruleSet, declared, lists, nowS);
  if (faults.length > 0) throw rowsError(file, faults.slice(0, TOLD_MAX));
  if (unmatched > 0) {
    const who = unmatched === 1 ? 'person of the lists is' : 'people of the lists are';
    cli.output.note(`${unmatched} ${who} not among those in ${printable(file)}.`);
  }
  if (undecided.length > 0) tellUndecided(cli, file, undecided, people.length, options.leaveOpen);
  return people;
}

function tellUndecided(
  cli: Cli,
  file: string,
  undecided: readonly Undecided[],
  others: number,
  leaveOpen: boolean,
): void {
  const lines = undecided.slice(0, TOLD_MAX).map(({ line, open }) => {
    const place = line === 0 ? '' : `line ${line}: `;
    return `\n  ${place}${open.map(openText).join('; ')}`;
  });
  const rest = undecided.length - lines.length;
  const list = lines.join('') + (rest > 0 ? `\n  and ${rest} more` : '');
  if (leaveOpen && others > 0) {
    cli.output.note(
      `${counted(undecided.length, 'row')} of ${printable(file)} got no colour and no code:${list}`,
    );
    return;
  }
  const message = `${counted(undecided.length, 'row')} of ${file} got no colour, nothing was issued:${list}`;
  throw new CliError(EXIT.failure, 'UNDECIDED', message, {
    hint: '`entente rules explain` tells more of one person. --leave-open issues to the others.',
    details: undecided.slice(0, TOLD_MAX),
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
