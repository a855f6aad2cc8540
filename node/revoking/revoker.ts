/**
 * Revokes attestations by their indexes. What is asked for within a short time goes into one statement for each log, so that
 * many revocations are one message; what the trust-log key may not revoke within the hour is refused before it is signed.
 */
import { INDEX_BOUND } from '../../protocol/limits.ts';
import { isAttestationLogId } from '../../protocol/log/origin.ts';
import { encodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { BatchQueue } from '../log/batch-queue.ts';
import { logError } from '../log/log-error.ts';
import { type BatchPlace, type Receipt } from '../log/log-work.ts';
import { type TrustLogItem } from '../log/trust-log-work.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { HourBudget } from './hour-budget.ts';
import { isRevocable, logOver } from './revocable.ts';

export interface RevokerOptions {
  /** Milliseconds for which a revocation of fewer than 1,024 indexes waits for others; 100 by default. */
  readonly gatherMs?: number;
  /** Calls waiting, beyond which LOG_BUSY; 65,536 by default. */
  readonly queueMax?: number;
}

export interface RevokerModules {
  readonly store: Store;
  readonly clock: Clock;
  /** The region's own trust state, as its log says now. */
  readonly trust: () => TrustState;
  /** Logs a statement of the region's trust log: `Sequencer.submit`. */
  readonly submit: (item: TrustLogItem) => Promise<Receipt>;
}

/** Indexes of one attestation log, by its id. */
export interface Revocation {
  readonly log: string;
  readonly indexes: readonly number[];
}

interface Asked extends Revocation {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const DEFAULTS = { gatherMs: 100, queueMax: 65_536 };
const HOUR_S = 3_600;
/** Indexes with which a revocation goes at once: what joined it would hardly spare a message. */
const ENOUGH_INDEXES = 1_024;
/** Indexes of one statement: its set stays below 57 KiB however they lie, and a gossip message may have 64. */
const INDEXES_PER_STATEMENT = 16_384;

export class Revoker {
  readonly #modules: RevokerModules;
  readonly #queue: BatchQueue<Asked>;
  readonly #budget = new HourBudget();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: RevokerOptions, modules: RevokerModules) {
    this.#modules = modules;
    const { gatherMs, queueMax } = { ...DEFAULTS, ...options };
    this.#queue = new BatchQueue({ gatherMs, queueMax, batchMax: queueMax }, modules);
  }

  /** Learns what was revoked in this hour. Rejects as `Store.get`. */
  async start(): Promise<void> {
    if (this.#running !== undefined) throw new TypeError('a revoker is started once');
    await this.#budget.load(this.#modules.store);
    this.#running = this.#run();
  }

  /** Finishes the statement in hand and turns away all that wait. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#queue.close();
    await this.#running;
    for (const { reject } of this.#queue.drain()) reject(stopped());
  }

  /**
   * Resolves once all the indexes are revoked by the trust log, which some may have been before.
   * @throws {RangeError} on what is no log id or index.
   * @throws {NodeError} LOG_OVER where a revocation has no effect any more. REVOCATIONS_EXCEEDED if they are more than may be revoked in what is left of this hour: none of them
   * is. LOG_BUSY, LOG_STOPPED, and as `Sequencer.submit`: then repeat it, since revoking twice does nothing more.
   */
  async revoke({ log, indexes }: Revocation): Promise<void> {
    if (!isAttestationLogId(log) || !indexes.every(isIndex)) {
      throw new RangeError('expected an attestation log id and indexes of 0 to 2^40-1');
    }
    if (this.#stopped) throw stopped();
    const { trust, clock } = this.#modules;
    if (!isRevocable(log, trust(), Math.floor(clock.nowMs() / 1000))) throw logOver(`the log ${log} is over`);
    await new Promise<void>((resolve, reject) => {
      if (this.#queue.push({ log, indexes, resolve, reject })) {
        if (indexes.length >= ENOUGH_INDEXES) this.#queue.hasten();
        return;
      }
      reject(logError('LOG_BUSY', 'too many revocations wait for their turn already'));
    });
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#queue.ready();
      if (this.#stopped) return;
      const byLog = new Map<string, Asked[]>();
      for (const asked of this.#queue.take()) byLog.set(asked.log, [...(byLog.get(asked.log) ?? []), asked]);
      for (const [log, asked] of byLog) await this.#revokeAll(log, asked);
    }
  }

  async #revokeAll(log: string, asked: readonly Asked[]): Promise<void> {
    try {
      const { admitted, indexes } = this.#admit(log, asked);
      for (let at = 0; at < indexes.length; at += INDEXES_PER_STATEMENT) {
        await this.#log(log, indexes.subarray(at, at + INDEXES_PER_STATEMENT));
      }
      for (const { resolve } of admitted) resolve();
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  /** Refuses those for whom this hour has no room, in the order of their coming. `indexes` ascend. */
  #admit(log: string, asked: readonly Asked[]): { admitted: Asked[]; indexes: Float64Array } {
    const revoked = this.#modules.trust().revoked(log);
    const taken = new Set<number>();
    const admitted = asked.filter((one) => {
      const fresh = new Set(one.indexes.filter((index) => !taken.has(index) && revoked?.has(index) !== true));
      const excess = this.#excess(this.#hourNow(), taken.size + fresh.size, fresh.size);
      if (excess === undefined) fresh.forEach((index) => taken.add(index));
      else one.reject(excess);
      return excess === undefined;
    });
    return { admitted, indexes: Float64Array.from(taken).sort() };
  }

  async #log(log: string, indexes: Float64Array): Promise<void> {
    const { submit } = this.#modules;
    const build = ({ atS }: BatchPlace) => {
      const hour = Math.floor(atS / HOUR_S);
      const excess = this.#excess(hour, indexes.length, indexes.length);
      if (excess !== undefined) throw excess;
      const statement = { kind: 'revocation', log, effective: atS, set: encodeIndexSet(indexes) } as const;
      return { statement, changes: [this.#budget.add(hour, indexes.length)] };
    };
    try {
      await submit({ build });
    } catch (error) {
      await this.#recount();
      throw error;
    }
  }

  /** Count and statement are written together, so the store knows. Where it cannot be read, what was counted stays. */
  async #recount(): Promise<void> {
    try {
      await this.#budget.load(this.#modules.store);
    } catch (error) {
      if (!isNodeError(error)) throw error;
    }
  }

  /** Why `added` indexes, of which somebody asked for `asked`, are too many for an hour; undefined if they are not. */
  #excess(hour: number, added: number, asked: number): NodeError | undefined {
    const limit = this.#modules.trust().revocationsPerHour;
    const counted = this.#budget.countIn(hour);
    if (counted + added <= limit) return undefined;
    const left = Math.max(0, limit - counted - (added - asked));
    const message = `${left} of ${limit} revocations are left in this hour, ${asked} were asked for`;
    return new NodeError('REVOCATIONS_EXCEEDED', message, {
      retry: asked <= limit,
      hint: 'Let the root sign this revocation, which no limit holds, or offer it again in the next hour.',
    });
  }

  #hourNow(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1000 / HOUR_S);
  }
}

function isIndex(index: number): boolean {
  return Number.isSafeInteger(index) && index >= 0 && index < INDEX_BOUND;
}

function stopped(): NodeError {
  return logError('LOG_STOPPED', 'the revoker was stopped');
}
