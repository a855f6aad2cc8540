import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { EXIT } from '../../../cli/exit.ts';
import { runCli } from '../../../cli/program.ts';
import { processSurroundings } from '../../../cli/surroundings.ts';
import { TestCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { fingerprintOf, shownAt, TLS_PAIRS, tlsFilesIn } from '../../support/tls-pairs.ts';
import { until } from '../../support/until.ts';

const FREE = ['http.port=0', 'p2p.listen=/ip4/127.0.0.1/tcp/0', 'admin.listen=127.0.0.1:0'];

describe('entente run and SIGHUP', () => {
  const folder = temporaryFolders();

  it('reads a new certificate and a new secret at once, and stays with those before where the new ones are broken', async () => {
    const cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1000);
    const path = cli.path('DE');
    assert.equal((await cli.run('init', 'DE', '--dir', path)).exit, EXIT.ok);
    const [first, second] = TLS_PAIRS;
    const { paths, write } = tlsFilesIn(cli.dir, first);
    const listeners = new Map<string, () => void>();
    const [out, err]: [string[], string[]] = [[], []];
    let isTooLate = false;
    const settings = [...FREE, `http.tls.certFile=${paths.certFile}`, `http.tls.keyFile=${paths.keyFile}`];
    const running = runCli(['run', path, '--json', ...settings.flatMap((one) => ['--set', one])], {
      ...processSurroundings(),
      environment: {},
      writeOut: (text) => void out.push(text),
      writeErr: (text) => void err.push(text),
      onSignal: (name, listener) => void listeners.set(name, listener),
      endNow: () => (isTooLate = true),
    });
    const url = () => /"http":"(https:[^"]+)"/.exec(out.join(''))?.[1];
    await until(() => url() !== undefined && listeners.has('SIGHUP'), 'it listens');
    const port = Number(new URL(url() ?? '').port);
    const told = (text: string) => until(() => err.join('').includes(text), text, 5_000);
    assert.equal(await shownAt(port), fingerprintOf(first));
    write({ cert: second.cert, key: first.key });
    listeners.get('SIGHUP')?.();
    await told('the new certificate cannot be used');
    assert.equal(await shownAt(port), fingerprintOf(first));
    write(second);
    listeners.get('SIGHUP')?.();
    await told('a new certificate is in use');
    assert.equal(await shownAt(port), fingerprintOf(second));
    writeFileSync(cli.path('DE', 'admin.secret'), 'none');
    listeners.get('SIGHUP')?.();
    await told('the new secret cannot be used');
    const secret = 'n'.repeat(43);
    writeFileSync(cli.path('DE', 'admin.secret'), secret);
    listeners.get('SIGHUP')?.();
    await told('a new secret is in use');
    const admin = /"admin":"(http:[^"]+)"/.exec(out.join(''))?.[1];
    const answer = await fetch(`${admin}/v1/status`, { headers: { authorization: `Bearer ${secret}` } });
    assert.equal(answer.status, 200);
    listeners.get('SIGTERM')?.();
    assert.equal(await running, EXIT.ok);
    assert.ok(!isTooLate, 'it stops in time');
  });
});
