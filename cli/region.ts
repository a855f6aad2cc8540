/** Region directories as commands name them. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { isNodeError, NodeError, type NodeErrorCode } from '../node/node-error.ts';
import { CommandNetwork, type Unreachable } from '../node/region/command-network.ts';
import { type PublicRegion, readPublicRegion } from '../node/region/public-region.ts';
import { readRegionConfig, RegionLayout, trustLogPath } from '../node/region/layout.ts';
import { movedFrom } from '../node/region/moved.ts';
import { LogFiles } from '../node/region/log-files.ts';
import { type RegionModules } from '../node/region/modules.ts';
import { openRegion, type Region } from '../node/region/region.ts';
import { type Handover } from '../node/issuing/handovers.ts';
import { systemClock } from '../node/system-clock.ts';
import { hexBytes } from '../protocol/bytes.ts';
import { isRegion } from '../protocol/log/origin.ts';
import { type Cli } from './cli.ts';
import { CliError, EXIT, usageError } from './exit.ts';
import { counted } from './output.ts';
import { PEOPLE_MAX } from './people/people-file.ts';
import { printable } from './printable.ts';
import { SOFTWARE } from './version.ts';

export async function regionModules(cli: Cli): Promise<RegionModules> {
  const { nowS, random } = cli.surroundings;
  const clock = { ...systemClock, nowMs: () => 1_000 * nowS() };
  return { ...(await cli.crypto()), nowS, clock, random };
}

export interface WithRegionOptions {
  /** Signs although too few peers can be asked. */
  readonly withoutPeers?: boolean | undefined;
  /** Does without signing where that is not possible. */
  readonly reading?: boolean;
  /** Goes on where somebody else signs with the region's keys, or has seen more by them than anybody gives: for what the root says of that. */
  readonly healing?: boolean;
  /** Public directories that stand in for those of the config, by region. */
  readonly instead?: ReadonlyMap<string, string>;
  /** Regions that are met for once, without being recognised, as they show themselves. */
  readonly named?: readonly { readonly region: string; readonly fingerprint: Uint8Array }[];
  /** Speaks of its peers, and of batches that nobody has got, by itself. */
  readonly silent?: boolean;
  /** What is issued together may take several batches, one of which is prepared while the one before is signed and written. */
  readonly inParts?: boolean;
  readonly onSigned?: (index: number) => void;
  readonly onHashed?: (documents: number) => void;
}

/** What `withoutPeersOption` gives. */
export interface SigningOptions {
  readonly withoutPeers?: true;
}

/** What `draftOption` gives, besides. */
export interface RootOptions extends SigningOptions {
  readonly draft?: string;
}

/** A flag of all commands that sign. */
export function withoutPeersOption(): Option {
  return new Option(
    '--without-peers',
    'sign although too few peers can be asked, since this is the newest copy of the region',
  );
}

/** A flag of all commands that let the root sign. */
export function draftOption(): Option {
  return new Option(
    '--draft <file>',
    'log nothing: write what the root is to sign, for keys that are kept elsewhere (see `entente root`)',
  ).argParser(parseNewFile);
}

/** A file that is to be written and can be: told before a command makes keys for what it will say. */
export function parseNewFile(path: string): string {
  if (existsSync(path)) throw new InvalidArgumentError('It is there already: name another file.');
  if (!existsSync(dirname(path))) throw new InvalidArgumentError('Its folder is not there.');
  return path;
}

/** Somebody else signs with the region's keys, or may. */
const HEALABLE: readonly NodeErrorCode[] = ['LOG_CONTRADICTED', 'LOG_BEHIND', 'LOG_FENCED'];

/** Opens the region at `path`, publishes what came of `use`, and closes it whatever happens. */
export async function withRegion<T>(
  cli: Cli,
  path: string,
  use: (region: Region, modules: RegionModules) => Promise<T>,
  options: WithRegionOptions = {},
): Promise<T> {
  const {
    withoutPeers = false,
    reading = false,
    healing = false,
    instead,
    named = [],
    silent = false,
    inParts = false,
    onSigned,
    onHashed,
  } = options;
  const modules = await regionModules(cli);
  const { environment = {} } = cli.surroundings;
  let network: CommandNetwork | undefined;
  const region = await opened(
    () => network?.stop(),
    path,
    // One batch for all people of a file that is issued whole or not at all, and nobody else to wait for.
    {
      withoutPeers,
      over: { environment },
      node: {
        onDemand: true,
        named,
        gatherMs: 1,
        ...(!inParts && { batchMax: PEOPLE_MAX }),
        queueMax: PEOPLE_MAX,
      },
    },
    {
      ...modules,
      ...(onSigned && { onSigned }),
      ...(onHashed && { onHashed }),
      // Of other trouble the command hears by what it cannot do.
      onTrouble: (error) => isNodeError(error, 'LOG_NOT_WRITTEN') && cli.output.note(`${error.message}.`),
      networkFor: (ground) =>
        (network = new CommandNetwork({ software: SOFTWARE, instead }, ground, modules)),
    },
  );
  try {
    const refusal = await signingRefusal(region);
    const unreachable = network?.unreachable ?? [];
    const isHealing = healing && refusal !== undefined && HEALABLE.includes(refusal.code);
    if (refusal !== undefined && !reading && !isHealing) throw explained(refusal, unreachable, region);
    if (!silent) {
      for (const peer of unreachable)
        cli.output.note(`${peer.region} did not answer: ${printable(peer.reason)}`);
      for (const [origin, reason] of Object.entries(region.node.status.closed))
        cli.output.note(`${origin} cannot be used: ${printable(reason)}`);
      for (const handover of await region.node.handovers.open())
        cli.output.note(handoverText(handover, path));
    }
    const { trustSize } = region;
    const result = await use(region, modules);
    if (refusal === undefined || isHealing) await region.publish();
    if (!silent && region.trustSize > trustSize) {
      for (const line of askForWitnesses(region, path)) cli.output.note(line);
    }
    return result;
  } finally {
    await region.close().finally(() => network?.stop());
  }
}

async function opened(
  stopNetwork: () => Promise<void> | undefined,
  ...args: Parameters<typeof openRegion>
): Promise<Region> {
  try {
    return await openRegion(...args);
  } catch (error) {
    await stopNetwork()?.catch(() => undefined);
    if (!isNodeError(error, 'STORE_LOCKED')) throw error;
    throw new NodeError(error.code, `another process is working on ${args[0]}`, {
      hint: 'Wait until it ends. A command takes a moment; a node that runs is asked instead, once it answers at admin.listen and its secret is at hand, but for `export` and `fsck`, which need it stopped.',
      retry: true,
    });
  }
}

/** Why the node does not sign; undefined if it does. Whatever an earlier process began to issue is in the log then. */
async function signingRefusal({ node }: Region): Promise<NodeError | undefined> {
  try {
    await node.whenWriting();
    if ((await node.handovers.open()).length > 0) await node.tend();
    return undefined;
  } catch (error) {
    if (isNodeError(error)) return error;
    throw error;
  }
}

/** What to do where peers are silent. A copy from before the first start looks like a region that never had one, so only a person can tell. */
const HINTS = {
  ranBefore:
    'Bring their nodes or directories within reach, or add --without-peers if you know that no newer copy has signed.',
  neverRan:
    'No node of this region has run by what its log says. If `entente init` made this very directory, and no copy of it has signed since, nobody can know more of its log: add --without-peers. If it is a copy, or comes from a backup, do not: bring the nodes or directories of those peers within reach.',
};

/** The refusal as somebody at a command line can act on it. */
function explained(refusal: NodeError, unreachable: readonly Unreachable[], region: Region): Error {
  if (refusal.code !== 'PEER_UNREACHABLE') return refusal;
  if (region.config.writer.fenced)
    return new CliError(
      EXIT.undetermined,
      refusal.code,
      'witnesses fence who writes for this region, and only its node asks them; nothing was signed',
      { hint: 'Start it with `entente run`, and give the order again.' },
    );
  return new CliError(
    EXIT.undetermined,
    refusal.code,
    'too few peers can be asked whether this is the newest copy of the region; nothing was signed',
    {
      hint: [
        ...unreachable.map(({ region, reason }) => `${region}: ${reason}`),
        [...region.state.nodes()].length > 0 ? HINTS.ranBefore : HINTS.neverRan,
      ].join('\n'),
      details: unreachable,
    },
  );
}

/** Verifiers take a statement once others vouch for it: whom to ask, by the directories that are known. */
function askForWitnesses({ state, config, layout }: Region, path: string): string[] {
  return [...state.recognitions()].flatMap(({ region, standing }) => {
    const directory = standing === 'withdrawn' ? undefined : config.peers[region]?.directory;
    if (directory === undefined) return [];
    const peer = ownerPathOf(layout.resolve(directory));
    return [`Let ${region} vouch for this log: entente witness ${printable(peer)} ${printable(path)}`];
  });
}

/** The directory of the region whose public directory may have been named, as it is called from here. */
export function ownerPathOf(peer: string): string {
  const whole = basename(resolve(peer)) === 'public' ? dirname(peer) : peer;
  const fromHere = relative('', whole);
  return fromHere.length < whole.length && fromHere !== '' ? fromHere : whole;
}

export function handoverText({ log, index, count }: Handover, path: string): string {
  const leaves = `leaves ${index} to ${index + count - 1}`;
  return `A run that broke off was finished: ${counted(count, 'code')} in log ${log}, ${leaves}. To have them: entente codes ${printable(path)} --log ${log}`;
}

/** Reads what the region directory at `path` publishes, without writing to it; says so where the region has left that. */
export async function readRegion(cli: Cli, path: string): Promise<PublicRegion> {
  const layout = new RegionLayout(resolve(path));
  await noteMoved(cli, layout.public);
  const { region, network } = await readRegionConfig(layout);
  return readPublicRegion(layout.public, { region, network }, await regionModules(cli));
}

/**
 * The absolute path of a directory that the command line names; what lies in it is for whoever reads it.
 * @throws {NodeError} DIRECTORY_MISSING if there is none: whoever names what is not there has mistyped it.
 */
export function namedDirectory(path: string): string {
  const stat = statSync(resolve(path), { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return resolve(path);
  const what = stat === undefined ? 'there is no directory' : 'a file stands where a folder was expected:';
  throw new NodeError('DIRECTORY_MISSING', `${what} ${path}`);
}

/** The public directory that `path` names: itself, or the one of a region directory. Throws as `namedDirectory`. */
export async function publicPathOf(path: string): Promise<string> {
  namedDirectory(path);
  const { public: below } = new RegionLayout(resolve(path));
  const isBelow = (await new LogFiles(trustLogPath(below)).checkpoint()) !== undefined;
  return isBelow ? below : resolve(path);
}

/** As `publicPathOf`, for whoever reads what was published once as well: says so where the region has left that place. Rejects as `movedFrom` too. */
export async function readablePathOf(cli: Cli, path: string): Promise<string> {
  const publicPath = await publicPathOf(path);
  await noteMoved(cli, publicPath);
  return publicPath;
}

async function noteMoved(cli: Cli, publicPath: string): Promise<void> {
  const left = await movedFrom(publicPath);
  if (left === undefined) return;
  const { path } = left.layout;
  cli.output.note(
    `The region of ${printable(path)} has moved to ${printable(left.moved.to)}: this is what it published in the old place before.`,
  );
}

/** @throws {CliError} unless `text` is a region's id in ASCII. */
export function parseRegionId(text: string): string {
  if (isRegion(text)) return text;
  throw usageError(
    `expected the id of a region, not ${printable(text)}`,
    'An id is an ISO 3166 code in ASCII, such as DE or CN-33.',
  );
}

/** A fingerprint as `init` and `recognise` print it; spaces and colons between groups do not matter. */
export function parseFingerprint(text: string): Uint8Array {
  const digits = text.replaceAll(/[\s:]/g, '');
  if (/^[0-9a-fA-F]{64}$/.test(digits)) return hexBytes(digits);
  throw usageError(
    'expected a fingerprint of 64 hexadecimal digits',
    'The region prints it at `entente init`.',
  );
}

/** A fingerprint for people to compare: sixteen groups of four digits. */
export function fingerprintText(fingerprint: Uint8Array): string {
  return (Buffer.from(fingerprint).toString('hex').match(/.{4}/g) ?? []).join(' ');
}
