import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { httpPost } from '../../../node/http/http-post.ts';

describe('httpPost', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  });

  async function serve(answer: RequestListener): Promise<string> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  const body = Buffer.from('old 0\n\n');
  const { signal } = new AbortController();

  it('sends the bytes, and gives status, type and bytes that come back', async () => {
    const url = await serve((request, response) => {
      response.writeHead(409, { 'content-type': 'Text/X.tlog.size; charset=utf-8' });
      request.pipe(response);
    });
    const answer = await httpPost(url, body, { bytesMax: 64, signal });
    assert.deepEqual([answer.status, answer.type, Buffer.from(answer.body)], [409, 'text/x.tlog.size', body]);
  });

  it('goes nowhere else than it was told', async () => {
    const paths: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const { status } = await httpPost(url, body, { bytesMax: 64, signal });
    assert.deepEqual([status, paths], [307, ['/']]);
  });

  it('reads no more of an answer without end than one byte above the most', async () => {
    const url = await serve((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    });
    const { body: bytes } = await httpPost(url, body, { bytesMax: 4_096, signal });
    assert.equal(bytes.length, 4_097);
  });

  it('rejects where nobody listens, and once it is given up', async () => {
    const over = new AbortController();
    const url = await serve(() => over.abort(new Error('over')));
    await assert.rejects(httpPost(url, body, { bytesMax: 64, signal: over.signal }), /over/);
    const [server = assert.fail()] = servers.splice(0);
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    await assert.rejects(httpPost(url, body, { bytesMax: 64, signal }), TypeError);
  });
});
