/**
 * The network of a node, in a thread of its own. When that dies, all calls under way reject, nobody is connected for a moment, and
 * a new thread takes over with the same identity and the same address; the node's own thread goes on.
 */
import { PEERS_REMEMBERED, ADMISSIONS_MS, PUBLISHED_AT_ONCE } from '../network-limits.ts';
import { type Admissions } from '../admissions.ts';
import { GossipQueues } from '../gossip-queues.ts';
import { type HelloHead } from '../hello.ts';
import { type HostStatus } from '../host-status.ts';
import { type HostOptions } from '../host/libp2p-host.ts';
import { isStreamed } from '../protocols.ts';
import {
  type GossipHandler,
  type RequestHandler,
  type StreamHandler,
  type StreamingNetwork,
} from '../../ports.ts';
import { NodeError } from '../../node-error.ts';
import { type Call, Channel, onlyChunk } from './channel.ts';
import { fromPlainError } from './plain-error.ts';
import { Supervisor, type SupervisorCounters, type Thread } from './supervisor.ts';
import { type FromWorker, type ToWorker, VERDICTS } from './worker-messages.ts';

export interface IsolatedNetworkModules {
  /** A thread that runs `network-worker.ts`. */
  readonly spawn: (options: HostOptions) => Thread;
  /** Who may connect now, and what logs this node holds. Asked every second. Must not throw. */
  readonly admissions: () => Admissions;
  readonly heads: () => readonly HelloHead[];
  /** Told of what goes wrong in the background. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

export interface NetworkStatus {
  /** `starting` until it listens, also after a restart. */
  readonly state: 'starting' | 'up' | 'stopped';
  readonly thread: SupervisorCounters;
  /** Messages that were to be published, by topic. */
  readonly publishing: GossipQueues<never>['counters'];
  /** Calls to the thread that are under way. */
  readonly calls: number;
  /** The last that the host said of itself; undefined before the first. */
  readonly host: HostStatus | undefined;
}

const STOP_MS = 5_000;

export class IsolatedNetwork implements StreamingNetwork {
  readonly #modules: IsolatedNetworkModules;
  readonly #supervisor: Supervisor;
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #streamHandlers = new Map<string, StreamHandler>();
  readonly #topics = new Map<string, GossipHandler>();
  readonly #queues = new GossipQueues<Publication>();
  #options: HostOptions;
  #channel: Channel | undefined;
  #status: HostStatus | undefined;
  #state: NetworkStatus['state'] = 'starting';
  #peers: readonly string[] = [];
  #onConnect: (peer: string) => void = () => undefined;
  #onFirst: { readonly up: () => void; readonly failed: (error: Error) => void } | undefined;
  #publishing = 0;
  #admitted = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HostOptions, modules: IsolatedNetworkModules) {
    this.#options = options;
    this.#modules = modules;
    this.#supervisor = new Supervisor(
      {},
      {
        spawn: () => modules.spawn(this.#options),
        onSpawn: (thread) => this.#begin(thread),
        onEnd: (cause) => this.#end(cause),
      },
    );
  }

  /** Resolves once it listens. Rejects with NETWORK_FAILED if it cannot; it is stopped then. */
  async start(): Promise<void> {
    try {
      await new Promise<void>((up, failed) => {
        this.#onFirst = { up, failed };
        this.#supervisor.start();
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#timer = setInterval(() => this.#admit(), ADMISSIONS_MS).unref();
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    clearInterval(this.#timer);
    this.#tell({ kind: 'stop' });
    await this.#supervisor.stop(STOP_MS);
  }

  get status(): NetworkStatus {
    return {
      state: this.#state,
      thread: this.#supervisor.counters,
      publishing: this.#queues.counters,
      calls: this.#channel?.calls ?? 0,
      host: this.#status,
    };
  }

  async request(
    peer: string,
    protocol: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    return onlyChunk(this.#running().call({ kind: 'request', name: protocol, peer }, request, signal));
  }

  async *stream(
    peer: string,
    protocol: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    yield* this.#running().call({ kind: 'stream', name: protocol, peer }, request, signal);
  }

  /** What waits while the thread is busy or down is sent later, the topic trust first; what does not fit is dropped and counted. */
  publish(topic: string, message: Uint8Array): void {
    if (this.#queues.push(topic, OWN, { topic, message: new Uint8Array(message) })) this.#publishWaiting();
  }

  handle(protocol: string, handler: RequestHandler): void {
    if (isStreamed(protocol)) throw new RangeError(`${protocol} is answered by streams`);
    this.#handlers.set(protocol, handler);
  }

  handleStream(protocol: string, handler: StreamHandler): void {
    if (!isStreamed(protocol)) throw new RangeError(`${protocol} is not answered by streams`);
    this.#streamHandlers.set(protocol, handler);
  }

  subscribe(topic: string, handler: GossipHandler): void {
    this.#topics.set(topic, handler);
  }

  peers(): readonly string[] {
    return this.#peers;
  }

  onConnect(listener: (peer: string) => void): void {
    this.#onConnect = listener;
  }

  #running(): Channel {
    if (this.#channel !== undefined && this.#state === 'up') return this.#channel;
    throw new NodeError('PEER_UNREACHABLE', 'the network is down', { retry: true });
  }

  #begin(thread: Thread): void {
    this.#channel = new Channel(thread, {
      answer: (call, bytes, signal) => this.#answer(call, bytes, signal),
      told: (value) => this.#hear(value as FromWorker),
    });
  }

  #end(cause: unknown): void {
    this.#channel?.close();
    this.#channel = undefined;
    this.#peers = [];
    if (this.#state === 'stopped') return;
    this.#state = 'starting';
    if (cause !== undefined) this.#modules.onTrouble?.(cause);
    this.#onFirst?.failed(new NodeError('NETWORK_FAILED', 'the network ended before it listened', { cause }));
    this.#onFirst = undefined;
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'beat':
        return this.#supervisor.beat();
      case 'status':
        return this.#heed(message.status);
      case 'peers':
        this.#peers = message.peers.slice(0, PEERS_REMEMBERED);
        return;
      case 'connected':
        return this.#onConnect(message.peer);
      case 'failed': {
        const error = fromPlainError(message.error);
        if (this.#onFirst === undefined) this.#modules.onTrouble?.(error);
        this.#onFirst?.failed(error);
        this.#onFirst = undefined;
      }
    }
  }

  #heed(status: HostStatus): void {
    this.#supervisor.beat();
    this.#status = status;
    if (this.#state !== 'starting') return;
    this.#state = 'up';
    this.#options = { ...this.#options, listen: keepPort(this.#options.listen, status.addresses) };
    this.#admitted = '';
    this.#admit();
    this.#publishing = 0;
    this.#publishWaiting();
    this.#onFirst?.up();
    this.#onFirst = undefined;
  }

  #admit(): void {
    const admissions = [...this.#modules.admissions()];
    const heads = this.#modules.heads();
    const admitted = JSON.stringify(admissions);
    if (admitted !== this.#admitted) this.#tell({ kind: 'admit', admissions });
    this.#admitted = admitted;
    this.#tell({ kind: 'heads', heads });
  }

  #tell(message: ToWorker): void {
    this.#channel?.tell(message);
  }

  #publishWaiting(): void {
    while (this.#state === 'up' && this.#channel !== undefined && this.#publishing < PUBLISHED_AT_ONCE) {
      const next = this.#queues.shift();
      if (next === undefined) return;
      void this.#publish(this.#channel, next);
    }
  }

  /** A hint may get lost: whoever misses it asks. */
  async #publish(channel: Channel, { topic, message }: Publication): Promise<void> {
    this.#publishing++;
    const call: Call = { kind: 'publish', name: topic, peer: '' };
    try {
      for await (const chunk of channel.call(call, message, new AbortController().signal)) void chunk;
    } catch {
      // The thread has died with it.
    }
    if (channel !== this.#channel) return;
    this.#publishing--;
    this.#publishWaiting();
  }

  async *#answer(
    { kind, name, peer }: Call,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (kind === 'gossip') {
      const verdict = (await this.#topics.get(name)?.(peer, bytes)) ?? 'ignore';
      return yield Uint8Array.of(VERDICTS.indexOf(verdict));
    }
    const streamHandler = this.#streamHandlers.get(name);
    const handler = this.#handlers.get(name);
    if (kind === 'stream' && streamHandler !== undefined) return yield* streamHandler(peer, bytes, signal);
    if (kind === 'request' && handler !== undefined) return yield await handler(peer, bytes, signal);
    throw new NodeError('NOT_FOUND', `this node does not answer ${name}`);
  }
}

interface Publication {
  readonly topic: string;
  readonly message: Uint8Array;
}

/** Whose share of the queues the own messages take: they have them to themselves. */
const OWN = { peer: '', region: '', isInvited: false } as const;

/** The port that the system chose stays ours, also for a later thread. */
function keepPort(listen: readonly string[], addresses: readonly string[]): readonly string[] {
  const port = /\/tcp\/([0-9]+)/.exec(addresses[0] ?? '')?.[1];
  return port === undefined ? listen : listen.map((address) => address.replace(/\/tcp\/0$/, `/tcp/${port}`));
}
