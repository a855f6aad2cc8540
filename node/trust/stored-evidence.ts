/** The proofs of forks that a store keeps, as evidence that anybody verifies: with the statements that name the keys. */
import { type EvidenceOf } from '../../protocol/evidence/evidence.ts';
import { parseOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { parseHead } from '../log/log-head.ts';
import { LogKeys } from '../log/log-keys.ts';
import { LogReader } from '../log/log-reader.ts';
import { EVIDENCE_PREFIX } from '../evidence/evidence-book.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { putAwayIn, readerOf } from '../store/put-away.ts';
import { type StoreReader } from '../store/reader.ts';
import { FORK_PREFIX, type KnownFork, parseFork } from './fork-book.ts';
import { groundStatements } from './ground-statements.ts';

export interface StoredEvidence {
  /** 32 hexadecimal digits, the same in every store that holds this proof. */
  readonly name: string;
  readonly origin: string;
  readonly fork: KnownFork;
  /** Whether it is against a root of the region that is followed no more. */
  readonly isOfEarlierRoot: boolean;
  /** Of what is held of the region under that root. */
  readonly reader: StoreReader;
}

/** Evidence of another kind, as a peer or an operator gave it. */
export interface StoredFile {
  readonly name: string;
  readonly file: Uint8Array;
  readonly isOfEarlierRoot: boolean;
}

/** All of it in a store, that against roots that are followed no more too. Rejects as the store does. */
export async function storedFiles(store: StoreReader): Promise<StoredFile[]> {
  const found: StoredFile[] = [];
  const away = (await putAwayIn(store)).map((prefix) => readerOf(store, prefix));
  for (const reader of [store, ...away])
    for await (const [key, file] of reader.entries(`${EVIDENCE_PREFIX}/`, `${EVIDENCE_PREFIX}0`))
      found.push({ name: key.slice(key.lastIndexOf('/') + 1), file, isOfEarlierRoot: reader !== store });
  return found;
}

/** Something that is kept under this name and cannot be read: `error` is LOG_CORRUPT. */
export type OnUnread = (name: string, error: NodeError) => void;

/**
 * All proofs of forks in a store, those against roots that are followed no more too. Rejects as the store does, and for one that is none with
 * LOG_CORRUPT where nobody is to be told of that.
 */
export async function storedEvidence(
  store: StoreReader,
  onUnread: OnUnread = (_name, error) => {
    throw error;
  },
): Promise<StoredEvidence[]> {
  const found: StoredEvidence[] = [];
  const away = (await putAwayIn(store)).map((prefix) => readerOf(store, prefix));
  for (const reader of [store, ...away]) {
    for await (const [key, value] of reader.entries(`${FORK_PREFIX}/`, `${FORK_PREFIX}0`)) {
      const [, origin = '', name = ''] = /^[^/]+\/(.*)\/([^/]+)$/.exec(key) ?? [];
      try {
        found.push({ name, origin, fork: parseFork(key, value), isOfEarlierRoot: reader !== store, reader });
      } catch (error) {
        if (!isNodeError(error, 'LOG_CORRUPT')) throw error;
        onUnread(name, error);
      }
    }
  }
  return found;
}

/** A stored proof as evidence, with what the trust log that was held with it says of the keys. Rejects as `evidenceOf` and as reading the log. */
export function storedEvidenceOf(stored: StoredEvidence, modules: TrustModules): Promise<EvidenceOf<'fork'>> {
  const { region, network } = parseOrigin(stored.origin);
  const entries = trustLogEntries(trustLogOrigin(region, network), stored.reader, modules.sha256);
  return evidenceOf(stored, entries, modules);
}

/**
 * A proof as evidence. What the root said of its keys is read from the entries of the region's trust log.
 * @throws {NodeError} NOT_FOUND if those do not name all keys that signed. Rejects also as `entries`.
 */
export async function evidenceOf(
  { origin, fork }: Pick<StoredEvidence, 'origin' | 'fork'>,
  entries: AsyncIterable<Uint8Array>,
  modules: TrustModules,
): Promise<EvidenceOf<'fork'>> {
  const { region, network } = parseOrigin(origin);
  const signers = new Set(fork.signers.flat());
  const { sha256 } = modules;
  const isSigner = (publicKey: Uint8Array) => signers.has(keyIdOf(sha256, publicKey));
  const { statements, state } = await groundStatements({ region, network }, entries, isSigner, modules);
  const missing = [...signers].filter((keyId) => state.key(keyId) === undefined);
  if (missing.length > 0) {
    const message = `the trust log of ${region} that is held does not name the keys ${missing.join(', ')}`;
    throw new NodeError('NOT_FOUND', message);
  }
  const { size, sides } = fork.evidence;
  return { kind: 'fork', grounds: [statements], size, sides: [...sides] };
}

async function* trustLogEntries(
  origin: string,
  reader: StoreReader,
  sha256: Sha256,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stored = await reader.get(new LogKeys(origin).head);
  if (stored === undefined) return;
  const { size, minimum } = parseHead(stored, origin);
  yield* new LogReader(origin, { reader, sha256 }).entries(minimum, size);
}
