/** What a path names, as a source of an audit: the directory of a node, the store itself, or a public directory. */
import { join, resolve } from 'node:path';
import { isNetwork, isRegion } from '../../protocol/log/origin.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { modeOf } from '../region/files.ts';
import { IDENTITY_KEY } from '../store/bring-up.ts';
import { parseIdentity } from '../store/identity.ts';
import { LevelDisk } from '../store/level-disk.ts';
import { DiskReader } from '../store/reader.ts';
import { storeError } from '../store/store-error.ts';
import { type AuditSource } from './audit-source.ts';
import { openStaticSource } from './static-source.ts';
import { StoreSource } from './store-source.ts';

/** Below the directory of a node. */
const STORE = 'store';
const PUBLIC = 'public';

/** The directory of the store that `path` names: its own, or that below the directory of a node. */
export async function storeDirectoryAt(path: string): Promise<string | undefined> {
  for (const directory of [join(resolve(path), STORE), resolve(path)]) {
    if ((await modeOf(join(directory, 'level'))) !== undefined) return directory;
  }
  return undefined;
}

/**
 * Opens what is there, the store before the files. To be closed.
 * @throws {NodeError} STORE_LOCKED while a node runs, PEER_UNREACHABLE if no log is there, and as `LevelDisk.open`.
 */
export async function openAuditSource(path: string): Promise<AuditSource> {
  const directory = await storeDirectoryAt(path);
  if (directory !== undefined) return openStoreSource(path, directory);
  const below = join(resolve(path), PUBLIC);
  return openStaticSource((await modeOf(join(below, 'trust'))) === undefined ? path : below);
}

/** Opens the store of the node at `path`. To be closed. @throws {NodeError} PEER_UNREACHABLE if there is none, and as `openAuditSource`. */
export async function openStoreAt(path: string): Promise<StoreSource> {
  const directory = await storeDirectoryAt(path);
  if (directory !== undefined) return openStoreSource(path, directory);
  throw new NodeError('PEER_UNREACHABLE', `no store of a node is at ${path}`);
}

async function openStoreSource(path: string, directory: string): Promise<StoreSource> {
  const { disk, damage } = await openDisk(directory).catch((error: unknown) => {
    if (!isNodeError(error, 'STORE_LOCKED')) throw error;
    throw new NodeError('STORE_LOCKED', `a running node has the store of ${path} open`, {
      cause: error,
      fatal: true,
      hint: `Stop the node, or audit what it publishes meanwhile: ${join(path, PUBLIC)}.`,
    });
  });
  try {
    const identity = await new DiskReader(disk).get(IDENTITY_KEY);
    if (identity === undefined) throw storeError('STORE_CORRUPT', `${directory} does not say whose it is`);
    const owner = ownerOf(parseIdentity(identity).owner);
    return new StoreSource({ where: directory, owner, damage }, disk);
  } catch (error) {
    await disk.close();
    throw error;
  }
}

/** Damaged files are opened as far as they can be: an audit says what of the logs they hold is wrong. */
async function openDisk(directory: string): Promise<{ disk: LevelDisk; damage?: NodeError }> {
  const disk = new LevelDisk({ directory, reserveBytes: 0 });
  try {
    await disk.open();
    return { disk };
  } catch (damage) {
    if (!isNodeError(damage, 'STORE_CORRUPT')) throw damage;
    const unchecked = new LevelDisk({ directory, reserveBytes: 0, checked: false });
    await unchecked.open();
    return { disk: unchecked, damage };
  }
}

/** @throws {NodeError} STORE_FOREIGN unless the owner is a region in a network. */
function ownerOf(owner: string): AuditSource['owner'] {
  const [region = '', network = ''] = owner.split('.');
  if (isRegion(region) && isNetwork(network) && owner === `${region}.${network}`) return { region, network };
  throw storeError('STORE_FOREIGN', `the store is that of ${owner}, which is no region`);
}
