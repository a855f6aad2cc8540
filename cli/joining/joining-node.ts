/** What the node that runs on a directory knows of invitations, and does about them. */
import { type AdminRequest } from '../../node/http/admin-client.ts';
import { type JoiningView } from '../../node/http/joining-schemas.ts';
import { areWords, plainWords } from '../../node/joining/words.ts';
import { type Cli } from '../cli.ts';
import { asked } from '../desk/node-answers.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { printable } from '../printable.ts';

/** An invitation that was answered: both regions are known. */
export interface Answered extends JoiningView {
  region: string;
  name: string;
  fingerprint: string;
  addresses: string[];
  transcript: string;
  words: string;
}

/** @throws {NodeError} PEER_UNREACHABLE if no node runs there. @throws {CliError} with what it refuses. */
export async function askJoining(cli: Cli, path: string, request: AdminRequest): Promise<unknown> {
  const { adminOf } = await import('../desk/admin-of.ts');
  return asked((await adminOf(path, cli.surroundings.environment ?? {})).ask(request));
}

/** Invitations of one side that are open. */
export async function joiningsOf(cli: Cli, path: string, side: JoiningView['side']): Promise<JoiningView[]> {
  const answer = await askJoining(cli, path, { method: 'GET', path: '/v1/joinings' });
  return (answer as { joinings: JoiningView[] }).joinings.filter((one) => one.side === side);
}

/** The one with a region. @throws {CliError} NOT_FOUND */
export async function joiningWith(
  cli: Cli,
  path: string,
  side: JoiningView['side'],
  region: string,
): Promise<Answered> {
  const found = (await joiningsOf(cli, path, side)).find((one) => one.region === region);
  if (found !== undefined) return found as Answered;
  throw new CliError(EXIT.failure, 'NOT_FOUND', `no invitation with ${region} is open here`, {
    hint:
      side === 'inviting'
        ? `${region} answers one with \`entente join ask\`; see \`entente invite list\`.`
        : 'Answer one with `entente join ask`; see `entente join list`.',
  });
}

/** Forgets the one of this side with a region, or with that id. @throws {CliError} NOT_FOUND */
export async function dropJoining(
  cli: Cli,
  path: string,
  side: JoiningView['side'],
  which: string,
): Promise<void> {
  const found = (await joiningsOf(cli, path, side)).find(
    ({ id, region }) => id === which || region === which,
  );
  const list = side === 'inviting' ? 'invite list' : 'join list';
  if (found === undefined)
    throw new CliError(EXIT.failure, 'NOT_FOUND', `no invitation ${printable(which)} is open here`, {
      hint: `Name the region, or the id that \`entente ${list}\` shows.`,
    });
  const { id, region } = found;
  await askJoining(cli, path, { method: 'POST', path: '/v1/joinings/drop', body: { id } });
  cli.output.result({ id, region, dropped: true }, () => [
    `The invitation ${id} ${region === undefined ? 'that nobody has answered' : `with ${region}`} is forgotten.`,
  ]);
}

/**
 * Holds the words that the other operator said against those of this side.
 * @throws {CliError} USAGE where they are no such words, as after a slip; WORDS_DIFFER where they are those of something else.
 */
export function requireSameWords({ region, words }: Answered, said: string): void {
  const heard = plainWords(said);
  if (heard === words) return;
  if (!areWords(heard))
    throw usageError(
      'these are no twelve words with a right check',
      'Ask for them again, and type all twelve.',
    );
  throw new CliError(EXIT.inconsistent, 'WORDS_DIFFER', `the operator of ${region} looks at something else`, {
    hint: 'Nothing was trusted. Somebody may have changed what went between you: drop it, and invite anew by another way.',
  });
}
