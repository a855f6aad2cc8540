/**
 * A network in memory: messages take time by a clock and get lost by a seed, so that the same seed gives the same run. Links are
 * cut and mended by the test.
 */
import { type Clock, type GossipHandler, type Network, type RequestHandler } from '../../node/ports.ts';

export interface MemoryNetworkOptions {
  /** Milliseconds of one way; 5 by default. */
  readonly latencyMs?: number;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

type Listener = GossipHandler;

interface Member {
  readonly handlers: Map<string, RequestHandler>;
  readonly listeners: Map<string, Listener>;
  onConnect: (peer: string) => void;
}

/** What goes over the wire, for tests that look at it or change it. */
export interface Wire {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly bytes: Uint8Array;
}

export class MemoryNetwork {
  readonly counters = { requests: 0, published: 0, lost: 0, delivered: 0 };
  /** The share of messages that get lost. */
  lossRate = 0;
  /** Changes an answer or a gossiped message on its way; undefined loses it. */
  tamper: ((wire: Wire) => Uint8Array | undefined) | undefined;
  readonly #latencyMs: number;
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #members = new Map<string, Member>();
  readonly #cut = new Set<string>();

  constructor({ latencyMs = 5, random }: MemoryNetworkOptions, { clock }: { readonly clock: Clock }) {
    this.#latencyMs = latencyMs;
    this.#random = random;
    this.#clock = clock;
  }

  /** Connects a member to all others. One that has left may join again. */
  join(name: string): Network {
    const member: Member = { handlers: new Map(), listeners: new Map(), onConnect: () => undefined };
    this.#members.set(name, member);
    return {
      request: (peer, protocol, request, signal) =>
        this.#request({ from: name, to: peer, protocol, bytes: request }, signal),
      publish: (topic, message) => {
        this.counters.published++;
        for (const to of this.#peersOf(name))
          this.#deliver({ from: name, to, protocol: topic, bytes: message.slice() });
      },
      handle: (protocol, handler) => member.handlers.set(protocol, handler),
      subscribe: (topic, listener) => member.listeners.set(topic, listener),
      peers: () => this.#peersOf(name),
      onConnect: (listener) => (member.onConnect = listener),
    };
  }

  /** The others see it connected; to be called once it has set its handlers. */
  announce(name: string): void {
    for (const peer of this.#peersOf(name)) this.#meet(name, peer);
  }

  /** Its process is gone: what is on its way to it gets lost. */
  leave(name: string): void {
    this.#members.delete(name);
  }

  cut(a: string, b: string): void {
    this.#cut.add(linkOf(a, b));
  }

  mend(a: string, b: string): void {
    if (this.#cut.delete(linkOf(a, b)) && this.#isConnected(a, b)) this.#meet(a, b);
  }

  /** Cuts all links of a member to all others. */
  isolate(name: string): void {
    for (const peer of this.#members.keys()) if (peer !== name) this.cut(name, peer);
  }

  rejoin(name: string): void {
    for (const peer of [...this.#members.keys()]) if (peer !== name) this.mend(name, peer);
  }

  #meet(a: string, b: string): void {
    this.#members.get(a)?.onConnect(b);
    this.#members.get(b)?.onConnect(a);
  }

  #peersOf(name: string): string[] {
    return [...this.#members.keys()].filter((peer) => peer !== name && this.#isConnected(name, peer));
  }

  #isConnected(a: string, b: string): boolean {
    return this.#members.has(a) && this.#members.has(b) && !this.#cut.has(linkOf(a, b));
  }

  async #request(wire: Wire, signal: AbortSignal): Promise<Uint8Array> {
    this.counters.requests++;
    const asked = this.#members.get(wire.to);
    const asking = this.#members.get(wire.from);
    await this.#travel(wire, asked, signal);
    const handler = asked?.handlers.get(wire.protocol);
    if (handler === undefined) throw new Error(`${wire.to} does not speak ${wire.protocol}`);
    const answer = await handler(wire.from, wire.bytes.slice(), signal);
    const back = { ...wire, from: wire.to, to: wire.from, bytes: answer };
    await this.#travel(back, asking, signal);
    const tampered = this.tamper === undefined ? answer : this.tamper(back);
    if (tampered === undefined) await silence(signal);
    return (tampered as Uint8Array).slice();
  }

  #deliver(wire: Wire): void {
    const member = this.#members.get(wire.to);
    const bytes = this.tamper === undefined ? wire.bytes : this.tamper(wire);
    if (bytes === undefined) return;
    this.#travel(wire, member, new AbortController().signal).then(
      () => {
        this.counters.delivered++;
        void member?.listeners.get(wire.protocol)?.(wire.from, bytes);
      },
      () => undefined,
    );
  }

  /** Rejects if the link is cut or the member gone by then; never resolves for what gets lost. */
  async #travel(wire: Wire, member: Member | undefined, signal: AbortSignal): Promise<void> {
    const isLost = this.lossRate > 0 && this.#random() < this.lossRate;
    await this.#clock.wait(this.#latencyMs * (0.5 + this.#random()), signal);
    if (!this.#isConnected(wire.from, wire.to) || this.#members.get(wire.to) !== member) {
      throw new Error(`${wire.to} is not connected`);
    }
    if (!isLost) return;
    this.counters.lost++;
    await silence(signal);
  }
}

function linkOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}
