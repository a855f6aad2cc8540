import assert from 'node:assert/strict';
import { Assent } from '../../../node/writer/assent.ts';

describe('Assent', () => {
  it('is as old as the question, by the clock that says more, and none once somebody else may write', () => {
    const clock = { now: 5_000, run: 100, nowMs: () => clock.now, runMs: () => clock.run };
    const assent = new Assent(clock);
    assert.equal(assent.ageMs, Infinity);
    const agreed = assent.ask();
    assert.equal(assent.ageMs, Infinity);
    clock.run += 700;
    agreed();
    assert.equal(assent.ageMs, 700);
    // The machine slept.
    clock.now += 900;
    assert.equal(assent.ageMs, 900);
    // Its clock was set back.
    clock.now -= 3_000;
    assert.equal(assent.ageMs, 2_100);
    assent.end();
    assert.equal(assent.ageMs, Infinity);
  });
});
