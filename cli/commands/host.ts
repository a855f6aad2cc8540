/** `entente host move`: a region leaves the node that hosts it, with its logs, its codes and its registry. */
import { join } from 'node:path';
import { type Command } from 'commander';
import { passphraseOption } from '../ceremony/passphrase.ts';
import { type MoveOptions, moveRegion } from '../host/move-region.ts';
import { type Cli, examples } from '../cli.ts';
import { printable } from '../printable.ts';

export function addHost(program: Command, cli: Cli): void {
  const host = program
    .command('host')
    .summary('move a hosted region to a node of its own')
    .description('Regions that a node hosts for others: `entente run` takes several directories.');
  host
    .command('move')
    .description(
      'Moves a region to another directory, for a node of its own: makes new keys and a new identity there, stops its node where it runs, takes its logs, registry, config and the files of its root keys along, and gives up the keys that the old place has or had, so that nobody signs there any more, nor dates codes back. Needs the root keys at hand: their files in the directory, or sealed ones by --key. What lies outside the directory, as a store on another disk, stays where it is. Codes stay as they are, but gates without a network cannot decide on those from before (PROOF_NEEDED) until they are renewed or have expired: green ones after seven days, others after 30 at most. If it breaks off, run it again: meanwhile one place at most signs.',
    )
    .argument('<region>', 'directory of the region, whose node may run, hosted with others')
    .argument('<to>', 'directory to make')
    .option('--key <file>', 'sealed key of the root: root-<id>.sealed.json; give it once for each', collect)
    .addOption(passphraseOption())
    .addHelpText('after', examples(['entente host move FR /srv/www/FR', 'then run the node there']))
    .action((from: string, to: string, options: MoveOptions) => move(cli, from, to, options));
}

async function move(cli: Cli, from: string, to: string, options: MoveOptions): Promise<void> {
  const { region, replaced, rootKeys } = await moveRegion(cli, from, to, options);
  cli.output.result({ region, from, to, replaced, rootKeys }, () => [
    replaced > 0
      ? `${region} has moved to ${printable(to)}: the ${replaced} keys of the old place are given up.`
      : `${region} has moved to ${printable(to)} before: all keys of the old place are given up, and nothing is left to do.`,
    `Run its node there: entente run ${printable(to)}`,
    ...(rootKeys.length > 0
      ? [
          `Its root keys are in ${printable(join(to, 'keys'))} alone now; keep them elsewhere: ${rootKeys.join(', ')}`,
        ]
      : []),
    `What is left in ${printable(from)} holds its registry: remove it once the node runs, and name the new place where peers read its directory.`,
  ]);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
