/**
 * Keeps the logs that a node follows up to date: on connecting and at intervals it compares heads with each peer, and
 * fetches what it lacks. Gossip only makes it look sooner.
 */
import { isProtocolError } from '../../protocol/fault.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock, type Network } from '../ports.ts';
import { type Followed } from './followed.ts';
import { type LogHeadMessage, parseAnswer, type SyncAnswer, TOPICS } from './messages.ts';
import { type PeerBook } from './peer-book.ts';
import { type Puller } from './puller.ts';
import { type SyncClient } from './sync-client.ts';
import { GOSSIP_BYTES_MAX } from './sync-limits.ts';

export interface AntiEntropyOptions {
  /** Milliseconds between two rounds with all peers; 30 s by default. */
  readonly intervalMs?: number;
}

export interface AntiEntropyModules {
  readonly network: Network;
  readonly clock: Clock;
  readonly book: PeerBook;
  readonly client: SyncClient;
  readonly puller: Puller;
  /** The logs that are followed, by their origins. */
  readonly logs: () => ReadonlyMap<string, Followed>;
  /** Told of errors of our own disk. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Counted since the start. */
export interface SyncCounters {
  readonly rounds: number;
  readonly gossip: number;
  /** Messages dropped because too many were being looked at: the newest one goes. */
  readonly dropped: number;
}

/** Messages that are looked at, at the same time, in all and of one peer. */
const AT_ONCE = { ofAll: 256, ofPeer: 32 } as const;
const INTERVAL_MS = 30_000;

export class AntiEntropy {
  readonly #intervalMs: number;
  readonly #modules: AntiEntropyModules;
  readonly #stopping = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #ofPeer = new Map<string, number>();
  readonly #counters = { rounds: 0, gossip: 0, dropped: 0 };
  #running: Promise<void> | undefined;

  constructor({ intervalMs = INTERVAL_MS }: AntiEntropyOptions, modules: AntiEntropyModules) {
    this.#intervalMs = intervalMs;
    this.#modules = modules;
  }

  start(): void {
    const { network } = this.#modules;
    network.onConnect((peer) => this.#spawn(peer, () => this.round(peer)));
    for (const topic of Object.values(TOPICS)) {
      network.subscribe(topic, (peer, message) => {
        this.#counters.gossip++;
        this.#spawn(peer, () => this.#hear(peer, message));
      });
    }
    this.#running ??= this.#run();
  }

  /** Safe to call twice. Resolves once nothing is being done any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#tasks);
  }

  get counters(): SyncCounters {
    return { ...this.#counters };
  }

  /** One comparison with a peer. Rejects as `SyncClient.ask`, and with what our own store rejects with. */
  async round(peer: string): Promise<void> {
    this.#counters.rounds++;
    const { heads } = await this.#modules.client.ask(peer, { kind: 'heads' });
    await this.#compare(peer, heads);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      for (const peer of this.#modules.client.peers()) this.#spawn(peer, () => this.round(peer));
      await this.#modules.clock.wait(this.#intervalMs, signal).catch(() => undefined);
    }
  }

  /** What a peer says may be wrong in any way, and our disk may fail: neither ends the node. */
  #spawn(peer: string, work: () => Promise<void>): void {
    const ofPeer = this.#ofPeer.get(peer) ?? 0;
    if (this.#stopping.signal.aborted || this.#modules.book.isBanned(peer)) return;
    if (this.#tasks.size >= AT_ONCE.ofAll || ofPeer >= AT_ONCE.ofPeer) {
      this.#counters.dropped++;
      return;
    }
    this.#ofPeer.set(peer, ofPeer + 1);
    const task = work()
      .catch((error: unknown) => {
        const isOfPeer =
          isProtocolError(error) || isNodeError(error, 'PEER_UNREACHABLE') || isNodeError(error, 'NOT_FOUND');
        if (!isOfPeer) this.#modules.onTrouble?.(error);
      })
      .finally(() => {
        this.#tasks.delete(task);
        const left = (this.#ofPeer.get(peer) ?? 1) - 1;
        if (left > 0) this.#ofPeer.set(peer, left);
        else this.#ofPeer.delete(peer);
      });
    this.#tasks.add(task);
  }

  async #hear(peer: string, message: Uint8Array): Promise<void> {
    const { client, logs } = this.#modules;
    const heard = client.blaming(peer, () => parseAnswer(message, GOSSIP_BYTES_MAX));
    if (heard.kind === 'heads') return this.#compare(peer, heard.heads);
    if (heard.kind === 'range') return this.#take(peer, heard);
    if (heard.kind !== 'forks') return;
    for (const evidence of heard.forks) {
      const log = client.blaming(peer, () => logs().get(originOf(evidence.sides[0].note)));
      if (log !== undefined) await client.blaming(peer, () => log.accuse(evidence));
    }
  }

  /** New entries, if they fit to what is held; else what lies between is fetched. */
  async #take(
    peer: string,
    { from, entries, note, path }: Extract<SyncAnswer, { kind: 'range' }>,
  ): Promise<void> {
    const { client, logs, puller } = this.#modules;
    const log = client.blaming(peer, () => logs().get(originOf(note)));
    if (log === undefined) return;
    if ((await client.blaming(peer, () => log.heed(note))) !== 'behind') return;
    if (from <= log.tree.size) {
      try {
        const { outcome } = await log.apply({ from, entries, note, path });
        if (outcome === 'grown' || outcome === 'known') return;
      } catch (error) {
        // Whoever is wrong, the puller finds out.
        if (!isProtocolError(error)) throw error;
      }
    }
    await puller.pull(log, peer);
  }

  async #compare(peer: string, heads: readonly LogHeadMessage[]): Promise<void> {
    const { client, logs, puller } = this.#modules;
    for (const { note, forks } of heads) {
      const log = client.blaming(peer, () => logs().get(originOf(note)));
      if (log === undefined) continue;
      const heeded = await client.blaming(peer, () => log.heed(note));
      if (heeded === 'behind') await puller.pull(log, peer);
      if (forks > 0 && log.forks.length === 0) await this.#askForks(peer, log);
    }
  }

  async #askForks(peer: string, log: Followed): Promise<void> {
    const { client } = this.#modules;
    const { forks } = await client.ask(peer, { kind: 'forks', origin: log.origin });
    for (const evidence of forks) await client.blaming(peer, () => log.accuse(evidence));
  }
}

function originOf(note: Uint8Array): string {
  return parseCheckpoint(parseNote(note).text).origin;
}
