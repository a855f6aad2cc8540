/** `entente registry move`: where what is private is kept, in the store of the node or in PostgreSQL. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { editConfig } from '../../node/config/config-file.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { requireNotMoved } from '../../node/region/moved.ts';
import { registryDatabase } from '../../node/region/registry-database.ts';
import { clearLeft, countRows, moveTables } from '../../node/registry/moving.ts';
import { type Whereabouts } from '../../node/registry/whereabouts.ts';
import { storeInDirectory } from '../../node/store/store-directory.ts';
import { systemClock } from '../../node/system-clock.ts';
import { systemRandom } from '../../node/system-random.ts';
import { type Cli, examples } from '../cli.ts';
import { usageError } from '../exit.ts';
import { figure } from '../output.ts';
import { printable } from '../printable.ts';

interface MoveOptions {
  readonly to: Whereabouts;
  readonly file?: string;
  readonly replace?: true;
}

export function addRegistry(program: Command, cli: Cli): void {
  const registry = program
    .command('registry')
    .summary('move what is private to PostgreSQL, or back')
    .description('Who holds which code, what people declared, background data: all that no log says.');
  registry
    .command('move')
    .description(
      'Copies all that is private, sealed as it is, into PostgreSQL or back into the store; from then on it counts there, and is removed where it was. The node has to be stopped. If it breaks off, run it again: until all is copied, what was there before counts.',
    )
    .argument('<region>', 'directory of the region')
    .addOption(new Option('--to <place>', 'where to').choices(['postgres', 'store']).makeOptionMandatory())
    .option(
      '--file <path>',
      'file of mode 0600 with the connection string, which the config names from then on',
    )
    .option('--replace', 'remove what lies there of this region, which no move has left')
    .addHelpText(
      'after',
      examples(
        [
          'entente registry move DE --to postgres --file DE/postgres.url',
          'a line as postgres://user:password@host/database',
        ],
        ['entente registry move DE --to store', 'back again'],
      ),
    )
    .action((path: string, options: MoveOptions) => move(cli, path, options));
}

async function move(cli: Cli, path: string, { to, file, replace }: MoveOptions): Promise<void> {
  const layout = new RegionLayout(resolve(path));
  const { environment = {} } = cli.surroundings;
  const read = await readRegionConfig(layout, { environment });
  await requireNotMoved(layout);
  if (file !== undefined && read.registry.connection !== undefined)
    throw usageError(
      '--file and ENTENTE_REGISTRY_CONNECTION both name a database',
      'Leave one of them out: the config cannot name the file while the environment names another.',
    );
  const named = file === undefined ? {} : { connectionFile: resolve(file) };
  const config = { ...read, registry: { ...read.registry, ...named } };
  const postgres = await registryDatabase(layout, config, { clock: systemClock });
  if (postgres === undefined)
    throw usageError('no PostgreSQL is named', 'Name the file with its connection string: --file PATH.');
  const { region, network, storage } = config;
  const directory = layout.resolve(storage.store);
  const store = storeInDirectory({ owner: `${region}.${network}`, directory }, { clock: systemClock });
  try {
    await postgres.look();
    await store.start();
    const total = await countRows(to === 'postgres' ? store : postgres);
    const progress = cli.output.progress('rows', total);
    const rows = await moveTables(
      { to, isReplacing: replace === true },
      { store, postgres, random: systemRandom(), onCopied: (copied) => progress.at(Math.min(copied, total)) },
    );
    progress.at(total);
    const value = to === 'postgres' ? config.registry.connectionFile : undefined;
    if (read.registry.connection === undefined)
      await editConfig(layout.config, [{ at: ['registry', 'connectionFile'], value }]);
    await clearLeft({ store, postgres });
    cli.output.result({ region, to, rows }, () => [
      `${figure(rows)} rows copied: all that is private of ${region} lies in ${to === 'postgres' ? 'PostgreSQL' : 'the store'} now.`,
      to === 'postgres'
        ? `Back it up there, together with ${printable(layout.keys)}: neither is of use without the other.`
        : 'The database may keep what was removed until it is vacuumed (docs/postgres.md).',
    ]);
  } finally {
    await postgres.stop();
    await store.stop();
  }
}
