/** `entente witness`: vouches that the logs of peers only grew, and that this region is still there. */
import { resolve } from 'node:path';
import { type Command } from 'commander';
import { NodeError } from '../../node/node-error.ts';
import { act } from '../../node/operators/acting.ts';
import { isUnreadable } from '../../node/region/files.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { movedFrom, requirePublishesHere } from '../../node/region/moved.ts';
import { directoriesOf } from '../../node/region/published-network.ts';
import { readPublicRegion } from '../../node/region/public-region.ts';
import { type Region } from '../../node/region/region.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { type Cli, examples } from '../cli.ts';
import { actorOf } from '../desk/actor.ts';
import { orByNode } from '../desk/with-desk.ts';
import { CliError, cliErrorOf, exitOfCode, usageError } from '../exit.ts';
import { aligned, figure } from '../output.ts';
import { printableLines } from '../printable.ts';
import { movedTexts } from '../snapshot-file.ts';
import {
  publicPathOf,
  regionModules,
  type SigningOptions,
  withoutPeersOption,
  withRegion,
} from '../region.ts';

/** A log that was cosigned. */
interface VouchedText {
  readonly origin: string;
  readonly size: number;
  readonly sizeBefore: number;
  /** In hexadecimal. */
  readonly root: string;
}

/** A peer to visit, and how it was named. */
interface Named {
  readonly name: string;
  readonly region: string;
  readonly publicPath: string;
  readonly fingerprint: Uint8Array;
}

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
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(['entente witness DE', 'all known peers'], ['entente witness DE CN-33', 'one of them']),
    )
    .action((region: string, peers: readonly string[], options: SigningOptions) =>
      witness(cli, region, peers, options),
    );
}

/** A peer that lies or is gone must not keep the others from being vouched for. */
async function witness(
  cli: Cli,
  path: string,
  peers: readonly string[],
  { withoutPeers }: SigningOptions,
): Promise<void> {
  const layout = new RegionLayout(resolve(path));
  const { region, network, peers: known } = await readRegionConfig(layout);
  const faults: CliError[] = [];
  const heedingFaults = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof NodeError) && !isProtocolError(error) && !isUnreadable(error)) throw error;
      faults.push(faultOf(name, error));
    }
  };
  const named: Named[] = [];
  for (const name of peers) {
    await heedingFaults(name, async () => void named.push(await readPeer(cli, name, network)));
  }
  if (named.some((peer) => peer.region === region)) throw usageError('a region does not witness itself');
  const twice = named.find((peer, i) => named.findIndex((other) => other.region === peer.region) < i);
  if (twice !== undefined)
    throw usageError(`two of these directories are those of ${twice.region}: name one`);
  const visits =
    peers.length > 0
      ? named
      : Object.entries(known).flatMap(([peer, { directory }]) =>
          directory === undefined ? [] : [{ name: peer, region: peer }],
        );
  const directories = peers.length > 0 ? [] : directoriesOf(known, layout);
  for (const [peer, publicPath] of directories)
    await heedingFaults(peer, () => tellMoved(cli, path, peer, publicPath));
  const witnessed: VouchedText[] = [];
  const visitAll = () =>
    withRegion(
      cli,
      path,
      async (home, modules) => {
        // Its log is followed no more; who wants to vouch for it all the same names it.
        const isLeftOut = ({ region: peer }: { readonly region: string }) =>
          peers.length === 0 && home.state.recognition(peer)?.standing === 'withdrawn';
        const visited = visits.filter((visit) => !isLeftOut(visit));
        const action = { action: 'witness', needs: 'trust', count: visited.length } as const;
        await act(home.trail, await actorOf(home, modules), action, async (tally) => {
          const before = faults.length;
          for (const { name, region: peer } of visited) {
            await heedingFaults(name, () => {
              requireFollowed(home, peer);
              return home.node.visitor.visit(peer, peer, async (vouched) => {
                await home.publishCosignature(vouched);
                witnessed.push({ ...vouched, root: hexOf(vouched.root) });
              });
            });
          }
          tally.done = witnessed.length;
          tally.failed = faults.length - before;
        });
      },
      {
        withoutPeers,
        silent: true,
        instead: new Map(named.map((peer) => [peer.region, peer.publicPath])),
        named,
      },
    );
  await orByNode(cli, path, visitAll, async (desk) => {
    const report = await desk.witness(peers.length > 0 ? named.map((peer) => peer.region) : undefined);
    witnessed.push(...report.witnessed);
    for (const { region: peer, code, message } of report.faults) {
      faults.push(new CliError(exitOfCode(code), code, `${peer}: ${message}`));
    }
    await desk.publish();
  });
  report(cli, region, witnessed);
  const [worst, ...others] = faults.toSorted((a, b) => b.exit - a.exit);
  for (const { message, code } of others) cli.output.note(`${printableLines(message)} [${code}]`);
  if (worst !== undefined) throw worst;
}

/** A log of which something contradicts what was seen before is not followed. @throws {NodeError} what it is. */
function requireFollowed({ node, config }: Region, peer: string): void {
  const closed = node.status.closed[trustLogOrigin(peer, config.network)];
  if (closed !== undefined && node.keeper(peer) === undefined)
    throw new NodeError('DATA_INCONSISTENT', closed);
}

/** A peer that has left the directory which the config names is visited there all the same: for what it publishes in the new place nobody vouches. */
async function tellMoved(cli: Cli, path: string, region: string, publicPath: string): Promise<void> {
  const left = await movedFrom(publicPath);
  const moved = left === undefined ? [] : [{ region, to: left.moved.to }];
  for (const text of movedTexts({ moved }, path)) cli.output.note(text);
}

async function readPeer(cli: Cli, name: string, network: string): Promise<Named> {
  const publicPath = await publicPathOf(name);
  await requirePublishesHere(publicPath);
  const { region, fingerprint } = await readPublicRegion(publicPath, { network }, await regionModules(cli));
  return { name, region, publicPath, fingerprint };
}

function report(cli: Cli, region: string, witnessed: readonly VouchedText[]): void {
  const told = witnessed.map(({ origin, size, root, sizeBefore }) => ({ origin, size, root, sizeBefore }));
  cli.output.result({ region, witnessed: told }, () => [
    `${region} renewed its own checkpoint${told.length > 0 ? ' and vouches for:' : '.'}`,
    ...aligned(
      told.map(({ origin, size, sizeBefore }) => [
        origin,
        `${figure(sizeBefore)} -> ${figure(size)} entries`,
      ]),
      '  ',
    ),
  ]);
}

function faultOf(peer: string, error: unknown): CliError {
  const { exit, code, message, hint, details } = cliErrorOf(error);
  return new CliError(exit, code, `${peer}: ${message}`, { ...(hint && { hint }), details });
}
