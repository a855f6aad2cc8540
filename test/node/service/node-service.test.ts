import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdminClient } from '../../../node/http/admin-client.ts';
import { type IssuedCode } from '../../../node/http/admin-schemas.ts';
import { outcomeOf, spawnCli } from '../../support/cli.ts';
import { RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** Free ports for the peers, since an address that a trust log has named should still be right after a restart. */
const FREE = ['--set', 'http.port=0', '--set', 'p2p.listen=/ip4/127.0.0.1/tcp/0'];

describe('entente run', function () {
  this.timeout(180_000);
  const folder = temporaryFolders();
  const nodes: RunningNode[] = [];
  after(async () => {
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
  });

  async function cli(...args: readonly string[]) {
    return outcomeOf(spawnCli(args));
  }

  async function must(...args: readonly string[]): Promise<string> {
    const { exit, out, err } = await cli(...args);
    assert.equal(exit, 0, `${args.join(' ')}: ${err}`);
    return out;
  }

  async function started(...args: Parameters<typeof RunningNode.start>): Promise<RunningNode> {
    const node = await RunningNode.start(...args);
    nodes.push(node);
    return node;
  }

  /** Asks until the verdict is as it should be, within ten seconds. */
  async function outcomeOn(url: string, code: string, expected: RegExp): Promise<void> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const { out, err } = await cli('verify', '--node', url, code);
      if (expected.test(out)) return;
      assert.ok(Date.now() < deadline, `${out}${err}`);
    }
  }

  it('two regions meet by their directories; codes and revocations cross; a killed issuer turns nobody away', async () => {
    const dir = folder();
    const [de, fr] = [join(dir, 'DE'), join(dir, 'FR')];
    for (const path of [de, fr]) await must('init', path.slice(-2), '--dir', path);
    await must('recognise', de, fr);
    await must('recognise', fr, de);
    const [first, second] = await Promise.all([started(de, ...FREE), started(fr, ...FREE)]);
    await Promise.all([first.ready(), second.ready()]);

    const admin = new AdminClient({ listen: join(de, 'admin.sock'), secretFile: join(de, 'admin.secret') });
    const expiresAtS = Math.floor(Date.now() / 1000) + 86_400;
    const issue = async (subject: string) =>
      (await admin.ask({
        method: 'POST',
        path: '/v1/issue',
        body: { subject, status: { colour: 'green', expiresAtS } },
      })) as IssuedCode;
    const [kept, revoked] = [await issue('Person 1'), await issue('Person 2')];
    await outcomeOn(second.url, kept.code, /^PASS/);
    await outcomeOn(second.url, revoked.code, /^PASS/);
    await admin.ask({ method: 'POST', path: '/v1/revoke', body: { subject: 'Person 2' } });
    await outcomeOn(second.url, revoked.code, /^STOP[^]*REVOKED/);

    const status = await cli('status', de);
    assert.equal(status.exit, 0, status.err);
    assert.match(status.out, /^DE in network demo: it signs, and gives verdicts\n/);
    assert.match(status.out, /FR +recognised .* ago +\d+ s ago +direct +(?:[\d.]+ ms|yes)\n/);
    assert.match(status.out, /Nothing has to be done\.\n/);
    assert.match((await cli('status', second.url)).out, /^FR in network demo: ready\n/);

    assert.equal(await first.end('SIGKILL'), null);
    await outcomeOn(second.url, kept.code, /^PASS/);
    await outcomeOn(second.url, revoked.code, /^STOP/);
    // The first of two is dead: the second answers, and it is said.
    const both = await cli('verify', '--node', `${first.url},${second.url}`, kept.code);
    assert.equal(both.exit, 0, both.err);
    assert.match(both.err, /answers in place of/);
    const emergency = await cli('status', fr);
    assert.match(emergency.out, /DE +recognised .* no(?:: nothing listens there)?\n/);
    assert.match(emergency.out, /What to do:\n[^]*DE cannot be reached[^]*entente doctor/);

    // A8: nothing that was acknowledged is lost, and the same person keeps the code.
    const again = await started(de, ...FREE);
    await again.ready();
    await outcomeOn(again.url, kept.code, /^PASS/);
    await outcomeOn(again.url, revoked.code, /^STOP/);

    // What is said last is published in the end, with what the others' witnesses say: who reads files needs no round of witnessing.
    const last = await issue('Person 3');
    await admin.ask({ method: 'POST', path: '/v1/revoke', body: { subject: 'Person 1' } });
    await outcomeOn(second.url, last.code, /^PASS/);
    await outcomeOn(second.url, kept.code, /^STOP[^]*REVOKED/);
    assert.equal(await again.end('SIGTERM'), 0);
    assert.equal(await second.end('SIGINT'), 0);
    const textOf = (...path: string[]) => readFileSync(join(...path), 'utf8').split('\n\n')[0];
    const [shown, said] = [
      join(de, 'public/trust/checkpoint'),
      join(fr, 'public/cosignatures/DE.demo/trust'),
    ];
    assert.equal(textOf(said), textOf(shown));
    assert.match(readFileSync(said, 'utf8'), /^— FR\.demo\/witness /m);
    for (const path of [de, fr]) {
      assert.match((await cli('verify', '--region', path, last.code)).out, /^PASS/);
      assert.match((await cli('verify', '--region', path, kept.code)).out, /^STOP[^]*REVOKED/);
    }
    for (const path of [de, fr]) assert.ok(!existsSync(join(path, 'admin.sock')));
    for (const { log } of [first, second, again]) {
      for (const trace of ['ENT1:', 'Person ', kept.code.slice(5, 30)]) assert.ok(!log.includes(trace), log);
    }
  });

  it('B72: two processes of one directory, a port that is taken, a config that is wrong: it says so, and nothing is left running', async () => {
    const dir = folder();
    const path = join(dir, 'DE');
    await must('init', 'DE', '--dir', path);
    const node = await started(path, ...FREE);
    await node.event('ready');
    const twice = await cli('run', path, ...FREE);
    assert.equal(twice.exit, 1);
    assert.match(twice.err, /STORE_LOCKED/);
    const other = join(dir, 'FR');
    await must('init', 'FR', '--dir', other);
    const taken = await cli('run', other, ...FREE, '--set', `http.port=${new URL(node.url).port}`);
    assert.match(taken.err, /it is taken[^]*ADDRESS_UNUSABLE[^]*choose another port/);
    const wrong = await cli('run', other, ...FREE, '--set', 'http.prot=1');
    assert.match(wrong.err, /did you mean http\.port\?/);
    assert.equal(wrong.exit, 78);
    assert.equal(await node.end(), 0);
    writeFileSync(join(other, 'admin.secret'), 'x'.repeat(40), { mode: 0o644 });
    const mode = await cli('run', other, ...FREE);
    assert.match(mode.err, /KEY_FILE_MODE/);
    assert.equal(mode.exit, 78, 'B71');
    assert.match(readFileSync(join(other, 'entente.yaml'), 'utf8'), /^# The node of one region/);
    assert.equal(statSync(join(path, 'keys')).mode & 0o077, 0);
  });
});
