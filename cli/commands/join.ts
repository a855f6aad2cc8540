/** `entente join`: a region answers the invitation of another, and both operators compare the same words. */
import { existsSync } from 'node:fs';
import { type Command } from 'commander';
import { type JoiningView } from '../../node/http/joining-schemas.ts';
import { readFileIfPresent } from '../../node/region/files.ts';
import { systemClock } from '../../node/system-clock.ts';
import { JOINING_BYTES_MAX } from '../../protocol/limits.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { complete, type CompleteOptions, requireRecognisable } from '../joining/complete.ts';
import {
  type Answered,
  askJoining,
  dropJoining,
  joiningWith,
  requireSameWords,
} from '../joining/joining-node.ts';
import { completedLines, otherLines, wordLines } from '../joining/report.ts';
import { parseRegionId } from '../region.ts';
import { parseSpan } from '../times.ts';
import { confirmOptions, listJoinings } from './invite.ts';

const WAIT = { from: '1s', to: '1d' } as const;
const ASK_AGAIN_MS = 1_000;

interface ConfirmOptions extends CompleteOptions {
  readonly words: string;
  readonly wait: string;
}

export function addJoin(program: Command, cli: Cli): void {
  const join = program
    .command('join')
    .summary('join by the invitation of another region')
    .description(
      'Answers what `entente invite make` of another region prints. Both operators then compare twelve words by telephone and confirm: first who joins, then who has invited. A node has to run.',
    );
  join
    .command('ask')
    .description('Answers an invitation, and shows the words to compare.')
    .argument('<region>', 'directory of the region')
    .argument('<invitation>', 'the text of the invitation, or a file with it')
    .option('--qr', 'show the words as QR too')
    .addHelpText(
      'after',
      examples(['entente join ask FR invitation.txt', 'then read the words to the operator who has invited']),
    )
    .action((path: string, invitation: string, options: { readonly qr?: true }) =>
      ask(cli, path, invitation, options),
    );
  join
    .command('list')
    .description('Lists invitations that this region has answered, and the words to compare.')
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente join list FR', 'with what is still to be done']))
    .action((path: string) => listJoinings(cli, path, 'joining', 'No invitation was answered.'));
  confirmOptions(
    join
      .command('confirm')
      .description(
        'Confirms that the operator who has invited reads the same words, waits until he confirms too, then makes his region a peer and lets the root recognise it.',
      )
      .argument('<region>', 'directory of the region')
      .argument('<other>', 'id of the region that has invited'),
  )
    .option('--wait <span>', 'how long to wait for the other operator; the same command goes on later', '10m')
    .addHelpText(
      'after',
      examples([
        'entente join confirm FR DE --words "abandon ability ... zoo"',
        'with the twelve words that the other operator reads out',
      ]),
    )
    .action((path: string, other: string, options: ConfirmOptions) => confirm(cli, path, other, options));
  join
    .command('drop')
    .description('Forgets an invitation that this region has answered. What was recognised stays.')
    .argument('<region>', 'directory of the region')
    .argument('<other>', 'id of the region that has invited, or of the invitation as `join list` shows it')
    .addHelpText('after', examples(['entente join drop FR DE', 'where the words differ']))
    .action((path: string, other: string) => dropJoining(cli, path, 'joining', other));
}

async function ask(cli: Cli, path: string, given: string, { qr }: { readonly qr?: true }): Promise<void> {
  // A base64 text is longer than the file that a path names.
  const file = existsSync(given) ? await readFileIfPresent(given, 2 * JOINING_BYTES_MAX) : undefined;
  const invitation = file === undefined ? given : Buffer.from(file).toString('latin1');
  const body = { invitation: invitation.trim() };
  const answer = await askJoining(cli, path, { method: 'POST', path: '/v1/joinings/join', body });
  const answered = answer as Answered;
  cli.output.result(answered, () => [
    `${answered.region} has the answer:`,
    ...otherLines(answered),
    'Call its operator, by a number that you know. Both of you see these words, or else somebody is between you:',
    ...wordLines(cli, answered, qr === true),
    `Then: entente join confirm ${path} ${answered.region} --words "<what he reads out>"`,
  ]);
}

async function confirm(cli: Cli, path: string, other: string, options: ConfirmOptions): Promise<void> {
  const region = parseRegionId(other);
  const waitMs = 1_000 * parseSpan(options.wait, WAIT);
  // Of all that follows, this is what was compared: nothing is taken from another look at the list.
  const answered = await joiningWith(cli, path, 'joining', region);
  requireSameWords(answered, options.words);
  const belowQuorum = await requireRecognisable(cli, path, region, options);
  await untilBoth(cli, path, answered, waitMs);
  const completed = await complete(cli, path, answered, options);
  cli.output.result({ region, fingerprint: answered.fingerprint, ...completed, belowQuorum }, () =>
    completedLines(answered, completed, belowQuorum, cli.surroundings.nowS()),
  );
}

/** Asks until the other operator has confirmed too. */
async function untilBoth(
  cli: Cli,
  path: string,
  { region, transcript }: Answered,
  waitMs: number,
): Promise<void> {
  const request = { method: 'POST', path: '/v1/joinings/confirm-joined', body: { transcript } } as const;
  const endMs = performance.now() + waitMs;
  for (let isTold = false; ; isTold = true) {
    const view = (await askJoining(cli, path, request)) as JoiningView;
    if (view.theirs) return;
    if (!isTold)
      cli.output.note(`Confirmed here. Waiting for the operator of ${region}: entente invite confirm`);
    if (performance.now() >= endMs)
      throw new CliError(
        EXIT.undetermined,
        'NOT_CONFIRMED',
        `the operator of ${region} has not confirmed yet`,
        {
          hint: 'Nothing is trusted yet. The same command goes on once he has.',
        },
      );
    await systemClock.wait(ASK_AGAIN_MS, new AbortController().signal);
  }
}
