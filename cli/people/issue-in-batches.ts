/** Issuing to a long file of people, as `IssuingRun` does it, with what the operator sees of that. */
import { createReadStream } from 'node:fs';
import { withKeepLock } from '../../node/store/keep-lock.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { type Cli } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { PartlyIssued } from '../desk/node-answers.ts';
import { withDesk, type WithDeskOptions } from '../desk/with-desk.ts';
import { counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { IssuingRun, type OtherCode } from './issuing-run.ts';
import { requireNothingOpen } from './nothing-open.ts';
import { peopleFormatOf, peopleInBatches } from './people-file.ts';
import { PERSON_FORM } from './person.ts';
import { rowsError } from './rows-argument.ts';

export interface LongFile {
  readonly file: string;
  readonly out: string;
  readonly rows: number;
  /** Of the file, in hexadecimal. */
  readonly sha256: string;
}

/**
 * Rejects as `issueOnDesk`, and as `withDesk`.
 */
export function issueInBatches(
  cli: Cli,
  path: string,
  long: LongFile,
  options: WithDeskOptions,
): Promise<void> {
  const issue = (desk: Desk, modules: RegionModules) => issueOnDesk(cli, path, long, { ...modules, desk });
  return withDesk(cli, path, issue, { ...options, silent: true });
}

/**
 * Rejects as `IssuingRun`: the same command goes on where this one broke off.
 * @throws {NodeError} KEEP_BUSY while another process issues into the same file.
 */
export function issueOnDesk(
  cli: Cli,
  path: string,
  long: LongFile,
  modules: RegionModules & { readonly desk: Desk },
): Promise<void> {
  return withKeepLock(`${long.out}.run`, () => issueAlone(cli, path, long, modules));
}

async function issueAlone(
  cli: Cli,
  path: string,
  { file, out, rows, sha256: input }: LongFile,
  { desk, sha256, random, nowS }: RegionModules & { readonly desk: Desk },
): Promise<void> {
  const { output } = cli;
  const { region, network } = desk.config;
  const isNew = !(await IssuingRun.isBegun(out));
  const run = await IssuingRun.open(out, peopleFormatOf(out), { region, network, input, rows });
  await requireNothingOpen(cli, desk, path, (handover) => run.mayHold(handover));
  const resumedAt = run.done;
  if (resumedAt > 0) output.note(`Goes on after the first ${counted(resumedAt, 'row')}.`);
  const progress = output.progress('issued', rows);
  const batches = peopleInBatches(createReadStream(file), peopleFormatOf(file), PERSON_FORM, {
    size: run.batch,
    skip: resumedAt,
  });
  for await (const { people, faults } of batches) {
    // It was good when it was counted.
    if (faults.length > 0) throw rowsError(file, faults);
    const { done } = run;
    const onSigned = (signed: number) => {
      if (signed % ROWS_PER_REPORT === 0) progress.at(done + signed);
    };
    const issuing = run.issue(people, desk, { sha256, random, nowS, onHashed: () => undefined, onSigned });
    await issuing.catch(async (error: unknown) => {
      // Whoever mends a file that was refused as a whole goes on with no run.
      if (isNew && done === 0 && error instanceof PartlyIssued && error.isRefused) await run.drop();
      throw error;
    });
  }
  await run.finish(desk);
  progress.at(rows);
  tellIssued(cli, out, { issued: rows - run.forgotten.count, resumedAt, run });
}

function tellIssued(
  { output }: Cli,
  out: string,
  {
    issued,
    resumedAt,
    run,
  }: { readonly issued: number; readonly resumedAt: number; readonly run: IssuingRun },
): void {
  const { others, forgotten } = run;
  const leaves = Object.entries(run.leaves).map(([log, [from, to]]) => ({ log, from, to }));
  const places = leaves.map(({ log, from, to }) => `log ${log}, leaves ${figure(from)} to ${figure(to)}`);
  const [only] = leaves;
  const isOne = only !== undefined && leaves.length === 1;
  const summary = { issued, resumedAt, leaves, others, forgotten, out, ...(isOne && only) };
  output.result(summary, () => [
    `Issued ${counted(issued, 'code')}${isOne ? ` into ${places[0]}` : ''}; codes in ${printable(out)}.`,
    ...(isOne ? [] : places.map((place) => `  ${place}`)),
    ...othersLines(others),
    ...forgottenLines(forgotten),
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
