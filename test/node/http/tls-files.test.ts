import assert from 'node:assert/strict';
import { join } from 'node:path';
import { TlsFiles } from '../../../node/http/tls-files.ts';
import { WebServer } from '../../../node/http/web-server.ts';
import { openLog } from '../../../node/logging/log.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { configOf } from '../../support/http-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { fingerprintOf, shownAt, TLS_PAIRS, tlsFilesIn } from '../../support/tls-pairs.ts';

describe('TlsFiles', () => {
  const folder = temporaryFolders();
  const [first, second] = TLS_PAIRS;

  function files(pair: { cert: string; key: string }) {
    const { paths, write } = tlsFilesIn(folder(), pair);
    const lines: string[] = [];
    let heard: () => void = () => undefined;
    const log = openLog({ level: 'info', format: 'json' }, (line) => {
      lines.push(line);
      heard();
    });
    const nextLine = () => new Promise<void>((resolve) => (heard = resolve));
    return { paths, write, lines, nextLine, tls: new TlsFiles({ ...paths, lookMs: 20 }, { log }) };
  }

  it('B71: refuses files that are absent, cut short, or do not belong together', async () => {
    const { paths, tls, write } = files(first);
    assert.deepEqual(await tls.read(), first);
    write({ cert: first.cert, key: second.key });
    await assert.rejects(tls.read(), (error) => isNodeError(error, 'KEY_FILE_INVALID'));
    write({ cert: first.cert.slice(0, 200), key: first.key });
    await assert.rejects(tls.read(), (error) => isNodeError(error, 'KEY_FILE_INVALID'));
    const absent = new TlsFiles(
      { ...paths, keyFile: join(folder(), 'none') },
      { log: openLog({ level: 'silent', format: 'json' }, () => undefined) },
    );
    await assert.rejects(absent.read(), (error) => isNodeError(error, 'KEY_FILE_MISSING'));
  });

  it('a server goes on with the new certificate, and keeps the old one while the new is broken', async () => {
    const { write, lines, nextLine, tls } = files(first);
    const { limits } = configOf();
    const server = new WebServer(
      { listen: { host: '127.0.0.1', port: 0 }, limits },
      { fetch: () => new Response('ok'), tls },
    );
    await server.start();
    const port = Number(new URL(server.address).port);
    assert.equal(await shownAt(port), fingerprintOf(first));
    let line = nextLine();
    write({ cert: 'broken', key: second.key });
    await line;
    assert.match(lines.at(-1) ?? '', /cannot be used/);
    assert.equal(await shownAt(port), fingerprintOf(first));
    line = nextLine();
    write(second);
    while (!lines.some((text) => text.includes('a new certificate is in use'))) {
      await line;
      line = nextLine();
    }
    assert.equal(await shownAt(port), fingerprintOf(second));
    await server.stop();
  });
});
