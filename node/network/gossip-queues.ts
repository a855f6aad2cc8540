/**
 * Messages of topics that wait to be looked at: a bounded queue for each topic, in which no peer has more than its share. The
 * first topic goes first. What does not fit is dropped, the newest, and counted.
 */
import { GOSSIP_QUEUES } from './network-limits.ts';

export interface QueueBounds {
  readonly topic: string;
  readonly ofAll: number;
  readonly ofPeer: number;
}

export interface GossipCounters {
  readonly received: number;
  readonly dropped: number;
  readonly waiting: number;
  /** The most that ever waited at the same time. */
  readonly waitingMax: number;
}

interface Queue<T> extends QueueBounds {
  readonly items: { readonly peer: string; readonly item: T }[];
  readonly ofPeers: Map<string, number>;
  received: number;
  dropped: number;
  waitingMax: number;
}

export class GossipQueues<T> {
  readonly #queues: readonly Queue<T>[];

  constructor(bounds: readonly QueueBounds[] = GOSSIP_QUEUES) {
    this.#queues = bounds.map((queue) => ({
      ...queue,
      items: [],
      ofPeers: new Map(),
      received: 0,
      dropped: 0,
      waitingMax: 0,
    }));
  }

  /** False if it was dropped. @throws {RangeError} for a topic without a queue. */
  push(topic: string, peer: string, item: T): boolean {
    const queue = this.#queues.find((one) => one.topic === topic);
    if (queue === undefined) throw new RangeError(`no queue for the topic ${topic}`);
    queue.received++;
    const ofPeer = queue.ofPeers.get(peer) ?? 0;
    if (queue.items.length >= queue.ofAll || ofPeer >= queue.ofPeer) {
      queue.dropped++;
      return false;
    }
    queue.ofPeers.set(peer, ofPeer + 1);
    queue.items.push({ peer, item });
    queue.waitingMax = Math.max(queue.waitingMax, queue.items.length);
    return true;
  }

  /** The oldest of the first topic that has any. */
  shift(): T | undefined {
    for (const { items, ofPeers } of this.#queues) {
      const next = items.shift();
      if (next === undefined) continue;
      const left = (ofPeers.get(next.peer) ?? 1) - 1;
      if (left > 0) ofPeers.set(next.peer, left);
      else ofPeers.delete(next.peer);
      return next.item;
    }
    return undefined;
  }

  /** By topic. */
  get counters(): Readonly<Record<string, GossipCounters>> {
    return Object.fromEntries(
      this.#queues.map(({ topic, received, dropped, items, waitingMax }) => {
        return [topic, { received, dropped, waiting: items.length, waitingMax }];
      }),
    );
  }
}
