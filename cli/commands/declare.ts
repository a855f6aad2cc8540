/** `entente declare`: what people declare of themselves, one by one or in files. */
import { type Command } from 'commander';
import {
  DECLARATION_COLUMNS,
  DECLARATION_HELP,
  declarationForm,
  declarationsExample,
} from '../../node/life/declaration.ts';
import { type IntakeReport } from '../../node/life/intake.ts';
import { IDENTITY_COLUMNS } from '../../node/lists/identity.ts';
import { SOURCE_CHARS_MAX } from '../../node/lists/lists.ts';
import { type Encoding } from '../../node/rows/encoding.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { soonText } from '../life/soon.ts';
import { counted, figure } from '../output.ts';
import { bytesOfFile } from '../people/file-bytes.ts';
import { addPaperOptions, type PaperOptions } from '../people/papers.ts';
import { peopleFormatOf } from '../people/people-file.ts';
import { encodingOption, faultText } from '../people/rows-argument.ts';
import { printable } from '../printable.ts';
import { parseTime } from '../times.ts';
import { wrapped } from '../wrap.ts';

interface DeclareOptions extends PaperOptions {
  readonly example?: true;
  readonly source?: string;
  readonly encoding: Encoding;
  readonly subject?: string;
  readonly consent?: true;
  readonly symptoms?: boolean;
  readonly contact?: string;
  readonly travel?: readonly string[];
  readonly address?: string;
  readonly declaredAt?: string;
}

/** Neither signs nor needs its peers. */
const QUIETLY = { reading: true, silent: true } as const;

const COLUMNS_HELP = [
  '',
  wrapped('Columns of a file, in any order; CSV with a header line, or JSON lines (.jsonl):'),
  ...Object.entries(DECLARATION_HELP).map(([name, help]) =>
    wrapped(`  ${name.padEnd(12)} ${help}`, ' '.repeat(15)),
  ),
  wrapped(`  ${'papers'.padEnd(12)} ${IDENTITY_COLUMNS.join(', ')}`, ' '.repeat(15)),
  wrapped(
    'subject, full_name, birth_date, declared_at, consent and symptoms are needed; consent has to be true. A file with a row that is wrong changes nothing. `entente update` turns declarations into colours, and so does a node that runs.',
  ),
].join('\n');

export function addDeclare(program: Command, cli: Cli): void {
  const declaring = program
    .command('declare')
    .summary('take declarations of people')
    .description(
      'Stores what a person declares (--subject), or all people of a file: sealed, and only of those who agree to it. The same declaration again changes nothing, a newer one takes the place of an older.',
    )
    .argument('[region]', 'directory of the region')
    .argument('[file]', 'file of declarations, or - for CSV on stdin')
    .option('--example', 'print a file of the right form')
    .option('--source <text>', 'who took the declarations (default: command line)')
    .addOption(encodingOption())
    .option('--subject <text>', 'one person instead of a file')
    .option('--consent', 'the person agrees that this is stored and compared')
    .option('--symptoms', 'the person has symptoms')
    .option('--no-symptoms', 'the person has none')
    .option('--contact <day>', 'day of the last contact with somebody infected')
    .option('--travel <stay>', "area and day of a stay, as in 'CN-42 2026-11-19'; repeatable", collect)
    .option('--address <text>', 'where the person stays')
    .option('--declared-at <time>', 'when the person declared it (default: now)');
  addPaperOptions(declaring, 'of the one person: ')
    .addHelpText(
      'after',
      `${COLUMNS_HELP}\n${examples(
        ['entente declare --example > declared.csv', 'to fill in'],
        ['entente declare DE declared.csv', 'everybody in the file, or nobody'],
        [
          "entente declare DE --subject 'Person 00005' --full-name 'Person Sample' --birth-date 1990-05-17 --no-symptoms --consent",
          'one person, as of now',
        ],
      )}`,
    )
    .action((region: string | undefined, file: string | undefined, options: DeclareOptions) =>
      declare(cli, region, file, options),
    );
}

async function declare(
  cli: Cli,
  region: string | undefined,
  file: string | undefined,
  options: DeclareOptions,
): Promise<void> {
  if (options.example === true) {
    cli.surroundings.writeOut(declarationsExample());
    return;
  }
  if (region === undefined) throw usageError('name the directory of a region, or give --example');
  const { source = 'command line', encoding } = options;
  if (source.trim() === '' || source.length > SOURCE_CHARS_MAX)
    throw usageError(`--source is a text of 1 to ${SOURCE_CHARS_MAX} characters`);
  const isFile = file !== undefined;
  if (isFile) requireNoSingle(options);
  const format = isFile ? peopleFormatOf(file) : 'jsonl';
  const bytes = isFile ? await bytesOfFile(cli, file) : once(rowOfOne(cli, options));
  const order = { source, format, encoding: isFile ? encoding : 'utf-8' } as const;
  const report = await withDesk(cli, region, (desk) => desk.declare(order, bytes), QUIETLY);
  if (report.outcome === 'refused') throw refusal(file ?? 'the declaration', report);
  const { added, replaced, unchanged, older } = report;
  cli.output.result(report, () => [
    `Took ${counted(added, 'new person')} and ${counted(replaced, 'newer declaration')}; ${figure(unchanged)} known already, ${figure(older)} older than what is known.`,
    ...(added + replaced + older > 0 ? [soonText(report, region)] : []),
  ]);
}

/** One row as a line of JSON. What is wrong with it is told by its option. */
function rowOfOne(cli: Cli, options: DeclareOptions): Uint8Array {
  const nowS = cli.surroundings.nowS();
  if (options.subject === undefined) throw usageError('give a file of declarations, or --subject');
  if (options.symptoms === undefined) throw usageError('say --symptoms or --no-symptoms');
  if (options.consent !== true)
    throw usageError('nothing is stored without --consent', 'Ask the person, and give it if they agree.');
  const declaredAtS = options.declaredAt === undefined ? nowS : parseTime(options.declaredAt);
  const cells = Object.entries({
    subject: options.subject,
    id_type: options.idType,
    id_country: options.idCountry,
    id_number: options.idNumber,
    full_name: options.fullName,
    birth_date: options.birthDate,
    declared_at: new Date(declaredAtS * 1_000).toISOString(),
    consent: 'true',
    symptoms: String(options.symptoms),
    contact: options.contact,
    travel: options.travel?.join(';'),
    address: options.address,
  }).filter((cell): cell is [string, string] => cell[1] !== undefined && cell[1] !== '');
  const row = declarationForm(nowS).parse(Object.fromEntries(cells), 0);
  const [fault] = Array.isArray(row) ? row : [];
  if (fault !== undefined) {
    const option = fault.column === undefined ? 'the papers' : `--${fault.column.replaceAll('_', '-')}`;
    throw usageError(`${option}: ${fault.reason}`, fault.example && `As in ${fault.example}.`);
  }
  return Buffer.from(JSON.stringify(Object.fromEntries(cells)));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
  yield bytes;
}

function requireNoSingle(options: DeclareOptions): void {
  const { subject, consent, symptoms, contact, travel, address, declaredAt, ...others } = options;
  const { idType, idCountry, idNumber, fullName, birthDate } = others;
  const papers = [idType, idCountry, idNumber, fullName, birthDate];
  const single = [subject, consent, symptoms, contact, travel, address, declaredAt, ...papers];
  if (single.every((option) => option === undefined)) return;
  throw usageError('a file takes --source and --encoding alone', `Its columns say the rest: ${columns()}.`);
}

function columns(): string {
  return DECLARATION_COLUMNS.join(', ');
}

function refusal(what: string, { faults }: IntakeReport & { outcome: 'refused' }): CliError {
  const told = faults.map((fault) => `\n  ${faultText(fault)}`).join('');
  const message = `${printable(what)} cannot be used, nothing was changed:${told}`;
  return new CliError(EXIT.failure, 'DECLARATIONS_INVALID', message, {
    hint: 'Mend these rows and run the command again. The right form: entente declare --example',
    details: faults,
  });
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
