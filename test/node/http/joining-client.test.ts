import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { bringAnswer } from '../../../node/http/joining-client.ts';

describe('bringAnswer', () => {
  const asked: string[] = [];
  let server: Server;
  let url: string;
  before(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('{}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => asked.splice(0));
  after(() => server.close());

  for (const [base, path] of [
    ['', '/v1/joining'],
    ['/', '/v1/joining'],
    ['/entente', '/entente/v1/joining'],
    ['/a/entente/', '/a/entente/v1/joining'],
  ] as const)
    it(`asks below the base URL as it stands in the invitation: "${base}"`, async () => {
      assert.equal(await bringAnswer({ url: url + base, answer: Uint8Array.of(1) }), undefined);
      assert.deepEqual(asked, [`POST ${path}`]);
    });
});
