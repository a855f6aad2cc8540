/** `entente run`: a region's node as a process, until it is told to stop. */
import { type Command } from 'commander';
import { type NamedSettings } from '../../node/config/overlay.ts';
import { isNodeError } from '../../node/node-error.ts';
import type { NodeService } from '../../node/service/node-service.ts';
import { systemClock } from '../../node/system-clock.ts';
import { type Cli, examples } from '../cli.ts';
import { usageError } from '../exit.ts';
import { aligned } from '../output.ts';
import { printable } from '../printable.ts';
import { regionModules } from '../region.ts';
import { SOFTWARE } from '../version.ts';
import { stopInTime } from './stop-in-time.ts';

interface RunOptions {
  readonly set?: NamedSettings;
  readonly withoutPeers?: boolean;
  readonly standby?: boolean;
}

/** Milliseconds from the signal to stop until it ends in any case: answers in hand have 5 s; after 10 s Docker kills without a word. */
const STOP_MS_MAX = 9_000;

/** Milliseconds between two looks at whether something has changed that is worth a line: while it starts, and later. */
const LOOK_MS = 250;
const LOOK_LATER_MS = 1_000;

export function addRun(program: Command, cli: Cli): void {
  program
    .command('run')
    .summary('run the node of a region, or of several')
    .description(
      'Runs the node of a region until Ctrl-C or SIGTERM: it gives verdicts, follows its peers and signs for the region. Of several directories it hosts all regions in one process, each with its own root, logs, registry, rules and addresses. With --json a line for each event.',
    )
    .argument('<dir...>', 'directories of the regions')
    .option(
      '--set <key=value>',
      'a setting over entente.yaml and the environment, as in http.port=8601',
      collectSetting,
    )
    .option(
      '--without-peers',
      'sign although too few peers can be asked, since this is the newest copy of the region',
    )
    .option('--standby', 'follow and judge, and sign nothing before `entente promote`: needs writer.fenced')
    .addHelpText(
      'after',
      examples(
        ['entente run DE', 'with what DE/entente.yaml says'],
        ['entente run CN CN-33 CN-34', 'hosts two regions besides its own'],
        ['entente run DE --set http.port=0 --json', 'on a free port, with events for programs'],
        ['ENTENTE_LOG_FORMAT=pretty entente run DE', 'settings by the environment'],
      ),
    )
    .action((dirs: readonly string[], options: RunOptions) => run(cli, dirs, options));
}

function collectSetting(text: string, before: NamedSettings = []): NamedSettings {
  const [name = '', ...value] = text.split('=');
  if (value.length === 0) throw usageError(`expected key=value, not ${printable(text)}`);
  return [...before, [name, value.join('=')]];
}

async function run(
  cli: Cli,
  paths: readonly string[],
  { set = [], withoutPeers = false, standby = false }: RunOptions,
): Promise<void> {
  const { environment = {}, onSignal = () => undefined, writeErr, clock = systemClock } = cli.surroundings;
  const stopping = stopInTime({ patienceMs: STOP_MS_MAX }, cli.surroundings);
  // Half a second of imports that no other command needs.
  const [{ NodeService }, { openLog }] = await Promise.all([
    import('../../node/service/node-service.ts'),
    import('../../node/logging/log.ts'),
  ]);
  const modules = { ...(await regionModules(cli)), clock };
  const services: NodeService[] = [];
  const isOne = paths.length === 1;
  // Before they run: a signal that nobody hears ends the process.
  onSignal('SIGHUP', () => services.forEach((service) => void service.reload()));
  try {
    for (const path of paths) {
      if (stopping.aborted) break;
      const over = { environment, settings: set };
      const service = await NodeService.start(
        { path, over, withoutPeers, isStandby: standby, software: SOFTWARE },
        { ...modules, openLog: (options) => openLog(options, writeErr) },
      ).catch((error: unknown) => {
        // Of several, one that has left keeps none of the others from being hosted.
        if (isOne || !isNodeError(error, 'REGION_MOVED')) throw error;
        cli.output.note(`${printable(error.message)}. The others run without it.`);
      });
      if (service === undefined) continue;
      services.push(service);
      tellAddresses(cli, service);
    }
    await Promise.all(services.map((service) => keep(cli, service, isOne, stopping)));
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
  tell(cli, { event: 'stopped' }, 'Stopped.');
}

/** Until all are told to stop, or the operator of this region asks for its end. */
async function keep(cli: Cli, service: NodeService, isOne: boolean, stopping: AbortSignal): Promise<void> {
  const { region } = service.config;
  const say: Say = (event, text) =>
    isOne ? tell(cli, event, text) : tell(cli, { ...event, region }, `${region}: ${text}`);
  await tellChanges(say, service, AbortSignal.any([stopping, service.leaving]));
  await service.stop();
  if (!isOne) say({ event: 'left' }, 'It has stopped.');
}

type Say = (event: object, text: string) => void;

function tellAddresses(cli: Cli, { addresses, config }: NodeService): void {
  const { region, network, name } = config;
  const { peer, p2p, http, admin } = addresses;
  cli.output.result({ event: 'listens', region, network, peer, p2p, http, admin }, () => [
    `${region} (${printable(name)}) in network ${network}`,
    ...aligned(
      [
        ['verdicts', http],
        ...p2p.map((address) => ['peers', address] as const),
        ['operator', printable(admin)],
      ],
      '  ',
    ),
  ]);
}

/** Until it is told to stop: a line when it can be asked, when it signs, and whenever that changes. */
async function tellChanges(say: Say, service: NodeService, signal: AbortSignal): Promise<void> {
  let told = { ready: false, writing: '' };
  while (!signal.aborted) {
    const { health, writing } = service.status;
    if (health.ready && !told.ready) say({ event: 'ready' }, 'Ready: it can be asked for verdicts.');
    if (!health.ready && told.ready) {
      say({ event: 'not-ready', reasons: health.reasons }, `Not ready: ${health.reasons.join('; ')}.`);
    }
    if (writing !== told.writing && writing !== 'clear')
      say({ event: 'writing', writing }, WRITING_TEXTS[writing]);
    told = { ready: health.ready, writing };
    const isUp = health.ready && writing === 'writing';
    await systemClock.wait(isUp ? LOOK_LATER_MS : LOOK_MS, signal).catch(() => undefined);
  }
}

function tell(cli: Cli, event: object, text: string): void {
  cli.output.result(event, () => [text]);
}

const WRITING_TEXTS = {
  checking: 'Asking peers whether this is the newest copy of the region.',
  clear: 'It may sign.',
  writing: 'It signs for the region.',
  standby:
    'It does not sign: another machine does. This one follows, and `entente promote` lets it take over.',
  alone: 'It does not sign: too few peers have answered yet. It asks on; --without-peers does without them.',
  behind: 'It does not sign: peers hold more of its logs than it does. It fetches that first.',
  contradicted: 'It does not sign: somebody else signs with its keys, or did.',
  astray: 'It does not sign: most other regions say that the clock of this machine is wrong.',
  failed: 'It does not sign: see the log.',
  stopped: 'It does not sign any more.',
} as const;
