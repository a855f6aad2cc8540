import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { PublishedRegion } from '../../../node/region/published-region.ts';
import { codesOf, type Told } from '../../support/cli-world.ts';
import { TestCli } from '../../support/cli.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const REGIONS = ['AT', 'BE', 'CZ', 'DK'] as const;

describe('T9: a region directory that was put back to an older copy', () => {
  const folder = temporaryFolders();
  let built: TestCli;
  let cli: TestCli;
  let code: string;
  const pins = { AT: '', BE: '', CZ: '', DK: '' };

  const verify = (home: string) => cli.json<Told>('verify', '--region', cli.path(home), code);
  const outcomeOf = (told: Told) => [told.outcome, codesOf(told).includes('REVOKED')];

  async function putBack(region: string, since: () => Promise<void>): Promise<void> {
    const kept = cli.path(`${region}.kept`);
    cpSync(cli.path(region), kept, { recursive: true });
    await since();
    rmSync(cli.path(region), { recursive: true });
    cpSync(kept, cli.path(region), { recursive: true });
  }

  before(async () => {
    built = new TestCli(folder());
    for (const region of REGIONS)
      ({ fingerprint: pins[region] } = await built.json<{ fingerprint: string }>(
        ...['init', region, '--dir', built.path(region)],
      ));
    for (const one of REGIONS)
      for (const other of REGIONS)
        if (one !== other) await built.json('recognise', built.path(one), built.path(other));
    for (const region of REGIONS) await built.json('witness', built.path(region));
    ({ code } = await built.json<{ code: string }>(
      ...['issue', built.path('AT'), '--subject', 'Person', '--colour', 'green'],
    ));
    for (const region of REGIONS) await built.json('witness', built.path(region));
  });

  beforeEach(() => {
    cli = new TestCli(folder());
    for (const region of REGIONS) cpSync(built.path(region), cli.path(region), { recursive: true });
  });

  it('does not undo what it had revoked where that was witnessed, neither for verdicts nor for snapshots', async () => {
    assert.equal((await verify('BE')).outcome, 'pass');
    await putBack('AT', async () => {
      await cli.run('revoke', cli.path('AT'), code);
      for (const witness of ['BE', 'CZ', 'DK']) await cli.json('witness', cli.path(witness));
    });
    assert.deepEqual(outcomeOf(await verify('BE')), ['stop', true]);
    const { err } = await cli.run('verify', '--region', cli.path('BE'), code);
    assert.match(err, /AT shows \d+ entries of its trust log, and others have seen \d+: those count/);
    await cli.json('snapshot', 'make', cli.path('DK'), '--out', cli.path('dk.snap'));
    const offline = await cli.json<Told>(
      ...['verify', '--offline', cli.path('dk.snap'), '--home', 'DK', '--pin', pins.DK, code],
    );
    assert.deepEqual(outcomeOf(offline), ['stop', true]);
  });

  it('does not undo it for a home that had not seen it while others have', async () => {
    await putBack('AT', async () => {
      await cli.run('revoke', cli.path('AT'), code);
      for (const witness of ['CZ', 'DK']) await cli.json('witness', cli.path(witness));
    });
    assert.deepEqual(outcomeOf(await verify('BE')), ['stop', true]);
  });

  it('T9: whose tiles are gone under its checkpoint is known by the copies of others, and that is said', async () => {
    rmSync(cli.path('AT/public/trust/tile'), { recursive: true });
    const { exit, err } = await cli.run('verify', '--region', cli.path('BE'), code);
    assert.equal(exit, 0);
    assert.match(err, /the directory of AT cannot be read: the \d+ entries of its trust log/);
  });

  it('T9: is judged no more by a home whose own copy is torn, until that is made anew as the message says', async () => {
    await putBack('AT', async () => {
      await cli.run('revoke', cli.path('AT'), code);
      await cli.json('witness', cli.path('BE'));
    });
    const copy = cli.path(`BE/public/copies/AT.demo/trust/${pins.AT}`);
    rmSync(`${copy}/tile`, { recursive: true });
    const { exit, err } = await cli.run('verify', '--region', cli.path('BE'), code);
    assert.equal(exit, 4);
    assert.match(
      err.replace(/\s+/g, ' '),
      /AT.* cannot be read .*; remove that folder, then run `entente witness`/,
    );
    rmSync(copy, { recursive: true });
    await cli.run('witness', cli.path('BE'));
    assert.deepEqual(outcomeOf(await verify('BE')), ['stop', true]);
  });

  it('T1: a log of another root that a peer keeps under the name of the home, or of a third, is passed over, and named', async () => {
    const fake = new TestCli(folder());
    for (const name of ['BE', 'AT'] as const) {
      await fake.json('init', name, '--dir', fake.path(name));
      for (let i = 0; i < 9; i++) await fake.json('state', fake.path(name));
      const place = cli.path(`CZ/public/copies/${name}.demo/trust/${pins[name]}`);
      rmSync(place, { recursive: true });
      cpSync(fake.path(name, 'public/trust'), place, { recursive: true });
    }
    const { exit, err } = await cli.run('verify', '--region', cli.path('BE'), code);
    const made = await cli.run('snapshot', 'make', cli.path('BE'), '--out', cli.path('be.snap'));
    assert.deepEqual([exit, made.exit], [0, 0]);
    for (const name of ['BE', 'AT']) {
      const told = new RegExp(
        `the copy of the log of ${name} that CZ keeps is passed over: PIN_MISMATCH: this is`,
      );
      for (const notes of [err, made.err]) assert.match(notes, told);
    }
    rmSync(cli.path('BE/public/trust'), { recursive: true });
    const { code: forged } = await fake.json<{ code: string }>(
      ...['issue', fake.path('BE'), '--subject', 'Person', '--colour', 'green'],
    );
    assert.notEqual((await cli.run('verify', '--region', cli.path('BE'), forged)).exit, 0);
    assert.equal((await cli.run('verify', '--region', cli.path('BE'), code)).exit, 0);
  });

  for (const seen of [true, false]) {
    it(`T4: a longer log of the region that a hostile peer keeps lets nothing pass that the region revoked, ${seen ? 'seen' : 'not seen'} by the home`, async () => {
      const twin = new TestCli(folder());
      for (const region of REGIONS) cpSync(built.path(region), twin.path(region), { recursive: true });
      for (let i = 0; i < 3; i++) await twin.json('state', twin.path('AT'));
      await twin.json('witness', twin.path('CZ'), twin.path('AT'));
      await cli.run('revoke', cli.path('AT'), code);
      if (seen) await cli.json('witness', cli.path('BE'), cli.path('AT'));
      for (const what of ['copies', 'cosignatures']) {
        const place = `CZ/public/${what}/AT.demo`;
        rmSync(cli.path(place), { recursive: true });
        cpSync(twin.path(place), cli.path(place), { recursive: true });
      }
      const { exit, err } = await cli.run('verify', '--region', cli.path('BE'), code);
      assert.ok(exit === 3 || exit === 4, String(exit));
      assert.match(err, /AT has signed two logs that contradict each other/);
      const made = await cli.run('snapshot', 'make', cli.path('BE'), '--out', cli.path('be.snap'));
      assert.match(made.err, /AT is left out: AT has signed two logs that contradict each other/);
      const offline = await cli.json<Told>(
        ...['verify', '--offline', cli.path('be.snap'), '--home', 'BE', '--pin', pins.BE, code],
      );
      assert.equal(offline.outcome, 'undetermined');
    });
  }

  it('T4: a region passes nowhere while the proof that it told two stories lies published, though every directory shows one of them', async () => {
    const twin = new TestCli(folder());
    for (const region of REGIONS) cpSync(built.path(region), twin.path(region), { recursive: true });
    await twin.json('state', twin.path('AT'));
    for (const witness of ['CZ', 'DK']) await twin.json('witness', twin.path(witness), twin.path('AT'));
    await cli.run('revoke', cli.path('AT'), code);
    await cli.json('witness', cli.path('BE'), cli.path('AT'));
    assert.equal((await cli.run('witness', cli.path('BE'), twin.path('AT'))).exit, 5);
    rmSync(cli.path('AT'), { recursive: true });
    cpSync(twin.path('AT'), cli.path('AT'), { recursive: true });
    for (const what of ['copies', 'cosignatures'])
      for (const home of ['BE', 'CZ', 'DK']) {
        const place = `${home}/public/${what}/AT.demo`;
        rmSync(cli.path(place), { recursive: true });
        if (home !== 'BE') cpSync(twin.path(place), cli.path(place), { recursive: true });
      }
    for (const home of ['BE', 'DK']) {
      const told = await verify(home);
      assert.equal(told.outcome, 'undetermined');
      assert.ok(codesOf(told).includes('FORKED'));
      const made = await cli.run('snapshot', 'make', cli.path(home), '--out', cli.path('made.snap'));
      assert.match(made.err, /AT is left out: AT has signed two logs that contradict each other/);
    }
    const shown = new PublishedRegion(cli.path('BE/public'), { sha256 });
    const answer = await shown.answer({ kind: 'forks', origin: 'AT.demo/trust' });
    assert.equal(answer.kind === 'forks' && answer.forks.length, 1, 'who syncs by files is told too');
    const evidence = cli.path('BE/public/evidence/AT.demo/trust');
    const [name = ''] = readdirSync(evidence);
    assert.equal(
      (await cli.run('evidence', 'verify', `${evidence}/${name}`, '--region', cli.path('DK'))).exit,
      0,
    );
    const bytes = readFileSync(`${evidence}/${name}`);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(`${evidence}/${name}`, bytes);
    assert.equal(
      (await verify('DK')).outcome,
      'pass',
      'nothing else tells, and damaged proofs prove nothing',
    );
    await cli.run('witness', cli.path('BE'));
    rmSync(cli.path('BE/public/copies/AT.demo'), { recursive: true });
    assert.equal((await verify('DK')).outcome, 'undetermined', 'the proof is made anew from the store');
  });

  it('T4: the home whose own log contradicts what another region keeps of it judges nothing', async () => {
    const twin = new TestCli(folder());
    for (const region of REGIONS) cpSync(built.path(region), twin.path(region), { recursive: true });
    await twin.json('state', twin.path('BE'));
    await twin.json('witness', twin.path('CZ'), twin.path('BE'));
    await cli.json('withdraw', cli.path('BE'), 'AT');
    cpSync(twin.path('CZ/public/copies/BE.demo'), cli.path('CZ/public/copies/BE.demo'), { recursive: true });
    const { exit, err } = await cli.run('verify', '--region', cli.path('BE'), code);
    assert.equal(exit, 5);
    assert.match(err, /BE has signed two logs that contradict each other \[FORK\]/);
  });

  it('of the home itself counts as far as others have seen it: whom it has ceased to recognise stays withdrawn', async () => {
    await putBack('BE', async () => {
      await cli.json('withdraw', cli.path('BE'), 'AT');
      for (const witness of ['AT', 'CZ', 'DK']) await cli.json('witness', cli.path(witness), cli.path('BE'));
    });
    assert.notEqual((await verify('BE')).outcome, 'pass');
    const { err } = await cli.run('verify', '--region', cli.path('BE'), code);
    assert.match(err, /BE shows \d+ entries of its trust log, and others have seen \d+/);
  });
});
