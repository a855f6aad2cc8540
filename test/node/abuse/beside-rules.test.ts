import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { isNodeError } from '../../../node/node-error.ts';
import { GREEN, ISOLATED, LivingRegion } from '../../support/living-region.ts';

const DAY_S = 86_400;

describe('CodesBeside, for orders by rules', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  /** A code by rules that somebody is to get. */
  const coded = (n: number, demand: typeof GREEN | typeof ISOLATED) => ({
    subject: `P${n}`,
    status: {
      ...demand,
      untilS: region.nowS + DAY_S,
      expiresAtS: region.nowS + DAY_S,
      ruleId: 'baseline',
      ruleVersion: 1,
    },
  });

  it('makePlace revokes what is looser by whatever way it came, and says what takes its place, also of what was revoked before', async () => {
    const { beside } = region.overrides;
    await region.issue(1, GREEN);
    await region.issue(1, GREEN, 'baseline');
    await region.issue(2, GREEN, 'baseline');
    const codes = [coded(1, ISOLATED), coded(2, GREEN), coded(3, ISOLATED)];
    assert.deepEqual(await beside.makePlace(codes), [true, false, false]);
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['(green) (green)', 'green']);
    assert.deepEqual(await beside.makePlace(codes), [true, false, false], 'as after a run that broke off');
    region.later(7);
    assert.deepEqual(await beside.makePlace(codes.slice(0, 1)), [false]);
  });

  it('makePlace leaves what is as strict, and revokes nothing where the hour has no room', async () => {
    const { beside } = region.overrides;
    await region.issue(1, { ...ISOLATED, untilS: region.nowS + 2 * DAY_S }, 'other');
    assert.deepEqual(await beside.makePlace([coded(1, ISOLATED)]), [false]);
    await region.issue(2, GREEN);
    region.isHourUsedUp = true;
    await assert.rejects(beside.makePlace([coded(2, ISOLATED)]), (error: unknown) =>
      isNodeError(error, 'REVOCATIONS_EXCEEDED'),
    );
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['red', 'green']);
  });

  it('many people are looked for by the page', async () => {
    const { registry } = region.process;
    const runningOf = registry.runningOf.bind(registry);
    let calls = 0;
    registry.runningOf = (...asked) => (calls++, runningOf(...asked));
    await region.overrides.beside.makePlace(Array.from({ length: 1_500 }, (_, n) => coded(n, ISOLATED)));
    assert.equal(calls, 2);
  });

  it('lookAgain revokes what came meanwhile, and tells of a log that cannot say what it has', async () => {
    const { beside } = region.overrides;
    await region.issue(1, isolated(region), 'baseline');
    await region.issue(1, GREEN, 'baseline');
    await beside.lookAgain([coded(1, ISOLATED)]);
    assert.equal(await region.codesOf(1), 'red (green)');
    await region.issue(2, GREEN);
    const [{ index } = assert.fail()] = await region.process.registry.ofSubject('P2');
    region.untold.add(index);
    await assert.rejects(beside.lookAgain([coded(2, ISOLATED)]), (error: unknown) => {
      assert.ok(isNodeError(error, 'LOG_CORRUPT'));
      assert.match(error.hint ?? '', /stricter codes are issued/);
      return true;
    });
  });

  it('lookAgain for a code that was given before revokes what was there before that alone, and nothing once it is revoked itself', async () => {
    const { beside } = region.overrides;
    for (const n of [1, 2]) {
      await region.issue(n, GREEN);
      await region.issue(n, isolated(region), 'baseline');
    }
    await region.revoke(2);
    await region.issue(1, GREEN);
    const placeOf = async (n: number) =>
      (await region.process.registry.ofSubject(`P${n}`))[1] ?? assert.fail();
    for (const n of [1, 2]) await beside.lookAgain([{ ...coded(n, ISOLATED), given: await placeOf(n) }]);
    assert.deepEqual(
      [await region.codesOf(1), await region.codesOf(2)],
      ['(green) red green', 'green (red)'],
    );
  });

  it('lookAgain revokes what an update gives that had judged before, and the next one goes by the stricter code', async () => {
    await region.declare([1]);
    let ordered: Promise<void> | undefined;
    region.beforeIssuingAll = async () => {
      ordered = region.order(1);
      while ((await region.codesOf(1)) === '') await setImmediate();
      // If it did not wait for the update it would be over by then.
      for (let i = 0; i < 64; i++) await setImmediate();
    };
    assert.deepEqual(await region.update(), { first: 1 });
    await ordered;
    assert.equal(await region.codesOf(1), 'red (green)');
    assert.deepEqual(await region.update(), { overridden: 1 });
    const { changes } = await region.life.holder('P1', false);
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['found', 'first'],
    );
  });

  it('inTurn lets the orders of one person see each other, and others go on', async () => {
    const { beside } = region.overrides;
    const done: string[] = [];
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const first = beside.inTurn('P1', async () => {
      await held;
      done.push('first');
    });
    const second = beside.inTurn('P1', () => Promise.resolve(void done.push('second')));
    await beside.inTurn('P2', () => Promise.resolve(void done.push('other')));
    goOn();
    await Promise.all([first, second]);
    assert.deepEqual(done, ['other', 'first', 'second']);
  });
});

function isolated({ nowS }: LivingRegion) {
  return { ...ISOLATED, untilS: nowS + DAY_S };
}
