/** `entente conformance`: vectors made by others, run against this code. */
import { statSync } from 'node:fs';
import { type Command } from 'commander';
import { formatConformance, isConformant, runConformance } from '../../node/conformance/run.ts';
import { type Cli, examples } from '../cli.ts';
import { EXIT, usageError } from '../exit.ts';

interface ConformanceOptions {
  readonly vectors?: string;
}

export function addConformance(program: Command, cli: Cli): void {
  program
    .command('conformance')
    .summary('run test vectors made by others')
    .description(
      'Runs every suite that it knows over a folder of vectors. Fails if a case fails or a suite has none.',
    )
    .option('--vectors <dir>', 'folder of vectors (default: $ENTENTE_VECTORS or ../shared/vectors)')
    .addHelpText('after', examples(['entente conformance --vectors ../shared/vectors', 'a line per suite']))
    .action((options: ConformanceOptions) => conformance(cli, options));
}

async function conformance(cli: Cli, { vectors }: ConformanceOptions): Promise<void> {
  const dir = vectors ?? process.env['ENTENTE_VECTORS'] ?? '../shared/vectors';
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw usageError(`there is no folder ${dir}`, 'Name one with --vectors DIR.');
  const results = await runConformance(dir);
  cli.output.result(results, () => [formatConformance(results)]);
  if (!isConformant(results)) cli.exit = EXIT.failure;
}
