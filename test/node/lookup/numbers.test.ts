import assert from 'node:assert/strict';
import { DayKeys } from '../../../node/lookup/day-keys.ts';
import { type NumberList, Numbers, type TurnedNumbers } from '../../../node/lookup/numbers.ts';
import { TablePress } from '../../../node/lookup/table-press.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { type ClockStanding } from '../../../node/clock/clock-votes.ts';
import { type Change } from '../../../node/ports.ts';
import { openLookupHead } from '../../../protocol/lookup/head.ts';
import { lookupKeyPair } from '../../../protocol/lookup/oblivious.ts';
import { DAY_S } from '../../../protocol/lookup/opaque-adapter.ts';
import { csvOf, fileOf, MemorySeeds, START_DAY } from '../../support/lookup-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { sha256 } from '../../support/primitives.ts';
import { START_S } from '../../support/region-fixture.ts';

const FIRST = ['DE-1', 'DE-2'];
const DE = { region: 'DE', network: 'demo' };
const LISTS = ['lookup/list/', 'lookup/list/~'] as const;

type ReadRows = (of: NumberList) => ReturnType<Numbers['rows']>;

type StubRows = ReturnType<typeof stubRows>;
function stubRows() {
  const held = new Map<string, Uint8Array>();
  return {
    get: (key: string) => Promise.resolve(held.get(key)),
    write: (changes: readonly Change[]) => {
      for (const change of changes) if ('put' in change) held.set(change.put, change.value);
      return Promise.resolve();
    },
  };
}

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

  describe('what a list turns', () => {
    let turned: TurnedNumbers[];
    let isRefused: boolean;
    const LATER = '2027-01-02T00:00:00Z';
    const take = (rows: Readonly<Record<string, string>>) => {
      const csv = Object.entries(rows).map(([number, said]) => `DE-${number},${said}\n`);
      return numbers.import(fileOf(`number,colour,until\n${csv.join('')}`));
    };
    const until = (colour: string, day = '2027-01-01') => `${colour},${day}T00:00:00Z`;
    const over = (colour: string) => until(colour, '2020-01-01');

    beforeEach(() => {
      turned = [];
      isRefused = false;
      const onTurned = async ({ stricter, looser }: TurnedNumbers) => {
        assert.equal((await numbers.inForce())?.version, before.version, 'none of it is in force yet');
        if (isRefused) throw new Error('cannot be counted');
        turned.push({ stricter, looser });
      };
      numbers = new Numbers(
        { key: new Uint8Array(32) },
        { tables, random, clock, prefixes: () => ['DE-'], onTurned },
      );
    });
    let before: NumberList;
    beforeEach(async () => {
      before = await list();
    });

    const STEPS: readonly [string, string | undefined, string | undefined, number, number][] = [
      ['green to red', until('green'), until('red'), 1, 0],
      ['green to yellow', until('green'), until('yellow'), 1, 0],
      ['yellow to red', until('yellow'), until('red'), 1, 0],
      ['red to green', until('red'), until('green'), 0, 1],
      ['red to yellow', until('red'), until('yellow'), 0, 1],
      ['yellow to green', until('yellow'), until('green'), 0, 1],
      ['red for longer', until('red'), `red,${LATER}`, 1, 0],
      ['red for shorter', `red,${LATER}`, until('red'), 0, 1],
      ['green for longer', until('green'), `green,${LATER}`, 0, 0],
      ['green for shorter', `green,${LATER}`, until('green'), 1, 0],
      ['green that is over from now on', until('green'), over('green'), 1, 0],
      ['green that is gone', until('green'), undefined, 1, 0],
      ['yellow that is gone', until('yellow'), undefined, 1, 0],
      ['red that is gone', until('red'), undefined, 0, 0],
      ['red that was not there', undefined, until('red'), 1, 0],
      ['green that was not there', undefined, until('green'), 0, 1],
      ['green that was over', over('green'), until('green'), 0, 1],
      ['red that was over, and still is', over('red'), over('red'), 0, 0],
    ];
    for (const [what, first, then, stricter, looser] of STEPS)
      it(`counts ${what}: ${stricter} stricter, ${looser} looser`, async () => {
        const other = { other: until('green') };
        await take(first === undefined ? other : { ...other, it: first });
        before = await list();
        turned = [];
        const report = await take({ ...(then !== undefined && { it: then }), ...other, over: over('green') });
        assert.deepEqual(turned, [{ stricter, looser }]);
        assert.ok(report.outcome === 'imported');
        assert.deepEqual([report.stricter, report.looser], [stricter, looser]);
      });

    it('counts nothing of the same list again, nor of one that is refused, and puts none in force that cannot be counted', async () => {
      await importAll(FIRST);
      assert.equal((await take({ it: 'blue,x' })).outcome, 'refused');
      assert.deepEqual(turned, []);
      isRefused = true;
      await assert.rejects(take({ it: until('red') }), /cannot be counted/);
      assert.deepEqual(await list(), before);
    });

    it('the first list makes nothing looser', async () => {
      tables = new MemoryTables();
      const first = new Numbers(
        { key: new Uint8Array(32) },
        { tables, random, clock, prefixes: () => ['DE-'] },
      );
      const report = await first.import(fileOf(csvOf(FIRST) + `DE-9,${until('red')}\n`));
      assert.ok(report.outcome === 'imported');
      assert.deepEqual([report.stricter, report.looser], [1, 0]);
    });
  });

  describe('TablePress', () => {
    /** How often rows were read. */
    let reads: number;
    let press: TablePress;
    /** Of the store. */
    let rows: StubRows;
    let troubles: unknown[];
    let aheadMs: number;
    let standing: ClockStanding;
    let pastS: number | undefined;
    let isSilent: boolean;
    let announced: (day: number) => readonly Uint8Array[];
    const keyOf = (name: string, day: number) =>
      lookupKeyPair(sha256(Buffer.from(`${name} ${day}`)), { ...DE, day }).publicKey;

    beforeEach(() => {
      rows = stubRows();
      troubles = [];
      aheadMs = 0;
      standing = 'agrees';
      pastS = START_DAY * DAY_S;
      isSilent = false;
      announced = (day) => [keyOf('DE', day)];
    });
    function start(days: readonly number[], read: ReadRows = (of) => numbers.rows(of)): MemorySeeds {
      reads = 0;
      const seeds = new MemorySeeds('DE', days);
      const keys = new DayKeys(DE, {
        seeds,
        announced: (day) => announced(day),
        onTrouble: (error) => void troubles.push(error),
      });
      const counted = (of: NumberList) => (reads++, read(of));
      const signer = () => ({ publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) });
      const modules = { numbers: { inForce: () => numbers.inForce(), rows: counted } };
      press = new TablePress(DE, {
        ...modules,
        keys,
        signer,
        store: rows,
        timeStanding: () => standing,
        surelyPastS: () => pastS,
        isSilent: () => isSilent,
        clock: {
          nowMs: () => clock.nowMs() + aheadMs,
          runMs: () => clock.runMs(),
          wait: (ms, signal) => clock.wait(ms, signal),
        },
        random,
        sha256,
        onTrouble: (error) => void troubles.push(error),
      });
      press.start();
      return seeds;
    }
    afterEach(() => press.stop());

    const head = () => {
      const { head: signed = assert.fail('no table') } = press.table(START_DAY) ?? {};
      return openLookupHead(signed, { verifySignature: () => true }).head;
    };
    /** To the beginning of the next minute, and a bit. */
    const toNextMinute = () => clock.advance(60_000 - (clock.nowMs() % 60_000) + 50);

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
      pastS = (START_DAY + 40) * DAY_S;
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

    it('signs one table for a minute: a new list waits for the next, whoever asks and whenever it was started', async () => {
      start([START_DAY]);
      await clock.advance(100);
      const first = head();
      await importAll(['DE-7']);
      press.wake();
      await clock.advance(20_000);
      assert.deepEqual(head(), first, 'what was signed for this minute stands');
      await press.stop();
      start([START_DAY]);
      await clock.advance(20_000);
      assert.equal(press.table(START_DAY), undefined, 'nor does a restart sign for it again');
      await toNextMinute();
      assert.notDeepEqual(head().root, first.root);
      assert.equal(Math.floor(head().at / 60), Math.floor(first.at / 60) + 1);
      aheadMs -= 600_000;
      await importAll(['DE-8']);
      press.wake();
      const { root } = head();
      await clock.advance(300_000);
      assert.deepEqual(head().root, root, 'nor does a clock that is set back');
    });

    it('signs nothing while it is silent, and shows no table that another machine may have followed', async () => {
      isSilent = true;
      start([START_DAY]);
      await clock.advance(130_000);
      assert.deepEqual([press.table(START_DAY), await rows.get('signed/minute')], [undefined, undefined]);
      isSilent = false;
      await clock.advance(20_000);
      const { at } = head();
      isSilent = true;
      assert.equal(press.table(START_DAY), undefined);
      await clock.advance(130_000);
      isSilent = false;
      assert.equal(head().at, at, 'nothing was signed meanwhile');
    });

    it('signs no table as new that says an earlier list, whatever keeps the next from being made', async () => {
      let isBroken = false;
      start([START_DAY], (of) => (isBroken ? Promise.reject(new Error('disk')) : numbers.rows(of)));
      await clock.advance(100);
      const { at } = head();
      isBroken = true;
      await importAll(['DE-7']);
      press.wake();
      await clock.advance(300_000);
      assert.equal(head().at, at);
      assert.ok(troubles.length > 0);
      isBroken = false;
      await clock.advance(70_000);
      assert.ok(head().at > at + 300);
    });

    it('makes no table by a key that is not the announced one, and takes the right one once it is back', async () => {
      const seeds = start([START_DAY]);
      seeds.held.set(START_DAY, new Uint8Array(32).fill(9));
      await clock.advance(70_000);
      assert.deepEqual([press.table(START_DAY), seeds.evaluated.size], [undefined, 0]);
      seeds.held.set(START_DAY, sha256(Buffer.from(`DE ${START_DAY}`)));
      await clock.advance(70_000);
      assert.equal(press.table(START_DAY)?.version, 1);
      // A day that is announced anew by another key: what was evaluated by the one before counts for nothing.
      seeds.held.set(START_DAY, sha256(Buffer.from(`anew ${START_DAY}`)));
      announced = (day) => [keyOf('anew', day)];
      await clock.advance(140_000);
      assert.deepEqual(seeds.evaluated.get(START_DAY)?.subarray(0, 32), keyOf('anew', START_DAY));
    });

    it('signs no table anew whose key is announced no more, whatever keeps the next from being made', async () => {
      let isBroken = false;
      const seeds = start([START_DAY], (of) =>
        isBroken ? Promise.reject(new Error('disk')) : numbers.rows(of),
      );
      await clock.advance(100);
      const { at } = head();
      isBroken = true;
      seeds.held.set(START_DAY, sha256(Buffer.from(`anew ${START_DAY}`)));
      announced = (day) => [keyOf('anew', day)];
      await clock.advance(300_000);
      assert.equal(head().at, at);
      isBroken = false;
      await clock.advance(70_000);
      assert.ok(head().at > at + 300);
    });

    it('signs nothing while most say that the clock is wrong', async () => {
      standing = 'astray';
      start([START_DAY]);
      await clock.advance(70_000);
      assert.equal(press.table(START_DAY), undefined);
    });

    it('T15 destroys no day that is over by its own clock alone, and each an hour after it is surely over', async () => {
      const { held } = start([START_DAY, START_DAY + 1]);
      aheadMs = 20 * 1_000 * DAY_S;
      for (const at of [undefined, (START_DAY + 1) * DAY_S + 3_599]) {
        pastS = at;
        await clock.advance(400_000);
        assert.equal(held.size, 2);
      }
      pastS = (START_DAY + 1) * DAY_S + 3_600;
      await clock.advance(20_000);
      assert.deepEqual([...held.keys()], [START_DAY + 1]);
    });
  });
});
