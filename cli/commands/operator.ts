/** `entente operator add|list|remove`: who acts for a region, by which key, and what each may do. */
import { type Command, InvalidArgumentError } from 'commander';
import { makeOperatorKey } from '../../node/operators/operator-key.ts';
import { type Operator } from '../../node/operators/operators.ts';
import { isNodeError } from '../../node/node-error.ts';
import { isOperatorName, isScope, type Scope, SCOPES } from '../../node/operators/scopes.ts';
import { removeFile } from '../../node/region/files.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError } from '../exit.ts';
import { printable } from '../printable.ts';
import { parseNewFile } from '../region.ts';
import { table } from '../table.ts';
import { timeText } from '../times.ts';

/** Neither signs nor needs its peers. */
const QUIETLY = { reading: true, silent: true } as const;
const REFUSALS = new Set(['REFUSED', 'SCOPE_MISSING', 'UNAUTHORISED', 'INPUT_INVALID']);

interface AddOptions {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly out: string;
}

export function addOperator(program: Command, cli: Cli): void {
  const operator = program
    .command('operator')
    .summary('who acts for a region')
    .description(
      'Operators are people with a name, a key of their own and scopes: issue, revoke, trust, audit, read. Until the first one is named, whoever has the directory does everything; from then on each command needs --operator, and a colour without a rule takes two of them.',
    );
  operator
    .command('add')
    .description(
      'Names an operator, and writes a key file for them, mode 0600. Hand it over, and keep no copy.',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption('--name <name>', 'a-z, 0-9 and hyphens, a letter first', parseName)
    .requiredOption('--scopes <list>', `of ${SCOPES.join(', ')}, with commas between`, parseScopes)
    .requiredOption('--out <file>', 'the key file to write', parseNewFile)
    .addHelpText(
      'after',
      examples(
        ['entente operator add DE --name anna --scopes issue,read --out anna.key', 'who issues codes'],
        [
          'entente operator add DE --name bert --scopes revoke,trust,read --out bert.key',
          'and who does the rest',
        ],
      ),
    )
    .action((region: string, options: AddOptions) => add(cli, region, options));
  operator
    .command('list')
    .description('Lists the operators of a region.')
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente operator list DE', 'who they are, and what each may do']))
    .action((region: string) => list(cli, region));
  operator
    .command('remove')
    .description(
      'Takes an operator back: their key counts for nothing from then on. Where it was the last, nobody acts until another is named.',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption('--name <name>', 'the operator', parseName)
    .addHelpText('after', examples(['entente operator remove IT --name anna', 'who has left']))
    .action((region: string, { name }: { readonly name: string }) => remove(cli, region, name));
}

/** The file is written first: an operator whose key nobody has could do nothing, and would have to be removed. */
async function add(cli: Cli, path: string, { name, scopes, out }: AddOptions): Promise<void> {
  const operator = await withDesk(
    cli,
    path,
    async (desk, modules) => {
      const key = await makeOperatorKey(out, { region: desk.config.region, name }, modules);
      try {
        await desk.addOperator({ name, publicKey: hexOf(key.publicKey), scopes: [...scopes] });
      } catch (error) {
        if (isRefusal(error)) await removeFile(out);
        else
          cli.output.note(
            `It is not known whether ${name} was named: the key stays in ${printable(out)}. entente operator list ${printable(path)} tells; where ${name} is not there, remove the file.`,
          );
        throw error;
      }
      return { name, publicKey: hexOf(key.publicKey), scopes };
    },
    QUIETLY,
  );
  cli.output.result({ ...operator, file: out }, () => [
    `${name} may: ${scopes.join(', ')}. The key is in ${printable(out)}: hand it over, and keep no copy.`,
    `They say: --operator ${printable(out)}`,
  ]);
}

/** Whether nobody was named: an answer that was lost, or a disk that failed, leaves that open. */
function isRefusal(error: unknown): boolean {
  const code = isNodeError(error) || error instanceof CliError ? error.code : '';
  return REFUSALS.has(code);
}

async function list(cli: Cli, path: string): Promise<void> {
  const operators = await withDesk(cli, path, (desk) => desk.operators(), QUIETLY);
  cli.output.result({ operators }, () =>
    operators.length === 0
      ? ['There is no operator. Until the first one is named, whoever has the directory does everything.']
      : table(['name', 'since', 'may'], operators.map(rowOf)),
  );
}

function rowOf({ name, scopes, addedAtS }: Operator): string[] {
  return [name, timeText(addedAtS), scopes.join(', ')];
}

async function remove(cli: Cli, path: string, name: string): Promise<void> {
  const left = await withDesk(
    cli,
    path,
    async (desk) => {
      await desk.removeOperator(name);
      return desk.operators();
    },
    QUIETLY,
  );
  cli.output.result({ name, left: left.length }, () => [
    `${name} is no operator any more.`,
    ...(left.length === 0
      ? ['Nobody is: until another is named, nobody does anything but look on and name one.']
      : []),
  ]);
}

function parseName(text: string): string {
  if (isOperatorName(text)) return text;
  throw new InvalidArgumentError(
    'Expected 1 to 32 of a-z, 0-9 and hyphens, a letter first, and none of bootstrap, directory, desk, other-machine.',
  );
}

function parseScopes(text: string): readonly Scope[] {
  const scopes = text.split(',').map((one) => one.trim());
  const known = scopes.filter(isScope);
  if (known.length === scopes.length && new Set(scopes).size === scopes.length) return known;
  throw new InvalidArgumentError(`Expected some of ${SCOPES.join(', ')}, each once, with commas between.`);
}
