/** The claims of a region's writer: what the next one says, having it granted, and who else has claimed. Spec: SPEC.md 19.2, 19.3. */
import { equalBytes } from '../../protocol/bytes.ts';
import { type Claim, type Permit, type SignedWord, signWord } from '../../protocol/writer/word.ts';
import { NodeError } from '../node-error.ts';
import { type Signer } from '../ports.ts';
import { fencedBy, nextEpoch, requireKnown, tooFew } from './asking.ts';
import { type Answers, type Hearing, type Voters } from './hearing.ts';
import { type WritershipModules, type WritershipOptions } from './writer-ports.ts';

export const LET_WRITE = 'let this machine write';
const SESSION_BYTES = 16;

export interface ClaimsModules extends Pick<WritershipModules, 'clock' | 'random' | 'witnesses' | 'onReign'> {
  readonly hearing: Hearing;
  readonly key: () => Signer;
}

export class Claims {
  readonly #options: WritershipOptions;
  readonly #modules: ClaimsModules;
  /** Of somebody else, where that is the latest known. */
  #other: Claim | undefined;

  constructor(options: WritershipOptions, modules: ClaimsModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Of somebody else, where that is the latest known. */
  get other(): Claim | undefined {
    return this.#other;
  }

  /** An own one was granted: nobody else's is later. */
  forgetOther(): void {
    this.#other = undefined;
  }

  /** As `Writership.look`. */
  async look(): Promise<void> {
    const { hearing, witnesses } = this.#modules;
    const { claim } = await hearing.highest(witnesses());
    if (claim !== undefined && !equalBytes(claim.writer, this.#options.writer)) throw this.fenced(claim);
  }

  /** One above the highest epoch that a quorum knows of. Rejects as `Hearing.highest`, and with LOG_FENCED where `resume` would take another's place. */
  async next(how: 'resume' | 'promote'): Promise<SignedWord<Claim>> {
    const { origin, writer } = this.#options;
    const { hearing, witnesses, clock, random, onReign, key } = this.#modules;
    const { claim: highest, epoch: last } = await hearing.highest(witnesses());
    if (how === 'resume' && highest !== undefined && !equalBytes(highest.writer, writer))
      throw this.fenced(highest);
    const at = Math.floor(clock.nowMs() / 1000);
    const epoch = nextEpoch(last);
    const session = random(SESSION_BYTES);
    onReign?.({ claim: highest, epoch: last });
    return signWord<Claim>({ kind: 'claim', origin, epoch, writer, session, at }, key());
  }

  /**
   * Has a claim granted by a quorum of each set. `granted`: those who did so before, as far as that holds once they have answered.
   * @throws {NodeError} LOG_FENCED where somebody else writes; LOG_BEHIND where too many of `granted` know its key no more; PEER_UNREACHABLE.
   */
  async ask(
    claim: SignedWord<Claim>,
    sets: readonly Voters[],
    granted: () => Voters | undefined,
  ): Promise<Answers> {
    const { answers, lacking } = await this.#heard(claim, sets);
    if (lacking !== undefined) {
      this.requireNoneStanding(answers, claim);
      const known = granted();
      if (known !== undefined) requireKnown(answers, known);
      throw tooFew(lacking.found, lacking.needed, LET_WRITE, answers);
    }
    return answers;
  }

  /** As `Writership.sound`, of sets that are not empty. */
  async sound(claim: SignedWord<Claim>, sets: readonly Voters[]): Promise<void> {
    const { answers, lacking } = await this.#heard(claim, sets);
    if (lacking === undefined) return;
    const { found, needed } = lacking;
    const cause = tooFew(found, needed, LET_WRITE, answers);
    throw new NodeError(
      'REFUSED',
      `nothing could be signed any more: of those recognised then, ${cause.message}`,
      {
        cause,
        retry: true,
        hint: 'Connect the region first and let it follow this one: it recognises this one, or lists it as an invited peer. Have three regions recognised, so that one that is away stops nothing.',
      },
    );
  }

  /** @throws {NodeError} LOG_FENCED where a word in the answers says that somebody else writes. */
  requireNoneStanding(answers: Answers, { word }: SignedWord<Claim>, asked?: Permit): void {
    const standing = this.#modules.hearing.standingIn(answers, word, asked);
    if (standing !== undefined) throw this.fenced(standing.kind === 'claim' ? standing : undefined);
  }

  /** Notes who writes instead, where that is known. */
  fenced(by: Claim | undefined): NodeError {
    this.#other = by ?? this.#other;
    return fencedBy(by, this.#options.writer);
  }

  #heard(claim: SignedWord<Claim>, sets: readonly Voters[]) {
    const { hearing } = this.#modules;
    return hearing.ask({ kind: 'claim', claim: claim.bytes }, sets, (some) => hearing.isGranted(some, claim));
  }
}
