/** `entente override propose|show|confirm|list`: colours that no rule gives, by two operators. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  GIVEN_REASONS,
  type OverrideOrder,
  OVERRIDES_LISTED,
  OVERRIDES_LISTED_MAX,
  type OverridesAsked,
  type OverrideSeen,
} from '../../node/abuse/override-kept.ts';
import { OVERRIDE_DAYS_MAX } from '../../protocol/limits.ts';
import { type Cli, examples } from '../cli.ts';
import { type Digested } from '../desk/override-desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { EXIT, usageError } from '../exit.ts';
import { counted, figure } from '../output.ts';
import { encodingOption, readRows } from '../people/rows-argument.ts';
import { type Encoding } from '../../node/rows/encoding.ts';
import { type RowForm } from '../../node/rows/row-form.ts';
import { printable } from '../printable.ts';
import { type SigningOptions, withoutPeersOption } from '../region.ts';
import { table } from '../table.ts';
import { timeText } from '../times.ts';

interface ProposeOptions {
  readonly subject: readonly string[];
  readonly file?: string;
  readonly encoding: Encoding;
  readonly colour: OverrideOrder['colour'];
  readonly reason: OverrideOrder['reason'];
  readonly days: number;
}

interface ConfirmOptions extends SigningOptions {
  readonly digest?: string;
}

/** Neither signs nor needs its peers. */
const QUIETLY = { reading: true, silent: true } as const;

export function addOverride(program: Command, cli: Cli): void {
  const override = program
    .command('override')
    .summary('colours without a rule, by two operators')
    .description(
      'A colour that no rule gives takes two operators, each of whom signs it with their own key, a reason of a closed list and an end within 14 days. Each is counted in public, by reason and colour, in the tallies of the trust log.',
    );
  override
    .command('propose')
    .description(
      'Proposes a colour for people. Another operator has to confirm it within a day, while you are one; until then nothing changes.',
    )
    .argument('<region>', 'directory of the region')
    .option('--subject <text>', 'a person (repeatable)', collect, [])
    .option('--file <file>', 'a CSV or JSON lines file with a column subject instead, or - for stdin')
    .addOption(encodingOption())
    .addOption(
      new Option('--colour <colour>', 'the colour').choices(['green', 'yellow', 'red']).makeOptionMandatory(),
    )
    .addOption(new Option('--reason <reason>', 'why').choices([...GIVEN_REASONS]).makeOptionMandatory())
    .requiredOption('--days <n>', `days until it ends, 1 to ${OVERRIDE_DAYS_MAX}`, parseDays)
    .addHelpText(
      'after',
      examples([
        "entente override propose IT --operator anna.key --subject 'Person 00001' --colour red --reason laboratory --days 14",
        'prints the id and the digest that another operator confirms',
      ]),
    )
    .action((region: string, options: ProposeOptions) => propose(cli, region, options));
  override
    .command('show')
    .description(
      'Shows what was proposed, the people whom it names, and its digest, for whoever is to confirm just that. Once they have their codes they are named no more.',
    )
    .argument('<region>', 'directory of the region')
    .argument('<id>', 'as `override propose` printed it')
    .addHelpText(
      'after',
      examples([
        'entente override show IT 00112233445566778899aabbccddeeff --operator bert.key',
        'before bert confirms it',
      ]),
    )
    .action((region: string, id: string) => show(cli, region, id));
  override
    .command('confirm')
    .description(
      'Confirms what another operator proposed, and nothing but what `override show` has shown: it is refused if something else lies under that id by now. Codes are issued, and looser ones of these people revoked. Run again, it goes on with what broke off. Where the log of a looser code is in trouble it says so once all are issued: run it again when that is mended.',
    )
    .argument('<region>', 'directory of the region')
    .argument('<id>', 'as `override propose` printed it')
    .option('--digest <hex>', 'of what is confirmed, as `override show` printed it (required)', parseDigest)
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples([
        `entente override confirm IT 00112233445566778899aabbccddeeff --digest ${'0011223344556677'.repeat(4)} --operator bert.key`,
        'the codes are printed by `entente codes`',
      ]),
    )
    .action((region: string, id: string, options: ConfirmOptions) => confirm(cli, region, id, options));
  override
    .command('list')
    .description(
      'Lists what was proposed and confirmed, without the people. Names those that cannot be read beside the others, and ends with 5 then.',
    )
    .argument('<region>', 'directory of the region')
    .option('--last <n>', `so many at most (default: ${OVERRIDES_LISTED})`, parseLast)
    .option('--after <id>', 'those that are older than this one', parseId)
    .addHelpText(
      'after',
      examples(
        ['entente override list DE', 'the newest first'],
        [
          'entente override list DE --last 10 --after 6a7b8c9d00112233445566778899aabb',
          'what came before that one',
        ],
      ),
    )
    .action((region: string, asked: OverridesAsked) => list(cli, region, asked));
}

async function propose(cli: Cli, path: string, options: ProposeOptions): Promise<void> {
  const { subject, file, encoding, ...order } = options;
  if ((subject.length === 0) === (file === undefined))
    throw usageError('give --subject, or --file with a person a row');
  const rows = file === undefined ? [] : await readRows(cli, file, SUBJECT_FORM, encoding);
  const subjects = file === undefined ? subject : rows.map((row) => row.subject);
  const proposed = await withDesk(
    cli,
    path,
    (desk) => desk.overrides.propose({ ...order, subjects }),
    QUIETLY,
  );
  cli.output.result(proposed, () => [
    `Proposed: ${order.colour} for ${counted(proposed.people, 'person')}, ${order.reason}, ${counted(order.days, 'day')}.`,
    `Another operator sees whom it names, and confirms it by the digest that is shown, which has to be this one:`,
    `  entente override show ${printable(path)} ${proposed.id} --operator FILE`,
    confirmLine(path, proposed),
  ]);
}

async function show(cli: Cli, path: string, id: string): Promise<void> {
  const shown = await withDesk(cli, path, (desk) => desk.overrides.show(id), QUIETLY);
  const { state, colour, reason, people, days, proposed, subjects } = shown;
  cli.output.result(shown, () => [
    `${state}: ${colour} for ${counted(people, 'person')}, ${reason}, ${counted(days, 'day')}; by ${printable(proposed.name)}, ${timeText(proposed.atS)}`,
    ...subjects.map((subject) => `  ${printable(subject)}`),
    ...(state === 'done' || subjects.length === people
      ? []
      : [`${counted(people - subjects.length, 'person')} of them named no more`]),
    `Digest: ${shown.proposalDigest}`,
    ...(state === 'proposed' || state === 'broken-off'
      ? ['Another operator than who proposed it confirms it, if it is right:', confirmLine(path, shown)]
      : []),
  ]);
}

/** The command that confirms just this. */
function confirmLine(path: string, { id, proposalDigest }: Digested): string {
  return `  entente override confirm ${printable(path)} ${id} --digest ${proposalDigest} --operator FILE`;
}

async function confirm(cli: Cli, path: string, id: string, options: ConfirmOptions): Promise<void> {
  const { digest, withoutPeers } = options;
  if (digest === undefined)
    throw usageError(
      'give --digest, as `override show` printed it: nobody confirms what they have not seen',
      `See it first: entente override show ${printable(path)} ${printable(id)} --operator FILE`,
    );
  const { issued } = await withDesk(cli, path, (desk) => desk.overrides.confirm(id, digest), {
    withoutPeers,
  });
  cli.output.result({ id, issued }, () => [
    `Confirmed: ${counted(issued, 'code')} issued. It stands in the next tally of the trust log, and entente codes prints the codes.`,
  ]);
}

/** Ends with 5 where one cannot be read: the others are listed all the same. */
async function list(cli: Cli, path: string, asked: OverridesAsked): Promise<void> {
  const listed = await withDesk(cli, path, (desk) => desk.overrides.list(asked), QUIETLY);
  const { overrides, damaged, more } = listed;
  if (damaged.length > 0) cli.exit = EXIT.inconsistent;
  const { red } = cli.output.colours;
  const none = `Nobody proposed a colour without a rule${asked.after === undefined ? '' : ' before that'}.`;
  const last = [...overrides, ...damaged].reduce((last, { id }) => (id > last ? id : last), '');
  cli.output.result(listed, () => [
    ...(overrides.length > 0 ? overrideTable(overrides) : damaged.length > 0 ? [] : [none]),
    ...damaged.map(({ code, message }) => red(`${code}: ${printable(message)}`)),
    ...(damaged.length > 0 ? ['Nobody can confirm it, and no other is concerned: propose it anew.'] : []),
    ...(more ? [`There are older ones: say --after ${last}.`] : []),
  ]);
}

function overrideTable(overrides: readonly OverrideSeen[]): string[] {
  return table(
    ['id', 'state', 'colour', 'reason', 'people', 'days', 'proposed', 'confirmed'],
    overrides.map(({ id, state, colour, reason, people, days, proposed, confirmed }) => [
      id,
      state,
      colour,
      reason,
      figure(people),
      String(days),
      `${printable(proposed.name)}, ${timeText(proposed.atS)}`,
      confirmed === undefined ? '' : `${printable(confirmed.name)}, ${timeText(confirmed.atS)}`,
    ]),
  );
}

const SUBJECT_FORM: RowForm<{ readonly subject: string }> = {
  columns: ['subject'],
  required: ['subject'],
  plain: new Set(),
  parse: ({ subject = '' }, line) => {
    const text = subject.trim();
    const isGood = text !== '' && Buffer.byteLength(text) <= 64;
    return isGood
      ? { subject: text }
      : [{ line, column: 'subject', reason: 'has not 1 to 64 bytes', example: 'P-00001' }];
  },
};

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value.trim()];
}

function parseLast(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= OVERRIDES_LISTED_MAX) return Number(text);
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${OVERRIDES_LISTED_MAX}.`);
}

function parseId(text: string): string {
  if (/^[0-9a-f]{32}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected an id, as `override list` prints it.');
}

function parseDigest(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected 64 hexadecimal digits, as `override show` prints them.');
}

function parseDays(text: string): number {
  if (/^([1-9]|1[0-4])$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${OVERRIDE_DAYS_MAX}.`);
}
