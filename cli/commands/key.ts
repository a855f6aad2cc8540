/** `entente key list|extend|compromise`: the keys of a region over time. */
import Table from 'cli-table3';
import { type Command } from 'commander';
import {
  type CutOff,
  cutOffsWithin,
  givingUp,
  givingUpAll,
  mayStillSign,
  meetsWindow,
  upkeep,
} from '../../node/region/statements.ts';
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
  readonly key?: string;
  readonly allAttest?: true;
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
      'Signs, with the root, that a key was stolen. What it signed counts on only as far as it stands in a log below the cut-off; codes then need a proof. Puts a fresh key in its place. Who took the machine has all attest keys that lay there, those that are over too, with which codes can be dated back: give them up together by --all-attest.',
    )
    .argument('<region>', 'directory of the region')
    .option('--key <id>', 'id of the key, 16 hexadecimal digits')
    .option(
      '--all-attest',
      'instead of one: every attest key with which a code can be signed now, later, or back to a window that ended at most 31 days ago',
    )
    .option(
      '--cut-off <log=size>',
      'entries of a log that are genuine, as in 2026-11=10000, trust=12 or 2026-11=now; give it once for each log. Where trust is named for a checkpoint key, attestation logs that are not over and not named are named as they stand here',
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
          'a checkpoint key that signed another log: those that are here go on',
        ],
        [
          'entente key compromise DE --all-attest --cut-off 2026-11=now',
          'the machine was stolen: whatever attest key it had',
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
  if ((options.key === undefined) === (options.allAttest === undefined))
    throw usageError(
      'name the key with --key, or give all attest keys up with --all-attest',
      `List the keys with \`entente key list ${printable(path)}\`.`,
    );
  if (options.allAttest === true) return giveUpAttest(cli, path, options);
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
  /** Of an attest key: the others with which codes can be signed or dated back, if whoever has it has those too. */
  readonly others?: readonly string[];
}

/** Gives up every attest key with which a code that counts can still be signed. */
async function giveUpAttest(cli: Cli, path: string, options: CompromiseOptions): Promise<void> {
  const given = await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const atS = nowS();
      const keys = attestKeys(desk, atS);
      const [first] = keys;
      if (first === undefined)
        throw new CliError(EXIT.failure, 'NOT_FOUND', 'no attest key of the region is left to be given up');
      const cutOffs = await cutOffsOf(desk, first, options);
      const ids = keys.map(({ keyId }) => keyId);
      const radius = await blastRadius(desk, keys, cutOffs);
      cli.output.before({ keys: ids, role: first.role, logs: radius }, () => [
        `To be given up: ${counted(keys.length, 'attest key')}, ${ids.join(', ')}. Of what they signed:`,
        ...radiusOfEntries(first, radius),
      ]);
      const stolen = keys.map((key) => ({ key, cutOffs: cutOffsWithin(cutOffs, key, atS) }));
      const { statements, replacements } = await givingUpAll(stolen, desk.keys, atS);
      await appendByRoot(cli, desk, statements, options);
      return { cutOffs, keys: ids.map((key, i) => ({ key, replacement: replacements[i] })) };
    },
    { ...options, healing: true },
  );
  cli.output.result({ role: 'attest', ...given }, () => [
    `${counted(given.keys.length, 'attest key')} given up; ${counted(given.keys.filter(({ replacement }) => replacement !== undefined).length, 'fresh key')} in place of those that were not over.`,
    ...countingLines(
      'Nothing that they signed counts any more.',
      'What they signed counts on below:',
      given.cutOffs,
    ),
  ]);
}

function attestKeys({ state }: Desk, atS: number): TrustKey[] {
  return state.keysWithRole('attest').filter((key) => mayStillSign(key, atS));
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
      const { key: id = '' } = options;
      const key = desk.state.key(id.toLowerCase());
      if (key === undefined) {
        throw new CliError(EXIT.failure, 'NOT_FOUND', `the region has no key ${printable(id)}`, {
          hint: `List its keys with \`entente key list ${printable(path)}\`.`,
        });
      }
      const cutOffs = await cutOffsOf(desk, key, options);
      if (key.role === 'checkpoint') await completeBranches(desk, key, cutOffs, nowS());
      if (options.raise !== true && key.role !== 'checkpoint') requireNoRaise(key, cutOffs);
      const radius = await blastRadius(desk, [key], cutOffs);
      const others = attestKeys(desk, nowS()).flatMap(({ keyId }) => (keyId === key.keyId ? [] : [keyId]));
      if (!isTold)
        cli.output.before({ key: key.keyId, role: key.role, logs: radius }, () => radiusLines(key, radius));
      const { statements, replacement } = await givingUp(key, cutOffs, desk.keys, nowS());
      await appendByRoot(cli, desk, statements, options);
      return {
        key: key.keyId,
        role: key.role,
        cutOffs,
        replacement,
        ...(key.role === 'attest' && { others }),
      };
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

/** The logs in which keys of one role may have signed entries: told before their root gives them up, since that reaches every gate within seconds. */
async function blastRadius(
  desk: Desk,
  keys: readonly TrustKey[],
  cutOffs: readonly CutOff[],
): Promise<Radius[]> {
  const logs = [...desk.state.logs()].flatMap(({ log }) =>
    keys.some((key) => key.role === 'attest' && meetsWindow(log, key)) ? [log] : [],
  );
  if (keys.some(({ role }) => role === 'trust-log')) logs.push('trust');
  const radius: Radius[] = [];
  for (const log of new Set([...logs, ...cutOffs.map((cutOff) => cutOff.log)])) {
    const size = await desk.size(log);
    const genuine = cutOffs.find((cutOff) => cutOff.log === log)?.size ?? 0;
    if (size > 0) radius.push({ log, size, genuine });
  }
  return radius.sort((a, b) => (a.log < b.log ? -1 : 1));
}

function radiusLines(key: TrustKey, radius: readonly Radius[]): string[] {
  const { keyId, role, fromS, untilS } = key;
  const window = `from ${timeText(fromS)} to ${timeText(untilS)}`;
  if (role === 'checkpoint' || role === 'witness')
    return [
      `To be given up: the ${role} key ${keyId}, ${window}. Nothing that it signed counts any more.`,
      ...radius.map(
        ({ log, genuine }) =>
          `The good branch of ${log} is that of the first ${figure(genuine)} entries here.`,
      ),
    ];
  return [
    `To be given up: the ${role} key ${keyId}, ${window}. Of what it signed:`,
    ...radiusOfEntries(key, radius),
  ];
}

/** What becomes of entries that keys of one role signed. */
function radiusOfEntries({ role }: TrustKey, radius: readonly Radius[]): string[] {
  const stays = role === 'attest' ? 'stay good, each once a mirror proves it' : 'stay in force';
  const goes = role === 'attest' ? 'are refused' : 'are void';
  return [
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

function givenUpLines({ key, role, cutOffs, replacement, others = [] }: GivenUp): string[] {
  const what =
    role === 'checkpoint' ? 'The log goes on that is here, of at least:' : 'What it signed counts on below:';
  return [
    `The ${role} key ${key} is given up; ${replacement ?? 'no further key'} stands in its place.`,
    ...countingLines('Nothing that it signed counts any more.', what, cutOffs),
    ...(others.length === 0
      ? []
      : [
          `Codes can be signed, or dated back, by these attest keys too: ${others.join(', ')}. If whoever has the one has them as well, give all of them up with --all-attest.`,
        ]),
  ];
}

function countingLines(nothing: string, what: string, cutOffs: readonly CutOff[]): string[] {
  if (cutOffs.length === 0) return [nothing];
  return [
    what,
    ...aligned(
      cutOffs.map(({ log, size }) => [log, `${figure(size)} entries`]),
      '  ',
    ),
  ];
}

/** The cut-offs that are given, for a key or others of its role. */
async function cutOffsOf(desk: Desk, key: TrustKey, { cutOff = [] }: CompromiseOptions): Promise<CutOff[]> {
  const cutOffs: CutOff[] = [];
  for (const text of cutOff) cutOffs.push(await cutOffOf(desk, key, text));
  if (new Set(cutOffs.map(({ log }) => log)).size < cutOffs.length)
    throw usageError('--cut-off names a log twice');
  return cutOffs;
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
 * would have no named branch any more. Then, where anything is named, all attestation logs that are not over as they stand here: of what the key signed
 * nobody is heeded, and nothing else would tell a backup that is put back how far they were. @throws {CliError} if attestation logs are named without the
 * trust log that says so.
 */
async function completeBranches(
  desk: Desk,
  { compromise }: TrustKey,
  cutOffs: CutOff[],
  atS: number,
): Promise<void> {
  const isNaming = cutOffs.length > 0;
  for (const [log, { size, root }] of compromise?.cutOffs ?? [])
    if (!cutOffs.some((one) => one.log === log)) cutOffs.push({ log, size, root });
  if (cutOffs.length > 0 && !cutOffs.some(({ log }) => log === 'trust'))
    throw usageError(
      'a checkpoint key signs all logs of the region, the trust log too',
      'Name its good branch as well: --cut-off trust=now.',
    );
  if (!isNaming) return;
  for (const { log } of desk.state.logs()) {
    if (logMonth(log).untilS <= atS || cutOffs.some((one) => one.log === log)) continue;
    const size = await desk.size(log);
    if (size > 0) cutOffs.push({ log, size, root: await desk.rootAt(log, size) });
  }
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
