/** `entente export`: what a region's store holds, as static files for mirrors, auditors and other regions. */
import { resolve } from 'node:path';
import { type Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { aligned, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { withRegion } from '../region.ts';
import { addExportKeys } from './export-keys.ts';

export function addExport(program: Command, cli: Cli): void {
  const parent = program
    .command('export')
    .summary('publish logs as files, and keys for verifiers of others')
    .description(
      'Brings the public directory up to what the store holds, in the layout of C2SP tlog-tiles. Every command that signs does so by itself; this is for another place, or for a public directory that was lost.',
    )
    .argument('<region>', 'directory of the region')
    .option('--to <dir>', 'another directory than public/ of the region')
    .addHelpText(
      'after',
      examples(
        ['entente export CN-33', 'into CN-33/public'],
        ['entente export CN-33 --to /srv/www/CN-33', 'where a web server serves it'],
      ),
    )
    .action((region: string, options: { readonly to?: string }) => runExport(cli, region, options));
  addExportKeys(parent, cli);
}

async function runExport(cli: Cli, path: string, { to }: { readonly to?: string }): Promise<void> {
  await withRegion(
    cli,
    path,
    async (region) => {
      const target = to === undefined ? region.layout.public : resolve(to);
      await region.publish(target);
      const logs = ['trust', ...[...region.state.logs()].map(({ log }) => log).sort()].flatMap((log) => {
        const size = region.node.log(region.originOf(log))?.size ?? 0;
        return size === 0 ? [] : [{ origin: region.originOf(log), size }];
      });
      cli.output.result({ region: region.config.region, to: target, logs }, () => [
        `Published in ${printable(to ?? target)}:`,
        ...aligned(
          logs.map(({ origin, size }) => [origin, `${figure(size)} entries`]),
          '  ',
        ),
      ]);
    },
    { reading: true },
  );
}
