/** A code that a command takes: as its argument, or from stdin with `-`. */
import { CODE_CHARS_MAX } from '../protocol/limits.ts';
import { type Cli } from './cli.ts';
import { usageError } from './exit.ts';
import { linesOf } from './lines.ts';

/**
 * The text of one code. Nothing is trimmed but the end of the line that stdin or a file adds, since a space is a character
 * of base45.
 */
export async function readCodeArgument(cli: Cli, argument: string): Promise<string> {
  if (argument !== '-') return argument;
  for await (const { text } of linesOf(cli.surroundings.stdin, 4 * CODE_CHARS_MAX)) {
    if (text === undefined) break;
    return text;
  }
  throw usageError(
    'stdin holds no code',
    'Pipe one line of text into this command, or give the code as an argument.',
  );
}
