/** `entente state`: commits to what the trust log says by now. */
import { type Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { withRegion } from '../region.ts';

export function addState(program: Command, cli: Cli): void {
  program
    .command('state')
    .summary('commit to the state, so that readers can start here')
    .description(
      'Appends a statement that commits to all keys, recognitions, rules and revocations. Snapshots then begin at it instead of at the first entry.',
    )
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente state DE', 'once a day, or before a snapshot']))
    .action((region: string) => appendState(cli, region));
}

async function appendState(cli: Cli, path: string): Promise<void> {
  await withRegion(cli, path, async (directory) => {
    const index = await directory.appendState();
    cli.output.result({ region: directory.config.region, index }, () => [
      `Entry ${index} of the trust log commits to the state of ${directory.config.region}.`,
    ]);
  });
}
