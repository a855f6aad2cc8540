/** What a form of a page brings. */
import { type IncomingMessage } from 'node:http';
import { readBody } from './input.ts';
import { RequestError } from './problem.ts';

const FORM_BYTES_MAX = 16_384;

/** The fields of a form, each once. @throws {RequestError} BODY_TYPE, BODY_TOO_LARGE, INPUT_INVALID */
export async function readForm(request: IncomingMessage): Promise<Readonly<Record<string, string>>> {
  if (!/^application\/x-www-form-urlencoded *(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new RequestError('BODY_TYPE', 'expected a form');
  const fields = new URLSearchParams((await readBody(request, FORM_BYTES_MAX)).toString('utf8'));
  const names = [...fields.keys()];
  if (new Set(names).size !== names.length)
    throw new RequestError('INPUT_INVALID', 'a field stands there twice');
  return Object.fromEntries(fields);
}
