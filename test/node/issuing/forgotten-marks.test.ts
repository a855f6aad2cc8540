import assert from 'node:assert/strict';
import { ForgottenMarks, MARK_S } from '../../../node/issuing/forgotten-marks.ts';
import { IssueOnce, type IssuedOnce, type Order } from '../../../node/issuing/issue-once.ts';
import { type HeldCode } from '../../../node/issuing/held-codes.ts';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../../../node/registry/sealer.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { START_S } from '../../support/region-fixture.ts';

const HOUR_S = 3_600;

function bench() {
  const clock = new ManualClock(START_S * 1_000);
  const tables = new MemoryTables();
  const standing = { isBreaking: false, issued: 0, held: [] as HeldCode[] };
  const troubles: unknown[] = [];
  const once = new IssueOnce(
    { registryKey: REGISTRY_KEY },
    {
      tables,
      clock,
      random: systemRandom(),
      issue: () => {
        if (standing.isBreaking) return Promise.reject(new NodeError('STORE_WRITE_UNKNOWN', 'it broke off'));
        return Promise.resolve({ log: '2026-11', index: standing.issued++ } as IssuedOnce);
      },
      held: () => ({
        ofSubject: () => Promise.resolve(standing.held),
        unlogged: () => Promise.resolve([]),
        atPlaces: () => assert.fail('nothing came of it yet'),
        isNobodys: () => assert.fail('nothing came of it yet'),
      }),
      tend: () => Promise.resolve(),
      sizes: () => ({}),
      onTrouble: (error) => troubles.push(error),
    },
  );
  const status = {
    colour: 'green',
    measure: 'none',
    expiresAtS: START_S,
    ruleId: 'a',
    ruleVersion: 1,
  } as const;
  const orderOf = (key: string, subject = 'p'): Order => ({
    key,
    input: Buffer.from(subject),
    subject,
    status,
    judge: () => Promise.resolve({ subject, fields: { status } }),
  });
  /** One that breaks off before anything comes of it. */
  const breakOff = async (order: Order) => {
    standing.isBreaking = true;
    await assert.rejects(once.issue(order), (error) => isNodeError(error, 'STORE_WRITE_UNKNOWN'));
    standing.isBreaking = false;
  };
  const wait = (seconds: number) => clock.advance(seconds * 1_000);
  const nowS = () => clock.nowMs() / 1_000;
  /** Puts this in the place of an entry, sealed as that is, as other software may have written it. */
  const replace = (name: string, to: string, purpose = 'once/forgotten') => {
    const sealer = new Sealer(derivedKey(REGISTRY_KEY, purpose));
    const value = sealer.seal(name, Buffer.from(to), systemRandom()(NONCE_BYTES));
    return tables.write([{ put: name, value }]);
  };
  return {
    troubles,
    replace,
    once,
    marks: once.marks,
    tables,
    clock,
    standing,
    orderOf,
    breakOff,
    wait,
    nowS,
  };
}

const isForgotten = (error: unknown) => isNodeError(error, 'FORGOTTEN');

describe('ForgottenMarks', () => {
  it('T25 says who was forgotten since something was ordered, here or on the other machine, and of others nothing', async () => {
    const { marks, wait, nowS } = bench();
    const before = await marks.now();
    await wait(60);
    await marks.forgot('p');
    const between = await marks.now();
    await marks.forgotByOther('q', nowS() - 30);
    const after = await marks.now();
    for (const [ordered, forgotten] of [
      [before, ['p', 'q']],
      [{ ...before, atS: nowS() - 29 }, ['p']],
      [{ ...between, atS: nowS() - 30 }, ['q']],
      [after, []],
    ] as const)
      assert.deepEqual([...(await marks.since(['r', 'q', 'p'], ordered))].sort(), forgotten);
    assert.deepEqual([...(await marks.lately(['r', 'q', 'p']))].sort(), ['p', 'q']);
    await assert.rejects(marks.requireNone('p', before), isForgotten);
    await marks.requireNone('p', between);
    // The later of both counts, in whichever order they come.
    await marks.forgot('q');
    await marks.forgotByOther('q', nowS() - 20);
    await marks.forgotByOther('q', nowS() - 25);
    await assert.rejects(marks.requireNone('q', after), isForgotten);
    assert.equal((await marks.of('q')).otherAtS, nowS() - 20);
  });

  it('T25 counts in the tables: no clock that is set back makes a forgetting older than the order, in a later process either', async () => {
    const { marks, tables, clock, wait } = bench();
    const before = await marks.now();
    await wait(-HOUR_S);
    await marks.forgot('p');
    await wait(-HOUR_S);
    const later = new ForgottenMarks(
      { registryKey: REGISTRY_KEY },
      { tables, clock, random: systemRandom() },
    );
    const after = await later.now();
    assert.deepEqual([after.counter, after.count], [before.counter, before.count + 1]);
    await later.forgot('q');
    assert.deepEqual(await later.since(['p', 'q'], before), new Set(['p', 'q']));
    assert.deepEqual(await later.since(['p', 'q'], after), new Set(['q']));
  });

  it('T25, F5: takes no count for one of its own that another machine gave, also one that began with a copy of its store, nor one that is lost', async () => {
    const { marks, tables, clock, wait, nowS } = bench();
    await marks.forgot('r');
    const there = await marks.now();
    const fenced = { identity: Uint8Array.of(1, 2, 3) };
    const random = systemRandom();
    const copy = new ForgottenMarks({ registryKey: REGISTRY_KEY, fenced }, { tables, clock, random });
    assert.notEqual((await copy.now()).counter, there.counter);
    for (let i = 0; i < 3; i++) await marks.forgot('r');
    await wait(1);
    await copy.forgot('p');
    assert.deepEqual(await copy.since(['p', 'r'], there), new Set(['p', 'r']));
    const { count } = await marks.now();
    assert.deepEqual(await copy.since(['p', 'r'], { ...there, count, atS: nowS() }), new Set(['p']));
    assert.deepEqual(await marks.since(['p'], await marks.now()), new Set(['p']), 'by the time');
    await wait(1);
    assert.deepEqual(await marks.since(['p'], await marks.now()), new Set(), 'whatever the other counts');
    await tables.write([{ put: 'once/forgettings', value: Uint8Array.of(1, 2, 3) }]);
    const anew = new ForgottenMarks({ registryKey: REGISTRY_KEY }, { tables, clock, random });
    assert.notEqual((await anew.now()).counter, there.counter);
    assert.deepEqual(await anew.since(['p'], there), new Set(['p']));
  });

  it('T25 says of an order in hand, without reading, whether the person was forgotten since, and where it cannot tell, that', async () => {
    const { tables, clock, wait, nowS } = bench();
    const options = { registryKey: REGISTRY_KEY, recentMax: 3 };
    const marks = new ForgottenMarks(options, { tables, clock, random: systemRandom() });
    const first = await marks.now();
    assert.equal(marks.refusalOf('p', first), undefined);
    await marks.forgot('p');
    const second = await marks.now();
    await wait(60);
    await marks.forgotByOther('q', nowS() - 30);
    const third = await marks.now();
    tables.isAway = true;
    const codes = (subject: string) =>
      [first, second, third].map((ordered) => marks.refusalOf(subject, ordered)?.code);
    assert.deepEqual(codes('p'), ['FORGOTTEN', undefined, undefined]);
    assert.deepEqual(codes('q'), ['FORGOTTEN', 'FORGOTTEN', undefined]);
    assert.equal(marks.refusalOf('q', { ...second, atS: nowS() - 29 }), undefined);
    assert.deepEqual(codes('r'), [undefined, undefined, undefined]);
    tables.isAway = false;
    for (let i = 0; i < 3; i++) await marks.forgot(`many ${i}`);
    assert.deepEqual(codes('r'), ['LOG_BUSY', 'LOG_BUSY', undefined]);
    assert.deepEqual(codes('many 2'), ['LOG_BUSY', 'LOG_BUSY', 'FORGOTTEN']);
  });

  it('T25 the last time counts, also on the day after', async () => {
    const { marks, wait } = bench();
    await marks.forgot('p');
    await wait(20 * HOUR_S);
    const between = await marks.now();
    await marks.forgot('p');
    await wait(3 * HOUR_S);
    await assert.rejects(marks.requireNone('p', between), isForgotten);
  });

  it('T25, F5: a mark that was noted while the clock was years ahead, or that cannot be opened, keeps nobody from anything for long', async () => {
    const { once, marks, tables, orderOf, wait } = bench();
    // Of another machine: what is ordered here goes by the count.
    const elsewhere = async () => ({ ...(await marks.now()), counter: '0'.repeat(16) });
    await wait(3_650 * 24 * HOUR_S);
    await marks.forgot('p');
    await wait(-3_650 * 24 * HOUR_S);
    await marks.forgot('q');
    await tables.write([{ put: 'once/forgotten/0', value: Uint8Array.of(1, 2, 3) }]);
    assert.deepEqual(await marks.since(['p', 'q'], await elsewhere()), new Set(['p', 'q']));
    const before = await elsewhere();
    await once.issue(orderOf('k1', 'r'));
    await wait(1);
    assert.deepEqual(await marks.since(['p', 'q'], await elsewhere()), new Set());
    assert.deepEqual(await marks.since(['p', 'q'], before), new Set(['p', 'q']));
    assert.ok(
      (await tables.page('once/forgotten/', 'once/forgotten/1', { limit: 1 })).length > 0,
      'it stays',
    );
  });

  for (const form of ['{"at":1}', 'no JSON'])
    it(`T25 a mark in another form (${form}) is told once and keeps nobody else from anything; it counts until its person is forgotten anew`, async () => {
      const { once, marks, tables, replace, troubles, orderOf, wait } = bench();
      const markOf = async () =>
        (await tables.page('once/forgotten/', 'once/forgotten0', { limit: 1 }))[0]?.[0] ?? assert.fail();
      await marks.forgot('p');
      await replace(await markOf(), form);
      await once.issue(orderOf('k', 'q'));
      for (let i = 0; i < 2; i++)
        assert.deepEqual(await marks.since(['p', 'q'], await marks.now()), new Set(['p']));
      assert.deepEqual(
        troubles.map((error) => isNodeError(error, 'REGISTRY_CORRUPT') && !error.fatal),
        [true],
      );
      await wait(1);
      await marks.forgotByOther('p', 0);
      assert.deepEqual(await marks.since(['p'], { ...(await marks.now()), count: 0 }), new Set(['p']));
      await replace(await markOf(), form);
      await marks.forgot('p');
      assert.deepEqual(await marks.since(['p'], await marks.now()), new Set());
    });

  it('F5 begins another count where that is in another form', async () => {
    const { marks, tables, clock, replace } = bench();
    const { counter } = await marks.now();
    await replace('once/forgettings', '{"count":3}');
    const anew = new ForgottenMarks({ registryKey: REGISTRY_KEY }, { tables, clock, random: systemRandom() });
    assert.notEqual((await anew.now()).counter, counter);
  });

  it('takes no time from the other machine that is still to come', async () => {
    const { marks, nowS } = bench();
    await marks.forgotByOther('p', nowS() + HOUR_S);
    assert.equal((await marks.of('p')).otherAtS, nowS());
  });

  it('lets go of what is older than eight days, and names nobody', async () => {
    const { once, marks, tables, wait, orderOf } = bench();
    const names = async () =>
      (await tables.page('once/forgotten/', 'once/forgotten0', { limit: 9 })).map(([name]) => name);
    await marks.forgot('p');
    await wait(HOUR_S);
    await marks.forgot('q');
    assert.equal((await names()).length, 2);
    for (const name of await names()) assert.match(name, /^once\/forgotten\/[0-9a-f]{64}$/);
    await wait(MARK_S - HOUR_S / 2);
    await once.issue(orderOf('a', 'r'));
    assert.equal((await names()).length, 1);
    assert.equal((await marks.of('q')).here?.count, 2);
  });
});

describe('IssueOnce', () => {
  it('F5 refuses an order of which the note is in another form, and carries out others', async () => {
    const { once, tables, standing, replace, orderOf, breakOff } = bench();
    await breakOff(orderOf('a'));
    const [[name] = assert.fail()] = await tables.page('once/2', 'once/3', { limit: 1 });
    await replace(name, '{"input":"x","sizes":{}}', 'once');
    await assert.rejects(once.issue(orderOf('a')), (error) => {
      assert.ok(isNodeError(error, 'REGISTRY_CORRUPT') && !error.fatal);
      assert.match(error.hint ?? '', /under another key/);
      return true;
    });
    await once.issue(orderOf('b'));
    assert.equal(standing.issued, 1);
  });
});

describe('IssueOnce after somebody was forgotten', () => {
  it('T25 gives nothing by an order from before that broke off, on whichever machine they were forgotten', async () => {
    for (const forget of ['forgot', 'forgotByOther'] as const) {
      const { once, marks, standing, orderOf, breakOff, wait, nowS } = bench();
      await breakOff(orderOf('a'));
      await wait(60);
      await marks[forget]('p', nowS());
      await wait(60);
      await assert.rejects(once.issue(orderOf('a')), isForgotten, forget);
      await once.issue(orderOf('b'));
      assert.equal(standing.issued, 1);
    }
  });

  it('T25 nor what is left of it where the process died before it could destroy that', async () => {
    const { once, marks, standing, orderOf, breakOff, wait, nowS } = bench();
    const order = orderOf('a');
    const left = { subject: 'p', log: '2026-11', index: 7, fields: { status: order.status } } as HeldCode;
    await breakOff(order);
    standing.held = [left];
    assert.equal(await once.issue(order), left);
    await breakOff(orderOf('b', 'p'));
    await wait(60);
    await marks.forgotByOther('p', nowS());
    await assert.rejects(once.issue(orderOf('b', 'p')), isForgotten);
    assert.equal(standing.issued, 0);
  });

  it('T25 nor where the clock was set back in between', async () => {
    const { once, marks, orderOf, breakOff, wait } = bench();
    await breakOff(orderOf('a'));
    await wait(-HOUR_S);
    await marks.forgot('p');
    await wait(60);
    await assert.rejects(once.issue(orderOf('a')), isForgotten);
  });

  it('T25 gives what was ordered after that and broke off, also where the clock was set back in between', async () => {
    const { once, marks, standing, orderOf, breakOff, wait } = bench();
    await marks.forgot('p');
    await wait(-HOUR_S);
    await breakOff(orderOf('a'));
    await once.issue(orderOf('a'));
    assert.equal(standing.issued, 1);
  });

  it('T25 gives what was ordered after the other machine was told to forget them, although this one hears of it later', async () => {
    const { once, marks, standing, orderOf, breakOff, wait, nowS } = bench();
    const toldS = nowS();
    await wait(60);
    await breakOff(orderOf('a'));
    await wait(60);
    await marks.forgotByOther('p', toldS);
    await once.issue(orderOf('a'));
    assert.equal(standing.issued, 1);
  });
});
