/** What a request brings, read with bounds and held against a schema before anything is done with it. */
import { type IncomingMessage } from 'node:http';
import { type z } from 'zod';
import { contentDigest, isContentDigest } from '../operators/request-proof.ts';
import { parseStrictJson, StrictJsonError } from '../../protocol/encoding/strict-json.ts';
import { type InputError, RequestError } from './problem.ts';

/** Of many errors the first are told. */
const ERRORS_TOLD = 8;

/**
 * The body as JSON of this schema.
 * @throws {RequestError} BODY_TYPE, BODY_TOO_LARGE, BODY_MALFORMED; INPUT_INVALID naming the members.
 */
export async function readJson<S extends z.ZodType>(
  request: IncomingMessage,
  schema: S,
  bytesMax: number,
): Promise<z.output<S>> {
  if (!isJson(request.headers['content-type'])) {
    throw new RequestError('BODY_TYPE', 'expected a body of type application/json');
  }
  const body = await readBody(request, bytesMax);
  requireDigest(request, body);
  return checked(schema, jsonOf(textOf(body)));
}

export function isJson(contentType: string | undefined): boolean {
  return /^application\/json *(;|$)/i.test(contentType ?? '');
}

/** A digest of another kind says nothing here. @throws {RequestError} BODY_MALFORMED */
function requireDigest(request: IncomingMessage, body: Uint8Array): void {
  const digest = String(request.headers['content-digest'] ?? '');
  if (isContentDigest(digest) && digest !== contentDigest(body))
    throw new RequestError('BODY_MALFORMED', 'the body is not the one of its content-digest');
}

/** @throws {RequestError} BODY_MALFORMED */
export function jsonOf(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (error instanceof StrictJsonError) throw new RequestError('BODY_MALFORMED', `the body ${error.fault}`);
    throw error;
  }
}

/** The parameters behind the question mark, each once. @throws {RequestError} INPUT_INVALID */
export function readQuery<S extends z.ZodType>(url: string, schema: S): z.output<S> {
  const { searchParams } = new URL(url, 'http://localhost');
  const names = [...searchParams.keys()];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw invalid([{ at: `/${twice.slice(0, 64)}`, detail: 'stands there twice' }]);
  return checked(schema, Object.fromEntries(searchParams));
}

/** @throws {RequestError} INPUT_INVALID; what was sent is not repeated. */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(
    parsed.error.issues.map(({ path, message, code }) => ({
      at: `/${path.join('/')}`,
      detail: code === 'unrecognized_keys' ? 'has a member that is not known' : message,
    })),
  );
}

/** @throws {RequestError} BODY_TOO_LARGE before more than `bytesMax` are held. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const tooLarge = () => new RequestError('BODY_TOO_LARGE', `a body has at most ${bytesMax} bytes`);
  const brokeOff = () => new RequestError('BODY_MALFORMED', 'the body broke off');
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge();
  if (request.destroyed && !request.readableEnded) throw brokeOff();
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    request.on('data', (part: Buffer) => {
      length += part.length;
      if (length <= bytesMax) parts.push(part);
      else reject(tooLarge());
    });
    request.on('end', () => resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)));
    request.on('error', reject);
    request.on('close', () => {
      if (!request.readableEnded) reject(brokeOff());
    });
  });
}

/** The body in parts. Where reading ends early what is left is taken and dropped, since whoever still sends hears no answer before. */
export async function* partsOf(request: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } finally {
    request.resume();
  }
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RequestError('BODY_MALFORMED', 'the body is not UTF-8');
  }
}

function invalid(errors: readonly InputError[]): RequestError {
  return new RequestError('INPUT_INVALID', 'the request is not as expected', errors.slice(0, ERRORS_TOLD));
}
