/** `entente fsck`: whether all that a region's store holds is what was written, and salvage of what is whole. */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command } from 'commander';
import { checkStore, type StoreChecked } from '../../node/audit/store-check.ts';
import { storeDirectoryAt } from '../../node/audit/open-source.ts';
import { RegionLayout, readRegionConfig } from '../../node/region/layout.ts';
import { modeOf } from '../../node/region/files.ts';
import { salvageDirectory } from '../../node/store/salvage-directory.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { aligned, counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { namedDirectory } from '../region.ts';

/** Faults that are listed; the rest is counted. */
const LISTED_MAX = 100;

const EXITS = `

Exit codes: 0 all is whole, 5 something is damaged or missing, 4 there is no
            store, 2 no such directory, 1 the disk failed or a running node
            has the store.`;

export function addFsck(program: Command, cli: Cli): void {
  program
    .command('fsck')
    .summary("check a region's store, value by value")
    .description(
      'Reads the files of the store against their checksums, every value against its hash, and the logs against the second place. Changes nothing without --salvage, which copies what is whole into a new store, keeps the damaged one beside it, and leaves the rest to be fetched from peers. What the logs say is for `audit replay`.',
    )
    .argument('<dir>', 'directory of a region')
    .option('--salvage', 'copy what is whole into a new store')
    .addHelpText(
      'after',
      examples(
        ['entente fsck CN-33', 'is all of it what was written?'],
        ['entente fsck CN-33 --salvage', 'save what can be read'],
      ) + EXITS,
    )
    .action((path: string, options: { readonly salvage?: boolean }) => fsck(cli, path, options));
}

async function fsck(cli: Cli, path: string, options: { readonly salvage?: boolean }): Promise<void> {
  namedDirectory(path);
  const directory = await storeDirectoryAt(path);
  if (directory === undefined) {
    throw new CliError(EXIT.undetermined, 'STORE_MISSING', `there is no store in ${printable(path)}`, {
      hint: 'Name a directory that `entente init` made. Published files are checked by `entente audit replay`.',
    });
  }
  const layout = new RegionLayout(resolve(path));
  const config = (await modeOf(layout.config)) === undefined ? undefined : await readRegionConfig(layout, {});
  if (options.salvage === true) {
    const owner = config && `${config.region}.${config.network}`;
    return salvage(cli, directory, owner);
  }
  const total = await bytesIn(join(directory, 'level'));
  const progress = cli.output.progress('bytes', total);
  const checked = await checkStore(
    {
      directory,
      secondPlace: config && layout.resolve(config.storage.secondPlace),
      faultsMax: LISTED_MAX,
    },
    // LevelDB keeps some values twice and packs others: what its files hold is an estimate.
    { onProgress: (bytes) => progress.at(Math.min(bytes, total - 1)) },
  );
  progress.at(total);
  if (checked.faultCount > 0 || checked.incomplete) cli.exit = EXIT.inconsistent;
  cli.output.result({ where: directory, ...checked }, () => reportLines(checked, cli));
}

async function salvage(cli: Cli, directory: string, owner: string | undefined): Promise<void> {
  if (owner === undefined) {
    throw new CliError(EXIT.usage, 'USAGE', 'whose store this is stands in the region’s entente.yaml', {
      hint: 'Name the directory of the region, not that of its store.',
    });
  }
  const salvaged = await salvageDirectory({ owner, directory });
  cli.output.result({ where: directory, ...salvaged }, () => [
    `Kept ${counted(salvaged.kept, 'value')}; ${counted(salvaged.lost, 'value')} could not be read as written.`,
    ...salvaged.lostKeys.map((key) => `  ${printable(key)}`),
    'The damaged store lies beside the new one as level.damaged-1 or higher. Start the region with its peers at hand: it fetches what is missing, and signs again once they have shown that nothing is.',
  ]);
}

function reportLines(checked: StoreChecked, cli: Cli): string[] {
  const { red, yellow, green } = cli.output.colours;
  const { owner, batches, values, bytes, incomplete, logs, faults, faultCount } = checked;
  const lines = [
    owner ?? 'a store of nobody known',
    ...aligned(
      [
        ['batches', figure(batches)],
        ['bytes', figure(bytes)],
        ...Object.entries(values).map(([kind, count]) => [printable(kind), counted(count, 'value')] as const),
        ...Object.entries(logs).map(([log, size]) => [printable(log), `${figure(size)} entries`] as const),
      ],
      '  ',
    ),
  ];
  for (const { code, message } of faults) lines.push(red(`${printable(message)} [${code}]`));
  if (faultCount > faults.length) lines.push(red(`and ${counted(faultCount - faults.length, 'fault')} more`));
  if (incomplete)
    lines.push(yellow('A salvage has left it incomplete: what may be missing is to come from peers.'));
  if (faultCount > 0) {
    lines.push(
      'Restore a backup and start with peers at hand, or save what is whole: entente fsck --salvage DIR',
    );
  } else if (!incomplete) lines.push(green('All of it is what was written.'));
  return lines;
}

async function bytesIn(directory: string): Promise<number> {
  let bytes = 1;
  for (const name of await readdir(directory)) bytes += (await stat(join(directory, name))).size;
  return bytes;
}
