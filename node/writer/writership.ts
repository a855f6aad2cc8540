/**
 * The right of this process to sign for its region, held from the witnesses of the regions that it recognises. It claims an epoch, and
 * has each tree permitted before anything signs it; who has claimed a later epoch fences it. No clock decides: a process that sleeps for
 * minutes between a permit and its signature signs what its successor has found permitted and gone on from. Spec: SPEC.md 19.
 */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { type Claim, type Permit, type SignedWord, signWord } from '../../protocol/writer/word.ts';
import { logError } from '../log/log-error.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Signer } from '../ports.ts';
import { Turns } from '../turns.ts';
import { Assent } from './assent.ts';
import { behindOf, tooFew } from './asking.ts';
import { Claims, LET_WRITE } from './claims.ts';
import { permitsNeeded } from './electorate.ts';
import {
  Bonds,
  changeAfter,
  type ElectorateChange,
  isToldOf,
  keyOf,
  latestOf,
  type LatestTree,
} from './electorate-change.ts';
import { type Answers, type Heard, Hearing, type Voters } from './hearing.ts';
import { type Pledge, pledgesOf } from './pledges.ts';
import { type WriterAnswer } from './writer-messages.ts';
import {
  type TreeToSign,
  type WriterReport,
  type WritershipModules,
  type WritershipOptions,
} from './writer-ports.ts';

/** Two claims of one moment may meet. */
const CLAIMS_MAX = 3;

export class Writership {
  /** That of a quorum of those who decide now. */
  readonly assent: Assent;
  readonly #turns = new Turns();
  readonly #options: WritershipOptions;
  readonly #modules: WritershipModules;
  readonly #hearing: Hearing;
  readonly #claims: Claims;
  #reign: SignedWord<Claim> | undefined;
  /** A quorum has let it write, and nobody has said since that it may not. */
  #isHeld = false;
  #isFenced = false;
  readonly #bonds = new Bonds();
  /** By log, what this process had permitted last: it may be signed at any moment. */
  readonly #permitted = new Map<string, LatestTree>();
  #permittedMs: number | undefined;
  /** The witnesses that have let it write, and whose answers bind it. */
  #electorate = '';
  #change: ElectorateChange | undefined;

  constructor(options: WritershipOptions, modules: WritershipModules) {
    this.#options = options;
    this.#modules = modules;
    this.#hearing = new Hearing(options.origin, modules);
    this.#claims = new Claims(options, { ...modules, hearing: this.#hearing, key: () => this.#key });
    this.assent = new Assent(modules.clock);
  }

  /** Undefined while nobody is known to write. */
  get report(): WriterReport | undefined {
    const claim = this.#isHeld ? this.#reign?.word : this.#claims.other;
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
    return this.#bonds.all;
  }

  /** The tree of a pledge is held here, and all that is signed from now on continues it. */
  keep({ origin }: Pick<Pledge, 'origin'>): void {
    this.#bonds.release(origin);
  }

  /**
   * Asks who writes.
   * @throws {NodeError} LOG_FENCED if it is another machine; PEER_UNREACHABLE if too few witnesses answer.
   */
  look(): Promise<void> {
    return this.#claims.look();
  }

  /** As `Hearing.claimants`, of the witnesses. */
  claimants(): Promise<readonly Uint8Array[]> {
    return this.#hearing.claimants(this.#modules.witnesses());
  }

  /**
   * Claims to write, or claims again what it has claimed already; from then on nobody before it has anything permitted. `resume` leaves
   * another machine its claim.
   * @throws {NodeError} as `look`, and LOG_FENCED for whoever comes too late.
   */
  async take(how: 'resume' | 'promote'): Promise<void> {
    if (this.#modules.witnesses().length === 0) {
      if (how === 'resume') return;
      throw new NodeError(
        'REFUSED',
        'the region recognises nobody whose witness could fence the old writer',
        {
          hint: 'Where another machine of the region may write, stop it for good. Then set `writer.fenced: false` in entente.yaml, start this one and give the order again.',
        },
      );
    }
    // What a key signed that was given up since, no witness takes any more.
    if (this.#reign !== undefined && !this.#hearing.counts(this.#reign)) this.#reign = undefined;
    for (let tries = 1; ; tries++) {
      const reign = (this.#reign ??= await this.#claims.next(how));
      try {
        const witnesses = this.#modules.witnesses();
        const agreed = this.assent.ask();
        const answers = await this.#claim(reign, [witnesses]);
        // Meanwhile another answer may have told of a successor.
        if (this.#reign !== reign) throw this.#claims.fenced(this.#claims.other);
        this.#claims.forgetOther();
        agreed();
        this.#isHeld = true;
        this.#modules.onHeld?.(reign.word.session);
        this.#isFenced = false;
        this.#settleChange();
        if (this.#change === undefined) this.#bonds.forgetForeseen();
        const reports = this.#hearing.reportsOf(answers, reign, witnesses);
        this.#bonds.replace(pledgesOf(reports, witnesses.length));
        this.#electorate = keyOf([witnesses]);
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
    const witnesses = this.#modules.witnesses();
    if (!this.#isHeld || reign === undefined || witnesses.length === 0) return;
    if (this.#mustClaim) return this.#orLetGo(reign, () => this.#takeAnew());
    const agreed = this.assent.ask();
    const answers = await this.#orLetGo(reign, () => this.#claim(reign, [witnesses]));
    if (this.#reign === reign) agreed();
    // A witness that has forgotten what it permitted is told again, and so is one that another machine speaks for now.
    const reports = this.#hearing.reportsOf(answers, reign, witnesses);
    if (!reports.every((report) => isToldOf(report, this.#modules.trees())))
      await this.#orLetGo(reign, () => this.#tell(reign, [witnesses]));
  }

  /** What a word of somebody else stops, unless this process has claimed anew meanwhile: that fences what it asked for before, and not the process. */
  async #orLetGo<T>(reign: SignedWord<Claim>, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isNodeError(error, 'LOG_FENCED') && this.#reign === reign) this.letGo();
      throw error;
    }
  }

  /**
   * Has those let it write whom the trust log would name, before anything is made durable by which it does: what is begun has to be finished.
   * @throws {NodeError} REFUSED if too few of them do; LOG_FENCED if somebody else writes.
   */
  async sound(named: readonly Voters[]): Promise<void> {
    const sets = named.filter((set) => set.length > 0);
    const reign = this.#reign;
    if (sets.length === 0 || reign === undefined || this.#modules.witnesses().length === 0) return;
    await this.#claims.sound(reign, sets);
  }

  /**
   * Has a tree permitted by a quorum of witnesses: it may be signed then, by the key that this gives, whatever happens meanwhile: what a key had
   * permitted binds for as long as that is not given up. Undefined where nobody fences. Trees of one log one after the other.
   * @throws {NodeError} LOG_FENCED: somebody else writes, nothing more may be signed. LOG_BEHIND, LOG_CONTRADICTED: the writer before was
   * permitted another tree that is not held here. LOG_BUSY: what it had permitted of the trust log comes first. PEER_UNREACHABLE: too few
   * witnesses answered, ask again.
   */
  async permit(tree: TreeToSign): Promise<Signer | undefined> {
    const { origin, from, size, root } = tree;
    if (this.#modules.witnesses().length === 0) return undefined;
    if (this.#mustClaim) await this.#takeAnew();
    await this.#requireContinued(tree);
    if (await this.#enlist(tree)) await this.#requireContinued(tree);
    const reign = this.#requireReign();
    const { epoch, session } = reign.word;
    const sets = this.#sets;
    const key = this.#key;
    const permit = signWord<Permit>({ kind: 'permit', origin, epoch, session, from, size, root }, key);
    const { answers, lacking } = await this.#askPermit(reign, permit, sets);
    if (lacking !== undefined) {
      const now = this.#reign ?? reign;
      await this.#orLetGo(now, () => this.#claims.requireNoneStanding(answers, now, permit.word));
      throw tooFew(lacking.found, lacking.needed, `permitted ${origin} to have ${size} entries`, answers);
    }
    this.#permittedMs = this.#modules.clock.runMs();
    const asked = sets.map((set) => keyOf([set]));
    // A successor asks those whom the trust log names by now, or is about to, and not those who have permitted it.
    if (!this.#hearing.counts(permit) || this.#sets.some((set) => !asked.includes(keyOf([set]))))
      return this.permit(tree);
    this.#bonds.release(origin);
    this.#permitted.set(origin, { origin, size, root });
    return key;
  }

  /** Signs nothing more before it has claimed again. */
  letGo(): void {
    this.#reign = undefined;
    this.#change = undefined;
    this.#permitted.clear();
    this.assent.end();
    this.#isHeld = false;
    this.#modules.onHeld?.(undefined);
    this.#isFenced = true;
  }

  /** For the first time, by a new key, or of other witnesses than the last change named. */
  get #mustClaim(): boolean {
    this.#settleChange();
    const reign = this.#reign;
    return (
      reign === undefined ||
      !this.#hearing.counts(reign) ||
      this.#electorate !== keyOf([this.#modules.witnesses()])
    );
  }

  /** Those of whom each needs a quorum: who decides now, and whom the trust log is about to name. */
  get #sets(): readonly Voters[] {
    this.#settleChange();
    return [this.#modules.witnesses(), ...(this.#change?.sets ?? [])];
  }

  /** Once the tree of a change is signed and folded, those whom it names decide alone: they have let it write, and bind it, since before. */
  #settleChange(): void {
    const change = this.#change;
    if (change === undefined || this.#modules.folded() < change.size) return;
    this.#change = undefined;
    const last = change.sets.at(-1);
    if (last !== undefined && change.isTold && change.reign === this.#reign) this.#electorate = keyOf([last]);
  }

  /** Once for all logs: the region has other witnesses or keys than when it claimed, and they may know of trees that those before do not. */
  #takeAnew(): Promise<void> {
    return this.#turns.take('claim', async () => {
      if (this.#isFenced) throw this.#claims.fenced(this.#claims.other);
      if (!this.#mustClaim) return;
      const before = this.#bonds.all;
      await this.take('resume');
      this.#bonds.add(before);
      // What was permitted to this process itself it signs itself.
      for (const { origin, size, root } of this.#bonds.all) {
        const own = this.#permitted.get(origin);
        if (own?.size === size && equalBytes(own.root, root)) this.#bonds.release(origin);
      }
      const trust = this.#bonds.of(this.#options.origin);
      if (trust !== undefined && trust.size > this.#modules.folded()) throw behindOf(trust);
      // They may hold nothing that a key signed which was given up.
      if (this.#reign !== undefined) await this.#tell(this.#reign, [this.#modules.witnesses()]);
    });
  }

  /** Begins a change: from here on all have to agree, and those whom it names are told of all that was permitted without them. False without a change. */
  async #enlist({ origin, from, size, named = [] }: TreeToSign): Promise<boolean> {
    const sets = named.filter((set) => set.length > 0);
    if (sets.length === 0) return false;
    const reign = this.#requireReign();
    const change = changeAfter(this.#change, { reign, size, sets });
    this.#change = change;
    if (change.isTold) return false;
    const answers = await this.#orLetGo(reign, () => this.#claim(reign, sets));
    // Unless the writer before may have signed of the trust log what is not signed here, nothing was signed by their permits.
    if ((this.#bonds.of(origin)?.size ?? 0) > from)
      for (const set of sets)
        this.#bonds.foresee(pledgesOf(this.#hearing.reportsOf(answers, reign, set), set.length));
    await this.#orLetGo(reign, () => this.#tell(reign, sets));
    change.isTold = true;
    if (this.#reign !== reign) throw logError('LOG_BUSY', `${origin}: the writer claims anew`);
    return true;
  }

  /** Has the latest tree of each log permitted that was, or may have been, without these. */
  async #tell(reign: SignedWord<Claim>, sets: readonly Voters[]): Promise<void> {
    const trees = latestOf([...this.#modules.trees(), ...this.#permitted.values(), ...this.#bonds.all]);
    const { epoch, session } = reign.word;
    const telling = trees.map(async ({ origin, size, root }) => {
      const word = { kind: 'permit', origin, epoch, session, from: size - 1, size, root } as const;
      const permit = signWord<Permit>(word, this.#key);
      const { answers, lacking } = await this.#askPermit(reign, permit, sets, (answer) =>
        this.#hearing.isSurpassed(answer, word),
      );
      if (lacking === undefined) return;
      this.#claims.requireNoneStanding(answers, this.#reign ?? reign, word);
      throw tooFew(lacking.found, lacking.needed, `noted that ${origin} has ${size} entries`, answers);
    });
    await Promise.all(telling);
  }

  /** @throws {NodeError} LOG_FENCED where somebody else writes. */
  #requireReign(): SignedWord<Claim> {
    if (this.#isFenced) throw this.#claims.fenced(this.#claims.other);
    if (this.#reign !== undefined) return this.#reign;
    throw tooFew(0, permitsNeeded(this.#modules.witnesses().length), LET_WRITE);
  }

  /**
   * What may have been signed before comes first: of the trust log before anything else, since it says who is asked.
   * @throws {NodeError} LOG_BEHIND, LOG_CONTRADICTED, LOG_BUSY. Rejects also as reading the log.
   */
  async #requireContinued({ origin, from, size, root }: TreeToSign): Promise<void> {
    const trust = this.#bonds.of(this.#options.origin);
    if (origin !== this.#options.origin && trust !== undefined && trust.size > this.#modules.folded())
      throw logError('LOG_BUSY', `${trust.origin}: the writer before had ${trust.size} entries permitted`);
    const pledge = this.#bonds.of(origin);
    if (pledge === undefined) return;
    if (pledge.size > from) {
      if (pledge.size === size && equalBytes(pledge.root, root)) return;
      throw behindOf(pledge);
    }
    const own = this.#modules.trees().find((tree) => tree.origin === origin);
    if (own !== undefined && !equalBytes(await own.rootAt(pledge.size), pledge.root)) {
      const message = `${origin}: the writer before had another tree of ${pledge.size} entries permitted`;
      throw logError('LOG_CONTRADICTED', message);
    }
    this.#bonds.release(origin);
  }

  #claim(reign: SignedWord<Claim>, sets: readonly Voters[]): Promise<Answers> {
    const isHeldBy = () => this.#isHeld && keyOf(sets) === this.#electorate;
    return this.#claims.ask(reign, sets, () => (isHeldBy() ? sets[0] : undefined));
  }

  #askPermit(
    { bytes: claim }: SignedWord<Claim>,
    permit: SignedWord<Permit>,
    sets: readonly Voters[],
    isAsGood: (answer: WriterAnswer) => boolean = () => false,
  ): Promise<Heard> {
    const request = { kind: 'permit', claim, permit: permit.bytes } as const;
    const isGranted = (answer: WriterAnswer) => answer.kind === 'permitted' || isAsGood(answer);
    return this.#hearing.ask(request, sets, isGranted, { isEarly: true });
  }

  get #key(): Signer {
    return this.#modules.checkpointKey(Math.floor(this.#modules.clock.nowMs() / 1000));
  }
}
