/** Asking a running node for something, from the same machine. */
import { request as httpRequest } from 'node:http';
import { NodeError } from '../node-error.ts';
import { readFileIfPresent } from '../region/files.ts';
import { addressOf } from './admin-server.ts';
import { type Problem } from './problem.ts';

export interface AdminClientOptions {
  /** As in `AdminServerOptions`. */
  readonly listen: string;
  readonly secretFile: string;
}

export interface AdminRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** The same order again within a day gives the answer of the first. */
  readonly idempotencyKey?: string;
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
const ANSWER_BYTES_MAX = 16_777_216;
const ANSWER_MS_MAX = 60_000;

export class AdminClient {
  readonly #options: AdminClientOptions;

  constructor(options: AdminClientOptions) {
    this.#options = options;
  }

  /**
   * The answer as JSON.
   * @throws {NodeError} PEER_UNREACHABLE if no node runs there, KEY_FILE_MISSING without its secret.
   * @throws {AdminProblem} if it refuses.
   */
  async ask({ method, path, body, idempotencyKey }: AdminRequest): Promise<unknown> {
    const { listen } = this.#options;
    const address = addressOf(listen);
    const where = 'path' in address ? { socketPath: address.path } : address;
    const headers = {
      authorization: `Bearer ${await this.#secret()}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    };
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      const sent = httpRequest({ ...where, method, path, headers, signal }, (response) => {
        const parts: Buffer[] = [];
        let length = 0;
        response.on('data', (part: Buffer) => {
          length += part.length;
          if (length > ANSWER_BYTES_MAX) sent.destroy(new RangeError('the answer is too long'));
          else parts.push(part);
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
        );
        response.on('error', reject);
      });
      sent.on('error', (cause) => {
        const hint = 'Start it with `entente run`.';
        reject(
          new NodeError('PEER_UNREACHABLE', `no node answers at ${listen}`, { cause, hint, retry: true }),
        );
      });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
    const answer: unknown = JSON.parse(text);
    if (status < 400) return answer;
    throw new AdminProblem(answer as Problem);
  }

  async #secret(): Promise<string> {
    const { secretFile } = this.#options;
    const bytes = await readFileIfPresent(secretFile, SECRET_BYTES_MAX);
    if (bytes !== undefined) return Buffer.from(bytes).toString('latin1').trim();
    throw new NodeError('KEY_FILE_MISSING', `there is no secret in ${secretFile}`, {
      hint: 'The node makes it when it starts for the first time: `entente run`.',
    });
  }
}
