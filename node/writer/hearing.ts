/** What the answers of witnesses prove to a writer: by its own words alone, since anybody can say anything without. Spec: SPEC.md 14.5.5, 19.3. */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type VerifySignature } from '../../protocol/primitives.ts';
import {
  type Claim,
  parseClaim,
  parsePermit,
  type Permit,
  type SignedWord,
  verifyWord,
  type WriterWord,
} from '../../protocol/writer/word.ts';
import { type AskingModules, askWitnesses, tooFew } from './asking.ts';
import { permitsNeeded } from './electorate.ts';
import { type WriterAnswer, type WriterRequest } from './writer-messages.ts';
import { isBeyond, isOfSameReign } from './writer-rule.ts';

/** The regions whose witnesses decide together, by one state of the trust log. */
export type Voters = readonly string[];

export type Answers = ReadonlyMap<string, WriterAnswer>;

export interface HearingModules extends AskingModules {
  readonly verifySignature: VerifySignature;
  /** Those of the own trust log. */
  readonly keys: () => readonly VerifierKey[];
}

export interface Heard {
  readonly answers: Answers;
  /** Of the first set that has no quorum, how many have granted it, and how many have to. */
  readonly lacking?: { readonly found: number; readonly needed: number };
}

export class Hearing {
  readonly #origin: string;
  readonly #modules: HearingModules;

  /** `origin`: the name of the region's trust log. */
  constructor(origin: string, modules: HearingModules) {
    this.#origin = origin;
    this.#modules = modules;
  }

  /** Asks all of these sets, until each has its quorum or nobody else answers. */
  async ask(
    request: WriterRequest,
    sets: readonly Voters[],
    isGranted: (answer: WriterAnswer) => boolean,
    { isEarly = false } = {},
  ): Promise<Heard> {
    const witnesses = [...new Set(sets.flat())];
    const lackingOf = (answers: Answers) =>
      lacking(sets, (region) => isGrantedBy(answers.get(region), isGranted));
    const answers = await askWitnesses(
      this.#modules,
      request,
      witnesses,
      (some) => isEarly && lackingOf(some) === undefined,
    );
    const found = lackingOf(answers);
    return { answers, ...(found && { lacking: found }) };
  }

  /**
   * The latest claim; and the highest epoch, which may be that of a permit whose claim counts no more.
   * @throws {NodeError} PEER_UNREACHABLE if no quorum answers.
   */
  async highest(witnesses: Voters): Promise<{ readonly claim: Claim | undefined; readonly epoch: number }> {
    if (witnesses.length === 0) return { claim: undefined, epoch: 0 };
    const request = { kind: 'writer', origin: this.#origin } as const;
    const { answers, lacking } = await this.ask(request, [witnesses], ({ kind }) => kind === 'record');
    if (lacking !== undefined) throw tooFew(lacking.found, lacking.needed, 'said who writes', answers);
    let highest: Claim | undefined;
    let epoch = 0;
    for (const answer of answers.values()) {
      if (answer.kind !== 'record') continue;
      const claim = this.#claimIn(answer.claim);
      if (claim !== undefined && claim.epoch > (highest?.epoch ?? 0)) highest = claim;
      for (const permit of this.#permitsIn(answer)) epoch = Math.max(epoch, permit.epoch);
    }
    return { claim: highest, epoch: Math.max(epoch, highest?.epoch ?? 0) };
  }

  /** The public keys by which anybody has said that he writes: asked of all who answer, few as they may be. */
  async claimants(witnesses: Voters): Promise<readonly Uint8Array[]> {
    const answers = await askWitnesses(this.#modules, { kind: 'writer', origin: this.#origin }, witnesses);
    return [...answers.values()].flatMap((answer) => {
      if (answer.kind !== 'record') return [];
      const { claim, permits } = answer;
      const words = permits.map((bytes): SignedWord | undefined => this.#proven(() => parsePermit(bytes)));
      if (claim !== undefined) words.push(this.#proven(() => parseClaim(claim)));
      return words.flatMap((signed) => (signed === undefined ? [] : [signed.publicKey]));
    });
  }

  /**
   * Whether a witness has granted a claim, and hides nothing that was permitted before: it tells of each log the latest tree alone, and one by a key
   * that is given up, of which it has not heard, may stand before another.
   */
  isGranted(answer: WriterAnswer, claim: SignedWord<Claim>): boolean {
    if (answer.kind !== 'record' || answer.claim === undefined) return false;
    return equalBytes(answer.claim, claim.bytes) && this.#permitsIn(answer).length === answer.permits.length;
  }

  /** What those of a set that granted a claim had permitted last. */
  reportsOf(answers: Answers, claim: SignedWord<Claim>, witnesses: Voters): Permit[][] {
    return witnesses.flatMap((region) => {
      const answer = answers.get(region);
      return answer?.kind === 'record' && this.isGranted(answer, claim) ? [this.#permitsIn(answer)] : [];
    });
  }

  /**
   * The word of another process that has come after this one, or that had another tree permitted in its place, where an answer holds one:
   * anybody can refuse without, or with a word of old.
   */
  standingIn(answers: Answers, reign: Claim, asked?: Permit): WriterWord | undefined {
    for (const answer of answers.values()) {
      const word = this.#wordIn(answer);
      if (word === undefined) continue;
      if (isBeyond(word, reign)) return word;
      if (word.kind === 'permit' && asked !== undefined && isInPlaceOf(word, asked)) return word;
    }
    return undefined;
  }

  /** Whether a witness refuses a tree only because it has permitted a larger one of the same process, which continues it. */
  isSurpassed(answer: WriterAnswer, asked: Permit): boolean {
    const word = answer.kind === 'taken' ? this.#wordIn(answer) : undefined;
    return (
      word?.kind === 'permit' &&
      word.origin === asked.origin &&
      isOfSameReign(word, asked) &&
      word.size > asked.size
    );
  }

  /** Whether a key signed it that is not given up. */
  counts(word: SignedWord): boolean {
    return verifyWord(word, this.#modules.keys(), this.#modules.verifySignature);
  }

  /** The word by which it was refused, where that is proven. */
  #wordIn(answer: WriterAnswer): WriterWord | undefined {
    if (answer.kind === 'fenced') return this.#claimIn(answer.claim);
    return answer.kind === 'taken' ? this.#proven(() => parsePermit(answer.permit))?.word : undefined;
  }

  #claimIn(bytes: Uint8Array | undefined): Claim | undefined {
    if (bytes === undefined) return undefined;
    const claim = this.#proven(() => parseClaim(bytes))?.word;
    return claim?.origin === this.#origin ? claim : undefined;
  }

  #permitsIn({ permits }: Extract<WriterAnswer, { kind: 'record' }>): Permit[] {
    return permits.flatMap((bytes) => this.#proven(() => parsePermit(bytes))?.word ?? []);
  }

  #proven<W extends WriterWord>(parse: () => SignedWord<W>): SignedWord<W> | undefined {
    try {
      const signed = parse();
      return this.counts(signed) ? signed : undefined;
    } catch (error) {
      if (isProtocolError(error)) return undefined;
      throw error;
    }
  }
}

function lacking(sets: readonly Voters[], isGranted: (region: string) => boolean): Heard['lacking'] {
  for (const set of sets) {
    const needed = permitsNeeded(set.length);
    const found = set.filter(isGranted).length;
    if (found < needed) return { found, needed };
  }
  return undefined;
}

function isGrantedBy(
  answer: WriterAnswer | undefined,
  isGranted: (answer: WriterAnswer) => boolean,
): boolean {
  return answer !== undefined && isGranted(answer);
}

/** Whether the witness that granted `standing` must refuse `asked`. */
function isInPlaceOf(standing: Permit, asked: Permit): boolean {
  const { origin, epoch, size, root } = standing;
  const isSame = size === asked.size && equalBytes(root, asked.root);
  return origin === asked.origin && epoch === asked.epoch && size > asked.from && !isSame;
}
