/**
 * An own log as others hold it: while this node writes it, it takes nothing from anybody but the news that somebody signs with
 * its key; while it does not, it catches up like any copy. So does an attestation log that lacks entries, while this node writes the others.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { openRead, readNote, type ReadNote } from '../../protocol/log/checkpoint.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type VerifySignature } from '../../protocol/primitives.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type LoggedStatement } from '../../protocol/trust/naming.ts';
import { logError } from '../log/log-error.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type Applied, type Claim, type Piece } from '../log/replica.ts';
import { type Followed, type Heeded, type Kept, type Naming, standingForksOf } from '../sync/followed.ts';
import { type Branch } from '../trust/branch-weighing.ts';
import { type LeftReport, type LeftTree } from './left-tree.ts';
import { type OwnLeaves } from './own-leaves.ts';
import { type ShownTrees } from './shown-trees.ts';

export interface OwnLogModules {
  readonly verifySignature: VerifySignature;
  /** The log as a copy: its keeper or mirror, whose tree is that of the sequencer. */
  readonly copy: Followed;
  /** The keys that this region ever signs this log with, as far as they are known; of a note, those that bind by it. */
  readonly keys: (read?: ReadNote) => readonly VerifierKey[];
  readonly isWriting: () => boolean;
  /** Of an attestation log: what was signed of it by keys that were given up. */
  readonly left?: Pick<LeftTree, 'heed' | 'report' | 'named'>;
  /** Where what was shown is kept. */
  readonly shown?: Pick<ShownTrees, 'keep'> | undefined;
  /** Of an attestation log: what of it is taken from others. */
  readonly leaves?: Pick<OwnLeaves, 'refusal'>;
  /** A checkpoint with our own signature on a tree that we do not have. Must not throw. */
  readonly onAhead: () => void;
}

export class OwnLog implements Followed {
  readonly #modules: OwnLogModules;
  #settling: Promise<unknown> = Promise.resolve();
  /** An attestation log that was found to lack entries, and is not written before it has them. */
  #isShort = false;
  /** It was shorter than what the root has signed, which says only that it was as long at least. */
  #isUncertain = false;
  /** Public keys that the root is about to give up. */
  #disregarded: readonly Uint8Array[] = [];
  /** Pieces that are being taken. */
  readonly #taking = new Set<Promise<unknown>>();

  constructor(modules: OwnLogModules) {
    this.#modules = modules;
  }

  get origin(): string {
    return this.#modules.copy.origin;
  }

  get tree(): LogTree {
    return this.#modules.copy.tree;
  }

  get note(): Uint8Array | undefined {
    return this.#modules.copy.note;
  }

  get forks(): readonly ForkEvidence[] {
    return this.#modules.copy.forks;
  }

  get standingForks(): readonly ForkEvidence[] {
    return standingForksOf(this.#modules.copy);
  }

  get refusal(): string | undefined {
    return this.#modules.leaves?.refusal(this.tree.size);
  }

  /** How far the root has signed an attestation log, by a cut-off; 0 where it has not. */
  get named(): number {
    return this.#modules.left?.named ?? 0;
  }

  /** Whether nothing is signed of it before peers are asked anew: it lacked some that the root has signed, or peers have shown, when they were asked last, or since. */
  get isUncertain(): boolean {
    return this.#isUncertain;
  }

  /** How many entries were signed, by what is known here, if the log has fewer. @throws {NodeError} as `LogTree.head`. */
  get lacking(): number | undefined {
    const { head, shortfall, size } = this.tree;
    // A fetch that broke off.
    const signed = Math.max(shortfall?.size ?? 0, this.#signedBy(head.ahead?.note), this.named);
    return signed > size ? signed : undefined;
  }

  /** How large the tree of a note is that binds us; one by a key that was given up since does no more, nor one that is not good. */
  #signedBy(note: Uint8Array | undefined): number {
    try {
      return note !== undefined && this.isOurs(note) ? readNote(note).checkpoint.size : 0;
    } catch (error) {
      if (isProtocolError(error)) return 0;
      throw error;
    }
  }

  /** As `lacking`; where nothing is missing any more and peers have to be asked anew before it is signed, how many it has. */
  get waiting(): number | undefined {
    return this.lacking ?? (this.#isUncertain ? this.tree.size : undefined);
  }

  /** Nothing is signed of it any more, once whoever writes it has ended, before peers are asked anew. */
  suspend(): void {
    this.#isUncertain = true;
  }

  /** What it was suspended for is not logged: it is signed on as before, once `enter` allows that. */
  resume(): void {
    this.#isUncertain = false;
  }

  /**
   * Looks whether an attestation log lacks entries: then nothing is signed of it before `enter`; and where those were missing that the root has signed, before
   * that is looked at anew as peers are asked how far the own logs are. To be called while no log is written.
   */
  look({ isAnew }: { readonly isAnew: boolean }): void {
    const { left } = this.#modules;
    const isUsable = left !== undefined && this.tree.trouble === undefined;
    this.#isUncertain = (isUsable && this.named > this.tree.size) || (this.#isUncertain && !isAnew);
    this.#isShort = (isUsable && this.lacking !== undefined) || this.#isUncertain;
  }

  /**
   * From here on this node writes the log, and takes nothing of it from anybody.
   * @throws {NodeError} LOG_BEHIND if it lacks entries, or has lacked some that the root has signed since peers were asked how far it is: whoever brought them need not have had all.
   * It goes on to catch up. As `LogTree.head`.
   */
  async enter(): Promise<void> {
    // What is on its way may bring more than was known to be missing.
    while (this.#taking.size > 0) await Promise.allSettled(this.#taking);
    const { lacking } = this;
    this.#isUncertain ||= this.named > this.tree.size;
    this.#isShort = lacking !== undefined || this.#isUncertain;
    if (!this.#isShort) return;
    const why =
      lacking === undefined
        ? 'has the entries that it lacked: start the node again, which asks its peers anew how far the log was before anything is added'
        : `has ${this.tree.size} entries here, and ${lacking} were signed: nothing is added before they are here`;
    throw logError('LOG_BEHIND', `${this.origin} ${why}`);
  }

  get #isWritten(): boolean {
    return this.#modules.isWriting() && !this.#isShort;
  }

  /** From here on nothing is taken that these keys alone have signed; with none, as before. */
  disregard(keys: readonly Uint8Array[]): void {
    this.#disregarded = keys;
  }

  #isDisregarded(note: Uint8Array): boolean {
    const keys = this.#disregarded;
    return keys.length > 0 && this.isOurs(note) && this.signersOf(note, keys).length === 0;
  }

  async apply(piece: Piece): Promise<Kept> {
    if (this.#isWritten || this.#isDisregarded(piece.note)) return { outcome: 'known', size: this.tree.size };
    const taking = this.#modules.copy.apply(piece);
    this.#taking.add(taking);
    return taking.finally(() => this.#taking.delete(taking));
  }

  confront(claim: Claim): Promise<Applied> {
    return this.#modules.copy.confront(claim);
  }

  /** See `LeftTree`. */
  get left(): LeftReport | undefined {
    return this.#modules.left?.report;
  }

  /**
   * What keys alone have signed that were given up says nothing of how far the log is, unless the root has signed the very tree. `by`: the region that shows it.
   * Rejects also as `ShownTrees.keep`.
   */
  async heed(note: Uint8Array, read: ReadNote = readNote(note), by?: string): Promise<Heeded> {
    const { left, copy, shown, onAhead } = this.#modules;
    if ((await left?.heed(note, read)) === true) return 'known';
    const heeded = await copy.heed(note, read);
    if (heeded !== 'behind') return heeded;
    const isWritten = this.#isWritten;
    if (isWritten && this.isOurs(note)) onAhead();
    await shown?.keep(this, note, by, read);
    return isWritten ? 'known' : 'behind';
  }

  accuse(evidence: ForkEvidence): Promise<void> {
    return this.#modules.copy.accuse(evidence);
  }

  get naming(): readonly LoggedStatement[] {
    return this.#modules.copy.naming ?? [];
  }

  async isNamedBy(naming: Naming, common: number): Promise<boolean> {
    const { copy } = this.#modules;
    return !this.#isWritten && (await copy.isNamedBy?.(naming, common)) === true;
  }

  /** What this node writes is given up for nobody. */
  async settle(branch: Branch): Promise<boolean> {
    const { copy } = this.#modules;
    if (this.#isWritten) return false;
    const settling = copy.settle?.(branch) ?? Promise.resolve(false);
    this.#settling = Promise.all([this.#settling, settling.catch(() => false)]);
    return settling;
  }

  /** Resolves once nothing is being settled that was begun before the log was written. */
  async settled(): Promise<void> {
    await this.#settling;
  }

  /** The keys that this region ever signs the log with, as far as they are known and not given up. */
  get keys(): readonly VerifierKey[] {
    return this.#modules.keys();
  }

  /** Whether one of our keys signed the note. Throws as `signersOf`. */
  isOurs(note: Uint8Array): boolean {
    return this.signersOf(note).length > 0;
  }

  /** The public keys of ours, but for these, that signed the note. @throws {ProtocolError} for a note that is none, or with a bad signature. */
  signersOf(note: Uint8Array, givenUp: readonly Uint8Array[] = []): readonly Uint8Array[] {
    try {
      const { keys, verifySignature } = this.#modules;
      const read = readNote(note);
      const ours = keys(read).filter((key) => !givenUp.some((one) => equalBytes(one, key.publicKey)));
      const { origin, signers } = openRead(read, ours, verifySignature);
      if (origin === this.origin) return signers.map(({ publicKey }) => publicKey);
      throw new ProtocolError('ORIGIN_INVALID', `expected a note of ${this.origin}`);
    } catch (error) {
      if (isProtocolError(error, 'NOTE_UNSIGNED')) return [];
      throw error;
    }
  }
}
