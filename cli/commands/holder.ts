/** `entente holder`: the colour of one person, since when, until when, and why. */
import { type Command } from 'commander';
import { type FactSource, type StatusChange, type Objection } from '../../node/life/dossier.ts';
import { type Explained, type ExplainedOrder } from '../../node/life/explained.ts';
import { type Holder } from '../../node/life/holder.ts';
import { sourceText } from '../../node/life/notice.ts';
import { broughtByText } from '../../node/operators/brought-by.ts';
import { readRuleSet, type RuleSet } from '../../protocol/rules/rule-set.ts';
import { valueText } from '../../protocol/rules/words.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { type Colours } from '../output.ts';
import { printable } from '../printable.ts';
import { decisionLines } from '../rules/explanation.ts';
import { doubtText } from '../rules/open-report.ts';
import { timeText } from '../times.ts';
import { wrapped } from '../wrap.ts';

/** Whose colour is told, and whether each rule is. */
export interface HolderOptions {
  readonly subject: string;
  readonly explain?: true | undefined;
}

export function addHolder(program: Command, cli: Cli): void {
  program
    .command('holder')
    .summary('the colour of one person, and why')
    .description(
      'What a region knows of one person who declared: the colour, since when, until when, which rule and why, how it changed, and objections. With --explain it is what `entente status REGION --explain PERSON` says.',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption('--subject <text>', 'the person', (text) => text.trim())
    .option('--explain', 'each rule, whether it holds now, and what it read where')
    .addHelpText(
      'after',
      examples([
        "entente holder DE --subject 'Person 00007' --explain",
        'why this person is red, yellow or green',
      ]),
    )
    .action((region: string, options: HolderOptions) => tellHolder(cli, region, options));
}

/** Tells of one person. @throws {NodeError} NOT_FOUND for one who never declared, as `Life.holder`. */
export async function tellHolder(cli: Cli, path: string, { subject, explain }: HolderOptions): Promise<void> {
  const { colours } = cli.output;
  const quiet = { reading: true, silent: true } as const;
  const { found, state } = await withDesk(
    cli,
    path,
    async (desk) => ({ found: await desk.life.holder(subject, explain === true), state: desk.state }),
    quiet,
  );
  cli.output.result(found, () => [
    ...headLines(found),
    ...(found.objections.length === 0
      ? []
      : ['', 'Objections:', ...found.objections.flatMap(objectionLines)]),
    ...(found.changes.length < 2 ? [] : ['', 'Before that:', ...found.changes.slice(1).map(changeLine)]),
    ...(found.explained === undefined ? [] : explainedLines(found.explained, state, colours)),
  ]);
}

const STANDINGS: Readonly<Record<Holder['standing'], string>> = {
  running: '',
  over: 'The code has ended.',
  revoked: 'The code is revoked.',
  none: 'The person has no colour: no update has come since they declared, or what is known does not tell one. --explain says what is open or in doubt; colours come of `entente update`.',
};

function headLines({ notice, standing }: Holder): string[] {
  const lines = [...notice, STANDINGS[standing]].filter((line) => line !== '');
  return lines.map((line) => wrapped(printable(line), '  '));
}

export function objectionLines({ number, state, text, dueAtS, answer }: Objection): string[] {
  const due = state === 'open' ? `, to be decided by ${timeText(dueAtS)}` : '';
  const lines = [
    `  ${number} ${state}${due}: ${text}`,
    ...(answer === undefined ? [] : [`    answer: ${answer}`]),
  ];
  return lines.map((line) => wrapped(printable(line), '      '));
}

function changeLine({ atS, status, kind, why }: StatusChange): string {
  return wrapped(printable(`  ${timeText(atS)}  ${status.colour}, ${kind}: ${why}`), '      ');
}

function explainedLines(
  { rules, facts, decision, trace, outcome, doubts, order }: Explained,
  state: TrustState,
  colours: Colours,
): string[] {
  const ruleSet = ruleSetOf(state, rules);
  return [
    ...(order === undefined ? [] : orderLines(order, state, colours)),
    '',
    `By what is known now (update would say: ${outcome}):`,
    ...facts.map(({ name, value, source }) => {
      const where = source === undefined ? '' : `, from ${sourceText(source)}${operatorText(source)}`;
      return wrapped(printable(`  ${name} ${valueText(value)}${where}`), '      ');
    }),
    ...doubts.map((doubt) => wrapped(printable(`  IN DOUBT ${doubtText(doubt)}`), '      ')),
    '',
    ...(ruleSet === undefined ? [] : decisionLines(ruleSet, decision, trace, colours, outcome)),
  ];
}

/** For who looks into it: notices, which people are given, name no operator. */
function operatorText(source: FactSource): string {
  const { operator } = source.from === 'order' ? {} : source;
  return operator === undefined ? '' : `, brought in by ${broughtByText(operator)}`;
}

const MISSING: Readonly<Record<Extract<ExplainedOrder, { missing: unknown }>['missing'], string>> = {
  unkept: 'what it rests on is not kept here.',
  unread: 'what it rests on is damaged here, and cannot be read.',
};

function orderLines(order: ExplainedOrder, state: TrustState, colours: Colours): string[] {
  const head = `An order by rules gave the code ${order.log} ${order.index}`;
  if ('missing' in order) return ['', wrapped(printable(`${head}: ${MISSING[order.missing]}`), '  ')];
  const { atS, rules, version, isTold, facts, decision, trace = [] } = order;
  const alone = isTold ? ' alone' : '';
  const by = `${rules}, version ${version}`;
  const ruleSet = ruleSetOf(state, rules, version);
  const isAtHand = decision !== undefined && ruleSet !== undefined;
  return [
    '',
    wrapped(
      printable(`${head}, as ${by}, decided at ${timeText(atS)}, on what was told with it${alone}:`),
      '  ',
    ),
    ...facts.map(({ name, value }) => wrapped(printable(`  ${name} ${valueText(value)}`), '      ')),
    '',
    ...(isAtHand
      ? decisionLines(ruleSet, decision, trace, colours)
      : [printable(`${by}, is not at hand here any more: why it gave this cannot be said.`)]),
  ];
}

/** By default of the version in the log. */
function ruleSetOf(state: TrustState, id: string, version?: number): RuleSet | undefined {
  const logged = state.rules(id);
  return logged === undefined || (version ?? logged.version) !== logged.version
    ? undefined
    : readRuleSet(logged).ruleSet;
}
