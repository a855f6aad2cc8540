/** A code that a command takes: as its argument, or from stdin with `-`. */
import { CODE_CHARS_MAX } from '../protocol/limits.ts';
import { parseCode, type ParsedCode } from '../protocol/code/code.ts';
import { isProtocolError, type ProtocolError } from '../protocol/fault.ts';
import { type Sha256 } from '../protocol/primitives.ts';
import { type Cli } from './cli.ts';
import { codeLinesOf } from './code-lines.ts';
import { type CliError, usageError } from './exit.ts';

/**
 * The text of one code. Nothing is trimmed but the end of the line that stdin or a file adds, since a space is a character
 * of base45.
 */
export async function readCodeArgument(cli: Cli, argument: string): Promise<string> {
  if (argument !== '-') return argument;
  for await (const { text } of codeLinesOf(cli.surroundings.stdin, 4 * CODE_CHARS_MAX)) {
    if (text === undefined) break;
    return text;
  }
  throw usageError(
    'stdin holds no code',
    'Pipe the text of one code into this command, or give it as an argument.',
  );
}

/** The code that a person typed or pasted. @throws {CliError} USAGE: where the text is none, the command was given the wrong thing. */
export function parseCodeArgument(sha256: Sha256, text: string): ParsedCode {
  try {
    return parseCode(sha256, text);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    throw notACode(error);
  }
}

/** What was given as a code is none, for this reason. */
export function notACode(error: ProtocolError): CliError {
  return usageError(
    `this is not the text of a code: ${error.message}`,
    'Paste it whole, and quote it: a code may hold spaces and characters that a shell replaces.',
  );
}
