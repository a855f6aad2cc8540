/** From a closed disk to one that is known to be this owner's and to hold every batch that was ever acknowledged. */
import { asciiBytes } from '../../protocol/bytes.ts';
import { storeError } from './store-error.ts';
import { type Change, type CommitMark, type Disk } from '../ports.ts';
import { encodeIdentity, SCHEMA_VERSION, verifyIdentity } from './identity.ts';
import { DiskReader } from './reader.ts';
import { sealValue } from './sealed.ts';

/** Keys with this prefix are the store's own. */
export const STORE_PREFIX = 'store/';
export const IDENTITY_KEY = 'store/identity';
export const COMMITS_KEY = 'store/commits';
/** Present from a salvage until the owners have made good what it may have lost. */
export const INCOMPLETE_KEY = 'store/incomplete';

export interface BringUpOptions {
  readonly owner: string;
  /** Batches that this process knows to be durable; 0 on start. */
  readonly acknowledged: number;
}

export interface BringUpModules {
  readonly disk: Disk;
  readonly mark: CommitMark;
}

export interface BroughtUp {
  /** Batches the disk holds: what was acknowledged, and perhaps one more whose outcome was unknown. */
  readonly commits: number;
  readonly incomplete: boolean;
}

/**
 * Opens a closed disk and writes the identity on an empty one, and on one of an older schema, before anything is written in the form of this one.
 * @throws {NodeError} what `Disk.open`, reads and writes reject with, SCHEMA_NEWER, STORE_FOREIGN, or STORE_CORRUPT if
 * acknowledged batches are missing.
 */
export async function bringUp(
  { owner, acknowledged }: BringUpOptions,
  { disk, mark }: BringUpModules,
): Promise<BroughtUp> {
  await disk.open();
  const reader = new DiskReader(disk);
  const [identity, count, incomplete] = await reader.getMany([IDENTITY_KEY, COMMITS_KEY, INCOMPLETE_KEY]);
  const found = identity && verifyIdentity(identity, owner);
  const commits = count === undefined ? 0 : parseCommits(count);
  const known = Math.max(acknowledged, await mark.read());
  if (commits < known) {
    throw storeError(
      'STORE_CORRUPT',
      `the store holds ${commits} batches of the ${known} it has acknowledged`,
    );
  }
  if (found === undefined) await assertEmpty(disk);
  if (found?.schema !== SCHEMA_VERSION) await disk.write([foundingChange(owner)]);
  return { commits, incomplete: incomplete !== undefined };
}

/** Makes a disk that is empty, or of an older schema, the store of this owner in this schema. */
export function foundingChange(owner: string): Change {
  const value = sealValue(IDENTITY_KEY, encodeIdentity({ schema: SCHEMA_VERSION, owner }));
  return { put: IDENTITY_KEY, value };
}

/** The change that makes a batch the `commits`-th. */
export function commitsChange(commits: number): Change {
  return sealed(COMMITS_KEY, String(commits));
}

/** What a salvage writes last: the batches that the damaged store had acknowledged, and that some may be missing. */
export function salvagedChanges(commits: number): Change[] {
  return [commitsChange(commits), sealed(INCOMPLETE_KEY, 'salvaged')];
}

export const completeChange: Change = { del: INCOMPLETE_KEY };

async function assertEmpty(disk: Disk): Promise<void> {
  if ((await disk.range('', '\x7f', { limit: 1 })).length === 0) return;
  throw storeError('STORE_CORRUPT', 'the store holds data but does not say whose');
}

function sealed(key: string, text: string): Change {
  return { put: key, value: sealValue(key, asciiBytes(text)) };
}

/** @throws {NodeError} STORE_CORRUPT */
export function parseCommits(payload: Uint8Array): number {
  const commits = Number(String.fromCharCode(...payload));
  if (Number.isSafeInteger(commits) && commits >= 0) return commits;
  throw storeError('STORE_CORRUPT', 'the store says in no known form how many batches it holds');
}
