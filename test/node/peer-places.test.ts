import assert from 'node:assert/strict';
import { PeerPlaces } from '../../node/peer-places.ts';

describe('PeerPlaces', () => {
  it('T17: one peer has its share, invited ones together theirs, and recognised ones keep the rest', () => {
    const places = new PeerPlaces({ ofPeer: 2, ofInvited: 3, ofAll: 5 });
    const one = places.take('ES', true);
    assert.ok(one && places.take('ES', true));
    assert.equal(places.take('ES', true), undefined);
    assert.ok(places.take('IT', true));
    assert.equal(places.take('PT', true), undefined);
    const other = places.take('FR', false);
    assert.ok(other && places.take('FR', false));
    assert.equal(places.taken, 5);
    assert.equal(places.take('AT', false), undefined);
    other();
    assert.equal(places.take('PT', true), undefined);
    assert.ok(places.take('AT', false));
    one();
    assert.ok(places.take('PT', true));
    assert.equal(places.taken, 5);
  });
});
