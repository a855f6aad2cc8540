/** `entente key rotate`: a fresh key takes over from the one that signs, which ends orderly. */
import { type Command, Option } from 'commander';
import { type Succession, successionOf } from '../../node/region/key-schedule.ts';
import { admitting } from '../../node/region/statements.ts';
import { KEY_UNTIL_AHEAD_S_MAX, KEY_WINDOW_S_MAX } from '../../protocol/limits.ts';
import { type KeyRole } from '../../protocol/trust/trust-state.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { draftOption, type RootOptions, withoutPeersOption } from '../region.ts';
import { rfc3339, timeText, wholeHour } from '../times.ts';

const ROLES = ['attest', 'checkpoint', 'trust-log', 'witness'] as const satisfies readonly KeyRole[];
const HOUR_S = 3_600;

interface RotateOptions extends RootOptions {
  readonly role: readonly KeyRole[];
  readonly from?: string;
}

export function addRotate(key: Command, cli: Cli): void {
  key
    .command('rotate')
    .description(
      'Admits, with the root, a fresh key that signs in the place of the one in force, from this hour or a later one on. What the one before signed stays good, and it stays admitted until its window ends: nothing of it is given up. A key that may be stolen is given up instead: entente key compromise.',
    )
    .argument('<region>', 'directory of the region')
    .addOption(
      new Option('--role <roles...>', 'of which role, one or several').choices(ROLES).makeOptionMandatory(),
    )
    .option('--from <time>', 'the whole hour at which it takes over; else this one')
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        ['entente key rotate DE --role checkpoint', 'from now on a fresh key signs how long the logs are'],
        [
          'entente key rotate DE --role attest trust-log --from 2026-11-30T02:00:00Z',
          'at night, both by one order of the root',
        ],
      ),
    )
    .action((region: string, options: RotateOptions) => rotate(cli, region, options));
}

async function rotate(cli: Cli, path: string, options: RotateOptions): Promise<void> {
  const roles = [...new Set(options.role)];
  const made = await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const atS = nowS();
      const fromS = fromOf(options, atS);
      const windows = roles.map((role) => successionOf(desk.state, role, fromS));
      for (const window of windows) requireAdmissible(window, atS);
      cli.output.before({ windows }, () => windows.flatMap(linesBefore));
      const { statement, keyIds } = await admitting(windows, desk.keys);
      await appendByRoot(cli, desk, [statement], options);
      return windows.map((window, i) => ({ key: keyIds[i], ...window }));
    },
    options,
  );
  cli.output.result({ keys: made }, () =>
    made.map(
      ({ key, role, fromS }) => `The ${role} key ${key} is admitted, and signs from ${timeText(fromS)} on.`,
    ),
  );
}

/** @throws {CliError} USAGE for a time that is no whole hour, or is over. */
function fromOf({ from }: RotateOptions, atS: number): number {
  const hourS = atS - (atS % HOUR_S);
  if (from === undefined) return hourS;
  const fromS = wholeHour(from);
  if (fromS >= hourS) return fromS;
  throw usageError(
    `${timeText(fromS)} is over: a key that was admitted for then would date back what it signs`,
    'Leave --from out, and it takes over now.',
  );
}

/** @throws {CliError} USAGE for a time too far ahead, REFUSED where no window reaches past those of the keys that are in force. */
function requireAdmissible({ role, fromS, untilS, inPlaceOf }: Succession, atS: number): void {
  if (untilS > atS + KEY_UNTIL_AHEAD_S_MAX)
    throw usageError(
      `a ${role} key that takes over at ${timeText(fromS)} would end at ${timeText(untilS)}, more than 100 days ahead`,
      `Name a time before ${rfc3339(fromS - (untilS - atS - KEY_UNTIL_AHEAD_S_MAX))}.`,
    );
  if (untilS - fromS <= KEY_WINDOW_S_MAX) return;
  throw new CliError(
    EXIT.failure,
    'REFUSED',
    `no window of 31 days from ${timeText(fromS)} on ends after those of ${inPlaceOf.join(', ')}`,
    { hint: 'That key was put in its place just now: name a later time by --from.' },
  );
}

function linesBefore({ role, fromS, untilS, inPlaceOf, next }: Succession): string[] {
  const after =
    next === undefined ? '' : `; from ${timeText(next.fromS)} on ${next.keyId} signs, as scheduled`;
  const others = inPlaceOf.join(', ');
  return [
    `To be admitted: a ${role} key, from ${timeText(fromS)} to ${timeText(untilS)}${after}.`,
    inPlaceOf.length === 0
      ? `  No ${role} key is in force then that it would take over from.`
      : `  It signs in the place of ${others}: what that signs and signed stays good, and until its window ends so does what anybody signs who has it.`,
  ];
}
