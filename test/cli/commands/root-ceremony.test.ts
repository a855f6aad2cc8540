import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hexBytes } from '../../../protocol/bytes.ts';
import { encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { encodeStatement } from '../../../protocol/trust/statement.ts';
import { type Statement } from '../../../protocol/trust/statement-schema.ts';
import { TestCli } from '../../support/cli.ts';
import { eventually } from '../../support/federation.ts';
import { testKey } from '../../support/region-fixture.ts';
import { RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const FREE = ['--set', 'http.port=0', '--set', 'p2p.listen=/ip4/127.0.0.1/tcp/0', '--set', 'log.level=warn'];
const PASSPHRASE = 'five words that mean nothing';

describe('entente root, in hands that err or are misled', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let template: object;
  let keys: readonly string[];

  const path = (...names: readonly string[]) => cli.path(...names);
  const rootKeys = () => readdirSync(path('DE/keys')).filter((name) => name.startsWith('root-'));
  const media = (...names: readonly string[]) => names.flatMap((name) => ['--medium', path(name)]);
  const size = async () => (await cli.json<{ size: number }>('inspect', path('DE/public/trust'))).size;
  const sign = (draft: string, key = 0, ...more: readonly string[]) =>
    cli.run('root', 'sign', draft, '--key', keys[key] ?? '', '--passphrase-file', path('pass.txt'), ...more);

  /** A draft that somebody made by hand. */
  function draftOf(name: string, ...statements: readonly Statement[]): string {
    const bodies = statements.map((one) => Buffer.from(encodeStatement(one)).toString('base64'));
    const told = { ...template, statements: bodies.map((body) => ({ body, signatures: [] })) };
    writeFileSync(path(name), JSON.stringify(told));
    return path(name);
  }

  beforeEach(async () => {
    cli = new TestCli(folder());
    writeFileSync(path('pass.txt'), `${PASSPHRASE}\n`);
    for (const medium of ['usb0', 'usb1', 'usb2']) mkdirSync(path(medium));
    await initialised();
  });

  async function initialised(): Promise<void> {
    await cli.json('init', 'DE', '--dir', path('DE'), '--roots', '2', '--threshold', '2');
    const fingerprint = ['--region', 'FR', '--fingerprint', 'ab'.repeat(32)];
    rmSync(path('template.json'), { force: true });
    await cli.json('recognise', path('DE'), ...fingerprint, '--draft', path('template.json'));
    template = JSON.parse(readFileSync(path('template.json'), 'utf8')) as object;
  }

  const sealed = async () => {
    const pass = ['--passphrase-file', path('pass.txt')];
    const { keys: made } = await cli.json<{ keys: readonly { file: string }[] }>(
      ...['root', 'seal', path('DE'), ...media('usb0', 'usb1'), ...pass],
    );
    keys = made.map(({ file }) => file);
  };

  it('seal and init take one passphrase from a pipe for all media', async () => {
    const pass = ['--passphrase-file', '-'];
    const stdin = `${PASSPHRASE}\n`;
    const moved = await cli.runWith(stdin, 'root', 'seal', path('DE'), ...media('usb0', 'usb1'), ...pass);
    assert.equal(moved.exit, 0, moved.err);
    assert.deepEqual(rootKeys(), []);
    const made = await cli.runWith(stdin, 'root', 'init', 'FR', ...media('usb1', 'usb2'), ...pass);
    assert.equal(made.exit, 0, made.err);
  });

  it('seal removes no key before all are sealed, and writes none before all passphrases are typed', async () => {
    cli.typed = [PASSPHRASE, PASSPHRASE, PASSPHRASE, 'something else altogether'];
    const unlike = await cli.run('root', 'seal', path('DE'), ...media('usb0', 'usb1'));
    assert.deepEqual([unlike.exit, /nothing was written/.test(unlike.err)], [2, true]);
    assert.deepEqual([rootKeys().length, readdirSync(path('usb0'))], [2, []]);
    // A medium that takes no file: what is to be its key lies there as a folder.
    const [, second = ''] = rootKeys();
    mkdirSync(path('usb1', second.replace('.json', '.sealed.json'), 'full'), { recursive: true });
    const pass = ['--passphrase-file', path('pass.txt')];
    const full = await cli.run('root', 'seal', path('DE'), ...media('usb0', 'usb1'), ...pass);
    assert.notEqual(full.exit, 0);
    assert.equal(rootKeys().length, 2, 'the first is still there');
  });

  it('init and seal put no two keys on one medium', async () => {
    symlinkSync(path('usb0'), path('same'));
    const pass = ['--passphrase-file', path('pass.txt')];
    for (const two of [media('usb0', 'usb0'), media('usb0', 'same')]) {
      for (const what of [
        ['init', 'FR'],
        ['seal', path('DE')],
      ]) {
        const { exit, err } = await cli.run('root', ...what, ...two, ...pass);
        assert.deepEqual([exit, /twice/.test(err)], [2, true]);
      }
    }
    assert.deepEqual([rootKeys().length, readdirSync(path('usb0'))], [2, []]);
  });

  it('--draft is refused before any key is made, where a file is there already or its folder is not', async () => {
    cli.nowS += 40 * 86_400;
    const before = readdirSync(path('DE/keys'));
    for (const file of ['template.json', 'nowhere/x.json'])
      for (const command of [
        ['key', 'extend', path('DE')],
        ['withdraw', path('DE'), 'FR'],
        ['root', 'rotate', path('DE'), '--key', 'ab'.repeat(32)],
      ])
        assert.equal((await cli.run(...command, '--draft', path(file))).exit, 2, command.join(' '));
    assert.deepEqual(readdirSync(path('DE/keys')), before);
  });

  it('B17: show, sign and inspect print no text of a statement as it is, nor less of it than there is', async () => {
    await sealed();
    const at = cli.nowS;
    const hide = '/ip4/10.0.0.1\r\u001b[15A\u001b[JFor the root of DE.demo to sign, 1 statement:\n\u3164';
    const draft = draftOf(
      'hide.json',
      { kind: 'node', at, key: testKey('a node').publicKey, addresses: [hide], from: at, until: at + 3_600 },
      {
        kind: 'rules',
        at,
        id: 'x',
        version: 1,
        from: at,
        data: { list: ['\u001b]0;title\u0007', 'a'.repeat(300), 'the end'] },
      },
    );
    const shown = await cli.run('root', 'show', draft);
    const signing = await sign(draft);
    assert.deepEqual([shown.exit, signing.exit], [0, 0]);
    for (const text of [shown.out, signing.err]) {
      assert.doesNotMatch(text, /[\u001b\r\u0007\u3164]/);
      assert.match(text, /\\u\{1b\}\[15A[^]*\\u\{3164\}[^]*\\u\{1b\}\]0;title[^]*"the end"/);
    }
    // Nor for programs: the same text, with that as its number.
    const shownAsJson = await cli.run('root', 'show', draft, '--json');
    assert.doesNotMatch(shownAsJson.out, /\u3164/);
    assert.ok(JSON.stringify(JSON.parse(shownAsJson.out)).includes('\u3164'));
    await sign(draft, 1);
    const logged = await cli.run('root', 'submit', path('DE'), draft);
    assert.equal(logged.exit, 0, logged.err);
    const index = String((await size()) - 2);
    const { out } = await cli.run('inspect', path('DE/public/trust'), '--index', index);
    assert.doesNotMatch(out, /[\u001b\r]/);
    assert.match(out, /\\u\{1b\}\[15A/);
  });

  it('show and sign tell all indexes that a revocation names, sign before it signs and with --json too', async () => {
    await sealed();
    const set = encodeIndexSet(Float64Array.from([...Array(5_000).keys(), 7_000]));
    const at = cli.nowS;
    const draft = draftOf('many.json', { kind: 'revocation', at, log: '2026-11', effective: at, set });
    for (const text of [(await cli.run('root', 'show', draft)).out, (await sign(draft)).err])
      assert.match(text, /set: 5,001 indexes: 0-4999 7000\n/);
    const { err } = await sign(draft, 1, '--json');
    const told = JSON.parse(err) as { statements: readonly { kind: string; set: readonly number[] }[] };
    assert.deepEqual(told.statements[0]?.set, [...Array(5_000).keys(), 7_000]);
    rmSync(path('pass.txt'));
    const unsigned = await sign(draft, 0, '--json');
    assert.notEqual(unsigned.exit, 0);
    assert.match(unsigned.err, /"kind":"revocation"/);
  });

  /** Submits a draft of which the second statement would have no effect, and then the first alone. */
  async function submitHalf(): Promise<void> {
    const at = cli.nowS;
    const limits: Statement = { kind: 'limits', at, version: 1, revocationsPerHour: 7 };
    const unknown = hexBytes('ab'.repeat(8));
    const before = await size();
    const half = draftOf('half.json', limits, {
      kind: 'compromise',
      at,
      key: unknown,
      version: 1,
      cutoffs: [],
    });
    for (const key of [0, 1]) assert.equal((await sign(half, key)).exit, 0);
    const { exit, err } = await cli.run('root', 'submit', path('DE'), half);
    assert.deepEqual([exit, /REFUSED/.test(err)], [1, true], err);
    assert.match(err, /statement 2 of 2, compromise, would have no effect/);
    assert.equal(await size(), before);
    const whole = draftOf('whole.json', limits);
    for (const key of [0, 1]) await sign(whole, key);
    const logged = await cli.run('root', 'submit', path('DE'), whole);
    assert.equal(logged.exit, 0, logged.err);
    assert.equal(await size(), before + 1);
  }

  it('submit logs a whole draft or nothing, and names the statement that would have no effect', async () => {
    await sealed();
    await submitHalf();
  });

  it('submit refuses drafts of rules that fit no more into what was logged since, and logs nothing of them', async () => {
    await sealed();
    const drafted = async (name: string, id: string, version: number, from: string) => {
      const example = `{ name: open, at: ${from}T12:00:00Z, facts: {}, expect: { open: [declared, consent] } }`;
      const rules = `id: ${id}\nversion: ${version}\nbase: { id: baseline, version: 1 }\nfrom: ${from}\nexamples:\n  - ${example}\n`;
      writeFileSync(path(`${name}.yaml`), rules);
      const draft = path(`${name}.json`);
      await cli.json('rules', 'activate', path('DE'), path(`${name}.yaml`), '--draft', draft);
      for (const one of [0, 1]) assert.equal((await sign(draft, one)).exit, 0);
    };
    const submit = (name: string, ...more: readonly string[]) =>
      cli.run('root', 'submit', path('DE'), path(`${name}.json`), ...more);
    const aheadS = cli.nowS + 10 * 86_400;
    await drafted('one', 'de', 1, '2026-01-01');
    await drafted('two', 'de-two', 1, '2026-01-01');
    await drafted('ahead', 'de', 2, new Date(aheadS * 1_000).toISOString().slice(0, 10));
    assert.equal((await submit('one')).exit, 0);
    const before = await size();
    const undecided = await submit('two');
    assert.deepEqual([undecided.exit, /\[RULES_UNDECIDED\]/.test(undecided.err)], [1, true], undecided.err);
    const early = await submit('ahead');
    assert.deepEqual([early.exit, /\[RULES_AHEAD\]/.test(early.err)], [1, true], early.err);
    assert.equal(await size(), before);
    assert.equal((await submit('two', '--undecided')).exit, 0);
    cli.nowS = aheadS;
    const { exit, err } = await submit('ahead');
    assert.equal(exit, 0, err);
  });

  it('key retire: not below the threshold, of two drafted side by side the second not, nor what comes when the key is over', async () => {
    await sealed();
    const { keys: known } = await cli.json<{ keys: readonly { keyId: string; role: string }[] }>(
      ...['key', 'list', path('DE')],
    );
    const key = known.find(({ role }) => role === 'attest')?.keyId ?? assert.fail();
    const hourS = cli.nowS - (cli.nowS % 3_600);
    const drafted = async (name: string, hours: number) => {
      const until = ['--until', String(hourS + hours * 3_600), '--leave-none'];
      const retire = ['key', 'retire', path('DE'), '--key', key, ...until, '--draft', path(name)];
      const { exit, err } = await cli.run(...retire);
      assert.equal(exit, 0, err);
      return path(name);
    };
    const [first, second] = [await drafted('a.json', 9), await drafted('b.json', 8)];
    const before = await size();
    assert.equal((await sign(first)).exit, 0);
    const alone = await cli.run('root', 'submit', path('DE'), first);
    assert.notEqual(alone.exit, 0);
    assert.match(alone.err, /signatures that it needs are missing \[DRAFT_INCOMPLETE\]/);
    for (const [draft, one] of [
      [first, 1],
      [second, 0],
      [second, 1],
    ] as const)
      assert.equal((await sign(draft, one)).exit, 0);
    const untilOf = async () => {
      const { keys } = await cli.json<{ keys: readonly { keyId: string; untilS: number }[] }>(
        ...['key', 'list', path('DE')],
      );
      return keys.find(({ keyId }) => keyId === key)?.untilS;
    };
    const unaware = await cli.run('root', 'submit', path('DE'), first);
    assert.match(unaware.err, /no attest key is in force from [^]*\[REFUSED\][^]*--leave-none/);
    assert.equal(await size(), before);
    assert.equal((await cli.run('root', 'submit', path('DE'), first, '--leave-none')).exit, 0);
    assert.equal(await untilOf(), hourS + 9 * 3_600);
    const raced = await cli.run('root', 'submit', path('DE'), second, '--leave-none');
    assert.match(raced.err, /retirement, would have no effect: [^]*version above 1[^]*\[REFUSED\]/);
    const late = await drafted('late.json', 1);
    for (const one of [0, 1]) await sign(late, one);
    cli.nowS = hourS + 3_600;
    const { exit, err } = await cli.run('root', 'submit', path('DE'), late, '--leave-none');
    assert.deepEqual([exit, /was to be retired 0 s ago[^]*\[REFUSED\]/.test(err)], [1, true], err);
    assert.deepEqual([await untilOf(), await size()], [hourS + 9 * 3_600, before + 1]);
  });

  it('key retire: of two keys drafted side by side, each with the other in its place, the second stays', async () => {
    type Keys = { keys: readonly { keyId: string; role: string; fromS: number; untilS: number }[] };
    await cli.json('key', 'rotate', path('DE'), '--role', 'trust-log');
    await sealed();
    const { keys: known } = await cli.json<Keys>('key', 'list', path('DE'));
    const both = known.filter((key) => key.role === 'trust-log' && key.fromS <= cli.nowS);
    assert.equal(both.length, 2);
    const until = String(cli.nowS - (cli.nowS % 3_600) + 2 * 3_600);
    for (const [i, { keyId }] of both.entries()) {
      const draft = path(`retire${i}.json`);
      await cli.json('key', 'retire', path('DE'), '--key', keyId, '--until', until, '--draft', draft);
      for (const one of [0, 1]) assert.equal((await sign(draft, one)).exit, 0);
    }
    await cli.json('root', 'submit', path('DE'), path('retire0.json'));
    const before = await size();
    const { exit, err } = await cli.run('root', 'submit', path('DE'), path('retire1.json'));
    assert.equal(exit, 1);
    assert.match(err, /no trust-log key is in force from [^]*\[REFUSED\]/);
    assert.equal(await size(), before);
  });

  it('submit to a node that runs logs a whole draft or nothing too', async () => {
    rmSync(path('DE'), { recursive: true });
    cli.nowS = Math.floor(Date.now() / 1_000);
    await initialised();
    await sealed();
    const before = await size();
    const node = await RunningNode.start(path('DE'), ...FREE);
    try {
      await node.ready();
      // It logs who it is by itself.
      await eventually(size, (now) => now > before);
      await submitHalf();
    } finally {
      await node.end('SIGKILL');
    }
  });
});
