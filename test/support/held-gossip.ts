/** Gossip of several hosts to which a test adds messages of its own, and on one of which it can be held up. */
import assert from 'node:assert/strict';
import { type TopicCounters } from '../../node/network/host/gossip.ts';
import { type Libp2pHost } from '../../node/network/host/libp2p-host.ts';

export type Topic = 'trust' | 'evidence' | 'head';

/** No message of a node begins like this. */
const MARK = 'of the test';

/** To be made before nodes subscribe. What it sends is counted where it comes to be looked at, and shown to no node. */
export class HeldGossip {
  readonly #hosts: ReadonlyMap<string, Libp2pHost>;
  readonly #lookedAt = new Map<string, number>();
  #held: { readonly name: string; readonly over: Promise<void>; readonly goOn: () => void } | undefined;

  /** Hosts by region. */
  constructor(hosts: ReadonlyMap<string, Libp2pHost>) {
    this.#hosts = hosts;
    for (const [region, host] of hosts) {
      const subscribe = host.subscribe.bind(host);
      host.subscribe = (topic, handler) =>
        subscribe(topic, async (peer, message) => {
          if (!Buffer.from(message).toString('latin1').startsWith(MARK))
            return (await handler(peer, message)) ?? 'ignore';
          const name = `${region} ${topic}`;
          this.#lookedAt.set(name, (this.#lookedAt.get(name) ?? 0) + 1);
          if (this.#held?.name === name) await this.#held.over;
          return 'ignore';
        });
    }
  }

  /** Nothing of the test is done with on this topic of this region, until `goOn`. */
  hold(region: string, topic: Topic): void {
    let goOn = (): void => undefined;
    const over = new Promise<void>((resolve) => (goOn = resolve));
    this.#held = { name: `${region} ${topic}`, over, goOn };
  }

  goOn(): void {
    this.#held?.goOn();
    this.#held = undefined;
  }

  /** So many messages on each topic, to all peers. */
  send(region: string, counts: Readonly<Record<Topic, number>>): void {
    for (const [topic, count] of Object.entries(counts)) {
      for (let i = 0; i < count; i++)
        this.#host(region).publish(topic, Buffer.from(`${MARK}: ${region} ${topic} ${i}`));
    }
  }

  /** Messages of the test that came to be looked at. */
  lookedAt(region: string, topic: Topic): number {
    return this.#lookedAt.get(`${region} ${topic}`) ?? 0;
  }

  countersOf(region: string): Readonly<Record<Topic, TopicCounters>> {
    const { trust, evidence, head } = this.#host(region).status.gossip;
    assert.ok(trust && evidence && head);
    return { trust, evidence, head };
  }

  #host(region: string): Libp2pHost {
    return this.#hosts.get(region) ?? assert.fail(`no host of ${region}`);
  }
}
