import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { TlsFiles } from '../../../node/http/tls-files.ts';
import { WebServer, type WebServerLimits } from '../../../node/http/web-server.ts';
import { openLog } from '../../../node/logging/log.ts';
import { configOf } from '../../support/http-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { fingerprintOf, shownAt, TLS_PAIRS, tlsFilesIn } from '../../support/tls-pairs.ts';

describe('WebServer over TLS', () => {
  const folder = temporaryFolders();
  const [pair] = TLS_PAIRS;

  /** With a client that is connected and begins no handshake. */
  async function serving(changes: Partial<WebServerLimits>, stopMs?: number) {
    const { paths } = tlsFilesIn(folder(), pair);
    const log = openLog({ level: 'silent', format: 'json' }, () => undefined);
    const server = new WebServer(
      {
        listen: { host: '127.0.0.1', port: 0 },
        limits: { ...configOf().limits, ...changes },
        ...(stopMs !== undefined && { stopMs }),
      },
      { fetch: () => new Response('ok'), tls: new TlsFiles(paths, { log }) },
    );
    await server.start();
    const port = Number(new URL(server.address).port);
    const silent: Socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(silent.resume(), 'connect');
    // Whoever comes later is served: so the first has been accepted.
    assert.equal(await shownAt(port), fingerprintOf(pair));
    return { server, silent };
  }

  it('B68: who begins no handshake is closed in the time for the head of a request', async () => {
    const { server, silent } = await serving({ headerTimeoutMs: 200 });
    await once(silent, 'close');
    await server.stop();
  });

  it('B68: who begins no handshake does not hold up the end', async () => {
    const { server, silent } = await serving({}, 50);
    const closed = once(silent, 'close');
    await server.stop();
    await closed;
  });
});
