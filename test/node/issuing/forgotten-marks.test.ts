import assert from 'node:assert/strict';
import { MARK_S } from '../../../node/issuing/forgotten-marks.ts';
import { IssueOnce, type IssuedOnce, type Order } from '../../../node/issuing/issue-once.ts';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
import { START_S } from '../../support/region-fixture.ts';

const HOUR_S = 3_600;

function bench() {
  const clock = new ManualClock(START_S * 1_000);
  const tables = new MemoryTables();
  const standing = { isBreaking: false, issued: 0 };
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
        ofSubject: () => Promise.resolve([]),
        unlogged: () => Promise.resolve([]),
        atPlaces: () => assert.fail('nothing came of it yet'),
        isNobodys: () => assert.fail('nothing came of it yet'),
      }),
      tend: () => Promise.resolve(),
      sizes: () => ({}),
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
  return { once, marks: once.marks, tables, standing, orderOf, breakOff, wait, nowS };
}

const isForgotten = (error: unknown) => isNodeError(error, 'FORGOTTEN');

describe('ForgottenMarks', () => {
  it('T25 says who was forgotten at a time or later, here or on the other machine, and of others nothing', async () => {
    const { marks, wait, nowS } = bench();
    const firstS = nowS();
    await marks.forgot('p');
    await marks.forgotByOther('q', firstS);
    for (const [sinceS, forgotten] of [
      [firstS - 1, ['p', 'q']],
      [firstS, ['p', 'q']],
      [firstS + 1, []],
    ] as const)
      assert.deepEqual([...(await marks.since(['r', 'q', 'p'], sinceS))].sort(), forgotten);
    await assert.rejects(marks.requireNone('p', firstS), isForgotten);
    await marks.requireNone('p', firstS + 1);
    // The later of both counts, in whichever order they come.
    await wait(HOUR_S);
    await marks.forgot('q');
    await marks.forgotByOther('q', firstS + 60);
    await marks.forgotByOther('q', firstS + 30);
    await assert.rejects(marks.requireNone('q', firstS + HOUR_S), isForgotten);
    assert.equal((await marks.of('q')).otherAtS, firstS + 60);
  });

  it('T25 the last time counts, also on the day after', async () => {
    const { marks, wait, nowS } = bench();
    await marks.forgot('p');
    await wait(20 * HOUR_S);
    await marks.forgot('p');
    await wait(3 * HOUR_S);
    await assert.rejects(marks.requireNone('p', nowS() - 3 * HOUR_S), isForgotten);
  });

  it('T25, F5: a mark that was noted while the clock was years ahead, or that cannot be opened, keeps nobody from anything for long', async () => {
    const { once, marks, tables, orderOf, wait, nowS } = bench();
    await wait(3_650 * 24 * HOUR_S);
    await marks.forgot('p');
    await wait(-3_650 * 24 * HOUR_S);
    await marks.forgot('q');
    await tables.write([{ put: 'once/forgotten/0', value: Uint8Array.of(1, 2, 3) }]);
    assert.deepEqual(await marks.since(['p', 'q'], nowS()), new Set(['p', 'q']));
    await once.issue(orderOf('k1', 'r'));
    await wait(1);
    assert.deepEqual(await marks.since(['p', 'q'], nowS()), new Set());
    assert.deepEqual(await marks.since(['p', 'q'], nowS() - 1), new Set(['p', 'q']));
    assert.ok(
      (await tables.page('once/forgotten/', 'once/forgotten/1', { limit: 1 })).length > 0,
      'it stays',
    );
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
    assert.notEqual((await marks.of('q')).id, undefined);
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
