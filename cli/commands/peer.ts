/** `entente peer add|list|remove`: where other regions are found. A node that runs takes it up at once. */
import { relative, resolve } from 'node:path';
import { type Command } from 'commander';
import { editConfig } from '../../node/config/config-file.ts';
import { type ConfigEdit } from '../../node/config/edit.ts';
import { type PeerConfig } from '../../node/config/schema.ts';
import { isNodeError } from '../../node/node-error.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { requirePublishesHere } from '../../node/region/moved.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { printable } from '../printable.ts';
import { fingerprintText, parseFingerprint, parseRegionId, publicPathOf } from '../region.ts';
import { table } from '../table.ts';

interface AddOptions {
  readonly http?: string;
  readonly directory?: string;
  readonly address?: readonly string[];
  readonly fingerprint?: string;
  readonly invite?: true;
  readonly mirror?: true;
}

/** Who is connected, as a node tells it. */
interface Connected {
  readonly region: string;
  readonly address: string;
  readonly software: string;
  readonly rttMs?: number;
}

export function addPeer(program: Command, cli: Cli): void {
  const peer = program
    .command('peer')
    .summary('say where other regions are found, and who is connected')
    .description('Where other regions are found. Whether their codes count is what `recognise` says.');
  peer
    .command('add')
    .description('Adds a region to the peers of entente.yaml, or changes what stands there of it.')
    .argument('<region>', 'directory of the region')
    .argument('<peer>', 'id of the other region')
    .option('--directory <dir>', 'directory of the other region, or the one that it publishes')
    .option('--address <multiaddr>', 'where a node of it listens; give it once for each', collect)
    .option('--http <url>', 'its public interface, which `entente doctor` looks at')
    .option('--fingerprint <hex>', 'fingerprint of its root')
    .option('--invite', 'follow and witness it without recognising it; needs --fingerprint')
    .option('--mirror', 'copy its attestation logs, so that they outlive its node')
    .addHelpText(
      'after',
      examples(
        [
          'entente peer add DE FR --address /ip4/192.0.2.7/tcp/4600/p2p/12D3KooW...',
          'as `entente run FR` prints its address',
        ],
        ['entente peer add DE FR --directory FR', 'on the same disk'],
      ),
    )
    .action((path: string, region: string, options: AddOptions) => add(cli, path, region, options));
  peer
    .command('remove')
    .description('Removes a region from the peers of entente.yaml. Its recognition stays as it is.')
    .argument('<region>', 'directory of the region')
    .argument('<peer>', 'id of the other region')
    .addHelpText('after', examples(['entente peer remove DE FR', 'its address is no longer known here']))
    .action((path: string, region: string) => remove(cli, path, region));
  peer
    .command('list')
    .description('Lists the peers of entente.yaml and, while the node runs, who is connected to it.')
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente peer list DE', 'with what is known of each']))
    .action((path: string) => list(cli, path));
}

async function add(cli: Cli, path: string, peer: string, options: AddOptions): Promise<void> {
  const region = parseRegionId(peer);
  const layout = new RegionLayout(resolve(path));
  const { directory, address, http, fingerprint, invite, mirror } = options;
  const said = {
    ...(directory !== undefined && { directory: await directoryFrom(layout.path, directory) }),
    ...(address !== undefined && { addresses: [...address] }),
    ...(http !== undefined && { http }),
    ...(fingerprint !== undefined && { fingerprint: hexOf(parseFingerprint(fingerprint)) }),
    ...(invite === true && { invited: true }),
    ...(mirror === true && { mirror: true }),
  };
  if (Object.keys(said).length === 0) throw usageError('say where the peer is: --address or --directory');
  const { peers } = await readRegionConfig(layout);
  const value = { ...peers[region], ...said };
  const isRunning = await change(cli, path, { at: ['peers', region], value });
  cli.output.result({ region, ...value, isRunning }, () => [
    `${region} is a peer: ${printable(whereText(value))}.`,
    ...(isRunning && mirror === true ? ['The node mirrors it from its next start on.'] : []),
  ]);
}

async function remove(cli: Cli, path: string, peer: string): Promise<void> {
  const region = parseRegionId(peer);
  const { peers } = await readRegionConfig(new RegionLayout(resolve(path)));
  if (!(region in peers)) throw new CliError(EXIT.failure, 'NOT_FOUND', `${region} is no peer`);
  const isRunning = await change(cli, path, { at: ['peers', region], value: undefined });
  cli.output.result({ region, isRunning }, () => [`${region} is no peer any more.`]);
}

/** Changes the config, and tells the node if one runs. */
async function change(cli: Cli, path: string, edit: ConfigEdit): Promise<boolean> {
  await editConfig(new RegionLayout(resolve(path)).config, [edit]);
  return (await ofNode(cli, path, 'POST', '/v1/reload')) !== undefined;
}

async function list(cli: Cli, path: string): Promise<void> {
  const { region: home, peers } = await readRegionConfig(new RegionLayout(resolve(path)));
  const answer = (await ofNode(cli, path, 'GET', '/v1/peers')) as { peers: readonly Connected[] } | undefined;
  const connected = answer?.peers ?? [];
  const names = [...new Set([...Object.keys(peers), ...connected.map(({ region }) => region)])].sort();
  const listed = names.map((region) => ({
    region,
    ...peers[region],
    connected: connected.filter((one) => one.region === region),
  }));
  cli.output.result({ home, isRunning: answer !== undefined, peers: listed }, () => [
    ...(listed.length === 0 ? [`${home} has no peers.`] : []),
    ...(listed.length === 0
      ? []
      : table(
          ['peer', 'connected', 'by entente.yaml'],
          listed.map((one) => [
            one.region,
            connectedText(one.connected, answer !== undefined),
            printable(whereText(one)),
          ]),
        )),
    ...(answer === undefined ? ['No node runs here: who is connected cannot be told.'] : []),
  ]);
}

/** Where a peer publishes, as the config names it. @throws {NodeError} as `publicPathOf` and `requirePublishesHere`. */
async function directoryFrom(path: string, directory: string): Promise<string> {
  const publicPath = await publicPathOf(directory);
  await requirePublishesHere(publicPath);
  return relative(path, publicPath);
}

/** What the node of the directory answers; undefined if none runs. */
async function ofNode(cli: Cli, path: string, method: 'GET' | 'POST', url: string): Promise<unknown> {
  // What asks over HTTP is loaded only where it is used.
  const { adminOf } = await import('../desk/admin-of.ts');
  try {
    return await (await adminOf(path, cli.surroundings.environment ?? {})).ask({ method, path: url });
  } catch (error) {
    if (isNodeError(error, 'PEER_UNREACHABLE')) return undefined;
    throw error;
  }
}

function connectedText(connected: readonly Connected[], isRunning: boolean): string {
  if (!isRunning) return '-';
  const texts = connected.map(({ address, rttMs }) => {
    const [bare = ''] = address.split('/p2p/');
    return `${printable(bare)}${rttMs === undefined ? '' : `, ${rttMs.toFixed(1)} ms`}`;
  });
  return texts.join('; ') || 'no';
}

function whereText({ directory, addresses = [], invited, mirror, fingerprint }: PeerConfig): string {
  const parts = [
    ...(directory === undefined ? [] : [`directory ${directory}`]),
    ...addresses,
    ...(invited === true ? ['invited'] : []),
    ...(mirror === true ? ['mirrored'] : []),
    ...(fingerprint === undefined
      ? []
      : [`fingerprint ${fingerprintText(Buffer.from(fingerprint, 'hex')).slice(0, 19)} ...`]),
  ];
  return parts.join(', ') || 'not in it';
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
