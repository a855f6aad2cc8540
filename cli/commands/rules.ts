/** `entente rules show|check|test|explain|diff|activate`: rules as files, and how they come to bind. */
import { type Command, Option } from 'commander';
import { profileNames } from '../../node/rules/profiles.ts';
import { tryExample } from '../../protocol/rules/examples.ts';
import { ruleSetHash } from '../../protocol/rules/rule-set.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { aligned, counted } from '../output.ts';
import { PLACE_HELP } from '../place.ts';
import { printable, printableLines } from '../printable.ts';
import { draftOption, withoutPeersOption } from '../region.ts';
import { type ActivateOptions, activateRules } from '../rules/activate.ts';
import { changeText, exampleChanges, ruleChanges } from '../rules/difference.ts';
import { type ExplainOptions, explainRules } from '../rules/explain.ts';
import { readRules, RULES_ARGUMENT, rulesText } from '../rules/rule-argument.ts';
import { timeText } from '../times.ts';
import { wrapped } from '../wrap.ts';

export function addRules(program: Command, cli: Cli): void {
  const rules = program
    .command('rules')
    .summary('check, test, explain, compare and activate rules')
    .description('Rules as files: which colour facts lead to, and what a colour means at a place.');
  rules
    .command('show')
    .description(
      'Prints a profile that comes with this program, to start from, or rules that stand in a trust log; without a name lists the profiles.',
    )
    .argument('[rules]', RULES_ARGUMENT)
    .addHelpText(
      'after',
      examples(
        ['entente rules show baseline > mine.yaml', 'the rules of the three colours'],
        ['entente rules show DE:de', 'those that a region has logged, as a file'],
      ),
    )
    .action((name: string | undefined) => show(cli, name));
  rules
    .command('check')
    .description('Says whether rules can be used, and if not, in which line and why.')
    .argument('<rules>', RULES_ARGUMENT)
    .addHelpText('after', examples(['entente rules check rules.yaml', 'each fault with its line']))
    .action((named: string) => check(cli, named));
  rules
    .command('test')
    .description(
      'Runs the examples that stand beside rules. Fails if one comes out otherwise, or if there are none.',
    )
    .argument('<rules>', RULES_ARGUMENT)
    .addHelpText('after', examples(['entente rules test rules.yaml', 'a line for each example that fails']))
    .action((named: string) => test(cli, named));
  addExplain(rules, cli);
  rules
    .command('diff')
    .description(
      'Says in words what changes from one file of rules to another, and which examples come out otherwise.',
    )
    .argument('<old>', RULES_ARGUMENT)
    .argument('<new>', RULES_ARGUMENT)
    .addHelpText(
      'after',
      examples(
        ['entente rules diff baseline rules.yaml', 'what the region does otherwise'],
        ['entente rules diff DE:de rules.yaml', 'what the next version changes'],
      ),
    )
    .action((before: string, after: string) => diff(cli, before, after));
  rules
    .command('activate')
    .description(
      'Signs rules with the root and logs them, if all their examples come out as they say. Newer ones of the same id take their place at once.',
    )
    .argument('<region>', 'directory of the region')
    .argument('<rules>', RULES_ARGUMENT)
    .option(
      '--undecided',
      'beside other rules that know of declarations, although life.rules in the settings names none: no colour is updated until it does',
    )
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(['entente rules activate DE rules.yaml', 'on the day in `from`, or later']),
    )
    .action((region: string, named: string, options: ActivateOptions) =>
      activateRules(cli, region, named, options),
    );
}

function addExplain(rules: Command, cli: Cli): void {
  rules
    .command('explain')
    .description(
      'Says why facts lead to a colour (--facts), or what becomes of a code at a place and whether a check is due (--place).',
    )
    .argument('<rules>', RULES_ARGUMENT)
    .option('--facts <file>', 'facts of a person as JSON, or - for stdin')
    .option('--place <place>', PLACE_HELP)
    .addOption(
      new Option('--colour <colour>', 'with --place: the code shown').choices(['green', 'yellow', 'red']),
    )
    .option('--role <role>', 'with --place: the role of the person')
    .option('--at <time>', 'at another time than now')
    .addHelpText(
      'after',
      examples(
        ['entente rules explain baseline --facts facts.json', 'each rule, and what it read'],
        [
          'entente rules explain baseline --place kind=hospital --colour red --role patient',
          'what the gate of a hospital does',
        ],
      ),
    )
    .action((named: string, options: ExplainOptions) => explainRules(cli, named, options));
}

async function show(cli: Cli, name: string | undefined): Promise<void> {
  if (name === undefined) {
    const profiles: { profile: string; version: number; title: string }[] = [];
    for (const profile of profileNames()) {
      const { ruleSet } = await readRules(cli, profile);
      profiles.push({ profile, version: ruleSet.version, title: ruleSet.data.title });
    }
    cli.output.result(profiles, () => aligned(profiles.map(({ profile, title }) => [profile, title])));
    return;
  }
  const text = await rulesText(cli, name);
  cli.output.result({ name, text }, () => [printableLines(text.trimEnd())]);
}

async function check(cli: Cli, named: string): Promise<void> {
  const { ruleSet, examples } = await readRules(cli, named);
  const { id, version, fromS, untilS, data } = ruleSet;
  const hash = Buffer.from(ruleSetHash((await cli.crypto()).sha256, ruleSet)).toString('hex');
  const counts = {
    issuing: ruleSet.issuing.length,
    requires: ruleSet.requires.length,
    acceptance: ruleSet.acceptance.length,
    checks: ruleSet.checks.length,
    examples: examples.length,
  };
  const told = {
    rules: id,
    version,
    title: data.title,
    region: data.region,
    fromS,
    untilS,
    zone: data.zone,
    hash,
  };
  cli.output.result({ ...told, ...counts }, () => [
    `${id}, version ${version}: ${data.title}`,
    ...aligned(
      [
        ['for', data.region ?? 'any region'],
        ['in force', `${timeText(fromS)} to ${timeText(untilS)}`],
        ['days of', data.zone],
        [
          'has',
          `${counted(counts.issuing, 'issuing rule')}, ${counted(counts.acceptance, 'acceptance rule')}, ${counted(counts.checks, 'check rule')}, ${counted(counts.examples, 'example')}`,
        ],
        ['hash', hash],
      ],
      '  ',
    ),
  ]);
}

async function test(cli: Cli, named: string): Promise<void> {
  const { ruleSet, examples } = await readRules(cli, named);
  if (examples.length === 0) {
    throw new CliError(EXIT.failure, 'NO_EXAMPLES', 'these rules have no examples, so nothing was shown', {
      hint: 'docs/rules.md says how to write some.',
    });
  }
  const results = examples.map((example) => tryExample(ruleSet, example));
  const failed = results.filter(({ fault }) => fault !== undefined);
  if (failed.length > 0) cli.exit = EXIT.failure;
  const { id, version } = ruleSet;
  const summary = { rules: id, version, passed: results.length - failed.length, failed: failed.length };
  cli.output.result({ ...summary, examples: results }, () => [
    ...failed.map(({ name, came, fault }) => wrapped(printable(`${name}: ${fault}, came ${came}`), '  ')),
    `${id}, version ${version}: ${summary.passed} passed, ${summary.failed} failed`,
  ]);
}

async function diff(cli: Cli, named: string, other: string): Promise<void> {
  const before = await readRules(cli, named);
  const after = await readRules(cli, other);
  const changes = ruleChanges(before.ruleSet, after.ruleSet);
  const turned = exampleChanges(before, after);
  cli.output.result({ changes, examples: turned }, () => {
    if (changes.length === 0) return ['Nothing changes.'];
    const lines = changes.map((change) => wrapped(`  ${printable(changeText(change))}`, '    '));
    const turns = turned.map(({ example, from, to }) =>
      wrapped(`  ${printable(`${example}: ${from} becomes ${to}`)}`, '    '),
    );
    const head = turns.length === 0 ? 'No example comes out otherwise.' : 'Examples that come out otherwise:';
    return [`${counted(changes.length, 'change')}:`, ...lines, '', head, ...turns];
  });
}
