import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { readBody } from '../../../node/http/input.ts';

describe('readBody', () => {
  const request = (parts: readonly string[]) =>
    Object.assign(Readable.from(parts.map((part) => Buffer.from(part))), {
      headers: {},
    }) as unknown as IncomingMessage;

  it('gives all parts, and refuses one byte more than it may hold', async () => {
    assert.equal(String(await readBody(request(['ab', 'c']), 3)), 'abc');
    await assert.rejects(readBody(request(['ab', 'cd']), 3), { code: 'BODY_TOO_LARGE' });
  });

  it('T17: does not wait for a body whose sender hangs up, or had hung up already', async () => {
    const leaving = request(['ab']);
    const body = readBody(leaving, 3);
    leaving.destroy();
    await assert.rejects(body, { code: 'BODY_MALFORMED' });
    const gone = request(['ab']);
    gone.destroy();
    await once(gone, 'close');
    await assert.rejects(readBody(gone, 3), { code: 'BODY_MALFORMED' });
  });
});
