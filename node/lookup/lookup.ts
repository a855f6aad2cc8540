/**
 * Numbers at a node, both sides: it answers for those of its own region, mirrors what others have sealed, and looks numbers up for
 * enrolled verifiers. Made of the parts beside this file.
 */
import { type ProtocolError } from '../../protocol/fault.ts';
import { type NumberAnnouncer, opaqueAdapters } from '../../protocol/lookup/announced-numbers.ts';
import { LOOKUP_ANNOUNCERS_MAX } from '../../protocol/limits.ts';
import {
  hasStatus,
  judgeNumber,
  type NumberAnswer,
  type NumberInput,
} from '../../protocol/lookup/judge-number.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { type ClockStanding } from '../clock/clock-votes.ts';
import { type EvidenceBook } from '../evidence/evidence-book.ts';
import { type Clock, type Network, type Random, type Signer } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { BucketShelf } from './bucket-shelf.ts';
import { DayKeys } from './day-keys.ts';
import { type DaySeeds } from './day-seeds.ts';
import { HeadBook } from './head-book.ts';
import { LookupServer } from './lookup-server.ts';
import { type BucketPlace, type ProvenBucket } from './messages.ts';
import { type EvaluateInputs } from './number-evaluator.ts';
import { NumberAsker } from './number-asker.ts';
import { Numbers, type TurnedNumbers } from './numbers.ts';
import { LOOKUP_QUOTAS, type LookupQuotas, type Quota } from './quota.ts';
import { Quotas, type QuotasModules } from './quotas.ts';
import { evidenceOfTables, type TableEvidenceModules } from './table-evidence.ts';
import { TablePress } from './table-press.ts';

export interface LookupOptions {
  readonly region: string;
  readonly network: string;
  readonly registryKey: Uint8Array;
  readonly lookupQuotas?: LookupQuotas | undefined;
}

export interface LookupModules extends TrustModules {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly tables: PrivateTables;
  readonly store: QuotasModules['store'];
  readonly logs: TableEvidenceModules['logs'];
  readonly evidence: Pick<EvidenceBook, 'take' | 'hasRoomFor'>;
  /** Absent where the region has none: then it answers for no numbers of its own. */
  readonly seeds?: DaySeeds | undefined;
  readonly signer: (atS: number) => Signer;
  /** What other regions say of the clock. */
  readonly timeStanding: () => ClockStanding;
  /** As the function of this name: by it keys are destroyed. */
  readonly surelyPastS: () => number | undefined;
  /** Whether another machine speaks for the region, or may. */
  readonly isSilent: () => boolean;
  readonly evaluateInputs?: EvaluateInputs | undefined;
  readonly regionOf: (peer: string) => string | undefined;
  /** Connected peers that nothing is held against. */
  readonly peers: () => readonly string[];
  readonly trust: () => Trust;
  /** What the own trust log says. */
  readonly state: () => TrustState | undefined;
  readonly onFault: (peer: string, fault: ProtocolError) => void;
  readonly onTrouble: (error: unknown) => void;
  /** As `NumbersModules.onTurned`. */
  readonly onTurned?: ((turned: TurnedNumbers) => Promise<void>) | undefined;
}

/** A number at a gate. */
export interface NumberQuestion {
  readonly text: string;
  readonly announcers: readonly NumberAnnouncer[];
  readonly trust: Trust;
  readonly context: VerdictContext;
  readonly nowS: number;
  /** The name of the enrolled verifier that asks; undefined for anybody else. */
  readonly verifier: string | undefined;
}

/** Of regions beyond those that are asked: nobody can say that they do not have the number. */
const UNASKED: NumberAnswer = { failure: { code: 'NUMBER_CROWDED' } };

const NO_SEEDS: DaySeeds = {
  days: () => Promise.resolve([]),
  read: () => Promise.resolve(undefined),
  readEvaluated: () => Promise.resolve(undefined),
  keepEvaluated: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
};

export class Lookup {
  /** Those of the own region. */
  readonly numbers: Numbers;
  readonly #quota: Quota;
  readonly #quotas: Quotas;
  readonly #press: TablePress;
  readonly #shelf: BucketShelf;
  readonly #heads: HeadBook;
  readonly #server: LookupServer;
  readonly #asker: NumberAsker;
  readonly #hasSeeds: boolean;
  /** By what came of it; at most as many names as there are codes of failures, and two. */
  readonly #looked = new Map<string, number>();
  readonly #stopping = new AbortController();

  constructor(options: LookupOptions, modules: LookupModules) {
    const { region, registryKey: key, lookupQuotas = LOOKUP_QUOTAS } = options;
    const { state, trust, regionOf, peers, seeds = NO_SEEDS } = modules;
    this.#quota = lookupQuotas.verifier;
    this.#hasSeeds = modules.seeds !== undefined;
    const quotas = (this.#quotas = new Quotas(modules));
    this.numbers = new Numbers(
      { key },
      {
        ...modules,
        prefixes: () => prefixesOf(state()),
        onChange: () => this.#press.wake(),
      },
    );
    const announced = (day: number) => keysOf(state(), day);
    const keys = new DayKeys(options, { ...modules, seeds, announced });
    const press = (this.#press = new TablePress(options, { ...modules, keys, numbers: this.numbers }));
    const nodesOf = (of: string) => peers().filter((peer) => regionOf(peer) === of);
    const isAnnouncing = (of: string) => prefixesOf(trust().regions.get(of)?.state).length > 0;
    const heads = (this.#heads = new HeadBook(options, {
      ...modules,
      accuse: async (of, pair) => {
        const file = await evidenceOfTables({ region: of, network: options.network }, pair, modules);
        if (file !== undefined) await modules.evidence.take(file);
      },
      stopping: this.#stopping.signal,
    }));
    const shelf = (this.#shelf = new BucketShelf(options, {
      ...modules,
      press,
      heads,
      nodesOf,
      isAnnouncing,
    }));
    const server = (this.#server = new LookupServer(
      { region, peerQuota: lookupQuotas.region },
      { ...modules, keys, press, quotas, shelf, heads },
    ));
    this.#asker = new NumberAsker(options, {
      ...modules,
      shelf,
      heads,
      nodesOf,
      evaluate: (day, blinded) => server.evaluate(day, blinded),
      stopping: this.#stopping.signal,
    });
  }

  start(): void {
    this.#server.start();
    if (this.#hasSeeds) this.#press.start();
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#press.stop();
  }

  /** The verdict on a number. Rejects as the store does where the quota cannot be counted. */
  async judge({ text, announcers, trust, context, nowS, verifier }: NumberQuestion): Promise<Verdict> {
    const judged = (announcer: NumberAnnouncer, answer: NumberAnswer) => ({
      announcer,
      answer,
      trust,
      context,
      nowS,
    });
    const same = (answer: NumberAnswer) => {
      this.#count(answer);
      return judgeNumber(announcers.map((one) => judged(one, answer)));
    };
    if (!announcers.some(({ isByAdapter }) => isByAdapter))
      return same({ failure: { code: 'NUMBER_NEEDS_NODE' } });
    if (verifier === undefined) return same({ failure: { code: 'NUMBER_NOT_ENROLLED' } });
    const taken = await this.#quotas.take(`verifier/${verifier}`, this.#quota);
    if (!taken.isTaken)
      return same({
        failure: { code: 'NUMBER_QUOTA', details: { of: 'verifier', againInS: taken.againInS } },
      });
    const answers = announcers.map(async (announcer, at): Promise<NumberInput> => {
      if (at >= LOOKUP_ANNOUNCERS_MAX) return judged(announcer, UNASKED);
      const answer = await this.#asker.lookUp(announcer, text, trust);
      this.#count(answer);
      return judged(announcer, answer);
    });
    const all = Promise.all(answers);
    // Where the home has the number its own word counts, whoever hangs. Else whatever is still awaited may change the verdict.
    const decided = answers.map(async (answer) => {
      const input = await answer;
      return hasStatus(input) && input.announcer.region === trust.home ? [input] : all;
    });
    return judgeNumber(await Promise.race([all, ...decided]));
  }

  /** The signed head of the own table of a day, for mirrors that ask by HTTP. */
  head(day: number): Uint8Array | undefined {
    return this.#press.table(day)?.head;
  }

  /** A bucket of any region's table, for whoever asks. Never rejects. */
  bucket(place: BucketPlace): Promise<ProvenBucket | undefined> {
    return this.#shelf.get(place, this.#stopping.signal);
  }

  /** What it has done since its start, for whom it asks (`looked`, by what came of it) and who asks it, and which tables it has. */
  get report() {
    const looked = Object.fromEntries(this.#looked);
    return { ...this.#press.report, looked, asked: this.#server.counters, heads: this.#heads.counters };
  }

  #count(answer: NumberAnswer): void {
    const found = 'status' in answer && answer.status !== undefined ? 'found' : 'unknown';
    const name = 'failure' in answer ? answer.failure.code : found;
    this.#looked.set(name, (this.#looked.get(name) ?? 0) + 1);
  }
}

function prefixesOf(state: TrustState | undefined): string[] {
  return state === undefined ? [] : opaqueAdapters(state).map(({ prefix }) => prefix);
}

function keysOf(state: TrustState | undefined, day: number): Uint8Array[] {
  return state === undefined ? [] : opaqueAdapters(state).flatMap(({ keys }) => keys.get(day) ?? []);
}
