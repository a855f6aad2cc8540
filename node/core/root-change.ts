/**
 * A region that is followed under another root than before: another region under the same id. What is held of it under each root is
 * kept apart, so that neither is taken for the other, and whoever comes back to a root finds again what was seen of it.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { parseOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { fingerprintOf, parseEntry } from '../../protocol/trust/statement.ts';
import { parseRun } from '../log/entry-run.ts';
import { LogKeys } from '../log/log-keys.ts';
import { deleteRange } from '../log/prune.ts';
import { isNodeError } from '../node-error.ts';
import { type Change, type SecondPlace } from '../ports.ts';
import { putAway, UNKNOWN_ROOT } from '../store/put-away.ts';
import { type Store } from '../store/store.ts';
import { EVIDENCE_PREFIX } from '../evidence/evidence-book.ts';
import { UNPROVEN_PREFIX } from '../evidence/unproven-notes.ts';
import { FORK_PREFIX } from '../trust/fork-book.ts';
import { BRANCH_PREFIX, NAMED_PREFIX } from '../trust/left-branches.ts';
import { rootsPlace } from '../trust/known-roots.ts';
import { leftKey } from '../witness/left-mark.ts';
import { leavingsPlace, witnessKey, witnessPlace } from '../witness/witness.ts';
import { recordKey, recordPlace } from '../writer/writer-memory.ts';

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

/**
 * Puts away all that is held of a region under another root than this one, and brings back what was put away of this one: copies of its
 * logs, what the own witness saw of them and has promised its writers, the evidence against it, and the marks of all that in the second
 * place. Store and second place each say of which root they are, since one may have been put back without the other; a store that does
 * not say is taken for one of the root that the second place names. Done again after an interruption; nothing of the region may be open.
 * @throws {NodeError} what the store and the second place throw.
 */
export async function settleRoot(followed: FollowedRoot, modules: RootChangeModules): Promise<void> {
  const place = await modules.secondPlace.read(rootPlace(followed));
  const stored = (await storedRoot(followed, modules)) ?? place?.root;
  await settleMarks(followed, stored, modules.secondPlace);
  await settleStore(followed, stored, modules.store);
}

/** Of what is kept of a region and no peer need have. */
const KEPT = [FORK_PREFIX, UNPROVEN_PREFIX, EVIDENCE_PREFIX, BRANCH_PREFIX, NAMED_PREFIX];

/** @throws {ProtocolError} PIN_MISMATCH if something is held of the region under another root. */
export async function requireRoot(followed: FollowedRoot, modules: RootChangeModules): Promise<void> {
  const place = await modules.secondPlace.read(rootPlace(followed));
  const known = place?.root ?? (await storedRoot(followed, modules));
  if (known === undefined || equalBytes(known, followed.fingerprint)) return;
  const { region } = followed;
  const way = 'if it was set up anew, `recognise --new-root` takes it in its place';
  throw new ProtocolError(
    'PIN_MISMATCH',
    `this is not the ${region} that was met before under this id; ${way}`,
  );
}

/**
 * Deletes the copies of a region's logs of which nothing tells under which root they are; the evidence is put away. What peers send
 * instead is held against what is known of them by other ways.
 */
export async function dropRegion({ region, network }: FollowedRoot, store: Store): Promise<void> {
  const name = `${region}.${network}/`;
  for (const prefix of [`trust/${name}`, `log/${name}`, witnessKey(name), leftKey(name), recordKey(name)])
    await deleteRange(store, prefix, endOf(prefix));
  for (const prefix of KEPT)
    await moveRange(`${prefix}/${name}`, `${putAway(UNKNOWN_ROOT)}${prefix}/${name}`, store);
}

/** Deletes the copy of one log, and the base of its fold. */
export async function dropCopy(origin: string, store: Store): Promise<void> {
  for (const prefix of [`trust/${origin}/`, `log/${origin}/`])
    await deleteRange(store, prefix, endOf(prefix));
}

async function settleMarks(
  { region, network, fingerprint }: FollowedRoot,
  stored: Uint8Array | undefined,
  secondPlace: SecondPlace,
): Promise<void> {
  const name = `${region}.${network}/`;
  const place = rootPlace({ region, network });
  const said = await secondPlace.read(place);
  const prefixes = [name, witnessPlace(name), leavingsPlace(name), rootsPlace(name), recordPlace(name)];
  const root = said?.root ?? stored ?? fingerprint;
  if (!equalBytes(root, fingerprint)) {
    for (const prefix of prefixes)
      for (const one of await secondPlace.names(prefix))
        await moveMark(one, putAway(root) + one, secondPlace);
  }
  // The size counts the changes: a mark never goes back.
  if (said === undefined || !equalBytes(said.root, fingerprint))
    await secondPlace.raise(place, {
      size: (said?.size ?? 0) + 1,
      root: fingerprint,
      note: new Uint8Array(0),
    });
  const away = putAway(fingerprint);
  for (const prefix of prefixes)
    for (const one of await secondPlace.names(away + prefix))
      await moveMark(one, one.slice(away.length), secondPlace);
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
  const name = `${region}.${network}/`;
  const kept = KEPT.map((prefix) => `${prefix}/${name}`);
  const witnessed = [witnessKey(name), leftKey(name), recordKey(name)];
  const prefixes = [...kept, `trust/${name}`, ...witnessed, `log/${name}`];
  const key = rootKey(followed);
  if (stored !== undefined && !equalBytes(stored, fingerprint)) {
    // Said before the first entry of its log is gone, which may be all that tells so far.
    await store.write([{ put: key, value: stored }]);
    for (const prefix of prefixes) await moveRange(prefix, putAway(stored) + prefix, store);
  }
  const said = await store.get(key);
  if (said === undefined || !equalBytes(said, fingerprint))
    await store.write([{ put: key, value: fingerprint }]);
  for (const prefix of prefixes) await moveRange(putAway(fingerprint) + prefix, prefix, store);
}

/**
 * A value that is not what was written is dropped: of a copy, peers have it; of what was seen, the second place; of two proofs against a
 * region, one is enough.
 */
async function moveRange(from: string, to: string, store: Store): Promise<void> {
  for (;;) {
    const page = await store.inspect(from, STEP);
    const keys = page.map(({ key }) => key).filter((key) => key < endOf(from));
    if (keys.length === 0) return;
    const changes: Change[] = [];
    for (const key of keys) {
      const value = await readable(key, store);
      if (value !== undefined) changes.push({ put: to + key.slice(from.length), value });
      changes.push({ del: key });
    }
    await store.write(changes);
  }
}

async function readable(key: string, store: Store): Promise<Uint8Array | undefined> {
  try {
    return await store.get(key);
  } catch (error) {
    if (isNodeError(error, 'VALUE_CORRUPT')) return undefined;
    throw error;
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

function rootPlace({ region, network }: Pick<FollowedRoot, 'region' | 'network'>): string {
  return `root:${trustLogOrigin(region, network)}`;
}

/** Under which root a region is followed, or was last, by the name of its trust log. Rejects as `SecondPlace.read`. */
export async function followedRoot(
  origin: string,
  secondPlace: Pick<SecondPlace, 'read'>,
): Promise<Uint8Array | undefined> {
  return (await secondPlace.read(rootPlace(parseOrigin(origin))))?.root;
}

function rootKey({ region, network }: FollowedRoot): string {
  return `root/${trustLogOrigin(region, network)}`;
}

/** The first key behind all that begin with `prefix`, which ends in a slash. */
function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}
