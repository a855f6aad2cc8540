/**
 * From a damaged store to a whole one that may lack something: every value that is what was written under its key is
 * copied, the rest is left behind, and the copy says of itself that it is incomplete. What is copied may still be an
 * older value that came back, so the owners compare all they have with their peers before `Store.declareComplete`.
 */
import { isNodeError } from '../node-error.ts';
import { type Change, type CommitMark, type Disk } from '../ports.ts';
import {
  COMMITS_KEY,
  foundingChange,
  IDENTITY_KEY,
  parseCommits,
  salvagedChanges,
  STORE_PREFIX,
} from './bring-up.ts';
import { verifyIdentity } from './identity.ts';
import { keyAfter } from './reader.ts';
import { isIntact, openValue } from './sealed.ts';

export interface SalvageOptions {
  readonly owner: string;
}

export interface SalvageModules {
  /** Open, as far as it can be opened. */
  readonly from: Disk;
  /** Open and empty. */
  readonly to: Disk;
  readonly mark: CommitMark;
}

export interface Salvaged {
  /** Values copied. */
  readonly kept: number;
  /** Values found that are not what was written; how many were not found at all nobody can tell. */
  readonly lost: number;
  /** The keys of the first 1,000 of those. */
  readonly lostKeys: readonly string[];
}

const PAGE_SIZE = 1_024;
const LOST_KEYS_MAX = 1_000;

/**
 * Copies what is whole. @throws {NodeError} STORE_FOREIGN or SCHEMA_NEWER if the store says so of itself, and what
 * either disk rejects with; then `to` is not to be used.
 */
export async function salvage(
  { owner }: SalvageOptions,
  { from, to, mark }: SalvageModules,
): Promise<Salvaged> {
  const [identity] = await from.getMany([IDENTITY_KEY]);
  if (identity !== undefined && isIntact(IDENTITY_KEY, identity)) {
    verifyIdentity(openValue(IDENTITY_KEY, identity), owner);
  }
  let kept = 0;
  let lost = 0;
  const lostKeys: string[] = [];
  for (let next = ''; ;) {
    const page = await from.range(next, '\x7f', { limit: PAGE_SIZE });
    const last = page.at(-1);
    if (last === undefined) break;
    next = keyAfter(last[0]);
    const whole: Change[] = [];
    for (const [key, value] of page) {
      if (key.startsWith(STORE_PREFIX)) continue;
      if (isIntact(key, value)) whole.push({ put: key, value });
      else if (lost++ < LOST_KEYS_MAX) lostKeys.push(key);
    }
    kept += whole.length;
    await to.write(whole);
  }
  const commits = await commitsKnown(from, mark);
  await to.write([foundingChange(owner), ...salvagedChanges(commits)]);
  await mark.note(commits);
  return { kept, lost, lostKeys };
}

/** A mark that cannot be read is made good. */
async function commitsKnown(from: Disk, mark: CommitMark): Promise<number> {
  const marked = await mark.read().catch((error: unknown) => {
    if (isNodeError(error, 'STORE_CORRUPT')) return 0;
    throw error;
  });
  const [stored] = await from.getMany([COMMITS_KEY]);
  if (stored === undefined || !isIntact(COMMITS_KEY, stored)) return marked;
  return Math.max(marked, parseCommits(openValue(COMMITS_KEY, stored)));
}
