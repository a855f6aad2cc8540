/** Files of rows as the command line names them: all rows, or an error that tells each that is wrong. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { Option } from 'commander';
import { type Cli } from '../cli.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { printable } from '../printable.ts';
import { type Encoding, ENCODINGS } from '../../node/rows/encoding.ts';
import { countPeople, peopleFormatOf, readPeople } from './people-file.ts';
import { type RowFault, type RowForm } from '../../node/rows/row-form.ts';

/** A file that is read at a glance shows no progress. */
const BYTES_PER_REPORT = 1 << 20;

/** In which encoding the files of a command are. */
export function encodingOption(files = 'of the file'): Option {
  return new Option('--encoding <name>', files).choices(ENCODINGS).default('utf-8');
}

/** The rows of a file, or of CSV on stdin for `-`. @throws {CliError} USAGE where there is none, PEOPLE_INVALID with its faults. */
export async function readRows<T extends { readonly subject: string }>(
  cli: Cli,
  file: string,
  form: RowForm<T>,
  encoding: Encoding,
): Promise<readonly T[]> {
  if (file !== '-' && !existsSync(file)) throw usageError(`there is no file ${printable(file)}`);
  const source =
    file === '-' ? cli.surroundings.stdin : (createReadStream(file) as AsyncIterable<Uint8Array>);
  const { people, faults } = await readPeople(source, { format: peopleFormatOf(file), encoding }, form);
  if (faults.length > 0) throw rowsError(file, faults);
  return people;
}

/** How many rows a file has, and its SHA-256. @throws {CliError} as `readRows`. */
export async function countRows(
  cli: Cli,
  file: string,
  form: RowForm<{ readonly subject: string }>,
  encoding: Encoding,
): Promise<{ readonly rows: number; readonly sha256: string }> {
  if (!existsSync(file)) throw usageError(`there is no file ${printable(file)}`);
  const { size } = statSync(file);
  const progress = size > BYTES_PER_REPORT ? cli.output.progress('bytes read', size) : undefined;
  const { rows, faults, sha256 } = await countPeople(
    createReadStream(file) as AsyncIterable<Uint8Array>,
    { format: peopleFormatOf(file), encoding },
    form,
    (bytes) => progress?.at(bytes),
  );
  if (faults.length > 0) throw rowsError(file, faults);
  return { rows, sha256 };
}

/** Nothing of the file was used, for these reasons. */
export function rowsError(file: string, faults: readonly RowFault[]): CliError {
  const list = faults.map((fault) => `\n  ${faultText(fault)}`).join('');
  return new CliError(EXIT.failure, 'PEOPLE_INVALID', `${file} cannot be used, nothing was issued:${list}`, {
    hint: 'Mend these rows and run the command again. `entente issue --help` lists the columns.',
    details: faults,
  });
}

export function faultText({ line, column, reason, example, bearer }: RowFault): string {
  const place = [line > 0 ? `line ${line}` : undefined, column]
    .filter((part) => part !== undefined)
    .join(', ');
  const colon = place === '' ? '' : `${place}: `;
  const whose = bearer === undefined ? '' : ` (it has ${printable(bearer)})`;
  return `${colon}${reason}${whose}${example === undefined ? '' : `, expected as in ${example}`}`;
}
