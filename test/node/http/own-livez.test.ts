import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { askOwnLivez } from '../../../node/http/own-livez.ts';
import { TestCli } from '../../support/cli.ts';
import { configOf } from '../../support/http-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { TLS_PAIRS } from '../../support/tls-pairs.ts';

describe('askOwnLivez', () => {
  const folder = temporaryFolders();
  const servers = new Set<Server>();
  afterEach(() => {
    for (const server of servers) server.close();
    servers.clear();
  });

  /** Answers with a status at /livez of a free port. */
  async function listening(server: Server, status = 200): Promise<number> {
    servers.add(server);
    server.on('request', ({ url }: { readonly url: string }, response) => {
      response.writeHead(url === '/livez' ? status : 404).end('alive');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as { readonly port: number }).port;
  }

  it('asks by HTTP, at loopback where the node listens at all addresses', async () => {
    const port = await listening(createServer());
    const url = `http://127.0.0.1:${port}/livez`;
    for (const address of ['127.0.0.1', '0.0.0.0'])
      assert.equal(await askOwnLivez(configOf(['http.port', `${port}`], ['http.address', address])), url);
  });

  it('asks by TLS where a certificate is configured, whomever that names', async () => {
    const port = await listening(createTlsServer({ ...TLS_PAIRS[0] }));
    const tls = configOf(
      ['http.port', `${port}`],
      ['http.tls.certFile', 'cert.pem'],
      ['http.tls.keyFile', 'key.pem'],
    );
    assert.equal(await askOwnLivez(tls), `https://127.0.0.1:${port}/livez`);
    await assert.rejects(askOwnLivez(configOf(['http.port', `${port}`])), { code: 'PEER_UNREACHABLE' });
  });

  it('rejects where something else answers, where nothing does, and where no port is known', async () => {
    const port = await listening(createServer(), 503);
    await assert.rejects(askOwnLivez(configOf(['http.port', `${port}`])), /answers with status 503/);
    for (const server of servers) server.close();
    await assert.rejects(askOwnLivez(configOf(['http.port', `${port}`])), /does not answer: .*ECONNREFUSED/);
    await assert.rejects(askOwnLivez(configOf()), { code: 'CONFIG_INVALID' });
  });

  it('entente status --live ends with 0 or 1, and refuses the URL of another node', async () => {
    const cli = new TestCli(folder());
    mkdirSync(cli.path('DE'));
    const port = await listening(createServer());
    const config = `format: 1\nregion: DE\nnetwork: demo\nname: DE\nhttp: {port: ${port}}\n`;
    writeFileSync(cli.path('DE', 'entente.yaml'), config);
    const alive = await cli.run('status', '--live', cli.path('DE'));
    assert.deepEqual([alive.exit, alive.out], [0, `It answers at http://127.0.0.1:${port}/livez\n`]);
    for (const server of servers) server.close();
    const dead = await cli.run('status', '--live', cli.path('DE'));
    assert.deepEqual([dead.exit, dead.out], [1, '']);
    assert.match(
      dead.err,
      /does not answer: .*\[PEER_UNREACHABLE\]\nLook at its log, and at `entente doctor /,
    );
    assert.equal((await cli.run('status', '--live', 'http://127.0.0.1:1')).exit, 2);
    assert.equal((await cli.run('status', '--live', cli.path('none'))).exit, 2);
  });
});
