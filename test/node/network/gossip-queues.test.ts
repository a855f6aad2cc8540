import assert from 'node:assert/strict';
import { GossipQueues } from '../../../node/network/gossip-queues.ts';

const BOUNDS = [
  { topic: 'trust', ofAll: 4, ofInvited: 2, ofRegion: 2, ofPeer: 2 },
  { topic: 'head', ofAll: 4, ofInvited: 3, ofRegion: 3, ofPeer: 3 },
];

const recognised = (peer: string) => ({ peer, region: peer, isInvited: false });
const invited = (peer: string) => ({ peer, region: peer, isInvited: true });

describe('GossipQueues', () => {
  it('gives the first topic first, and each in the order it came', () => {
    const queues = new GossipQueues<number>(BOUNDS);
    assert.ok(
      queues.push('head', recognised('DE'), 1) &&
        queues.push('head', recognised('DE'), 2) &&
        queues.push('trust', recognised('DE'), 3),
    );
    assert.deepEqual([queues.shift(), queues.shift(), queues.shift(), queues.shift()], [3, 1, 2, undefined]);
  });

  it('T17: drops the newest beyond the share of a peer and beyond the bound of all, and counts it', () => {
    const queues = new GossipQueues<number>(BOUNDS);
    assert.deepEqual(
      [1, 2, 3].map((item) => queues.push('trust', recognised('DE'), item)),
      [true, true, false],
    );
    assert.deepEqual(
      [4, 5].map((item) => queues.push('trust', recognised('FR'), item)),
      [true, true],
    );
    assert.equal(queues.push('trust', recognised('IT'), 6), false);
    const { trust, head } = queues.counters;
    assert.deepEqual(trust, { received: 6, dropped: 2, waiting: 4, waitingMax: 4 });
    assert.deepEqual(head, { received: 0, dropped: 0, waiting: 0, waitingMax: 0 });
    queues.shift();
    assert.equal(queues.push('trust', recognised('DE'), 7), true);
  });

  it('T17: invited peers leave recognised ones their share, however many they are', () => {
    const queues = new GossipQueues<number>(BOUNDS);
    assert.deepEqual(
      ['ES', 'IT', 'PT'].map((peer, item) => queues.push('trust', invited(peer), item)),
      [true, true, false],
    );
    assert.ok(queues.push('trust', recognised('DE'), 3) && queues.push('trust', recognised('FR'), 4));
    assert.equal(queues.push('trust', recognised('AT'), 5), false);
    queues.shift();
    assert.equal(queues.push('trust', invited('PT'), 6), true);
    assert.equal(queues.push('trust', invited('PT'), 7), false);
  });

  it('T17: a region fills no queue by naming many nodes', () => {
    const queues = new GossipQueues<number>(BOUNDS);
    const pushes = ['one', 'two', 'three', 'four'].map((peer, item) =>
      queues.push('trust', { peer, region: 'FR', isInvited: false }, item),
    );
    assert.deepEqual(pushes, [true, true, false, false]);
    assert.equal(queues.push('trust', recognised('AT'), 5), true);
  });

  it('knows no other topic', () => {
    assert.throws(() => new GossipQueues<number>(BOUNDS).push('other', recognised('DE'), 1), RangeError);
  });
});
