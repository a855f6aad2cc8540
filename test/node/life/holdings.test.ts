import assert from 'node:assert/strict';
import { GREEN, LivingRegion } from '../../support/living-region.ts';
import { describeOnAllTables } from '../../support/tables.ts';

describeOnAllTables('Holdings.lookAgain', () => {
  let region: LivingRegion;
  beforeEach(async () => {
    region = await LivingRegion.open();
    await region.declare([1]);
    await region.update();
    await region.control([1]);
  });
  afterEach(() => region.process.stop());

  it('revokes what came into the log while the stricter code was on its way', async () => {
    region.beforeIssuingAll = () => region.issue(1, GREEN);
    assert.deepEqual(await region.update(), { worse: 1 });
    assert.equal(await region.codesOf(1), '(green) (green) red');
    assert.deepEqual(await region.update(), { unchanged: 1 });
  });

  it('tells of who holds it on, since the hour has no revocation left, and the next update revokes it', async () => {
    region.beforeIssuingAll = async () => {
      await region.issue(1, GREEN);
      region.isHourUsedUp = true;
    };
    assert.deepEqual(await region.update(), { waiting: 1 });
    assert.equal(await region.codesOf(1), '(green) green red');
    region.isHourUsedUp = false;
    assert.deepEqual(await region.update(), { unchanged: 1 });
    assert.equal(await region.codesOf(1), '(green) (green) red');
  });
});
