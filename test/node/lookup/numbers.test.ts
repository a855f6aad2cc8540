import assert from 'node:assert/strict';
import { DayKeys } from '../../../node/lookup/day-keys.ts';
import { type NumberList, Numbers } from '../../../node/lookup/numbers.ts';
import { TablePress } from '../../../node/lookup/table-press.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { DAY_S } from '../../../protocol/lookup/opaque-adapter.ts';
import { csvOf, fileOf, MemorySeeds, START_DAY } from '../../support/lookup-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { sha256 } from '../../support/primitives.ts';
import { START_S } from '../../support/region-fixture.ts';

const FIRST = ['DE-1', 'DE-2'];
const LISTS = ['lookup/list/', 'lookup/list/~'] as const;

describe('Numbers', () => {
  let tables: MemoryTables;
  let clock: ManualClock;
  let numbers: Numbers;
  const random = systemRandom();
  const list = async (): Promise<NumberList> => (await numbers.inForce()) ?? assert.fail('no list');
  const importAll = (all: readonly string[]) => numbers.import(fileOf(csvOf(all)));
  const names = async () => (await tables.page(...LISTS, { limit: 100 })).map(([name]) => name);

  beforeEach(async () => {
    tables = new MemoryTables();
    clock = new ManualClock(START_S * 1_000);
    numbers = new Numbers({ key: new Uint8Array(32) }, { tables, random, clock, prefixes: () => ['DE-'] });
    await importAll(FIRST);
  });

  it('of a list that is in force no more there are no rows, rather than those that are left', async () => {
    const before = await list();
    assert.equal((await numbers.rows(before))?.length, 2);
    await importAll(['DE-3']);
    assert.equal(await numbers.rows(before), undefined);
    assert.deepEqual(
      (await numbers.rows(await list()))?.map(({ number }) => number),
      ['DE-3'],
    );
  });

  it('a list in force that lost rows is no list, and the same file puts it right', async () => {
    for (const name of await names()) await tables.write([{ del: name }]);
    await assert.rejects(numbers.rows(await list()), (error) => isNodeError(error, 'REGISTRY_CORRUPT'));
    assert.equal((await importAll(FIRST)).outcome, 'imported');
    assert.equal((await numbers.rows(await list()))?.length, 2);
  });

  it('leaves nothing of earlier lists, nor of what an import that broke off did not remove', async () => {
    const [name = ''] = await names();
    const sealed = (await tables.get(name)) ?? assert.fail();
    await importAll(['DE-3']);
    await tables.write([{ put: name, value: sealed }]);
    await importAll(['DE-4']);
    assert.deepEqual(await names(), ['lookup/list/00000003/00000000']);
  });

  describe('TablePress', () => {
    /** How often rows were read. */
    let reads: number;
    let press: TablePress;

    function start(
      days: readonly number[],
      rows: (of: NumberList) => ReturnType<Numbers['rows']>,
    ): MemorySeeds {
      reads = 0;
      const seeds = new MemorySeeds('DE', days);
      const keys = new DayKeys({ region: 'DE', network: 'demo' }, { seeds });
      const counted = (of: NumberList) => (reads++, rows(of));
      const signer = () => ({ publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) });
      const modules = { numbers: { inForce: () => numbers.inForce(), rows: counted } };
      press = new TablePress(
        { region: 'DE', network: 'demo' },
        {
          ...modules,
          keys,
          signer,
          isTimeGood: () => true,
          clock,
          random,
          sha256,
          onTrouble: (error) => assert.fail(String(error)),
        },
      );
      press.start();
      return seeds;
    }
    afterEach(() => press.stop());

    it('makes no table of a list that another one has replaced meanwhile, and the next at once', async () => {
      start([START_DAY], async (of) => {
        if (reads > 1) return numbers.rows(of);
        await importAll(['DE-3']);
        press.wake();
        return numbers.rows(of);
      });
      await clock.advance(100);
      assert.deepEqual([press.table(START_DAY)?.version, reads], [2, 2]);
    });

    it('destroys nothing before other regions were asked the time', async () => {
      clock = new ManualClock((START_DAY + 40) * DAY_S * 1_000);
      const { held } = start([START_DAY], (of) => numbers.rows(of));
      await clock.advance(290_000);
      assert.equal(held.size, 1);
      await clock.advance(20_000);
      assert.equal(held.size, 0);
    });

    it('prepares a day that has not come once', async () => {
      clock = new ManualClock(((START_DAY + 1) * DAY_S - 3_600) * 1_000);
      start([START_DAY + 1], (of) => numbers.rows(of));
      await clock.advance(60_000);
      assert.deepEqual([press.report.prepared, reads], [{ [START_DAY + 1]: 2 }, 1]);
      await clock.advance(3_500_000);
      assert.equal(press.table(START_DAY + 1)?.version, 1);
    });
  });
});
