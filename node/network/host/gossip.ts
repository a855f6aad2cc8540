/** Topics: what comes in is queued, judged by whoever subscribed, and only passed on if that found it new and true, and the topic is such. */
import {
  gossipsub,
  type GossipSub,
  type GossipSubComponents,
  type Message,
  TopicValidatorResult,
} from '@libp2p/gossipsub';
import { createHash } from 'node:crypto';
import { type PeerId } from '@libp2p/interface';
import { GOSSIP_BYTES_MAX } from '../../sync/sync-limits.ts';
import { type GossipHandler, type GossipVerdict } from '../../ports.ts';
import { type ShareOf } from '../../peer-places.ts';
import { type Conduct } from '../conduct.ts';
import { type GossipCounters, GossipQueues } from '../gossip-queues.ts';
import {
  GOSSIP_AT_ONCE,
  GOSSIP_FRAME_BYTES_MAX,
  GOSSIP_HEARTBEAT_MS,
  GOSSIP_MS_MAX,
  GOSSIP_QUEUES,
  STREAM_WRITE_BYTES_MAX,
} from '../network-limits.ts';

const TOPICS: readonly string[] = GOSSIP_QUEUES.map(({ topic }) => topic);
const PASSED_ON: ReadonlySet<string> = new Set(
  GOSSIP_QUEUES.flatMap(({ topic, isPassedOn }) => (isPassedOn ? topic : [])),
);

/** gossipsub as this network needs it; each option that is not a matter of taste says what it averts. */
export function gossipService(): (components: GossipSubComponents) => GossipSub {
  return gossipsub({
    // Whoever signs is in the message itself; a second signature would cost two thirds of the capacity.
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: ({ data }) => createHash('sha256').update(data).digest(),
    allowedTopics: [...TOPICS],
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    floodPublish: true,
    // What a peer missed it fetches from a log: no list of messages is offered or asked for.
    Dlazy: 0,
    gossipFactor: 0,
    doPX: false,
    // What is large is not passed on, so nobody has to be told that it is here already.
    idontwantMinDataSize: GOSSIP_FRAME_BYTES_MAX,
    // Meshes change when regions do; looking at them every second costs an idle node more than what it says.
    heartbeatInterval: GOSSIP_HEARTBEAT_MS,
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    maxInboundDataLength: GOSSIP_FRAME_BYTES_MAX,
    maxOutboundBufferSize: STREAM_WRITE_BYTES_MAX,
    maxTopicBytesPerPeer: 16_384,
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: 64,
      maxIhaveMessageIDs: 64,
      maxIwantMessageIDs: 64,
      maxControlMessages: 16,
      maxIdontwantMessageIDs: 256,
      maxPeerInfos: 0,
    },
    // Ten nodes behind one address are ten nodes; the default silently stops listening to them.
    scoreParams: { IPColocationFactorWeight: 0 },
  });
}

export interface GossipModules {
  readonly pubsub: GossipSub;
  readonly conduct: Conduct;
  /** Whether both have said hello. */
  readonly isGreeted: (peer: string) => boolean;
  readonly shareOf: ShareOf;
  /** A message came from a peer. Must not throw. */
  readonly onHeard: (peer: string) => void;
}

export interface TopicCounters extends GossipCounters {
  readonly published: number;
  readonly accepted: number;
  readonly ignored: number;
  readonly rejected: number;
}

interface Waiting {
  readonly topic: string;
  readonly peer: string;
  readonly message: Uint8Array;
  readonly settle: (verdict: GossipVerdict) => void;
}

const RESULTS = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const;

export class Gossip {
  readonly #modules: GossipModules;
  readonly #handlers = new Map<string, GossipHandler>();
  readonly #queues = new GossipQueues<Waiting>();
  readonly #verdicts = new Map(
    TOPICS.map((topic) => [topic, { published: 0, accept: 0, ignore: 0, reject: 0 }]),
  );
  #running = 0;

  constructor(modules: GossipModules) {
    this.#modules = modules;
    for (const topic of TOPICS) {
      modules.pubsub.topicValidators.set(topic, (peer, message) => this.#validate(topic, peer, message));
    }
  }

  start(): void {
    for (const topic of TOPICS) this.#modules.pubsub.subscribe(topic);
  }

  /** @throws {RangeError} for a topic that is none of the wire. */
  subscribe(topic: string, handler: GossipHandler): void {
    if (!TOPICS.includes(topic)) throw new RangeError(`${topic} is no topic of this network`);
    this.#handlers.set(topic, handler);
  }

  /** Never rejects: gossip is a hint. */
  async publish(topic: string, message: Uint8Array): Promise<void> {
    if (message.length > GOSSIP_BYTES_MAX) throw new RangeError(`a message of ${message.length} bytes`);
    const counts = this.#verdicts.get(topic);
    if (counts !== undefined) counts.published++;
    await this.#modules.pubsub.publish(topic, message).catch(() => undefined);
  }

  /** Whether a peer listens to us, which also tells that its stream to us works. */
  isHeard(peer: string): boolean {
    return this.#modules.pubsub.getSubscribers('trust').some((id) => id.toString() === peer);
  }

  get counters(): Readonly<Record<string, TopicCounters>> {
    return Object.fromEntries(
      Object.entries(this.#queues.counters).map(([topic, counters]) => {
        const { published = 0, accept = 0, ignore = 0, reject = 0 } = this.#verdicts.get(topic) ?? {};
        return [topic, { ...counters, published, accepted: accept, ignored: ignore, rejected: reject }];
      }),
    );
  }

  #validate(topic: string, peerId: PeerId, { data }: Message): Promise<TopicValidatorResult> {
    const peer = peerId.toString();
    const { conduct, isGreeted, shareOf, onHeard } = this.#modules;
    onHeard(peer);
    return new Promise((resolve) => {
      const settle = (verdict: GossipVerdict): void => {
        const counts = this.#verdicts.get(topic);
        if (counts !== undefined) counts[verdict]++;
        if (verdict === 'reject') conduct.breach(peer, `gossip-${topic}`);
        resolve(RESULTS[verdict === 'accept' && !PASSED_ON.has(topic) ? 'ignore' : verdict]);
      };
      if (data.length > GOSSIP_BYTES_MAX) return settle('reject');
      if (!isGreeted(peer) || conduct.isShutOut(peer)) return settle('ignore');
      const sender = { peer, ...shareOf(peer) };
      if (!this.#queues.push(topic, sender, { topic, peer, message: data, settle })) {
        conduct.note(peer, 'gossip-dropped');
        return settle('ignore');
      }
      this.#work();
    });
  }

  #work(): void {
    while (this.#running < GOSSIP_AT_ONCE) {
      const next = this.#queues.shift();
      if (next === undefined) return;
      this.#running++;
      void this.#judge(next).then((verdict) => {
        this.#running--;
        next.settle(verdict);
        this.#work();
      });
    }
  }

  async #judge({ topic, peer, message }: Waiting): Promise<GossipVerdict> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<GossipVerdict>((resolve) => {
      timer = setTimeout(() => resolve('ignore'), GOSSIP_MS_MAX);
    });
    try {
      const verdict = this.#handlers.get(topic)?.(peer, message);
      return await Promise.race([(async () => (await verdict) ?? 'ignore')(), late]);
    } catch {
      return 'ignore';
    } finally {
      clearTimeout(timer);
    }
  }
}
