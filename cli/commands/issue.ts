/** `entente issue`: codes for one person or for all in a file. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Command } from 'commander';
import { removeFile, writeFileAtomically } from '../../node/region/files.ts';
import { type Encoding } from '../../node/rows/encoding.ts';
import { withKeepLock } from '../../node/store/keep-lock.ts';
import { type LogReceipt } from '../../node/trust/log-receipt.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { type Cli, examples } from '../cli.ts';
import { type Desk, type IssueProgress } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { writeDevice } from '../device.ts';
import { usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { codesText, type IssuedCode } from '../people/codes-file.ts';
import { codesWithout } from '../people/left-out.ts';
import { addPaperOptions, identityOf, type PaperOptions } from '../people/papers.ts';
import { type DecidedFile, issueInBatches, issueOnDesk, type LongFile } from '../people/issue-in-batches.ts';
import { BATCH_PEOPLE, decidedOf, IssuingRun } from '../people/issuing-run.ts';
import { requireNothingOpen } from '../people/nothing-open.ts';
import { peopleFormatOf } from '../people/people-file.ts';
import {
  COLUMN_HELP,
  COLUMNS,
  COLUMNS_REQUIRED,
  parsePerson,
  type Person,
  PERSON_FORM,
} from '../people/person.ts';
import { countOnPaper } from '../people/request.ts';
import { countRows, encodingOption, readRows } from '../people/rows-argument.ts';
import { printable } from '../printable.ts';
import { receiptFrom, receiptText } from '../receipt-text.ts';
import { type ByRules, peopleByRules, personByRules } from '../rules/people-by-rules.ts';
import { wrapped } from '../wrap.ts';
import { type SigningOptions, withoutPeersOption } from '../region.ts';

/** Codes that are signed between two lines of progress. */
const ROWS_PER_REPORT = 256;

interface IssueOptions extends SigningOptions, PaperOptions {
  readonly subject?: string;
  readonly colour?: string;
  readonly days?: string;
  readonly device?: string;
  readonly paper?: true;
  readonly documentCountry?: string;
  readonly documentNumber?: string;
  readonly out?: string;
  readonly encoding: Encoding;
  readonly rules?: string;
  readonly facts?: string;
  readonly list?: readonly string[];
  readonly leaveOpen?: true;
  readonly report?: string;
}

const COLUMNS_HELP = [
  '',
  wrapped(
    'Columns of a file, in any order; CSV with a header line, or JSON lines (.jsonl), in UTF-8 or that of --encoding:',
  ),
  ...COLUMNS.map((name) => {
    const required = COLUMNS_REQUIRED.includes(name) ? ' (required)' : '';
    return wrapped(`  ${name.padEnd(17)} ${COLUMN_HELP[name]}${required}`, ' '.repeat(20));
  }),
  wrapped(
    'With --rules the columns colour and days give way to the facts that the rules know, such as declaration.day; a list has subject and facts alone. Where lists of background data are in force (`entente lists show`), full_name and birth_date are needed, and id_type, id_country and id_number are best given too. Flags are true or false, days 2026-11-26, texts separated by semicolons.',
  ),
  wrapped(
    'With --rules whoever gets yellow or red loses at once what they hold that demands less, and nobody gets a code that demands less than one of theirs that runs: `entente declare` and `entente update` bring better news.',
  ),
  wrapped(
    'A file with a row that is wrong issues nothing. Where no node runs all rows are issued in one batch, or none is; a node that runs issues them in several, and what it could not issue is told. Whoever is refused is named, the first 20; with --leave-open the others get their codes. Indexes in the log do not follow the order of the file.',
  ),
  wrapped(
    'With --out and without --rules a file may have up to 2,000,000 rows. More than 20,000 are issued in batches of so many. If that breaks off, or any file that a running node issues with --out, the same command goes on, and nobody gets two codes. Until the end <out>.part has the codes of the batches that are done, and <out>.run says how far it is.',
  ),
  wrapped(
    'With --rules such a command goes on with what was decided when it began, sealed in <out>.decided. A node takes that for an hour; whom it refuses then, or for what it knows itself, gets no code: with --leave-open the same command ends without them.',
  ),
].join('\n');

export function addIssue(program: Command, cli: Cli): void {
  const issuing = program
    .command('issue')
    .summary('issue codes')
    .description('Issues a code to one person (--subject, --colour) or to all people in a file.')
    .argument('<region>', 'directory of the region')
    .argument('[file]', 'file of people, or - for CSV on stdin')
    .option('--subject <text>', 'one person instead of a file')
    .option('--colour <colour>', 'green, yellow or red')
    .option('--days <n>', 'how long the code counts, 1 to 30 days')
    .option('--device <file>', 'make a key for a phone and write it, with the code, into this file')
    .option('--paper', 'bind the code to the identity document given')
    .option('--document-country <cc>', 'country of the identity document')
    .option('--document-number <text>', 'number of the identity document')
    .option('--out <file>', 'file for the codes, .csv or .jsonl (default: print them)')
    .addOption(encodingOption('of the file of people and of files of --list'))
    .option('--rules <id>', 'let these rules of the trust log decide on colours, by the facts in the columns')
    .option(
      '--facts <file>',
      'with --rules: facts of the one person as JSON, instead of their declaration (`entente declare`)',
    )
    .option(
      '--list <file>',
      'with --rules: background data by subject, such as a control list; repeatable',
      collect,
    )
    .option('--leave-open', 'with --rules: issue to the others where somebody gets no colour, or is refused')
    .option('--report <file>', 'with --rules: write everybody who gets no colour, and why, as CSV');
  addPaperOptions(issuing, 'with --rules, of the one person: ')
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      COLUMNS_HELP +
        '\n' +
        examples(
          ['entente issue DE people.csv --out codes.csv', 'everybody in the file'],
          ["entente issue DE --subject 'Person 00001' --colour green", 'one person; prints the code'],
          [
            "entente issue DE --subject 'Person 00001' --colour green --device phone.json",
            'for live presentations',
          ],
          [
            "entente issue DE --subject 'Person 00001' --colour green --paper --document-country DE --document-number C01X00T47",
            'for paper',
          ],
          [
            'entente issue DE declarations.csv --rules de --list control.csv --out codes.csv',
            'what people declared, compared with a control list, decides',
          ],
        ),
    )
    .action((region: string, file: string | undefined, options: IssueOptions) =>
      issue(cli, region, file, options),
    );
}

async function issue(cli: Cli, path: string, file: string | undefined, options: IssueOptions): Promise<void> {
  const { surroundings } = cli;
  const { out } = options;
  // A run that had all but said so may have given the file its name.
  const isRunning = out !== undefined && (await IssuingRun.isBegun(out));
  await requireNewFiles(...(isRunning ? [] : [out, options.report]), options.device);
  const rows = await rowsOf(cli, file, options);
  if (rows !== undefined && (isRunning || rows.rows > BATCH_PEOPLE))
    return issueInBatches(cli, path, rows, { withoutPeers: options.withoutPeers });
  const secretKey = surroundings.random(32);
  const holderKey =
    options.device === undefined ? undefined : (await cli.crypto()).signerOf(secretKey).publicKey;
  const peopleBy = await peopleSource(cli, file, options, holderKey);
  const ofRun = rows ?? (await decidedFileOf(file, options, peopleBy));
  if (ofRun !== undefined && isRunning)
    return issueInBatches(cli, path, ofRun, { withoutPeers: options.withoutPeers });
  const issueAlone = () =>
    withDesk(
      cli,
      path,
      async (desk, modules) => {
        if (ofRun !== undefined && desk.doOrdersOutlive)
          return issueOnDesk(cli, path, ofRun, { ...modules, desk });
        await requireNothingOpen(cli, desk, path);
        // Another run may have made them while this one waited for the region.
        await requireNewFiles(options.out, options.device, options.report);
        const people = await peopleBy(desk);
        const leavesOut = options.leaveOpen === true;
        const order = desk.issue(people, { ...progressOf(cli, people), leavesOut });
        const { issued, refused } = await codesWithout(order, { leavesOut, output: cli.output });
        const [first] = issued;
        const last = issued.reduce((most, { index }) => Math.max(most, index), 0);
        if (options.device !== undefined && first !== undefined)
          await writeDevice(options.device, { secretKey, code: first.code });
        const receiptNow = () => receiptFrom(desk, first?.log ?? '', last);
        await writeCodes(cli, issued, { ...options, isSingle: file === undefined, refused, receiptNow });
        // What a run into the same file left that broke off before it ordered anything.
        if (ofRun !== undefined) await removeFile(decidedOf(ofRun.out));
        // The batch is closed once its codes are given out.
        await desk.closeHandovers(await desk.openHandovers());
      },
      { withoutPeers: options.withoutPeers },
    );
  // Of two commands for one file that overlap, the second finds what the first wrote there.
  const written = out ?? options.device;
  if (ofRun === undefined && written !== undefined) await withKeepLock(`${written}.run`, issueAlone);
  else await issueAlone();
}

/** A file whose rows give the colours, into a file: where that breaks off, the same command goes on. */
async function rowsOf(
  cli: Cli,
  file: string | undefined,
  options: IssueOptions,
): Promise<LongFile | undefined> {
  const { out, rules, encoding } = options;
  if (file === undefined || file === '-' || out === undefined || rules !== undefined) return undefined;
  requireNoSingle(options);
  return { file, out, encoding, ...(await countRows(cli, file, PERSON_FORM, encoding)) };
}

/** A file on whose people rules decide, into a file: the same command goes on with what they decided. */
async function decidedFileOf(
  file: string | undefined,
  { out, rules, leaveOpen }: IssueOptions,
  decide: DecidedFile['decide'],
): Promise<DecidedFile | undefined> {
  if (file === undefined || file === '-' || out === undefined || rules === undefined) return undefined;
  if (!existsSync(file)) throw usageError(`there is no file ${printable(file)}`);
  const hash = createHash('sha256').update(`entente/rules/${rules}\n`);
  for await (const bytes of createReadStream(file) as AsyncIterable<Uint8Array>) hash.update(bytes);
  return { out, sha256: hash.digest('hex'), decide, leaveOpen: leaveOpen === true };
}

/** Whom to issue to. What needs no region is read before that is opened. */
async function peopleSource(
  cli: Cli,
  file: string | undefined,
  options: IssueOptions,
  holderKey: Uint8Array | undefined,
): Promise<(desk: Desk) => Promise<readonly Person[]>> {
  const { rules, facts, encoding, list: lists = [], leaveOpen = false, report } = options;
  const { nowS } = cli.surroundings;
  const identity = identityOf(options, nowS());
  if (rules === undefined) {
    const isOfRules = facts !== undefined || lists.length > 0 || leaveOpen || report !== undefined;
    if (isOfRules || identity !== undefined)
      throw usageError('--facts, --list, --leave-open, --report and papers go with --rules');
    const people = file === undefined ? [personOf(options, holderKey)] : await peopleOf(cli, file, options);
    return () => Promise.resolve(people);
  }
  if (options.colour !== undefined || options.days !== undefined)
    throw usageError('--colour and --days are what --rules decides');
  const byRules: ByRules = { rules, encoding, lists, leaveOpen, report };
  if (file !== undefined) {
    requireNoSingle(options);
    if (identity !== undefined) throw usageError('papers of a file of people stand in its columns');
    return (desk) => peopleByRules(cli, desk, file, byRules, nowS());
  }
  const person = personOf({ ...options, colour: 'green' }, holderKey);
  return (desk) => personByRules(cli, desk, { person, identity }, facts, byRules, nowS());
}

function progressOf({ output }: Cli, people: readonly Person[]): IssueProgress {
  const hashing = output.progress('hashed documents', countOnPaper(people));
  const signing = output.progress('signed', people.length);
  return {
    onHashed: (done) => hashing.at(done),
    onSigned: (done) => {
      const isDue = done % ROWS_PER_REPORT === 0 || done === people.length;
      if (isDue && people.length > 1) signing.at(done);
    },
  };
}

async function writeCodes(
  cli: Cli,
  issued: readonly IssuedCode[],
  {
    out,
    device,
    isSingle,
    refused,
    receiptNow,
  }: IssueOptions & {
    readonly isSingle: boolean;
    /** People who were left out. */
    readonly refused: number;
    readonly receiptNow: () => Promise<LogReceipt | undefined>;
  },
): Promise<void> {
  const { output } = cli;
  if (out !== undefined) {
    await writeFileAtomically(out, codesText(issued, peopleFormatOf(out)), { mode: 0o600 });
    const from = issued.reduce((least, { index }) => Math.min(least, index), Infinity);
    const to = issued.reduce((most, { index }) => Math.max(most, index), 0);
    const receipt = await receiptNow();
    const leftOut = refused === 0 ? {} : { refused };
    const summary = { issued: issued.length, ...leftOut, log: issued[0]?.log, from, to, out, receipt };
    output.result(summary, () => [
      `Issued ${counted(issued.length, 'code')} into log ${summary.log}, leaves ${summary.from} to ${summary.to}; codes in ${printable(out)}.`,
      ...(receipt === undefined ? [] : [receiptText(receipt)]),
    ]);
  } else if (isSingle) {
    const receipt = await receiptNow();
    output.result({ ...issued[0], device, receipt }, () => issued.map(({ code }) => code));
    if (!output.json && receipt !== undefined) output.note(receiptText(receipt));
  } else {
    for (const part of codesText(issued, output.json ? 'jsonl' : 'csv')) cli.surroundings.writeOut(part);
  }
  if (device !== undefined) output.note(`The key of the device is in ${printable(device)}.`);
}

function personOf(options: IssueOptions, holderKey: Uint8Array | undefined): Person {
  if (options.subject === undefined || options.colour === undefined) {
    throw usageError('give a file of people, or --subject and --colour for one person');
  }
  const isOnPaper = options.documentCountry !== undefined || options.documentNumber !== undefined;
  if (isOnPaper !== (options.paper === true)) {
    throw usageError('--paper goes with --document-country and --document-number');
  }
  const cells = Object.entries({
    subject: options.subject,
    colour: options.colour,
    days: options.days,
    device: holderKey && hexOf(holderKey),
    document_country: options.documentCountry,
    document_number: options.documentNumber,
  }).filter(([, cell]) => cell !== undefined);
  const person = parsePerson(Object.fromEntries(cells) as Record<string, string>, 0);
  if (!Array.isArray(person)) return person;
  const [fault] = person;
  throw usageError(
    `--${fault?.column?.replace('_', '-')} ${fault?.reason}`,
    fault?.example && `As in ${fault.example}.`,
  );
}

function peopleOf(cli: Cli, file: string, options: IssueOptions): Promise<readonly Person[]> {
  requireNoSingle(options);
  return readRows(cli, file, PERSON_FORM, options.encoding);
}

function requireNoSingle(options: IssueOptions): void {
  const single = [
    options.subject,
    options.colour,
    options.days,
    options.device,
    options.paper,
    options.facts,
  ];
  if (single.every((option) => option === undefined)) return;
  throw usageError(
    'a file of people takes only --out and --rules with what belongs to that besides it',
    'Put colours, days and devices into its columns.',
  );
}

/** Codes must not be lost to a full name or a missing folder after they were issued. */
async function requireNewFiles(...paths: readonly (string | undefined)[]): Promise<void> {
  for (const path of paths) {
    if (path === undefined) continue;
    if (existsSync(path))
      throw usageError(`${printable(path)} exists already`, 'Name another file, or move this one away.');
    try {
      // The dot, so that a file in place of the folder is refused too.
      await access(`${dirname(resolve(path))}/.`, constants.W_OK);
    } catch {
      throw usageError(`cannot write to the folder of ${printable(path)}`);
    }
  }
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
