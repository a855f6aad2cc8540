/** `entente witness`: vouches that the logs of peers only grew, and that this region is still there. */
import { resolve } from 'node:path';
import { type Command } from 'commander';
import { NodeError } from '../../node/node-error.ts';
import { type Witnessed, witnessPeer } from '../../node/region/witness.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, cliErrorOf } from '../exit.ts';
import { aligned, figure } from '../output.ts';
import { printableLines } from '../printable.ts';
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

/** A peer that lies or is gone must not keep the others from being vouched for. */
async function witness(cli: Cli, path: string, peers: readonly string[]): Promise<void> {
  await withRegion(cli, path, async (directory, modules) => {
    const { region, peers: known } = directory.config;
    const publicPaths = new Map<string, string>();
    for (const peer of peers) publicPaths.set(peer, await publicPathOf(peer));
    if (peers.length === 0)
      for (const [peer, path] of Object.entries(known))
        publicPaths.set(peer, resolve(directory.layout.path, path));
    await directory.renewCheckpoint();
    const witnessed: Witnessed[] = [];
    const faults: CliError[] = [];
    for (const [peer, publicPath] of publicPaths) {
      try {
        witnessed.push(...(await witnessPeer(directory, publicPath, modules)));
      } catch (error) {
        if (!(error instanceof NodeError) && !isProtocolError(error)) throw error;
        faults.push(faultOf(peer, error));
      }
    }
    cli.output.result({ region, witnessed }, () => [
      `${region} renewed its own checkpoint${witnessed.length > 0 ? ' and vouches for:' : '.'}`,
      ...aligned(
        witnessed.map(({ origin, size, sizeBefore }) => [
          origin,
          `${figure(sizeBefore)} -> ${figure(size)} entries`,
        ]),
        '  ',
      ),
    ]);
    const [worst, ...others] = faults.toSorted((a, b) => b.exit - a.exit);
    for (const { message, code } of others) cli.output.note(`${printableLines(message)} [${code}]`);
    if (worst !== undefined) throw worst;
  });
}

function faultOf(peer: string, error: unknown): CliError {
  const { exit, code, message, hint, details } = cliErrorOf(error);
  return new CliError(exit, code, `${peer}: ${message}`, { ...(hint && { hint }), details });
}
