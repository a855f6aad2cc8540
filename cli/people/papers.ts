/** Papers of one person on a command line: by what lists of background data know people. */
import { type Command } from 'commander';
import { type Identity, parseIdentity } from '../../node/lists/identity.ts';
import { usageError } from '../exit.ts';

const DAY_S = 86_400;

/** What `addPaperOptions` gives. */
export interface PaperOptions {
  readonly idType?: string;
  readonly idCountry?: string;
  readonly idNumber?: string;
  readonly fullName?: string;
  readonly birthDate?: string;
}

/** `when` begins the help of each. */
export function addPaperOptions(command: Command, when = ''): Command {
  return command
    .option('--id-type <type>', `${when}kind of identity document, such as passport`)
    .option('--id-country <cc>', `${when}its country`)
    .option('--id-number <text>', `${when}its number`)
    .option('--full-name <text>', `${when}name`)
    .option('--birth-date <day>', `${when}day of birth`);
}

/** Undefined without any. @throws {CliError} USAGE */
export function identityOf(options: PaperOptions, nowS: number): Identity | undefined {
  const cells = Object.entries({
    id_type: options.idType,
    id_country: options.idCountry,
    id_number: options.idNumber,
    full_name: options.fullName,
    birth_date: options.birthDate,
  }).filter((cell): cell is [string, string] => cell[1] !== undefined && cell[1] !== '');
  if (cells.length === 0) return undefined;
  const { identity, faults } = parseIdentity(Object.fromEntries(cells), 0, Math.floor(nowS / DAY_S));
  const [fault] = faults;
  if (fault === undefined) return identity;
  const option = fault.column === undefined ? 'the papers' : `--${fault.column.replace('_', '-')}`;
  throw usageError(`${option}: ${fault.reason}`, fault.example && `As in ${fault.example}.`);
}
