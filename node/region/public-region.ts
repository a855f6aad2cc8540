/** What any region publishes, read from its public directory and checked against nothing but itself and a fingerprint. */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { SNAPSHOT_BYTES_MAX, SNAPSHOT_ENTRIES_MAX } from '../../protocol/limits.ts';
import { openCheckpoint, type OpenedCheckpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { type Note, parseNote } from '../../protocol/log/note.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { NodeError } from '../node-error.ts';
import { CopyGuard } from './copy-guard.ts';
import { trustLogPath } from './layout.ts';
import { LogFiles } from './log-files.ts';
import { PastRoots } from './past-roots.ts';

/** The whole trust log of a region, folded and proven against the checkpoint that the region signed. */
export interface PublicRegion {
  /** The region's own public directory, wherever this was read; undefined where that is not known. */
  readonly path: string | undefined;
  readonly region: string;
  readonly network: string;
  /** 32 bytes: what identifies the region. Who it really is, the fingerprint alone does not tell. */
  readonly fingerprint: Uint8Array;
  readonly fold: TrustFold;
  readonly state: TrustState;
  readonly entries: readonly Uint8Array[];
  readonly roots: PastRoots;
  readonly checkpoint: OpenedCheckpoint;
  /** The checkpoint with all its signature lines. */
  readonly note: Note;
}

/** What the reader knows of the region beforehand. */
export interface PublicRegionOptions {
  readonly region?: string | undefined;
  readonly network?: string | undefined;
  readonly fingerprint?: Uint8Array | undefined;
}

/** Where a trust log is read. */
export interface TrustLogPlace {
  /** The public directory of the region itself, where that is known. */
  readonly path: string | undefined;
  readonly logPath: string;
  /** The checkpoint up to which it is read; the one that lies there now unless given. */
  readonly note?: Uint8Array;
  /** Whether somebody keeps it who is neither the region nor the reader: then it is given up as `CopyGuard` says. */
  readonly isForeign?: boolean;
}

/** Reads the trust log below `path`. Rejects as `readTrustLog`. */
export function readPublicRegion(
  path: string,
  expected: PublicRegionOptions,
  modules: TrustModules,
): Promise<PublicRegion> {
  return readTrustLog({ path, logPath: trustLogPath(path) }, expected, modules);
}

/**
 * Reads the trust log of the region that publishes at `path` from `logPath`: its own files, or a copy of them elsewhere. Holds all
 * entries in memory, at most `SNAPSHOT_ENTRIES_MAX` of `SNAPSHOT_BYTES_MAX` bytes together.
 * @throws {NodeError} PEER_UNREACHABLE if nothing is published there, DATA_INCONSISTENT if files are missing.
 * @throws {ProtocolError} ORIGIN_INVALID for another region or network than expected, PIN_MISMATCH for another
 * fingerprint, STATEMENT_UNAUTHORISED if the log has no root, TOO_LARGE for more than a log may hold, and what a note, a checkpoint
 * or their signatures throw.
 */
export async function readTrustLog(
  { path, logPath, note: given, isForeign = false }: TrustLogPlace,
  expected: PublicRegionOptions,
  modules: TrustModules,
): Promise<PublicRegion> {
  const files = new LogFiles(logPath);
  const noteBytes = given ?? (await files.checkpoint());
  if (noteBytes === undefined) throw nothingPublished(path ?? logPath);
  const note = parseNote(noteBytes);
  const claimed = parseCheckpoint(note.text);
  const { region, network } = expectedOrigin(claimed.origin, expected);
  if (claimed.size > SNAPSHOT_ENTRIES_MAX) {
    throw new ProtocolError('TOO_LARGE', `expected at most ${SNAPSHOT_ENTRIES_MAX} entries`, {
      size: claimed.size,
    });
  }
  const entries: Uint8Array[] = [];
  const fold = new TrustFold({ region, network, history: (from) => entries.slice(from) }, modules);
  const guard = isForeign ? new CopyGuard(modules) : undefined;
  let bytes = 0;
  for await (const entry of files.entries(0, claimed.size)) {
    bytes += entry.length;
    if (bytes > SNAPSHOT_BYTES_MAX)
      throw new ProtocolError('TOO_LARGE', `expected at most ${SNAPSHOT_BYTES_MAX} bytes of entries`, {
        bytes,
      });
    const finding = fold.append(entry);
    entries.push(entry);
    // Whoever the region is stands in its first entry: of another one no more is read.
    if (entries.length === 1) expectedFingerprint(fold.state, expected);
    guard?.take(entry, finding);
  }
  if (!equalBytes(fold.root, claimed.root)) {
    throw new ProtocolError('PROOF_INVALID', 'the entries are not those that the checkpoint commits to', {
      size: claimed.size,
    });
  }
  const { state } = fold;
  const fingerprint = expectedFingerprint(state, expected);
  const checkpoint = openCheckpoint(
    noteBytes,
    checkpointKeys(modules.sha256, state, claimed.origin),
    modules.verifySignature,
  );
  const roots = new PastRoots(entries, modules.sha256);
  return { path, region, network, fingerprint, fold, state, entries, roots, checkpoint, note };
}

export function nothingPublished(path: string): NodeError {
  return new NodeError('PEER_UNREACHABLE', `no region publishes at ${path}`, {
    hint: 'Name the public directory of a region, as in CN-33/public.',
    retry: true,
  });
}

/** The region's checkpoint keys as keys of the log named `origin`, compromised ones included. */
export function checkpointKeys(sha256: Sha256, state: TrustState, origin: string): VerifierKey[] {
  return state
    .keysWithRole('checkpoint')
    .map(({ publicKey }) => makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey }));
}

function expectedOrigin(
  origin: string,
  { region, network }: PublicRegionOptions,
): { region: string; network: string } {
  const claimed = parseOrigin(origin);
  const isOther =
    (region ?? claimed.region) !== claimed.region || (network ?? claimed.network) !== claimed.network;
  if (claimed.kind === 'trust' && !isOther) return claimed;
  const wanted = `the trust log of ${region ?? 'a region'} in network ${network ?? 'any'}`;
  throw new ProtocolError('ORIGIN_INVALID', `expected ${wanted}, got ${origin}`);
}

function expectedFingerprint({ fingerprint }: TrustState, expected: PublicRegionOptions): Uint8Array {
  if (fingerprint === undefined)
    throw new ProtocolError('STATEMENT_UNAUTHORISED', 'the log does not begin with a root');
  if (expected.fingerprint !== undefined && !equalBytes(fingerprint, expected.fingerprint)) {
    const pair = `expected ${hexOf(expected.fingerprint)}, got ${hexOf(fingerprint)}`;
    throw new ProtocolError('PIN_MISMATCH', `this is another region under the same name: ${pair}`);
  }
  return fingerprint;
}

/** Whether a region publishes at `path`, whatever it says there. */
export async function publishes(path: string): Promise<boolean> {
  return (await new LogFiles(trustLogPath(path)).checkpoint()) !== undefined;
}
