/**
 * A region that is followed under another root than before: another region under the same id. What is held of it under each root is
 * kept apart, so that neither is taken for the other, and whoever comes back to a root finds again what was seen of it.
 */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { fingerprintOf, parseEntry } from '../../protocol/trust/statement.ts';
import { parseRun } from '../log/entry-run.ts';
import { LogKeys } from '../log/log-keys.ts';
import { deleteRange } from '../log/prune.ts';
import { isNodeError } from '../node-error.ts';
import { type SecondPlace } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { FORK_PREFIX } from '../trust/fork-book.ts';
import { witnessKey, witnessPlace } from '../witness/witness.ts';

export interface RootChangeModules {
  readonly store: Store;
  readonly secondPlace: SecondPlace;
  readonly sha256: Sha256;
}

/** A region, and the root under which it is followed from now on. */
export interface FollowedRoot {
  readonly region: string;
  readonly network: string;
  readonly fingerprint: Uint8Array;
}

/** Keys moved in one write. */
const STEP = 256;
/** Of a fingerprint, in the names under which things of another root are kept. */
const MARK_DIGITS = 12;

/**
 * Puts away what is held of a region under another root than this one, and brings back what was put away of this one: the marks of its
 * logs and of what the own witness saw, and the evidence against it. Copies of its logs are deleted; peers have them. Store and second
 * place each say of which root they are, since one may have been put back without the other. Done again after an interruption; nothing
 * of the region may be open.
 * @throws {NodeError} what the store and the second place throw.
 */
export async function settleRoot(followed: FollowedRoot, modules: RootChangeModules): Promise<void> {
  const stored = await storedRoot(followed, modules);
  await settleMarks(followed, stored, modules.secondPlace);
  await settleStore(followed, stored, modules.store);
}

/** Deletes the copies of a region's logs. What peers send instead is held against what is known of them by other ways. */
export async function deleteCopies({ region, network }: FollowedRoot, store: Store): Promise<void> {
  const name = `${region}.${network}/`;
  for (const prefix of [`trust/${name}`, `log/${name}`, witnessKey(name)])
    await deleteRange(store, prefix, endOf(prefix));
}

async function settleMarks(
  { region, network, fingerprint }: FollowedRoot,
  stored: Uint8Array | undefined,
  secondPlace: SecondPlace,
): Promise<void> {
  const name = `${region}.${network}/`;
  const place = `root:${trustLogOrigin(region, network)}`;
  const said = await secondPlace.read(place);
  const root = said?.root ?? stored ?? fingerprint;
  if (!equalBytes(root, fingerprint)) {
    const away = putAway(root);
    for (const one of await secondPlace.names())
      if (one.startsWith(name) || one.startsWith(witnessPlace(name)))
        await moveMark(one, away + one, secondPlace);
  }
  // The size counts the changes: a mark never goes back.
  if (said === undefined || !equalBytes(said.root, fingerprint))
    await secondPlace.raise(place, {
      size: (said?.size ?? 0) + 1,
      root: fingerprint,
      note: new Uint8Array(0),
    });
  const before = putAway(fingerprint);
  for (const one of await secondPlace.names()) {
    const live = one.slice(before.length);
    if (one.startsWith(before) && (live.startsWith(name) || live.startsWith(witnessPlace(name))))
      await moveMark(one, live, secondPlace);
  }
}

async function moveMark(from: string, to: string, secondPlace: SecondPlace): Promise<void> {
  const mark = await secondPlace.read(from);
  const there = await secondPlace.read(to);
  if (mark !== undefined && (there === undefined || there.size < mark.size))
    await secondPlace.raise(to, mark);
  await secondPlace.forget(from);
}

async function settleStore(
  followed: FollowedRoot,
  stored: Uint8Array | undefined,
  store: Store,
): Promise<void> {
  const { region, network, fingerprint } = followed;
  const evidence = `${FORK_PREFIX}/${region}.${network}/`;
  const key = rootKey(followed);
  if (stored !== undefined && !equalBytes(stored, fingerprint)) {
    // Said before the first entry of its log is gone, which may be all that tells so far.
    await store.write([{ put: key, value: stored }]);
    await moveRange(evidence, putAway(stored) + evidence, store);
    await deleteCopies(followed, store);
  }
  const said = await store.get(key);
  if (said === undefined || !equalBytes(said, fingerprint))
    await store.write([{ put: key, value: fingerprint }]);
  await moveRange(putAway(fingerprint) + evidence, evidence, store);
}

async function moveRange(from: string, to: string, store: Store): Promise<void> {
  for (;;) {
    const page = await store.page(from, endOf(from), { limit: STEP });
    if (page.length === 0) return;
    await store.write(
      page.flatMap(([key, value]) => [{ put: to + key.slice(from.length), value }, { del: key }]),
    );
  }
}

/** Of which root what the store holds is; undefined where it holds nothing that tells. */
async function storedRoot(
  followed: FollowedRoot,
  { store, sha256 }: RootChangeModules,
): Promise<Uint8Array | undefined> {
  const said = await store.get(rootKey(followed));
  if (said !== undefined) return said;
  try {
    const run = await store.get(new LogKeys(trustLogOrigin(followed.region, followed.network)).run(0));
    const [entry] = run === undefined ? [] : parseRun(run);
    if (entry === undefined) return undefined;
    const { statement, body } = parseEntry(entry);
    return statement.kind === 'root' ? fingerprintOf(sha256, body) : undefined;
  } catch (error) {
    // Damage is mended from peers, or tells of itself when the log is opened.
    if (isNodeError(error, 'VALUE_CORRUPT') || isProtocolError(error)) return undefined;
    throw error;
  }
}

function rootKey({ region, network }: FollowedRoot): string {
  return `root/${trustLogOrigin(region, network)}`;
}

/** What the names of things of a root that is not followed begin with. */
function putAway(fingerprint: Uint8Array): string {
  return `${hexOf(fingerprint).slice(0, MARK_DIGITS)}~`;
}

/** The first key behind all that begin with `prefix`, which ends in a slash. */
function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}
