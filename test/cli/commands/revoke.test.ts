import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import {
  codesOf,
  copyWorld,
  Gate,
  makeWorld,
  type Told,
  witnessAll,
  type World,
} from '../../support/cli-world.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('entente revoke and key compromise', () => {
  const folder = temporaryFolders();
  let world: World;
  /** In the world that all tests read; a test that changes something takes a copy first. */
  let cli: Gate;
  before(async () => {
    world = await makeWorld(folder());
  });
  beforeEach(() => {
    cli = new Gate(world);
  });

  it('revoke works by text, place, person and device, for ever and once', async () => {
    cli = copyWorld(world, folder());
    const region = cli.path('CN-33');
    const place = await cli.told(world.codes.red);
    const device = JSON.parse((await cli.run('inspect', world.codes.device, '--json')).out) as {
      holderKey: string;
    };
    for (const args of [
      [world.codes.green],
      ['--subject', ' Yellow '],
      ['--holder', device.holderKey],
      [`${place.code?.log}/${place.code?.index}`],
    ]) {
      assert.match(
        (await cli.run('revoke', region, ...args)).out,
        /^Revoked 1 code: 2026-11\/\d\nSequenced.*\n$/,
      );
      assert.match((await cli.run('revoke', region, ...args)).out, /nothing changed/);
    }
    await witnessAll(cli);
    for (const code of Object.values(world.codes)) {
      const verdict = await cli.json<Told>('verify', '--region', cli.path('DE'), code);
      assert.deepEqual([verdict.outcome, codesOf(verdict).includes('REVOKED')], ['stop', true]);
    }
    assert.ok(
      !codesOf(await cli.told(world.codes.green)).includes('REVOKED'),
      'an older snapshot cannot know',
    );
  });

  for (const [what, exit, args] of [
    ['nothing', 2, []],
    ['text that is no code', 2, ['hello']],
    ['a broken code', 2, ['ENT1:ABC']],
    ['a place beyond the log', 1, ['2026-11/99']],
    ['a place in a log that is not there', 1, ['2026-10/0']],
    ['a person without a code', 1, ['--subject', 'Nobody']],
    ['a device without a code', 1, ['--holder', 'ab'.repeat(32)]],
    ['a device whose key is cut', 2, ['--holder', 'ab'.repeat(31)]],
    ['a code for a reason of two lines', 2, ['2026-11/0', '--why', 'a\nb']],
    ['a code for a reason of 201 characters', 2, ['2026-11/0', '--why', 'x'.repeat(201)]],
    ['a code for a reason by the root', 2, ['2026-11/0', '--why', 'It was lost.', '--root']],
  ] as const) {
    it(`revoke of ${what} ends with ${exit} and signs nothing`, async () => {
      const before = readFileSync(cli.path('CN-33/public/trust/checkpoint'));
      assert.equal((await cli.run('revoke', cli.path('CN-33'), ...args)).exit, exit);
      assert.deepEqual(readFileSync(cli.path('CN-33/public/trust/checkpoint')), before);
    });
  }

  it('B54: revoke refuses the code of another region, and a code that is not the one in the log', async () => {
    assert.match((await cli.run('revoke', cli.path('DE'), world.codes.green)).err, /OTHER_REGION/);
    const other = copyWorld(world, folder());
    rmSync(other.path('CN-33'), { recursive: true });
    await other.json('init', 'CN-33', '--dir', other.path('CN-33'));
    await other.json('issue', other.path('CN-33'), '--subject', 'X', '--colour', 'green');
    const { err } = await other.run('revoke', other.path('CN-33'), world.codes.green);
    assert.match(err, /NOT_ISSUED/);
  });

  it('T3: a stolen key: genuine codes need a proof and pass with one, whatever lies beyond the cut-off is stopped', async () => {
    cli = copyWorld(world, folder());
    const { code } = await cli.told(world.codes.green);
    cpSync(cli.path('CN-33'), cli.path('thief'), { recursive: true });
    const forged = await cli.json<{ code: string }>(
      'issue',
      cli.path('thief'),
      '--subject',
      'Thief',
      '--colour',
      'green',
    );
    const out = await cli.run(
      'key',
      'compromise',
      cli.path('CN-33'),
      '--key',
      code?.keyId ?? '',
      '--cut-off',
      '2026-11=now',
    );
    assert.match(out.out, /The attest key [0-9a-f]{16} is given up; [0-9a-f]{16} stands in its place/);
    await witnessAll(cli);
    const verdict = (text: string, ...args: readonly string[]) =>
      cli.json<Told>('verify', '--region', cli.path('DE'), ...args, text);
    assert.deepEqual(codesOf(await verdict(world.codes.green)), ['PROOF_NEEDED', 'IDENTITY_CHECK']);
    const proven = await verdict(world.codes.green, '--proof', cli.path('CN-33'));
    assert.deepEqual([proven.outcome, codesOf(proven).includes('PROVEN_IN_LOG')], ['pass', true]);
    mkdirSync(cli.path('empty'));
    assert.equal((await verdict(world.codes.green, '--proof', cli.path('empty'))).outcome, 'undetermined');
    const beyond = await verdict(forged.code, '--proof', cli.path('CN-33'));
    assert.deepEqual([beyond.outcome, codesOf(beyond).includes('BEYOND_CUT_OFF')], ['stop', true]);
    const fresh = await cli.json<{ code: string }>(
      'issue',
      cli.path('CN-33'),
      '--subject',
      'New',
      '--colour',
      'green',
    );
    assert.equal((await verdict(fresh.code)).outcome, 'pass');
  });

  for (const [what, args] of [
    ["a key that is not the region's", ['--key', '0'.repeat(16)]],
    ['a cut-off beyond the log', ['--cut-off', '2026-11=99']],
    ['a cut-off of no log', ['--cut-off', 'attest=1']],
    ['a log twice', ['--cut-off', '2026-11=1', '--cut-off', '2026-11=2']],
    ['a cut-off of a log that the key never signs', ['--cut-off', 'trust=now']],
  ] as const) {
    it(`key compromise refuses ${what}`, async () => {
      const { code } = await cli.told(world.codes.green);
      const key = args.includes('--key' as never) ? [] : ['--key', code?.keyId ?? ''];
      const { exit } = await cli.run('key', 'compromise', cli.path('CN-33'), ...key, ...args);
      assert.ok(exit === 1 || exit === 2);
    });
  }

  it('key compromise takes for each role only a cut-off of what keys of that role sign', async () => {
    const { keys } = await cli.json<{ keys: { keyId: string; role: string }[] }>(
      ...['key', 'list', cli.path('CN-33')],
    );
    for (const [role, cutOff, hint] of [
      ['trust-log', '2026-11=now', /signs no entries of 2026-11 \[USAGE\]\nName trust instead/],
      ['checkpoint', '2026-11=now', /signs all logs .* too \[USAGE\]\nName its good branch as well/],
      ['witness', 'trust=now', /a witness key signs no entries/],
    ] as const) {
      const keyId = keys.find((key) => key.role === role)?.keyId ?? '';
      const args = ['--key', keyId, '--cut-off', cutOff];
      const { exit, err } = await cli.run('key', 'compromise', cli.path('CN-33'), ...args);
      assert.equal(exit, 2);
      assert.match(err, hint);
    }
  });

  it('T4: key compromise names the good branches of attestation logs by a checkpoint key, and keeps those that are not named anew', async () => {
    cli = copyWorld(world, folder());
    const listed = () =>
      cli.json<{
        keys: { keyId: string; role: string; compromise?: { cutOffs: Record<string, { size: number }> } }[];
      }>('key', 'list', cli.path('CN-33'));
    const { keys } = await listed();
    const keyId = keys.find(({ role }) => role === 'checkpoint')?.keyId ?? '';
    const giveUp = (...cutOffs: readonly string[]) =>
      cli.json<{ cutOffs: { log: string; size: number }[] }>(
        ...['key', 'compromise', cli.path('CN-33'), '--key', keyId],
        ...cutOffs.flatMap((cutOff) => ['--cut-off', cutOff]),
      );
    const sizes = ({ cutOffs }: { cutOffs: { log: string; size: number }[] }) =>
      Object.fromEntries(cutOffs.map(({ log, size }) => [log, size]));
    const first = sizes(await giveUp('trust=now', '2026-11=2'));
    assert.equal(first['2026-11'], 2);
    const again = sizes(await giveUp('trust=now'));
    assert.equal(again['2026-11'], 2);
    assert.ok((again['trust'] ?? 0) > (first['trust'] ?? 0));
  });

  it('T3: a compromise that is said again puts no second key in place, and lets no more count unless --raise is given', async () => {
    cli = copyWorld(world, folder());
    const { code } = await cli.told(world.codes.green);
    const giveUp = (...args: readonly string[]) =>
      cli.run('key', 'compromise', cli.path('CN-33'), '--key', code?.keyId ?? '', ...args);
    const keyCount = async () =>
      (await cli.json<{ keys: object[] }>('key', 'list', cli.path('CN-33'))).keys.length;
    const before = await keyCount();
    assert.equal((await giveUp('--cut-off', '2026-11=1')).exit, 0);
    assert.equal(await keyCount(), before + 1);
    const raised = await giveUp('--cut-off', '2026-11=2');
    assert.equal(raised.exit, 2);
    assert.match(raised.err, /in 2026-11 it counts only below 1; this would let it count below 2/);
    assert.match((await giveUp('--cut-off', '2026-11=2', '--raise')).out, /no further key stands/);
    assert.match((await giveUp()).out, /Nothing that it signed counts any more/);
    assert.equal(await keyCount(), before + 1);
  });
});
