/** What a node's admin address answers, and what a command makes of it. */
import { AdminProblem } from '../../node/http/admin-client.ts';
import { type Problem } from '../../node/http/problem.ts';
import { isNodeError } from '../../node/node-error.ts';
import { CliError, EXIT, exitOfCode } from '../exit.ts';
import { type IssuedCode } from '../people/codes-file.ts';

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

/** Somebody whose order was refused as it is: nothing of it was issued, and nothing is in hand. */
export interface RefusedPerson {
  readonly subject: string;
  readonly reason: string;
}

/** What came of an order of which not everybody got a code. */
export interface PartOfOrder {
  readonly issued: readonly IssuedCode[];
  /** How many were to get one. */
  readonly of: number;
  /** The first of those that kept somebody from it; undefined where the answer broke off. */
  readonly problem: Problem | undefined;
  /** All who got none, where each of them was refused; else empty. */
  readonly refused: readonly RefusedPerson[];
  /** Nothing was issued, and nothing is in hand: each order was refused as it is. */
  readonly isRefused: boolean;
}

/** Some codes are logged, or none, and the answer about others says otherwise. */
export class PartlyIssued extends CliError {
  readonly retry: boolean;
  readonly part: PartOfOrder;

  constructor(part: PartOfOrder) {
    const { issued, of, problem } = part;
    const reason = problem?.detail ?? 'the answer broke off';
    const isSome = issued.length > 0 || problem === undefined;
    const hints = [
      problem?.hint,
      isSome ? 'Those that were issued are printed by `entente codes`.' : undefined,
    ];
    const hint = hints.filter((one) => one !== undefined).join(' ');
    super(
      problem === undefined ? EXIT.undetermined : exitOfCode(problem.code),
      problem?.code ?? 'PEER_UNREACHABLE',
      `${issued.length} of ${of} codes were issued: ${reason}`,
      hint === '' ? {} : { hint },
    );
    this.retry = problem?.retry ?? problem === undefined;
    this.part = part;
  }
}

export function mayComeRight(error: unknown): boolean {
  return error instanceof PartlyIssued
    ? error.retry
    : isNodeError(error, 'PEER_UNREACHABLE') || isNodeError(error, 'NODE_SILENT');
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
