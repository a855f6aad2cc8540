import assert from 'node:assert/strict';
import { GREEN, LivingRegion } from '../../support/living-region.ts';
import { describeOnAllTables } from '../../support/tables.ts';

const PASSPORT = { id_type: 'passport', id_country: 'DE', id_number: 'C01X00T47' };
const BY_DOCUMENT = 'id_type,id_country,id_number,full_name,birth_date';
const NAMED = 'Person 1,1990-05-17';

describeOnAllTables('What is sure', () => {
  let region: LivingRegion;
  beforeEach(async () => {
    region = await LivingRegion.open();
    region.later(20 / 24 - (region.nowS % 86_400) / 86_400);
  });
  afterEach(() => region.process.stop());

  const unsettled = async () => {
    const found: string[] = [];
    for await (const news of region.life.update({ dry: { atS: region.nowS } }))
      if ('unsettled' in news)
        found.push(
          ...news.unsettled.doubts.map(({ list, doubt, lines }) => `${list} ${doubt} ${lines.join()}`),
        );
    return found;
  };
  const dayAfter = (days: number) => region.textOf(region.nowS + days * 86_400).slice(0, 10);

  it('B69 red stands whatever a list says of a day to come', async () => {
    await region.declare([1]);
    await region.update();
    await region.control([1]);
    await region.list('contacts', `full_name,birth_date,contact,day\n${NAMED},close,${dayAfter(1)}\n`);
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.equal(await region.codesOf(1), '(green) red');
  });

  it('binds one operator who names rules by which nothing of it is known', async () => {
    await region.list('contacts', `full_name,birth_date,contact,day\n${NAMED},close,${dayAfter(1)}\n`);
    await region.declare([1, 2], { symptoms: true });
    const others = { id: 'other', issuing: [] };
    assert.deepEqual(await region.claims([1, 2], GREEN, others), ['stricter', 'stricter']);
  });

  it('B69 a day to come hides none that has come, and a declaration of tomorrow is refused by the zone of the rules', async () => {
    await region.list('contacts', `full_name,birth_date,contact,day\n${NAMED},close,${region.today}\n`);
    await assert.rejects(region.tell({ contact: dayAfter(1) }), /contact.*after the day of the declaration/);
    await assert.rejects(region.tell({ travel: `XX-1 ${dayAfter(1)}` }), /travel.*after the day/);
    region.hasRules = false;
    await region.tell({ contact: dayAfter(1) });
    region.hasRules = true;
    assert.deepEqual(await region.update(), { first: 1 });
    assert.equal(await region.codesOf(1), 'red');
  });

  it('B69 an entry by document stands, and one more by name alone is a doubt beside it', async () => {
    const list = (level: string) =>
      region.list(
        'control',
        `${BY_DOCUMENT},level,since\npassport,DE,C01X00T47,,,${level},${region.today}\n,,,${NAMED},key,${region.today}\n`,
      );
    await region.tell(PASSPORT);
    await region.update();
    await list('watch');
    const before = await unsettled();
    assert.deepEqual(before, ['control SEVERAL_ENTRIES 3']);
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.equal(await region.codesOf(1), '(green) yellow');
    assert.deepEqual(await unsettled(), before, 'the doubt goes on being shown');
    assert.deepEqual(await region.update(), { ambiguous: 1 });
    region.later(1);
    await list('key');
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.equal(await region.codesOf(1), '(green) (yellow) red');
  });

  it('B69 a doubt about a list of which the rules ask for nothing is none', async () => {
    await region.declare([1, 2], { symptoms: true, name: () => 'Person 1' });
    await region.list('vaccination', `full_name,birth_date,dose,day\n${NAMED},1,${region.today}\n`);
    assert.deepEqual(await region.update(), { first: 2 });
    assert.deepEqual(await region.update(), { unchanged: 2 });
    assert.equal(await region.codesOf(1), 'yellow');
  });

  it('where something stricter is open nothing new is given, but what is looser passes no more, and comes back', async () => {
    await region.declare([1]);
    await region.update();
    await region.tell({ symptoms: 'true', declared_at: region.textOf(region.nowS + 60) });
    await region.list('contacts', `full_name,birth_date,contact,day\n${NAMED},close,${dayAfter(1)}\n`);
    assert.deepEqual(await region.update(), { open: 1 });
    assert.equal(await region.codesOf(1), '(green)');
    assert.deepEqual(await region.update(), { open: 1 });
    region.later(1 / 24);
    const other = NAMED.replace('1', '9');
    await region.list('contacts', `full_name,birth_date,contact,day\n${other},close,${region.today}\n`);
    await region.list('tests', `full_name,birth_date,result,day\n${NAMED},negative,${region.today}\n`);
    assert.deepEqual(await region.update(), { renewed: 1 });
    assert.equal(await region.codesOf(1), '(green) green');
  });

  it('a code of other rules that is looser than what is sure is revoked', async () => {
    await region.declare([1, 2], { symptoms: true, name: () => 'Person 1' });
    await region.update();
    await region.control([1]);
    await region.issue(1, GREEN, 'other');
    assert.deepEqual(await region.update(), { ambiguous: 2 });
    assert.equal(await region.codesOf(1), 'yellow (green)');
  });
});
