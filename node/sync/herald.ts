/**
 * Says what this node holds: every ten seconds one message with a fresh cosignature for the newest checkpoint of each log it
 * knows, those of silent regions included; and at once whenever a log has grown.
 */
import { type ProtocolError } from '../../protocol/fault.ts';
import { type ForkEvidence } from '../log/fork-evidence.ts';
import { isNodeError } from '../node-error.ts';
import { LogView } from '../log/log-view.ts';
import { type Clock, type Network } from '../ports.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type Witness } from '../witness/witness.ts';
import { encodeAnswer, type LogHeadMessage, TOPICS } from './messages.ts';
import { forkMessage } from './sync-server.ts';
import { GOSSIP_BYTES_MAX } from './sync-limits.ts';

export interface HeraldOptions {
  /** The name of this region's witness keys. */
  readonly witnessName: string;
  /** Milliseconds between two messages about everything; 10 s by default. */
  readonly beatMs?: number;
  /** Milliseconds for which news waits for more of it; 20 by default. */
  readonly gatherMs?: number;
}

export interface HeraldModules extends Primitives {
  readonly network: Network;
  readonly clock: Clock;
  readonly witness: Witness;
  readonly keepers: () => Iterable<TrustKeeper>;
  /** Told of errors of our own disk, clock and keys, and of logs that it refuses to cosign. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Ends a wait that nobody looks at any more: a reason that is made each time would cost more than the rest. */
const DONE = new Error('done');
const DEFAULTS = { beatMs: 10_000, gatherMs: 20 };
/** Bytes of a head besides its note, and of a message besides its heads. */
const OVERHEAD_BYTES = 64;

export class Herald {
  readonly #options: Required<HeraldOptions>;
  readonly #modules: HeraldModules;
  readonly #stopping = new AbortController();
  /** By origin, the text that was cosigned last and when. */
  readonly #said = new Map<string, string>();
  #wake: () => void = () => undefined;
  #running: Promise<void> | undefined;
  #dueMs = 0;
  #hasNews = false;

  constructor(options: HeraldOptions, modules: HeraldModules) {
    this.#options = { ...DEFAULTS, ...options };
    this.#modules = modules;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  /** A log has grown: others should hear of it soon. */
  readonly news = (): void => {
    this.#hasNews = true;
    this.#wake();
  };

  /** Tells of entries of the own trust log; those who miss it find out by the head. */
  tellEntries(from: number, entries: readonly Uint8Array[], note: Uint8Array): void {
    const bytes = entries.reduce((sum, { length }) => sum + length + 3, note.length + OVERHEAD_BYTES);
    if (bytes > GOSSIP_BYTES_MAX) return;
    const message = encodeAnswer({ kind: 'range', from, entries: [...entries], note, path: [] });
    this.#publish(TOPICS.trust, message);
  }

  tellFork(evidence: ForkEvidence): void {
    const message = encodeAnswer({ kind: 'forks', forks: [forkMessage(evidence)] });
    if (message.length <= GOSSIP_BYTES_MAX) this.#publish(TOPICS.evidence, message);
  }

  /** Cosigns and tells everything, or what is new since. */
  async beat(everything: boolean): Promise<void> {
    const heads: LogHeadMessage[] = [];
    for (const keeper of this.#modules.keepers()) {
      const text = keeper.latest?.pool.text;
      if (text === undefined || (!everything && this.#said.get(keeper.origin) === text)) continue;
      await this.#cosign(keeper);
      const { pool } = keeper.latest ?? {};
      if (pool === undefined) continue;
      this.#said.set(keeper.origin, pool.text);
      heads.push({
        note: pool.note((name) => name === this.#options.witnessName),
        forks: keeper.standingForks.length,
      });
    }
    for (const some of split(heads)) this.#publish(TOPICS.head, encodeAnswer({ kind: 'heads', heads: some }));
  }

  async #run(): Promise<void> {
    const { clock } = this.#modules;
    const { signal } = this.#stopping;
    const { beatMs, gatherMs } = this.#options;
    while (!signal.aborted) {
      const everything = clock.nowMs() >= this.#dueMs || this.#dueMs - clock.nowMs() > beatMs;
      if (everything) this.#dueMs = clock.nowMs() + beatMs;
      this.#hasNews = false;
      await this.beat(everything).catch((error: unknown) => this.#modules.onTrouble?.(error));
      if (!this.#hasNews) await this.#newsOrDue();
      await clock.wait(gatherMs, signal).catch(() => undefined);
    }
  }

  async #newsOrDue(): Promise<void> {
    const { clock } = this.#modules;
    const over = new AbortController();
    const news = new Promise<void>((resolve) => (this.#wake = resolve));
    const leftMs = Math.max(0, this.#dueMs - clock.nowMs());
    if (this.#stopping.signal.aborted) return;
    await Promise.race([news, clock.wait(leftMs, over.signal).catch(() => undefined)]);
    over.abort(DONE);
  }

  /** What cannot be cosigned is told all the same. */
  async #cosign(keeper: TrustKeeper): Promise<void> {
    const { latest } = keeper;
    if (latest === undefined || keeper.standingForks.length > 0) return;
    const { witness } = this.#modules;
    const { checkpoint, pool } = latest;
    try {
      const oldSize = (await witness.lastSeen(keeper.origin))?.size ?? 0;
      if (oldSize > checkpoint.size) return;
      const isGrown = oldSize > 0 && oldSize < checkpoint.size;
      const view = new LogView(keeper.tree, this.#modules);
      const path = isGrown ? await view.consistencyProof({ oldSize, newSize: checkpoint.size }) : [];
      const answer = await witness.add({ oldSize, path, note: pool.note(() => false) });
      if (answer.cosigns) keeper.vouch(pool.text, answer.line);
      else if (answer.refusal === 'unfit') this.#report(keeper, pool.text, answer.fault);
    } catch (error) {
      if (!isNodeError(error)) throw error;
      this.#modules.onTrouble?.(error);
    }
  }

  /** Once for each checkpoint: somebody has to ask the region what happened. */
  #report({ origin }: TrustKeeper, text: string, fault: ProtocolError | undefined): void {
    if (this.#said.get(origin) !== text) this.#modules.onTrouble?.(fault);
  }

  #publish(topic: string, message: Uint8Array): void {
    if (!this.#stopping.signal.aborted) this.#modules.network.publish(topic, message);
  }
}

/** Heads in as many messages as they need. */
function split(heads: readonly LogHeadMessage[]): LogHeadMessage[][] {
  const messages: LogHeadMessage[][] = [];
  let bytes = Infinity;
  for (const head of heads) {
    bytes += head.note.length + OVERHEAD_BYTES;
    if (bytes + OVERHEAD_BYTES > GOSSIP_BYTES_MAX) {
      messages.push([]);
      bytes = head.note.length + OVERHEAD_BYTES;
    }
    messages.at(-1)?.push(head);
  }
  return messages;
}
