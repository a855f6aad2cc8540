/**
 * A region that moves to another place. The new keys are made there and admitted while the old place still signs, so that every peer knows them,
 * and the new node's identity, before the old place falls silent; what it could sign with is given up by the root once the logs have arrived.
 */
import { cp, mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { editConfig } from '../../node/config/config-file.ts';
import { type ConfigEdit } from '../../node/config/edit.ts';
import { type Config } from '../../node/config/schema.ts';
import { type KeyedSigner, type StatementDraft } from '../../node/log/trust-log-work.ts';
import { isNodeError, NodeError } from '../../node/node-error.ts';
import { moveFile, namesIn, removeFile, removeTree, syncTree } from '../../node/region/files.ts';
import { hasKeyFile, keyFilePath, keyNamesIn } from '../../node/region/key-file.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import {
  MOVED_FILE,
  movedError,
  type MovedMark,
  readMoved,
  removeMoved,
  requireNotMoved,
  writeMoved,
} from '../../node/region/moved.ts';
import { RegionKeys } from '../../node/region/region-keys.ts';
import { type CutOff, cutOffsWithin, mayStillSign } from '../../node/region/statements.ts';
import { openNodeIdentity } from '../../node/service/node-identity.ts';
import { withKeepLock } from '../../node/store/keep-lock.ts';
import { lockStore } from '../../node/store/level-disk.ts';
import { systemClock } from '../../node/system-clock.ts';
import { hexBytes } from '../../protocol/bytes.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type KeyRole, type TrustKey } from '../../protocol/trust/trust-state.ts';
import { openRootKeys } from '../ceremony/opened-keys.ts';
import { type PassphraseOptions } from '../ceremony/passphrase.ts';
import { type Cli } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { adminOf } from '../desk/admin-of.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { printable } from '../printable.ts';
import { pathEdits } from './moved-paths.ts';

const HOUR_S = 3_600;
/** As long as a node that runs announces itself. */
const IDENTITY_S = 30 * 86_400;
const ROLES = ['attest', 'checkpoint', 'trust-log', 'witness'] as const satisfies readonly KeyRole[];
/** Milliseconds that a node has to finish what is in hand, and between two looks. */
const STOP_MS_MAX = 30_000;
const LOOK_MS = 100;

const FENCED_HINT =
  'Nothing was moved. Such a region goes to another machine without the root: make a standby there (`entente standby make`), run it with --standby, and `entente promote` it; then give up the keys of the old place with `entente key compromise`, its attest keys all at once with --all-attest.';

export interface MoveOptions extends PassphraseOptions {
  /** Files of sealed keys of the root. */
  readonly key?: readonly string[] | undefined;
}

export interface Moved {
  readonly region: string;
  /** Keys of the old place that were given up. */
  readonly replaced: number;
  /** Files of root keys, which lie in the new place alone now. */
  readonly rootKeys: readonly string[];
}

/**
 * Moves the region at `from` to `to`, which must not be there, unless an earlier move broke off behind it: then goes on with that.
 * What breaks off before the logs are there leaves the region where it was, or marked so that nobody signs before the move is finished or
 * taken back; at no time can both places sign.
 * @throws {CliError} USAGE as `pathEdits`. Rejects as `openRootKeys`, with KEY_FILE_MISSING if too few keys of the root are at hand.
 * @throws {NodeError} REGION_MOVED if it is on its way to another place, or has left for one that is not there now.
 */
export async function moveRegion(
  cli: Cli,
  from: string,
  to: string,
  { key = [], ...passphrase }: MoveOptions,
): Promise<Moved> {
  const source = new RegionLayout(resolve(from));
  const { environment = {} } = cli.surroundings;
  const config = await readRegionConfig(source, { environment });
  const moved = new RegionLayout(resolve(to));
  await requireMovable(source, moved, config);
  const edits = pathEdits({ source, realSource: await realpath(source.path), moved }, config, environment);
  const roots = await openRootKeys(cli, key, config, passphrase);
  return withKeepLock(`${moved.path}.moving`, async () => {
    const mark = await readMoved(source);
    if (mark !== undefined && mark.to !== moved.path) throw movedError(source, mark);
    if (await isThere(moved)) {
      await requireBegun(moved, config, mark);
    } else {
      // What has arrived may have signed since: it is away, and not to be made once more.
      if (mark?.hasArrived === true) throw movedError(source, mark);
      // Of a move that broke off nothing is in the new place: the region is still here, whole.
      const store = source.resolve(config.storage.store);
      if (mark !== undefined) await whileLocked(source, store, () => removeMoved(source));
      await bringOver(cli, { source, moved, config, edits, roots });
    }
    await writeMoved(source, { to: moved.path, hasArrived: true });
    const replaced = await giveUpOld(cli, moved, roots);
    cli.output.note('The root has given up the keys of the old place.');
    await removeSecrets(source, moved);
    const rootNames = (await keyNamesIn(moved.keys)).filter(({ role }) => role === 'root');
    const rootKeys = rootNames.map((name) => basename(keyFilePath(moved.keys, name)));
    return { region: config.region, replaced, rootKeys };
  });
}

/** What would not go well is refused while nothing has changed. */
async function requireMovable(source: RegionLayout, moved: RegionLayout, { writer }: Config): Promise<void> {
  if (writer.fenced)
    throw usageError('witnesses fence who writes for this region (writer.fenced)', FENCED_HINT);
  const way = relative(await realpath(source.path), await realWay(moved.path));
  if (way.split(sep)[0] !== '..' && !isAbsolute(way))
    throw usageError(`${printable(moved.path)} is in the region itself`, 'Name a directory outside it.');
}

/** A path that need not be there, with the links in what is there of it followed. */
async function realWay(path: string): Promise<string> {
  const above = dirname(path);
  if (above === path) return path;
  return realpath(path).catch(async () => join(await realWay(above), basename(path)));
}

async function isThere({ path }: RegionLayout): Promise<boolean> {
  return (await namesIn(path)).length > 0;
}

async function requireBegun(
  moved: RegionLayout,
  { region, network }: Config,
  mark: MovedMark | undefined,
): Promise<void> {
  const found = mark && (await readRegionConfig(moved).catch(() => undefined));
  if (found?.region === region && found.network === network) return;
  throw usageError(`${printable(moved.path)} is not empty`, 'Name a new directory.');
}

interface Bringing {
  readonly source: RegionLayout;
  readonly moved: RegionLayout;
  readonly config: Config;
  /** What the config has to say otherwise in the new place. */
  readonly edits: readonly ConfigEdit[];
  /** Keys of the root that are named, beside those in the old place. */
  readonly roots: readonly KeyedSigner[];
}

async function bringOver(cli: Cli, { source, moved, config, edits, roots }: Bringing): Promise<void> {
  const target = new RegionLayout(`${moved.path}.moving`);
  const store = source.resolve(config.storage.store);
  await removeTree(target.path);
  try {
    // A file that cannot be changed so is found out before anything else is.
    await copyConfig(source, target, edits);
    await admitSuccessors(cli, source, target, { config, roots });
    cli.output.note('Keys for the new place are made and admitted.');
    await stopNode(cli, source);
    await whileLocked(source, store, async () => {
      // Also says who else moves it.
      await requireNotMoved(source);
      await writeMoved(source, { to: moved.path, hasArrived: false });
      try {
        cli.output.note('The old place is closed.');
        await copyRegion(source, target);
        await copyConfig(source, target, edits);
        await syncTree(target.path);
        cli.output.note('Logs, registry and config are copied.');
        await moveFile(target.path, moved.path);
      } catch (error) {
        if (!(await isThere(moved))) await removeMoved(source);
        throw error;
      }
    });
    cli.output.note('The region is in the new place.');
  } catch (error) {
    await removeTree(target.path);
    throw error;
  }
}

/** Works while nobody has the store of the old place open, once its node has finished what is in hand. */
async function whileLocked<T>({ path }: RegionLayout, store: string, work: () => Promise<T>): Promise<T> {
  const unlock = await lockWithin(path, store, performance.now() + STOP_MS_MAX);
  try {
    return await work();
  } finally {
    await unlock();
  }
}

async function lockWithin(path: string, store: string, endMs: number): Promise<() => Promise<void>> {
  for (;;) {
    try {
      return await lockStore(store);
    } catch (error) {
      if (!isNodeError(error, 'STORE_LOCKED')) throw error;
      if (performance.now() > endMs)
        throw new CliError(EXIT.failure, error.code, `somebody still works on ${printable(path)}`, {
          hint: 'Nothing was moved, and it goes on signing. End it, and whatever starts it again, and run the command once more.',
        });
      await systemClock.wait(LOOK_MS, new AbortController().signal);
    }
  }
}

/** Makes keys and an identity in the new place, and lets the old one log what the root says of them. */
function admitSuccessors(
  cli: Cli,
  source: RegionLayout,
  target: RegionLayout,
  { config, roots }: Pick<Bringing, 'config' | 'roots'>,
): Promise<void> {
  return withDesk(cli, source.path, async (desk, modules) => {
    await lendRoots(desk, roots);
    await mkdir(target.keys, { recursive: true, mode: 0o700 });
    for (const name of await keyNamesIn(source.keys))
      if (name.role === 'registry' || name.role === 'root')
        await cp(keyFilePath(source.keys, name), keyFilePath(target.keys, name));
    const keys = await RegionKeys.open(target.keys, config, modules);
    const identity = await openNodeIdentity(target.keys, config, modules);
    const nowS = modules.nowS();
    const admitted: Extract<StatementDraft, { kind: 'keys' }>['keys'] = [];
    for (const { role, fromS, untilS } of keysToGiveUp(desk, nowS)) {
      if (untilS <= Math.max(nowS, fromS)) continue;
      const from = Math.max(fromS, nowS - (nowS % HOUR_S));
      const { publicKey } = await keys.create(role);
      admitted.push({ key: publicKey, role, from, until: untilS });
    }
    const { announce, listen } = config.p2p;
    const addresses = [...(announce.length > 0 ? announce : listen)];
    await desk.appendByRoot([
      { kind: 'keys', keys: admitted },
      { kind: 'node', key: identity.publicKey, addresses, from: nowS, until: nowS + IDENTITY_S },
    ]);
  });
}

/** All by which something can still be signed, those among them that are over, and that were retired: of these nothing may be left behind. */
function keysToGiveUp({ state }: Desk, nowS: number): TrustKey[] {
  return ROLES.flatMap((role) => state.keysWithRole(role)).filter((key) => mayStillSign(key, nowS));
}

/** Stops the node that runs on the directory, if one does, and no other of its process. */
async function stopNode(cli: Cli, { path }: RegionLayout): Promise<void> {
  const admin = await adminOf(path, cli.surroundings.environment ?? {});
  const isRunning = async (method: 'GET' | 'POST', asked: string) => {
    try {
      await admin.ask({ method, path: asked });
      return true;
    } catch (error) {
      if (isNodeError(error, 'PEER_UNREACHABLE')) return false;
      throw error;
    }
  };
  if (!(await isRunning('POST', '/v1/stop'))) return;
  const endMs = performance.now() + STOP_MS_MAX;
  while (performance.now() < endMs) {
    if (!(await isRunning('GET', '/v1/peers'))) return;
    await systemClock.wait(LOOK_MS, new AbortController().signal);
  }
  throw new CliError(EXIT.failure, 'NODE_FAILED', `the node of ${printable(path)} did not stop`, {
    hint: 'Nothing was moved, and it goes on signing. End it, and run the command again.',
  });
}

/** Has the desk sign by these keys of the root too. @throws {NodeError} KEY_FILE_MISSING if that is not enough. */
async function lendRoots({ keys }: Desk, roots: readonly KeyedSigner[]): Promise<void> {
  keys.lendRoots(roots);
  try {
    await keys.roots();
  } catch (error) {
    if (!isNodeError(error, 'KEY_FILE_MISSING')) throw error;
    throw new NodeError(error.code, error.message, {
      hint: 'Name the sealed keys of the root, each with --key FILE, while their media are at hand, and run the command again: it goes on where it stands.',
    });
  }
}

/** Writes the config of the new place. */
async function copyConfig(
  source: RegionLayout,
  target: RegionLayout,
  edits: readonly ConfigEdit[],
): Promise<void> {
  await mkdir(target.path, { recursive: true, mode: 0o700 });
  await cp(source.config, target.config, { dereference: true });
  if (edits.length > 0) await editConfig(target.config, edits);
}

/** All but the config, secrets that the new place has its own of, sockets, and what a store makes anew. */
async function copyRegion(source: RegionLayout, target: RegionLayout): Promise<void> {
  const config = basename(source.config);
  const left = new Set([
    'keys',
    'admin.sock',
    'admin.secret',
    'desk.secret',
    MOVED_FILE,
    config,
    `${config}.lock`,
  ]);
  for (const name of await namesIn(source.path)) {
    if (left.has(name)) continue;
    await cp(join(source.path, name), join(target.path, name), {
      recursive: true,
      filter: (path) => basename(path) !== 'LOCK' && basename(path) !== 'reserve',
    });
  }
  // Beside its keys may lie sealed ones of the root, and files that the config names.
  const keys = new Set((await keyNamesIn(source.keys)).map((name) => keyFilePath(source.keys, name)));
  for (const name of await namesIn(source.keys)) {
    const file = join(source.keys, name);
    if (!keys.has(file)) await cp(file, join(target.keys, name), { recursive: true });
  }
}

/** Gives up by the root, in the new place, every key of which the old one had the secret, whatever it kept of them: what they signed by now counts on. */
function giveUpOld(cli: Cli, moved: RegionLayout, roots: readonly KeyedSigner[]): Promise<number> {
  return withDesk(cli, moved.path, async (desk, { nowS, sha256 }) => {
    const here = new Set((await onlineKeysIn(moved)).map(({ keyId }) => keyId));
    const atS = nowS();
    const old = keysToGiveUp(desk, atS).filter(({ keyId }) => !here.has(keyId));
    const retired = [...desk.state.nodes()]
      .filter(({ publicKey, untilS }) => untilS > atS && !here.has(keyIdOf(sha256, publicKey)))
      .map(({ publicKey }): StatementDraft => {
        return { kind: 'node', key: publicKey, addresses: [], from: atS, until: atS + 1 };
      });
    const givenUp = ({ keyId }: TrustKey, cutoffs: CutOff[]): StatementDraft => {
      return { kind: 'compromise', key: hexBytes(keyId), version: 1, cutoffs };
    };
    const ofRole = (role: KeyRole) => old.filter((key) => key.role === role);
    const attested = await cutOffsOf(desk, logsOf(desk));
    const statements = [
      ...ofRole('attest').map((key) => givenUp(key, cutOffsWithin(attested, key, atS))),
      ...ofRole('witness').map((key) => givenUp(key, [])),
      ...retired,
    ];
    if (statements.length + old.length > 0) await lendRoots(desk, roots);
    if (statements.length > 0) await desk.appendByRoot(statements);
    // Each may have the log folded again from its beginning, so nothing stands behind it in a batch.
    for (const key of [...ofRole('checkpoint'), ...ofRole('trust-log')]) {
      // What has not begun has signed nothing.
      const cutOffs = key.fromS <= atS ? await cutOffsOf(desk, ['trust']) : [];
      await desk.appendByRoot([givenUp(key, cutOffs)]);
    }
    return old.length;
  });
}

function logsOf({ state }: Desk): string[] {
  return [...state.logs()].map(({ log }) => log);
}

async function cutOffsOf(desk: Desk, logs: readonly string[]): Promise<CutOff[]> {
  const cutOffs: CutOff[] = [];
  for (const log of logs.toSorted()) {
    const size = await desk.size(log);
    if (size > 0) cutOffs.push({ log, size, root: await desk.rootAt(log, size) });
  }
  return cutOffs;
}

/** All but what the registry in the old place is read with; a root key only where the new place has it. */
async function removeSecrets(source: RegionLayout, moved: RegionLayout): Promise<void> {
  for (const name of await keyNamesIn(source.keys)) {
    const isNeeded = name.role === 'root' && !(await hasKeyFile(moved.keys, name));
    if (name.role !== 'registry' && !isNeeded) await removeFile(keyFilePath(source.keys, name));
  }
  // They open what numbers of the region were sealed with.
  await removeTree(source.seeds);
}

async function onlineKeysIn({ keys }: RegionLayout) {
  return (await keyNamesIn(keys)).filter(({ role }) => role !== 'root' && role !== 'registry');
}
