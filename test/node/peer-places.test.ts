import assert from 'node:assert/strict';
import { GOSSIP_QUEUES, IN_HAND, STREAMS_KEPT } from '../../node/network/network-limits.ts';
import { PeerPlaces, shareByName } from '../../node/peer-places.ts';
import { LOG_READERS, REQUESTS_AT_ONCE, REQUESTS_HELD } from '../../node/sync/sync-limits.ts';

const invited = (region: string) => ({ region, isInvited: true });

describe('PeerPlaces', () => {
  it('T17: one peer has its share, invited ones together theirs, and recognised ones keep the rest', () => {
    const places = new PeerPlaces({ ofPeer: 2, ofRegion: 2, ofInvited: 3, ofAll: 5 });
    const take = (peer: string, isInvited: boolean) => places.take(peer, { region: peer, isInvited });
    const one = take('ES', true);
    assert.ok(one && take('ES', true));
    assert.equal(take('ES', true), undefined);
    assert.ok(take('IT', true));
    assert.equal(take('PT', true), undefined);
    const other = take('FR', false);
    assert.ok(other && take('FR', false));
    assert.equal(places.taken, 5);
    assert.equal(take('AT', false), undefined);
    other();
    assert.equal(take('PT', true), undefined);
    assert.ok(take('AT', false));
    one();
    assert.ok(take('PT', true));
    assert.equal(places.taken, 5);
  });

  it('T17: the nodes of a region have together what a region has, and another region gets its places', () => {
    const places = new PeerPlaces({ ofPeer: 2, ofRegion: 3, ofInvited: 4, ofAll: 8 });
    const fr = { region: 'FR', isInvited: false };
    assert.ok(places.take('one', fr) && places.take('one', fr));
    assert.equal(places.take('one', fr), undefined);
    const third = places.take('two', fr);
    assert.ok(third);
    for (const peer of ['two', 'three']) assert.equal(places.take(peer, fr), undefined);
    assert.ok(places.take('four', invited('ES')));
    assert.ok(places.take('AT', shareByName('AT')));
    third();
    assert.ok(places.take('three', fr));
    assert.equal(places.take('four', fr), undefined);
  });

  it('T17: where places are kept free, a region that has none finds one, however many others take all they get', () => {
    for (const isInvited of [false, true]) {
      const places = new PeerPlaces({ ofPeer: 8, ofRegion: 8, ofInvited: 32, ofAll: 32, keepsFree: true });
      const shares = Array.from({ length: 20 }, (_, n) => ({ region: `region ${n}`, isInvited }));
      const held = shares.map((): (() => void)[] => []);
      for (let round = 0; round < 20; round++) {
        for (const [n, share] of shares.entries()) {
          // One is done with, and all that can be had taken.
          held[n]?.shift()?.();
          for (let release; (release = places.take(share.region, share)) !== undefined;)
            held[n]?.push(release);
        }
      }
      assert.ok(held.every((releases) => releases.length > 0));
      assert.ok(places.take('AT', { region: 'AT', isInvited }));
    }
  });

  it('T17: no region has more than a quarter of any places, and a peer no more than its region', () => {
    const bounds = [IN_HAND, REQUESTS_AT_ONCE, REQUESTS_HELD, LOG_READERS, ...GOSSIP_QUEUES];
    for (const { ofPeer, ofRegion, ofAll } of bounds) {
      assert.ok(ofPeer <= ofRegion && 4 * ofRegion <= ofAll);
    }
  });

  it('T17: requests of sync that wait and those that are answered leave places to other requests', () => {
    assert.ok(REQUESTS_HELD.ofAll + REQUESTS_AT_ONCE.ofAll < IN_HAND.ofAll);
  });

  it('T17: of as many requests as an honest node has under way at one peer none is refused', () => {
    for (const { ofPeer } of [IN_HAND, REQUESTS_AT_ONCE]) assert.ok(ofPeer >= STREAMS_KEPT);
  });
});
