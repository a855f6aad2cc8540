/**
 * The network of a simulation: messages take time, get lost, come late, out of order and twice, and links are cut and mended.
 * A message goes from one process to another: to the process that follows it never comes. Its bytes are not copied: a node that
 * wrote to what it sent or was sent would be found out by all others.
 */
import { type GossipHandler, type Network, type RequestHandler } from '../../node/ports.ts';
import { type Chance } from './chance.ts';
import { type Life, never } from './life.ts';
import { type Trace } from './trace.ts';
import { type VirtualClock } from './virtual-clock.ts';

/** How bad the network is, as shares of all messages. */
export interface Weather {
  readonly loss: number;
  /** Share of messages that come up to `lateMs` later than others, and so out of order. */
  readonly late: number;
  readonly lateMs: number;
  readonly twice: number;
}

export const CALM: Weather = { loss: 0, late: 0, lateMs: 0, twice: 0 };

/** Bytes on their way between two members. */
export interface Wire {
  readonly from: string;
  readonly to: string;
  /** Of a request, or the topic of a message. */
  readonly protocol: string;
  readonly kind: 'request' | 'answer' | 'gossip';
  readonly bytes: Uint8Array;
}

/** What a lying member sends in place of a message; undefined keeps it back. */
export type Distort = (wire: Wire) => Uint8Array | undefined;

interface Member {
  readonly life: Life;
  readonly handlers: Map<string, RequestHandler>;
  readonly listeners: Map<string, GossipHandler>;
  onConnect: (peer: string) => void;
  /** Requests of this process that are not answered yet. */
  asking: number;
  /** Requests that this process is answering. */
  answering: number;
}

export interface SimNetworkModules {
  readonly clock: VirtualClock;
  readonly chance: Chance;
  readonly trace: Trace;
  /** Sees all that honest and lying members put on the wire. */
  readonly onWire: (wire: Wire) => void;
}

/** Milliseconds that a message of a calm network takes. */
const WAY_MS = { from: 2, to: 60 } as const;

export class SimNetwork {
  readonly counters = { sent: 0, lost: 0, late: 0, twice: 0, cut: 0 };
  weather: Weather = CALM;
  readonly #modules: SimNetworkModules;
  readonly #members = new Map<string, Member>();
  readonly #cut = new Set<string>();
  readonly #slow = new Map<string, number>();
  readonly #liars = new Map<string, Distort>();

  constructor(modules: SimNetworkModules) {
    this.#modules = modules;
  }

  /** The port of a process. Whoever had the name before is gone. */
  join(name: string, life: Life): Network {
    const member: Member = {
      life,
      handlers: new Map(),
      listeners: new Map(),
      onConnect: () => undefined,
      asking: 0,
      answering: 0,
    };
    this.#members.set(name, member);
    return {
      request: (peer, protocol, bytes, signal) =>
        life.isDead
          ? never()
          : this.#request(member, { from: name, to: peer, protocol, kind: 'request', bytes }, signal),
      publish: (topic, message) => {
        if (!life.isDead) this.publish(name, topic, message);
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

  leave(name: string): void {
    this.#members.delete(name);
  }

  /** Sends to all who are connected, or to some of them. */
  publish(
    from: string,
    topic: string,
    message: Uint8Array,
    to: readonly string[] = this.#peersOf(from),
  ): void {
    for (const peer of to) this.#gossip({ from, to: peer, protocol: topic, kind: 'gossip', bytes: message });
  }

  cut(a: string, b: string): void {
    this.#cut.add(linkOf(a, b));
  }

  mend(a: string, b: string): void {
    if (this.#cut.delete(linkOf(a, b)) && this.#isConnected(a, b)) this.#meet(a, b);
  }

  mendAll(): void {
    const links = [...this.#cut];
    for (const link of links) this.mend(...(link.split(' ') as [string, string]));
  }

  /** Whether nobody can hear it now. */
  isAlone(name: string): boolean {
    return this.#peersOf(name).length === 0;
  }

  /** From now on every message from or to this member takes so much longer; 0 ends it. */
  slowDown(name: string, ms: number): void {
    if (ms > 0) this.#slow.set(name, ms);
    else this.#slow.delete(name);
  }

  /** From now on a member lies; undefined ends it. */
  distort(name: string, distort: Distort | undefined): void {
    if (distort === undefined) this.#liars.delete(name);
    else this.#liars.set(name, distort);
  }

  /** What a member has asked and is answering at this moment. */
  loadOf(name: string): { readonly asking: number; readonly answering: number } {
    const { asking = 0, answering = 0 } = this.#members.get(name) ?? {};
    return { asking, answering };
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

  async #request(asking: Member, wire: Wire, signal: AbortSignal): Promise<Uint8Array> {
    asking.asking++;
    try {
      const answering = await this.#travel(asking, wire, signal);
      const handler = answering.handlers.get(wire.protocol);
      if (handler === undefined) throw new Error(`${wire.to} does not speak ${wire.protocol}`);
      answering.answering++;
      const answer = await handler(wire.from, wire.bytes, signal).finally(() => answering.answering--);
      if (answering.life.isDead) return await silence(signal);
      const back: Wire = { ...wire, from: wire.to, to: wire.from, kind: 'answer', bytes: answer };
      const said = this.#said(back);
      if (said === undefined) return await silence(signal);
      await this.#travel(answering, { ...back, bytes: said }, signal);
      return said;
    } finally {
      asking.asking--;
    }
  }

  #gossip(honest: Wire): void {
    const bytes = this.#said(honest);
    const from = this.#members.get(honest.from);
    if (bytes === undefined || from === undefined) return;
    const wire = { ...honest, bytes };
    const take = (member: Member): void => {
      void member.listeners.get(wire.protocol)?.(wire.from, wire.bytes);
    };
    const times = this.#modules.chance.hits(this.weather.twice) ? 2 : 1;
    this.counters.twice += times - 1;
    for (let i = 0; i < times; i++) this.#send(from, wire, take, () => undefined);
  }

  /** What goes on the wire: what the member says, unless it is a liar. */
  #said(wire: Wire): Uint8Array | undefined {
    const distort = this.#liars.get(wire.from);
    const bytes = distort === undefined ? wire.bytes : distort(wire);
    if (bytes !== undefined) this.#modules.onWire({ ...wire, bytes });
    return bytes;
  }

  /** Resolves with whom it reached. Rejects if the link is cut on the way; of what got lost nobody hears until `signal`. */
  #travel(from: Member, wire: Wire, signal: AbortSignal): Promise<Member> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error(`${wire.to} is not connected`));
      const isOnItsWay = this.#send(from, wire, resolve, fail);
      if (!isOnItsWay) silence(signal).catch(reject);
    });
  }

  /** False if it gets lost. */
  #send(from: Member, wire: Wire, take: (member: Member) => void, fail: () => void): boolean {
    const { clock, chance, trace } = this.#modules;
    const { loss, late, lateMs } = this.weather;
    const to = this.#members.get(wire.to);
    this.counters.sent++;
    const slowMs = (this.#slow.get(wire.from) ?? 0) + (this.#slow.get(wire.to) ?? 0);
    let ms = chance.whole(WAY_MS.from, WAY_MS.to) + slowMs;
    if (chance.hits(late)) {
      this.counters.late++;
      ms += chance.whole(0, lateMs);
    }
    const isLost = chance.hits(loss);
    trace.note(
      'send',
      `${wire.from} ${wire.to} ${wire.kind} ${wire.protocol} ${wire.bytes.length} ${ms} ${isLost}`,
    );
    if (isLost) {
      this.counters.lost++;
      return false;
    }
    clock.after(ms, () => {
      const isThere = this.#isConnected(wire.from, wire.to) && this.#members.get(wire.to) === to;
      if (to === undefined || !isThere || (wire.kind !== 'gossip' && from.life.isDead)) {
        this.counters.cut++;
        fail();
      } else if (!to.life.isDead) take(to);
    });
    return true;
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
