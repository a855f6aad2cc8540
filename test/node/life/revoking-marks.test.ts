import assert from 'node:assert/strict';
import { DossierShelf } from '../../../node/life/dossier-shelf.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { LivingRegion } from '../../support/living-region.ts';
import { describeOnAllTables } from '../../support/tables.ts';

describeOnAllTables('codes that are revoked to make place for another', () => {
  let region: LivingRegion;
  let shelf: DossierShelf;
  beforeEach(async () => {
    region = await LivingRegion.open();
    const { process, machine } = region;
    shelf = new DossierShelf({ key: REGISTRY_KEY }, { tables: process.tables, random: machine.bytes });
  });
  afterEach(() => region.process.stop());

  const named = async (table: string) =>
    (await region.process.tables.page(`life/${table}/`, `life/${table}0`, { limit: 9 })).map(
      ([name]) => name,
    );
  const markOf = (subject: string) => `life/revoking/${shelf.pseudonymOf(subject)}`;

  it('are marked before they are revoked, which goes with the other code, and the dossier is as it was until then', async () => {
    await region.declare([1, 2]);
    await region.update();
    await region.control([2]);
    const dossiers = () => region.process.tables.page('life/person/', 'life/person0', { limit: 9 });
    const before = await dossiers();
    region.isHourUsedUp = true;
    assert.deepEqual(await region.update(), { unchanged: 1, waiting: 1 });
    assert.deepEqual(await named('revoking'), [markOf('P2')]);
    assert.deepEqual(await dossiers(), before);
    assert.equal((await region.life.holder('P2', false)).isRevoking, true);
    region.isHourUsedUp = false;
    assert.deepEqual(await region.update(), { unchanged: 1, worse: 1 });
    assert.deepEqual(await named('revoking'), []);
  });

  it('are not forgotten where the news was wrong by then, as a mark and as older software noted it: another comes at once', async () => {
    await region.declare([1, 2, 3]);
    await region.update();
    const { tables, registry, revoker } = region.process;
    const [, second] = await shelf.dossiers(['P1', 'P2'].map(shelf.pseudonymOf));
    assert.ok(second);
    await tables.write([
      shelf.markChange('revoking', 'P1'),
      shelf.dossierChange({ ...second, isRevoking: true }),
    ]);
    for (const subject of ['P1', 'P2', 'P3']) {
      const [{ log, index } = assert.fail()] = await registry.ofSubject(subject);
      await revoker.revoke({ log, indexes: [index] });
    }
    assert.deepEqual(await region.update(), { renewed: 2, withdrawn: 1 });
    assert.deepEqual(await named('revoking'), []);
    assert.equal((await region.life.holder('P2', false)).isRevoking, undefined);
    assert.deepEqual(await region.update(), { unchanged: 2, withdrawn: 1 });
  });

  it('still make place once the code that came, of the same colour, is taken back: it is given anew', async () => {
    await region.declare([1, 2]);
    await region.update();
    const { tables, registry } = region.process;
    await tables.write([shelf.markChange('revoking', 'P1')]);
    await region.revoke(1);
    await region.revoke(2);
    assert.deepEqual(await region.update(), { renewed: 1, withdrawn: 1 });
    const { log, index } = (await registry.ofSubject('P1')).at(-1) ?? assert.fail();
    await region.life.takeBack({ log, index, count: 1 }, ['P1']);
    assert.deepEqual(await region.update(), { renewed: 1, withdrawn: 1 });
    assert.equal((await region.life.holder('P1', false)).isRevoking, undefined);
    assert.deepEqual(await region.update(), { unchanged: 1, withdrawn: 1 });
  });

  it('T25 are marked no more once their holder is forgotten, or nothing of the news is left', async () => {
    await region.declare([1, 2]);
    await region.update();
    const { tables } = region.process;
    await tables.write(['P1', 'P2'].map((subject) => shelf.markChange('revoking', subject)));
    const done = () => Promise.resolve();
    await region.life.forget('P1', { require: done, onFound: done });
    assert.deepEqual(await named('revoking'), [markOf('P2')]);
    assert.deepEqual(await region.update(), { unchanged: 1 });
    assert.deepEqual(await named('revoking'), []);
  });
});
