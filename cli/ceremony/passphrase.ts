/** The passphrase of a sealed key: typed unseen, or the first line of a file. */
import { createReadStream, existsSync } from 'node:fs';
import { Option } from 'commander';
import { type Cli } from '../cli.ts';
import { usageError } from '../exit.ts';
import { linesOf } from '../../node/rows/lines.ts';
import { printable } from '../printable.ts';

export interface PassphraseOptions {
  readonly passphraseFile?: string | undefined;
}

const BYTES_MAX = 1_024;

export function passphraseOption(): Option {
  return new Option(
    '--passphrase-file <file>',
    'take the passphrase from the first line of this file, or of stdin with -',
  );
}

/** The passphrase of a key that is sealed already. @throws {CliError} USAGE without a terminal or a file, for a file that is not there, and for an empty one. */
export function readPassphrase(
  cli: Cli,
  what: string,
  { passphraseFile }: PassphraseOptions,
): Promise<string> {
  return passphraseFile === undefined ? typedOne(cli, what, false) : firstLine(cli, passphraseFile);
}

/**
 * New passphrases for keys that are about to be sealed, all before the first of them is: one of a file, which is read once, goes for all.
 * @throws {CliError} USAGE as `readPassphrase`, and where one was typed in two ways.
 */
export async function readNewPassphrases(
  cli: Cli,
  whats: readonly string[],
  { passphraseFile }: PassphraseOptions,
): Promise<string[]> {
  if (passphraseFile !== undefined) {
    const passphrase = await firstLine(cli, passphraseFile);
    return whats.map(() => passphrase);
  }
  const typed: string[] = [];
  for (const what of whats) typed.push(await typedOne(cli, what, true));
  return typed;
}

async function firstLine(cli: Cli, file: string): Promise<string> {
  const { stdin } = cli.surroundings;
  if (file !== '-' && !existsSync(file))
    throw usageError(
      `there is no file ${printable(file)} to take the passphrase from`,
      'Name a file with the passphrase in its first line, or - for stdin; without --passphrase-file it is asked for.',
    );
  const source = file === '-' ? stdin : (createReadStream(file) as AsyncIterable<Uint8Array>);
  for await (const { text } of linesOf(source, BYTES_MAX)) if (text !== undefined && text !== '') return text;
  throw usageError(`${printable(file)} holds no passphrase in its first line`);
}

async function typedOne(cli: Cli, what: string, isNew: boolean): Promise<string> {
  const { askSecret } = cli.surroundings;
  if (askSecret === undefined)
    throw usageError('nobody can be asked for the passphrase', 'Say --passphrase-file FILE, or - for stdin.');
  const typed = await askSecret(`Passphrase of ${what}: `);
  if (typed === '') throw usageError('no passphrase was typed');
  if (isNew && (await askSecret('The same once more: ')) !== typed)
    throw usageError('the two are not the same; nothing was written');
  return typed;
}
