/** Issuing to a long file of people, as `IssuingRun` does it, with what the operator sees of that. */
import { createReadStream } from 'node:fs';
import { withKeepLock } from '../../node/store/keep-lock.ts';
import { type Cli } from '../cli.ts';
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
 * Rejects as `IssuingRun`, and as `withDesk`: the same command goes on where this one broke off.
 * @throws {NodeError} KEEP_BUSY while another process issues into the same file.
 */
export function issueInBatches(
  cli: Cli,
  path: string,
  long: LongFile,
  options: WithDeskOptions,
): Promise<void> {
  return withKeepLock(`${long.out}.run`, () => issueAlone(cli, path, long, options));
}

async function issueAlone(
  cli: Cli,
  path: string,
  { file, out, rows, sha256 }: LongFile,
  options: WithDeskOptions,
): Promise<void> {
  const { output } = cli;
  await withDesk(
    cli,
    path,
    async (desk, modules) => {
      const { region, network } = desk.config;
      const run = await IssuingRun.open(out, peopleFormatOf(out), { region, network, input: sha256, rows });
      await requireNothingOpen(cli, desk, path, (handover) => run.mayHold(handover));
      const resumedAt = run.done;
      if (resumedAt > 0) output.note(`Goes on after the first ${counted(resumedAt, 'code')}.`);
      const progress = output.progress('issued', rows);
      const batches = peopleInBatches(createReadStream(file), peopleFormatOf(file), PERSON_FORM, {
        size: run.batch,
        skip: resumedAt,
      });
      for await (const { people, faults } of batches) {
        // It was good when it was counted.
        if (faults.length > 0) throw rowsError(file, faults);
        const { done } = run;
        await run.issue(people, desk, {
          sha256: modules.sha256,
          random: modules.random,
          nowS: modules.nowS,
          onHashed: () => undefined,
          onSigned: (signed) => {
            if (signed % ROWS_PER_REPORT === 0) progress.at(done + signed);
          },
        });
      }
      await run.finish(desk);
      progress.at(rows);
      const leaves = Object.entries(run.leaves).map(([log, [from, to]]) => ({ log, from, to }));
      const { others, forgotten } = run;
      const issued = rows - forgotten.count;
      output.result({ issued, resumedAt, leaves, others, forgotten, out }, () => [
        `Issued ${counted(issued, 'code')}; codes in ${printable(out)}.`,
        ...leaves.map(({ log, from, to }) => `  log ${log}, leaves ${figure(from)} to ${figure(to)}`),
        ...othersLines(others),
        ...forgottenLines(forgotten),
      ]);
    },
    { ...options, silent: true },
  );
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
