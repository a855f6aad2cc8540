/** `entente worker`: prepares codes for the node of a region, over the PostgreSQL that both use. */
import { resolve } from 'node:path';
import { type Command } from 'commander';
import { scryptInPool } from '../../node/crypto/scrypt.ts';
import { type NodeError } from '../../node/node-error.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { requireNotMoved } from '../../node/region/moved.ts';
import { readRegistryKey } from '../../node/region/region-keys.ts';
import { registryDatabase } from '../../node/region/registry-database.ts';
import { Registry } from '../../node/registry/registry.ts';
import { requireSomeRegistry } from '../../node/registry/whereabouts.ts';
import { systemClock } from '../../node/system-clock.ts';
import { Worker } from '../../node/workers/worker.ts';
import { type Cli, examples } from '../cli.ts';
import { usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { stopInTime } from './stop-in-time.ts';

/** An order takes a second or two, if all in it are for paper. */
const STOP_MS_MAX = 9_000;
/** Between two lines that say how much was done. */
const TELL_MS = 10_000;

export function addWorker(program: Command, cli: Cli): void {
  program
    .command('worker')
    .summary('prepare codes for a node, over PostgreSQL')
    .description(
      'Takes up what the node of a region has to issue, and does the part of it that needs no place in the log: hashes of documents, salts, commitments. The node alone issues: a worker may be killed at any time, and what it had in hand is taken up by another, or by the node. Runs until Ctrl-C or SIGTERM, beside the node or on another machine: there it needs entente.yaml, keys/registry-*.json and the connection string, and no key that signs. As many as there are cores may run. With --json a line for each event.',
    )
    .argument('<region>', 'directory of the region')
    .addHelpText(
      'after',
      examples(
        ['entente worker DE', 'beside the node, whose registry lies in PostgreSQL (docs/postgres.md)'],
        ['entente worker DE --json', 'with events for programs'],
      ),
    )
    .action((path: string) => work(cli, path));
}

async function work(cli: Cli, path: string): Promise<void> {
  const { environment = {}, random, clock = systemClock } = cli.surroundings;
  const stopping = stopInTime({ patienceMs: STOP_MS_MAX }, cli.surroundings);
  const layout = new RegionLayout(resolve(path));
  const config = await readRegionConfig(layout, { environment });
  await requireNotMoved(layout);
  const tables = await registryDatabase(layout, config, { clock: systemClock });
  if (tables === undefined)
    throw usageError(
      'a worker needs a registry in PostgreSQL, and the config names none',
      'Move it there: entente registry move <region> --to postgres (docs/postgres.md).',
    );
  const done = { orders: 0, people: 0 };
  let toldAtMs = clock.runMs();
  const tellDone = () => {
    toldAtMs = clock.runMs();
    tell(cli, { event: 'prepared', ...done }, `${doneText(done)} so far.`);
  };
  try {
    const registryKey = await readRegistryKey(layout.keys, config);
    await requireSomeRegistry(tables);
    await (await Registry.open({ key: registryKey }, { tables, random })).requireKey();
    const { sha256 } = await cli.crypto();
    const worker = new Worker(
      { registryKey },
      {
        tables,
        clock,
        random,
        sha256,
        scrypt: scryptInPool,
        onPrepared: (people) => {
          done.orders++;
          done.people += people;
          if (clock.runMs() - toldAtMs >= TELL_MS) tellDone();
        },
        onTrouble: (error) => tellTrouble(cli, error),
        onBack: () => tell(cli, { event: 'back' }, 'The database is back.'),
      },
    );
    const { region } = config;
    tell(
      cli,
      { event: 'works', region, worker: worker.id },
      `Worker ${worker.id} of ${region} takes orders.`,
    );
    await worker.run(stopping);
  } finally {
    await tables.stop();
  }
  tell(cli, { event: 'stopped', ...done }, `Stopped: ${doneText(done)}.`);
}

function doneText({ orders, people }: { readonly orders: number; readonly people: number }): string {
  return `${counted(people, 'code')} prepared in ${counted(orders, 'order')}`;
}

function tellTrouble(cli: Cli, { code, message }: NodeError): void {
  tell(cli, { event: 'away', code, message }, `${printable(message)} [${code}]. It waits.`);
}

function tell(cli: Cli, event: object, text: string): void {
  cli.output.result(event, () => [text]);
}
