/** `entente lookup announce|import|show`: local codes that are mere numbers. */
import { type Command } from 'commander';
import { countingNumbers } from '../../node/life/tallies.ts';
import { type NumberList, type NumbersReport } from '../../node/lookup/numbers.ts';
import { act } from '../../node/operators/acting.ts';
import { daySeedsOf } from '../../node/region/region.ts';
import { LOOKUP_DAYS_MAX, LOOKUP_OVERLAP_S, LOOKUP_PREFIX_CHARS_MAX } from '../../protocol/limits.ts';
import { lookupKeyPair } from '../../protocol/lookup/oblivious.ts';
import { opaqueAdapters } from '../../protocol/lookup/announced-numbers.ts';
import {
  DAY_S,
  type DayKey,
  dayOf,
  isNumberPrefix,
  isOpaque,
  opaqueAdapterData,
} from '../../protocol/lookup/opaque-adapter.ts';
import { ADAPTER_ID, isAnnouncing } from '../adapter/announcement.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Cli, examples } from '../cli.ts';
import { actorOf } from '../desk/actor.ts';
import { atRegion } from '../desk/at-region.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { aligned, counted, figure } from '../output.ts';
import { bytesOfFile } from '../people/file-bytes.ts';
import { faultText } from '../people/rows-argument.ts';
import { printable } from '../printable.ts';
import { draftOption, readRegion, type RootOptions, withoutPeersOption } from '../region.ts';
import { parseSpan, type SpanBounds, timeText } from '../times.ts';

/** Keys of days are made ahead: the key of a day is destroyed with it, so that none can be made again. */
const HOLDS: SpanBounds = { from: '1d', to: '90d' };

interface AnnounceOptions extends RootOptions {
  readonly prefix: string;
  readonly for: string;
}

export function addLookup(program: Command, cli: Cli): void {
  const lookup = program
    .command('lookup')
    .summary('local codes that are mere numbers')
    .description(
      'A code that is a mere number is looked up at its region: blinded, so that the region does not learn whose it is, and under a quota, so that nobody goes through all numbers. docs/lookup.md says more.',
    );
  lookup
    .command('announce')
    .description(
      'Signs with the root how numbers of the region begin, and the keys of the days ahead. Days that were announced before keep their keys; run it again before they end. It ends no announcement earlier than it stands.',
    )
    .argument('<region>', 'directory of the region')
    .argument('<id>', 'name of the adapter: small letters, digits and hyphens, at most 28')
    .requiredOption(
      '--prefix <text>',
      `how its numbers begin: 1 to ${LOOKUP_PREFIX_CHARS_MAX} printable characters, as no other region's do`,
    )
    .option('--for <span>', `days ahead, ${HOLDS.from} to ${HOLDS.to}`, '90d')
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        ['entente lookup announce DE numbers --prefix DE-', 'numbers such as DE-4711, for 90 days'],
        ['entente lookup announce DE links --prefix https://code.example/ --for 30d', 'links'],
      ),
    )
    .action((region: string, id: string, options: AnnounceOptions) => announce(cli, region, id, options));
  lookup
    .command('import')
    .description(
      'Puts a list of numbers in force in the place of the one before: all of the file or nothing. Columns: number, colour (green, yellow, red), until (from when it counts no more; until when yellow stays at home and red isolates).',
    )
    .argument('<region>', 'directory of the region')
    .argument('<file>', 'CSV with a header, or - for stdin')
    .addHelpText('after', '\nExample of a file:\n  number,colour,until\n  DE-4711,green,2026-12-03T00:00:00Z')
    .addHelpText(
      'after',
      examples(['entente lookup import DE numbers.csv', 'in tables within a minute or so']),
    )
    .action((region: string, file: string) => importNumbers(cli, region, file));
  lookup
    .command('show')
    .description(
      'How numbers of the region begin, until when they can be looked up, and which list is in force.',
    )
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente lookup show DE', 'is all well, and until when']))
    .action((region: string) => show(cli, region));
}

async function announce(cli: Cli, path: string, id: string, options: AnnounceOptions): Promise<void> {
  const { prefix } = options;
  if (!ADAPTER_ID.test(id))
    throw usageError('expected the name of an adapter: small letters, digits and hyphens');
  if (!isNumberPrefix(prefix))
    throw usageError(
      `expected as --prefix 1 to ${LOOKUP_PREFIX_CHARS_MAX} printable characters of ASCII without spaces`,
      'ENT1:, HC1:, shc:/, eyJ and { begin codes of other kinds.',
    );
  const days = Math.ceil(parseSpan(options.for, HOLDS) / DAY_S);
  await withDesk(
    cli,
    path,
    async (desk, modules) => {
      const { config, layout, keys, state } = desk;
      const before = [...state.adapters()].find((logged) => logged.id === id);
      if (before !== undefined && isAnnouncing(before) && !isOpaque(before))
        throw new CliError(
          EXIT.failure,
          'REFUSED',
          `${config.region} announces ${printable(id)} already, for codes that are signed`,
          {
            hint: 'Choose another name.',
          },
        );
      const today = dayOf(modules.nowS());
      requireNotShorter(desk, id, { today, days });
      const seeds = daySeedsOf(layout, config, keys, modules);
      const all: DayKey[] = [];
      // Yesterday's still answers for an hour, where it was announced.
      const first = (await seeds.days()).includes(today - 1) ? today - 1 : today;
      const progress = cli.output.progress('keys made', days + 1);
      for (let day = first; day <= today + days && all.length < LOOKUP_DAYS_MAX; day++) {
        const { publicKey } = lookupKeyPair(await seeds.make(day), { ...config, day });
        all.push({ day, publicKey });
        progress.at(all.length);
      }
      const until = ((all.at(-1)?.day ?? today) + 1) * DAY_S;
      const statement = {
        kind: 'adapter' as const,
        id,
        version: (before?.version ?? 0) + 1,
        from: first * DAY_S,
        until: until + LOOKUP_OVERLAP_S,
        data: opaqueAdapterData(prefix, all),
      };
      const index = await appendByRoot(cli, desk, [statement], options);
      const { region } = config;
      cli.output.result({ home: region, adapter: id, prefix, days: all.length, until, index }, () => [
        `Numbers of ${region} begin with ${printable(prefix)} and can be looked up until ${timeText(until)}, by entry ${index} of its trust log.`,
        `Announce again before then. The secret seeds lie in ${printable(layout.seeds)}: each is destroyed when its day is over, and no backup should outlive it.`,
        'What it says of them, and who may ask:',
        `  entente lookup import ${printable(path)} <file>`,
        `  entente recognise <their region> ${printable(path)} --way adapter     and recognise them: only such regions are answered`,
      ]);
    },
    options,
  );
}

/** Days that peers and gates count on already are not dropped by a span that somebody left shorter. @throws {CliError} REFUSED */
function requireNotShorter(
  { config: { region }, layout, state }: Desk,
  id: string,
  { today, days }: { readonly today: number; readonly days: number },
): void {
  const standing = opaqueAdapters(state).find((adapter) => adapter.id === id);
  const last = Math.max(...(standing?.keys.keys() ?? []));
  if (last <= today + days) return;
  throw new CliError(
    EXIT.failure,
    'REFUSED',
    `numbers of ${region} can be looked up until ${timeText((last + 1) * DAY_S)} by what is announced, and would be until ${timeText((today + days + 1) * DAY_S)} alone`,
    {
      hint: `Nothing was changed. Say --for ${last - today}d or more; or, if it is to end, \`entente adapter withdraw ${printable(layout.path)} ${id}\` ends it at once.`,
    },
  );
}

async function importNumbers(cli: Cli, path: string, file: string): Promise<void> {
  const bytes = await bytesOfFile(cli, file);
  const action = { action: 'lookup/numbers', needs: 'issue' } as const;
  const report = await atRegion<NumbersReport>(
    cli,
    path,
    async (region, modules) => {
      const actor = await actorOf(region, modules);
      return act(region.trail, actor, action, (tally) =>
        countingNumbers(tally, region.node.lookup.numbers.import(bytes)),
      );
    },
    (client) => client.sendFile({ method: 'POST', path: '/v1/lookup/numbers' }, bytes),
  );
  if (report.outcome === 'refused') {
    const told = report.faults.map((fault) => `\n  ${faultText(fault)}`).join('');
    throw new CliError(
      EXIT.failure,
      'LIST_INVALID',
      `${printable(file)} cannot be used, nothing was changed:${told}`,
      {
        hint: 'Mend these rows and run the command again. The right form: entente lookup import --help',
        details: report.faults,
      },
    );
  }
  const { list, added, changed, removed, stricter, looser, over } = report;
  cli.output.result(report, () => [
    report.outcome === 'unchanged'
      ? `Nothing changed: version ${list.version} of the list is this file.`
      : `Version ${list.version} of the list is in force: ${counted(list.rows, 'number')}, ${figure(added)} new, ${figure(changed)} changed, ${figure(removed)} gone; ${figure(stricter)} became stricter, ${figure(looser)} looser.`,
    ...(over > 0 ? [`${counted(over, 'number')} of them counts no more by its own end.`] : []),
  ]);
}

interface LookupReport {
  readonly list?: NumberList | undefined;
  readonly tables?: readonly number[];
  /** Seconds since the table of today was so. */
  readonly ageS?: number;
  /** Questions since the start of the node, by what was answered. */
  readonly asked?: Readonly<Record<'evaluated' | 'stranger' | 'quota' | 'busy' | 'day', number>>;
}

async function show(cli: Cli, path: string): Promise<void> {
  const { state, region } = await readRegion(cli, path);
  const adapters = opaqueAdapters(state).map(({ id, prefix, keys }) => {
    const last = Math.max(...keys.keys());
    return { adapter: id, prefix, untilS: (last + 1) * DAY_S };
  });
  const { list, tables, ageS, asked } = await atRegion<LookupReport>(
    cli,
    path,
    async ({ node }) => ({ list: await node.lookup.numbers.inForce() }),
    (client) => client.ask({ method: 'GET', path: '/v1/lookup' }),
  );
  const nowS = cli.surroundings.nowS();
  cli.output.result(
    { region, adapters, ...(list && { list }), ...(tables && { tables, ageS, asked }) },
    () => [
      ...(adapters.length === 0 ? [`${region} announces no numbers.`] : []),
      ...adapters.map(({ adapter, prefix, untilS }) =>
        untilS > nowS
          ? `${adapter}: ${printable(prefix)}..., until ${timeText(untilS)}`
          : `${adapter}: ${printable(prefix)}..., OVER since ${timeText(untilS)}: announce it again`,
      ),
      ...(list === undefined
        ? ['No list of numbers is in force: entente lookup import']
        : aligned([
            ['list', `version ${list.version}, of ${timeText(list.importedAtS)}`],
            ['numbers', figure(list.rows)],
          ])),
      ...(tables === undefined
        ? []
        : [`tables that the node serves now: ${tables.map(dayText).join(', ') || 'none'}`]),
      ...(ageS === undefined ? [] : [`that of today was so ${figure(ageS)} s ago`]),
      ...(asked === undefined
        ? []
        : [
            `questions since its start: ${figure(asked.evaluated)} evaluated; refused: ${figure(asked.stranger)} of regions that are not recognised, ${figure(asked.quota)} beyond a quota, ${figure(asked.busy)} while too many were asked, ${figure(asked.day)} without a key or table of the day`,
          ]),
    ],
  );
}

function dayText(day: number): string {
  return timeText(day * DAY_S).slice(0, 10);
}
