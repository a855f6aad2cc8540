/** A client that asks for much at once and takes the answers a few bytes at a time, and comes again when it is cut off. */
import { connect, type Socket } from 'node:net';

const REQUESTS = 16;
const BYTES = 1_024;
const EVERY_MS = 250;
const AGAIN_MS = 1_000;

export class SlowReader {
  readonly #port: number;
  readonly #request: string;
  #socket: Socket | undefined;
  #timers: NodeJS.Timeout[] = [];
  /** Bytes that it took, and how often it was cut off. */
  bytes = 0;
  cuts = 0;

  /** `url` of the node, `path` of what it asks for. */
  constructor(url: string, path: string) {
    this.#port = Number(new URL(url).port);
    this.#request = `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
  }

  /** Goes on until `stop`. */
  start(): void {
    this.#timers = [setInterval(() => this.#read(), EVERY_MS), setInterval(() => this.#open(), AGAIN_MS)];
    this.#open();
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.#socket?.destroy();
  }

  #open(): void {
    if (this.#socket?.destroyed === false) return;
    const socket = connect({ port: this.#port, host: '127.0.0.1' });
    this.#socket = socket;
    socket.pause();
    socket.on('connect', () => socket.write(this.#request.repeat(REQUESTS)));
    socket.on('error', () => undefined);
    socket.on('close', () => this.cuts++);
  }

  #read(): void {
    const part = this.#socket?.read(BYTES) as Buffer | null | undefined;
    this.bytes += part?.length ?? 0;
  }
}
