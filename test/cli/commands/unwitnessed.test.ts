import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { codesOf, type Told } from '../../support/cli-world.ts';
import { TestCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** Two regions, each the only witness of the other: the smallest network, in which the least is at hand. */
describe('a region directory whose peer has published what nobody has seen yet', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  let peerCode: string;
  let ownCode: string;

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
    for (const region of ['CN-33', 'DE']) await cli.json('init', region, '--dir', cli.path(region));
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

  it('snapshot make takes the checkpoint for which others vouch, and says which region has a newer one', async () => {
    await cli.run('revoke', cli.path('CN-33'), peerCode);
    const made = await cli.run('snapshot', 'make', cli.path('DE'), '--out', cli.path('de.snap'));
    assert.equal(made.exit, 0);
    assert.match(made.err, /CN-33 has published more since, for which nobody vouches yet/);
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
    assert.match(
      refused.err,
      /Nobody vouches for CN-33, so that it is no witness yet; run: entente witness <directory of DE> <directory of CN-33>/,
    );
    await bare.json('witness', bare.path('DE'), bare.path('CN-33'));
    assert.equal((await bare.run('verify', '--region', bare.path('DE'), code)).exit, 0);
  });

  it('T1: what a peer has cosigned of another tree is passed over', async () => {
    const twin = new TestCli(folder());
    cpSync(cli.path('CN-33'), twin.path('CN-33'), { recursive: true });
    cpSync(cli.path('DE'), twin.path('DE'), { recursive: true });
    await twin.json('state', twin.path('CN-33'));
    await twin.json('witness', twin.path('DE'), twin.path('CN-33'));
    await cli.run('revoke', cli.path('CN-33'), peerCode);
    await cli.json('state', cli.path('CN-33'));
    const cosigned = 'DE/public/cosignatures/CN-33.demo/trust';
    cpSync(twin.path(cosigned), cli.path(cosigned));
    const { exit, err } = await cli.run('verify', '--region', cli.path('DE'), ownCode);
    assert.equal(exit, 4);
    assert.match(err, /Nobody vouches for CN-33/);
  });
});
