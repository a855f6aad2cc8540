import assert from 'node:assert/strict';
import { cpSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { Level } from 'level';
import { LogKeys } from '../../../node/log/log-keys.ts';
import { TestCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const REGIONS = ['AT', 'BE', 'CZ'] as const;

describe('a region that was set up anew under its id', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  let former: string;

  const issue = async (region: string) => {
    const order = ['--subject', 'Person 00001', '--colour', 'green'];
    return (await cli.json<{ code: string }>('issue', cli.path(region), ...order)).code;
  };
  const recognise = (one: string, other: string, ...flags: readonly string[]) =>
    cli.run('recognise', cli.path(one), cli.path(other), ...flags);
  const verify = async (home: string, code: string) =>
    (await cli.run('verify', '--region', cli.path(home), code)).exit;
  const witnessAll = async () => {
    for (const region of REGIONS) await cli.run('witness', cli.path(region));
  };

  before(async () => {
    cli = new TestCli(folder());
    for (const region of REGIONS) await cli.json('init', region, '--dir', cli.path(region));
    for (const one of REGIONS) for (const other of REGIONS) if (one !== other) await recognise(one, other);
    former = await issue('AT');
    await witnessAll();
    assert.equal(await verify('BE', former), 0);
    rmSync(cli.path('AT'), { recursive: true });
    await cli.json('init', 'AT', '--dir', cli.path('AT'));
    for (const other of ['BE', 'CZ']) assert.equal((await recognise('AT', other)).exit, 0);
  });

  it('T19: is not recognised in its place, nor is a fingerprint that was mistyped, and nothing is signed', async () => {
    const { size } = await cli.json<{ size: number }>('inspect', cli.path('BE/public/trust'));
    const again = await recognise('BE', 'AT');
    assert.equal(again.exit, 5);
    assert.match(again.err, /BE recognises AT under another fingerprint.*say --new-root/s);
    const mistyped = ['--region', 'AT', '--fingerprint', '5f'.repeat(32)];
    assert.equal((await cli.run('recognise', cli.path('BE'), ...mistyped)).exit, 5);
    assert.equal((await cli.json<{ size: number }>('inspect', cli.path('BE/public/trust'))).size, size);
  });

  it('is followed from its first entry on once it is recognised with --new-root, and what it was before counts no more', async () => {
    assert.equal((await recognise('BE', 'AT', '--new-root')).exit, 0);
    await cli.run('withdraw', cli.path('CZ'), 'AT');
    assert.equal((await recognise('CZ', 'AT')).exit, 0, 'nobody holds on to a root that was withdrawn');
    const own = await issue('BE');
    assert.equal((await cli.run('revoke', cli.path('BE'), own)).exit, 0);
    await witnessAll();
    await witnessAll();
    const { exit, err } = await cli.run('witness', cli.path('BE'));
    assert.deepEqual([exit, err], [0, '']);
    const after = await issue('AT');
    await witnessAll();
    for (const home of ['BE', 'CZ']) {
      assert.equal(await verify(home, after), 0, home);
      assert.notEqual(await verify(home, former), 0, home);
      assert.equal(await verify(home, own), 3, home);
      assert.equal((await cli.run('fsck', cli.path(home))).exit, 0);
      assert.equal((await cli.run('log', 'verify', cli.path(home))).exit, 0);
    }
  });

  const putBack = async (isKnown: boolean) => {
    const again = new TestCli(folder());
    for (const region of REGIONS) await again.json('init', region, '--dir', again.path(region));
    const meet = (one: string, other: string, ...flags: readonly string[]) =>
      again.run('recognise', again.path(one), again.path(other), ...flags);
    const witness = async () => {
      for (const region of REGIONS) await again.run('witness', again.path(region));
    };
    const keep = () => {
      cpSync(again.path('BE/store'), again.path('store of before'), { recursive: true });
    };
    if (!isKnown) keep();
    for (const one of REGIONS) for (const other of REGIONS) if (one !== other) await meet(one, other);
    await witness();
    if (isKnown) keep();
    rmSync(again.path('AT'), { recursive: true });
    await again.json('init', 'AT', '--dir', again.path('AT'));
    for (const other of ['BE', 'CZ']) await meet('AT', other);
    for (const home of ['BE', 'CZ']) assert.equal((await meet(home, 'AT', '--new-root')).exit, 0);
    await witness();
    await witness();
    rmSync(again.path('BE/store'), { recursive: true });
    cpSync(again.path('store of before'), again.path('BE/store'), { recursive: true });
    await witness();
    const { exit, err } = await again.run('witness', again.path('BE'));
    assert.deepEqual([exit, err], [0, '']);
    const order = ['--subject', 'Person 00001', '--colour', 'green'];
    const { code } = await again.json<{ code: string }>('issue', again.path('AT'), ...order);
    await witness();
    assert.equal((await again.run('verify', '--region', again.path('BE'), code)).exit, 0);
  };

  it('T9: is followed again after a store of before was put back, which the second place contradicts', () =>
    putBack(true));

  it('T9: so too where that store did not know the region at all', () => putBack(false));

  describe('whoever has seen a root comes back to it', () => {
    let again: TestCli;
    let revoked: string;
    const path = (name: string) => again.path(name);
    const witness = (region: string) => again.run('witness', path(region));
    const cosigned = () =>
      readFileSync(path('BE/public/cosignatures/AT.demo/trust'), 'utf8').split('\n').slice(0, 3);

    /** BE has cosigned the log of AT in which a code is revoked; `AT fork` is another log of that root, without the revocation. */
    beforeEach(async () => {
      again = new TestCli(folder());
      for (const region of REGIONS) await again.json('init', region, '--dir', path(region));
      for (const other of ['AT', 'CZ']) await again.run('recognise', path('BE'), path(other));
      const order = ['--subject', 'Person 00001', '--colour', 'green'];
      ({ code: revoked } = await again.json<{ code: string }>('issue', path('AT'), ...order));
      cpSync(path('AT'), path('AT fork'), { recursive: true });
      await again.json('revoke', path('AT'), revoked);
      await witness('BE');
      for (let i = 0; i < 4; i++) await again.json('state', path('AT fork'), '--without-peers');
      await again.json('init', 'AT', '--dir', path('AT anew'));
    });

    for (const flags of [['--new-root'], []])
      it(`T5: A, B and A again by ${flags.join('') || 'withdrawing and recognising'}: no other history of A is cosigned`, async () => {
        const before = cosigned();
        const { fingerprint } = await again.json<{ fingerprint: string }>(
          'recognise',
          path('CZ'),
          path('AT'),
        );
        const follow = async (pin: string) => {
          if (flags.length === 0) await again.run('withdraw', path('BE'), 'AT');
          const what = ['--region', 'AT', '--fingerprint', pin, ...flags];
          assert.equal((await again.run('recognise', path('BE'), ...what)).exit, 0);
          await witness('BE');
        };
        await follow('5f'.repeat(32));
        await follow(fingerprint);
        renameSync(path('AT'), path('AT of before'));
        renameSync(path('AT fork'), path('AT'));
        for (let i = 0; i < 2; i++)
          assert.match((await witness('BE')).err, /another tree of .* than before \[FORK\]/);
        assert.deepEqual(cosigned(), before);
      });

    it('T9: finds at once the revocations that it had seen of it, whatever the directory of the region shows by then', async () => {
      cpSync(path('AT fork'), path('AT of before'), { recursive: true });
      await again.json('recognise', path('CZ'), path('BE'));
      const outcome = async () => {
        await again.json('witness', path('CZ'), path('BE'), '--without-peers');
        return (await again.run('verify', '--region', path('BE'), revoked)).exit;
      };
      assert.equal(await outcome(), 3);
      assert.equal((await again.run('recognise', path('BE'), path('AT anew'), '--new-root')).exit, 0);
      for (let i = 0; i < 2; i++) await witness('BE');
      for (const directory of ['AT', 'AT of before']) {
        assert.equal((await again.run('recognise', path('BE'), path(directory), '--new-root')).exit, 0);
        assert.equal(await outcome(), 3, directory);
      }
    });

    it('T9: a copy that lost a value while it was put away is fetched anew, and keeps the home from nothing', async () => {
      await again.json('peer', 'add', path('BE'), 'AT', '--mirror');
      await witness('BE');
      assert.equal((await again.run('recognise', path('BE'), path('AT anew'), '--new-root')).exit, 0);
      await witness('BE');
      const level = new Level<string, Uint8Array>(path('BE/store/level'), { valueEncoding: 'view' });
      const keys = await level.keys().all();
      for (const log of ['trust', 'attest/2026-11']) {
        const lost = keys.find((key) => key.startsWith('~') && key.includes(`~log/AT.demo/${log}/tile/0/`));
        assert.ok(lost, log);
        await level.del(lost);
      }
      await level.close();
      assert.equal((await again.run('fsck', '--salvage', path('BE'))).exit, 0);
      await witness('BE');
      assert.equal((await again.run('recognise', path('BE'), path('AT'), '--new-root')).exit, 0);
      for (let i = 0; i < 2; i++)
        assert.deepEqual(await witness('BE').then(({ exit, err }) => [exit, err]), [0, '']);
      assert.equal((await again.run('log', 'verify', path('BE'))).exit, 0);
    });

    it('T5: a directory that somebody names shows no other history of a root that was met, and costs no other region its voucher', async () => {
      assert.equal(
        (await again.run('recognise', path('BE'), path('AT anew'), '--region', 'AT', '--new-root')).exit,
        0,
      );
      await witness('BE');
      await again.run('withdraw', path('BE'), 'AT');
      await witness('BE');
      const { exit, out, err } = await again.run('witness', path('BE'), path('AT fork'), path('CZ'));
      assert.equal(exit, 5, err);
      assert.match(out + err, /CZ\.demo\/trust/);
      const fork = readFileSync(path('AT fork/public/trust/checkpoint'), 'utf8').split('\n')[2];
      assert.notEqual(cosigned()[2], fork);
    });

    it('a region is named once: which of two directories is meant nobody can know', async () => {
      const { exit, err } = await again.run('witness', path('BE'), path('AT'), path('AT anew'));
      assert.equal(exit, 2);
      assert.match(err, /two of these directories are those of AT: name one/);
    });

    it('T9: what a witness saw of a directory that somebody named binds it under that root, whatever store was put back', async () => {
      cpSync(path('CZ/store'), path('store of before'), { recursive: true });
      assert.equal((await again.run('witness', path('CZ'), path('AT'))).exit, 0);
      const seen = () =>
        readFileSync(path('CZ/public/cosignatures/AT.demo/trust'), 'utf8').split('\n').slice(0, 3);
      rmSync(path('CZ/store'), { recursive: true });
      cpSync(path('store of before'), path('CZ/store'), { recursive: true });
      for (const directory of ['AT anew', 'AT fork']) {
        assert.equal((await again.run('recognise', path('CZ'), path(directory), '--new-root')).exit, 0);
        await witness('CZ');
      }
      assert.equal((await witness('CZ')).exit, 5);
      const fork = readFileSync(path('AT fork/public/trust/checkpoint'), 'utf8').split('\n')[2];
      assert.notEqual(seen()[2], fork);
    });

    it('T9: what a witness saw binds it also where the second place alone is lost', async () => {
      assert.equal((await again.run('recognise', path('BE'), path('AT anew'), '--new-root')).exit, 0);
      await witness('BE');
      rmSync(path('BE/second-place'), { recursive: true });
      assert.equal((await again.run('recognise', path('BE'), path('AT fork'), '--new-root')).exit, 0);
      await witness('BE');
      assert.equal((await witness('BE')).exit, 5);
      const fork = readFileSync(path('AT fork/public/trust/checkpoint'), 'utf8').split('\n')[2];
      assert.notEqual(cosigned()[2], fork);
    });

    it('T9: a store from before the new root, put back alone, frees the new region from nothing', async () => {
      cpSync(path('BE/store'), path('store of before'), { recursive: true });
      rmSync(path('AT'), { recursive: true });
      cpSync(path('AT anew'), path('AT'), { recursive: true });
      assert.equal((await again.run('recognise', path('BE'), path('AT'), '--new-root')).exit, 0);
      for (let i = 0; i < 3; i++) await again.json('state', path('AT'));
      assert.equal((await witness('BE')).exit, 0);
      const before = cosigned();
      rmSync(path('BE/store'), { recursive: true });
      cpSync(path('store of before'), path('BE/store'), { recursive: true });
      again.nowS += 60;
      for (let i = 0; i < 6; i++) await again.json('state', path('AT anew'), '--without-peers');
      rmSync(path('AT'), { recursive: true });
      cpSync(path('AT anew'), path('AT'), { recursive: true });
      for (let i = 0; i < 3; i++) assert.equal((await witness('BE')).exit, 5);
      assert.deepEqual(cosigned(), before);
    });

    it('a copy whose beginning is lost with all that said of which root it is does not stop the home', async () => {
      for (let i = 0; i < 70; i++) await again.json('state', path('AT'));
      await witness('BE');
      rmSync(path('AT'), { recursive: true });
      cpSync(path('AT anew'), path('AT'), { recursive: true });
      assert.equal((await again.run('recognise', path('BE'), path('AT'), '--new-root')).exit, 0);
      const level = new Level<string, Uint8Array>(path('BE/store/level'), { valueEncoding: 'view' });
      const lost = ['root/AT.demo/trust', new LogKeys('AT.demo/trust').run(0)];
      for (const key of lost) assert.ok(await level.get(key), key);
      await level.batch(lost.map((key) => ({ type: 'del', key })));
      await level.close();
      assert.equal((await again.run('fsck', '--salvage', path('BE'))).exit, 0);
      await witness('BE');
      const { exit, err } = await witness('BE');
      assert.equal(exit, 0, err);
    });
  });

  it('an invited region that was set up anew does not stop the home, whichever of the two is invited', async () => {
    const inviting = new TestCli(folder());
    const path = (name: string) => inviting.path(name);
    const pins: string[] = [];
    for (const dir of ['AT', 'BE', 'AT anew']) {
      const region = dir.slice(0, 2);
      const made = await inviting.json<{ fingerprint: string }>('init', region, '--dir', path(dir));
      pins.push(made.fingerprint);
    }
    const [former = '', , present = ''] = pins;
    const invite = async (pin: string) => {
      const flags = ['--directory', path('AT'), '--invite', '--fingerprint', pin];
      assert.equal((await inviting.run('peer', 'add', path('BE'), 'AT', ...flags)).exit, 0);
    };
    await invite(former);
    assert.equal((await inviting.run('witness', path('BE'))).exit, 0);
    rmSync(path('AT'), { recursive: true });
    cpSync(path('AT anew'), path('AT'), { recursive: true });
    await invite(present);
    assert.equal((await inviting.run('witness', path('BE'))).exit, 0);
    await invite(former);
    assert.equal((await inviting.run('recognise', path('BE'), path('AT'), '--new-root')).exit, 0);
    assert.equal((await inviting.run('withdraw', path('BE'), 'AT')).exit, 0);
    await inviting.json('issue', path('BE'), '--subject', 'Person 00001', '--colour', 'green');
  });

  it('T19: a directory that somebody names makes the witness forget nothing', async () => {
    const alone = new TestCli(folder());
    for (const region of ['AT', 'BE']) await alone.json('init', region, '--dir', alone.path(region));
    assert.equal((await alone.run('witness', alone.path('BE'), alone.path('AT'))).exit, 0);
    const impostor = new TestCli(folder());
    await impostor.json('init', 'AT', '--dir', impostor.path('AT'));
    assert.equal((await alone.run('witness', alone.path('BE'), impostor.path('AT'))).exit, 5);
    await alone.json('state', alone.path('AT'));
    assert.equal((await alone.run('witness', alone.path('BE'), alone.path('AT'))).exit, 0);
  });
});
