/** A listening server with every bound on what the other side may do: sizes, times, connections. Over TCP, TLS or a unix socket. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { isIPv6, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { isErrno } from '../region/files.ts';
import { NodeError } from '../node-error.ts';
import { AnswerWatch } from './answer-watch.ts';
import { clientOf } from '../client-address.ts';
import { Counts, holdersOf } from '../held.ts';
import { OneATurn } from './one-a-turn.ts';
import { type TlsFiles } from './tls-files.ts';

export interface WebServerLimits {
  readonly headerTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** For the system to take more of an answer. */
  readonly answerTimeoutMs: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
}

export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface WebServerOptions {
  readonly listen: ListenAddress;
  readonly limits: WebServerLimits;
  /** Milliseconds that answers in hand have when the server stops; 5 s by default. */
  readonly stopMs?: number;
}

export interface WebServerModules {
  readonly fetch: (request: Request, env: never) => Response | Promise<Response>;
  /** HTTPS with these, else HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** Sees every request first. False: it has answered itself. */
  readonly admit?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Of a request that was admitted: all that was to be done for it is done, whether its client still waits or not. */
  readonly answered?: (response: ServerResponse) => void;
}

/** Bytes of the head of a request. */
export const HEAD_BYTES_MAX = 16_384;
/**
 * Requests that one connection may have in hand. A browser has one; whoever sends more without reading the answers takes places
 * from others.
 */
export const PIPELINED_MAX = 16;
const STOP_MS = 5_000;
/** The router takes host and path together as a URL: in a host with other characters a path could stand of which `admit` sees nothing. */
const HOST = /^[A-Za-z0-9._:[\]-]*$/;

export class WebServer {
  readonly #options: WebServerOptions;
  readonly #modules: WebServerModules;
  readonly #connections = new Counts();
  /** Below TLS, where there is any: also those whose handshake is not done, of which the server itself knows nothing. */
  readonly #sockets = new Set<Socket>();
  readonly #inHand = new WeakMap<Socket, Set<ServerResponse>>();
  readonly #answers: AnswerWatch;
  #server: Server | undefined;
  #refused = 0;

  constructor(options: WebServerOptions, modules: WebServerModules) {
    this.#options = options;
    this.#modules = modules;
    this.#answers = new AnswerWatch({ stillMsMax: options.limits.answerTimeoutMs });
  }

  /** Connections refused or cut off for being too many, or for asking too much at once, since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Connections given up since the start, because their answers were not taken. */
  get givenUp(): number {
    return this.#answers.givenUp;
  }

  /** Where it listens: a URL, or the path of the socket. */
  get address(): string {
    const bound = this.#server?.address();
    if (bound === undefined || bound === null) throw new TypeError('the server does not listen');
    if (typeof bound === 'string') return bound;
    const { address, port } = bound;
    return `${this.#modules.tls ? 'https' : 'http'}://${isIPv6(address) ? `[${address}]` : address}:${port}`;
  }

  /** @throws {NodeError} ADDRESS_UNUSABLE; TLS files that cannot be used, as `TlsFiles.open`. */
  async start(): Promise<void> {
    if (this.#server !== undefined) throw new TypeError('a server is started once');
    const { fetch, tls, admit, answered } = this.#modules;
    const { limits, listen } = this.#options;
    const options = {
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: limits.headerTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headerTimeoutMs),
      noDelay: true,
    };
    const server =
      tls === undefined
        ? createServer(options)
        : createTlsServer({ ...options, handshakeTimeout: limits.headerTimeoutMs, ...(await tls.read()) });
    this.#server = server;
    server.timeout = limits.idleTimeoutMs;
    server.maxConnections = limits.connectionsMax;
    server.on('drop', () => this.#refused++);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      this.#count(socket);
    });
    // Whoever takes an answer is not idle, however long the system holds what he takes.
    server.on('timeout', (socket: Socket) => {
      if (!this.#answers.isWaiting(socket)) socket.destroy();
    });
    const listener = getRequestListener(fetch as never, { overrideGlobalObjects: false });
    const admitted = new OneATurn<readonly [IncomingMessage, ServerResponse]>(([request, response]) => {
      if (response.destroyed) {
        answered?.(response);
        return;
      }
      void listener(request, response).then(() => {
        answered?.(response);
        this.#answers.watch(request.socket, response);
      });
    });
    server.on('request', (request, response) => {
      if (!this.#isInBounds(request.socket, response)) return;
      if (!HOST.test(request.headers.host ?? '')) {
        response.writeHead(400, { connection: 'close' }).end();
        return;
      }
      if (admit === undefined || admit(request, response)) admitted.add([request, response]);
    });
    await listening(server, { ...listen, backlog: limits.connectionsMax });
    if ('setSecureContext' in server)
      tls?.watch((pair) => (server as ReturnType<typeof createTlsServer>).setSecureContext(pair));
  }

  /** Takes no more requests, finishes those in hand, and cuts off what is not done in time. Safe to call twice. */
  async stop(): Promise<void> {
    this.#modules.tls?.unwatch();
    const server = this.#server;
    if (server?.listening !== true) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, this.#options.stopMs ?? STOP_MS);
    await closed;
    clearTimeout(cut);
  }

  /** One connection may not take all places. False: it has lost its own. */
  #isInBounds(socket: Socket, response: ServerResponse): boolean {
    if (socket.destroyed) return false;
    const inHand = this.#inHandOf(socket);
    if (inHand.size >= PIPELINED_MAX) {
      this.#refused++;
      socket.destroy();
      return false;
    }
    inHand.add(response);
    response.once('close', () => inHand.delete(response));
    return true;
  }

  /** Of answers on a connection that ends, Node closes the one whose turn it is; those behind it are closed here. */
  #inHandOf(socket: Socket): Set<ServerResponse> {
    const known = this.#inHand.get(socket);
    if (known !== undefined) return known;
    const inHand = new Set<ServerResponse>();
    this.#inHand.set(socket, inHand);
    socket.once('close', () => {
      for (const response of [...inHand]) if (!response.closed) response.destroy().emit('close');
    });
    return inHand;
  }

  /** One address may not take all connections. */
  #count(socket: Socket): void {
    const client = clientOf(socket);
    if (client === '') return;
    const { connectionsPerAddressMax: ofClient, connectionsMax: ofAll } = this.#options.limits;
    const holders = holdersOf(client, { ofClient, ofAll });
    if (holders.some(({ name, max }) => this.#connections.of(name) >= max)) {
      this.#refused++;
      socket.destroy();
      return;
    }
    for (const { name } of holders) this.#connections.add(name, 1);
    socket.once('close', () => {
      for (const { name } of holders) this.#connections.add(name, -1);
    });
  }
}

/**
 * `backlog`: connections that the system holds until they are accepted. Where it is full, it drops what the other side takes for
 * a connection, whose first request is then sent again after seconds.
 */
async function listening(
  server: Server,
  address: ListenAddress & { readonly backlog: number },
): Promise<void> {
  const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address, resolve);
    });
  } catch (error) {
    const isTaken = isErrno(error, 'EADDRINUSE');
    throw new NodeError('ADDRESS_UNUSABLE', `cannot listen on ${where}${isTaken ? ': it is taken' : ''}`, {
      cause: error,
      hint: isTaken
        ? 'Stop what listens there, or choose another port in entente.yaml.'
        : 'Choose another address in entente.yaml.',
    });
  }
}
