/** `entente promote`: the standby of a region takes the place of the machine that writes. */
import { type Command } from 'commander';
import { isNodeError, NodeError } from '../../node/node-error.ts';
import { systemClock } from '../../node/system-clock.ts';
import { type Cli, examples } from '../cli.ts';
import { askStatus, type RunningStatus } from '../desk/node-status.ts';
import { asked } from '../desk/node-answers.ts';
import { adminOf } from '../desk/admin-of.ts';
import { CliError } from '../exit.ts';
import { figure } from '../output.ts';
import { printable } from '../printable.ts';
import { writerText } from '../writer-text.ts';

/** Milliseconds for which it waits until all is fetched that the writer before has signed, and between two looks. */
const FETCH_MS_MAX = 60_000;
const LOOK_MS = 500;

export function addPromote(program: Command, cli: Cli): void {
  program
    .command('promote')
    .summary('let the standby of a region take over')
    .description(
      'Lets the standby that runs on a directory write for the region. The witnesses of other regions permit nothing more to the machine that wrote before, alive or not; the standby fetches what that has signed, and goes on from there.',
    )
    .argument('<dir>', 'directory of the standby, whose node runs')
    .addHelpText('after', examples(['entente promote DE', 'the machine before is down, or is to be']))
    .action((path: string) => promote(cli, path));
}

async function promote(cli: Cli, path: string): Promise<void> {
  const { environment = {} } = cli.surroundings;
  const before = await statusOf(path, environment);
  for (const line of before.writer === undefined ? [] : [`Until now ${writerText(before.writer)}.`])
    cli.output.note(line);
  for (const [origin, size] of ownSizes(before))
    cli.output.note(`${printable(origin)}: ${figure(size)} here`);
  try {
    const client = await adminOf(path, environment);
    await asked(client.ask({ method: 'POST', path: '/v1/promote' }));
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'LOG_BEHIND') throw explained(error);
    cli.output.note(`The machine before signs no more. ${printable(error.message)}: fetching that.`);
    await untilItSigns(path, environment);
  }
  const after = await statusOf(path, environment);
  const { writer } = after;
  const sizes = Object.fromEntries(ownSizes(after));
  const was = before.writer?.isSelf === true ? undefined : before.writer?.writer;
  cli.output.result(
    { region: after.home, epoch: writer?.epoch, ...(was !== undefined && { before: was }), sizes },
    () => [
      `${after.home}: this machine writes now${writer === undefined ? '' : `, epoch ${writer.epoch}`}.`,
      ...Object.entries(sizes).map(([origin, size]) => `  ${printable(origin)}: ${figure(size)}`),
      'The machine before follows as the standby as soon as it hears of it.',
    ],
  );
}

async function statusOf(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<RunningStatus> {
  try {
    return await askStatus(path, environment);
  } catch (error) {
    if (!isNodeError(error, 'PEER_UNREACHABLE')) throw error;
    throw new NodeError('PEER_UNREACHABLE', `no node runs on ${path}`, {
      cause: error,
      hint: `Run: entente run ${path} --standby`,
    });
  }
}

async function untilItSigns(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const endMs = performance.now() + FETCH_MS_MAX;
  for (;;) {
    const { writing, reason = writing } = await statusOf(path, environment);
    if (writing === 'writing') return;
    if (performance.now() > endMs) {
      throw new NodeError('LOG_BEHIND', reason, {
        hint: 'It goes on trying. Where nobody else has those entries, they are on the disk of the machine that wrote before: start that, and promote it instead.',
      });
    }
    await systemClock.wait(LOOK_MS, new AbortController().signal);
  }
}

/** What the operator can decide when the witnesses cannot: see docs/operations.md. */
function explained(error: unknown): unknown {
  if (!(error instanceof CliError) || error.code !== 'PEER_UNREACHABLE') return error;
  return new CliError(error.exit, error.code, `${error.message}: all is as it was before`, {
    hint: 'Wait until more regions are connected. Without them only you can know that the other machine is off for good: see "When too few witnesses answer" in docs/operations.md.',
  });
}

function ownSizes({ home, network, sizes }: RunningStatus): [origin: string, size: number][] {
  return Object.entries(sizes).filter(([origin]) => origin.startsWith(`${home}.${network}/`));
}
