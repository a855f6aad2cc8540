import assert from 'node:assert/strict';
import { GossipQueues } from '../../../node/network/gossip-queues.ts';

const BOUNDS = [
  { topic: 'trust', ofAll: 4, ofPeer: 2 },
  { topic: 'head', ofAll: 4, ofPeer: 3 },
];

describe('GossipQueues', () => {
  it('gives the first topic first, and each in the order it came', () => {
    const queues = new GossipQueues<number>(BOUNDS);
    assert.ok(queues.push('head', 'DE', 1) && queues.push('head', 'DE', 2) && queues.push('trust', 'DE', 3));
    assert.deepEqual([queues.shift(), queues.shift(), queues.shift(), queues.shift()], [3, 1, 2, undefined]);
  });

  it('T17: drops the newest beyond the share of a peer and beyond the bound of all, and counts it', () => {
    const queues = new GossipQueues<number>(BOUNDS);
    assert.deepEqual(
      [1, 2, 3].map((item) => queues.push('trust', 'DE', item)),
      [true, true, false],
    );
    assert.deepEqual(
      [4, 5].map((item) => queues.push('trust', 'FR', item)),
      [true, true],
    );
    assert.equal(queues.push('trust', 'IT', 6), false);
    const { trust, head } = queues.counters;
    assert.deepEqual(trust, { received: 6, dropped: 2, waiting: 4, waitingMax: 4 });
    assert.deepEqual(head, { received: 0, dropped: 0, waiting: 0, waitingMax: 0 });
    queues.shift();
    assert.equal(queues.push('trust', 'DE', 7), true);
  });

  it('knows no other topic', () => {
    assert.throws(() => new GossipQueues<number>(BOUNDS).push('other', 'DE', 1), RangeError);
  });
});
