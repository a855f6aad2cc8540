/** `entente up`: several regions as several processes, until they are told to stop. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type NamedSettings } from '../../node/config/overlay.ts';
import { type Config } from '../../node/config/schema.ts';
import { namesIn } from '../../node/region/files.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { isNodeError } from '../../node/node-error.ts';
import { systemClock } from '../../node/system-clock.ts';
import { type Cli, examples } from '../cli.ts';
import { DemoShell } from '../demo/shell.ts';
import { usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { MEET_MS_MAX, type Place, type Unconnected, whenConnected } from '../processes/connected.ts';
import { NodeProcess } from '../processes/node-process.ts';
import { giveAddresses } from '../processes/prepare.ts';
import { workablePorts } from '../processes/workable-ports.ts';
import { table } from '../table.ts';

/** Regions to set up where there are none. */
const NEW_REGIONS = ['CN-33', 'DE', 'FR', 'IT', 'JP', 'BR', 'KE', 'NZ'];
/** Processes on one machine. */
const RUNNING_MAX = 34;
/** A node that dies is started again, each time after twice the wait. */
const RESTARTS_MAX = 5;
const RESTART_MS = 1_000;

interface UpOptions {
  readonly regions: number;
}

interface Found extends Place {
  /** Over its config, where that names ports that somebody else has. */
  readonly settings: NamedSettings;
}

export function addUp(program: Command, cli: Cli): void {
  program
    .command('up')
    .summary('run several regions, each as a process')
    .description(
      'Runs the nodes of all regions below a directory until Ctrl-C. Where there are none it sets some up first, which recognise each other; without a directory these are gone by the end.',
    )
    .argument('[dir]', 'directory that holds the directories of regions')
    .option('--regions <n>', `regions to set up, 1 to ${NEW_REGIONS.length}`, parseRegions, 3)
    .addHelpText(
      'after',
      examples(
        ['entente up', 'three new regions, for as long as it runs'],
        ['entente up ./federation --regions 5', 'five regions, which are kept'],
        ['entente up ./federation --json', 'a line for each event'],
      ),
    )
    .action((dir: string | undefined, options: UpOptions) => up(cli, dir, options));
}

async function up(cli: Cli, dir: string | undefined, { regions }: UpOptions): Promise<void> {
  const stopping = new AbortController();
  const { onSignal = () => undefined } = cli.surroundings;
  onSignal('SIGINT', () => stopping.abort());
  onSignal('SIGTERM', () => stopping.abort());
  onSignal('SIGHUP', () => stopping.abort());
  const path = dir === undefined ? await mkdtemp(join(tmpdir(), 'entente-up-')) : resolve(dir);
  const nodes = new Map<string, NodeProcess>();
  try {
    const found = await regionsIn(path);
    if (found.length === 0)
      cli.output.text(`Setting up ${counted(regions, 'region')} in ${printable(path)} ...`);
    const places =
      found.length > 0 ? found : await setUp(cli, path, NEW_REGIONS.slice(0, regions), stopping.signal);
    tellPorts(cli, places);
    if (places.length > RUNNING_MAX) throw usageError(`${path} holds more than ${RUNNING_MAX} regions`);
    for (const place of places) nodes.set(place.region, startNode(place));
    const interrupted = new Promise<void>((done) => {
      if (stopping.signal.aborted) done();
      else stopping.signal.addEventListener('abort', () => done(), { once: true });
    });
    await Promise.race([Promise.all([...nodes.values()].map((node) => node.ready())), interrupted]);
    const missing = await whenConnected(places, { msMax: MEET_MS_MAX, signal: stopping.signal });
    if (!stopping.signal.aborted) {
      tellPlaces(cli, places, nodes);
      tellUnconnected(cli, missing);
      await Promise.all(places.map((place) => keepRunning(cli, place, nodes, stopping.signal)));
    }
  } finally {
    stopping.abort();
    await Promise.all([...nodes.values()].map((node) => node.stop()));
    if (dir === undefined) await rm(path, { recursive: true, force: true });
  }
  cli.output.result({ event: 'stopped' }, () => ['Stopped.']);
}

function startNode({ region, path, settings }: Found): NodeProcess {
  return NodeProcess.start(region, path, [['log.level', 'warn'], ...settings]);
}

/** By the names of their directories. */
async function regionsIn(path: string): Promise<Found[]> {
  const configs = new Map<string, Config>();
  for (const name of (await namesIn(path)).toSorted()) {
    const at = join(path, name);
    try {
      configs.set(at, await readRegionConfig(new RegionLayout(at)));
    } catch (error) {
      if (!isNodeError(error, 'DIRECTORY_MISSING')) throw error;
    }
  }
  const ports = await workablePorts([...configs.values()]);
  return [...configs].map(([at, { region }]) => ({ region, path: at, settings: ports.get(region) ?? [] }));
}

/** New regions that all recognise each other, each with ports of its own. */
async function setUp(
  cli: Cli,
  path: string,
  regions: readonly string[],
  signal: AbortSignal,
): Promise<Found[]> {
  await mkdir(path, { recursive: true });
  const shell = new DemoShell(cli);
  const places = regions.map((region) => ({ region, path: join(path, region), settings: [] }));
  for (const { region, path: at } of places) {
    signal.throwIfAborted();
    await shell.runSilently('init', region, '--dir', at);
    await giveAddresses(at);
  }
  for (const { path: home } of places) {
    for (const { path: peer } of places) if (peer !== home) await shell.runSilently('recognise', home, peer);
  }
  return places;
}

function tellPorts(cli: Cli, places: readonly Found[]): void {
  for (const { region, settings } of places) {
    if (settings.length === 0) continue;
    const given = settings.map((setting) => setting.join('='));
    cli.output.note(
      `${region}: the ports of its entente.yaml are taken; for now it has ${given.join(', ')}.`,
    );
  }
}

function tellUnconnected(cli: Cli, missing: readonly Unconnected[]): void {
  if (missing.length === 0) return;
  cli.output.result({ event: 'unconnected', missing }, () => [
    'Not connected, although they recognise each other:',
    ...missing.map(({ region, peer, why }) => `  ${region} with ${peer}: ${why}`),
    'They go on trying. `entente doctor` on their directories says more.',
  ]);
}

function tellPlaces(cli: Cli, places: readonly Place[], nodes: ReadonlyMap<string, NodeProcess>): void {
  const running = places.map(({ region, path }) => {
    const node = nodes.get(region);
    return { region, path, http: node?.http ?? '', admin: node?.admin ?? '', pid: node?.pid };
  });
  const [issuer, gate = issuer] = running;
  cli.output.result({ event: 'running', regions: running }, () => [
    ...table(
      ['region', 'verdicts', 'directory', 'process'],
      running.map(({ region, http, path, pid }) => [region, http, printable(path), String(pid)]),
    ),
    '',
    'Try in another terminal:',
    `  entente issue ${printable(issuer?.path ?? '')} --subject 'Person 1' --colour green`,
    `  entente verify --node ${gate?.http ?? ''} 'ENT1:...'`,
    `  entente revoke ${printable(issuer?.path ?? '')} --subject 'Person 1'`,
    `  entente status ${printable(gate?.path ?? '')}`,
    'Ctrl-C stops all.',
  ]);
}

/** Says when a node dies, and starts it again, a few times. */
async function keepRunning(
  cli: Cli,
  place: Found,
  nodes: Map<string, NodeProcess>,
  signal: AbortSignal,
): Promise<void> {
  const { region } = place;
  const aborted = new Promise<'aborted'>((done) => {
    if (signal.aborted) done('aborted');
    else signal.addEventListener('abort', () => done('aborted'), { once: true });
  });
  for (let restarts = 0; ; restarts++) {
    const exit = await Promise.race([nodes.get(region)?.ended, aborted]);
    if (exit === 'aborted' || signal.aborted) return;
    const isLast = restarts === RESTARTS_MAX;
    cli.output.result({ event: 'ended', region, exit, restarts }, () => [
      `${region} ended with ${exit ?? 'a signal'}${isLast ? ', too often: it stays away.' : ' and is started again.'}`,
    ]);
    if (isLast) {
      await aborted;
      return;
    }
    await systemClock.wait(RESTART_MS * 2 ** restarts, signal).catch(() => undefined);
    if (signal.aborted) return;
    const node = startNode(place);
    nodes.set(region, node);
    const back = await Promise.race([
      node.ready().then(
        () => true,
        () => false,
      ),
      aborted,
    ]);
    if (back === true) {
      cli.output.result({ event: 'back', region, http: node.http, pid: node.pid }, () => [
        `${region} is back: ${node.http}`,
      ]);
    }
  }
}

function parseRegions(text: string): number {
  if (/^[1-9]\d?$/.test(text) && Number(text) <= NEW_REGIONS.length) return Number(text);
  throw new InvalidArgumentError(`Expected 1 to ${NEW_REGIONS.length}.`);
}
