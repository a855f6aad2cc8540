import assert from 'node:assert/strict';
import { clientAt } from '../../../node/client-address.ts';
import { RateLimit } from '../../../node/http/rate-limit.ts';

describe('RateLimit.take', () => {
  let nowMs = 1_000;
  const limit = ({ ofAllPerS = 100_000 } = {}) =>
    new RateLimit({ ofClientPerS: 10, ofAllPerS, burstS: 0.3, nowMs: () => nowMs });
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

  it('T17 lets all of a /48 have half of what all have, and all no more than that', () => {
    const rate = limit({ ofAllPerS: 40 });
    const client = (site: number, net: number) => clientAt(`2001:db8:${site}:${net}::1`);
    const nets = (site: number) => [1, 2, 3, 4].map((net) => taken(rate, client(site, net), 9));
    assert.deepEqual(nets(1), [3, 3, 0, 0]);
    assert.equal(taken(rate, '192.0.2.1', 9), 3);
    // Of twelve, nine are taken, and a client that is refused takes nothing of those.
    assert.deepEqual(nets(2), [3, 0, 0, 0]);
    nowMs += 100;
    assert.deepEqual(nets(1), [1, 1, 0, 0]);
    assert.equal(taken(rate, '192.0.2.1', 9), 1);
  });

  it('remembers the 4,096 addresses that asked last', () => {
    const rate = limit();
    taken(rate, 'first', 9);
    for (let i = 0; i < 4_096; i++) rate.take(`other ${i}`);
    assert.equal(rate.take('first'), true);
    assert.equal(taken(rate, 'other 4095', 9), 2);
  });
});
