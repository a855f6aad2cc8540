/**
 * Peers that are dialled for once, by a process that asks something and ends: in the name of the region's node, which does not run.
 * It listens nowhere, answers nothing and tells nobody anything. What speaks libp2p is loaded by the first call of `dial`.
 */
import { setTimeout } from 'node:timers/promises';
import { NodeError } from '../node-error.ts';
import { type Clock, type StreamingNetwork } from '../ports.ts';
import { type Admissions } from './admissions.ts';
import { type HostOptions, type Libp2pHost } from './host/libp2p-host.ts';
import { type MissingPeer, type PeerStatus } from './host-status.ts';

export type DialOptions = Pick<HostOptions, 'identitySeed' | 'region' | 'network' | 'software'>;

export interface DialledPeersOptions {
  /** Protocols by which they are asked nothing. */
  readonly unasked?: readonly string[];
  /** Milliseconds of running time for all of them together, who are dialled at the same time; 5 s by default. */
  readonly dialMs?: number;
}

export interface DialModules {
  readonly clock: Pick<Clock, 'nowMs'>;
}

const DIAL_MS_MAX = 5_000;
const LOOK_MS = 20;

export class DialledPeers implements StreamingNetwork {
  readonly #unasked: readonly string[];
  readonly #dialMs: number;
  readonly #clock: Pick<Clock, 'nowMs'>;
  #host: Promise<Libp2pHost> | undefined;
  #up: Libp2pHost | undefined;
  #untilMs: number | undefined;

  constructor({ unasked = [], dialMs = DIAL_MS_MAX }: DialledPeersOptions, { clock }: DialModules) {
    this.#unasked = unasked;
    this.#dialMs = dialMs;
    this.#clock = clock;
  }

  /**
   * Resolves once each that may be dialled is connected or has failed to answer, at the latest `dialMs` after the first call: what is
   * left of that is for later ones, with others to dial. Rejects with the reason of `signal`.
   */
  async dial(options: DialOptions, admissions: Admissions, signal?: AbortSignal): Promise<void> {
    this.#untilMs ??= performance.now() + this.#dialMs;
    this.#host ??= this.#start(options);
    const host = await this.#host;
    host.admit(admissions);
    while (performance.now() < this.#untilMs) {
      if (Object.values(host.status.missing).every(({ trouble }) => trouble !== undefined)) return;
      await setTimeout(LOOK_MS, undefined, { signal });
    }
  }

  /** Safe to call twice. One that could not start, of which `dial` has told, has nothing to stop. */
  async stop(): Promise<void> {
    const host = await this.#host?.catch(() => undefined);
    await host?.stop();
  }

  get connected(): readonly PeerStatus[] {
    return this.#up?.status.peers ?? [];
  }

  /** Those who were dialled and are not connected. */
  get missing(): readonly MissingPeer[] {
    return Object.values(this.#up?.status.missing ?? {});
  }

  peers(): readonly string[] {
    return this.#up?.peers() ?? [];
  }

  request(peer: string, protocol: string, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#up === undefined || this.#unasked.includes(protocol))
      return Promise.reject(unasked(peer, protocol));
    return this.#up.request(peer, protocol, request, signal);
  }

  stream(
    peer: string,
    protocol: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array, void> {
    if (this.#up === undefined || this.#unasked.includes(protocol)) throw unasked(peer, protocol);
    return this.#up.stream(peer, protocol, request, signal);
  }

  publish(): void {
    // They hear it from the node, once that runs.
  }

  handle(): void {
    // They are asked, and ask nothing.
  }

  handleStream(): void {
    // Nor for more than one answer.
  }

  subscribe(): void {
    // Whoever stays for so short hears nothing of use.
  }

  onConnect(): void {
    // All who come have come when `dial` resolves.
  }

  async #start(options: DialOptions): Promise<Libp2pHost> {
    const { Libp2pHost: Host } = await import('./host/libp2p-host.ts');
    this.#up = await Host.start({ ...options, listen: [] }, { clock: this.#clock, random: Math.random });
    return this.#up;
  }
}

function unasked(peer: string, protocol: string): NodeError {
  return new NodeError('PEER_UNREACHABLE', `${peer} is not asked by ${protocol}`, { retry: true });
}
