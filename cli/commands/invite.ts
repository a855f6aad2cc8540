/** `entente invite`: another region joins by an invitation, once both operators have compared the same words. */
import { type Command, Option } from 'commander';
import { writeFileAtomically } from '../../node/region/files.ts';
import { type JoiningView } from '../../node/http/joining-schemas.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { complete, type CompleteOptions, requireRecognisable } from '../joining/complete.ts';
import {
  askJoining,
  dropJoining,
  joiningsOf,
  joiningWith,
  requireSameWords,
} from '../joining/joining-node.ts';
import { belowQuorumOption } from '../joining/quorums.ts';
import { completedLines, joiningLines, otherLines } from '../joining/report.ts';
import { printable } from '../printable.ts';
import { draftOption, parseNewFile, parseRegionId, withoutPeersOption } from '../region.ts';
import { viaOption, wayOption } from '../recognition/terms.ts';
import { parseSpan, timeText } from '../times.ts';

const OPEN_FOR = { from: '1m', to: '30d' } as const;

interface MakeOptions {
  readonly for: string;
  readonly http?: string;
  readonly out?: string;
}

interface ConfirmOptions extends CompleteOptions {
  readonly words: string;
  readonly endorsements: string;
  readonly contradicted?: true;
}

export function addInvite(program: Command, cli: Cli): void {
  const invite = program
    .command('invite')
    .summary('let another region join')
    .description(
      'Two operators who know each other connect their regions: the one invites, the other answers by `entente join`, both compare twelve words by telephone and confirm. Nothing is trusted before. A node has to run.',
    );
  invite
    .command('make')
    .description('Prints an invitation, which one region can answer once.')
    .argument('<region>', 'directory of the region')
    .option('--for <span>', `how long it can be answered, ${OPEN_FOR.from} to ${OPEN_FOR.to}`, '1d')
    .option('--http <url>', 'where the other reaches the public interface, if not as the node listens')
    .addOption(new Option('--out <file>', 'write it into a file').argParser(parseNewFile))
    .addHelpText(
      'after',
      examples([
        'entente invite make DE --http https://node.example:8600',
        'send what it prints to the operator of the other region',
      ]),
    )
    .action((path: string, options: MakeOptions) => make(cli, path, options));
  invite
    .command('list')
    .description('Lists invitations that are open, who has answered, and the words to compare.')
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente invite list DE', 'with who vouches for each']))
    .action((path: string) => list(cli, path));
  confirmOptions(
    invite
      .command('confirm')
      .description(
        'Confirms that the operator of the other region reads the same words, makes it a peer and lets the root recognise it.',
      )
      .argument('<region>', 'directory of the region')
      .argument('<other>', 'id of the region that has answered'),
  )
    .option('--endorsements <k>', 'refuse unless so many regions vouch for it that are recognised here', '0')
    .option('--contradicted', 'although a region that is recognised here knows it under another root')
    .addHelpText(
      'after',
      examples(
        [
          'entente invite confirm DE FR --words "abandon ability ... zoo"',
          'with the twelve words that the other operator reads out',
        ],
        [
          'entente invite confirm DE AT --words "abandon ability ... zoo" --way adapter',
          'its local codes as they are, by what it announces',
        ],
      ),
    )
    .action((path: string, other: string, options: ConfirmOptions) => confirm(cli, path, other, options));
  invite
    .command('drop')
    .description(
      'Takes an invitation back, and forgets its answer if there is one. What was recognised stays.',
    )
    .argument('<region>', 'directory of the region')
    .argument('<other>', 'id of the region that has answered, or of the invitation as `invite list` shows it')
    .addHelpText(
      'after',
      examples(
        ['entente invite drop DE FR', 'where the words differ'],
        ['entente invite drop DE 0123456789abcdef', 'where somebody else may have got it'],
      ),
    )
    .action((path: string, other: string) => dropJoining(cli, path, 'inviting', other));
}

/** What both sides say when they confirm. */
export function confirmOptions(command: Command): Command {
  return command
    .requiredOption('--words <words>', 'the words as the other operator reads them out')
    .option('--for <span>', 'how long the recognition holds, at most 1825d', '365d')
    .option('--connect-only', 'follow and witness it without recognising it')
    .addOption(wayOption())
    .addOption(viaOption())
    .addOption(belowQuorumOption())
    .addOption(draftOption())
    .addOption(withoutPeersOption());
}

async function make(cli: Cli, path: string, options: MakeOptions): Promise<void> {
  const body = { forS: parseSpan(options.for, OPEN_FOR), http: options.http };
  const answer = await askJoining(cli, path, { method: 'POST', path: '/v1/joinings/invite', body });
  const { invitation, untilS, http } = answer as { invitation: string; untilS: number; http: string };
  const { out } = options;
  if (out !== undefined) await writeFileAtomically(out, new TextEncoder().encode(`${invitation}\n`));
  cli.output.result({ invitation, untilS, http, out }, () => [
    out === undefined ? invitation : `Wrote ${printable(out)}.`,
  ]);
  if (isThisMachineOnly(http))
    cli.output.note(
      `Warning: ${printable(http)} is reached from this machine alone: a region elsewhere cannot answer. Name the address that it reaches with --http, and take this invitation back with \`entente invite drop\`.`,
    );
  if (!cli.output.json)
    cli.output.note(
      `One region can answer it, at ${printable(http)}, until ${timeText(untilS)}: entente join ask <directory> ${out === undefined ? '<this text>' : printable(out)}`,
    );
}

function isThisMachineOnly(url: string): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname);
}

async function list(cli: Cli, path: string): Promise<void> {
  await listJoinings(cli, path, 'inviting', 'No invitation is open.');
}

/** Those of one side. */
export async function listJoinings(
  cli: Cli,
  path: string,
  side: JoiningView['side'],
  none: string,
): Promise<void> {
  const joinings = await joiningsOf(cli, path, side);
  cli.output.result({ joinings }, () =>
    joinings.length === 0 ? [none] : joinings.flatMap((one) => joiningLines(cli, one)),
  );
}

async function confirm(cli: Cli, path: string, other: string, options: ConfirmOptions): Promise<void> {
  const region = parseRegionId(other);
  if (!/^\d{1,3}$/.test(options.endorsements)) throw usageError('--endorsements takes a number of regions');
  const answered = await joiningWith(cli, path, 'inviting', region);
  requireSameWords(answered, options.words);
  const { transcript, vouching = [], contradicting = [] } = answered;
  if (!cli.output.json) for (const line of otherLines(answered)) cli.output.note(line);
  if (contradicting.length > 0 && options.contradicted !== true)
    throw new CliError(
      EXIT.inconsistent,
      'PIN_MISMATCH',
      `${contradicting.join(', ')}, recognised here, knows ${region} under another root`,
      { hint: 'Two regions claim one id: ask both. You decide: --contradicted goes on all the same.' },
    );
  if (vouching.length < Number(options.endorsements))
    throw new CliError(
      EXIT.failure,
      'REFUSED',
      `${vouching.length} regions that are recognised here vouch for ${region}, of ${options.endorsements} that you want`,
      { hint: 'Nothing was trusted. You decide: confirm with a smaller number.' },
    );
  const belowQuorum = await requireRecognisable(cli, path, region, options);
  await askJoining(cli, path, { method: 'POST', path: '/v1/joinings/confirm-invited', body: { transcript } });
  const completed = await complete(cli, path, answered, options);
  const { fingerprint } = answered;
  cli.output.result({ region, fingerprint, vouching, contradicting, ...completed, belowQuorum }, () =>
    completedLines(answered, completed, belowQuorum, cli.surroundings.nowS()),
  );
}
