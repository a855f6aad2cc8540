/** `entente lists import|show|history|find|example`: the background data of a region. */
import { Argument, type Command } from 'commander';
import { columnsOf, exampleFile, KINDS, LIST_KINDS, type ListKind } from '../../node/lists/kinds.ts';
import { type ImportReport, SOURCE_CHARS_MAX } from '../../node/lists/lists.ts';
import { type ListVersion } from '../../node/lists/shelf.ts';
import { broughtByText } from '../../node/operators/brought-by.ts';
import { type Encoding } from '../../node/rows/encoding.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { soonText } from '../life/soon.ts';
import { aligned, counted, figure } from '../output.ts';
import { addPaperOptions, identityOf, type PaperOptions } from '../people/papers.ts';
import { bytesOfFile } from '../people/file-bytes.ts';
import { peopleFormatOf } from '../people/people-file.ts';
import { encodingOption, faultText } from '../people/rows-argument.ts';
import { printable } from '../printable.ts';
import { doubtText } from '../rules/open-report.ts';
import { table } from '../table.ts';
import { parseTime, timeText } from '../times.ts';
import { wrapped } from '../wrap.ts';

interface ImportOptions {
  readonly source: string;
  readonly asOf: string;
  readonly encoding: Encoding;
  readonly empty?: boolean;
}

/** Asking a region neither signs nor needs its peers. */
const QUIETLY = { reading: true, silent: true } as const;

const KINDS_HELP = [
  '',
  'Kinds and their columns:',
  ...LIST_KINDS.map((kind) =>
    wrapped(`  ${kind.padEnd(12)} ${KINDS[kind].title}: ${columnsOf(kind).join(', ')}`, ' '.repeat(15)),
  ),
  wrapped(
    'A row names its person by a document (id_type, id_country, id_number), or by full_name and birth_date, or by all of it. docs/issuing.md says more.',
  ),
].join('\n');

const kindArgument = () => new Argument('<kind>', 'kind of list').choices(LIST_KINDS);

export function addLists(program: Command, cli: Cli): void {
  const lists = program
    .command('lists')
    .summary('background data, such as the control list')
    .description('Lists of background data that colours are decided by: sealed, and versioned.');
  lists
    .command('import')
    .description(
      'Puts a list in force: all of the file or nothing. The same file again changes nothing, and a list older than the one in force is refused.',
    )
    .argument('<region>', 'directory of the region')
    .addArgument(kindArgument())
    .argument('<file>', 'CSV with a header or JSON lines, or - for CSV on stdin')
    .requiredOption('--source <text>', 'who gave the list')
    .requiredOption('--as-of <time>', 'the moment that it speaks of')
    .addOption(encodingOption())
    .option('--empty', 'take a file without rows, with its header alone: nobody stands on the list any more')
    .addHelpText('after', KINDS_HELP)
    .addHelpText(
      'after',
      examples([
        'entente lists import DE contacts contacts.csv --source Office --as-of 2026-11-20T06:00:00Z',
        'the whole list of that morning, in place of the one before',
      ]),
    )
    .action((region: string, kind: ListKind, file: string, options: ImportOptions) =>
      importList(cli, region, kind, file, options),
    );
  lists
    .command('show')
    .description('The lists in force: of what moment, from whom, how many rows.')
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente lists show DE', 'what colours are decided by']))
    .action((region: string) => show(cli, region));
  lists
    .command('history')
    .description('The versions of a list, that in force first. Of older ones than two the rows are gone.')
    .argument('<region>', 'directory of the region')
    .addArgument(kindArgument())
    .addHelpText('after', examples(['entente lists history DE contacts', 'from whom, and when']))
    .action((region: string, kind: ListKind) => history(cli, region, kind));
  addPaperOptions(
    lists
      .command('find')
      .description('What the lists in force say of somebody, and which entries may be about another.')
      .argument('<region>', 'directory of the region'),
  )
    .addHelpText(
      'after',
      examples([
        "entente lists find DE --id-type passport --id-country DE --id-number X0047 --full-name 'Person Sample' --birth-date 1990-05-17",
        'the list, its line, and what comes of it',
      ]),
    )
    .action((region: string, options: PaperOptions) => find(cli, region, options));
  lists
    .command('example')
    .description('Prints a file of the right form: a header, and one row.')
    .addArgument(kindArgument())
    .addHelpText('after', examples(['entente lists example tests > tests.csv', 'to fill in']))
    .action((kind: ListKind) => cli.surroundings.writeOut(exampleFile(kind)));
}

async function importList(
  cli: Cli,
  path: string,
  kind: ListKind,
  file: string,
  { source, asOf, encoding, empty = false }: ImportOptions,
): Promise<void> {
  if (source.trim() === '' || source.length > SOURCE_CHARS_MAX)
    throw usageError(`--source is a text of 1 to ${SOURCE_CHARS_MAX} characters`);
  const order = { kind, source, asOfS: parseTime(asOf), format: peopleFormatOf(file), encoding, empty };
  const bytes = await bytesOfFile(cli, file);
  const report = await withDesk(cli, path, (desk) => desk.importList(order, bytes), QUIETLY);
  if (report.outcome === 'refused') throw refusal(file, kind, report);
  const { rows, entries, version } = report.list;
  cli.output.result({ kind, ...report }, () => {
    const about = KINDS[kind].of === 'person' ? 'person' : 'area';
    if (report.outcome === 'unchanged')
      return [`Nothing changed: version ${version} of ${kind} is this file.`];
    const of = `${counted(rows, 'row')} about ${counted(entries, about)}`;
    return [
      `Version ${version} of ${kind} is in force: ${of}, as of ${timeText(report.list.asOfS)}.`,
      soonText(report, path),
    ];
  });
}

function refusal(file: string, kind: ListKind, { faults }: ImportReport & { outcome: 'refused' }): CliError {
  const told = faults.map((fault) => `\n  ${faultText(fault)}`).join('');
  return new CliError(EXIT.failure, 'LIST_INVALID', `${file} cannot be used, nothing was changed:${told}`, {
    hint: `Mend these rows and run the command again. The right form: entente lists example ${kind}`,
    details: faults,
  });
}

async function show(cli: Cli, path: string): Promise<void> {
  const inForce = [...(await withDesk(cli, path, (desk) => desk.listsInForce(), QUIETLY))];
  cli.output.result(Object.fromEntries(inForce), () =>
    inForce.length === 0
      ? ['No list is in force.', `To see what one looks like: entente lists example control`]
      : table(
          ['list', ...HEAD],
          inForce.map(([kind, list]) => [kind, ...cellsOf(list)]),
        ),
  );
}

async function history(cli: Cli, path: string, kind: ListKind): Promise<void> {
  const versions = await withDesk(cli, path, (desk) => desk.listVersions(kind), QUIETLY);
  if (versions.length === 0)
    throw new CliError(EXIT.failure, 'NOT_FOUND', `no list of ${kind} was ever imported`);
  const [inForce] = versions;
  cli.output.result({ kind, versions }, () => [
    ...table(HEAD, versions.map(cellsOf)),
    '',
    ...aligned([['file in force', `${figure(inForce?.bytes ?? 0)} bytes, SHA-256 ${inForce?.digest}`]]),
  ]);
}

async function find(cli: Cli, path: string, options: PaperOptions): Promise<void> {
  const identity = identityOf(options, cli.surroundings.nowS());
  if (identity === undefined) throw usageError('say whom: a document, or a name and a day of birth');
  const sought = { identity: { ...identity }, isNameShared: false };
  const [found] = await withDesk(cli, path, (desk) => desk.findInLists([sought]), QUIETLY);
  const { matched = [], doubts = [] } = found ?? {};
  cli.output.result(found, () => {
    const lines = matched.map(({ list, line, by, facts }) => {
      const told = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
      const what = told.length === 0 ? 'nothing that rules ask for' : told.join(', ');
      return `${list}, line ${line}, by ${by === 'name' ? 'name and day of birth' : 'document'}: ${what}`;
    });
    const all = [...lines, ...doubts.map((one) => `IN DOUBT ${doubtText(one)}`)];
    return all.length === 0 ? ['No list in force has an entry that could be about them.'] : all;
  });
}

const HEAD = ['version', 'as of', 'imported', 'rows', 'about', 'source', 'by'];

function cellsOf({ version, asOfS, importedAtS, rows, entries, source, operator }: ListVersion): string[] {
  const times = [timeText(asOfS), timeText(importedAtS)];
  const by = operator === undefined ? '' : broughtByText(operator);
  return [String(version), ...times, figure(rows), figure(entries), printable(source), printable(by)];
}
