/** Issuing to a long file of people, as `IssuingRun` does it, with what the operator sees of that. */
import { createReadStream } from 'node:fs';
import { withKeepLock } from '../../node/store/keep-lock.ts';
import { type Encoding } from '../../node/rows/encoding.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { type LogReceipt } from '../../node/trust/log-receipt.ts';
import { type Cli } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { PartlyIssued } from '../desk/node-answers.ts';
import { withDesk, type WithDeskOptions } from '../desk/with-desk.ts';
import { counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { receiptFrom, receiptText } from '../receipt-text.ts';
import { keepDecided, readDecided } from './decided-people.ts';
import { IssuingRun, type OtherCode } from './issuing-run.ts';
import { LEAVES_OUT, refusedText, tellRefused } from './left-out.ts';
import { requireNothingOpen } from './nothing-open.ts';
import { peopleFormatOf, peopleInBatches } from './people-file.ts';
import { type Person, PERSON_FORM } from './person.ts';
import { rowsError } from './rows-argument.ts';

/** A file whose rows give the colours. */
export interface LongFile {
  readonly file: string;
  readonly encoding: Encoding;
  readonly out: string;
  readonly rows: number;
  /** Of the file, in hexadecimal. */
  readonly sha256: string;
}

/** A file on whose people rules decide, once for the run. */
export interface DecidedFile {
  readonly out: string;
  /** Of the file and the name of the rules, in hexadecimal. */
  readonly sha256: string;
  readonly decide: (desk: Desk) => Promise<readonly Person[]>;
  /** Issues to the others where somebody is refused. */
  readonly leaveOpen: boolean;
}

/**
 * Rejects as `issueOnDesk`, and as `withDesk`.
 */
export function issueInBatches(
  cli: Cli,
  path: string,
  long: LongFile | DecidedFile,
  options: WithDeskOptions,
): Promise<void> {
  const issue = (desk: Desk, modules: RegionModules) => issueOnDesk(cli, path, long, { ...modules, desk });
  return withDesk(cli, path, issue, { ...options, silent: true, inParts: true });
}

/**
 * Rejects as `IssuingRun`: the same command goes on where this one broke off.
 * @throws {NodeError} KEEP_BUSY while another process issues into the same file.
 */
export function issueOnDesk(
  cli: Cli,
  path: string,
  long: LongFile | DecidedFile,
  modules: RegionModules & { readonly desk: Desk },
): Promise<void> {
  return withKeepLock(`${long.out}.run`, () => issueAlone(cli, path, long, modules));
}

async function issueAlone(
  cli: Cli,
  path: string,
  long: LongFile | DecidedFile,
  { desk, sha256, random, nowS }: RegionModules & { readonly desk: Desk },
): Promise<void> {
  const { output } = cli;
  const { out, sha256: input } = long;
  const { region, network } = desk.config;
  const { registryKey } = desk.keys;
  const isNew = !(await IssuingRun.isBegun(out));
  const decidedNow = ({ decide }: DecidedFile) => (isNew ? decide(desk) : readDecided(out, registryKey));
  // Whoever is forgotten once it was decided on them gets nothing.
  const since = isNew && 'decide' in long ? await desk.ordered() : undefined;
  const written = isNew ? undefined : await IssuingRun.rowsWritten(out);
  const decided = 'decide' in long && written === undefined ? await decidedNow(long) : [];
  const rows = 'decide' in long ? (written ?? decided.length) : long.rows;
  const run = await IssuingRun.open(out, peopleFormatOf(out), { region, network, input, rows, since });
  await requireNothingOpen(cli, desk, path, (handover) => run.mayHold(handover));
  if (isNew && 'decide' in long) await keepDecided(out, decided, { registryKey, random });
  const resumedAt = run.done;
  if (resumedAt > 0) output.note(`Goes on after the first ${counted(resumedAt, 'row')}.`);
  const progress = output.progress('issued', rows);
  const inBatches = { size: run.batch, skip: resumedAt };
  const batches = 'decide' in long ? partsOf(decided, inBatches) : peopleOf(long, inBatches);
  for await (const people of batches) {
    const { done } = run;
    const onSigned = (signed: number) => {
      if (signed % ROWS_PER_REPORT === 0) progress.at(done + signed);
    };
    const isWhole = ({ part }: PartlyIssued) => isNew && done === 0 && part.isRefused;
    const onRefused = (error: PartlyIssued) => {
      if (isWhole(error)) throw error;
      output.note(refusedText(error.part.refused));
    };
    const hears = {
      onHashed: () => undefined,
      onSigned,
      ...('decide' in long && long.leaveOpen && { onRefused }),
    };
    await run.issue(people, desk, { sha256, random, nowS, ...hears }).catch(async (error: unknown) => {
      // Whoever mends a file that was refused as a whole goes on with no run.
      const isPart = error instanceof PartlyIssued;
      const isNone = (isPart && isWhole(error)) || !(await IssuingRun.isBegun(out));
      const isRefused = isPart && error.part.refused.length > 0 && 'decide' in long;
      if (isRefused) tellRefused(error.part, output);
      if (isNone) await run.drop();
      else if (isRefused) output.note(LEAVES_OUT);
      throw error;
    });
  }
  await run.finish(desk);
  const issued = rows - run.forgotten.count - run.refused;
  progress.at(issued);
  const leaves = await Promise.all(
    Object.entries(run.leaves).map(async ([log, [from, to]]) => {
      const receipt = await receiptFrom(desk, log, to);
      return { log, from, to, ...(receipt !== undefined && { receipt }) };
    }),
  );
  tellIssued(cli, out, { issued, resumedAt, run, leaves });
}

/** Codes in one log. */
interface Leaves {
  readonly log: string;
  /** The least and the greatest index. */
  readonly from: number;
  readonly to: number;
  /** Of the greatest. */
  readonly receipt?: LogReceipt;
}

async function* peopleOf(
  { file, encoding }: LongFile,
  inBatches: { readonly size: number; readonly skip: number },
): AsyncGenerator<readonly Person[], void, undefined> {
  const batches = peopleInBatches(
    createReadStream(file),
    { format: peopleFormatOf(file), encoding },
    PERSON_FORM,
    inBatches,
  );
  for await (const { people, faults } of batches) {
    // It was good when it was counted.
    if (faults.length > 0) throw rowsError(file, faults);
    yield people;
  }
}

function* partsOf(
  people: readonly Person[],
  { size, skip }: { readonly size: number; readonly skip: number },
): Generator<readonly Person[], void, undefined> {
  for (let at = skip; at < people.length; at += size) yield people.slice(at, at + size);
}

function tellIssued(
  { output }: Cli,
  out: string,
  {
    issued,
    resumedAt,
    run,
    leaves,
  }: {
    readonly issued: number;
    readonly resumedAt: number;
    readonly run: IssuingRun;
    readonly leaves: readonly Leaves[];
  },
): void {
  const { others, forgotten, refused, revoked } = run;
  const places = leaves.map(({ log, from, to }) => `log ${log}, leaves ${figure(from)} to ${figure(to)}`);
  const [only] = leaves;
  const isOne = only !== undefined && leaves.length === 1;
  const told = { others, forgotten, refused, revoked };
  const summary = { issued, resumedAt, leaves, ...told, out, ...(isOne && only) };
  output.result(summary, () => [
    `Issued ${counted(issued, 'code')}${isOne ? ` into ${places[0]}` : ''}; codes in ${printable(out)}.`,
    ...(isOne ? [] : places.map((place) => `  ${place}`)),
    ...othersLines(others),
    ...forgottenLines(forgotten),
    ...(revoked === 0
      ? []
      : [
          `${counted(revoked, 'code')} of these ${revoked === 1 ? 'was' : 'were'} revoked while the run was broken off.`,
        ]),
    ...(refused === 0 ? [] : [`${counted(refused, 'person')} got no code, since it was refused.`]),
    ...leaves.flatMap(({ receipt }) => (receipt === undefined ? [] : [receiptText(receipt)])),
  ]);
}

/** Codes that are signed between two lines of progress. */
const ROWS_PER_REPORT = 256;
/** Other codes, and rows, that are told one by one to people; with --json all are. */
const OTHERS_TOLD = 10;

function othersLines(others: readonly OtherCode[]): string[] {
  if (others.length === 0) return [];
  const left = others.length - OTHERS_TOLD;
  return [
    `${counted(others.length, 'code')} of people in this file came from elsewhere while the run was broken off, other than ordered. Those ordered were issued all the same; see which is right:`,
    ...others
      .slice(0, OTHERS_TOLD)
      .map(
        ({ subject, log, index, colour, rule }) =>
          `  ${printable(subject)}: ${colour} by ${rule}, log ${log}, leaf ${figure(index)}`,
      ),
    ...(left > 0 ? [`  and ${figure(left)} more: --json tells all`] : []),
  ];
}

function forgottenLines({ count, rows }: IssuingRun['forgotten']): string[] {
  if (count === 0) return [];
  const told = rows.slice(0, OTHERS_TOLD).map(figure).join(', ');
  const left = count - Math.min(rows.length, OTHERS_TOLD);
  return [
    `${counted(count, 'person')} got no code, having been forgotten after it had been ordered: row ${told}${left > 0 ? ` and ${figure(left)} more` : ''} of the file.`,
  ];
}
