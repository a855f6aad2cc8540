/** Asking a running node for something, from the same machine. */
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { DISCLOSURE_BYTES_MAX } from '../../protocol/limits.ts';
import { NodeError } from '../node-error.ts';
import { type OperatorKey } from '../operators/operator-key.ts';
import { contentDigest, NONCE_BYTES, proofHeader, type SignedRequest } from '../operators/request-proof.ts';
import { isErrno, readFileIfPresent } from '../region/files.ts';
import { systemClock } from '../system-clock.ts';
import { addressOf } from './admin-address.ts';
import { jsonLines } from './json-lines.ts';
import { type Problem } from './problem.ts';

export interface AdminClientOptions {
  /** As in `AdminServerOptions`. */
  readonly listen: string;
  readonly secretFile: string;
  /** In whose name it asks; as the bootstrap identity without. */
  readonly operator?: OperatorKey | undefined;
  /** Seconds since 1970; by the clock of this machine without. */
  readonly nowS?: () => number;
  /** Milliseconds without a byte, after which no answer is waited for any more; 60,000 by default. */
  readonly silenceMsMax?: number;
}

export interface AdminRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** The same order again within a day gives the answer of the first. */
  readonly idempotencyKey?: string;
}

export interface LinesOptions {
  /** Of what is sent; JSON lines by default. */
  readonly type?: 'application/json' | 'application/jsonl';
  /** Bytes of a line of the answer; 65,536 by default. */
  readonly lineBytesMax?: number;
}

/** The node said why it does not do it. */
export class AdminProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'AdminProblem';
    this.problem = problem;
  }
}

const SECRET_BYTES_MAX = 1_024;
/** Of a disclosure in base64, which is the longest. */
const ANSWER_BYTES_MAX = 2 * DISCLOSURE_BYTES_MAX;
const LINE_BYTES_MAX = 65_536;
const SILENCE_MS_MAX = 60_000;

/** A node took what was asked and then said nothing. */
class Silence extends Error {}

const systemNowS = () => Math.floor(systemClock.nowMs() / 1_000);

export class AdminClient {
  readonly #options: AdminClientOptions;

  constructor(options: AdminClientOptions) {
    this.#options = options;
  }

  /** In whose name it asks; nobody's as the bootstrap identity. */
  get operator(): OperatorKey | undefined {
    return this.#options.operator;
  }

  /**
   * The answer as JSON.
   * @throws {NodeError} PEER_UNREACHABLE if no node runs there, or its secret is not at hand; NODE_SILENT if one does, and says nothing for `silenceMsMax`.
   * @throws {AdminProblem} if it refuses.
   */
  async ask({ body, ...request }: AdminRequest): Promise<unknown> {
    const text = body === undefined ? [] : [JSON.stringify(body)];
    const response = await this.#send(request, text, 'application/json');
    return JSON.parse(await this.#textOf(response));
  }

  /**
   * Sends JSON lines, and gives those of the answer as they come. Rejects as `ask`; by then some may have come. PEER_UNREACHABLE
   * also where the node went away in between.
   */
  async *lines(
    request: Omit<AdminRequest, 'body'>,
    body: Iterable<string>,
    { type = 'application/jsonl', lineBytesMax = LINE_BYTES_MAX }: LinesOptions = {},
  ): AsyncGenerator<unknown, void, undefined> {
    const response = await this.#send(request, body, type);
    try {
      for await (const { value } of jsonLines(response, lineBytesMax)) yield value();
    } catch (error) {
      throw isErrno(error, 'ECONNRESET') || error instanceof Silence ? this.#unreachable(error) : error;
    } finally {
      response.destroy();
    }
  }

  /** Sends a file, and gives the answer as JSON. Rejects as `ask`. */
  async sendFile(request: Omit<AdminRequest, 'body'>, file: AsyncIterable<Uint8Array>): Promise<unknown> {
    const response = await this.#send(request, file, 'application/octet-stream');
    return JSON.parse(await this.#textOf(response));
  }

  async #send(
    { method, path, idempotencyKey }: Omit<AdminRequest, 'body'>,
    body: Iterable<string> | AsyncIterable<Uint8Array>,
    type: string,
  ): Promise<IncomingMessage> {
    const { listen, silenceMsMax = SILENCE_MS_MAX } = this.#options;
    const address = addressOf(listen);
    const where = 'path' in address ? { socketPath: address.path } : address;
    const text = type === 'application/json' ? [...(body as Iterable<string>)].join('') : undefined;
    const digest = text === undefined ? '' : contentDigest(text);
    const headers = {
      authorization: await this.#authorization({ method, path, digest }),
      'content-type': type,
      ...(text !== undefined && { 'content-digest': digest }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      let response: IncomingMessage | undefined;
      const sent = httpRequest({ ...where, method, path, headers, timeout: silenceMsMax }, (begun) => {
        response = begun;
        resolve(begun);
      });
      sent.on('timeout', () => {
        // While it connects nobody has taken anything yet.
        const why = `it was silent for ${silenceMsMax} ms`;
        const silence = sent.socket?.connecting === false ? new Silence(why) : new Error(why);
        // First: what reads the answer hears this, and not that the connection ended.
        response?.destroy(silence);
        sent.destroy(silence);
      });
      sent.on('error', (error) => reject(this.#unreachable(error)));
      const source = Readable.from(text === undefined ? body : text === '' ? [] : [text]);
      sent.on('close', () => source.destroy());
      source.on('error', (error) => {
        reject(error);
        sent.destroy();
      });
      source.pipe(sent);
    });
    if ((response.statusCode ?? 0) < 400) return response;
    throw new AdminProblem(JSON.parse(await this.#textOf(response)) as Problem);
  }

  async #textOf(response: IncomingMessage): Promise<string> {
    const parts: Buffer[] = [];
    let length = 0;
    try {
      for await (const part of response as AsyncIterable<Buffer>) {
        length += part.length;
        if (length > ANSWER_BYTES_MAX) throw new RangeError('the answer is too long');
        parts.push(part);
      }
    } catch (error) {
      throw this.#unreachable(error);
    }
    return Buffer.concat(parts).toString();
  }

  #unreachable(cause?: unknown): NodeError {
    const { listen, secretFile } = this.#options;
    if (cause instanceof Silence)
      return new NodeError('NODE_SILENT', `the node at ${listen} took the order, and ${cause.message}`, {
        cause,
        hint: 'It is at work still, or hangs. Wait, and give the same command again: `entente status` answers once it is done. If it stays silent, look at its log.',
        retry: true,
      });
    // A node makes the secret when it starts for the first time.
    const why = cause === undefined ? `: there is no secret in ${secretFile}` : '';
    return new NodeError('PEER_UNREACHABLE', `no node answers at ${listen}${why}`, {
      cause,
      hint: 'Start it with `entente run`.',
      retry: true,
    });
  }

  async #authorization(request: Omit<SignedRequest, 'region'>): Promise<string> {
    const { operator, secretFile, nowS: clockS = systemNowS } = this.#options;
    if (operator !== undefined) {
      return proofHeader(operator, request, { nowS: clockS(), nonce: randomBytes(NONCE_BYTES) });
    }
    const bytes = await readFileIfPresent(secretFile, SECRET_BYTES_MAX);
    if (bytes === undefined) throw this.#unreachable();
    return `Bearer ${Buffer.from(bytes).toString('latin1').trim()}`;
  }
}
