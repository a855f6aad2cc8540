/** A load on one server: many connections, each with one request at a time, whose answers are counted and timed. */
import { connect } from 'node:net';

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Bodies in turn. */
  readonly bodies: readonly string[];
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
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Sends as fast as the server answers, for so many seconds; also what was turned away is followed by the next at once. */
export async function loadServer({ port, connections, seconds, bodies }: Load): Promise<Loaded> {
  const requests = bodies.map((body) =>
    Buffer.from(
      `POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  );
  const counts = new Map<number, number>();
  const latencies: number[] = [];
  let answerBytesMax = 0;
  let broken = 0;
  let next = 0;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  const work = () =>
    new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      let sentMs = 0;
      let held: Buffer = Buffer.alloc(0);
      const send = () => {
        if (performance.now() >= endMs) return void socket.end();
        sentMs = performance.now();
        socket.write(requests[next++ % requests.length] ?? '');
      };
      socket.on('connect', send);
      socket.on('data', (part) => {
        held = held.length === 0 ? part : Buffer.concat([held, part]);
        const head = held.indexOf(HEAD_END);
        if (head < 0) return;
        const text = held.toString('latin1', 0, head);
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
        if (held.length < head + 4 + length) return;
        const status = Number(text.slice(9, 12));
        counts.set(status, (counts.get(status) ?? 0) + 1);
        if (status === 200) {
          latencies.push(performance.now() - sentMs);
          answerBytesMax = Math.max(answerBytesMax, length);
        }
        held = Buffer.alloc(0);
        send();
      });
      socket.on('error', () => broken++);
      socket.on('close', () => resolve());
    });
  await Promise.all(Array.from({ length: connections }, work));
  return {
    counts,
    seconds: (performance.now() - startMs) / 1_000,
    latenciesMs: Float64Array.from(latencies).sort(),
    answerBytesMax,
    broken,
  };
}

/** Of ascending values. */
export function percentile(values: Float64Array, share: number): number {
  return values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? NaN;
}
