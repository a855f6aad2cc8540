/** `entente withdraw` and `entente suspend`: a recognition ends, or rests until it is given anew. */
import { type Command } from 'commander';
import { type Recognition } from '../../protocol/trust/trust-state.ts';
import { type Cli, examples } from '../cli.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT } from '../exit.ts';
import {
  draftOption,
  parseRegionId,
  type RootOptions,
  type SigningOptions,
  withoutPeersOption,
} from '../region.ts';

export function addWithdraw(program: Command, cli: Cli): void {
  program
    .command('withdraw')
    .summary('withdraw a recognition')
    .description(
      'Signs with the root that codes of another region no longer count here. `recognise` gives them back.',
    )
    .argument('<region>', 'directory of the region')
    .argument('<other>', 'id of the region whose recognition ends')
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(['entente withdraw CN-33 DE', 'codes of DE are stopped as soon as this is known']),
    )
    .action((path: string, other: string, options: RootOptions) =>
      change(cli, path, other, options, 'withdrawn', async (home, { region, version }) =>
        appendByRoot(cli, home, [{ kind: 'withdrawal', region, version: version + 1 }], options),
      ),
    );
}

export function addSuspend(program: Command, cli: Cli): void {
  program
    .command('suspend')
    .summary('suspend a recognition without the root')
    .description(
      'Signs with the trust-log key that codes of another region do not count for now. `recognise` ends it.',
    )
    .argument('<region>', 'directory of the region')
    .argument('<other>', 'id of the region whose recognition rests')
    .addOption(withoutPeersOption())
    .addHelpText('after', examples(['entente suspend CN-33 DE', 'at once, and without a ceremony']))
    .action((path: string, other: string, options: SigningOptions) =>
      change(cli, path, other, options, 'suspended', async (home, { region, version }) =>
        home.suspend(region, version),
      ),
    );
}

async function change(
  cli: Cli,
  path: string,
  other: string,
  options: SigningOptions,
  standing: 'withdrawn' | 'suspended',
  append: (home: Desk, recognition: Recognition) => Promise<number>,
): Promise<void> {
  const region = parseRegionId(other);
  await withDesk(
    cli,
    path,
    async (desk) => {
      const recognition = desk.state.recognition(region);
      if (
        recognition === undefined ||
        recognition.standing === 'withdrawn' ||
        recognition.standing === standing
      ) {
        const state = recognition?.standing ?? 'not recognised';
        throw new CliError(EXIT.failure, 'NOT_FOUND', `${region} is ${state}: there is nothing to change`);
      }
      const index = await append(desk, recognition);
      const home = desk.config.region;
      cli.output.result({ home, region, standing, index }, () => [
        `The recognition of ${region} by ${home} is ${standing}, by entry ${index} of its trust log.`,
      ]);
    },
    options,
  );
}
