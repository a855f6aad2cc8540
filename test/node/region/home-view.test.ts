import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type HomeView, readHomeView } from '../../../node/region/home-view.ts';
import { copyPath, cosignaturePath, trustLogPath } from '../../../node/region/layout.ts';
import { parseNote } from '../../../protocol/log/note.ts';
import { publishLog, putFile } from '../../support/published-files.ts';
import { DAY_S, type TestKey, trustModules } from '../../support/region-fixture.ts';
import { Federation, NETWORK, noteOf, NOW_S } from '../../support/snapshot-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const modules = { ...trustModules, nowS: () => NOW_S };

/** Four regions, so that two of the three others have to vouch for each. */
describe('readHomeView for BE', () => {
  const folder = temporaryFolders();
  let dir: string;
  let federation: Federation;
  const publicPath = (region: string) => join(dir, region, 'public');
  const at = () => federation.region('AT');

  beforeEach(() => {
    dir = folder();
    federation = new Federation('BE', 'AT', 'CZ', 'DK');
    const names = [...federation.regions.keys()];
    const peers = names.filter((name) => name !== 'BE');
    putFile(
      join(dir, 'BE/entente.yaml'),
      [
        `format: 1\nregion: BE\nname: Belgium\nnetwork: ${NETWORK}\npeers:`,
        ...peers.map((peer) => `  ${peer}:\n    directory: ../${peer}/public`),
      ].join('\n'),
    );
    for (const name of names) publish(name, 'all');
  });

  /** A region shows its log as it is now, and by its own checkpoint who has vouched for that. */
  function publish(name: string, by: readonly string[] | 'all' = []): void {
    const region = federation.region(name);
    const others = [...federation.regions.values()].filter((other) => other !== region);
    const note = noteOf(region, others, by === 'all' ? {} : { by });
    publishLog(trustLogPath(publicPath(name)), region.entries, note);
  }

  interface Vouching {
    /** Whose lines the witness keeps: its own. */
    readonly lines?: readonly string[];
    readonly of?: string;
    readonly atS?: number;
    /** With another key than that which its log announced first. */
    readonly key?: TestKey;
  }

  /** A region vouches for the log of AT, or of another one, as it is now. */
  function vouch(witness: string, { lines = [witness], of = 'AT', atS, key }: Vouching = {}): void {
    const region = federation.region(of);
    const witnesses = [...federation.regions.values()].map((one) =>
      key !== undefined && one.region === witness ? { region: witness, keys: { witness: key } } : one,
    );
    const note = noteOf(region, witnesses, { by: lines, ...(atS !== undefined && { atS }) });
    putFile(cosignaturePath(publicPath(witness), region.origin), note);
    publishLog(copyPath(publicPath(witness), region.origin, region.fingerprint), region.entries, note);
  }

  const read = () => readHomeView(join(dir, 'BE'), modules);
  const sizeOf = (sources: HomeView['sources'], name = 'AT') =>
    sources.find(({ region }) => region === name)?.size;
  const standing = ({ sources, newer, lacking }: HomeView) => ({
    taken: sizeOf(sources),
    newer: sizeOf(newer),
    lacking: lacking.map(({ region, needed, silent }) => `${region}: ${needed} of ${silent.join(' ')}`),
  });

  it('takes the largest checkpoint for which enough vouch, however many vouch for an older one', async () => {
    vouch('BE', { lines: ['BE', 'CZ', 'DK'] });
    const size = at().revoke([1]) + 1;
    publish('AT');
    for (const witness of ['CZ', 'DK']) vouch(witness);
    assert.deepEqual(standing(await read()), { taken: size, newer: undefined, lacking: [] });
  });

  it('takes the older one for which enough vouch while one too few vouch for the newest, and gives both', async () => {
    vouch('BE', { lines: ['BE', 'CZ', 'DK'] });
    const size = at().revoke([1]);
    publish('AT');
    vouch('CZ');
    assert.deepEqual(standing(await read()), { taken: size, newer: size + 1, lacking: [] });
  });

  it('takes the larger of two older ones for which enough vouch', async () => {
    vouch('BE', { lines: ['BE', 'CZ', 'DK'] });
    const size = at().revoke([1]) + 1;
    for (const witness of ['CZ', 'DK']) vouch(witness);
    at().revoke([2]);
    publish('AT');
    assert.deepEqual(standing(await read()), { taken: size, newer: size + 1, lacking: [] });
  });

  it('takes that for which most vouch where there are not enough for any, and says who is silent', async () => {
    vouch('BE');
    const size = at().revoke([1]);
    publish('AT');
    assert.deepEqual(standing(await read()), {
      taken: size,
      newer: size + 1,
      lacking: ['AT: 2 of BE CZ DK'],
    });
    vouch('CZ');
    assert.deepEqual(standing(await read()), {
      taken: size + 1,
      newer: undefined,
      lacking: ['AT: 1 of BE DK'],
    });
  });

  for (const [when, atS] of [
    ['later than now', NOW_S + 121],
    ['before it was made', NOW_S - 121],
  ] as const)
    it(`T15: counts no vote for a checkpoint that is said to have been seen ${when}`, async () => {
      vouch('BE', { lines: ['BE', 'CZ', 'DK'] });
      at().nowS = NOW_S;
      const size = at().revoke([1]);
      publish('AT');
      vouch('DK');
      vouch('CZ', { atS });
      const view = await read();
      assert.deepEqual(standing(view), { taken: size, newer: size + 1, lacking: [] });
      const [newer] = view.newer;
      assert.deepEqual(newer && parseNote(newer.note).signatures.map(({ name }) => name), [at().origin]);
      vouch('CZ', { atS: NOW_S + 120 });
      assert.deepEqual(standing(await read()), { taken: size + 1, newer: undefined, lacking: [] });
    });

  it('T15: counts none that is earlier than a statement of the root either, and hands it on to nobody', async () => {
    vouch('BE', { lines: ['BE', 'CZ', 'DK'] });
    at().nowS = NOW_S;
    const size = at().add({ kind: 'withdrawal', region: 'CZ', version: 2 });
    publish('AT');
    for (const witness of ['CZ', 'DK']) vouch(witness, { atS: NOW_S - 2 * DAY_S });
    const { sources, newer } = await read();
    assert.deepEqual([sizeOf(sources), sizeOf(newer)], [size, size + 1]);
    vouch('DK');
    vouch('BE');
    const taken = (await read()).sources.find(({ region }) => region === 'AT');
    assert.ok(taken);
    const names = parseNote(taken.note).signatures.map(({ name }) => name);
    assert.deepEqual(
      [taken.size, names.sort()],
      [size + 1, ['AT.test/trust', 'BE.test/witness', 'DK.test/witness']],
    );
  });

  it('takes the older one where who vouches for the newest does it by a key of which only its own new log knows', async () => {
    for (const of of ['AT', 'CZ'])
      vouch('BE', { lines: ['AT', 'BE', 'CZ', 'DK'].filter((by) => by !== of), of });
    const key = federation.region('CZ').key('fresh witness');
    federation.region('CZ').admit([{ key, role: 'witness' }]);
    publish('CZ');
    const size = at().revoke([1]);
    publish('AT');
    vouch('DK');
    vouch('CZ', { key });
    assert.deepEqual(standing(await read()), { taken: size, newer: size + 1, lacking: [] });
    for (const witness of ['BE', 'DK']) vouch(witness, { of: 'CZ' });
    assert.equal(standing(await read()).taken, size + 1);
  });

  it('counts no vote of a region that the home does not recognise', async () => {
    vouch('BE', { lines: ['BE', 'CZ', 'DK'] });
    federation.region('BE').add({ kind: 'withdrawal', region: 'DK', version: 2 });
    publish('BE', 'all');
    at().revoke([1]);
    publish('AT');
    vouch('DK');
    const { taken, newer } = standing(await read());
    assert.deepEqual([taken, newer], [at().entries.length - 1, at().entries.length]);
  });

  it('takes the newest of the home itself, whoever vouches for it', async () => {
    const home = federation.region('BE');
    home.revoke([1]);
    publish('BE');
    const { sources, lacking } = await read();
    assert.equal(sizeOf(sources, 'BE'), home.entries.length);
    assert.deepEqual(
      lacking.map(({ region }) => region),
      ['BE'],
    );
  });
});
