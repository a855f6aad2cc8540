/** `entente key compromise`: keys that were stolen are given up by the root. */
import { type Command } from 'commander';
import { logInUse } from '../../node/issuing/month-logs.ts';
import {
  type CutOff,
  cutOffsWithin,
  givingUpAll,
  mayStillSign,
  withTrustLogKey,
} from '../../node/region/statements.ts';
import { type KeyRole, type TrustKey } from '../../protocol/trust/trust-state.ts';
import { type Cli, examples } from '../cli.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { blastRadius, radiusLines } from '../ceremony/blast-radius.ts';
import { branchesOf, cutOffsOf, requireNoRaise } from '../ceremony/cut-offs.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { aligned, counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { draftOption, type RootOptions, withoutPeersOption } from '../region.ts';

interface CompromiseOptions extends RootOptions {
  readonly key?: readonly string[];
  readonly allAttest?: true;
  readonly allCheckpoint?: true;
  readonly cutOff?: readonly string[];
  readonly raise?: true;
}

export function addCompromise(key: Command, cli: Cli): void {
  key
    .command('compromise')
    .description(
      'Signs, with the root, that keys were stolen. What they signed counts on only as far as it stands in a log below the cut-off; codes then need a proof. Puts fresh keys in their places. Who took the machine has all keys that lay there: attest keys that are over too, with which codes can be dated back, and those to come. Give them up together, by --all-attest and --all-checkpoint: of checkpoint keys, what those that are left out have signed may keep the order from being logged.',
    )
    .argument('<region>', 'directory of the region')
    .option(
      '--key <id>',
      'id of a key, 16 hexadecimal digits; give it once for each, of one role, and all are given up by one order',
      collect,
    )
    .option(
      '--all-attest',
      'instead: every attest key with which a code can be signed now, later, or back to a window that was to end at most 31 days ago, and those that are retired as they were announced',
    )
    .option(
      '--all-checkpoint',
      'instead: every checkpoint key that the trust log names and that is not given up, those to come, retired and over among them',
    )
    .option(
      '--cut-off <log=size>',
      'entries of a log that are genuine, as in 2026-11=10000, trust=12 or 2026-11=now; give it once for each log. Where trust is named for checkpoint keys, attestation logs that are not over and not named are named as they stand here',
      collect,
    )
    .option('--raise', 'let more count than an earlier compromise of the keys did')
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
          'entente key compromise DE --all-checkpoint --cut-off trust=now',
          'the machine was stolen: whatever checkpoint key it had',
        ],
        [
          'entente key compromise DE --all-attest --cut-off 2026-11=now',
          'the machine was stolen: whatever attest key it had',
        ],
      ),
    )
    .action((region: string, options: CompromiseOptions) => compromise(cli, region, options));
}

/** Which keys are given up, of those that the trust log names by then. */
type Choose = (desk: Desk, atS: number) => readonly TrustKey[];

async function compromise(cli: Cli, path: string, options: CompromiseOptions): Promise<void> {
  const choose = choiceOf(path, options);
  const given = await giveUp(cli, path, options, choose);
  const isNow = options.cutOff?.includes('trust=now') === true;
  // Past the first statement: a thief whose log parts from this one right before it is named by no cut-off that stands in it. Where less was named than the operator
  // said, the rest follows.
  const further = given.role === 'checkpoint' && (isNow || given.falseStart !== undefined);
  const same: Choose = (desk) =>
    named(
      desk,
      path,
      given.keys.map(({ key }) => key),
    );
  const last = further ? await giveUp(cli, path, options, same, { isTold: true }) : given;
  const { cutOffs, inUse } = last;
  // By now what the keys signed stands published under the signature of another.
  const whole = {
    ...given,
    cutOffs,
    ...(inUse.after !== given.inUse.before && { issuingInto: inUse.after }),
  };
  cli.output.result(reportOf(whole, options), () => givenUpLines(whole));
}

/** @throws {CliError} USAGE unless one way is given to say which, and no key twice. */
function choiceOf(path: string, { key = [], allAttest, allCheckpoint }: CompromiseOptions): Choose {
  const ids = key.map((id) => id.toLowerCase());
  const ways = [ids.length > 0, allAttest === true, allCheckpoint === true].filter(Boolean).length;
  if (ways !== 1)
    throw usageError(
      'name the keys with --key, or give all of a role up with --all-attest or --all-checkpoint',
      `List the keys with \`entente key list ${printable(path)}\`.`,
    );
  const twice = ids.find((id, i) => ids.indexOf(id) < i);
  if (twice !== undefined) throw usageError(`--key names ${printable(twice)} twice`);
  if (allAttest === true) return (desk, atS) => someOf('attest', attestKeys(desk, atS));
  if (allCheckpoint === true) return (desk) => someOf('checkpoint', checkpointKeys(desk));
  return (desk) => named(desk, path, ids);
}

/** @throws {CliError} NOT_FOUND for a key that the region has not; USAGE for keys of several roles. */
function named(desk: Desk, path: string, ids: readonly string[]): readonly TrustKey[] {
  const keys = ids.map((id) => {
    const key = desk.state.key(id);
    if (key !== undefined) return key;
    throw new CliError(EXIT.failure, 'NOT_FOUND', `the region has no key ${printable(id)}`, {
      hint: `Nothing was given up. List its keys with \`entente key list ${printable(path)}\`.`,
    });
  });
  const roles = new Set(keys.map(({ role }) => role));
  if (roles.size === 1) return keys;
  throw usageError(
    `the keys are of several roles: ${keys.map(({ keyId, role }) => `${keyId} ${role}`).join(', ')}`,
    'What of a log is genuine is said for keys of one role: give those of each up by an order of its own.',
  );
}

function someOf(role: KeyRole, keys: readonly TrustKey[]): readonly TrustKey[] {
  if (keys.length > 0) return keys;
  throw new CliError(EXIT.failure, 'NOT_FOUND', `no ${role} key of the region is left to be given up`);
}

function attestKeys({ state }: Desk, atS: number): readonly TrustKey[] {
  return state.keysWithRole('attest').filter((key) => mayStillSign(key, atS));
}

/** Those by which others take a checkpoint: their windows do not matter. */
function checkpointKeys({ state }: Desk): readonly TrustKey[] {
  return state.keysWithRole('checkpoint').filter(({ compromise }) => compromise === undefined);
}

interface GivenUp {
  /** Of the trust log, where less was named than the operator said, since no witness would vouch for it: see `vouchableSize`. */
  readonly falseStart?: number;
  readonly role: KeyRole;
  readonly keys: readonly { readonly key: string; readonly replacement: string | undefined }[];
  readonly cutOffs: readonly CutOff[];
  /** The log into which codes go, as far as it is known here before and after. */
  readonly inUse: { readonly before: string; readonly after: string };
  /** Where it is another one from now on, since more of the one before was signed than is here, or may have been. */
  readonly issuingInto?: string;
  /** Others of the role with which something can be signed that counts, if whoever has these has those too. */
  readonly others: readonly string[];
}

function giveUp(
  cli: Cli,
  path: string,
  options: CompromiseOptions,
  choose: Choose,
  { isTold = false } = {},
): Promise<GivenUp> {
  return withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const atS = nowS();
      const keys = choose(desk, atS);
      const { role } = keys[0] as TrustKey;
      const genuine = await cutOffsOf(desk, role, options.cutOff ?? []);
      const stolen: { key: TrustKey; cutOffs: readonly CutOff[] }[] = [];
      for (const key of keys) stolen.push({ key, cutOffs: await cutOffsFor(desk, key, genuine, atS) });
      if (options.raise !== true && role !== 'checkpoint')
        for (const one of stolen) requireNoRaise(one.key, one.cutOffs);
      const cutOffs = distinct([...genuine, ...stolen.flatMap((one) => one.cutOffs)]);
      const radius = await blastRadius(desk, keys, cutOffs);
      const ids = keys.map(({ keyId }) => keyId);
      const which = options.key?.length === 1 ? { key: ids[0] } : { keys: ids };
      const seen = await desk.unsigned();
      const falseStart = passedOver(desk, role, genuine, options);
      const statement = falseStart !== undefined && { falseStart };
      const before = logInUse(desk.state, atS);
      const told = {
        ...which,
        role,
        logs: radius,
        ...(seen !== undefined && { seen }),
        ...statement,
      };
      if (!isTold)
        cli.output.before(told, () => [
          ...radiusLines(keys, radius),
          ...(seen === undefined ? [] : [`Nothing is signed now: ${printable(seen)}.`]),
          ...(falseStart === undefined ? [] : [falseStartLine(falseStart)]),
        ]);
      const others = othersOf(desk, keys, atS);
      const { statements, replacements } = await givingUpAll(stolen, desk.keys, atS);
      const all =
        role === 'checkpoint' ? await withTrustLogKey(statements, desk.state, desk.keys, atS) : statements;
      await appendByRoot(cli, desk, all, options);
      const given = keys.map(({ keyId }, i) => ({ key: keyId, replacement: replacements[i] }));
      const inUse = { before, after: logInUse(desk.state, atS) };
      return { role, keys: given, cutOffs, others, inUse, ...statement };
    },
    { ...options, healing: true },
  );
}

/** The `state` statement before which the cut-off ends, where that is less than was said. */
function passedOver(
  { falseStart }: Desk,
  role: KeyRole,
  genuine: readonly CutOff[],
  { cutOff = [] }: CompromiseOptions,
): number | undefined {
  const trust = role === 'checkpoint' ? genuine.find(({ log }) => log === 'trust') : undefined;
  if (trust === undefined || trust.size + 1 !== falseStart) return undefined;
  return cutOff.includes(`trust=${trust.size}`) ? undefined : falseStart;
}

function falseStartLine(falseStart: number): string {
  return `The \`state\` statement at index ${figure(falseStart)} of trust is not what the log says, and no witness vouches behind it (STATE_MISMATCH). So what lies before it is named first, and then what you said.`;
}

function issuingLine(log: string): string {
  return `Codes go into the log ${log} from now on: more of the one before was signed than is here, or may have been, and no place in a log is given out twice.`;
}

/** Of what is genuine, what the key can have signed. */
function cutOffsFor(
  desk: Desk,
  key: TrustKey,
  genuine: readonly CutOff[],
  atS: number,
): Promise<readonly CutOff[]> {
  if (key.role === 'checkpoint') return branchesOf(desk, key, genuine, atS);
  return Promise.resolve(key.role === 'attest' ? cutOffsWithin(genuine, key, atS) : genuine);
}

function distinct(cutOffs: readonly CutOff[]): CutOff[] {
  return cutOffs.filter(
    ({ log, size }, i) => cutOffs.findIndex((one) => one.log === log && one.size === size) === i,
  );
}

function othersOf(desk: Desk, keys: readonly TrustKey[], atS: number): string[] {
  const role = keys[0]?.role;
  const all = role === 'attest' ? attestKeys(desk, atS) : role === 'checkpoint' ? checkpointKeys(desk) : [];
  return all.flatMap(({ keyId }) => (keys.some((key) => key.keyId === keyId) ? [] : [keyId]));
}

/** One key by itself has no list. */
function reportOf({ role, keys, cutOffs, issuingInto, others }: GivenUp, { key }: CompromiseOptions): object {
  const [one] = keys;
  const into = issuingInto !== undefined && { issuingInto };
  if (key?.length === 1) return { ...one, role, cutOffs, ...into, others };
  return { role, cutOffs, ...into, keys, ...(key !== undefined && { others }) };
}

function givenUpLines({ role, keys, cutOffs, issuingInto, others }: GivenUp): string[] {
  const [one] = keys;
  const fresh = keys.filter(({ replacement }) => replacement !== undefined).length;
  const they = keys.length === 1 ? 'it' : 'they';
  const counting =
    role === 'checkpoint'
      ? 'The log goes on that is here, of at least:'
      : `What ${they} signed counts on below:`;
  return [
    one !== undefined && keys.length === 1
      ? `The ${role} key ${one.key} is given up; ${one.replacement ?? 'no further key'} stands in its place.`
      : `${counted(keys.length, `${role} key`)} given up; ${counted(fresh, 'fresh key')} in place of those that were not over.`,
    ...countingLines(`Nothing that ${they} signed counts any more.`, counting, cutOffs),
    ...(issuingInto === undefined ? [] : [issuingLine(issuingInto)]),
    ...(others.length === 0 ? [] : [othersLine(role, others)]),
  ];
}

function othersLine(role: KeyRole, others: readonly string[]): string {
  const what =
    role === 'attest' ? 'Codes can be signed, or dated back,' : 'Checkpoints count that are signed';
  return `${what} by these ${role} keys too: ${others.join(', ')}. If whoever has what is given up has them as well, give all of them up with --all-${role}.`;
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

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
