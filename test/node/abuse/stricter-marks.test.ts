import assert from 'node:assert/strict';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { RegionMachine } from '../../support/issuing-fixture.ts';
import { GREEN, LivingRegion } from '../../support/living-region.ts';
import { describeOnAllTables } from '../../support/tables.ts';

const marksOf = async ({ process }: LivingRegion) =>
  (await process.tables.page('life/beside/', 'life/beside~', { limit: 9 })).map(([name]) => name);

/** Red by an order, to somebody who got green from elsewhere once it had made place; `begin` is called before its code. */
async function orderBeside(machine: RegionMachine, begin: () => void): Promise<void> {
  const region = await LivingRegion.open(machine);
  region.beforeOrdering = async () => {
    await region.issue(1, GREEN);
    begin();
  };
  await region.order(1);
  await region.process.stop();
}

describeOnAllTables('A stricter code of an order that broke off', () => {
  for (const when of ['before', 'after'] as const) {
    for (const what of ['DISK_IO', 'crash'] as const) {
      it(`has nothing looser beside it once it is tended, whatever write it broke off at: ${what} ${when} each`, async function () {
        this.timeout(30_000);
        const counted = new RegionMachine();
        let begun = 0;
        await orderBeside(counted, () => (begun = counted.medium.counters.writes));
        const { writes } = counted.medium.counters;
        let broken = 0;
        for (let write = begun + 1; write <= writes; write++) {
          const machine = new RegionMachine();
          const ended = orderBeside(machine, () => machine.medium.plan({ write, when, what })).catch(() =>
            machine.medium.crash(),
          );
          await Promise.race([ended, machine.crashed]);
          machine.watch();
          const region = await LivingRegion.open(machine);
          if ((await region.codesOf(1)).endsWith('green red')) broken++;
          assert.deepEqual([...(await region.overrides.beside.finish()).holders], [], `write ${write}`);
          const codes = await region.codesOf(1);
          assert.ok(['green', '(green) red'].includes(codes), `${codes} after write ${write}`);
          assert.deepEqual(await marksOf(region), [], `write ${write}`);
          await region.process.stop();
        }
        if (what === 'crash') assert.ok(broken > 0);
      });
    }
  }
});

describeOnAllTables('A stricter code of an order that broke off, of which the page is damaged', () => {
  let region: LivingRegion;
  let mend: () => Promise<void>;
  beforeEach(async () => {
    region = await LivingRegion.open();
    region.beforeLookingAgain = () => Promise.reject(new NodeError('DISK_IO', 'it died'));
    await region.declare([1, 2, 3]);
    // All get green by rules, once P1 has made place for red.
    region.beforeOrdering = async () => assert.deepEqual(await region.update(), { first: 3 });
    await assert.rejects(region.order(1), (error) => isNodeError(error, 'DISK_IO'));
    mend = await region.damageNewestPage();
    region.beforeOrdering = () => region.issue(2, GREEN);
    await assert.rejects(region.order(2), (error) => isNodeError(error, 'DISK_IO'));
  });
  afterEach(() => region.process.stop());

  it('keeps nobody else from what is theirs, is told once, and no looser code comes beside it', async () => {
    for (let times = 0; times < 2; times++) {
      const { holders, unread } = await region.overrides.beside.finish();
      assert.deepEqual([[...holders], unread.length], [[], 1]);
    }
    assert.equal(await region.codesOf(2), '(green) (green) red');
    assert.equal((await marksOf(region)).length, 1);
    assert.ok(isNodeError(region.troubles[0], 'REGISTRY_CORRUPT') && !region.troubles[0].fatal);
    assert.equal(region.troubles.length, 1);
    await region.control([3]);
    assert.deepEqual(await region.update(), { unread: 1, overridden: 1, worse: 1 });
    assert.equal((await region.life.updates()).unread, 1);
    region.later(5.5);
    await region.declare([1, 2, 3]);
    const { unread, renewed } = await region.update();
    assert.deepEqual([unread, renewed], [1, undefined]);
    await mend();
    assert.deepEqual(await region.update(), { overridden: 2, unchanged: 1 });
    assert.equal(await region.codesOf(1), '(green) red');
  });

  it('is marked no more once its log is over', async () => {
    region.later(100);
    assert.deepEqual((await region.overrides.beside.finish()).unread, []);
    assert.deepEqual(await marksOf(region), []);
    assert.deepEqual(region.troubles, []);
  });
});

describe('CodesBeside.finish', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  const isBroken = (error: unknown) => isNodeError(error, 'DISK_IO');
  const breakOff = () => Promise.reject(new NodeError('DISK_IO', 'it died'));

  it('is what an update begins with, and where the hour has no revocation left the code binds whatever else is known', async () => {
    await region.declare([1, 2]);
    await region.update();
    region.beforeOrdering = () => region.issue(1, GREEN);
    region.beforeLookingAgain = breakOff;
    await assert.rejects(region.order(1, { 'declaration.symptoms': true }), isBroken);
    const mended = `full_name,birth_date,result,day\nPerson 1,1990-05-17,negative,${region.today}\n`;
    await region.list('tests', mended);
    region.isHourUsedUp = true;
    assert.deepEqual(await region.update(), { unchanged: 1, waiting: 1 });
    assert.equal((await marksOf(region)).length, 1);
    region.isHourUsedUp = false;
    assert.deepEqual(await region.update(), { unchanged: 1, better: 1 });
    assert.equal(await region.codesOf(1), '(green) (green) yellow green');
    assert.deepEqual(await marksOf(region), []);
  });

  it('leaves what two operators gave since, and whatever stands beside a code that is revoked or over by then', async () => {
    region.beforeLookingAgain = breakOff;
    for (const n of [1, 2, 3]) await assert.rejects(region.order(n), isBroken);
    await region.override(1, 'yellow', 1);
    await region.revoke(2);
    for (const n of [2, 3]) await region.issue(n, GREEN, 'baseline');
    assert.deepEqual([...(await region.overrides.beside.finish()).holders], []);
    assert.deepEqual(
      [await region.codesOf(1), await region.codesOf(2), await region.codesOf(3)],
      ['red yellow', '(red) green', 'red (green)'],
    );
    assert.deepEqual(await marksOf(region), []);
  });

  it('waits for what is in no log yet: its place may become that of somebody else', async () => {
    region.beforeLookingAgain = breakOff;
    await assert.rejects(region.order(1), isBroken);
    const index = await region.record(1, GREEN);
    assert.deepEqual([...(await region.overrides.beside.finish()).holders], ['P1']);
    await region.issue(2, GREEN);
    assert.deepEqual([...(await region.overrides.beside.finish()).holders], []);
    assert.equal(region.isRevoked(index), false);
    assert.deepEqual(await marksOf(region), []);
  });

  it('passes over a mark that cannot be read, and tells of it once', async () => {
    await region.process.tables.write([{ put: 'life/beside/0', value: Buffer.of(1) }]);
    region.beforeLookingAgain = breakOff;
    await assert.rejects(region.order(2), isBroken);
    for (let times = 0; times < 2; times++) await region.overrides.beside.finish();
    assert.deepEqual(await marksOf(region), ['life/beside/0']);
    assert.equal(region.troubles.length, 1);
    assert.ok(isNodeError(region.troubles[0], 'REGISTRY_CORRUPT'));
  });

  it('finds by its name what a mark that cannot be read is of, and sees to it as to any other', async () => {
    region.beforeLookingAgain = breakOff;
    region.beforeOrdering = () => region.issue(1, GREEN);
    await assert.rejects(region.order(1), isBroken);
    const [name = assert.fail()] = await marksOf(region);
    await region.process.tables.write([{ put: name, value: Buffer.of(1) }]);
    region.isHourUsedUp = true;
    for (let times = 0; times < 2; times++)
      assert.deepEqual([...(await region.overrides.beside.finish()).holders], ['P1']);
    region.isHourUsedUp = false;
    assert.deepEqual([...(await region.overrides.beside.finish()).holders], []);
    assert.equal(await region.codesOf(1), '(green) red');
    assert.deepEqual([await marksOf(region), region.troubles], [[], []]);
  });

  it('goes on where what somebody holds besides cannot be read, and gives them', async () => {
    region.beforeLookingAgain = breakOff;
    let mend = breakOff as () => Promise<void>;
    region.beforeOrdering = async () => {
      await region.issue(1, GREEN);
      mend = await region.damageNewestPage();
    };
    await assert.rejects(region.order(1), isBroken);
    region.beforeOrdering = () => region.issue(2, GREEN);
    await assert.rejects(region.order(2), isBroken);
    for (let times = 0; times < 2; times++)
      assert.deepEqual([...(await region.overrides.beside.finish()).holders], ['P1']);
    assert.equal(await region.codesOf(2), '(green) red');
    assert.equal(region.troubles.length, 1);
    await mend();
    assert.deepEqual([...(await region.overrides.beside.finish()).holders], []);
    assert.equal(await region.codesOf(1), '(green) red');
  });

  it('finds nothing of an order that came to its end', async () => {
    await region.issue(1, GREEN);
    await region.order(1);
    await region.order(2, {});
    assert.deepEqual(await marksOf(region), []);
  });
});
