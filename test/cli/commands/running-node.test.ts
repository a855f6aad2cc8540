import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { TestCli } from '../../support/cli.ts';
import { RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const FREE = ['--set', 'http.port=0', '--set', 'p2p.listen=/ip4/127.0.0.1/tcp/0', '--set', 'log.level=warn'];

interface Peers {
  readonly isRunning: boolean;
  readonly peers: readonly { readonly region: string; readonly connected: readonly object[] }[];
}

describe('commands on a region whose node runs', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  const nodes: RunningNode[] = [];
  let cli: TestCli;
  let de: string;
  let fr: string;
  let first: RunningNode;

  before(async () => {
    cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1000);
    [de, fr] = [cli.path('DE'), cli.path('FR')];
    for (const region of ['DE', 'FR']) await cli.json('init', region, '--dir', cli.path(region));
    first = await RunningNode.start(de, ...FREE);
    nodes.push(first);
    await first.ready();
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
  });

  async function must(...args: readonly string[]): Promise<string> {
    const { exit, out, err } = await cli.run(...args);
    assert.equal(exit, 0, `${args.join(' ')}: ${err}`);
    return out.trimEnd();
  }

  async function issueOne(subject: string, ...more: readonly string[]): Promise<string> {
    return must('issue', de, '--subject', subject, '--colour', 'green', ...more);
  }

  /** The verdict of the node that runs. */
  async function verdict(code: string): Promise<string> {
    return (await cli.run('verify', '--node', first.url, code)).out;
  }

  it('issue gives a code that the node takes at once, on a device too, and on paper', async () => {
    const code = await issueOne('Person 1');
    assert.match(await verdict(code), /^PASS/);
    const device = cli.path('phone.json');
    await issueOne('Person 2', '--device', device);
    assert.match(await verdict(await must('present', device)), /^PASS/);
    const paper = await issueOne(
      'Person 3',
      '--paper',
      '--document-country',
      'DE',
      '--document-number',
      'C01X00T47',
    );
    assert.match(await verdict(paper), /^PASS/);
  });

  it('issue takes a file, keeps its order, and hides it in the log; codes prints them again', async () => {
    const people = cli.path('people.csv');
    writeFileSync(
      people,
      `subject,colour\n${Array.from({ length: 300 }, (_, i) => `P${i},green\n`).join('')}`,
    );
    const out = cli.path('codes.csv');
    const issued = await cli.run('issue', de, people, '--out', out);
    assert.equal(issued.exit, 0, issued.err);
    assert.match(issued.out, /^Issued 300 codes into log \S+, leaves \d+ to \d+; codes in [^\n]+\nSequenced/);
    assert.match(issued.err, /issued 300 of 300\n/);
    const rows = readFileSync(out, 'utf8').trimEnd().split('\n').slice(1);
    assert.deepEqual(
      rows.map((row) => row.split(',')[0]),
      Array.from({ length: 300 }, (_, i) => `P${i}`),
    );
    const places = rows.map((row) => Number(row.split(',')[2]));
    assert.notDeepEqual(
      places,
      places.toSorted((a, b) => a - b),
    );
    assert.equal((await must('codes', de, '--subject', 'P7')).split('\n')[1], rows[7]);
    const log = rows[0]?.split(',')[1] ?? '';
    const all = (await must('codes', de, '--log', log)).split('\n');
    for (const row of rows) assert.ok(all.includes(row));
    assert.equal((await cli.run('codes', de, '--subject', 'Nobody')).exit, 1);
    assert.equal((await cli.run('codes', de, '--log', '2019-01')).exit, 1);
  });

  it('revoke by text, place, person and device stops at once; a code of nobody is refused', async () => {
    const [text, place, person] = [await issueOne('A'), await issueOne('B'), await issueOne('C')];
    const holder = 'ab'.repeat(32);
    writeFileSync(cli.path('device.csv'), `subject,colour,device\nD,green,${holder}\n`);
    const device = JSON.parse((await cli.run('issue', de, cli.path('device.csv'), '--json')).out) as {
      code: string;
    };
    const [, log = '', index = ''] =
      (await must('codes', de, '--subject', 'B')).split('\n')[1]?.split(',') ?? [];
    await must('revoke', de, text);
    await must('revoke', de, `${log}/${index}`, '--root');
    await must('revoke', de, '--subject', 'C');
    await must('revoke', de, '--holder', holder);
    for (const code of [text, place, person, device.code])
      assert.match(await verdict(code), /^STOP[^]*REVOKED/);
    assert.match(await must('revoke', de, text), /revoked before/);
    for (const nothing of [[`${log}/999999`], ['--subject', 'Nobody']] as const) {
      const { exit, err } = await cli.run('revoke', de, ...nothing);
      assert.equal(exit, 1);
      assert.match(err, /\[NOT_(ISSUED|FOUND)\]/);
    }
  });

  it('the root signs here: recognise, withdraw and key compromise, which the node takes up with the new key', async () => {
    assert.match(await must('recognise', de, fr), /^DE recognises FR /);
    assert.match(await must('suspend', de, 'FR'), /is suspended, by entry \d+ /);
    assert.match((await cli.run('suspend', de, 'FR')).err, /FR is suspended: there is nothing to change/);
    assert.match(await must('withdraw', de, 'FR'), /is withdrawn, by entry \d+ /);
    assert.equal((await cli.run('withdraw', de, 'FR')).exit, 1);
    const { keys } = await cli.json<{ keys: { keyId: string; role: string; now: string }[] }>(
      'key',
      'list',
      de,
    );
    const attest = keys.find(({ role, now }) => role === 'attest' && now === 'in force');
    const kept = await issueOne('E');
    const log = `${new Date(1_000 * cli.nowS).toISOString().slice(0, 7)}=now`;
    await must('key', 'compromise', de, '--key', attest?.keyId ?? '', '--cut-off', log);
    assert.match(await verdict(await issueOne('F')), /^PASS/);
    assert.match(await verdict(kept), /^PASS/, 'below the cut-off');
    assert.match(await must('key', 'extend', de), /^Nothing is missing/);
    await must('state', de);
  });

  it('T3: key compromise of a checkpoint key lets the node sign all its logs anew, before the command ends', async () => {
    const { keys } = await cli.json<{ keys: { keyId: string; role: string; now: string }[] }>(
      'key',
      'list',
      de,
    );
    const old = keys.find(({ role, now }) => role === 'checkpoint' && now === 'in force');
    await must('key', 'compromise', de, '--key', old?.keyId ?? '');
    await must('log', 'verify', join(de, 'public'));
    await must('audit', 'replay', join(de, 'public'));
    await must('witness', fr, de);
    assert.match(await verdict(await issueOne('G')), /^PASS/);
    await must('key', 'rotate', de, '--role', 'checkpoint', 'attest');
    const { keys: known } = await cli.json<{ keys: typeof keys }>('key', 'list', de);
    const [current, fresh] = known.flatMap(({ keyId, role, now }) =>
      role === 'attest' && now === 'in force' ? [keyId] : [],
    );
    assert.match(
      (await cli.run('key', 'retire', de, '--key', current ?? '', '--key', fresh ?? '')).err,
      /no attest key is in force/,
    );
    const { next } = (
      await cli.json<{ keys: { next: string }[] }>('key', 'retire', de, '--key', current ?? '')
    ).keys[0] as { next: string };
    const { code } = await cli.json<{ code: { keyId: string } }>(
      ...['verify', '--region', de, await issueOne('I')],
    );
    assert.deepEqual([next, code.keyId], [fresh, fresh]);
    const all = await must('key', 'compromise', de, '--all-checkpoint', '--cut-off', 'trust=now');
    assert.match(all, /^4 checkpoint keys given up; 4 fresh keys/);
    assert.match(await verdict(await issueOne('H')), /^PASS/);
    await must('audit', 'replay', join(de, 'public'));
  });

  it('a root that is not at hand signs nothing, and says so', async () => {
    const { root } = await cli.json<{ root: { keys: { keyId: string }[] } }>('key', 'list', de);
    const file = join(de, 'keys', `root-${root.keys[0]?.keyId}.json`);
    renameSync(file, cli.path('root.json'));
    try {
      const { exit, err } = await cli.run('recognise', de, fr);
      assert.equal(exit, 78);
      assert.match(err, /\[KEY_FILE_MISSING\]/);
    } finally {
      renameSync(cli.path('root.json'), file);
    }
  });

  it('T26: who has not the secret of the node gets nothing done', async () => {
    const file = join(de, 'admin.secret');
    renameSync(file, cli.path('admin.secret'));
    try {
      assert.match((await cli.run('revoke', de, '--subject', 'Person 1')).err, /\[STORE_LOCKED\][^]*secret/);
      writeFileSync(file, `${'x'.repeat(43)}\n`, { mode: 0o600 });
      const { exit, err } = await cli.run('revoke', de, '--subject', 'Person 1');
      assert.equal(exit, 1);
      assert.match(err, /\[UNAUTHORISED\]/);
    } finally {
      renameSync(cli.path('admin.secret'), file);
    }
  });

  it('peer add, list and remove: a node connects to whom it is told of, and witnesses it', async () => {
    assert.match(await must('peer', 'list', fr), /^FR has no peers\.\nNo node runs here/);
    await must('recognise', de, fr);
    await must('recognise', fr, de);
    // What the directories said is forgotten, so that only the address can bring them together.
    for (const [path, other] of [
      [de, 'FR'],
      [fr, 'DE'],
    ] as const)
      await must('peer', 'remove', path, other);
    const second = await RunningNode.start(fr, ...FREE, '--without-peers');
    nodes.push(second);
    const { p2p = [] } = await second.event('listens');
    const mine = (await first.event('listens')).p2p ?? [];
    await must('peer', 'add', fr, 'DE', '--address', mine[0] ?? '');
    await must('peer', 'add', de, 'FR', '--address', p2p[0] ?? '');
    await second.ready();
    const { peers } = parse(readFileSync(join(de, 'entente.yaml'), 'utf8')) as { peers: object };
    assert.deepEqual(peers, { FR: { addresses: p2p } });
    const deadline = Date.now() + 30_000;
    for (;;) {
      const { isRunning, peers: listed } = await cli.json<Peers>('peer', 'list', de);
      assert.ok(isRunning);
      if ((listed[0]?.connected.length ?? 0) > 0) break;
      assert.ok(Date.now() < deadline, 'not connected within 30 s');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.match(await must('peer', 'list', de), /FR +\/ip4\/127\.0\.0\.1\/tcp\/\d+/);
    const { witnessed } = await cli.json<{ witnessed: { origin: string }[] }>('witness', de);
    assert.ok(witnessed.some(({ origin }) => origin === 'FR.demo/trust'));
    assert.ok(existsSync(join(de, 'public', 'cosignatures', 'FR.demo', 'trust')));
    assert.equal((await cli.run('peer', 'remove', de, 'IT')).exit, 1);
    assert.equal((await cli.run('peer', 'add', de, 'IT')).exit, 2);
    assert.equal((await cli.run('peer', 'add', de, 'IT', '--address', 'example.org:80')).exit, 78);
    assert.equal((await cli.run('peer', 'add', de, 'DE', '--address', p2p[0] ?? '')).exit, 78);
    assert.match((await cli.run('witness', de, cli.path('nobody'))).err, /DIRECTORY_MISSING/);
    assert.equal(await second.end('SIGTERM'), 0);
  });
});
