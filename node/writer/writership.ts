/**
 * The right of this process to sign for its region, held from the witnesses of the regions that it recognises. It claims an epoch, and
 * has each tree permitted before anything signs it; who has claimed a later epoch fences it. No clock decides: a process that sleeps for
 * minutes between a permit and its signature signs what its successor has found permitted and gone on from. Spec: SPEC.md 19.
 */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type VerifySignature } from '../../protocol/primitives.ts';
import {
  type Claim,
  parseClaim,
  parsePermit,
  type Permit,
  type SignedWord,
  signWord,
  verifyWord,
  type WriterWord,
} from '../../protocol/writer/word.ts';
import { logError } from '../log/log-error.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Clock, type Random, type Signer } from '../ports.ts';
import { Turns } from '../turns.ts';
import { type AskingModules, askWitnesses, tooFew } from './asking.ts';
import { permitsNeeded } from './electorate.ts';
import { type Pledge, pledgesOf } from './pledges.ts';
import { type WriterAnswer } from './writer-messages.ts';
import { isBeyond } from './writer-rule.ts';

export interface WritershipOptions {
  /** The name of the region's trust log. */
  readonly origin: string;
  /** The public key by which this machine is known: 32 bytes. */
  readonly writer: Uint8Array;
}

export interface WritershipModules extends AskingModules {
  readonly clock: Clock;
  readonly random: Random;
  readonly verifySignature: VerifySignature;
  /** The regions whose witnesses decide, by what the own trust log says now. */
  readonly witnesses: () => readonly string[];
  /** The checkpoint key in force. @throws {NodeError} KEY_NOT_IN_FORCE */
  readonly checkpointKey: (atS: number) => Signer;
  /** Those of the own trust log. */
  readonly keys: () => readonly VerifierKey[];
}

/** A tree of an own log that is about to be signed. */
export interface TreeToSign {
  readonly origin: string;
  /** The size that is signed already. */
  readonly from: number;
  readonly size: number;
  readonly root: Uint8Array;
}

/** Who writes for the region, as far as this process knows. */
export interface WriterReport {
  readonly isSelf: boolean;
  readonly epoch: number;
  /** The public key of the machine, in hexadecimal. */
  readonly writer: string;
  /** Unix seconds, by the clock of that machine. */
  readonly sinceS: number;
  /** Witnesses in all, and how many of them have to permit a tree. */
  readonly witnesses: number;
  readonly needed: number;
  /** Milliseconds since the last permit; absent before the first. */
  readonly permitAgeMs?: number;
}

/** Two claims of one moment may meet. */
const CLAIMS_MAX = 3;
const SESSION_BYTES = 16;
const LET_WRITE = 'let this machine write';

export class Writership {
  readonly #turns = new Turns();
  readonly #options: WritershipOptions;
  readonly #modules: WritershipModules;
  #reign: SignedWord<Claim> | undefined;
  /** A quorum has let it write, and nobody has said since that it may not. */
  #isHeld = false;
  #isFenced = false;
  /** The claim of somebody else, where that is the latest known. */
  #other: Claim | undefined;
  #pledges: Map<string, Pledge> = new Map();
  #permittedMs: number | undefined;
  /** The witnesses whose answers `pledges` come of. */
  #electorate = '';

  constructor(options: WritershipOptions, modules: WritershipModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Undefined while nobody is known to write. */
  get report(): WriterReport | undefined {
    const claim = this.#isHeld ? this.#reign?.word : this.#other;
    if (claim === undefined) return undefined;
    const witnesses = this.#modules.witnesses().length;
    return {
      isSelf: this.#isHeld,
      epoch: claim.epoch,
      writer: hexOf(claim.writer),
      sinceS: claim.at,
      witnesses,
      needed: witnesses === 0 ? 0 : permitsNeeded(witnesses),
      ...(this.#permittedMs !== undefined && {
        permitAgeMs: Math.max(0, this.#modules.clock.runMs() - this.#permittedMs),
      }),
    };
  }

  /** Trees that may have been permitted to the writer before: what comes next has to go on from them. */
  get pledges(): readonly Pledge[] {
    return [...this.#pledges.values()];
  }

  /** The tree of a pledge is held here, and all that is signed from now on continues it. */
  keep({ origin }: Pledge): void {
    this.#pledges.delete(origin);
  }

  /**
   * Asks who writes.
   * @throws {NodeError} LOG_FENCED if it is another machine; PEER_UNREACHABLE if too few witnesses answer.
   */
  async look(): Promise<void> {
    const { claim } = await this.#highest();
    if (claim !== undefined && !equalBytes(claim.writer, this.#options.writer)) throw this.#fenced(claim);
  }

  /** Whether anybody has said that he writes: asked of all who answer, few as they may be. */
  async isClaimed(): Promise<boolean> {
    const answers = await askWitnesses(
      this.#modules,
      { kind: 'writer', origin: this.#options.origin },
      this.#modules.witnesses(),
    );
    return [...answers.values()].some(
      (answer) =>
        answer.kind === 'record' &&
        (this.#claimIn(answer.claim) !== undefined || this.#permitsIn(answer).length > 0),
    );
  }

  /**
   * Claims to write, or claims again what it has claimed already; from then on nobody before it has anything permitted. `resume` leaves
   * another machine its claim.
   * @throws {NodeError} as `look`, and LOG_FENCED for whoever comes too late.
   */
  async take(how: 'resume' | 'promote'): Promise<void> {
    if (this.#modules.witnesses().length === 0) {
      if (how === 'resume') return;
      throw new NodeError('REFUSED', 'the region recognises nobody whose witness could fence the old writer');
    }
    // What a key signed that was given up since, no witness takes any more.
    if (this.#reign !== undefined && !this.#counts(this.#reign)) this.#reign = undefined;
    for (let tries = 1; ; tries++) {
      this.#reign ??= await this.#nextReign(how);
      try {
        const witnesses = this.#modules.witnesses();
        const pledges = pledgesOf(await this.#claim(this.#reign), witnesses.length);
        this.#pledges = new Map(pledges.map((pledge) => [pledge.origin, pledge]));
        this.#electorate = witnesses.join();
        return;
      } catch (error) {
        if (!isNodeError(error, 'LOG_FENCED')) throw error;
        this.letGo();
        if (how === 'resume' || tries === CLAIMS_MAX) throw error;
      }
    }
  }

  /**
   * Asks whether it still may write, so that a writer that has nothing to sign learns of its successor too.
   * @throws {NodeError} LOG_FENCED if not; PEER_UNREACHABLE if too few witnesses answer to tell.
   */
  async confirm(): Promise<void> {
    const reign = this.#reign;
    if (!this.#isHeld || reign === undefined || this.#modules.witnesses().length === 0) return;
    try {
      await (this.#mustClaim ? this.#takeAnew() : this.#claim(reign));
    } catch (error) {
      if (isNodeError(error, 'LOG_FENCED') && this.#reign === reign) this.letGo();
      throw error;
    }
  }

  /**
   * Has a tree permitted by a quorum of witnesses: it may be signed then, whatever happens meanwhile.
   * @throws {NodeError} LOG_FENCED: somebody else writes, nothing more may be signed. LOG_BEHIND: the writer before was permitted another
   * tree that is not held here. PEER_UNREACHABLE: too few witnesses answered, ask again.
   */
  async permit(tree: TreeToSign): Promise<void> {
    const { origin, from, size, root } = tree;
    const witnesses = this.#modules.witnesses();
    if (witnesses.length === 0) return;
    if (this.#isFenced) throw this.#fenced(this.#other);
    if (this.#mustClaim) await this.#takeAnew();
    if (this.#reign === undefined) throw tooFew(0, permitsNeeded(witnesses.length), LET_WRITE);
    const { bytes: claim, word: reign } = this.#reign;
    const pledge = this.#pledges.get(origin);
    if (
      pledge !== undefined &&
      pledge.size > from &&
      (pledge.size !== size || !equalBytes(pledge.root, root))
    ) {
      throw logError('LOG_BEHIND', `${origin}: the writer before had ${pledge.size} entries permitted`);
    }
    const { epoch, session } = reign;
    const permit = this.#sign<Permit>({ kind: 'permit', origin, epoch, session, from, size, root });
    const needed = permitsNeeded(witnesses.length);
    const request = { kind: 'permit', claim, permit: permit.bytes } as const;
    const answers = await askWitnesses(
      this.#modules,
      request,
      witnesses,
      (some) => permitting(some) >= needed,
    );
    const found = permitting(answers);
    if (found >= needed) {
      this.#permittedMs = this.#modules.clock.runMs();
      this.#pledges.delete(origin);
      // A successor asks those whom the trust log names by now, and not those who have permitted it.
      return witnesses.join() === this.#modules.witnesses().join() ? undefined : this.permit(tree);
    }
    for (const answer of answers.values()) {
      // Meanwhile it may have claimed anew: that fences what it asked for before, and not the process.
      const standing = this.#standingIn(answer, this.#reign?.word ?? reign, permit.word);
      if (standing === undefined) continue;
      this.letGo();
      throw this.#fenced(standing.kind === 'claim' ? standing : undefined);
    }
    throw tooFew(found, needed, `permitted ${origin} to have ${size} entries`, answers);
  }

  /** For the first time, by a new key, or of other witnesses. */
  get #mustClaim(): boolean {
    const reign = this.#reign;
    return (
      reign === undefined || !this.#counts(reign) || this.#electorate !== this.#modules.witnesses().join()
    );
  }

  /** Once for all logs: the region has other witnesses or keys than when it claimed, and they may know of trees that those before do not. */
  #takeAnew(): Promise<void> {
    return this.#turns.take('claim', async () => {
      if (this.#isFenced) throw this.#fenced(this.#other);
      if (!this.#mustClaim) return;
      const before = this.#pledges;
      await this.take('resume');
      for (const [origin, pledge] of before)
        if ((this.#pledges.get(origin)?.size ?? 0) < pledge.size) this.#pledges.set(origin, pledge);
    });
  }

  /** Signs nothing more before it has claimed again. */
  letGo(): void {
    this.#reign = undefined;
    this.#isHeld = false;
    this.#isFenced = true;
  }

  #counts(word: SignedWord): boolean {
    return verifyWord(word, this.#modules.keys(), this.#modules.verifySignature);
  }

  /** One above the highest epoch that a quorum knows of. */
  async #nextReign(how: 'resume' | 'promote'): Promise<SignedWord<Claim>> {
    const { origin, writer } = this.#options;
    const { claim: highest, epoch: last } = await this.#highest();
    if (how === 'resume' && highest !== undefined && !equalBytes(highest.writer, writer)) {
      throw this.#fenced(highest);
    }
    const { clock, random } = this.#modules;
    const at = Math.floor(clock.nowMs() / 1000);
    const epoch = last + 1;
    return this.#sign<Claim>({ kind: 'claim', origin, epoch, writer, session: random(SESSION_BYTES), at });
  }

  /** The latest claim; and the highest epoch, which may be that of a permit whose claim counts no more. */
  async #highest(): Promise<{ readonly claim: Claim | undefined; readonly epoch: number }> {
    const witnesses = this.#modules.witnesses();
    if (witnesses.length === 0) return { claim: undefined, epoch: 0 };
    const answers = await askWitnesses(
      this.#modules,
      { kind: 'writer', origin: this.#options.origin },
      witnesses,
    );
    const records = [...answers.values()].filter((answer) => answer.kind === 'record');
    const needed = permitsNeeded(witnesses.length);
    if (records.length < needed) throw tooFew(records.length, needed, 'said who writes', answers);
    let highest: Claim | undefined;
    let epoch = 0;
    for (const answer of records) {
      const claim = this.#claimIn(answer.claim);
      if (claim !== undefined && claim.epoch > (highest?.epoch ?? 0)) highest = claim;
      for (const permit of this.#permitsIn(answer)) epoch = Math.max(epoch, permit.epoch);
    }
    return { claim: highest, epoch: Math.max(epoch, highest?.epoch ?? 0) };
  }

  /** What each witness that granted it had permitted last, of each log. */
  async #claim(reign: SignedWord<Claim>): Promise<Permit[][]> {
    const witnesses = this.#modules.witnesses();
    const answers = await askWitnesses(this.#modules, { kind: 'claim', claim: reign.bytes }, witnesses);
    const granted = [...answers.values()].filter(
      (answer) =>
        answer.kind === 'record' && answer.claim !== undefined && equalBytes(answer.claim, reign.bytes),
    );
    const needed = permitsNeeded(witnesses.length);
    if (granted.length < needed) {
      for (const answer of answers.values()) {
        const standing = this.#standingIn(answer, reign.word);
        if (standing !== undefined) throw this.#fenced(standing.kind === 'claim' ? standing : undefined);
      }
      throw tooFew(granted.length, needed, LET_WRITE, answers);
    }
    this.#other = undefined;
    this.#isHeld = true;
    this.#isFenced = false;
    return granted.map((answer) => (answer.kind === 'record' ? this.#permitsIn(answer) : []));
  }

  /**
   * The word of another process that has come after this one, or that had another tree permitted in its place, where an answer holds one:
   * anybody can refuse without, or with a word of old.
   */
  #standingIn(answer: WriterAnswer, reign: Claim, asked?: Permit): WriterWord | undefined {
    const word =
      answer.kind === 'fenced'
        ? this.#claimIn(answer.claim)
        : answer.kind === 'taken'
          ? this.#proven(() => parsePermit(answer.permit))
          : undefined;
    if (word === undefined || isBeyond(word, reign)) return word;
    return word.kind === 'permit' && asked !== undefined && isInPlaceOf(word, asked) ? word : undefined;
  }

  #claimIn(bytes: Uint8Array | undefined): Claim | undefined {
    if (bytes === undefined) return undefined;
    const claim = this.#proven(() => parseClaim(bytes));
    return claim?.origin === this.#options.origin ? claim : undefined;
  }

  #permitsIn({ permits }: Extract<WriterAnswer, { kind: 'record' }>): Permit[] {
    return permits.flatMap((bytes) => this.#proven(() => parsePermit(bytes)) ?? []);
  }

  #proven<W extends WriterWord>(parse: () => SignedWord<W>): W | undefined {
    try {
      const signed = parse();
      return this.#counts(signed) ? signed.word : undefined;
    } catch (error) {
      if (isProtocolError(error)) return undefined;
      throw error;
    }
  }

  #sign<W extends WriterWord>(word: W): SignedWord<W> {
    const key = this.#modules.checkpointKey(Math.floor(this.#modules.clock.nowMs() / 1000));
    return signWord(word, { publicKey: key.publicKey, sign: (message) => key.sign(message) });
  }

  #fenced(by: Claim | undefined): NodeError {
    if (by === undefined) {
      return logError('LOG_FENCED', 'no witness has let this process write, or a copy of it writes as well');
    }
    this.#other = by;
    const isOwn = equalBytes(by.writer, this.#options.writer);
    const who = isOwn ? 'another process with the keys of this machine' : `node ${hexOf(by.writer)}`;
    const since = new Date(by.at * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
    return logError('LOG_FENCED', `${who} writes for this region since ${since}, epoch ${by.epoch}`);
  }
}

function permitting(answers: ReadonlyMap<string, WriterAnswer>): number {
  return [...answers.values()].filter(({ kind }) => kind === 'permitted').length;
}

/** Whether the witness that granted `standing` must refuse `asked`. */
function isInPlaceOf(standing: Permit, asked: Permit): boolean {
  const { origin, epoch, size, root } = standing;
  const isSame = size === asked.size && equalBytes(root, asked.root);
  return origin === asked.origin && epoch === asked.epoch && size > asked.from && !isSame;
}
