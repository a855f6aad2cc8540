/** Answers peers about numbers: evaluates what they have blinded, under the quota of their region, and serves buckets. Spec: SPEC.md 14.5.7. */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, type ProtocolError } from '../../protocol/fault.ts';
import { type Evaluation, evaluateBlinded } from '../../protocol/lookup/oblivious.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Clock, type Network, type Random } from '../ports.ts';
import { Turns } from '../turns.ts';
import { AnsweringTime } from './answering-time.ts';
import { type BucketShelf } from './bucket-shelf.ts';
import { type DayKeys, isAnswering } from './day-keys.ts';
import { type HeadBook } from './head-book.ts';
import {
  encodeBucketAnswer,
  encodeEvaluateAnswer,
  encodeHeadAnswer,
  type EvaluateAnswer,
  LOOKUP_PROTOCOL,
  type LookupRefusal,
  parseLookupRequest,
} from './messages.ts';
import { type Quota } from './quota.ts';
import { type Quotas } from './quotas.ts';
import { type TablePress } from './table-press.ts';

export interface LookupServerOptions {
  readonly region: string;
  /** Of each peer region. */
  readonly peerQuota: Quota;
}

export interface LookupServerModules {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly keys: DayKeys;
  readonly press: TablePress;
  readonly quotas: Quotas;
  readonly shelf: BucketShelf;
  readonly heads: Pick<HeadBook, 'heard'>;
  /** The region of a peer; undefined for a stranger. */
  readonly regionOf: (peer: string) => string | undefined;
  readonly state: () => TrustState | undefined;
  /** What no honest peer sends. */
  readonly onFault: (peer: string, fault: ProtocolError) => void;
}

/** By what was answered. `busy` is answered as `quota` is: the region has had its share of the time of this node. */
export type LookupAnswers = Readonly<Record<'evaluated' | LookupRefusal | 'busy', number>>;

/** Evaluates, on behalf of somebody. */
type Spend = (evaluate: () => Evaluation) => Evaluation;

export class LookupServer {
  readonly #options: LookupServerOptions;
  readonly #modules: LookupServerModules;
  readonly #counters = { evaluated: 0, stranger: 0, quota: 0, day: 0, busy: 0 };
  readonly #time: AnsweringTime;
  readonly #turns = new Turns();

  constructor(options: LookupServerOptions, modules: LookupServerModules) {
    this.#options = options;
    this.#modules = modules;
    this.#time = new AnsweringTime(modules);
  }

  start(): void {
    this.#modules.network.handle(LOOKUP_PROTOCOL, (peer, request, signal) =>
      this.answer(peer, request, signal),
    );
  }

  /** Counted since the start. */
  get counters(): LookupAnswers {
    return { ...this.#counters };
  }

  /** @throws {ProtocolError} for what is no question; rejects as the store does, and then nothing was evaluated. */
  async answer(peer: string, bytes: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    try {
      const request = parseLookupRequest(bytes);
      if (request.kind === 'bucket')
        return encodeBucketAnswer(await this.#modules.shelf.get(request, signal));
      if (request.kind === 'head') return encodeHeadAnswer(this.#modules.heads.heard(request.head));
      return encodeEvaluateAnswer(await this.#evaluateFor(peer, request.day, request.blinded));
    } catch (error) {
      if (isProtocolError(error)) this.#modules.onFault(peer, error);
      throw error;
    }
  }

  /** The same for this node itself, under no quota of a region: that of the verifier counts. */
  evaluate(day: number, blinded: Uint8Array): Promise<EvaluateAnswer> {
    return this.#evaluate(day, blinded, (evaluate) => evaluate());
  }

  async #evaluate(day: number, blinded: Uint8Array, spend: Spend): Promise<EvaluateAnswer> {
    const { keys, press, clock, random } = this.#modules;
    const nowS = Math.floor(clock.nowMs() / 1_000);
    const pair = isAnswering(day, nowS) ? await keys.announcedPair(day) : undefined;
    const table = press.table(day);
    // Of a day that was announced anew the table before lacks, by the new key, every number.
    if (pair === undefined || table === undefined || !equalBytes(table.publicKey, pair.publicKey))
      return this.#refuse('day');
    const evaluation = spend(() => evaluateBlinded(pair, blinded, random));
    this.#counters.evaluated++;
    return { evaluation, head: table.head };
  }

  async #evaluateFor(peer: string, day: number, blinded: Uint8Array): Promise<EvaluateAnswer> {
    const { regionOf, state, quotas } = this.#modules;
    const region = regionOf(peer);
    const isOwn = region === this.#options.region;
    const isKnown =
      region !== undefined && (isOwn || state()?.recognition(region)?.standing === 'recognised');
    if (!isKnown) return this.#refuse('stranger');
    if (!this.#time.hasFor(region)) return this.#refuse('busy');
    const taken = await quotas.take(`region/${region}`, this.#options.peerQuota);
    if (!taken.isTaken) return this.#refuse('quota');
    return this.#turns.take(region, async () => {
      // One question of a region, and then whatever else waits.
      await new Promise(setImmediate);
      if (!this.#time.hasFor(region)) return this.#refuse('busy');
      return this.#evaluate(day, blinded, (evaluate) => this.#time.spend(region, evaluate));
    });
  }

  #refuse(why: LookupRefusal | 'busy'): EvaluateAnswer {
    this.#counters[why]++;
    return { refusal: why === 'busy' ? 'quota' : why };
  }
}
