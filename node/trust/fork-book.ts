/** The proofs that logs have forked: kept for good, and held against the log until its root disowns the key that signed. */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type OpenedCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { z } from 'zod';
import { type ForkEvidence, verifyForkEvidence } from '../../protocol/evidence/fork.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { encodeAnswer, parseAnswer } from '../sync/messages.ts';
import { FORKS_MAX } from '../sync/sync-limits.ts';
import { type Clock } from '../ports.ts';
import { forkMessage } from '../sync/sync-server.ts';
import { type Store } from '../store/store.ts';
import { Turns } from '../turns.ts';

export interface KnownFork {
  readonly evidence: ForkEvidence;
  /** Ids of the keys that signed each side. */
  readonly signers: readonly [readonly string[], readonly string[]];
}

export interface ForkBookModules extends Primitives {
  readonly clock: Clock;
  readonly store: Store;
  /** Told of every proof of the log that is new, or counts again, and that its root has not disowned. Must not throw. */
  readonly onFork?: (origin: string, evidence: ForkEvidence) => void;
}

/** Of all keys under which a store keeps proofs: then follow the origin of the log and the name of the proof. */
export const FORK_PREFIX = 'fork';

/**
 * Proofs of one log, those of disowned keys too, and of these such that were disowned when they came: a thief makes as many as he likes. What is
 * disowned gives way to what is not, and leaves room in an answer of `FORKS_MAX`.
 */
export const FORKS_KEPT_MAX = 64;
export const FORKS_DISOWNED_MAX = 4;
/** Proofs that were verified and not kept: so that none of them is verified each time it comes. */
const REFUSED_REMEMBERED = 256;

const FORM = 1;
const BYTES_MAX = 1 << 20;
const keyIds = z.array(z.string());
const schema = z.tuple([
  z.literal(FORM),
  z.custom<Uint8Array>((v) => v instanceof Uint8Array),
  keyIds,
  keyIds,
]);

/** By the id that lines give, which two keys can have in common. */
type KeysById = ReadonlyMap<number, readonly VerifierKey[]>;

export class ForkBook {
  readonly #origin: string;
  readonly #modules: ForkBookModules;
  /** By the hash of the evidence. */
  readonly #forks = new Map<string, KnownFork>();
  /** Names of those that the store has and that cannot be read. */
  readonly #unread = new Set<string>();
  /** By the same, those for which there was no place. */
  #refused = new RecentMap<Pick<KnownFork, 'signers'>>(REFUSED_REMEMBERED);
  /** By which all that is kept was looked at. */
  #named: KeysById = new Map();
  /** Names of those of which the store does not know yet who else has signed them. */
  readonly #unwritten = new Set<string>();
  readonly #turns = new Turns();

  private constructor(origin: string, modules: ForkBookModules) {
    this.#origin = origin;
    this.#modules = modules;
  }

  /** Reads what is kept of a log. Rejects as the store does, and as `parseFork`; `onUnread` is told of what is damaged instead, which is passed over and counted. */
  static async open(
    origin: string,
    modules: ForkBookModules,
    onUnread?: (error: NodeError) => void,
  ): Promise<ForkBook> {
    const book = new ForkBook(origin, modules);
    const prefix = `${FORK_PREFIX}/${origin}/`;
    const passOver = (key: string, error: NodeError) => {
      book.#unread.add(key.slice(prefix.length));
      onUnread?.(error);
    };
    const onDamaged = onUnread && ((error: NodeError) => passOver(error.key ?? prefix, error));
    const kept = modules.store.entries(prefix, `${FORK_PREFIX}/${origin}0`, { onDamaged });
    for await (const [key, value] of kept) {
      try {
        book.#forks.set(key.slice(prefix.length), parseFork(key, value));
      } catch (error) {
        if (onUnread === undefined || !isNodeError(error, 'DATA_INCONSISTENT')) throw error;
        passOver(key, error);
      }
    }
    return book;
  }

  /** Proofs that the store has and that cannot be read: nobody can tell whether they count. */
  get unread(): number {
    return this.#unread.size;
  }

  /** By the names under which the store keeps them. */
  get proofs(): ReadonlyMap<string, KnownFork> {
    return this.#forks;
  }

  get forks(): readonly KnownFork[] {
    return [...this.#forks.values()];
  }

  /** Proofs that count: none of whose sides was signed only by keys that the root has disowned since. Without a state none is disowned. */
  standingBy(state: Pick<TrustState, 'key'> | undefined): ForkEvidence[] {
    return this.forks
      .filter((fork) => state === undefined || !isDisowned(fork, state))
      .map(({ evidence }) => evidence);
  }

  /** Every proof, those that count first. */
  standingFirst(state: Pick<TrustState, 'key'> | undefined): ForkEvidence[] {
    const standing = this.standingBy(state);
    const others = this.forks.flatMap(({ evidence }) => (standing.includes(evidence) ? [] : [evidence]));
    return [...standing, ...others];
  }

  /**
   * Looks who else has signed what is kept, where keys are named of which that was not known: so that it does not matter which came first, the proof or
   * the statement that names a key. A region names as many keys as it likes: each note is read once, and others have their turn after each proof.
   * What was found counts at once: a disk that does not take it keeps no log from being followed. Gives whether the store has all of it; the next call tries
   * again, and so does the next process, which finds it anew.
   */
  learn(keys: readonly VerifierKey[], state?: Pick<TrustState, 'key'>): Promise<boolean> {
    return this.#turns.take('book', async () => {
      const fresh = keys.filter((key) => !this.#isNamed(key));
      if (fresh.length > 0) {
        const before = this.standingBy(state);
        for (const [name, fork] of await this.#foundBy(byId(fresh))) {
          this.#forks.set(name, fork);
          this.#unwritten.add(name);
        }
        this.#refused = new RecentMap(REFUSED_REMEMBERED);
        this.#named = byId(keys);
        for (const evidence of this.standingBy(state))
          if (!before.includes(evidence)) this.#modules.onFork?.(this.#origin, evidence);
      }
      return this.#writeFound();
    });
  }

  async #writeFound(): Promise<boolean> {
    const puts = [...this.#unwritten].flatMap((name) => {
      const fork = this.#forks.get(name);
      return fork === undefined ? [] : [this.#put(name, fork)];
    });
    try {
      if (puts.length > 0) await this.#modules.store.write(puts);
      this.#unwritten.clear();
      return true;
    } catch (error) {
      // The store tells of itself.
      if (!isNodeError(error)) throw error;
      return false;
    }
  }

  #isNamed({ keyId, publicKey }: VerifierKey): boolean {
    return this.#named.get(keyId)?.some((key) => equalBytes(key.publicKey, publicKey)) === true;
  }

  /** What is kept and more have signed than is known. */
  async #foundBy(keys: KeysById): Promise<[string, KnownFork][]> {
    const found: [string, KnownFork][] = [];
    for (const [name, fork] of this.#forks) {
      const signers = this.#signersWith(fork, keys);
      const isMore = signers.some((side, i) => side.length > (fork.signers[i]?.length ?? 0));
      if (isMore) found.push([name, { ...fork, signers }]);
      await this.#modules.clock.wait(0);
    }
    return found;
  }

  /**
   * Verifies a proof, keeps and gives it. Gives undefined if it is known already, or enough are that stand by `state`: more of them
   * prove no more. One that the root has disowned is kept beside few others, and goes again for one that stands.
   * @throws {ProtocolError} as `verifyForkEvidence`. @throws {NodeError} as `Store.write`.
   */
  take(
    evidence: ForkEvidence,
    keys: readonly VerifierKey[],
    state?: Pick<TrustState, 'key'>,
  ): Promise<KnownFork | undefined> {
    return this.#turns.take('book', () => this.#take(evidence, keys, state));
  }

  async #take(
    evidence: ForkEvidence,
    keys: readonly VerifierKey[],
    state?: Pick<TrustState, 'key'>,
  ): Promise<KnownFork | undefined> {
    const { sha256, store } = this.#modules;
    const name = hexOf(sha256(messageOf(evidence))).slice(0, 32);
    const disowned = state === undefined ? [] : this.#disownedBy(state);
    if (this.#forks.has(name) || this.#forks.size - disowned.length >= FORKS_MAX) return undefined;
    // What is in the place of one that cannot be read takes no other.
    const isMended = this.#unread.has(name);
    const isFull = !isMended && disowned.length >= FORKS_DISOWNED_MAX;
    const refused = this.#refused.get(name);
    if (isFull && refused !== undefined && state !== undefined && isDisowned(refused, state))
      return undefined;
    const opened = verifyForkEvidence(evidence, keys, this.#modules);
    const [first, second] = opened.map((side) => this.#signersOf(side)) as [string[], string[]];
    const signers = this.#signersWith({ evidence, signers: [first, second] }, this.#named);
    const fork: KnownFork = { evidence, signers };
    if (isFull && state !== undefined && isDisowned(fork, state)) {
      this.#refused.set(name, { signers: fork.signers });
      return undefined;
    }
    const isLast = this.#forks.size + this.#unread.size >= FORKS_KEPT_MAX;
    const gone = isLast && !isMended ? disowned[0] : undefined;
    const dropped = gone === undefined ? [] : [{ del: this.#keyOf(gone) }];
    await store.write([...dropped, this.#put(name, fork)]);
    if (gone !== undefined) this.#forks.delete(gone);
    this.#unread.delete(name);
    this.#forks.set(name, fork);
    if (state === undefined || !isDisowned(fork, state)) this.#modules.onFork?.(this.#origin, evidence);
    return fork;
  }

  /** Their names. */
  #disownedBy(state: Pick<TrustState, 'key'>): string[] {
    return [...this.#forks].flatMap(([name, fork]) => (isDisowned(fork, state) ? [name] : []));
  }

  #keyOf(name: string): string {
    return `${FORK_PREFIX}/${this.#origin}/${name}`;
  }

  #put(name: string, { evidence, signers }: KnownFork): { put: string; value: Uint8Array } {
    return { put: this.#keyOf(name), value: encodeCbor([FORM, messageOf(evidence), ...signers]) };
  }

  /** With those of these keys that have signed each side too. */
  #signersWith({ evidence, signers }: KnownFork, keys: KeysById): KnownFork['signers'] {
    const [first, second] = evidence.sides.map(({ note }, i) => {
      const side = signers[i] ?? [];
      return [...side, ...this.#othersOn(note, keys, new Set(side))];
    });
    return [first ?? [], second ?? []];
  }

  /** Ids of those of these keys by which every line of the note under their ids is good. What is no note by this version has none. */
  #othersOn(note: Uint8Array, keys: KeysById, known: ReadonlySet<string>): string[] {
    try {
      const { text, signatures } = parseNote(note);
      const message = utf8Bytes(text);
      const lines = signatures.filter(({ name }) => name === this.#origin);
      return [...new Set(lines.map(({ keyId }) => keyId))].flatMap((id) => {
        const ofId = lines.filter(({ keyId }) => keyId === id);
        return (keys.get(id) ?? []).flatMap(({ publicKey }) => {
          const keyId = keyIdOf(this.#modules.sha256, publicKey);
          const isBy = ({ bytes }: NoteSignature) =>
            this.#modules.verifySignature({ publicKey, message, signature: bytes });
          return !known.has(keyId) && ofId.every(isBy) ? [keyId] : [];
        });
      });
    } catch (error) {
      if (isProtocolError(error)) return [];
      throw error;
    }
  }

  #signersOf({ signers }: OpenedCheckpoint): string[] {
    return signers.map(({ publicKey }) => keyIdOf(this.#modules.sha256, publicKey));
  }
}

function byId(keys: readonly VerifierKey[]): KeysById {
  const found = new Map<number, VerifierKey[]>();
  for (const key of keys) {
    const ofId = found.get(key.keyId);
    if (ofId === undefined) found.set(key.keyId, [key]);
    else ofId.push(key);
  }
  return found;
}

function messageOf(evidence: ForkEvidence): Uint8Array {
  return encodeAnswer({ kind: 'forks', forks: [forkMessage(evidence)] });
}

/** Whether the root has given up all keys that signed one of the sides: then a thief may have. */
export function isDisowned({ signers }: Pick<KnownFork, 'signers'>, state: Pick<TrustState, 'key'>): boolean {
  return signers.some((side) => side.every((keyId) => state.key(keyId)?.compromise !== undefined));
}

/** What the store keeps under `key`. @throws {NodeError} DATA_INCONSISTENT: of the log itself it says nothing. */
export function parseFork(key: string, value: Uint8Array): KnownFork {
  try {
    const [, message, first, second] = schema.parse(decodeCbor(value, { bytesMax: BYTES_MAX }));
    const answer = parseAnswer(message);
    const [evidence] = answer.kind === 'forks' ? answer.forks : [];
    if (evidence === undefined) throw new RangeError('expected one proof');
    return { evidence, signers: [first, second] };
  } catch (cause) {
    throw new NodeError('DATA_INCONSISTENT', `${key} is not a proof of a fork by this version`, {
      cause,
      hint: 'It is left where it is. Look at it with the version that kept it.',
    });
  }
}
