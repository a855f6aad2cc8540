/**
 * Says what this node holds: every ten seconds one message with a fresh cosignature for the newest checkpoint of its own log and of
 * those others that are due, those of silent regions included; and at once whenever a log has grown. All are due every ten seconds
 * among ten regions, and less often among more, so that what a node has to check in a second grows with the regions and not with
 * their square.
 */
import { hexBytes } from '../../protocol/bytes.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type Clock, type Network } from '../ports.ts';
import { type CosignaturePool } from '../trust/cosignature-pool.ts';
import { type HeldState } from '../trust/held-state.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type Voucher } from '../witness/voucher.ts';
import { encodeAnswer, type LogHeadMessage, TOPICS } from './messages.ts';
import { forkMessage } from './sync-server.ts';
import { GOSSIP_BYTES_MAX } from './sync-limits.ts';

export interface HeraldOptions {
  /** The home. */
  readonly region: string;
  /** The name of this region's witness keys. */
  readonly witnessName: string;
  /** Of witnesses that are no region, whose lines are passed on: they tell nobody themselves. None by default. */
  readonly outsideNames?: readonly string[];
  /** Milliseconds between two messages; 10 s by default. */
  readonly beatMs?: number;
  /** Milliseconds for which news waits for more of it; 20 by default. */
  readonly gatherMs?: number;
}

export interface HeraldModules {
  readonly network: Network;
  readonly clock: Clock;
  readonly voucher: Voucher;
  readonly keepers: () => Iterable<TrustKeeper>;
  /** Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Ends a wait that nobody looks at any more: a reason that is made each time would cost more than the rest. */
const DONE = new Error('done');
const DEFAULTS = { beatMs: 10_000, gatherMs: 20, outsideNames: [] };
/** Logs for each beat until all are told again, and the most beats: 60 s, a tenth of what knowledge may be old. */
const LOGS_PER_BEAT = 10;
const BEATS_MAX = 6;
/** Milliseconds of silence after a message for each log, and the most of it: where many logs grow, many are told at once. */
const PAUSE_PER_LOG_MS = 10;
const PAUSE_MS_MAX = 1_000;
/** Bytes of a head besides its note, and of a message besides its heads. */
const OVERHEAD_BYTES = 64;

export class Herald {
  readonly #options: Required<HeraldOptions>;
  readonly #modules: HeraldModules;
  readonly #stopping = new AbortController();
  /** By origin, what was told last and when. */
  readonly #said = new Map<string, { readonly text: string; readonly atMs: number }>();
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

  /**
   * Tells of entries of the own trust log up to a checkpoint, and so of that; those who miss it find out by the heads of all who did
   * not.
   */
  tellEntries(from: number, entries: readonly Uint8Array[], { checkpoint, pool }: HeldState): void {
    const note = this.#noteOf(pool);
    const bytes = entries.reduce((sum, { length }) => sum + length + 3, note.length + OVERHEAD_BYTES);
    if (bytes > GOSSIP_BYTES_MAX) return;
    const message = encodeAnswer({ kind: 'range', from, entries: [...entries], note, path: [] });
    this.#publish(TOPICS.trust, message);
    this.#said.set(checkpoint.origin, { text: pool.text, atMs: this.#modules.clock.nowMs() });
  }

  tellFork(evidence: ForkEvidence): void {
    const message = encodeAnswer({ kind: 'forks', forks: [forkMessage(evidence)] });
    if (message.length <= GOSSIP_BYTES_MAX) this.#publish(TOPICS.evidence, message);
  }

  /** Of what a message does not hold, which a liar can bring about, the name: whoever lacks it asks. `name` is 32 hexadecimal digits. */
  tellEvidence(file: Uint8Array, name: string): void {
    const message = encodeAnswer({ kind: 'evidence', files: [file] });
    const names = encodeAnswer({ kind: 'evidence-names', names: hexBytes(name) });
    this.#publish(TOPICS.evidence, message.length <= GOSSIP_BYTES_MAX ? message : names);
  }

  /** Cosigns and tells everything, what is due, or what is new since. */
  async beat(what: 'everything' | 'due' | 'news'): Promise<void> {
    const heads: LogHeadMessage[] = [];
    const nowMs = this.#modules.clock.nowMs();
    const keepers = [...this.#modules.keepers()];
    const { region, beatMs } = this.#options;
    const dueMs = beatMs * Math.min(BEATS_MAX, Math.max(1, keepers.length / LOGS_PER_BEAT));
    for (const keeper of keepers) {
      const { latest } = keeper;
      if (latest === undefined) continue;
      const { pool } = latest;
      const said = this.#said.get(keeper.origin);
      if (said?.text === pool.text && what !== 'everything') {
        // Beats are not more exact than half of one.
        const agoMs = nowMs - said.atMs + beatMs / 2;
        if (what === 'news' || (keeper.region !== region && 0 <= agoMs && agoMs < dueMs)) continue;
      }
      // What cannot be cosigned is told all the same.
      const line = await this.#modules.voucher.line(keeper, latest);
      if (line !== undefined) keeper.vouch(pool.text, line);
      this.#said.set(keeper.origin, { text: pool.text, atMs: nowMs });
      heads.push({ note: this.#noteOf(pool), forks: keeper.standingForks.length });
    }
    for (const some of split(heads)) this.#publish(TOPICS.head, encodeAnswer({ kind: 'heads', heads: some }));
  }

  async #run(): Promise<void> {
    const { clock } = this.#modules;
    const { signal } = this.#stopping;
    const { beatMs, gatherMs } = this.#options;
    const wait = (ms: number) => clock.wait(ms, signal).catch(() => undefined);
    while (!signal.aborted) {
      const isDue = clock.nowMs() >= this.#dueMs || this.#dueMs - clock.nowMs() > beatMs;
      if (isDue) this.#dueMs = clock.nowMs() + beatMs;
      this.#hasNews = false;
      await this.beat(isDue ? 'due' : 'news').catch((error: unknown) => this.#modules.onTrouble?.(error));
      await wait(Math.min(PAUSE_MS_MAX, PAUSE_PER_LOG_MS * this.#said.size));
      if (!this.#hasNews) await this.#newsOrDue();
      if (this.#hasNews) await wait(gatherMs);
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

  /** The log's own lines, that of this region's witness, and those of witnesses outside. */
  #noteOf(pool: CosignaturePool): Uint8Array {
    const { witnessName, outsideNames } = this.#options;
    return pool.note((name) => name === witnessName || outsideNames.includes(name));
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
