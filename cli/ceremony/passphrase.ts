/** The passphrase of a sealed key: typed unseen, or the first line of a file. */
import { createReadStream } from 'node:fs';
import { Option } from 'commander';
import { type Cli } from '../cli.ts';
import { usageError } from '../exit.ts';
import { linesOf } from '../lines.ts';
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

/** @throws {CliError} USAGE without a terminal or a file, for an empty one, and where `isNew` one was typed in two ways. */
export async function readPassphrase(
  cli: Cli,
  what: string,
  { passphraseFile, isNew }: PassphraseOptions & { readonly isNew: boolean },
): Promise<string> {
  const { stdin, askSecret } = cli.surroundings;
  if (passphraseFile !== undefined) {
    const source =
      passphraseFile === '-' ? stdin : (createReadStream(passphraseFile) as AsyncIterable<Uint8Array>);
    for await (const { text } of linesOf(source, BYTES_MAX))
      if (text !== undefined && text !== '') return text;
    throw usageError(`${printable(passphraseFile)} holds no passphrase in its first line`);
  }
  if (askSecret === undefined)
    throw usageError('nobody can be asked for the passphrase', 'Say --passphrase-file FILE, or - for stdin.');
  const typed = await askSecret(`Passphrase of ${what}: `);
  if (typed === '') throw usageError('no passphrase was typed');
  if (isNew && (await askSecret('The same once more: ')) !== typed)
    throw usageError('the two are not the same; nothing was written');
  return typed;
}
