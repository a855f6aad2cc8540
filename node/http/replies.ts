/** Answers with the headers that all of them have: made in one go, since every header that is added later costs. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context } from 'hono';
import { type Log } from '../logging/log.ts';
import { isErrno } from '../region/files.ts';
import { clientOf } from '../client-address.ts';
import { LongAnswers, PIECE_BYTES } from './long-answers.ts';
import { problemOf, RequestError } from './problem.ts';

export interface WebEnvironment {
  readonly Bindings: HttpBindings;
}

export type WebContext = Context<WebEnvironment>;

export interface RepliesOptions {
  /** Web pages that may read the answers; `*` for all. */
  readonly corsOrigins: readonly string[];
  readonly isTls: boolean;
  readonly hearer: 'public' | 'operator';
}

export interface RepliesModules {
  readonly log: Log;
  readonly longAnswers?: LongAnswers;
}

export interface Reply {
  readonly type: string;
  /** `no-store` without it. */
  readonly cache?: string;
  readonly etag?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const JSON_TYPE = 'application/json';

/** The answers hold nothing that a browser should run, guess at or show within another page. */
const SECURITY = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'cross-origin',
};

/** A year, as is usual; only where this very answer came by TLS. */
const TRANSPORT = { 'strict-transport-security': 'max-age=31536000' };

/** Seconds after which whoever was turned away may come again. */
export const RETRY_AFTER_S = 1;

export class Replies {
  readonly #options: RepliesOptions;
  readonly #log: Log;
  readonly #common: Readonly<Record<string, string>>;
  readonly #longAnswers: LongAnswers;

  constructor(options: RepliesOptions, { log, longAnswers = new LongAnswers() }: RepliesModules) {
    this.#options = options;
    this.#longAnswers = longAnswers;
    this.#log = log;
    const isOpen = options.corsOrigins.includes('*');
    this.#common = {
      ...SECURITY,
      ...(options.isTls && TRANSPORT),
      ...(isOpen && { 'access-control-allow-origin': '*' }),
    };
  }

  json(context: WebContext, value: unknown, reply: Partial<Reply> = {}): Response {
    return this.send(context, JSON.stringify(value), { type: JSON_TYPE, ...reply });
  }

  /**
   * Answers 304 without a body where the asker holds it already.
   * @throws {RequestError} OVERLOADED if it is long, and too many long ones are being read, by all or by this client.
   */
  send(context: WebContext, body: string | Uint8Array, reply: Reply): Response {
    const { type, cache = 'no-store', etag, status = 200, headers } = reply;
    const all = {
      ...this.headersFor(context),
      'cache-control': cache,
      ...(etag !== undefined && { etag }),
      ...headers,
    };
    if (etag !== undefined && holds(context.req.header('if-none-match'), etag)) {
      return context.body(null, 304, all);
    }
    const { outgoing, incoming } = context.env;
    const isLong = body.length > PIECE_BYTES && context.req.method !== 'HEAD';
    const long = isLong ? bytesOf(body) : undefined;
    const client = long === undefined ? '' : clientOf(incoming.socket);
    if (long !== undefined && !this.#longAnswers.hasRoomFor(long, client)) {
      throw new RequestError('OVERLOADED', 'too many long answers are being read');
    }
    // Written at once: a Response that is made only to be taken apart costs as much as the signature of a code.
    outgoing.writeHead(status, {
      ...all,
      'content-type': type,
      'content-length': Buffer.byteLength(body),
    });
    if (long === undefined) outgoing.end(body);
    else this.#longAnswers.send(outgoing, long, client);
    return RESPONSE_ALREADY_SENT;
  }

  /**
   * A stream of lines, made as they are taken; resolves when it is over. One that fails is logged and ends the connection, so that
   * nobody takes a part for the whole.
   */
  async stream(context: WebContext, lines: AsyncIterable<string>, type: string): Promise<Response> {
    const { outgoing } = context.env;
    outgoing.writeHead(200, {
      ...this.headersFor(context),
      'cache-control': 'no-store',
      'content-type': type,
    });
    outgoing.flushHeaders();
    await pipeline(Readable.from(lines), outgoing).catch((error: unknown) => {
      // Whoever hangs up wants no more of it.
      if (!isErrno(error, 'ERR_STREAM_PREMATURE_CLOSE'))
        this.#log.warn('an answer broke off', { path: context.req.routePath, error });
    });
    return RESPONSE_ALREADY_SENT;
  }

  /** The same for lines that wait for nothing of the caller: what fails before the first one is answered as any other error. */
  async streamBegun(context: WebContext, lines: AsyncIterable<string>, type: string): Promise<Response> {
    const iterator = lines[Symbol.asyncIterator]();
    const first = await iterator.next();
    return this.stream(context, goneOn(first, iterator), type);
  }

  /** The problem that an error is, with more headers than these have. What nobody foresaw is logged. */
  problem(context: WebContext, error: unknown, more: Readonly<Record<string, string>> = {}): Response {
    const problem = problemOf(error, this.#options.hearer);
    if (problem.status >= 500 && problem.code !== 'OVERLOADED' && problem.code !== 'KNOWLEDGE_STALE')
      this.#log.warn('a request failed', { path: context.req.routePath, error });
    const headers = {
      ...more,
      ...(problem.status === 503 && { 'retry-after': String(RETRY_AFTER_S) }),
      ...(problem.status === 401 && { 'www-authenticate': 'Bearer' }),
      // What is left of a body that was not read must not be taken for the next request.
      ...(problem.status === 413 && { connection: 'close' }),
    };
    return this.json(context, problem, { type: 'application/problem+json', status: problem.status, headers });
  }

  headersFor(context: WebContext): Record<string, string> {
    const { corsOrigins } = this.#options;
    if ('access-control-allow-origin' in this.#common || corsOrigins.length === 0) return this.#common;
    const origin = context.req.header('origin');
    const isKnown = origin !== undefined && corsOrigins.includes(origin);
    return { ...this.#common, vary: 'origin', ...(isKnown && { 'access-control-allow-origin': origin }) };
  }
}

async function* goneOn(
  first: IteratorResult<string>,
  iterator: AsyncIterator<string>,
): AsyncGenerator<string, void, undefined> {
  try {
    for (let one = first; one.done !== true; one = await iterator.next()) yield one.value;
  } finally {
    await iterator.return?.();
  }
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body;
}

/** Weak comparison, as RFC 9110 has it for this header. */
function holds(ifNoneMatch: string | undefined, etag: string): boolean {
  return (
    ifNoneMatch?.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag) ??
    false
  );
}
