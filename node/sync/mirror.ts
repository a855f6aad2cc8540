/** A copy of another region's attestation log: what an auditor replays, and what a cut-off or a healing needs. */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { type ReadNote, readNote } from '../../protocol/log/checkpoint.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type Applied, type Claim, type Piece, Replica, type ReplicaModules } from '../log/replica.ts';
import { type CutOff, type TrustState } from '../../protocol/trust/trust-state.ts';
import { ForkBook, type ForkBookModules } from '../trust/fork-book.ts';
import { allVerifierKeys, isByNoKnownKey } from '../trust/log-keys.ts';
import { type Followed, type Heeded, type TreeOffer } from './followed.ts';
import { MirrorSettlement } from './mirror-settlement.ts';

export interface MirrorModules extends ForkBookModules {
  readonly tree: LogTree;
  /** The keys of the log, as the trust state of its region names them now; of a note, those that may bring entries under it. */
  readonly keys: (read?: ReadNote) => readonly VerifierKey[];
  /** What the trust log of the region says: which proofs its root has disowned, and which tree it names. */
  readonly state?: () => TrustState;
  /** Told when there are more entries, or others, or another has signed them. Must not throw. */
  readonly onGrown?: (origin: string) => void;
  /** See `ReplicaModules`. */
  readonly vet?: ReplicaModules['vet'];
}

const NOTES_REMEMBERED = 16;

export class Mirror implements Followed {
  readonly #modules: MirrorModules;
  readonly #forks: ForkBook;
  readonly #replica: Replica;
  readonly #settlement: MirrorSettlement | undefined;
  #agreed = new RecentMap<{ readonly text: string }>(NOTES_REMEMBERED);
  /** The state by whose keys the proofs that are kept were looked at, once the store has what was found. */
  #looked: TrustState | undefined;

  private constructor(modules: MirrorModules, forks: ForkBook) {
    this.#modules = modules;
    this.#forks = forks;
    this.#replica = new Replica(modules);
    const { state } = modules;
    const keepProof = (evidence: ForkEvidence | undefined) => this.#keepIfProven(evidence);
    if (state !== undefined) this.#settlement = new MirrorSettlement({ ...modules, state, keepProof });
  }

  static async open(modules: MirrorModules): Promise<Mirror> {
    const mirror = new Mirror(modules, await ForkBook.open(modules.tree.origin, modules));
    await mirror.#learn();
    return mirror;
  }

  get origin(): string {
    return this.tree.origin;
  }

  get tree(): LogTree {
    return this.#modules.tree;
  }

  get note(): Uint8Array | undefined {
    return this.tree.head.signed?.note;
  }

  /** Every proof that is held, those of disowned keys last. */
  get forks(): readonly ForkEvidence[] {
    return this.#forks.standingFirst(this.#modules.state?.());
  }

  /** Proofs that count: none of whose sides was signed only by keys that the root has disowned since. */
  get standingForks(): readonly ForkEvidence[] {
    return this.#forks.standingBy(this.#modules.state?.());
  }

  cutOffs(): readonly CutOff[] {
    return this.#settlement?.cutOffs() ?? [];
  }

  /** See `MirrorSettlement.settle`. */
  async turn(offer: TreeOffer): Promise<boolean> {
    if ((await this.#settlement?.settle(offer)) !== true) return false;
    this.#agreed = new RecentMap<{ readonly text: string }>(NOTES_REMEMBERED);
    this.#modules.onGrown?.(this.origin);
    return true;
  }

  async apply(piece: Piece): Promise<Applied> {
    const before = this.note;
    const keys = this.#modules.keys(piece.read ?? readNote(piece.note));
    const applied = await this.#settle(await this.#replica.apply(piece, keys));
    if (applied.outcome === 'grown' || this.note !== before) this.#modules.onGrown?.(this.origin);
    return applied;
  }

  async confront(claim: Claim): Promise<Applied> {
    return this.#settle(await this.#replica.confront(claim, this.#modules.keys()));
  }

  async heed(note: Uint8Array, read: ReadNote = readNote(note)): Promise<Heeded> {
    const { text, signatures } = read.note;
    const { origin, size } = read.checkpoint;
    if (origin !== this.origin)
      throw new ProtocolError('ORIGIN_INVALID', `expected a note of ${this.origin}`);
    await this.#learn();
    if (size > this.tree.size) return 'behind';
    // The same text by another key of the log is another note: that of a key that was given up is to be replaced.
    const keyIds = signatures.filter(({ name }) => name === origin).map(({ keyId }) => keyId);
    const signed = [...keyIds.sort(), text].join('\n');
    if (this.#agreed.get(signed) !== undefined) return 'known';
    try {
      if ((await this.apply({ from: size, entries: [], note, read })).outcome === 'forked') return 'forked';
    } catch (error) {
      if (!isByNoKnownKey(error)) throw error;
      // By a key that is not known any more, or not yet: then it is looked at again when it comes again.
      return 'known';
    }
    this.#agreed.set(signed, { text });
    return 'known';
  }

  async accuse(evidence: ForkEvidence): Promise<void> {
    const { state } = this.#modules;
    await this.#forks.take(evidence, this.#allKeys(), state?.());
  }

  /** Whoever has been given up has signed it all the same, and of an own log a key that the state does not name yet. */
  #allKeys(): readonly VerifierKey[] {
    const { state, keys, sha256 } = this.#modules;
    if (state === undefined) return keys();
    const named = allVerifierKeys(sha256, state(), this.origin);
    const isNamed = ({ keyId, publicKey }: VerifierKey) =>
      named.some((key) => key.keyId === keyId && equalBytes(key.publicKey, publicKey));
    return [...named, ...keys().filter((key) => !isNamed(key))];
  }

  /** Nothing to look at where nothing is kept: what comes is held against all keys. */
  async #learn(): Promise<void> {
    const state = this.#modules.state?.();
    if (this.#forks.forks.length === 0) return;
    if (state !== undefined && state === this.#looked) return;
    if (await this.#forks.learn(this.#allKeys(), state)) this.#looked = state;
  }

  async #settle(applied: Applied): Promise<Applied> {
    if (applied.outcome === 'forked') await this.#keepIfProven(applied.evidence);
    return applied;
  }

  /** What the second place remembers may be by a key that nobody knows any more: then nothing is proven, and no bearer is to blame. */
  async #keepIfProven(evidence: ForkEvidence | undefined): Promise<void> {
    try {
      if (evidence !== undefined) await this.accuse(evidence);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
    }
  }
}
