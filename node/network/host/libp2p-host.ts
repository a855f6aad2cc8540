/**
 * A node of the network on libp2p: TCP, noise, yamux. Only identities that were admitted stay connected. Lives in this thread;
 * `open-network.ts` has the one that survives its own death.
 */
import { makeLibp2pNode, type Libp2pNode } from './libp2p-node.ts';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { type Connection, type Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { concatBytes } from '../../../protocol/bytes.ts';
import { NodeError } from '../../node-error.ts';
import {
  type Clock,
  type GossipHandler,
  type RequestHandler,
  type StreamHandler,
  type StreamingNetwork,
} from '../../ports.ts';
import { type Admissions, shareIn } from '../admissions.ts';
import { Conduct } from '../conduct.ts';
import { type Hello, HELLO_PROTOCOL, type HelloHead, WIRE_VERSIONS } from '../hello.ts';
import { type HostStatus, type MissingPeer, type PeerStatus } from '../host-status.ts';
import { HELLO_HEADS_MAX, STREAMS_OF_PEER } from '../network-limits.ts';
import { isStreamed, PROTOCOLS, sizesOf } from '../protocols.ts';
import { ExchangeClient } from './exchange-client.ts';
import { NotWelcome } from './dial-trouble.ts';
import { type Answerer, ExchangeServer } from './exchange-server.ts';
import { Gate } from './gate.ts';
import { Gossip } from './gossip.ts';
import { Greeter } from './greeter.ts';
import { Links } from './links.ts';
import { Liveness, type LivenessOptions } from './liveness.ts';
import { Redialer } from './redialer.ts';

export interface HostOptions {
  /** The 32-byte secret of the node identity. */
  readonly identitySeed: Uint8Array;
  readonly region: string;
  readonly network: string;
  /** Name and version, for people. At most 64 characters. */
  readonly software: string;
  /** libp2p addresses, such as `/ip4/0.0.0.0/tcp/7411`. */
  readonly listen: readonly string[];
  /** Connections of one address that have not proven who they are; `CONNECTIONS_PENDING.ofAddress` by default. */
  readonly pendingOfAddress?: number;
  readonly ping?: LivenessOptions;
  /** Milliseconds within which a stream must get on; `STALL_MS_MAX` by default. */
  readonly stallMs?: number;
  /** Milliseconds from the first byte of a request until it is whole; `REQUEST_MS_MAX` by default. */
  readonly requestMs?: number;
  /** Milliseconds after the first hello within which a peer must have subscribed; 15 s by default. */
  readonly subscribeMs?: number;
}

export interface HostModules {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Draws from [0, 1), for jitter. */
  readonly random: () => number;
}

const SUBSCRIBE_MS = 15_000;

export class Libp2pHost implements StreamingNetwork {
  readonly #options: HostOptions;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #libp2p: Libp2pNode;
  readonly #conduct: Conduct;
  readonly #links: Links;
  readonly #gate: Gate;
  readonly #client: ExchangeClient;
  readonly #server: ExchangeServer;
  readonly #greeter: Greeter;
  readonly #gossip: Gossip;
  readonly #liveness: Liveness;
  readonly #redialer: Redialer;
  readonly #answerers = new Map<string, Answerer>();
  #heads: readonly HelloHead[] = [];
  #onConnect: (peer: string) => void = () => undefined;
  #stopped: Promise<void> | undefined;

  private constructor(
    options: HostOptions,
    { clock, random }: HostModules,
    parts: {
      readonly libp2p: Libp2pNode;
      readonly conduct: Conduct;
      readonly links: Links;
      readonly gate: Gate;
    },
  ) {
    const { libp2p, conduct, links, gate } = parts;
    this.#options = options;
    this.#clock = clock;
    this.#libp2p = libp2p;
    this.#conduct = conduct;
    this.#links = links;
    this.#gate = gate;
    this.#client = new ExchangeClient(options, {
      conduct,
      connectionTo: (peer) => links.newestOf(peer)?.connection,
    });
    this.#greeter = new Greeter({
      client: this.#client,
      ownHello: () => this.#hello(),
      regionOf: (peer) => gate.admissionOf(peer)?.region,
      onRefused: (reason) => gate.count(reason),
      onGreeted: (connection, hello) => this.#greet(connection, hello),
    });
    const shareOf = (peer: string) => shareIn(gate.admissions, peer);
    this.#server = new ExchangeServer(options, {
      conduct,
      greeted: (connection) => this.#greeter.greeted(connection),
      shareOf,
    });
    this.#gossip = new Gossip({
      pubsub: libp2p.services.pubsub,
      conduct,
      isGreeted: (peer) => links.has(peer),
      shareOf,
      onHeard: (peer) => links.heard(peer),
    });
    this.#liveness = new Liveness(options.ping ?? {}, {
      connections: () => libp2p.getConnections(),
      onDead: (connection) => this.#drop(connection, 'dead'),
      isHeard: (peer, withinMs) => links.isHeard(peer, withinMs),
      onAlive: (connection, rttMs) => this.#heed(connection, rttMs),
    });
    this.#redialer = new Redialer(
      { self: libp2p.peerId.toString() },
      {
        random,
        missing: () => this.#missing(),
        dial: (peer, addresses, signal) => this.#dial(peer, addresses, signal),
      },
    );
  }

  /**
   * Listens, and dials whoever is admitted later.
   * @throws {NodeError} NETWORK_FAILED if it cannot listen at an address.
   */
  static async start(options: HostOptions, modules: HostModules): Promise<Libp2pHost> {
    const privateKey = await generateKeyPairFromSeed('Ed25519', options.identitySeed);
    const links = new Links(modules);
    const conduct = new Conduct({ ...modules, onShutOut: (peer) => links.abort(peer, 'shut out') });
    const gate = new Gate(options, { conduct, links });
    const libp2p = await makeLibp2pNode({ privateKey, listen: options.listen, gater: gate.gater });
    const host = new Libp2pHost(options, modules, { libp2p, conduct, links, gate });
    await host.#start();
    return host;
  }

  /** Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      this.#redialer.stop();
      this.#liveness.stop();
      this.#client.close();
      for (const peer of this.#links.connected) this.#links.abort(peer, 'stopped');
      await this.#libp2p.stop();
    })();
    return this.#stopped;
  }

  /** Who may connect from now on; whoever may not any more is disconnected. */
  admit(admissions: Admissions): void {
    this.#gate.admissions = admissions;
    for (const peer of this.#links.peers) {
      const region = this.#links.newestOf(peer)?.hello.region;
      if (admissions.get(peer)?.region === region) continue;
      this.#gate.count('not-admitted-any-more');
      this.#links.abort(peer, 'not admitted any more');
    }
    this.#redialer.look();
  }

  /** What this node says in its next hellos of the logs that it holds; the first 64 of them. */
  set heads(heads: readonly HelloHead[]) {
    this.#heads = heads.slice(0, HELLO_HEADS_MAX);
  }

  async request(
    peer: string,
    protocol: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { answerBytesMax = 0 } = sizesOf(protocol);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of this.#client.ask(peer, protocol, request, signal)) {
      bytes += chunk.length;
      if (bytes > answerBytesMax) {
        this.#conduct.breach(peer, 'answer-too-large');
        throw new NodeError('PEER_UNREACHABLE', `${peer} answers more than ${answerBytesMax} bytes`);
      }
      chunks.push(chunk);
    }
    return chunks.length === 1 ? (chunks[0] as Uint8Array) : concatBytes(...chunks);
  }

  stream(
    peer: string,
    protocol: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    sizesOf(protocol);
    return this.#client.ask(peer, protocol, request, signal);
  }

  publish(topic: string, message: Uint8Array): void {
    void this.send(topic, message);
  }

  /** As `publish`; resolves once the message is handed to the streams of all peers. */
  send(topic: string, message: Uint8Array): Promise<void> {
    return this.#gossip.publish(topic, message);
  }

  /** @throws {RangeError} for a protocol that is none of the wire, or whose answers are streams. */
  handle(protocol: string, handler: RequestHandler): void {
    if (isStreamed(protocol)) throw new RangeError(`${protocol} is answered by streams`);
    this.#answerers.set(protocol, handler);
  }

  /** @throws {RangeError} for a protocol that is none of the wire, or whose answers are no streams. */
  handleStream(protocol: string, handler: StreamHandler): void {
    if (!isStreamed(protocol)) throw new RangeError(`${protocol} is not answered by streams`);
    this.#answerers.set(protocol, handler);
  }

  subscribe(topic: string, handler: GossipHandler): void {
    this.#gossip.subscribe(topic, handler);
  }

  peers(): readonly string[] {
    return this.#links.peers;
  }

  onConnect(listener: (peer: string) => void): void {
    this.#onConnect = listener;
  }

  /** Told whenever `peers` has changed; the later listener replaces the earlier. */
  onPeers(listener: () => void): void {
    this.#links.onChange = listener;
  }

  get status(): HostStatus {
    return {
      peer: this.#libp2p.peerId.toString(),
      addresses: this.#libp2p.getMultiaddrs().map((address) => address.toString()),
      peers: this.#links.peers.flatMap((peer) => this.#statusOf(peer) ?? []),
      missing: this.#missingPeers(),
      refused: this.#gate.refused,
      conduct: this.#conduct.report,
      gossip: this.#gossip.counters,
      requests: this.#server.counters,
    };
  }

  async #start(): Promise<void> {
    const libp2p = this.#libp2p;
    libp2p.addEventListener('connection:open', ({ detail: connection }) => {
      this.#links.opened(connection);
      connection.addEventListener('close', () => this.#closed(connection), { once: true });
      this.#greeter.meet(connection);
    });
    const limits = { maxInboundStreams: STREAMS_OF_PEER, maxOutboundStreams: STREAMS_OF_PEER };
    await libp2p.handle(HELLO_PROTOCOL, (stream, connection) => this.#serveHello(stream, connection), limits);
    for (const protocol of PROTOCOLS) {
      await libp2p.handle(protocol, (stream, connection) => this.#serve(stream, connection), limits);
    }
    try {
      await libp2p.start();
    } catch (cause) {
      await libp2p.stop();
      throw new NodeError('NETWORK_FAILED', `cannot listen at ${this.#options.listen.join(', ')}`, {
        hint: 'Choose an address of this machine and a port that nobody else uses.',
        cause,
      });
    }
    this.#gossip.start();
    this.#liveness.start();
    this.#redialer.start();
  }

  #closed(connection: Connection): void {
    this.#links.closed(connection);
    this.#redialer.look();
  }

  #serveHello(stream: Stream, connection: Connection): void {
    const answerer: Answerer = (_peer, request) => Promise.resolve(this.#greeter.answer(connection, request));
    void this.#server.serve(stream, connection, answerer);
  }

  #serve(stream: Stream, connection: Connection): void {
    const answerer: Answerer = (peer, request, signal) => {
      const known = this.#answerers.get(stream.protocol);
      if (known !== undefined) return known(peer, request, signal);
      throw new NodeError('NOT_FOUND', `this node does not answer ${stream.protocol}`);
    };
    void this.#server.serve(stream, connection, answerer);
  }

  #hello(): Hello {
    const { network, region, software } = this.#options;
    return { network, region, software, versions: [...WIRE_VERSIONS], heads: [...this.#heads] };
  }

  #greet(connection: Connection, hello: Hello): void {
    this.#links.greeted(connection, hello);
    for (const older of this.#links.besides(connection)) this.#liveness.doubt(older);
    this.#onConnect(connection.remotePeer.toString());
  }

  /** A peer that does not hear us by now never will on this connection: gossipsub does not try twice. */
  #heed(connection: Connection, rttMs?: number): void {
    if (rttMs !== undefined) this.#links.echoed(connection, rttMs);
    const peer = connection.remotePeer.toString();
    const sinceMs = this.#links.newestOf(peer)?.sinceMs;
    const ageMs = sinceMs === undefined ? 0 : this.#clock.nowMs() - sinceMs;
    if (ageMs > (this.#options.subscribeMs ?? SUBSCRIBE_MS) && !this.#gossip.isHeard(peer)) {
      this.#drop(connection, 'no-gossip');
    }
  }

  #drop(connection: Connection, reason: string): void {
    this.#gate.count(reason);
    this.#conduct.note(connection.remotePeer.toString(), reason);
    connection.abort(new Error(reason));
  }

  #missing(): ReadonlyMap<string, readonly string[]> {
    const missing = new Map<string, readonly string[]>();
    for (const [peer, { addresses }] of this.#gate.admissions) {
      const isDialled = addresses.length > 0 && !this.#links.has(peer) && !this.#conduct.isShutOut(peer);
      if (isDialled && peer !== this.#libp2p.peerId.toString()) missing.set(peer, addresses);
    }
    return missing;
  }

  async #dial(peer: string, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const targets = addresses.map((address) => multiaddr(`${address}/p2p/${peer}`));
    const connection = await this.#libp2p.dial(targets, { signal });
    if (!(await this.#greeter.greeted(connection))) throw new NotWelcome();
  }

  #missingPeers(): Record<string, MissingPeer> {
    const known = this.#redialer.failures;
    const missing = [...this.#missing()].map(([peer, addresses]) => {
      const { failures = 0, trouble } = known.get(peer) ?? {};
      const region = this.#gate.admissionOf(peer)?.region ?? '';
      return [peer, { region, addresses, failures, trouble }] as const;
    });
    return Object.fromEntries(missing);
  }

  #statusOf(peer: string): PeerStatus | undefined {
    const link = this.#links.newestOf(peer);
    const admission = this.#gate.admissionOf(peer);
    if (link === undefined || admission === undefined) return undefined;
    const { connection, hello, rttMs, sinceMs } = link;
    return {
      peer,
      region: admission.region,
      standing: admission.standing,
      software: hello.software,
      connections: this.#links.countOf(peer),
      direction: connection.direction,
      address: connection.remoteAddr.toString(),
      rttMs,
      sinceMs,
    };
  }
}
