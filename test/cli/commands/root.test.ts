import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { TestCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Made {
  readonly keys: readonly { readonly publicKey: string; readonly file: string }[];
}

describe('entente root', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  let pass: readonly string[];
  let old: string;
  let made: Made['keys'];

  const path = (...names: readonly string[]) => cli.path(...names);
  const sign = (draft: string, key: string, ...more: readonly string[]) =>
    cli.run('root', 'sign', path(draft), '--key', key, ...pass, ...more);
  const size = async () => (await cli.json<{ size: number }>('inspect', path('DE/public/trust'))).size;

  before(async () => {
    cli = new TestCli(folder());
    writeFileSync(path('pass.txt'), 'five words that mean nothing\n');
    pass = ['--passphrase-file', path('pass.txt')];
    for (const region of ['DE', 'FR']) await cli.json('init', region, '--dir', path(region));
    for (const medium of ['usb0', 'usb1', 'usb2', 'usb3']) mkdirSync(path(medium));
  });

  it('seal moves the root keys of a region to media, and nothing of them stays', async () => {
    const [file = ''] = readdirSync(path('DE/keys')).filter((name) => name.startsWith('root-'));
    const { secretKey } = JSON.parse(readFileSync(path('DE/keys', file), 'utf8')) as { secretKey: string };
    const two = ['--medium', path('usb0'), '--medium', path('usb1')];
    assert.equal((await cli.run('root', 'seal', path('DE'), ...two, ...pass)).exit, 2);
    writeFileSync(path('weak.txt'), 'short\n');
    const weak = ['--medium', path('usb0'), '--passphrase-file', path('weak.txt')];
    assert.equal((await cli.run('root', 'seal', path('DE'), ...weak)).exit, 2);
    assert.ok(readdirSync(path('DE/keys')).includes(file), 'nothing moves before it is sealed');
    const sealed = await cli.json<Made>('root', 'seal', path('DE'), '--medium', path('usb0'), ...pass);
    old = sealed.keys[0]?.file ?? assert.fail();
    assert.ok(!readFileSync(old, 'utf8').includes(secretKey));
    assert.deepEqual(
      readdirSync(path('DE/keys')).filter((name) => name.startsWith('root')),
      [],
    );
    assert.equal((await cli.run('root', 'seal', path('DE'), '--medium', path('usb0'), ...pass)).exit, 1);
    assert.match((await cli.run('recognise', path('DE'), path('FR'))).err, /takes --draft/);
  });

  it('init, rotate, sign, merge and submit put other keys in the place of the root, under the same fingerprint', async () => {
    const before = await cli.json<{ root: { version: number } }>('key', 'list', path('DE'));
    const media = ['usb1', 'usb2', 'usb3'].flatMap((name) => ['--medium', path(name)]);
    const told = await cli.run('root', 'init', 'DE', '--network', 'demo', ...media.slice(0, 2), ...pass);
    assert.match(told.out, /for the root of DE in network demo/);
    assert.doesNotMatch(told.err, /No --network/);
    const untold = await cli.run('root', 'init', 'DE', ...media, ...pass, '--json');
    assert.match(untold.err, /No --network was told: these keys are of the network demo/);
    made = (JSON.parse(untold.out) as Made).keys;
    const keys = made.flatMap(({ publicKey }) => ['--key', publicKey]);
    const rotation = ['root', 'rotate', path('DE'), ...keys, '--draft', path('rotation.json')];
    const { out } = await cli.run(...rotation);
    assert.match(out, /Nothing is logged yet/);
    assert.equal((await cli.run(...rotation)).exit, 2, 'a draft may hold signatures: it is not written over');
    const early = await cli.run('root', 'submit', path('DE'), path('rotation.json'));
    assert.deepEqual([early.exit, /DRAFT_INCOMPLETE/.test(early.err)], [4, true]);
    const copies: string[] = [];
    for (const [i, key] of [old, made[0]?.file ?? '', made[2]?.file ?? ''].entries()) {
      copies.push(path(`${i}.json`));
      const { exit, err } = await sign('rotation.json', key, '--out', path(`${i}.json`));
      assert.equal(exit, 0);
      assert.match(err, /kind: root[^]*threshold: 2[^]*digest: /, 'what is signed is shown before');
    }
    const merged = await cli.run('root', 'merge', ...copies, '--out', path('all.json'));
    assert.match(merged.out, /Enough have signed/);
    assert.equal((await cli.run('root', 'submit', path('FR'), path('all.json'))).exit, 2);
    assert.equal((await cli.run('root', 'submit', path('DE'), path('all.json'))).exit, 0);
    const after = await cli.json<{ root: { version: number; threshold: number } }>('key', 'list', path('DE'));
    assert.deepEqual([before.root.version, after.root.version, after.root.threshold], [1, 2, 2]);
    const again = await cli.run('root', 'submit', path('DE'), path('all.json'));
    assert.deepEqual([again.exit, /REFUSED/.test(again.err)], [1, true]);
  });

  it('what the new root signs elsewhere counts: a recognition by --draft, and codes pass by it', async () => {
    const peers = readFileSync(path('DE/entente.yaml'), 'utf8');
    const draft = ['--draft', path('recognition.json')];
    assert.equal((await cli.run('recognise', path('DE'), path('FR'), ...draft)).exit, 0);
    assert.notEqual(readFileSync(path('DE/entente.yaml'), 'utf8'), peers);
    const of = await sign('recognition.json', old);
    assert.deepEqual(
      [of.exit, /none of those that sign/.test(of.err)],
      [1, true],
      'the old root signs no more',
    );
    writeFileSync(path('wrong.txt'), 'five words that mean little\n');
    const wrong = ['--key', made[0]?.file ?? '', '--passphrase-file', path('wrong.txt')];
    const refused = await cli.run('root', 'sign', path('recognition.json'), ...wrong);
    assert.deepEqual([refused.exit, /PASSPHRASE_WRONG/.test(refused.err)], [78, true]);
    const unsigned = readFileSync(path('recognition.json'), 'utf8');
    assert.match((await sign('recognition.json', made[1]?.file ?? '')).out, /Still to sign: 1 of the root/);
    assert.notEqual(readFileSync(path('recognition.json'), 'utf8'), unsigned);
    await sign('recognition.json', made[2]?.file ?? '');
    const before = await size();
    assert.equal((await cli.run('root', 'submit', path('DE'), path('recognition.json'))).exit, 0);
    assert.equal(await size(), before + 1);

    await cli.json('recognise', path('FR'), path('DE'));
    const order = ['--subject', 'Person 00001', '--colour', 'green'];
    const { code } = await cli.json<{ code: string }>('issue', path('FR'), ...order);
    for (const region of ['FR', 'DE', 'FR']) await cli.run('witness', path(region));
    assert.equal((await cli.run('verify', '--region', path('DE'), code)).exit, 0);
    const { code: own } = await cli.json<{ code: string }>('issue', path('DE'), ...order);
    await cli.run('witness', path('FR'));
    assert.equal((await cli.run('verify', '--region', path('FR'), own)).exit, 0);
    const shown = await cli.json<{ boards: readonly { missing: number }[] }>(
      'root',
      'show',
      path('recognition.json'),
    );
    assert.equal(shown.boards[0]?.missing, 0);
  });

  it('--draft of withdraw, key extend, key rotate, key compromise and revoke --root logs nothing until it is submitted', async () => {
    const { keys } = await cli.json<{ keys: readonly { keyId: string; role: string }[] }>(
      'key',
      'list',
      path('DE'),
    );
    const key = keys.find(({ role }) => role === 'attest')?.keyId ?? assert.fail();
    let known = await size();
    cli.nowS += 10 * 86_400;
    const commands = [
      ['revoke', path('DE'), '2026-11/0', '--root'],
      ['key', 'compromise', path('DE'), '--key', key, '--cut-off', '2026-11=now'],
      ['key', 'extend', path('DE')],
      ['key', 'rotate', path('DE'), '--role', 'witness'],
      ['withdraw', path('DE'), 'FR'],
    ];
    for (const [i, command] of commands.entries()) {
      const draft = `draft ${i}.json`;
      assert.equal(
        (await cli.run(...command, '--without-peers', '--draft', path(draft))).exit,
        0,
        command.join(' '),
      );
      assert.equal(await size(), known);
      for (const { file } of made.slice(0, 2)) assert.equal((await sign(draft, file)).exit, 0);
      const { exit, err } = await cli.run('root', 'submit', path('DE'), path(draft), '--without-peers');
      assert.equal(exit, 0, err);
      const now = await size();
      assert.ok(now > known);
      known = now;
    }
    assert.equal((await cli.run('revoke', path('DE'), '2026-11/0', '--draft', path('x.json'))).exit, 2);
  });

  it('says in words what it cannot do', async () => {
    const usage = [
      ['root', 'init', 'DE', '--medium', path('nowhere'), ...pass],
      ['root', 'init', 'de', '--medium', path('usb1'), ...pass],
      ['root', 'init', 'DE', '--network', 'A b', '--medium', path('usb1'), ...pass],
      ['root', 'init', 'DE', '--medium', path('usb1')],
      ['root', 'init', 'DE', '--medium', path('usb1'), '--passphrase-file', '/dev/null'],
      ['root', 'rotate', path('DE'), '--key', 'abcd', '--draft', path('y.json')],
      [
        'root',
        'rotate',
        path('DE'),
        '--key',
        'ab'.repeat(32),
        '--key',
        'AB'.repeat(32),
        '--draft',
        path('y.json'),
      ],
      ['root', 'rotate', path('DE'), '--key', 'ab'.repeat(32), '--threshold', '2', '--draft', path('y.json')],
      ['root', 'show', path('nowhere.json')],
      ['root', 'merge', path('all.json'), path('all.json'), '--out', path('all.json')],
    ];
    for (const args of usage) assert.equal((await cli.run(...args)).exit, 2, args.join(' '));
    const nowhere = path('nowhere.txt');
    for (const args of [
      ['init', 'DE', '--medium', path('usb1')],
      ['sign', path('all.json'), '--key', made[0]?.file ?? ''],
    ]) {
      const { exit, err } = await cli.run('root', ...args, '--passphrase-file', nowhere);
      assert.equal(exit, 2, args.join(' '));
      assert.ok(err.includes(`no file ${nowhere} to take the passphrase from`), err);
      assert.match(err, /Name a file with the passphrase in its first line/);
    }
    const inconsistent = [
      ['root', 'show', path('DE/entente.yaml')],
      ['root', 'merge', path('all.json'), path('recognition.json'), '--out', path('z.json')],
    ];
    for (const args of inconsistent) assert.equal((await cli.run(...args)).exit, 5, args.join(' '));
    const other = await cli.json<Made>('root', 'init', 'FR', '--medium', path('usb0'), ...pass);
    const foreign = await sign('all.json', other.keys[0]?.file ?? '');
    assert.deepEqual([foreign.exit, /the key of FR/.test(foreign.err)], [5, true]);
  });
});
