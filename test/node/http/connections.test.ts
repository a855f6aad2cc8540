import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { configOf, HttpWorld, threeRegions } from '../../support/http-fixture.ts';
import { type NodeWorld } from '../../support/node-fixture.ts';
import { until } from '../../support/until.ts';

const LIVE = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n';

describe('PublicServer and its connections', () => {
  let world: NodeWorld;
  let http: HttpWorld;

  before(async () => {
    world = await threeRegions();
  });
  afterEach(() => http.server.stop());
  after(() => world.stop());

  async function opened(count: number, localAddress = '127.0.0.1'): Promise<Socket[]> {
    const sockets = Array.from({ length: count }, () =>
      connect({ port: http.port, host: '127.0.0.1', localAddress }).on('error', () => undefined),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    return sockets;
  }

  /** What comes as the answer to one request. */
  async function asked(socket: Socket | undefined): Promise<string> {
    socket?.write(LIVE);
    const [part] = (await once(socket ?? assert.fail(), 'data')) as [Buffer];
    return part.toString('latin1');
  }

  it('B68: no more connections than there may be, from whatever addresses; a place is free again when one ends', async () => {
    http = await HttpWorld.start(world, configOf(['limits.connectionsMax', '4']));
    const [first, ...others] = [...(await opened(2)), ...(await opened(2, '127.0.0.2'))];
    for (const socket of [first, ...others]) assert.match(await asked(socket), /^HTTP\/1\.1 200 /);
    const [fifth] = await opened(1, '127.0.0.3');
    await once(fifth?.resume() ?? assert.fail(), 'close');
    assert.match(await asked(others[0]), /^HTTP\/1\.1 200 /);
    first?.destroy();
    // The server hears of it a moment later.
    let answer = '';
    for (let i = 0; i < 100 && answer === ''; i++) {
      const [next = assert.fail()] = await opened(1, '127.0.0.3');
      const refused = once(next, 'close').then(() => '');
      answer = await Promise.race([asked(next).catch(() => ''), refused]);
      next.destroy();
    }
    assert.match(answer, /^HTTP\/1\.1 200 /);
    const metrics = await (async () => {
      others[1]?.write('GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
      const parts: Buffer[] = [];
      others[1]?.on('data', (part: Buffer) => parts.push(part));
      await once(others[1] ?? assert.fail(), 'close');
      return Buffer.concat(parts).toString('latin1');
    })();
    assert.match(metrics, /^entente_http_connections_refused_total [1-9]/m);
    for (const socket of others) socket.destroy();
  });

  it('B68: who rests for longer than allowed is closed, before and after a request; who asks on is not', async () => {
    http = await HttpWorld.start(world, configOf(['limits.idleTimeoutMs', '1000']));
    const [silent, once200, busy] = await opened(3);
    const closed: Socket[] = [];
    for (const socket of [silent, once200, busy]) socket?.resume().once('close', () => closed.push(socket));
    assert.match(await asked(once200), /^HTTP\/1\.1 200 /);
    const asking = setInterval(() => busy?.write(LIVE), 50);
    await until(() => closed.length === 2, 'two are closed');
    clearInterval(asking);
    assert.ok(!closed.includes(busy ?? assert.fail()));
    assert.match(await asked(busy), /^HTTP\/1\.1 200 /);
    busy?.destroy();
  });
});
