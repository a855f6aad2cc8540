import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { shortWith } from '../../../cli/joining/quorums.ts';
import { type Recognition } from '../../../protocol/trust/trust-state.ts';
import { copyWorld, makeWorld, REGIONS, witnessAll, type World } from '../../support/cli-world.ts';
import { TestCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Recognised {
  readonly belowQuorum: readonly {
    readonly region: string;
    readonly counted: number;
    readonly needed: number;
  }[];
  readonly witnesses: { readonly needed: number; readonly of: readonly string[] };
}

describe('shortWith', () => {
  const one = (region: string, more: object = {}): Recognition => ({
    region,
    ...{ standing: 'recognised', version: 1, fingerprint: new Uint8Array(32), way: 'direct', rules: null },
    ...{ fromS: 0, untilS: 100, ...more },
  });
  const stateOf = (...all: readonly Recognition[]) => ({
    recognitions: () => all,
    recognition: (of: string) => all.find(({ region }) => region === of),
  });
  const vouched = (
    region: string,
    counted: number,
    needed: number,
    of: number,
    witnessedBy: string[] = [],
  ) => ({
    ...{ region, counted, needed, of, witnessedBy },
  });
  const three = stateOf(one('FR'), one('AT'), one('LU'));

  it('counts the vote of the newcomer where it is known, and its silence where not', () => {
    const of = (witnessedBy: string[]) =>
      shortWith('SE', { state: three, nowS: 50, vouched: [vouched('FR', 2, 2, 3, witnessedBy)] });
    assert.deepEqual(of(['DE', 'AT']), [{ region: 'FR', counted: 2, needed: 3, of: 4 }]);
    assert.deepEqual(of(['DE', 'AT', 'SE']), []);
  });

  it('tells nothing of who is short already, is vouched for by enough, or does not count here', () => {
    const short = (state: typeof three, ...given: ReturnType<typeof vouched>[]) =>
      shortWith('SE', { state, nowS: 50, vouched: given });
    assert.deepEqual(short(three, vouched('FR', 1, 2, 3)), []);
    assert.deepEqual(short(three, vouched('FR', 3, 2, 3)), []);
    for (const more of [{ standing: 'suspended' }, { untilS: 50 }, { fromS: 51 }]) {
      const state = stateOf(one('FR', more), one('AT'), one('LU'));
      assert.deepEqual(short(state, vouched('FR', 2, 2, 3)), []);
    }
    // The home's own log, for which the newcomer is asked to vouch by the recognition.
    assert.deepEqual(short(three, vouched('DE', 2, 2, 3)), []);
  });

  it('takes a region that has to vouch already for no newcomer, and one whose recognition is over for one', () => {
    const given = [vouched('FR', 2, 2, 3)];
    const known = stateOf(one('FR'), one('AT'), one('LU'), one('SE', { standing: 'suspended' }));
    assert.deepEqual(shortWith('SE', { state: known, nowS: 50, vouched: given }), []);
    for (const more of [{ untilS: 50 }, { way: 'adapter' }]) {
      const over = stateOf(one('FR'), one('AT'), one('LU'), one('SE', more));
      assert.equal(shortWith('SE', { state: over, nowS: 50, vouched: given }).length, 1);
    }
  });
});

/** DE, FR and CN-33 recognise and witness each other; LU and SE join at DE. */
describe('recognise, where another region has to vouch from then on', () => {
  const folder = temporaryFolders();
  let world: World;
  let cli: TestCli;
  before(async () => {
    world = await makeWorld(folder());
    cli = new TestCli(world.dir);
    for (const region of ['LU', 'SE']) await cli.json('init', region, '--dir', cli.path(region));
    // Of three that vouch two are enough.
    const first = await cli.run('recognise', cli.path('DE'), cli.path('LU'));
    assert.equal(first.exit, 0, first.err);
    assert.match(first.out, /Codes of LU are undetermined here until 2 of DE, CN-33, FR vouch for it/);
    await witnessAll(cli);
  });
  beforeEach(() => {
    cli = copyWorld(world, folder());
  });

  it('refuses and logs nothing where others fall below their quorum by it, and says whom and why', async () => {
    const checkpoint = () => readFileSync(cli.path('DE/public/trust/checkpoint'), 'utf8');
    const before = checkpoint();
    const { exit, err } = await cli.run('recognise', cli.path('DE'), cli.path('SE'));
    assert.equal(exit, 1);
    assert.match(
      err,
      /codes of CN-33, FR are undetermined: 2 of 4 vouch for CN-33, 3 needed; 2 of 4 vouch for FR, 3 needed/,
    );
    assert.match(err, /\[REFUSED\]\nNothing was recognised\. [^]*--below-quorum/);
    assert.equal(checkpoint(), before);
    const { error } = JSON.parse(
      (await cli.run('recognise', cli.path('DE'), cli.path('SE'), '--json')).err,
    ) as {
      error: { code: string; details: unknown };
    };
    assert.deepEqual(error.details, [
      { region: 'CN-33', counted: 2, needed: 3, of: 4 },
      { region: 'FR', counted: 2, needed: 3, of: 4 },
    ]);
  });

  it('goes on with --below-quorum, and says whose codes are undetermined', async () => {
    const { exit, out } = await cli.run('recognise', cli.path('DE'), cli.path('SE'), '--below-quorum');
    assert.equal(exit, 0);
    assert.match(out, /Undetermined from now on: codes of FR \(2 of 4 vouch for FR, 3 needed\)\./);
  });

  it('goes on without where the newcomer is no witness, or has to vouch already', async () => {
    const hosted = await cli.json<Recognised>('recognise', cli.path('DE'), cli.path('SE'), '--way', 'hosted');
    assert.deepEqual(hosted.belowQuorum, []);
    await cli.json('recognise', cli.path('DE'), cli.path('SE'), '--below-quorum');
    await witnessAll(cli);
    const again = await cli.json<Recognised>('recognise', cli.path('DE'), cli.path('SE'));
    assert.deepEqual([again.belowQuorum, again.witnesses.needed], [[], 3]);
  });

  it('asks nothing of the first regions that meet', async () => {
    cli = new TestCli(folder());
    for (const region of REGIONS) await cli.json('init', region, '--dir', cli.path(region));
    for (const [home, peer] of [
      ['DE', 'FR'],
      ['FR', 'DE'],
      ['DE', 'CN-33'],
    ] as const)
      assert.deepEqual(
        (await cli.json<Recognised>('recognise', cli.path(home), cli.path(peer))).belowQuorum,
        [],
      );
  });
});
