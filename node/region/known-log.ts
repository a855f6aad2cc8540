/**
 * The trust log of a region out of all places where it lies published: with the region itself, and as copies with those who follow
 * it. Whoever keeps a copy can hold nothing back by that and add nothing, since the region's own signature stands under all of it;
 * but a region whose directory went back, or is gone, is known by what others have seen.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { type Checkpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { standingOfBranch } from '../../protocol/trust/branch.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { isUnreadable } from './files.ts';
import { copyPath, trustLogPath } from './layout.ts';
import { LogFiles } from './log-files.ts';
import { type ReadModules } from './modules.ts';
import { nothingPublished, type PublicRegion, readTrustLog } from './public-region.ts';

/** A region, and where what it signed is to be looked for. */
export interface SoughtRegion {
  readonly region: string;
  readonly network: string;
  readonly fingerprint?: Uint8Array | undefined;
  /** The public directory of the region itself, where that is known. */
  readonly path: string | undefined;
  /** The public directory of the reader; its own region may be the one that is sought. */
  readonly readerPath: string;
  /** Further public directories that may hold copies. Without a fingerprint none is looked at: anybody could have made them. */
  readonly copiesAt: readonly string[];
}

export interface KnownRegion {
  /** The longest log that continues what the reader itself has seen. */
  readonly region: PublicRegion;
  /** Other logs with the region's signature, each no part of that one and not continuing it: it has told two stories. */
  readonly branches: readonly PublicRegion[];
  /** Entries that the region's own directory shows, 0 where it cannot be read; all that are known where there is none. */
  readonly shownSize: number;
  /** Copies that others keep and that are not what the region has signed, or cannot be read. */
  readonly passedOver: readonly PassedOverCopy[];
}

export interface PassedOverCopy {
  /** The public directory in which it lies: one of `copiesAt`. */
  readonly keptAt: string;
  readonly reason: string;
}

/** Logs that are read whole for one region: every further one is another story that it has told. */
const READ_MAX = 8;

/** What a place says that it holds. */
interface Claim extends Pick<Checkpoint, 'size' | 'root'> {
  readonly logPath: string;
  /** What was read there: whoever publishes it may put another one in its place meanwhile. */
  readonly note: Uint8Array;
}

/**
 * Reads the notes of all places, and whole logs only of those that say more or something else than what was read. A copy that turns
 * out bad says nothing of another one with the same note: what is bad may be its files alone.
 * @throws {NodeError} PEER_UNREACHABLE and DATA_INCONSISTENT, and {ProtocolError}, as `readTrustLog` of the region's own directory,
 * where no place holds a log; DATA_INCONSISTENT where the reader's own copy cannot be read and no other log continues it.
 */
export async function readKnownRegion(sought: SoughtRegion, modules: ReadModules): Promise<KnownRegion> {
  const { path, readerPath, copiesAt, fingerprint } = sought;
  const origin = trustLogOrigin(sought.region, sought.network);
  const own = path === undefined ? [] : [trustLogPath(path)];
  const copiesIn = (publicPaths: readonly string[]) =>
    fingerprint === undefined
      ? []
      : publicPaths.map((at) => [copyPath(at, origin, fingerprint), at] as const);
  const [readersOwn] = readerPath === path ? own : copiesIn([readerPath]).map(([logPath]) => logPath);
  const foreign = new Map(copiesIn(copiesAt).filter(([logPath]) => logPath !== readersOwn));
  const places = new Set([...own, ...(readersOwn === undefined ? [] : [readersOwn]), ...foreign.keys()]);
  const claims: Claim[] = [];
  const failures = new Map<string, Error>();
  const orFail = async <T>(logPath: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!isNodeError(error) && !isProtocolError(error) && !isUnreadable(error)) throw error;
      failures.set(logPath, error as Error);
      return undefined;
    }
  };
  for (const logPath of places) {
    const claim = await orFail(logPath, () => readClaim(logPath, origin));
    if (claim !== undefined) claims.push(claim);
  }
  // What this reader has published of it is what it has seen; without that the region's own word is all that there is to go by.
  const torn = () => (readersOwn === undefined ? undefined : failures.get(readersOwn));
  const sawFirst = torn() === undefined ? claims[0] : undefined;
  const seen = claims.find(({ logPath }) => logPath === readersOwn) ?? sawFirst;
  const read: PublicRegion[] = [];
  for (const claim of claims.toSorted((one, other) => other.size - one.size)) {
    if ((read.length >= READ_MAX && claim !== seen) || read.some((log) => isPartOf(claim, log))) continue;
    const place = { ...claim, path, isForeign: foreign.has(claim.logPath) };
    const log = await orFail(claim.logPath, () => readTrustLog(place, sought, modules));
    if (log !== undefined) read.push(log);
  }
  // A log that was signed by disowned keys alone proves no more than that they were stolen.
  // What the reader itself has seen gives way only to a branch that the root has named.
  const givesWay = (log: PublicRegion, other: PublicRegion) =>
    seen !== undefined && isPartOf(seen, log) ? isOutnamedBy(log, other, modules) : isDisownedBy(log, other);
  const genuine = read.filter((log) => !read.some((other) => other !== log && givesWay(log, other)));
  const continuing = genuine.find((log) => seen !== undefined && isPartOf(seen, log));
  const failed = torn();
  if (continuing === undefined && readersOwn !== undefined && failed !== undefined)
    throw readersOwn === own[0] ? failed : tornCopy(readersOwn, failed);
  const known = continuing ?? genuine[0];
  const [failure = nothingPublished(path ?? readerPath)] = failures.values();
  if (known === undefined) throw failure;
  const [shown] = claims.filter(({ logPath }) => own.includes(logPath) && !failures.has(logPath));
  return {
    region: known,
    branches: genuine.filter((log) => log !== known),
    shownSize: own.length > 0 ? (shown?.size ?? 0) : known.checkpoint.size,
    passedOver: [...failures].flatMap(([logPath, { message: reason }]) => {
      const keptAt = foreign.get(logPath);
      return keptAt === undefined ? [] : [{ keptAt, reason }];
    }),
  };
}

/** What the reader itself has seen cannot be read, and nothing that others show continues it: that may be less than it knew. */
function tornCopy(logPath: string, cause: Error): NodeError {
  const what = `what was seen of it lies in ${logPath} and cannot be read (${cause.message})`;
  const hint = 'remove that folder, then run `entente witness`: it is made anew from the store';
  return new NodeError('DATA_INCONSISTENT', `${what}; ${hint}`, { cause, fatal: true });
}

async function readClaim(logPath: string, origin: string): Promise<Claim | undefined> {
  const note = await new LogFiles(logPath).checkpoint();
  if (note === undefined) return undefined;
  const checkpoint = parseCheckpoint(parseNote(note).text);
  if (checkpoint.origin === origin) return { ...checkpoint, logPath, note };
  throw new ProtocolError('ORIGIN_INVALID', `expected ${origin}, got ${checkpoint.origin}`);
}

function isPartOf({ size, root }: Claim, { checkpoint, roots }: PublicRegion): boolean {
  if (size === checkpoint.size) return equalBytes(root, checkpoint.root);
  return size < checkpoint.size && equalBytes(root, roots.at(size));
}

/** Whether the region's root has given up, in the other log, all keys that signed this one. */
function isDisownedBy({ checkpoint }: PublicRegion, { state }: PublicRegion): boolean {
  const givenUp = [...state.keysWithRole('checkpoint')].filter(({ compromise }) => compromise !== undefined);
  return checkpoint.signers.every((signer) =>
    givenUp.some(({ publicKey }) => equalBytes(publicKey, signer.publicKey)),
  );
}

/** Whether the region's root has named the other log, and said that a thief signed this one. Spec: SPEC.md 8.5. */
function isOutnamedBy(log: PublicRegion, other: PublicRegion, { sha256 }: ReadModules): boolean {
  const words = [log, other].map(({ checkpoint }) =>
    checkpoint.signers.map(({ publicKey }) => keyIdOf(sha256, publicKey)),
  );
  const [held = [], theirs = []] = words;
  const { state, entries } = other;
  if (theirs.every((keyId) => state.key(keyId)?.compromise !== undefined)) return false;
  const differs = log.entries.findIndex((entry, i) => !equalBytes(entry, entries[i] ?? NOTHING));
  const common = differs < 0 ? log.entries.length : differs;
  return standingOfBranch(state, { state: log.state, words: [held] }, common) === 'named';
}

const NOTHING = new Uint8Array(0);
