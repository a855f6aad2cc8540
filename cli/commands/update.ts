/** `entente update`: all who declared, held against rules and lists as they are now. */
import { type Command } from 'commander';
import { type UpdateFigures, UPDATE_OUTCOMES, type UpdateOutcome } from '../../node/life/update-figures.ts';
import { type Unsettled } from '../../node/life/updater.ts';
import { type UpdateNews, type UpdateOrder } from '../../node/life/updating.ts';
import { rulesInForce } from '../../node/life/known.ts';
import { type Notice } from '../../node/life/notice.ts';
import { type Handed } from '../../node/life/telling.ts';
import { type AskedList } from '../../node/lists/asked-lists.ts';
import { writeFileAtomically } from '../../node/region/files.ts';
import { type Cli, examples } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { tellAll } from '../life/life-desk.ts';
import { aligned, counted, figure } from '../output.ts';
import { csvCell } from '../people/codes-file.ts';
import { peopleFormatOf, type PeopleFormat } from '../people/people-file.ts';
import { printable } from '../printable.ts';
import { parseNewFile, type SigningOptions, withoutPeersOption } from '../region.ts';
import { lackingLists, lackingText } from '../rules/lacking-lists.ts';
import { openReasons } from '../rules/open-report.ts';
import { parseTime } from '../times.ts';

interface UpdateOptions extends SigningOptions {
  readonly rules?: string;
  readonly dryRun?: true;
  readonly at?: string;
  readonly report?: string;
  readonly out?: string;
}

const MEANINGS: Readonly<Record<UpdateOutcome, string>> = {
  unchanged: 'their code says it, and long enough',
  first: 'got their first code',
  renewed: 'got the same colour anew, before the code ended',
  worse: 'turned to a stricter colour; what passed before is revoked',
  better: 'turned to a less strict colour',
  open: 'have no colour now, since something is not known',
  ambiguous: 'have no colour now: entries may be about them, or about another',
  withdrawn: 'hold a code that was revoked, and nothing has come since',
  overridden: 'have a stricter colour that no update gave, which counts on',
  waiting: 'hold what must pass no more, and this hour has no revocation left for it',
  unlogged: 'hold what must pass no more, and it can be revoked once it is in its log',
  damaged: 'keep the codes they have, since what is kept of them cannot be read',
  unread: 'keep the codes they have, since what the registry has of those cannot be read',
};

export function addUpdate(program: Command, cli: Cli): void {
  program
    .command('update')
    .summary('bring all colours up to what is known now')
    .description(
      'Holds everybody who declared against the rules and lists in force: first codes, renewals, and changes for better or worse. A node that runs does it by itself (life.everyMinutes). To be run again whenever it was interrupted: nobody gets a code twice.',
    )
    .argument('<region>', 'directory of the region')
    .option('--rules <id>', 'with --dry-run: by other rules of the trust log than those of the region')
    .option('--dry-run', 'change nothing, and say what would change')
    .option('--at <time>', 'with --dry-run: as it would be at another time')
    .option('--report <file>', 'write everybody who has no colour now, and why, as CSV', parseNewFile)
    .option('--out <file>', 'write all codes that nobody was given yet, with their notices', parseNewFile)
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        ['entente update DE --out notices.jsonl', 'codes and notices for who hands them out'],
        ['entente update DE --dry-run', 'how many would change, and how'],
      ),
    )
    .action((region: string, options: UpdateOptions) => update(cli, region, options));
}

async function update(cli: Cli, path: string, options: UpdateOptions): Promise<void> {
  const { rules, dryRun = false, at, report, out } = options;
  if (at !== undefined && !dryRun)
    throw usageError('--at goes with --dry-run: nothing is issued at another time');
  if (out !== undefined && dryRun) throw usageError('--out goes without --dry-run, which issues nothing');
  const atS = at === undefined ? cli.surroundings.nowS() : parseTime(at);
  const order = { ...(rules !== undefined && { rules }), ...(dryRun && { dry: { atS } }) };
  const quiet = dryRun ? ({ reading: true, silent: true } as const) : { withoutPeers: options.withoutPeers };
  const { figures, damaged, handed, lists } = await withDesk(
    cli,
    path,
    async (desk) => ({
      ...(await updateAll(cli, desk, order, { report, out })),
      lists: await lackingFor(desk, rules, atS),
    }),
    quiet,
  );
  cli.output.result(
    {
      figures,
      dryRun,
      ...(damaged.length > 0 && { damaged }),
      ...(lists.length > 0 && { lackingLists: lists }),
      ...(report && { report }),
      ...(out && { out, handed }),
    },
    () => [
      ...aligned(
        UPDATE_OUTCOMES.filter((name) => figures[name] > 0).map((name) => [
          `${figure(figures[name])} ${name}`,
          MEANINGS[name],
        ]),
        '  ',
      ),
      ...(Object.values(figures).every((count) => count === 0) ? ['Nobody has declared.'] : []),
      ...(dryRun ? ['Nothing was changed.'] : []),
      ...lists.map((one) => `WARNING: ${lackingText(one, atS)}.`),
      ...(out === undefined ? [] : [`${counted(handed, 'code')} with notices in ${printable(out)}.`]),
    ],
  );
  requireNoneHeldOn(figures);
  requireNoneDamaged(figures, damaged);
}

/** Lists that the rules ask for and that are missing or old: whoever stands there may be green. */
async function lackingFor(desk: Desk, rules: string | undefined, atS: number): Promise<AskedList[]> {
  const ruleSet = rulesInForce(desk.state, rules ?? desk.config.life.rules, atS);
  return ruleSet === undefined ? [] : lackingLists(desk, ruleSet, atS);
}

/** @throws {CliError} REGISTRY_CORRUPT where what is kept of somebody cannot be read: all others are updated. */
export function requireNoneDamaged({ damaged = 0 }: Partial<UpdateFigures>, names: readonly string[]): void {
  if (damaged === 0) return;
  const more = damaged > names.length ? `, and ${damaged - names.length} more` : '';
  throw new CliError(
    EXIT.inconsistent,
    'REGISTRY_CORRUPT',
    `what is kept of ${counted(damaged, 'person')} cannot be read, and their codes stay as they are: ${names.map(printable).join(', ')}${more}`,
    {
      hint: 'All others are updated. Let them declare anew, or forget them (docs/issuing.md); where newer software wrote it, go back to that.',
    },
  );
}

/**
 * @throws {CliError} REGISTRY_CORRUPT where it cannot be read what somebody holds, REVOCATIONS_EXCEEDED, LOG_UNSETTLED where somebody holds on what must
 * pass no more.
 */
export function requireNoneHeldOn({ waiting = 0, unlogged = 0, unread = 0 }: Partial<UpdateFigures>): void {
  if (unread > 0)
    throw new CliError(
      EXIT.inconsistent,
      'REGISTRY_CORRUPT',
      `what the registry has of ${counted(unread, 'person')} is damaged: their colours stayed as they are`,
      { hint: 'The log of the node names what is damaged. Restore the registry from its backup.' },
    );
  if (waiting > 0)
    throw new CliError(
      EXIT.failure,
      'REVOCATIONS_EXCEEDED',
      `${counted(waiting, 'person')} hold what must pass no more, and this hour has no revocation left for it`,
      { hint: 'Run it again in the next hour; the root may raise the limit.' },
    );
  if (unlogged > 0)
    throw new CliError(
      EXIT.undetermined,
      'LOG_UNSETTLED',
      `${counted(unlogged, 'person')} hold what must pass no more, and what is in no log yet`,
      {
        hint: 'Run it again in a moment: it is on its way into its log. If that stays so, `entente status` says which log is in trouble.',
      },
    );
}

async function updateAll(
  cli: Cli,
  desk: Desk,
  order: UpdateOrder,
  { report, out }: { readonly report: string | undefined; readonly out: string | undefined },
): Promise<{
  readonly figures: UpdateFigures;
  readonly damaged: readonly string[];
  readonly handed: number;
}> {
  const meter = new Meter(cli, desk.life.update(order));
  if (report === undefined) await drained(meter.unsettled());
  else await writeFileAtomically(report, reportOf(meter.unsettled()), { mode: 0o600 });
  const handed: Handed[] = [];
  if (out !== undefined) {
    // A code is given out once its place in the log is public.
    await desk.publish();
    await writeFileAtomically(out, noticesOf(desk.life.untold(), peopleFormatOf(out), handed), {
      mode: 0o600,
    });
    await tellAll(desk.life, handed);
  }
  return { figures: meter.figures, damaged: meter.damaged, handed: handed.length };
}

/** Takes the figures out of what comes, and gives the rest. */
class Meter {
  figures: UpdateFigures = Object.fromEntries(UPDATE_OUTCOMES.map((name) => [name, 0])) as UpdateFigures;
  readonly #cli: Cli;
  /** Names of rows that cannot be read, as many as are told. */
  readonly damaged: string[] = [];
  readonly #news: AsyncIterable<UpdateNews>;

  constructor(cli: Cli, news: AsyncIterable<UpdateNews>) {
    this.#cli = cli;
    this.#news = news;
  }

  async *unsettled(): AsyncGenerator<Unsettled, void, undefined> {
    const progress = this.#cli.output.progress('looked at, per cent:', 100);
    for await (const one of this.#news) {
      if ('unsettled' in one) yield one.unsettled;
      else if ('damaged' in one) {
        if (this.damaged.length < DAMAGED_SHOWN) this.damaged.push(one.damaged);
      } else {
        this.figures = one.figures;
        const persons = Object.values(one.figures).reduce((sum, count) => sum + count, 0);
        if (persons >= PROGRESS_FROM) progress.at(Math.floor(100 * one.share));
      }
    }
  }
}

async function drained(iterator: AsyncGenerator<unknown>): Promise<void> {
  while ((await iterator.next()).done !== true);
}

/** Damaged rows that are named; the log of the node names all. */
const DAMAGED_SHOWN = 10;
/** Fewer persons are looked at before anybody waits. */
const PROGRESS_FROM = 4_096;

async function* reportOf(unsettled: AsyncIterable<Unsettled>): AsyncGenerator<string, void, undefined> {
  yield 'subject,list,list_lines,reason\n';
  for await (const { subject, open, doubts, areStaysUnknown } of unsettled) {
    const stays = areStaysUnknown
      ? [['', '', 'tells of stays, and no list says which areas are at risk']]
      : [];
    for (const row of [...openReasons({ open, doubts }), ...stays])
      yield `${[subject, ...row].map(csvCell).join(',')}\n`;
  }
}

async function* noticesOf(
  notices: AsyncIterable<Notice>,
  format: PeopleFormat,
  handed: Handed[],
): AsyncGenerator<string, void, undefined> {
  if (format === 'csv') yield 'subject,log,index,code,change,colour,notice\n';
  for await (const { subject, log, index, code, change, text } of notices) {
    const { kind, status } = change;
    handed.push({ subject, log, index, kind });
    const cells = [subject, log, String(index), code, kind, status.colour, text.join('\n')];
    yield format === 'csv'
      ? `${cells.map(csvCell).join(',')}\n`
      : `${JSON.stringify({ subject, log, index, code, change, notice: text })}\n`;
  }
}
