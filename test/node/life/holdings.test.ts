import assert from 'node:assert/strict';
import { Holdings, type Held } from '../../../node/life/holdings.ts';
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

describe('Holdings.makePlace', () => {
  /** Who waits of one whose red code is to be revoked, and no log tells that it has it. */
  async function waitingOf(corrects: number | undefined): Promise<readonly string[]> {
    const modules = {
      tables: { write: () => Promise.resolve() },
      node: { heldCodes: { logged: () => Promise.resolve([]) }, revoke: () => assert.fail() },
    } as unknown as ConstructorParameters<typeof Holdings>[0];
    const one = {
      pseudonym: 'p1',
      revoked: [{ log: '2026-11', index: 7 }],
      corrects,
      judgement: { what: 'unchanged' },
    };
    return [...(await new Holdings(modules).makePlace([one as unknown as Held]))];
  }

  it('lets nobody have an objection corrected whose code was not revoked', async () => {
    assert.deepEqual(await waitingOf(1), ['p1']);
    assert.deepEqual(await waitingOf(undefined), []);
  });
});
