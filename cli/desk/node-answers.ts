/** What a node's admin address answers, and what a command makes of it. */
import { AdminProblem } from '../../node/http/admin-client.ts';
import { type Problem } from '../../node/http/problem.ts';
import { isNodeError } from '../../node/node-error.ts';
import { CliError, EXIT, exitOfCode } from '../exit.ts';

/** Lines that are sent at once. */
const LINES_TOGETHER = 256;

/** Other problems are not the code's: they end the command. */
export function refusedBy({ code, detail, hint }: Problem): { readonly refused: string } {
  if (code === 'REFUSED' || code === 'INPUT_INVALID') return { refused: detail };
  throw new CliError(exitOfCode(code), code, detail, hint === undefined ? {} : { hint });
}

/** A line each, empty for undefined, some of them at a time: one by one each would be a packet of its own. */
export function* linesOf<T>(
  all: readonly T[],
  valueOf: (one: T) => unknown = (one) => one,
): Generator<string, void, undefined> {
  for (let at = 0; at < all.length; at += LINES_TOGETHER) {
    const some = all.slice(at, at + LINES_TOGETHER);
    yield some.map((one) => `${textOf(valueOf(one))}\n`).join('');
  }
}

function textOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}

/** Some codes are logged, or none, and the answer about others says otherwise. */
export class PartlyIssued extends CliError {
  readonly retry: boolean;
  /** Nothing was issued, and nothing is in hand: each order was refused as it is. */
  readonly isRefused: boolean;

  constructor(
    issued: number,
    of: number,
    { problem, isRefused }: { readonly problem: Problem | undefined; readonly isRefused: boolean },
  ) {
    const reason = problem?.detail ?? 'the answer broke off';
    super(
      problem === undefined ? EXIT.undetermined : exitOfCode(problem.code),
      problem?.code ?? 'PEER_UNREACHABLE',
      `${issued} of ${of} codes were issued: ${reason}`,
      { hint: 'Those that were issued are printed by `entente codes`.' },
    );
    this.retry = problem?.retry ?? problem === undefined;
    this.isRefused = isRefused;
  }
}

export function mayComeRight(error: unknown): boolean {
  return error instanceof PartlyIssued ? error.retry : isNodeError(error, 'PEER_UNREACHABLE');
}

/** What a node refuses ends a command as if the command itself had been refused. */
export async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw told(error);
  }
}

export function told(error: unknown): unknown {
  if (!(error instanceof AdminProblem)) return error;
  const { code, detail, hint } = error.problem;
  return new CliError(exitOfCode(code), code, detail, hint === undefined ? {} : { hint });
}
