import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { ANNA, BERT, LivingRegion } from '../../support/living-region.ts';
import { describeOnAllTables } from '../../support/tables.ts';

describeOnAllTables('Overrides.confirm', () => {
  const PEOPLE = [1, 2, 3, 4, 5, 6];
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  /** Three of six have their codes. */
  async function brokenOff(days: number): Promise<string> {
    const subjects = PEOPLE.map((n) => `P${n}`);
    const { id } = await region.overrides.propose(
      { reason: 'outbreak', colour: 'red', days, subjects },
      ANNA,
    );
    region.issuesLeft = 3;
    await assert.rejects(region.overrides.confirm(id, BERT), /it died/);
    region.issuesLeft = Infinity;
    return id;
  }

  const codes = () => Promise.all(PEOPLE.map((n) => region.codesOf(n)));

  it('goes on with what is left, however much later: nobody gets two codes', async () => {
    const id = await brokenOff(14);
    region.later(3);
    // What orders of one key came to is forgotten by then.
    await region.issueOnce('another');
    assert.deepEqual(await region.overrides.confirm(id, BERT), { issued: 6 });
    assert.deepEqual(
      await codes(),
      PEOPLE.map(() => 'red'),
    );
    assert.equal((await region.overrides.show(id)).state, 'done');
  });

  it('is refused once its time is over, and names nobody any more', async () => {
    const id = await brokenOff(2);
    region.later(3);
    assert.equal((await region.overrides.show(id)).state, 'over');
    await assert.rejects(
      region.overrides.confirm(id, BERT),
      (error: unknown) => isNodeError(error, 'REFUSED') && /3 of 6 people got no code/.test(error.message),
    );
    const { state, subjects, missed } = await region.overrides.show(id);
    assert.deepEqual([state, subjects, missed], ['over', [], 3]);
    const records = await Promise.all(PEOPLE.map((n) => region.process.registry.ofSubject(`P${n}`)));
    assert.equal(records.flat().length, 3);
  });
});
