/** `entente witness`: vouches that the logs of peers only grew, and that this region is still there. */
import { resolve } from 'node:path';
import { type Command } from 'commander';
import { type Witnessed, witnessPeer } from '../../node/region/witness.ts';
import { type Cli, examples } from '../cli.ts';
import { aligned, figure } from '../output.ts';
import { publicPathOf, withRegion } from '../region.ts';

export function addWitness(program: Command, cli: Cli): void {
  program
    .command('witness')
    .summary("cosign the logs of peers, and renew this region's own checkpoint")
    .description(
      'Checks that what peers publish has only grown since it was last seen, remembers that, and publishes a cosignature. Verifiers need enough of them, and fresh ones: run it again every few minutes.',
    )
    .argument('<region>', 'directory of the region whose witness signs')
    .argument(
      '[peers...]',
      'directories of peers (default: all that this region has recognised by directory)',
    )
    .addHelpText(
      'after',
      examples(['entente witness DE', 'all known peers'], ['entente witness DE CN-33', 'one of them']),
    )
    .action((region: string, peers: readonly string[]) => witness(cli, region, peers));
}

async function witness(cli: Cli, path: string, peers: readonly string[]): Promise<void> {
  await withRegion(cli, path, async (directory, modules) => {
    const known = Object.values(directory.config.peers).map((peer) => resolve(directory.layout.path, peer));
    const publicPaths = peers.length > 0 ? await Promise.all(peers.map(publicPathOf)) : known;
    await directory.renewCheckpoint();
    const witnessed: Witnessed[] = [];
    for (const publicPath of publicPaths)
      witnessed.push(...(await witnessPeer(directory, publicPath, modules)));
    const { region } = directory.config;
    cli.output.result({ region, witnessed }, () => [
      `${region} renewed its own checkpoint and vouches for:`,
      ...aligned(
        witnessed.map(({ origin, size, sizeBefore }) => [
          origin,
          `${figure(sizeBefore)} -> ${figure(size)} entries`,
        ]),
        '  ',
      ),
    ]);
  });
}
