/** `entente conformance`: vectors made by others, run against this code. */
import { statSync } from 'node:fs';
import { type Command } from 'commander';
import { formatConformance, isConformant, runConformance } from '../../node/conformance/run.ts';
import { type Suite } from '../../node/conformance/suite.ts';
import { SUITES } from '../../node/conformance/suites.ts';
import { type Cli, examples } from '../cli.ts';
import { EXIT, usageError } from '../exit.ts';
import { printable } from '../printable.ts';

interface ConformanceOptions {
  readonly vectors?: string;
}

export function addConformance(program: Command, cli: Cli): void {
  program
    .command('conformance')
    .summary('run test vectors made by others')
    .description(
      'Runs every suite that it knows, or those that are named, over a folder of vectors. Fails if a case fails or a suite has none.',
    )
    .argument('[suites...]', 'names of suites (default: all)')
    .option('--vectors <dir>', 'folder of vectors (default: $ENTENTE_VECTORS or ../shared/vectors)')
    .addHelpText('after', examples(['entente conformance --vectors ../shared/vectors', 'a line per suite']))
    .action((names: readonly string[], options: ConformanceOptions) => conformance(cli, names, options));
}

async function conformance(
  cli: Cli,
  names: readonly string[],
  { vectors }: ConformanceOptions,
): Promise<void> {
  const suites = names.length === 0 ? SUITES : names.map(suiteNamed);
  const dir = vectors ?? process.env['ENTENTE_VECTORS'] ?? '../shared/vectors';
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw usageError(`there is no folder ${dir}`, 'Name one with --vectors DIR.');
  const results = await runConformance(dir, suites);
  cli.output.result(results, () => [formatConformance(results)]);
  if (!isConformant(results)) cli.exit = EXIT.failure;
}

/** It runs even where collections may do without it. @throws {CliError} USAGE for a name of none. */
function suiteNamed(wanted: string): Suite {
  const suite = SUITES.find(({ name }) => name === wanted);
  if (suite !== undefined) return { name: suite.name, run: (dir) => suite.run(dir) };
  throw usageError(
    `there is no suite ${printable(wanted)}`,
    `There are ${SUITES.map(({ name }) => name).join(', ')}.`,
  );
}
