import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { codesOf, type Told } from '../../support/cli-world.ts';
import { TestCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** Two regions, each the only witness of the other: the smallest network, in which the least is at hand. */
describe('a region directory whose peer has published what nobody has seen yet', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  let peerCode: string;
  let ownCode: string;
  /** The flags of a verifier who goes by a snapshot for DE. */
  let gate: readonly string[];

  const verify = (code: string) => cli.json<Told>('verify', '--region', cli.path('DE'), code);

  async function issue(region: string): Promise<string> {
    const { code } = await cli.json<{ code: string }>(
      'issue',
      cli.path(region),
      ...['--subject', `Person of ${region}`, '--colour', 'green'],
    );
    return code;
  }

  beforeEach(async () => {
    cli = new TestCli(folder());
    await cli.json('init', 'CN-33', '--dir', cli.path('CN-33'));
    const { fingerprint } = await cli.json<{ fingerprint: string }>('init', 'DE', '--dir', cli.path('DE'));
    gate = ['--home', 'DE', '--pin', fingerprint];
    await cli.json('recognise', cli.path('DE'), cli.path('CN-33'));
    await cli.json('recognise', cli.path('CN-33'), cli.path('DE'));
    await cli.json('witness', cli.path('DE'));
    await cli.json('witness', cli.path('CN-33'));
    [peerCode, ownCode] = [await issue('CN-33'), await issue('DE')];
  });

  it('verify --region judges by what was witnessed, and stops at once what was revoked since', async () => {
    const spared = await issue('CN-33');
    const { out, err } = await cli.run('revoke', cli.path('CN-33'), peerCode);
    assert.match(out, /^Revoked 1 code/);
    assert.match(err, /Let DE vouch for this log: entente witness \S*DE \S*CN-33\n/);
    const verdict = await verify(peerCode);
    assert.deepEqual([verdict.outcome, codesOf(verdict).includes('REVOKED')], ['stop', true]);
    assert.equal((await verify(ownCode)).outcome, 'pass');
    assert.equal((await verify(spared)).outcome, 'pass');
  });

  it('snapshot make takes the checkpoint for which enough vouch, and says which region has a newer one', async () => {
    await cli.run('revoke', cli.path('CN-33'), peerCode);
    const made = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path('de.snap'));
    assert.equal(made.exit, 0);
    assert.match(made.err, /CN-33 has published more since, for which too few vouch yet/);
    const { parts } = await cli.json<{ parts: { region: string; entries: number }[] }>(
      ...['snapshot', 'show', cli.path('de.snap')],
    );
    assert.deepEqual(
      parts.map(({ region, entries }) => [region, entries]),
      [
        ['CN-33', 7],
        ['DE', 7],
      ],
    );
  });

  it('snapshot make carries what enough regions vouch for, however many vouched for what was there before', async () => {
    await cli.json('init', 'FR', '--dir', cli.path('FR'));
    for (const region of ['CN-33', 'DE']) {
      await cli.json('recognise', cli.path(region), cli.path('FR'));
      await cli.json('recognise', cli.path('FR'), cli.path(region));
    }
    // DE keeps that both others have vouched for CN-33 before, and has not looked again since.
    for (const region of ['FR', 'CN-33', 'DE']) await cli.json('witness', cli.path(region));
    await cli.run('revoke', cli.path('CN-33'), peerCode);
    const verdictBy = async (snapshot: string) => {
      const { err } = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path(snapshot));
      const verdict = await cli.json<Told>('verify', '--offline', cli.path(snapshot), ...gate, peerCode);
      return [verdict.outcome, codesOf(verdict).includes('REVOKED'), err.includes('too few vouch yet')];
    };
    assert.deepEqual(await verdictBy('before.snap'), ['pass', false, true]);
    await cli.json('witness', cli.path('FR'));
    assert.deepEqual(await verdictBy('after.snap'), ['stop', true, false]);
  });

  it('what was never witnessed makes nothing known of the region, and the hint names what mends it', async () => {
    const bare = new TestCli(folder());
    for (const region of ['CN-33', 'DE']) await bare.json('init', region, '--dir', bare.path(region));
    await bare.json('recognise', bare.path('DE'), bare.path('CN-33'));
    await bare.json('recognise', bare.path('CN-33'), bare.path('DE'));
    await bare.json('witness', bare.path('CN-33'));
    const { code } = await bare.json<{ code: string }>(
      ...['issue', bare.path('DE'), '--subject', 'Person', '--colour', 'green'],
    );
    const refused = await bare.run('verify', '--region', bare.path('DE'), code);
    assert.equal(refused.exit, 4);
    // The hint names the directories as they are called from where the command runs.
    const [, hinted] = /Let DE vouch for CN-33: entente (witness .*)\n/.exec(refused.err) ?? [];
    assert.equal((await bare.run(...(hinted ?? '').split(' '))).exit, 0);
    assert.equal((await bare.run('verify', '--region', bare.path('DE'), code)).exit, 0);
  });

  it('T4: a peer whose directory contradicts what the home has seen has signed two logs, and its codes are undetermined', async () => {
    const twin = new TestCli(folder());
    for (const region of ['CN-33', 'DE']) cpSync(cli.path(region), twin.path(region), { recursive: true });
    await twin.json('state', twin.path('CN-33'));
    await twin.json('witness', twin.path('DE'), twin.path('CN-33'));
    await twin.json('witness', twin.path('CN-33'), twin.path('DE'));
    const seen = 'DE/public/copies/CN-33.demo';
    cpSync(twin.path(seen), cli.path(seen), { recursive: true });
    await cli.run('revoke', cli.path('CN-33'), peerCode);
    const spared = await issue('CN-33');
    await cli.json('state', cli.path('CN-33'));
    const { exit, err } = await cli.run('verify', '--region', cli.path('DE'), spared);
    assert.equal(exit, 4);
    assert.match(err, /CN-33 has signed two logs that contradict each other/);
    const revoked = await verify(peerCode);
    assert.deepEqual([revoked.outcome, codesOf(revoked).includes('REVOKED')], ['stop', true]);
    const made = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path('de.snap'));
    assert.match(made.err, /CN-33 has signed two logs that contradict each other/);
  });

  it('T1: a peer that publishes an old checkpoint with all its genuine cosignatures hides no revocation', async () => {
    const four = new TestCli(folder());
    const regions = ['AT', 'BE', 'CZ', 'DK'];
    const pins = new Map<string, string>();
    for (const region of regions) {
      const made = await four.json<{ fingerprint: string }>('init', region, '--dir', four.path(region));
      pins.set(region, made.fingerprint);
    }
    for (const one of regions)
      for (const other of regions)
        if (one !== other) await four.json('recognise', four.path(one), four.path(other));
    for (const region of regions) await four.json('witness', four.path(region));
    const { code } = await four.json<{ code: string }>(
      ...['issue', four.path('BE'), '--subject', 'Person', '--colour', 'green'],
    );
    const published = (region: string) => four.path(region, 'public/cosignatures/BE.demo/trust');
    const notes = ['AT', 'CZ', 'DK'].map((region) => readFileSync(published(region), 'utf8'));
    await four.run('revoke', four.path('BE'), code);
    for (const region of ['AT', 'CZ']) await four.json('witness', four.path(region), four.path('BE'));
    const text = notes[0]?.split('\n\n')[0] ?? '';
    const lines = new Set(notes.flatMap((note) => note.split('\n\n')[1]?.split('\n') ?? []));
    writeFileSync(published('DK'), `${text}\n\n${[...lines].filter(Boolean).join('\n')}\n`);
    const snapshot = four.path('at.snap');
    await four.json('snapshot', 'make', four.path('AT'), '--out', snapshot);
    const verdict = await four.json<Told>(
      ...['verify', '--offline', snapshot, '--home', 'AT', '--pin', pins.get('AT') ?? '', code],
    );
    assert.deepEqual([verdict.outcome, codesOf(verdict).includes('REVOKED')], ['stop', true]);
  });

  it('witness leaves out a peer whose recognition was withdrawn, and vouches for it where it is named', async () => {
    await cli.json('withdraw', cli.path('CN-33'), 'DE');
    assert.equal((await cli.run('witness', cli.path('CN-33'))).exit, 0);
    const named = await cli.run('witness', cli.path('CN-33'), cli.path('DE'));
    assert.match(named.out, /DE\.demo\/trust/);
  });

  for (const [what, put] of [
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a folder', (path: string) => mkdirSync(path)],
    ['a link to itself', (path: string) => symlinkSync(path, path)],
    ['a device', (path: string) => symlinkSync('/dev/zero', path)],
    ['more than a note', (path: string) => writeFileSync(path, 'x'.repeat(70_000))],
    ['no note', (path: string) => writeFileSync(path, 'x')],
  ] as const) {
    it(`T12: ${what} where a peer publishes a cosignature, or its checkpoint, is passed over, and named`, async () => {
      const cosigned = cli.path('CN-33/public/cosignatures/DE.demo/trust');
      rmSync(cosigned);
      put(cosigned);
      // DE has taken the cosignature into its own checkpoint when it signed last.
      assert.equal((await verify(ownCode)).outcome, 'pass');
      const checkpoint = cli.path('CN-33/public/trust/checkpoint');
      rmSync(checkpoint);
      put(checkpoint);
      const gone = await cli.run('verify', '--region', cli.path('DE'), ownCode);
      assert.equal(gone.exit, 0);
      assert.match(gone.err, /the directory of CN-33 cannot be read: the \d+ entries/);
    });
  }
});
