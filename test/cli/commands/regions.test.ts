import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recognisedText } from '../../../cli/commands/status.ts';
import { copyWorld, makeWorld, type World } from '../../support/cli-world.ts';
import { TestCli } from '../../support/cli.ts';
import { Clock, DAY_S, inRegion } from '../../support/regions.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('entente init', () => {
  const folder = temporaryFolders();

  it('says where things are and what the fingerprint is', async () => {
    const cli = new TestCli(folder());
    const { exit, out } = await cli.run(
      'init',
      'CN-33',
      '--dir',
      cli.path('r'),
      '--name',
      '浙江',
      '--roots',
      '3',
      '--threshold',
      '2',
    );
    assert.equal(exit, 0);
    assert.match(out, /Region CN-33 is set up/);
    assert.match(out, /fingerprint +([0-9a-f]{4} ){15}[0-9a-f]{4}\n/);
    assert.match(out, /2 of 3 keys/);
    assert.deepEqual(readdirSync(cli.path('r')).sort(), [
      'entente.yaml',
      'keys',
      'public',
      'second-place',
      'store',
    ]);
  });

  it('asks for a majority of several roots unless told otherwise', async () => {
    const cli = new TestCli(folder());
    const thresholds = [];
    for (const roots of ['1', '2', '3', '5']) {
      thresholds.push(
        (await cli.json<{ threshold: number }>('init', 'DE', '--dir', cli.path(roots), '--roots', roots))
          .threshold,
      );
    }
    assert.deepEqual(thresholds, [1, 2, 2, 3]);
  });

  it('refuses to overwrite', async () => {
    const cli = new TestCli(folder());
    await cli.json('init', 'DE', '--dir', cli.path('DE'));
    const before = readFileSync(cli.path('DE/public/trust/checkpoint'));
    const { exit, err } = await cli.run('init', 'DE', '--dir', cli.path('DE'));
    assert.equal(exit, 1);
    assert.match(err, /DIRECTORY_EXISTS[^]*Nothing was changed/);
    assert.deepEqual(readFileSync(cli.path('DE/public/trust/checkpoint')), before);
  });

  for (const [what, args] of [
    ['B70 region id in Cyrillic (T19)', ['CN-СН']],
    ['B70 region id in lower case', ['de']],
    ['B70 region id of four parts', ['CN-3333']],
    ['B70 network with a dot', ['DE', '--network', 'a.b']],
    ['B70 no root', ['DE', '--roots', '0']],
    ['B70 17 roots', ['DE', '--roots', '17']],
    ['B70 threshold 0', ['DE', '--roots', '3', '--threshold', '0']],
    ['B70 threshold above the roots', ['DE', '--roots', '3', '--threshold', '4']],
    ['B70 name of 65 bytes', ['DE', '--name', 'ä'.repeat(32) + 'x']],
    ['B70 empty name', ['DE', '--name', '']],
  ] as const) {
    it(`ends with 2 and makes nothing: ${what}`, async () => {
      const cli = new TestCli(folder());
      assert.equal((await cli.run('init', ...args, '--dir', cli.path('r'))).exit, 2);
      assert.deepEqual(readdirSync(cli.dir), []);
    });
  }
});

describe('commands on regions', () => {
  const folder = temporaryFolders();
  let world: World;
  let cli: TestCli;
  before(async () => {
    world = await makeWorld(folder());
  });
  // A test that changes something takes a copy of the world first.
  beforeEach(() => {
    cli = new TestCli(world.dir);
  });
  const verdict = async (code: string) => {
    const { reasons } = await cli.json<{ reasons: { code: string }[] }>(
      'verify',
      '--region',
      cli.path('DE'),
      code,
    );
    return reasons.map((reason) => reason.code);
  };
  /** DE's own log changed: the others vouch for it again. */
  const rewitness = async () => {
    for (const region of ['CN-33', 'FR']) await cli.json('witness', cli.path(region));
  };

  it('recognise prints the fingerprint to compare and how to go on', async () => {
    cli = copyWorld(world, folder());
    const { exit, out, err } = await cli.run('recognise', cli.path('DE'), cli.path('FR/public'));
    assert.equal(exit, 0);
    assert.match(out, /DE recognises FR \(FR\) until 2027-11-10/);
    assert.equal(out.split('compare  ')[1]?.replaceAll(/\s/g, ''), world.pins['FR']);
    // By whatever is shorter, from here or from the root.
    assert.match(err, /entente witness \S+\/FR \S+\/DE\n$/);
  });

  it('recognise takes a fingerprint alone, or holds a directory against it', async () => {
    cli = copyWorld(world, folder());
    const pin = world.pins['FR'] ?? '';
    const grouped = (pin.match(/.{4}/g) ?? []).join(' ').toUpperCase();
    assert.equal(
      (await cli.run('recognise', cli.path('DE'), '--region', 'FR', '--fingerprint', grouped)).exit,
      0,
    );
    assert.equal((await cli.run('recognise', cli.path('DE'), cli.path('FR'), '--fingerprint', pin)).exit, 0);
    const { exit, err } = await cli.run(
      'recognise',
      cli.path('DE'),
      cli.path('FR'),
      '--fingerprint',
      pin.replaceAll(/./g, '0'),
    );
    assert.equal(exit, 5);
    assert.match(err, /PIN_MISMATCH[^]*Nothing was recognised/);
  });

  for (const [what, exit, args] of [
    ['nobody', 2, []],
    ['a region without fingerprint', 2, ['--region', 'FR']],
    ['a short fingerprint', 2, ['--region', 'FR', '--fingerprint', 'abcd']],
    ['an id that is none', 2, ['--region', 'fr', '--fingerprint', 'ab'.repeat(32)]],
    ['itself', 2, ['--region', 'DE', '--fingerprint', 'ab'.repeat(32)]],
    ['a bridge without via', 2, ['--region', 'FR', '--fingerprint', 'ab'.repeat(32), '--way', 'bridge']],
    [
      'a bridge by the home',
      2,
      ['--region', 'FR', '--fingerprint', 'ab'.repeat(32), '--way', 'bridge', '--via', 'DE'],
    ],
    ['B69 more than five years', 2, ['--region', 'FR', '--fingerprint', 'ab'.repeat(32), '--for', '1826d']],
    ['no time at all', 2, ['--region', 'FR', '--fingerprint', 'ab'.repeat(32), '--for', '0d']],
    ['rules with a bad id', 2, ['--region', 'FR', '--fingerprint', 'ab'.repeat(32), '--rules', 'A b']],
    ['a directory where nobody publishes', 4, ['/']],
    ['a directory that is not there', 2, ['/nowhere']],
  ] as const) {
    it(`recognise of ${what} ends with ${exit} and signs nothing`, async () => {
      const before = readFileSync(cli.path('DE/public/trust/checkpoint'));
      assert.equal((await cli.run('recognise', cli.path('DE'), ...args)).exit, exit);
      assert.deepEqual(readFileSync(cli.path('DE/public/trust/checkpoint')), before);
      assert.ok(!readdirSync(cli.path('DE')).some((name) => name.startsWith('lock')));
    });
  }

  it('T19: recognise refuses a region of another network and another id than named', async () => {
    await cli.json('init', 'FR', '--dir', cli.path('other'), '--network', 'other');
    assert.equal((await cli.run('recognise', cli.path('DE'), cli.path('other'))).exit, 5);
    assert.equal((await cli.run('recognise', cli.path('DE'), cli.path('FR'), '--region', 'CN-33')).exit, 5);
  });

  it('suspend, recognise and withdraw change what codes count', async () => {
    cli = copyWorld(world, folder());
    assert.deepEqual(await verdict(world.codes.green), ['IDENTITY_CHECK']);
    await cli.json('suspend', cli.path('DE'), 'CN-33');
    await rewitness();
    assert.ok((await verdict(world.codes.green)).includes('RECOGNITION_SUSPENDED'));
    assert.equal((await cli.run('suspend', cli.path('DE'), 'CN-33')).exit, 1);
    await cli.json('recognise', cli.path('DE'), cli.path('CN-33'));
    await rewitness();
    assert.deepEqual(await verdict(world.codes.green), ['IDENTITY_CHECK']);
    await cli.json('withdraw', cli.path('DE'), 'CN-33');
    await rewitness();
    assert.ok((await verdict(world.codes.green)).includes('RECOGNITION_WITHDRAWN'));
    assert.match((await cli.run('withdraw', cli.path('DE'), 'CN-33')).err, /CN-33 is withdrawn/);
    assert.match((await cli.run('withdraw', cli.path('DE'), 'US')).err, /US is not recognised/);
    assert.equal((await cli.run('withdraw', cli.path('DE'), 'us')).exit, 2);
  });

  it('recognise said again keeps how, through whom and by which rules, and says what it changes', async () => {
    cli = copyWorld(world, folder());
    const recognise = (...more: readonly string[]) =>
      cli.run('recognise', cli.path('DE'), cli.path('CN-33'), ...more);
    const bridged = ['--way', 'bridge', '--via', 'FR', '--rules', 'baseline'];
    assert.match((await recognise(...bridged)).err, /DE has no rules baseline .*NOT_FOUND[^]*rules activate/);
    await cli.json('rules', 'activate', cli.path('DE'), 'baseline');
    assert.match(
      (await recognise(...bridged)).out,
      /through the platform FR, by the rules baseline\.\nUntil now: directly\.\n/,
    );
    await cli.json('suspend', cli.path('DE'), 'CN-33');
    const again = await recognise();
    assert.match(again.out, /, through the platform FR, by the rules baseline\.\n(?!Until now)/);
    assert.match(
      (await recognise('--no-rules')).out,
      /, through the platform FR\.\nUntil now: .* baseline\.\n/,
    );
    assert.equal((await recognise('--way', 'direct', '--via', 'FR')).exit, 2);
    assert.match((await recognise('--way', 'adapter')).out, /, by its adapters\.\nUntil now: through/);
    await cli.json('withdraw', cli.path('DE'), 'CN-33');
    assert.match((await recognise()).out, /, directly\.\n(?!Until now)/);
    assert.match(
      (await recognise('--way', 'bridge', '--via', 'US')).err,
      /The platform US is not recognised here/,
    );
  });

  it('recognise --from begins when it says, and puts off nothing that counts now', async () => {
    cli = copyWorld(world, folder());
    const recognise = (...more: readonly string[]) =>
      cli.run('recognise', cli.path('DE'), cli.path('CN-33'), ...more);
    const at = (spanS: number) => String(cli.nowS + spanS);
    const { exit, err } = await recognise('--from', at(7_200));
    assert.equal(exit, 1);
    assert.match(err, /CN-33 is recognised now, and its codes would be stopped until .*\[?REFUSED/);
    for (const from of ['soon', at(-1), at(366 * DAY_S)])
      assert.equal((await recognise('--from', from)).exit, 2);
    await cli.json('withdraw', cli.path('DE'), 'CN-33');
    const { out } = await recognise('--from', at(7_200), '--for', '1d');
    assert.match(
      out,
      /recognises CN-33 \(CN-33\) from \S+ \S+ UTC until .*, directly\.\nUntil then its codes are stopped/,
    );
    await rewitness();
    assert.deepEqual(await verdict(world.codes.green), ['RECOGNITION_NOT_IN_FORCE', 'IDENTITY_CHECK']);
    // Said again it begins as before.
    assert.match((await recognise('--for', '2d')).out, / from .* until /);
    await rewitness();
    cli.nowS += 7_199;
    await rewitness();
    assert.ok((await verdict(world.codes.green)).includes('RECOGNITION_NOT_IN_FORCE'));
    cli.nowS += 1;
    await rewitness();
    assert.deepEqual(await verdict(world.codes.green), ['IDENTITY_CHECK']);
    assert.equal((await recognise('--from', at(0))).exit, 0);
  });

  it('recognise --from now begins at once what was to begin later', async () => {
    cli = copyWorld(world, folder());
    await cli.json('withdraw', cli.path('DE'), 'CN-33');
    await cli.json('recognise', cli.path('DE'), cli.path('CN-33'), '--from', String(cli.nowS + 7_200));
    const { out } = await cli.run('recognise', cli.path('DE'), cli.path('CN-33'), '--from', 'now');
    assert.match(out, /recognises CN-33 \(CN-33\) until /);
    await rewitness();
    assert.deepEqual(await verdict(world.codes.green), ['IDENTITY_CHECK']);
  });

  it('status words of a recognition tell its beginning and its end', () => {
    const window = { fromS: cli.nowS + 60, untilS: cli.nowS + 120 };
    assert.match(recognisedText(window, cli.nowS), /^from 20.* UTC$/);
    assert.equal(recognisedText(window, window.fromS), 'recognised');
    assert.equal(recognisedText(window, window.untilS), 'over');
  });

  it('witness follows growth, names what it vouches for, and says what is wrong', async () => {
    cli = copyWorld(world, folder());
    cpSync(cli.path('CN-33/public'), cli.path('yesterday'), { recursive: true });
    await cli.json('revoke', cli.path('CN-33'), '2026-11/0');
    const { out } = await cli.run('witness', cli.path('DE'), cli.path('CN-33'));
    assert.match(out, /CN-33\.demo\/trust +8 -> 9 entries/);
    assert.match(out, /CN-33\.demo\/attest\/2026-11 +4 -> 4 entries/);
    const { exit, err } = await cli.run('witness', cli.path('DE'), cli.path('yesterday'));
    assert.equal(exit, 5);
    assert.match(err, /had 9 entries and now shows 8 \[ROLLBACK\]/);
    assert.equal((await cli.run('witness', cli.path('DE'), '/')).exit, 4);
    assert.equal((await cli.run('witness', '/nowhere', cli.path('CN-33'))).exit, 2);
  });

  it('T9: witness names the peers that rolled back or are gone, and vouches for the others', async () => {
    cli = copyWorld(world, folder());
    cpSync(cli.path('CN-33/public'), cli.path('yesterday'), { recursive: true });
    await cli.json('revoke', cli.path('CN-33'), '2026-11/0');
    await cli.json('witness', cli.path('DE'), cli.path('CN-33'));
    rmSync(cli.path('CN-33/public'), { recursive: true });
    cpSync(cli.path('yesterday'), cli.path('CN-33/public'), { recursive: true });
    const rolledBack = await cli.run('witness', cli.path('DE'));
    assert.equal(rolledBack.exit, 5);
    assert.match(rolledBack.out, /vouches for:\n +FR\.demo\/trust /);
    assert.match(
      rolledBack.err,
      /^error: CN-33: CN-33\.demo\/trust had 9 entries and now shows 8 \[ROLLBACK\]\n/,
    );
    rmSync(cli.path('FR/public'), { recursive: true });
    const both = await cli.run('witness', cli.path('DE'));
    assert.equal(both.exit, 5);
    assert.match(
      both.err,
      /^FR: no region publishes at .* \[PEER_UNREACHABLE\]\nerror: CN-33: .* \[ROLLBACK\]\n/,
    );
    rmSync(cli.path('CN-33/public'), { recursive: true });
    assert.equal((await cli.run('witness', cli.path('DE'))).exit, 4);
  });

  it('key list, extend and state work on the region alone', async () => {
    cli = copyWorld(world, folder());
    const { out } = await cli.run('key', 'list', cli.path('DE'));
    assert.match(out, /Root: 1 of [0-9a-f]{16}/);
    assert.match(
      out,
      /attest +│ [0-9a-f]{16} │ 2026-11-10 08:00:00 UTC │ 2026-11-16 08:00:00 UTC │ in force/,
    );
    assert.match((await cli.run('key', 'extend', cli.path('DE'))).out, /Nothing is missing/);
    cli.nowS += 60 * DAY_S;
    assert.match(
      (await cli.run('key', 'extend', cli.path('DE'))).out,
      /Admitted \d+ keys and announced 2 logs/,
    );
    assert.match(
      (await cli.run('state', cli.path('DE'))).out,
      /Entry 11 of the trust log commits to the state of DE/,
    );
    assert.match((await cli.run('snapshot', 'show', cli.path('de.snap'))).out, /DE +full, 8 entries from 0/);
  });

  it('B71: a key file that others may read is refused with the command that mends it', async () => {
    cli = copyWorld(world, folder());
    const [name] = readdirSync(cli.path('DE/keys')).filter((file) => file.startsWith('root-'));
    const file = cli.path('DE/keys', name ?? '');
    chmodSync(file, 0o644);
    const { exit, err } = await cli.run('withdraw', cli.path('DE'), 'FR');
    assert.equal(exit, 78);
    assert.match(err, /has mode 0644[^]*\nRun: chmod 600 .*root-/);
    rmSync(file);
    assert.match(
      (await cli.run('withdraw', cli.path('DE'), 'FR')).err,
      /0 of 1 needed root keys are in .*\[KEY_FILE_MISSING\]/,
    );
  });

  it('B72: a directory that is none, is old, is in use or is damaged is refused, and says so', async () => {
    cli = copyWorld(world, folder());
    const none = await cli.run('state', cli.dir);
    assert.deepEqual([none.exit, none.err.includes('[DIRECTORY_MISSING]')], [2, true]);
    mkdirSync(cli.path('old'));
    writeFileSync(cli.path('old/config.json'), '{}');
    const old = await cli.run('state', cli.path('old'));
    assert.equal(old.exit, 1);
    assert.match(old.err, /was made by an earlier version.*\[DIRECTORY_OLD\]\n.*`entente init`/);
    await inRegion(cli.path('DE'), new Clock().modules, async () => {
      const { exit, err } = await cli.run('state', cli.path('DE'));
      assert.equal(exit, 1);
      assert.match(err, /another process is working on .*DE \[STORE_LOCKED\]\nWait until it ends/);
    });
    assert.equal((await cli.run('state', cli.path('DE'))).exit, 0);
    const level = cli.path('DE/store/level');
    const table = readdirSync(level).find((name) => name.endsWith('.ldb')) ?? '';
    const bytes = readFileSync(join(level, table));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(join(level, table), bytes);
    const damaged = await cli.run('state', cli.path('DE'));
    assert.equal(damaged.exit, 5);
    assert.match(damaged.err, /STORE_CORRUPT/);
  });

  it('F4: what is published is made good from the store', async () => {
    cli = copyWorld(world, folder());
    const checkpoint = cli.path('DE/public/trust/checkpoint');
    writeFileSync(checkpoint, readFileSync(checkpoint).subarray(0, 60));
    assert.equal((await cli.run('state', cli.path('DE'))).exit, 0);
    rmSync(cli.path('FR/public/trust'), { recursive: true });
    const { out } = await cli.run('export', cli.path('FR'));
    assert.match(out, /^Published in .*:\n +FR\.demo\/trust +8 entries\n$/);
    await cli.json('export', cli.path('CN-33'), '--to', cli.path('mirror'));
    assert.match((await cli.run('inspect', cli.path('mirror/attest/2026-11'))).out, /size: 4/);
    assert.equal((await cli.run('witness', cli.path('DE'), cli.path('mirror'))).exit, 0);
  });
});
