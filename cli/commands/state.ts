/** `entente state`: commits to what the trust log says by now. */
import { type Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { type SigningOptions, withoutPeersOption } from '../region.ts';

export function addState(program: Command, cli: Cli): void {
  program
    .command('state')
    .summary('commit to the state, so that readers can start here')
    .description(
      'Appends a statement that commits to all keys, recognitions, rules and revocations. Snapshots then begin at it instead of at the first entry.',
    )
    .argument('<region>', 'directory of the region')
    .addOption(withoutPeersOption())
    .addHelpText('after', examples(['entente state DE', 'once a day, or before a snapshot']))
    .action((region: string, options: SigningOptions) => appendState(cli, region, options));
}

async function appendState(cli: Cli, path: string, options: SigningOptions): Promise<void> {
  const { region, index } = await withDesk(
    cli,
    path,
    async (desk) => ({ region: desk.config.region, index: await desk.commitState() }),
    options,
  );
  cli.output.result({ region, index }, () => [
    `Entry ${index} of the trust log commits to the state of ${region}.`,
  ]);
}
