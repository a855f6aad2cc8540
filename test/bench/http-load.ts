/** Loads on one server: many connections, each with one request at a time, whose answers are counted and timed. */
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Bodies in turn. */
  readonly bodies: readonly string[];
}

export interface OpenLoad extends Load {
  /** Requests that come in a second, whether or not the server gets on. */
  readonly perS: number;
}

export interface Loaded {
  /** Answers by status. */
  readonly counts: ReadonlyMap<number, number>;
  readonly seconds: number;
  /** Milliseconds of answers with 200, ascending. */
  readonly latenciesMs: Float64Array;
  /** Bytes of the longest body of an answer with 200. */
  readonly answerBytesMax: number;
  readonly broken: number;
  /** Requests that came while every connection waited for an answer. */
  readonly unsent: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const TICK_MS = 2;

/** Sends as fast as the server answers, for so many seconds; also what was turned away is followed by the next at once. */
export async function loadServer(load: Load): Promise<Loaded> {
  const crowd = await Crowd.gather(load);
  crowd.onFree = (gate) => gate.ask();
  for (const gate of crowd.gates) gate.ask();
  await setTimeout(load.seconds * 1_000);
  return crowd.leave();
}

/** Requests come at a steady rate, each to a connection that is free; where none is, it is not sent. */
export async function overloadServer({ perS, ...load }: OpenLoad): Promise<Loaded> {
  const crowd = await Crowd.gather(load);
  const free = [...crowd.gates];
  crowd.onFree = (gate) => free.push(gate);
  const { startMs } = crowd;
  let due = 0;
  for (let nowMs = startMs; nowMs < startMs + load.seconds * 1_000; nowMs = performance.now()) {
    for (const until = ((nowMs - startMs) * perS) / 1_000; due < until; due++) {
      const gate = free.shift();
      if (gate === undefined) crowd.unsent++;
      else gate.ask();
    }
    await setTimeout(TICK_MS);
  }
  return crowd.leave();
}

class Crowd {
  readonly #requests: readonly Buffer[];
  readonly #counts = new Map<number, number>();
  readonly #latencies: number[] = [];
  #answerBytesMax = 0;
  #broken = 0;
  #next = 0;
  readonly gates: readonly Gate[];
  startMs = 0;
  unsent = 0;
  /** Told of a connection whose answer is there. */
  onFree: (gate: Gate) => void = () => undefined;

  private constructor({ port, connections, bodies }: Load) {
    this.#requests = bodies.map((body) =>
      Buffer.from(
        `POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      ),
    );
    this.gates = Array.from({ length: connections }, (_, i) => new Gate(port, this, addressOf(i)));
  }

  /** Resolves once all are connected. */
  static async gather(load: Load): Promise<Crowd> {
    const crowd = new Crowd(load);
    await Promise.all(crowd.gates.map(({ opened }) => opened));
    crowd.startMs = performance.now();
    return crowd;
  }

  get request(): Buffer {
    return this.#requests[this.#next++ % this.#requests.length] ?? HEAD_END;
  }

  answered(status: number, length: number, ms: number): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + 1);
    if (status !== 200) return;
    this.#latencies.push(ms);
    this.#answerBytesMax = Math.max(this.#answerBytesMax, length);
  }

  broke(): void {
    this.#broken++;
  }

  /** What came until now; what is still under way does not count. */
  leave(): Loaded {
    const seconds = (performance.now() - this.startMs) / 1_000;
    this.onFree = () => undefined;
    for (const gate of this.gates) gate.close();
    return {
      counts: this.#counts,
      seconds,
      latenciesMs: Float64Array.from(this.#latencies).sort(),
      answerBytesMax: this.#answerBytesMax,
      broken: this.#broken,
      unsent: this.unsent,
    };
  }
}

/** Sixteen gates behind each address of the loopback: what one address may have does not hold up a crowd. */
function addressOf(gate: number): string {
  const address = gate >> 4;
  return `127.1.${address >> 8}.${address & 255}`;
}

class Gate {
  readonly #socket: Socket;
  readonly #crowd: Crowd;
  readonly opened: Promise<void>;
  #sentMs = 0;
  #held: Buffer = Buffer.alloc(0);

  constructor(port: number, crowd: Crowd, localAddress: string) {
    this.#crowd = crowd;
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    this.#socket = socket;
    this.opened = new Promise((resolve) => socket.once('connect', resolve));
    socket.on('data', (part) => this.#take(part));
    socket.on('error', () => crowd.broke());
  }

  ask(): void {
    this.#sentMs = performance.now();
    this.#socket.write(this.#crowd.request);
  }

  close(): void {
    this.#socket.removeAllListeners('error').on('error', () => undefined);
    this.#socket.destroy();
  }

  #take(part: Buffer): void {
    const held = this.#held.length === 0 ? part : Buffer.concat([this.#held, part]);
    this.#held = held;
    const head = held.indexOf(HEAD_END);
    if (head < 0) return;
    const text = held.toString('latin1', 0, head);
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
    if (held.length < head + 4 + length) return;
    this.#held = Buffer.alloc(0);
    this.#crowd.answered(Number(text.slice(9, 12)), length, performance.now() - this.#sentMs);
    this.#crowd.onFree(this);
  }
}

/** Of ascending values. */
export function percentile(values: Float64Array, share: number): number {
  return values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? NaN;
}
