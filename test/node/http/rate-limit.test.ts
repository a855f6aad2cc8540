import assert from 'node:assert/strict';
import { RateLimit } from '../../../node/http/rate-limit.ts';

describe('RateLimit.take', () => {
  let nowMs = 1_000;
  const limit = () => new RateLimit({ perS: 10, burst: 3, nowMs: () => nowMs });
  const taken = (rate: RateLimit, address: string, tries: number) =>
    Array.from({ length: tries }, () => rate.take(address)).filter((isFree) => isFree).length;

  it('T17 lets an address have a burst, then what flows in, and never more than a burst', () => {
    const rate = limit();
    assert.equal(taken(rate, 'a', 9), 3);
    nowMs += 250;
    assert.equal(taken(rate, 'a', 9), 2);
    nowMs += 3_600_000;
    assert.equal(taken(rate, 'a', 9), 3);
  });

  it('T17 costs no other address anything', () => {
    const rate = limit();
    taken(rate, 'a', 9);
    assert.equal(taken(rate, 'b', 9), 3);
  });

  it('remembers the 4,096 addresses that asked last', () => {
    const rate = limit();
    taken(rate, 'first', 9);
    for (let i = 0; i < 4_096; i++) rate.take(`other ${i}`);
    assert.equal(rate.take('first'), true);
    assert.equal(taken(rate, 'other 4095', 9), 2);
  });
});
