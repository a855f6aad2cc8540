/**
 * Messages of topics that wait to be looked at: a bounded queue for each topic, in which no peer and no region has more than its share. The
 * first topic goes first. What does not fit is dropped, the newest, and counted.
 */
import { PeerPlaces, type PlaceBounds, type Share } from '../peer-places.ts';
import { GOSSIP_QUEUES } from './network-limits.ts';

export interface QueueBounds extends PlaceBounds {
  readonly topic: string;
}

export interface GossipCounters {
  readonly received: number;
  readonly dropped: number;
  readonly waiting: number;
  /** The most that ever waited at the same time. */
  readonly waitingMax: number;
}

export interface Sender extends Share {
  readonly peer: string;
}

interface Queue<T> {
  readonly topic: string;
  readonly items: { readonly release: () => void; readonly item: T }[];
  readonly places: PeerPlaces;
  received: number;
  dropped: number;
  waitingMax: number;
}

export class GossipQueues<T> {
  readonly #queues: readonly Queue<T>[];

  constructor(bounds: readonly QueueBounds[] = GOSSIP_QUEUES) {
    this.#queues = bounds.map((queue) => ({
      topic: queue.topic,
      items: [],
      places: new PeerPlaces(queue),
      received: 0,
      dropped: 0,
      waitingMax: 0,
    }));
  }

  /** False if it was dropped. @throws {RangeError} for a topic without a queue. */
  push(topic: string, sender: Sender, item: T): boolean {
    const queue = this.#queues.find((one) => one.topic === topic);
    if (queue === undefined) throw new RangeError(`no queue for the topic ${topic}`);
    queue.received++;
    const release = queue.places.take(sender.peer, sender);
    if (release === undefined) {
      queue.dropped++;
      return false;
    }
    queue.items.push({ release, item });
    queue.waitingMax = Math.max(queue.waitingMax, queue.items.length);
    return true;
  }

  /** The oldest of the first topic that has any. */
  shift(): T | undefined {
    for (const { items } of this.#queues) {
      const next = items.shift();
      if (next === undefined) continue;
      next.release();
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
