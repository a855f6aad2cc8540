/**
 * Looks a number up at its region: blinds it, lets a node of that region evaluate it, and takes the sealed status from whoever serves the
 * bucket. What cannot be proven, or does not come in time, is no answer. Spec: SPEC.md 21.2 to 21.5.
 */
import { isProtocolError, type ProtocolError } from '../../protocol/fault.ts';
import { CLOCK_AHEAD_S_MAX, LOOKUP_OVERLAP_S } from '../../protocol/limits.ts';
import { type NumberAnnouncer } from '../../protocol/lookup/announced-numbers.ts';
import { type SignedHead } from '../../protocol/lookup/head.ts';
import {
  failureOf,
  type NumberAnswer,
  type NumberFailure,
  openHeadOf,
} from '../../protocol/lookup/judge-number.ts';
import { blindNumber, finishLookup, lookupInput, numberSecrets } from '../../protocol/lookup/oblivious.ts';
import { DAY_S, dayOf } from '../../protocol/lookup/opaque-adapter.ts';
import { bucketOf, statusIn } from '../../protocol/lookup/table.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { type Clock, type Network, type Random } from '../ports.ts';
import { type BucketShelf } from './bucket-shelf.ts';
import { type HeadBook } from './head-book.ts';
import { inTime } from './in-time.ts';
import {
  type BucketPlace,
  encodeLookupRequest,
  type EvaluateAnswer,
  LOOKUP_PROTOCOL,
  type LookupRefusal,
  parseEvaluateAnswer,
  type ProvenBucket,
} from './messages.ts';

/** All of a look-up, whoever hangs: less than gates wait for a verdict. */
const LOOKUP_MS_MAX = 2_000;
/** One node of the home region; then the next is asked. */
const ANSWER_MS_MAX = 900;
/** One mirror, from the wait for what it says of the head to the bucket that it has to fetch itself; then the next is asked. */
const MIRROR_MS_MAX = 450;
/** All mirrors, before the home is asked, which has evaluated the question in 900 ms. */
const MIRRORS_MS_MAX = 1_000;
/** Nodes of the home region that are asked for one number. */
const TRIES_MAX = 3;
/** So long a region that did not answer in time is not asked again: a file of its numbers would wait for each. */
const SILENT_MS = 1_000;
/**
 * No bucket is taken under the head of another node that is older, although a table could say what is so for longer: a home signs every minute, and one that
 * lies has so few minutes to give each asker a table of his own.
 */
const HEAD_AGE_S_MAX = 180;

const UNREACHABLE: NumberAnswer = { failure: { code: 'NUMBER_UNREACHABLE' } };

/** What is held against nobody: a key that this node has not heard of yet, or has heard of too late, leads to it as well. */
const BY_OWN_KNOWLEDGE: ReadonlySet<string> = new Set(['LOOKUP_UNPROVEN', 'SIGNATURE_INVALID']);

const FAILURE_OF: Readonly<Record<LookupRefusal, NumberFailure>> = {
  stranger: { code: 'NUMBER_REFUSED' },
  quota: { code: 'NUMBER_QUOTA', details: { of: 'region' } },
  day: { code: 'NUMBER_DAY_MISSING' },
};

export interface NumberAskerOptions {
  readonly region: string;
  readonly network: string;
}

export interface NumberAskerModules extends Primitives {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly shelf: BucketShelf;
  readonly heads: Pick<HeadBook, 'shown' | 'meetingPlaces'>;
  /** What the own region answers. */
  readonly evaluate: (day: number, blinded: Uint8Array) => Promise<EvaluateAnswer>;
  /** Connected nodes of a region that are not this one. */
  readonly nodesOf: (region: string) => readonly string[];
  /** What no honest node sends. */
  readonly onFault: (peer: string, fault: ProtocolError) => void;
  readonly stopping: AbortSignal;
}

export class NumberAsker {
  readonly #options: NumberAskerOptions;
  readonly #modules: NumberAskerModules;
  /** By region, when it did not answer last, by running time. At most as many as announce numbers. */
  readonly #silentAtMs = new Map<string, number>();

  constructor(options: NumberAskerOptions, modules: NumberAskerModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** What the region of an announcer says of a number. Never rejects for what anybody else does. */
  async lookUp(announcer: NumberAnnouncer, number: string, trust: Trust): Promise<NumberAnswer> {
    const { clock } = this.#modules;
    const { region } = announcer;
    if (clock.runMs() - (this.#silentAtMs.get(region) ?? -Infinity) < SILENT_MS) return UNREACHABLE;
    const nowS = Math.floor(clock.nowMs() / 1_000);
    const today = dayOf(nowS);
    // Shortly after midnight the key of the day before answers too, for a region whose table of today is not ready.
    const days = nowS - today * DAY_S < LOOKUP_OVERLAP_S ? [today, today - 1] : [today];
    const answer = await inTime(clock, LOOKUP_MS_MAX, this.#modules.stopping, async (within) => {
      let failure: NumberFailure = { code: 'NUMBER_DAY_MISSING' };
      for (const day of days) {
        const found = await this.#lookUpOn(day, announcer, number, trust, within);
        if (!('failure' in found)) return found;
        ({ failure } = found);
        if (failure.code !== 'NUMBER_DAY_MISSING') break;
      }
      return { failure };
    });
    const isSilent =
      answer === undefined || ('failure' in answer && answer.failure.code === 'NUMBER_UNREACHABLE');
    if (isSilent) this.#silentAtMs.set(region, clock.runMs());
    return answer ?? UNREACHABLE;
  }

  async #lookUpOn(
    day: number,
    { region, adapter }: NumberAnnouncer,
    number: string,
    trust: Trust,
    signal: AbortSignal,
  ): Promise<NumberAnswer> {
    const publicKey = adapter.keys.get(day);
    if (publicKey === undefined) return { failure: { code: 'NUMBER_DAY_MISSING' } };
    const { nodesOf, random } = this.#modules;
    const isOwn = region === this.#options.region;
    const homes = [...(isOwn ? [undefined] : []), ...shuffledBy(nodesOf(region), random)].slice(0, TRIES_MAX);
    let failure: NumberFailure = { code: 'NUMBER_UNREACHABLE' };
    for (const home of homes) {
      if (signal.aborted) break;
      const place = { region, network: this.#options.network, day };
      const answer = await this.#askHome(home, place, number, publicKey, trust, signal);
      if (!('failure' in answer)) return answer;
      ({ failure } = answer);
      // Another node of the region would count it once more.
      if (failure.code === 'NUMBER_QUOTA' || failure.code === 'NUMBER_REFUSED') break;
    }
    return { failure };
  }

  /** `home`: a node of the region; undefined for this one. */
  async #askHome(
    home: string | undefined,
    place: { readonly region: string; readonly network: string; readonly day: number },
    number: string,
    publicKey: Uint8Array,
    trust: Trust,
    signal: AbortSignal,
  ): Promise<NumberAnswer> {
    const { random, sha256 } = this.#modules;
    const { region, day } = place;
    // What is wrong with a number is no fault of its home.
    const asked = blindNumber(lookupInput(place, number), random);
    try {
      const answer = await this.#evaluated(home, day, asked.blinded, signal);
      if (answer === undefined) return { failure: { code: 'NUMBER_UNREACHABLE' } };
      if ('refusal' in answer) return { failure: FAILURE_OF[answer.refusal] };
      const secret = finishLookup(sha256, asked, answer.evaluation, publicKey);
      const signed = openHeadOf(answer.head, place, trust, this.#modules);
      const { head } = signed;
      const refused = home === undefined ? undefined : this.#refusalOf(signed, answer.head);
      if (refused !== undefined) return { failure: refused };
      const secrets = numberSecrets(sha256, secret, head.salt);
      const { root, bits } = head;
      const at = { region, day, root, bits, bucket: bucketOf(secrets.locator, bits) };
      const bucket = await this.#bucket(at, signed, signal);
      if (bucket === undefined)
        return { failure: { code: 'NUMBER_UNREACHABLE', details: { what: 'bucket' } } };
      return { status: statusIn(bucket.bytes, head, secrets, place), day, atS: head.at };
    } catch (error) {
      const failure = failureOf(error);
      if (home !== undefined && isProtocolError(error) && !BY_OWN_KNOWLEDGE.has(error.fault.code))
        this.#modules.onFault(home, error);
      return { failure };
    }
  }

  /** Why no bucket is to be taken under a head: by which one is, its region learns what was asked for if nobody else was shown it. */
  #refusalOf(signed: SignedHead, bytes: Uint8Array): NumberFailure | undefined {
    const { heads, clock } = this.#modules;
    const isHeldTo = heads.shown(signed, bytes);
    const ageS = Math.floor(clock.nowMs() / 1_000) - signed.head.at;
    if (ageS > HEAD_AGE_S_MAX || ageS < -CLOCK_AHEAD_S_MAX)
      return { code: 'NUMBER_STALE', details: { ageS, limitS: HEAD_AGE_S_MAX } };
    return isHeldTo ? undefined : { code: 'NUMBER_UNPROVEN', details: { fault: 'LOOKUP_UNPROVEN' } };
  }

  /** Undefined where it does not answer in time. @throws {ProtocolError} for an answer that is none. */
  async #evaluated(
    home: string | undefined,
    day: number,
    blinded: Uint8Array,
    signal: AbortSignal,
  ): Promise<EvaluateAnswer | undefined> {
    const { network, evaluate, clock } = this.#modules;
    if (home === undefined) return evaluate(day, blinded);
    const request = encodeLookupRequest({ kind: 'evaluate', day, blinded });
    const asking = inTime(clock, ANSWER_MS_MAX, signal, (within) =>
      network.request(home, LOOKUP_PROTOCOL, request, within),
    );
    const bytes = await asking.catch((error: unknown) => {
      if (isProtocolError(error)) throw error;
      return undefined;
    });
    return bytes && parseEvaluateAnswer(bytes);
  }

  /**
   * Kept here, or from other mirrors first: the home, which has just evaluated something for this node, is not to see as well which
   * bucket it takes, unless no mirror has it in time.
   */
  async #bucket(
    place: BucketPlace,
    signed: SignedHead,
    signal: AbortSignal,
  ): Promise<ProvenBucket | undefined> {
    const { shelf, clock, nodesOf } = this.#modules;
    const held = shelf.held(place);
    if (held !== undefined) return held;
    const mirrored = await inTime(clock, MIRRORS_MS_MAX, signal, (within) =>
      this.#fromMirrors(place, signed, within),
    );
    return mirrored ?? shelf.fetch(place, nodesOf(place.region).slice(0, TRIES_MAX), signal);
  }

  /** From those that hold the head, in an order of chance: others fetch nothing under it. */
  async #fromMirrors(
    place: BucketPlace,
    signed: SignedHead,
    signal: AbortSignal,
  ): Promise<ProvenBucket | undefined> {
    const { shelf, heads, clock, random } = this.#modules;
    for (const meeting of shuffledBy(heads.meetingPlaces(signed), random)) {
      const found = await inTime(clock, MIRROR_MS_MAX, signal, async (within) => {
        const mirror = await meeting;
        return mirror === undefined || within.aborted ? undefined : shelf.fetch(place, [mirror], within);
      });
      if (found !== undefined || signal.aborted) return found;
    }
    return undefined;
  }
}

/** In an order of chance. */
function shuffledBy<T>(all: readonly T[], random: Random): T[] {
  const ranked = all.map((one) => ({ one, rank: Buffer.from(random(6)).readUIntBE(0, 6) }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ one }) => one);
}
