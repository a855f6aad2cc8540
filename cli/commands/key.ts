/** `entente key list|extend|compromise`: the keys of a region over time. */
import Table from 'cli-table3';
import { type Command } from 'commander';
import { type CutOff, givingUp, upkeep } from '../../node/region/statements.ts';
import { logMonth } from '../../protocol/trust/log-month.ts';
import { type KeyRole, type TrustKey } from '../../protocol/trust/trust-state.ts';
import { type Cli, examples } from '../cli.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { aligned, counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { draftOption, readRegion, type RootOptions, withoutPeersOption } from '../region.ts';
import { timeText } from '../times.ts';

interface CompromiseOptions extends RootOptions {
  readonly key: string;
  readonly cutOff?: readonly string[];
  readonly raise?: true;
}

export function addKey(program: Command, cli: Cli): void {
  const key = program
    .command('key')
    .summary('list, extend or give up keys')
    .description('The keys of a region over time.');
  key
    .command('list')
    .description('Lists the keys that the trust log admits.')
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente key list DE', 'with their windows']))
    .action((region: string) => list(cli, region));
  key
    .command('extend')
    .description('Makes and signs, with the root, the keys and logs that are missing for the next 90 days.')
    .argument('<region>', 'directory of the region')
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText('after', examples(['entente key extend DE', 'once a month, with enough root keys at hand']))
    .action((region: string, options: RootOptions) => extend(cli, region, options));
  key
    .command('compromise')
    .description(
      'Signs, with the root, that a key was stolen. What it signed counts on only as far as it stands in a log below the cut-off; codes then need a proof. Puts a fresh key in its place.',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption('--key <id>', 'id of the key, 16 hexadecimal digits')
    .option(
      '--cut-off <log=size>',
      'entries of a log that are genuine, as in 2026-11=10000, trust=12 or 2026-11=now; give it once for each log',
      collect,
    )
    .option('--raise', 'let more count than an earlier compromise of this key did')
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        [
          'entente key compromise DE --key 0011223344556677 --cut-off 2026-11=now',
          'all that stands in the log by now is genuine',
        ],
        ['entente key compromise DE --key 0011223344556677', 'nothing that this key ever signed is'],
        [
          'entente key compromise DE --key 8899aabbccddeeff --cut-off trust=now',
          'a checkpoint key that signed another log: this one goes on',
        ],
      ),
    )
    .action((region: string, options: CompromiseOptions) => compromise(cli, region, options));
}

async function list(cli: Cli, path: string): Promise<void> {
  const { state } = await readRegion(cli, path);
  const nowS = cli.surroundings.nowS();
  const roles = ['attest', 'checkpoint', 'trust-log', 'witness'] as const;
  const keys = roles.flatMap((role) => state.keysWithRole(role).toSorted((a, b) => a.fromS - b.fromS));
  const rows = keys.map((key) => ({ ...key, now: standingOf(key, nowS) }));
  cli.output.result({ root: state.root, keys: rows }, () => {
    const table = new Table({
      head: ['role', 'key', 'from', 'until', 'now'],
      style: { head: [], border: [] },
    });
    for (const { role, keyId, fromS, untilS, now } of rows)
      table.push([role, keyId, timeText(fromS), timeText(untilS), now]);
    const { threshold, keys: roots } = state.root ?? { threshold: 0, keys: [] };
    return [`Root: ${threshold} of ${roots.map(({ keyId }) => keyId).join(', ')}`, table.toString()];
  });
}

async function extend(cli: Cli, path: string, options: RootOptions): Promise<void> {
  const made = await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const { statements, keys, logs } = await upkeep(desk.state, desk.keys, nowS());
      if (statements.length > 0) await appendByRoot(cli, desk, statements, options);
      return { keys, logs };
    },
    options,
  );
  cli.output.result(made, () => [
    made.keys + made.logs === 0
      ? 'Nothing is missing for the next 90 days.'
      : `Admitted ${counted(made.keys, 'key')} and announced ${counted(made.logs, 'log')}.`,
  ]);
}

async function compromise(cli: Cli, path: string, options: CompromiseOptions): Promise<void> {
  const given = await giveUp(cli, path, options);
  // Past the first statement: a thief whose log parts from this one right before it is named by no cut-off that stands in it.
  const further = given.role === 'checkpoint' && options.cutOff?.includes('trust=now') === true;
  const { cutOffs } = further ? await giveUp(cli, path, options, { isTold: true }) : given;
  // By now what the key signed stands published under the signature of another.
  cli.output.result({ ...given, cutOffs }, () => givenUpLines({ ...given, cutOffs }));
}

interface GivenUp {
  readonly key: string;
  readonly role: KeyRole;
  readonly cutOffs: readonly CutOff[];
  readonly replacement: string | undefined;
}

function giveUp(
  cli: Cli,
  path: string,
  options: CompromiseOptions,
  { isTold = false } = {},
): Promise<GivenUp> {
  return withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const key = desk.state.key(options.key.toLowerCase());
      if (key === undefined) {
        throw new CliError(EXIT.failure, 'NOT_FOUND', `the region has no key ${printable(options.key)}`, {
          hint: `List its keys with \`entente key list ${printable(path)}\`.`,
        });
      }
      const cutOffs: CutOff[] = [];
      for (const text of options.cutOff ?? []) cutOffs.push(await cutOffOf(desk, key, text));
      if (new Set(cutOffs.map(({ log }) => log)).size < cutOffs.length)
        throw usageError('--cut-off names a log twice');
      if (key.role === 'checkpoint') completeBranches(key, cutOffs);
      if (options.raise !== true && key.role !== 'checkpoint') requireNoRaise(key, cutOffs);
      const radius = await blastRadius(desk, key, cutOffs);
      if (!isTold)
        cli.output.before({ key: key.keyId, role: key.role, logs: radius }, () => radiusLines(key, radius));
      const { statements, replacement } = await givingUp(key, cutOffs, desk.keys, nowS());
      await appendByRoot(cli, desk, statements, options);
      return { key: key.keyId, role: key.role, cutOffs, replacement };
    },
    { ...options, healing: true },
  );
}

/** What becomes of the entries of a log that the key may have signed. */
interface Radius {
  readonly log: string;
  /** Entries by now, of this key and of others. */
  readonly size: number;
  /** Of these, those below the cut-off: what the key signed there counts on. */
  readonly genuine: number;
}

/** The logs in which the key may have signed entries: told before its root gives it up, since that reaches every gate within seconds. */
async function blastRadius(desk: Desk, key: TrustKey, cutOffs: readonly CutOff[]): Promise<Radius[]> {
  const { role, fromS, untilS } = key;
  const isWithin = (log: string) => logMonth(log).fromS < untilS && fromS < logMonth(log).untilS;
  const attestation = [...desk.state.logs()].map(({ log }) => log).filter(isWithin);
  const logs = role === 'attest' ? attestation : role === 'trust-log' ? ['trust'] : [];
  const radius: Radius[] = [];
  for (const log of new Set([...logs, ...cutOffs.map((cutOff) => cutOff.log)])) {
    const size = await desk.size(log);
    const genuine = cutOffs.find((cutOff) => cutOff.log === log)?.size ?? 0;
    if (size > 0) radius.push({ log, size, genuine });
  }
  return radius.sort((a, b) => (a.log < b.log ? -1 : 1));
}

function radiusLines({ keyId, role, fromS, untilS }: TrustKey, radius: readonly Radius[]): string[] {
  const window = `from ${timeText(fromS)} to ${timeText(untilS)}`;
  if (role === 'checkpoint' || role === 'witness')
    return [
      `To be given up: the ${role} key ${keyId}, ${window}. Nothing that it signed counts any more.`,
      ...radius.map(
        ({ log, genuine }) =>
          `The good branch of ${log} is that of the first ${figure(genuine)} entries here.`,
      ),
    ];
  const stays = role === 'attest' ? 'stay good, each once a mirror proves it' : 'stay in force';
  const goes = role === 'attest' ? 'are refused' : 'are void';
  return [
    `To be given up: the ${role} key ${keyId}, ${window}. Of what it signed:`,
    ...aligned(
      radius.map(({ log, size, genuine }) => [
        log,
        `the first ${figure(genuine)} of ${figure(size)} entries ${stays}, the other ${figure(size - genuine)} ${goes}`,
      ]),
      '  ',
    ),
    'What other keys signed stays as it is.',
  ];
}

function givenUpLines({ key, role, cutOffs, replacement }: GivenUp): string[] {
  return [
    `The ${role} key ${key} is given up; ${replacement ?? 'no further key'} stands in its place.`,
    ...(cutOffs.length === 0
      ? ['Nothing that it signed counts any more.']
      : [
          role === 'checkpoint'
            ? 'The log goes on that is here, of at least:'
            : 'What it signed counts on below:',
        ]),
    ...aligned(
      cutOffs.map(({ log, size }) => [log, `${figure(size)} entries`]),
      '  ',
    ),
  ];
}

/** The cut-off that `log=size` names, with the root that the log has at that size. */
async function cutOffOf(desk: Desk, { role }: TrustKey, text: string): Promise<CutOff> {
  const [, log, sizeText] = /^(trust|2\d{3}-\d{2}(?:\.[1-9])?)=(now|\d{1,15})$/.exec(text) ?? [];
  if (log === undefined || sizeText === undefined) {
    throw usageError(`expected a cut-off such as 2026-11=10000 or trust=now, not ${printable(text)}`);
  }
  const signs = { attest: 'an attestation log', 'trust-log': 'trust' };
  if (role === 'witness')
    throw usageError(`a ${role} key signs no entries: it is given up without --cut-off`);
  if (role !== 'checkpoint' && (role === 'trust-log') !== (log === 'trust'))
    throw usageError(
      `a key with the role ${role} signs no entries of ${log}`,
      `Name ${signs[role]} instead.`,
    );
  const present = await desk.size(log);
  const size = sizeText === 'now' ? present : Number(sizeText);
  if (present === 0 || size > present)
    throw usageError(`${log} has ${figure(present)} entries, not ${sizeText}`);
  return { log, size, root: await desk.rootAt(log, size) };
}

/**
 * Adds what was said of the key before and is not said anew: a later compromise takes the place of an earlier one, and a log that it left out
 * would have no named branch any more. @throws {CliError} if attestation logs are named without the trust log that says so.
 */
function completeBranches({ compromise }: TrustKey, cutOffs: CutOff[]): void {
  for (const [log, { size, root }] of compromise?.cutOffs ?? [])
    if (!cutOffs.some((one) => one.log === log)) cutOffs.push({ log, size, root });
  if (cutOffs.length > 0 && !cutOffs.some(({ log }) => log === 'trust'))
    throw usageError(
      'a checkpoint key signs all logs of the region, the trust log too',
      'Name its good branch as well: --cut-off trust=now.',
    );
}

/** What a thief signed between two cut-offs would count again. @throws {CliError} if an earlier compromise let less count. */
function requireNoRaise({ keyId, compromise }: TrustKey, cutOffs: readonly CutOff[]): void {
  if (compromise === undefined) return;
  for (const { log, size } of cutOffs) {
    const before = compromise.cutOffs.get(log)?.size ?? 0;
    if (size <= before) continue;
    throw usageError(
      `${keyId} was given up before, and in ${log} it counts only below ${figure(before)}; this would let it count below ${figure(size)}`,
      'What a thief signed in between would count again. Add --raise if you know that all of it is genuine.',
    );
  }
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function standingOf({ fromS, untilS, compromise }: TrustKey, nowS: number): string {
  if (compromise !== undefined) return 'compromised';
  if (nowS < fromS) return 'to come';
  return nowS < untilS ? 'in force' : 'over';
}
