/**
 * Has the attestation logs of the home witnessed while this machine writes them: each that has grown is shown to its witnesses at most once a minute, beside
 * all issuing, and shown again while no quorum vouches for it. All are asked about one checkpoint, a region about one log at a time.
 * Spec: SPEC.md 9, 14.5.3.
 */
import { isProtocolError } from '../../protocol/fault.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { logError } from '../log/log-error.ts';
import { LogView } from '../log/log-view.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type SyncClient } from '../sync/sync-client.ts';
import { type CosignableLog, type CosignedCheckpoint, type CosignedLogs } from './cosigned-logs.ts';
import { askWitness } from './witness-server.ts';
import { type WitnessRefusal } from './witness-rule.ts';

export interface CosignatureGathererOptions {
  readonly network: string;
  /** Milliseconds between two times that witnesses are asked about a log: 60 s by default. */
  readonly cosignMs: number;
}

export interface CosignatureGathererModules extends Primitives {
  readonly cosigned: CosignedLogs;
  /** Own attestation logs that can be read. */
  readonly logs: () => readonly CosignableLog[];
  /** Nothing is asked while another machine may speak for the region. */
  readonly isWriting: () => boolean;
  readonly client: Pick<SyncClient, 'peers' | 'request' | 'blaming'>;
  readonly clock: Clock;
  /** The region of a peer; undefined for a stranger. */
  readonly regionOf: (peer: string) => string | undefined;
  /** Looks at what a peer holds of the own logs. Rejects as `AntiEntropy.round`. */
  readonly compare: (peer: string) => Promise<void>;
  /** Told of errors of our own disk, and of a witness that knows more of a log than is here. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Why a region that was asked has not vouched, when it was asked last: what it answers, that it does not, or that its line is no good one for that checkpoint.
 * `ahead`: it says that it has cosigned more entries than there are here. `outrun`: it has cosigned a newer checkpoint, and is asked about that.
 */
export type Unwilling =
  Exclude<WitnessRefusal, 'conflict'> | 'conflict' | 'silent' | 'unverified' | 'ahead' | 'outrun';

/** Counted since the start. */
export interface CosigningCounters {
  readonly asked: number;
  readonly cosigned: number;
  /** Lines that do not vouch for what was asked about by a key of the region that was asked; nothing comes of them. */
  readonly unverified: number;
}

interface Asked {
  readonly log: CosignableLog;
  readonly one: CosignedCheckpoint;
  readonly witnesses: ReadonlySet<string>;
  /** Somebody has vouched for it. */
  isFresh: boolean;
}

/** Of one log. */
interface Progress {
  /** By running time. */
  askedAtMs: number;
  /** A witness has met a newer checkpoint than it was asked about. */
  isOutrun: boolean;
  /** By region, how far its witness cosigned, as far as is known. */
  readonly sizes: Map<string, number>;
  readonly unwilling: Map<string, Pause & { readonly why: Unwilling; readonly size?: number }>;
}

interface Pause {
  readonly failures: number;
  /** By running time. */
  readonly untilMs: number;
}

const LOOK_MS = 5_000;
/** Regions that are asked at the same time. */
const REGIONS_AT_ONCE = 16;
/** Questions to one peer about one checkpoint: what it cosigned last may change while a proof is made. */
const TRIES_MAX = 3;
/** Checkpoints of a log that are shown at one time: it may grow, and a witness meet it, while others are asked. */
const PASSES_MAX = 2;
/** Who has not vouched is asked again after one `cosignMs`, after two, and so on, at most 16. */
const DOUBLINGS_MAX = 4;

export class CosignatureGatherer {
  readonly #options: CosignatureGathererOptions;
  readonly #modules: CosignatureGathererModules;
  readonly #stopping = new AbortController();
  /** By origin, of logs that are there. */
  readonly #progress = new Map<string, Progress>();
  readonly #counters = { asked: 0, cosigned: 0, unverified: 0 };
  #running: Promise<void> | undefined;

  constructor(options: CosignatureGathererOptions, modules: CosignatureGathererModules) {
    this.#options = options;
    this.#modules = modules;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Safe to call twice. Whoever stops the client before need not wait for answers. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  get counters(): CosigningCounters {
    return { ...this.#counters };
  }

  /** By region, why it has not vouched for the newest checkpoint of a log that it was asked about; `size`: of what it says that it cosigned. */
  unwilling(
    origin: string,
  ): Readonly<Record<string, { readonly why: Unwilling; readonly size?: number | undefined }>> {
    const all = this.#progress.get(origin)?.unwilling ?? [];
    return Object.fromEntries([...all].map(([region, { why, size }]) => [region, { why, size }]));
  }

  /** Asks about all logs that are due, and resolves once all that were asked have answered, or their time is over. Rejects as the store. */
  async gather(): Promise<void> {
    const { logs, cosigned } = this.#modules;
    const origins = new Set(logs().map(({ origin }) => origin));
    for (const origin of this.#progress.keys()) if (!origins.has(origin)) this.#progress.delete(origin);
    for (let pass = 1; pass <= PASSES_MAX; pass++) {
      const due: Asked[] = [];
      for (const log of logs()) {
        const asked = await this.#due(log, pass > 1);
        if (asked !== undefined) due.push(asked);
      }
      if (due.length === 0 || this.#stopping.signal.aborted) return;
      await this.#askAll(due);
      for (const { log, isFresh } of due) if (isFresh) await cosigned.keep(log.origin);
    }
  }

  async #run(): Promise<void> {
    const { clock, onTrouble } = this.#modules;
    const { signal } = this.#stopping;
    const lookMs = Math.min(LOOK_MS, this.#options.cosignMs);
    while (!signal.aborted) {
      await this.gather().catch(onTrouble);
      await clock.wait(lookMs, signal).catch(() => undefined);
    }
  }

  /** The checkpoint of a log that witnesses are to be asked about now, if there is one. */
  async #due(log: CosignableLog, isAgain: boolean): Promise<Asked | undefined> {
    const { cosigned, isWriting, clock } = this.#modules;
    const { origin } = log;
    const progress = this.#progressOf(origin);
    const isTime = clock.runMs() >= progress.askedAtMs + this.#options.cosignMs;
    if (isAgain ? !progress.isOutrun : !isTime) return undefined;
    const one = await cosigned.follow(log);
    if (one === undefined || !isWriting() || log.standingForks.length > 0) return undefined;
    const witnesses = new Set(cosigned.witnessesOf(origin));
    if (witnesses.size === 0 || cosigned.isWitnessed(origin)) return undefined;
    progress.isOutrun = false;
    return { log, one, witnesses, isFresh: false };
  }

  async #askAll(due: readonly Asked[]): Promise<void> {
    const { client, regionOf, clock } = this.#modules;
    const peers = new Map<string, string[]>();
    for (const peer of client.peers()) {
      const region = regionOf(peer);
      if (region !== undefined) peers.set(region, [...(peers.get(region) ?? []), peer]);
    }
    for (const { log } of due) this.#progressOf(log.origin).askedAtMs = clock.runMs();
    const waiting = [...peers].values();
    const askInTurn = async () => {
      for (const [region, nodes] of waiting) await this.#askRegion(region, nodes, due);
    };
    // Nobody is asked anew while somebody is still being asked.
    const asking = await Promise.allSettled(Array.from({ length: REGIONS_AT_ONCE }, askInTurn));
    for (const one of asking) if (one.status === 'rejected') throw one.reason;
  }

  async #askRegion(region: string, nodes: readonly string[], due: readonly Asked[]): Promise<void> {
    const { cosigned, clock } = this.#modules;
    for (const asked of due) {
      if (this.#stopping.signal.aborted) return;
      const { log, one, witnesses } = asked;
      const { unwilling } = this.#progressOf(log.origin);
      const isPaused = clock.runMs() < (unwilling.get(region)?.untilMs ?? 0);
      const isWanted = witnesses.has(region) && cosigned.by(one, [region]).length === 0;
      if (!isWanted || isPaused) continue;
      const found = await this.#askNodes(region, nodes, asked);
      if (found === undefined) unwilling.delete(region);
      else this.#pause(region, log.origin, found);
      // Who does not answer is asked nothing else.
      if (found?.why === 'silent') {
        for (const other of due) if (other !== asked) this.#pause(region, other.log.origin, found);
        return;
      }
    }
  }

  /** One after the other, until one of them vouches; else what the last one said. */
  async #askNodes(
    region: string,
    nodes: readonly string[],
    asked: Asked,
  ): Promise<{ why: Unwilling; size?: number } | undefined> {
    let found: { why: Unwilling; size?: number } | undefined = { why: 'silent' };
    for (const peer of nodes) {
      try {
        found = await this.#askOne(peer, region, asked);
      } catch (error) {
        if (isProtocolError(error)) found = { why: 'unverified' };
        else if (isNodeError(error, 'PEER_UNREACHABLE')) found = { why: 'silent' };
        // What it cosigned last is given up here: nothing proves any more that the log only grew.
        else if (isNodeError(error, 'LOG_PRUNED')) found = { why: 'conflict' };
        else throw error;
      }
      if (found === undefined || found.why === 'outrun') return found;
    }
    return found;
  }

  /** Undefined if it vouches. Rejects as `askWitness` and `LogView.consistencyProof`. */
  async #askOne(
    peer: string,
    region: string,
    asked: Asked,
  ): Promise<{ why: Unwilling; size?: number } | undefined> {
    const { client, cosigned } = this.#modules;
    const { log, one } = asked;
    const { origin, tree } = log;
    const { checkpoint, pool } = one;
    const newSize = checkpoint.size;
    const progress = this.#progressOf(origin);
    let oldSize = Math.min(progress.sizes.get(region) ?? 0, newSize);
    for (let tries = 1; ; tries++) {
      const isGrown = oldSize > 0 && oldSize < newSize;
      const path = isGrown
        ? await new LogView(tree, this.#modules).consistencyProof({ oldSize, newSize })
        : [];
      this.#counters.asked++;
      const answer = await askWitness(client, peer, { oldSize, path, note: pool.ownNote });
      if (answer.cosigns) {
        const isGood =
          answer.line.name === witnessName(region, this.#options.network) && cosigned.take(one, answer.line);
        this.#counters[isGood ? 'cosigned' : 'unverified']++;
        if (!isGood) return { why: 'unverified' };
        progress.sizes.set(region, newSize);
        asked.isFresh = true;
        return undefined;
      }
      const { refusal, size = 0 } = answer;
      if (refusal === 'unproven') await this.#lookAt(peer, region, log, oldSize);
      if (refusal !== 'conflict') return { why: refusal };
      progress.sizes.set(region, size);
      if (size > (tree.head.signed?.size ?? 0)) {
        await this.#lookAt(peer, region, log, size);
        return { why: 'ahead', size };
      }
      if (size > newSize) {
        progress.isOutrun = true;
        return { why: 'outrun', size };
      }
      if (tries === TRIES_MAX) return { why: 'conflict', size };
      oldSize = size;
    }
  }

  /** A witness says that it cosigned another tree, or more of this one: what it can show decides whether this machine goes on signing. */
  async #lookAt(peer: string, region: string, { origin, tree }: CosignableLog, size: number): Promise<void> {
    const { onTrouble, compare } = this.#modules;
    const before = this.#progressOf(origin).unwilling.get(region);
    const isTold = before?.why === 'unproven' || (before?.why === 'ahead' && before.size === size);
    const here = tree.head.signed?.size ?? 0;
    if (!isTold)
      onTrouble(
        size > here
          ? logError(
              'LOG_BEHIND',
              `${region} says that it cosigned ${size} entries of ${origin}, and ${here} are here`,
            )
          : logError(
              'LOG_CONTRADICTED',
              `${region} does not take that ${origin} goes on from the ${size} entries that it cosigned`,
            ),
      );
    try {
      await compare(peer);
    } catch (error) {
      if (!isProtocolError(error) && !isNodeError(error)) throw error;
    }
  }

  #pause(region: string, origin: string, { why, size }: { why: Unwilling; size?: number }): void {
    const { unwilling } = this.#progressOf(origin);
    const failures = why === 'outrun' ? 0 : (unwilling.get(region)?.failures ?? 0) + 1;
    const turnsLeftOut = failures === 0 ? 0 : 2 ** Math.min(failures - 1, DOUBLINGS_MAX) - 1;
    const untilMs = this.#modules.clock.runMs() + turnsLeftOut * this.#options.cosignMs;
    unwilling.set(region, { why, failures, untilMs, ...(size !== undefined && { size }) });
  }

  #progressOf(origin: string): Progress {
    const known = this.#progress.get(origin);
    if (known !== undefined) return known;
    const progress = { askedAtMs: -Infinity, isOutrun: false, sizes: new Map(), unwilling: new Map() };
    this.#progress.set(origin, progress);
    return progress;
  }
}
