/**
 * The network of a process that runs: real sockets, and beside them the public directories of peers that the config names. What
 * lies in a directory answers like a peer, so that two regions meet before either has let the other in. While a node of a region is
 * connected, its directory is left alone: it says no more than the node, and reading all of them would take a node more than the rest.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  type GossipHandler,
  type RequestHandler,
  type StreamHandler,
  type StreamingNetwork,
} from '../ports.ts';
import { trustLogPath } from './layout.ts';
import { type PublishedNetwork } from './published-network.ts';

export interface MeetingNetworkOptions {
  /** Public directories by region: the peers of `published` to be watched. */
  readonly directories: ReadonlyMap<string, string>;
  /** The regions of peers of the sockets. */
  readonly regionsOf: (peers: readonly string[]) => ReadonlySet<string>;
}

export interface MeetingNetworkModules {
  readonly sockets: StreamingNetwork;
  readonly published: PublishedNetwork;
  readonly clock: Clock;
}

/** Often enough that two regions that start together meet within seconds; it costs a look at each directory. */
const LOOK_MS = 1_000;

export class MeetingNetwork implements StreamingNetwork {
  readonly #options: MeetingNetworkOptions;
  readonly #sockets: StreamingNetwork;
  readonly #published: PublishedNetwork;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  readonly #seen = new Map<string, number>();
  #onConnect: (peer: string) => void = () => undefined;
  #watching: Promise<void> | undefined;

  constructor(options: MeetingNetworkOptions, { sockets, published, clock }: MeetingNetworkModules) {
    this.#options = options;
    this.#sockets = sockets;
    this.#published = published;
    this.#clock = clock;
  }

  /** Looks for what is new in the directories from now on: a peer whose log has changed counts as one that connects. */
  start(): void {
    this.#watching ??= this.#watch();
  }

  /** Stops looking; the sockets are another's to stop. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  /** Those who are connected first: whoever asks in order asks them first. */
  peers(): readonly string[] {
    const connected = this.#sockets.peers();
    const regions = this.#options.regionsOf(connected);
    return [...connected, ...this.#published.peers().filter((region) => !regions.has(region))];
  }

  request(peer: string, protocol: string, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#published.peers().includes(peer)) return this.#published.request(peer, protocol, request);
    return this.#sockets.request(peer, protocol, request, signal);
  }

  stream(
    peer: string,
    protocol: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array, void> {
    return this.#sockets.stream(peer, protocol, request, signal);
  }

  publish(topic: string, message: Uint8Array): void {
    this.#sockets.publish(topic, message);
  }

  handle(protocol: string, handler: RequestHandler): void {
    this.#sockets.handle(protocol, handler);
  }

  handleStream(protocol: string, handler: StreamHandler): void {
    this.#sockets.handleStream(protocol, handler);
  }

  subscribe(topic: string, handler: GossipHandler): void {
    this.#sockets.subscribe(topic, handler);
  }

  onConnect(listener: (peer: string) => void): void {
    this.#onConnect = listener;
    this.#sockets.onConnect(listener);
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const connected = this.#options.regionsOf(this.#sockets.peers());
      for (const [region, path] of this.#options.directories) {
        if (connected.has(region)) continue;
        const changedAtMs = await stat(join(trustLogPath(path), 'checkpoint')).then(
          ({ mtimeMs }) => mtimeMs,
          () => undefined,
        );
        if (changedAtMs === undefined || changedAtMs === this.#seen.get(region)) continue;
        this.#seen.set(region, changedAtMs);
        this.#onConnect(region);
      }
      await this.#clock.wait(LOOK_MS, signal).catch(() => undefined);
    }
  }
}
