/** Files of rows that are read as they are sent on, whatever their length. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Cli } from '../cli.ts';
import { usageError } from '../exit.ts';
import { printable } from '../printable.ts';

/** Shorter files are read before anybody looks. */
const PROGRESS_FROM_BYTES = 1_048_576;

/** The bytes of a file, or of stdin for `-`, with progress where their number is known. @throws {CliError} USAGE */
export async function bytesOfFile(cli: Cli, file: string): Promise<AsyncIterable<Uint8Array>> {
  if (file === '-') return cli.surroundings.stdin;
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) throw usageError(`there is no file ${printable(file)}`);
  return readBytes(cli, file, found.size);
}

async function* readBytes(cli: Cli, file: string, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  const progress = cli.output.progress('read bytes', size);
  let done = 0;
  for await (const part of createReadStream(file) as AsyncIterable<Uint8Array>) {
    yield part;
    done += part.length;
    if (size > PROGRESS_FROM_BYTES) progress.at(done);
  }
}
