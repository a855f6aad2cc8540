/** The proofs of forks that a store keeps, as evidence that anybody verifies: with the statements that name the keys. */
import { encodeEvidenceIfTaken, type EvidenceOf } from '../../protocol/evidence/evidence.ts';
import { type ForkSide } from '../../protocol/evidence/fork.ts';
import { encodeNote, parseNote } from '../../protocol/log/note.ts';
import { parseOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type TrustKey, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { parseHead } from '../log/log-head.ts';
import { LogKeys } from '../log/log-keys.ts';
import { LogReader } from '../log/log-reader.ts';
import { EVIDENCE_PREFIX } from '../evidence/evidence-book.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Clock, type Entry } from '../ports.ts';
import { putAwayIn, readerOf } from '../store/put-away.ts';
import { type StoreReader } from '../store/reader.ts';
import { FORK_PREFIX, type KnownFork, parseFork } from './fork-book.ts';
import { groundStatements } from './ground-statements.ts';
import { wholeState } from './whole-fold.ts';

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

export interface StoredEvidenceModules extends TrustModules {
  readonly clock: Pick<Clock, 'wait'>;
}

/** Something that is kept under this name and cannot be read: VALUE_CORRUPT where it is damaged, DATA_INCONSISTENT where it is none. */
export type OnUnread = (name: string, error: NodeError) => void;

/**
 * All of it in a store, that against roots that are followed no more too. Rejects as the store does, and for what is damaged where nobody
 * is to be told of that.
 */
export async function* storedFiles(
  store: StoreReader,
  onUnread?: OnUnread,
): AsyncGenerator<StoredFile, void, undefined> {
  for (const reader of await readersOf(store))
    for await (const [key, file] of allIn(reader, EVIDENCE_PREFIX, onUnread))
      yield { name: nameIn(key), file, isOfEarlierRoot: reader !== store };
}

/**
 * All proofs of forks in a store, those against roots that are followed no more too. Rejects as the store does, and for one that is none with
 * DATA_INCONSISTENT where nobody is to be told of that.
 */
export async function storedEvidence(store: StoreReader, onUnread?: OnUnread): Promise<StoredEvidence[]> {
  const found: StoredEvidence[] = [];
  for (const reader of await readersOf(store)) {
    for await (const [key, value] of allIn(reader, FORK_PREFIX, onUnread)) {
      const [, origin = ''] = /^[^/]+\/(.*)\/[^/]+$/.exec(key) ?? [];
      const name = nameIn(key);
      try {
        found.push({ name, origin, fork: parseFork(key, value), isOfEarlierRoot: reader !== store, reader });
      } catch (error) {
        if (onUnread === undefined || !isNodeError(error, 'DATA_INCONSISTENT')) throw error;
        onUnread(name, error);
      }
    }
  }
  return found;
}

/** Of what is held, and of what is put away of each root. */
async function readersOf(store: StoreReader): Promise<readonly StoreReader[]> {
  return [store, ...(await putAwayIn(store)).map((prefix) => readerOf(store, prefix))];
}

function allIn(reader: StoreReader, prefix: string, onUnread: OnUnread | undefined): AsyncIterable<Entry> {
  const onDamaged = onUnread && ((error: NodeError) => onUnread(nameIn(error.key ?? ''), error));
  return reader.entries(`${prefix}/`, `${prefix}0`, { onDamaged });
}

function nameIn(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** A stored proof as evidence, with what the trust log that was held with it says of the keys. Rejects as `evidenceOf` and as reading the log. */
export function storedEvidenceOf(
  stored: StoredEvidence,
  modules: StoredEvidenceModules,
): Promise<Uint8Array | undefined> {
  return evidenceOf(stored, logIn(stored, modules), modules);
}

/** The trust log of a region that is held. */
export interface HeldLog {
  /** From its first entry on. */
  entries(): AsyncIterable<Uint8Array>;
  /** What they lead to: a key of the role `checkpoint` that was given up is in no state forgotten. */
  state(): Promise<Pick<TrustState, 'key'>>;
}

/**
 * A proof as a file of evidence. What the root said of its keys is read from the region's trust log. Where that is more than a reader takes,
 * of each note one line of the log is left, and where it still is, no other line; undefined if all that is too much.
 * @throws {NodeError} NOT_FOUND if the entries do not name all keys that signed. Rejects also as reading the log.
 */
export async function evidenceOf(
  { origin, fork }: Pick<StoredEvidence, 'origin' | 'fork'>,
  log: HeldLog,
  modules: TrustModules,
): Promise<Uint8Array | undefined> {
  const { region, network } = parseOrigin(origin);
  const signers = new Set(fork.signers.flat());
  const { sha256 } = modules;
  const isSigner = (publicKey: Uint8Array) => signers.has(keyIdOf(sha256, publicKey));
  const { statements, state } = await groundStatements({ region, network }, log.entries(), isSigner, modules);
  const missing = [...signers].filter((keyId) => state.key(keyId) === undefined);
  if (missing.length > 0) {
    const message = `the trust log of ${region} that is held does not name the keys ${missing.join(', ')}`;
    throw new NodeError('NOT_FOUND', message);
  }
  const { size, sides } = fork.evidence;
  const made = { kind: 'fork', grounds: [statements], size, sides: [...sides] } satisfies EvidenceOf<'fork'>;
  const whole = encodeEvidenceIfTaken(made);
  if (whole !== undefined) return whole;
  // A thief may have had those that were given up.
  const known = await log.state();
  const rank = ({ keyId }: TrustKey) => Number(known.key(keyId)?.compromise !== undefined);
  const inOrder = [...state.keysWithRole('checkpoint')].sort((a, b) => rank(a) - rank(b));
  const kept = fork.signers.map((side) => inOrder.find(({ keyId }) => side.includes(keyId)));
  const isKept = (publicKey: Uint8Array) => kept.some((key) => key?.keyId === keyIdOf(sha256, publicKey));
  const ground = await groundStatements({ region, network }, statements, isKept, modules);
  for (const hasOthers of [true, false]) {
    const notes = sides.map(({ note }, i) => withOneLine(note, { origin, key: kept[i], hasOthers }, sha256));
    const fewer = sides.map((side, i) => ({ ...side, note: notes[i] ?? side.note }));
    const file = encodeEvidenceIfTaken({
      ...made,
      grounds: [ground.statements],
      sides: fewer as [ForkSide, ForkSide],
    });
    if (file !== undefined) return file;
  }
  return undefined;
}

/** A note with the line of its log by one key, and with those of others if they are to stay. */
function withOneLine(
  note: Uint8Array,
  { origin, key, hasOthers }: { origin: string; key: TrustKey | undefined; hasOthers: boolean },
  sha256: Sha256,
): Uint8Array {
  if (key === undefined) return note;
  const { publicKey } = key;
  const { keyId } = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
  const { text, signatures } = parseNote(note);
  const kept = signatures.filter((line) => (line.name === origin ? line.keyId === keyId : hasOthers));
  return encodeNote({ text, signatures: kept });
}

function logIn({ origin: forked, reader: store }: StoredEvidence, modules: StoredEvidenceModules): HeldLog {
  const { region, network } = parseOrigin(forked);
  const origin = trustLogOrigin(region, network);
  const reader = new LogReader(origin, { reader: store, sha256: modules.sha256 });
  const head = async () => {
    const stored = await store.get(new LogKeys(origin).head);
    return stored === undefined ? { size: 0, minimum: 0 } : parseHead(stored, origin);
  };
  return {
    async state() {
      const { size } = await head();
      return wholeState({ region, network }, { ...modules, tree: () => ({ size, reader }) });
    },
    async *entries() {
      const { size, minimum } = await head();
      yield* reader.entries(minimum, size);
    },
  };
}
