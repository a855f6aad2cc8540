import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { HeldFile } from '../../support/held-file.ts';
import { GREEN, LivingRegion } from '../../support/living-region.ts';

const HEAD = 'subject,full_name,birth_date,declared_at,consent,symptoms\n';
const ORDER = { source: 'office', format: 'csv', encoding: 'utf-8' } as const;

describe('Life, where several things go on', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  it('updates, objects, forgets and takes single declarations while a file of declarations comes slowly', async () => {
    await region.declare([1, 2]);
    await region.update();
    const rows = Array.from(
      { length: 1_100 },
      (_, i) => `F${i},Person F${i},1990-05-17,${region.textOf(region.nowS)},true,false\n`,
    );
    const file = new HeldFile(HEAD + rows.slice(1).join(''), rows[0] ?? '');
    const taking = region.life.declare(ORDER, file);
    await file.reached;
    assert.deepEqual(await region.update(), { unchanged: 2 });
    await region.declare([3], { symptoms: true });
    assert.deepEqual(await region.update(), { unchanged: 2, first: 1 });
    assert.equal((await region.life.object('P3', 'I have none.')).number, 1);
    const done = () => Promise.resolve();
    assert.equal(await region.life.forget('P2', { require: done, onFound: done }), true);
    file.goOn();
    const report = await taking;
    assert.deepEqual(report, { outcome: 'taken', added: 1_100, replaced: 0, unchanged: 0, older: 0 });
    assert.equal((await region.life.holder('F0', false)).standing, 'none');
  });

  it('a dry run goes on beside a run, keeps nobody from one, and lets no second one in', async () => {
    const dry = { dry: { atS: region.nowS } };
    await region.declare([1]);
    const looking = region.life.update(dry);
    await looking.next();
    assert.deepEqual(await region.update(), { first: 1 });
    const running = region.life.update();
    await running.next();
    assert.deepEqual(await region.update(dry), { unchanged: 1 });
    await looking.return();
    const isBusy = (error: unknown) => isNodeError(error, 'REFUSED') && error.retry;
    await assert.rejects(region.life.update().next(), isBusy);
    await running.return();
    assert.deepEqual(await region.update(), { unchanged: 1 });
  });

  it('notices of many ask for each page of codes, and not for each person', async () => {
    const numbers = Array.from({ length: 250 }, (_, n) => n);
    await region.declare(numbers);
    await region.update();
    const { registry, tables } = region.process;
    let pages = 0;
    const [atPlaces, page] = [registry.atPlaces.bind(registry), tables.page.bind(tables)];
    tables.page = (from, ...rest) => {
      if (from.startsWith('registry/page/')) pages++;
      return page(from, ...rest);
    };
    let calls = 0;
    registry.atPlaces = (places) => (calls++, atPlaces(places));
    const told = new Set<string>();
    for await (const { subject, code, change } of region.life.untold()) {
      assert.ok(code.startsWith('ENT1:'));
      assert.equal(change.kind, 'first');
      told.add(subject);
    }
    assert.deepEqual([told.size, calls], [250, 1]);
    assert.ok(pages < 10, `${pages} pages of 64`);
  });

  it('who never declared, and whose code was revoked by hand, is told to declare before they object', async () => {
    await region.issue(1, GREEN);
    await region.revoke(1);
    await assert.rejects(
      region.life.object('P1', 'Why?'),
      (error: unknown) =>
        isNodeError(error, 'NOT_FOUND') &&
        /needs a declaration/.test(error.message) &&
        /`entente declare`.*`entente update`/.test(error.hint ?? ''),
    );
    await region.declare([1]);
    await region.update();
    assert.equal((await region.life.object('P1', 'Why?')).state, 'open');
  });
});
