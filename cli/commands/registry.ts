/** `entente registry move`: where what is private is kept, in the store of the node or in PostgreSQL. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { editConfig } from '../../node/config/config-file.ts';
import { type Config } from '../../node/config/schema.ts';
import { act } from '../../node/operators/acting.ts';
import { type Actor } from '../../node/operators/scopes.ts';
import { type ActingRecords, openActingRecords } from '../../node/region/acting-records.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { requireNotMoved } from '../../node/region/moved.ts';
import { readRegistryKey } from '../../node/region/region-keys.ts';
import { registryDatabase } from '../../node/region/registry-database.ts';
import { adoptTables, clearLeft, countRows, moveTables } from '../../node/registry/moving.ts';
import { type PostgresTables } from '../../node/registry/postgres-tables.ts';
import { Registry } from '../../node/registry/registry.ts';
import { registryElsewhere } from '../../node/registry/registry-error.ts';
import { RegistryMark } from '../../node/registry/registry-mark.ts';
import {
  requireRegistry,
  requireSomeRegistry,
  type Whereabouts,
  whereabouts,
} from '../../node/registry/whereabouts.ts';
import { type Store } from '../../node/store/store.ts';
import { storeInDirectory } from '../../node/store/store-directory.ts';
import { systemClock } from '../../node/system-clock.ts';
import { systemRandom } from '../../node/system-random.ts';
import { type Cli, examples } from '../cli.ts';
import { actorOf } from '../desk/actor.ts';
import { usageError } from '../exit.ts';
import { figure } from '../output.ts';
import { printable } from '../printable.ts';
import { regionModules } from '../region.ts';

interface MoveOptions {
  readonly to: Whereabouts;
  readonly file?: string;
  readonly replace?: true;
  readonly adopt?: true;
}

export function addRegistry(program: Command, cli: Cli): void {
  const registry = program
    .command('registry')
    .summary('move what is private to PostgreSQL, or back')
    .description('Who holds which code, what people declared, background data: all that no log says.');
  registry
    .command('move')
    .description(
      'Copies all that is private, sealed as it is, into PostgreSQL or back into the store; from then on it counts there, and is removed where it was. The node has to be stopped. If it breaks off, run it again: until all is copied, what was there before counts. Where operators are named it takes the scope trust.',
    )
    .argument('<region>', 'directory of the region')
    .addOption(new Option('--to <place>', 'where to').choices(['postgres', 'store']).makeOptionMandatory())
    .option(
      '--file <path>',
      'file of mode 0600 with the connection string, which the config names from then on',
    )
    .option('--replace', 'remove what lies there of this region, which no move has left')
    .option(
      '--adopt',
      'copy nothing: the registry that the database holds is that of this directory, which is older than the move or was made anew',
    )
    .addHelpText(
      'after',
      examples(
        [
          'entente registry move DE --to postgres --file DE/postgres.url',
          'a line as postgres://user:password@host/database',
        ],
        ['entente registry move DE --to store --operator anna.key', 'back again, where operators are named'],
        [
          'entente registry move DE --to postgres --file DE/postgres.url --adopt',
          'a directory that was put back from before the move',
        ],
      ),
    )
    .action((path: string, options: MoveOptions) => move(cli, path, options));
  registry
    .command('accept')
    .description(
      'Goes on with a database that has lost what it acknowledged (REGISTRY_BEHIND), where nothing that has it all can be brought back. Codes that it does not know any more count, and can be revoked by log and index. The node has to be stopped. Where operators are named it takes the scope trust.',
    )
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente registry accept DE', 'after a look at docs/postgres.md']))
    .action((path: string) => accept(cli, path));
}

async function move(cli: Cli, path: string, options: MoveOptions): Promise<void> {
  const { to, file, adopt, replace } = options;
  if (adopt && to === 'store') throw usageError('--adopt goes with --to postgres', 'Leave it out.');
  const action = {
    action: `registry/${adopt ? 'adopt' : 'move'}`,
    needs: 'trust',
    about: replace ? `${to}, in the place of what lay there` : to,
  } as const;
  await withPlaces(cli, path, file, async (places, { layout, config, isOfFile, records, actor }) => {
    const rows = await act(records.trail, actor, action, async (tally) => {
      tally.done = adopt ? await adopted(cli, places, options) : await moved(cli, places, options);
      tally.figures = { rows: tally.done };
      const value = to === 'postgres' ? config.registry.connectionFile : undefined;
      if (isOfFile) await editConfig(layout.config, [{ at: ['registry', 'connectionFile'], value }]);
      if (!adopt) await clearLeft(places);
      return tally.done;
    });
    const { region } = config;
    const what = adopt ? 'The registry of that database was adopted' : `${figure(rows)} rows copied`;
    cli.output.result({ region, to, rows }, () => [
      `${what}: all that is private of ${region} lies in ${to === 'postgres' ? 'PostgreSQL' : 'the store'} now.`,
      to === 'postgres'
        ? `Back it up there, together with ${printable(layout.keys)}: neither is of use without the other.`
        : 'The database may keep what was removed until it is vacuumed (docs/postgres.md).',
    ]);
  });
}

/** How many rows were copied. */
async function moved(
  cli: Cli,
  { store, postgres }: OpenPlaces,
  { to, replace }: MoveOptions,
): Promise<number> {
  await postgres.look();
  const total = await countRows(to === 'postgres' ? store : postgres);
  const progress = cli.output.progress('rows', total);
  const onCopied = (copied: number) => progress.at(Math.min(copied, total));
  const modules = { store, postgres, random: systemRandom(), onCopied };
  const rows = await moveTables({ to, isReplacing: replace === true }, modules);
  progress.at(total);
  return rows;
}

async function adopted(
  { surroundings: { random } }: Cli,
  { store, postgres, registryKey }: OpenPlaces,
  { replace }: MoveOptions,
): Promise<number> {
  await requireSomeRegistry(postgres);
  // Of another key nothing could be read.
  await (await Registry.open({ key: registryKey }, { tables: postgres, random })).requireKey();
  await adoptTables({ isReplacing: replace === true }, { store, postgres });
  return 0;
}

async function accept(cli: Cli, path: string): Promise<void> {
  const action = { action: 'registry/accept', needs: 'trust' } as const;
  await withPlaces(cli, path, undefined, async ({ store, postgres }, { config, records, actor }) => {
    const { region } = config;
    await act(records.trail, actor, action, async (tally) => {
      const place = await whereabouts(store);
      if (place.at === 'store') throw registryElsewhere('store');
      await requireRegistry(postgres, place.id);
      tally.done = await countRows(postgres);
      await new RegistryMark({ store, tables: postgres }).accept();
      tally.figures = { rows: tally.done };
    });
    cli.output.result({ region, accepted: true }, () => [
      `From here on what the database holds is all that is private of ${region}.`,
    ]);
  });
}

interface OpenPlaces {
  readonly store: Store;
  readonly postgres: PostgresTables;
  readonly registryKey: Uint8Array;
}

interface PlacesOf {
  readonly layout: RegionLayout;
  readonly config: Config;
  /** The config names the file with the connection string, or is to. */
  readonly isOfFile: boolean;
  readonly records: ActingRecords;
  /** In whose name the command acts. */
  readonly actor: Actor;
}

/** Both places of a region whose node is stopped. `file`: names the database, in place of the config. */
async function withPlaces(
  cli: Cli,
  path: string,
  file: string | undefined,
  use: (places: OpenPlaces, of: PlacesOf) => Promise<void>,
): Promise<void> {
  const layout = new RegionLayout(resolve(path));
  const { environment = {} } = cli.surroundings;
  const read = await readRegionConfig(layout, { environment });
  await requireNotMoved(layout);
  const isOfFile = read.registry.connection === undefined;
  if (file !== undefined && !isOfFile)
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
    const registryKey = await readRegistryKey(layout.keys, config);
    await store.start();
    const modules = await regionModules(cli);
    const records = await openActingRecords(layout, config, modules);
    const actor = await actorOf({ layout, config, operators: records.operators }, modules);
    await use({ store, postgres, registryKey }, { layout, config, isOfFile, records, actor });
  } finally {
    await postgres.stop();
    await store.stop();
  }
}
