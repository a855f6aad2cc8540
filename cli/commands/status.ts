/** `entente status`: how a node is, as its operator or as anybody sees it. */
import { resolve } from 'node:path';
import { type Command } from 'commander';
import { z } from 'zod';
import { askOwnLivez } from '../../node/http/own-livez.ts';
import { isLacking } from '../../node/lists/asked-lists.ts';
import { isNodeError, NodeError } from '../../node/node-error.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { DIAL_TROUBLES, type DialTrouble } from '../../node/network/host/dial-trouble.ts';
import { accusationText } from '../accusation-text.ts';
import { type Cli, examples } from '../cli.ts';
import {
  type RegionsSeen,
  regionsSchema,
  type RunningStatus,
  type WitnessesSeen,
} from '../desk/node-status.ts';
import { type Examined } from '../doctor/examine.ts';
import { quoted } from '../doctor/finding.ts';
import { outsideText } from '../outside-text.ts';
import { theirText } from '../doctor/their-checks.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { cosignedText } from '../cosigned-text.ts';
import { leftText } from '../left-text.ts';
import { aligned, counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { type AskedListSeen } from '../rules/lacking-lists.ts';
import { table } from '../table.ts';
import { spanText, timeText } from '../times.ts';
import { wrapped } from '../wrap.ts';
import { tellHolder } from './holder.ts';
import { writerText } from '../writer-text.ts';

const healthSchema = z.object({ ready: z.boolean(), reasons: z.array(z.string()) });

const ANSWER_MS_MAX = 5_000;

export function addStatus(program: Command, cli: Cli): void {
  program
    .command('status')
    .summary('how a node is; with --explain, why a person has a colour')
    .description(
      'Asks a running node how it is: your own by its directory, any other by its address. Of your own it says whether it signs, who hears it, who is silent, and what to do. `entente doctor` looks further. With --explain it tells of one person instead, whether a node runs or not.',
    )
    .argument('<node>', 'directory of the region, or the URL of a node')
    .option(
      '--live',
      'only whether the process of your own node answers at its public interface, by HTTP or TLS as its configuration says; ends with 0 or 1, for health checks',
    )
    .option(
      '--explain <person>',
      'the colour of one person who declared to this region, and why: as `entente holder REGION --subject PERSON --explain`',
      (text) => text.trim(),
    )
    .addHelpText(
      'after',
      examples(
        ['entente status DE', 'your own node'],
        ['entente status https://node.example:8600', 'any other'],
        ['entente status --live DE', 'for the health check of a container'],
        ["entente status DE --explain 'Person 00007'", 'why this person is red, yellow or green'],
      ),
    )
    .action((node: string, options: StatusOptions) => status(cli, node, options));
}

interface StatusOptions {
  readonly live?: true;
  readonly explain?: string;
}

async function status(cli: Cli, node: string, { live: isLive, explain }: StatusOptions): Promise<void> {
  const isUrl = /^https?:\/\//.test(node);
  if (explain !== undefined) {
    if (isLive === true)
      throw usageError('--live is about a node, --explain about a person: give one of them');
    return explainPerson(cli, node, explain, isUrl);
  }
  if (isLive === true && isUrl)
    throw usageError('--live is for a node of your own', 'Name its directory, or ask /livez of that URL.');
  if (isLive === true) await live(cli, node);
  else if (isUrl) await statusByUrl(cli, node);
  else await statusByDirectory(cli, node);
}

/** Who somebody is, and why they have their colour, is known to their region alone. */
async function explainPerson(cli: Cli, region: string, person: string, isUrl: boolean): Promise<void> {
  if (isUrl)
    throw usageError(
      '--explain is for a region of your own',
      'Name its directory: whose colours they are, no node tells others.',
    );
  if (/^ENT[0-9]:/i.test(person))
    throw usageError(
      '--explain names a person, and this is a code',
      `What a code says, and why it passes or not: entente verify --region ${quoted(region)} --explain CODE`,
    );
  await tellHolder(cli, region, { subject: person, explain: true });
}

/** A node that lost its peers is not helped by a restart: this says nothing of what it knows. */
async function live(cli: Cli, path: string): Promise<void> {
  const { environment = {} } = cli.surroundings;
  const config = await readRegionConfig(new RegionLayout(resolve(path)), { environment });
  try {
    const url = await askOwnLivez(config);
    cli.output.result({ region: config.region, live: true, url }, () => [`It answers at ${url}`]);
  } catch (error) {
    if (!isNodeError(error, 'PEER_UNREACHABLE')) throw error;
    throw new CliError(EXIT.failure, error.code, printable(error.message), {
      hint: `Look at its log, and at \`entente doctor ${quoted(path)}\`.`,
    });
  }
}

async function statusByUrl(cli: Cli, url: string): Promise<void> {
  const health = healthSchema.parse(await ask(url, '/readyz'));
  const regions = regionsSchema.parse(await ask(url, '/v1/regions'));
  cli.output.result({ ...regions, health }, () => [
    headline(regions, health.ready ? 'ready' : `not ready: ${health.reasons.join('; ')}`),
    ...regionLines(regions, cli.surroundings.nowS()),
  ]);
  if (!health.ready) cli.exit = EXIT.undetermined;
}

async function statusByDirectory(cli: Cli, path: string): Promise<void> {
  // What asks over HTTP is loaded only where it is used.
  const [{ runningPatient }, { examineRunning }] = await Promise.all([
    import('../doctor/collect.ts'),
    import('../doctor/examine.ts'),
  ]);
  const patient = await runningPatient(cli, path);
  const own = patient.running;
  const todo = (await examineRunning(patient)).filter(({ level }) => level === 'must' || level === 'warn');
  cli.output.result({ ...own, todo }, () => [
    headline(own, signingText(own)),
    ...regionLines(
      own,
      patient.nowS,
      new Map(own.regions.map(({ region }) => [region, mutualCells(region, own, patient.nowS)])),
    ),
    '',
    ...ownLines(own),
    '',
    ...todoLines(todo, path),
  ]);
  const isWhole = Object.keys(own.behind ?? {}).length === 0;
  if (own.writing !== 'writing' || !isWhole) cli.exit = EXIT.undetermined;
}

function headline({ home, network, regions }: RegionsSeen, how: string): string {
  const name = regions.find(({ region }) => region === home)?.name;
  return `${home}${name === undefined || name === home ? '' : ` (${printable(name)})`} in network ${network}: ${printable(how)}`;
}

function signingText({ writing, behind = {}, health }: RunningStatus): string {
  const signs =
    writing === 'writing'
      ? ['it signs', ...Object.keys(behind)].join(', but not ')
      : `does not sign: ${writing}`;
  return health.ready ? `${signs}, and gives verdicts` : `${signs}, and verdicts are undetermined`;
}

/** What only the operator is told of a region: who is connected, who vouches for whom, and how the other recognises this one. */
function mutualCells(
  region: string,
  { home, peers, missing, vouching }: RunningStatus,
  nowS: number,
): string[] {
  if (region === home) return ['', '', '', ''];
  const mutual = vouching.find((one) => one.region === region);
  const peer = peers.find((one) => one.region === region);
  const absent = Object.values(missing).find((one) => one.region === region);
  const why = absent?.trouble === undefined ? '' : `: ${DIAL_TROUBLES[absent.trouble as DialTrouble]}`;
  const rtt = peer?.rttMs === undefined ? 'yes' : `${peer.rttMs.toFixed(1)} ms`;
  return [
    agoText(mutual?.vouchesForUsAtS, nowS),
    agoText(mutual?.vouchedByUsAtS, nowS),
    mutual === undefined ? '-' : printable(theirText(mutual.recognisesUs, nowS)),
    peer ? rtt : `no${why}`,
  ];
}

const OPERATOR_HEAD = ['hears us', 'we hear it', 'takes us', 'connected'];

function regionLines(
  { regions }: RegionsSeen,
  nowS: number,
  more?: ReadonlyMap<string, readonly string[]>,
): string[] {
  const rows = regions.map(({ region, standing, fromS = 0, untilS = Infinity, knowledge }) => [
    printable(region),
    standing === 'recognised' ? recognisedText({ fromS, untilS }, nowS) : printable(standing),
    knowledge?.ageS === undefined ? 'by too few' : `${spanText(Math.round(knowledge.ageS))} ago`,
    knowledge === undefined ? '-' : witnessText(knowledge.witnesses),
    knowledge?.silenceS === undefined ? '-' : `${spanText(Math.round(knowledge.silenceS))} ago`,
    knowledge === undefined ? '-' : figure(knowledge.size),
    ...(more?.get(region) ?? []),
  ]);
  const head = ['region', 'standing', 'vouched for', 'by', 'last signed', 'entries'];
  return table(more === undefined ? head : [...head, ...OPERATOR_HEAD], rows);
}

/** How a recognition stands that nobody has suspended. */
export function recognisedText(
  { fromS, untilS }: { readonly fromS: number; readonly untilS: number },
  nowS: number,
): string {
  if (fromS > nowS) return `from ${timeText(fromS)}`;
  return untilS <= nowS ? 'over' : 'recognised';
}

function witnessText({ counted, needed, of, by }: WitnessesSeen): string {
  return `${counted} of ${of}, ${needed} needed${by === undefined ? '' : ' by the policy'}`;
}

/** What only the operator of a node is told of it. */
export function ownLines({
  reason,
  writer,
  workers,
  toForget = 0,
  store,
  clock,
  sizes,
  behind = {},
  verdicts,
  life,
  bulk,
  accusations,
  unlogged,
  left,
  cosigning,
  outside = [],
  addresses,
  process,
}: RunningStatus): string[] {
  const given = Object.entries(verdicts).map(
    ([what, count]) => `${figure(count)} ${COUNTED[what] ?? printable(what)}`,
  );
  const off = clock.aheadS === undefined ? '' : `, ${spanText(Math.abs(clock.aheadS))} off`;
  const mib = figure(Math.round(process.residentBytes / 2 ** 20));
  return aligned([
    ['process', `${process.pid}, for ${spanText(process.uptimeS)}, ${mib} MiB`],
    ['verdicts', `at ${printable(addresses.http)}: ${given.join(', ')}`],
    ...addresses.p2p.map((address) => ['peers', `at ${printable(address)}`] as const),
    ['clock', `${CLOCK_TEXTS[clock.standing]}${off}`],
    ['store', printable(store)],
    ...(writer === undefined ? [] : [['writer', writerText(writer)] as const]),
    ...(workers === undefined ? [] : [['workers', figure(workers)] as const]),
    ...(toForget === 0 ? [] : [['to forget', `${counted(toForget, 'code')}, on the other machine`] as const]),
    ...lifeLines(life),
    ...accusationLines(accusations),
    ...unloggedLines(unlogged),
    ...(left ?? []).map((one) => ['LEFT', leftText(one)] as const),
    ...alarmLines(bulk),
    ...(reason === undefined ? [] : [['why not', printable(reason)] as const]),
    ...Object.entries(sizes).map(([origin, size]) => {
      const cosigned = cosigning?.logs.find((one) => one.origin === origin);
      const vouched = cosigned === undefined ? '' : cosignedText(cosigned);
      return ['log', `${printable(origin)}: ${figure(size)}${vouched}`] as const;
    }),
    ...outside.map((one) => ['outside', outsideText(one)] as const),
    ...Object.entries(behind).map(
      ([origin, signed]) =>
        ['BEHIND', `${printable(origin)}: ${figure(signed)} entries were signed`] as const,
    ),
  ]);
}

/** Nothing where nobody has declared or objected. */
function lifeLines(life: RunningStatus['life']): [string, string][] {
  const { objections = { open: 0, upheld: 0, overdue: 0 }, lastUpdate, updates } = life ?? {};
  const { open, upheld, overdue } = objections;
  const late = overdue === 0 ? '' : `, ${figure(overdue)} OVERDUE (entente object list)`;
  const figures = Object.entries(lastUpdate?.figures ?? {}).filter(([, count]) => count > 0);
  const counts = figures.map(([name, count]) => `${figure(count)} ${printable(name)}`).join(', ');
  const { lastAtS = 0, trouble, damaged = [], unreadRows = [], lists = [], hasDeclared } = updates ?? {};
  const last = lastAtS === 0 ? 'never' : timeText(lastAtS);
  const failing = trouble === undefined ? '' : `; NOT UPDATED since: ${printable(trouble.message)}`;
  return [
    ...(counts === '' ? [] : [['colours', counts] as [string, string]]),
    ...(lastAtS === 0 && trouble === undefined ? [] : [['updated', `${last}${failing}`] as [string, string]]),
    ...(hasDeclared === true ? lists.filter(isLacking).map(listLine) : []),
    ...(damaged.length === 0 ? [] : [['DAMAGED', damagedText(damaged)] as [string, string]]),
    ...(unreadRows.length === 0 ? [] : [['DAMAGED', unreadRowsText(unreadRows)] as [string, string]]),
    ...(open + upheld === 0
      ? []
      : [['objections', `${figure(open)} open, ${figure(upheld)} upheld${late}`] as [string, string]]),
  ];
}

/** A list that the rules ask for. */
function listLine({ list, asOfS }: AskedListSeen): [string, string] {
  const what = asOfS === undefined ? 'is missing' : `is old, of ${timeText(asOfS)}`;
  return ['LISTS', `that of ${printable(list)}, which the rules ask for, ${what}`];
}

/** What is kept of people who declared. */
function damagedText(names: readonly string[]): string {
  return `what is kept of ${counted(names.length, 'person')} who declared, so that their codes stay as they are: ${someOf(names)}`;
}

/** Rows of lists in force. */
function unreadRowsText(names: readonly string[]): string {
  return `${counted(names.length, 'row')} of lists in force, so that whoever they may be about is in doubt; import these lists again: ${someOf(names)}`;
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, ALARMS_SHOWN).map(printable).join(', ');
  return `${shown}${names.length > ALARMS_SHOWN ? ', ...' : ''}`;
}

const ALARM_TEXTS: Readonly<Record<string, string>> = {
  stricter: 'yellow and red codes were issued',
  revoked: 'codes were revoked',
  override: 'people got a colour that no rule gave',
  told: 'yellow and red codes rest on what one operator told alone',
  numbersStricter: 'numbers were turned stricter by a list',
  numbersLooser: 'numbers were turned looser by a list',
};

/** What is proven against regions besides forks, which the doctor tells. */
function accusationLines(accusations: RunningStatus['accusations'] = []): [string, string][] {
  const lines = accusations.slice(0, ALARMS_SHOWN).map((one): [string, string] => {
    const since = one.isDisowned ? '; its root has given up a key that signed it since' : '';
    return ['PROVEN', `${one.region} ${accusationText(one)}${since}`];
  });
  const more = accusations.length - lines.length;
  return more > 0 ? [...lines, ['PROVEN', `${figure(more)} more`]] : lines;
}

/** Codes that a key signed and its log does not have. */
function unloggedLines(unlogged: RunningStatus['unlogged'] = {}): [string, string][] {
  return Object.entries(unlogged).map(([region, count]) => [
    'ALARM',
    `${counted(count, 'code')} of ${printable(region)} shown here, signed by its key and not in its log`,
  ]);
}

/** The newest alarms that many colours changed at once. */
function alarmLines(bulk: RunningStatus['bulk']): [string, string][] {
  return (bulk?.alarms ?? []).slice(0, ALARMS_SHOWN).map(({ kind, span, atS, count, limit }) => {
    const what = ALARM_TEXTS[kind] ?? printable(kind);
    const within = span === 'day' ? 'a day' : 'an hour';
    return ['ALARM', `${figure(count)} ${what} within ${within}, above ${figure(limit)}, ${timeText(atS)}`];
  });
}

const ALARMS_SHOWN = 5;

/** Counters that are no outcomes, in words. */
const COUNTED: Readonly<Record<string, string>> = {
  proofsFetched: 'proofs fetched',
  proofsRefused: 'proofs refused',
};

const CLOCK_TEXTS: Readonly<Record<RunningStatus['clock']['standing'], string>> = {
  agrees: 'agrees with those of most regions',
  alone: 'too few regions can be asked what time it is',
  doubtful: 'differs from those of others',
  astray: 'ASTRAY by those of most regions',
};

function todoLines(todo: readonly Examined[], path: string): string[] {
  if (todo.length === 0) return ['Nothing has to be done.'];
  return [
    'What to do:',
    ...todo.flatMap(({ level, text, fix }) => [
      wrapped(`  ${level === 'must' ? 'MUST ' : ''}${text}`, '    '),
      ...(fix === undefined ? [] : [`    $ ${fix}`]),
    ]),
    `More of it: entente doctor ${quoted(path)}`,
  ];
}

function agoText(atS: number | undefined, nowS: number): string {
  return atS === undefined ? 'never' : `${spanText(Math.max(0, nowS - atS))} ago`;
}

async function ask(url: string, path: string): Promise<unknown> {
  try {
    const response = await fetch(new URL(path, url), {
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return await response.json();
  } catch (cause) {
    throw new NodeError('PEER_UNREACHABLE', `no node answers at ${printable(url)}`, { cause, retry: true });
  }
}
