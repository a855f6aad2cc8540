import assert from 'node:assert/strict';
import { type MultiaddrConnection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { Pending } from '../../../../node/network/host/pending.ts';

describe('Pending', () => {
  function from(address: string): MultiaddrConnection {
    const remoteAddr = multiaddr(`/${address.includes(':') ? 'ip6' : 'ip4'}/${address}/tcp/4600`);
    return Object.assign(new EventTarget(), { remoteAddr }) as unknown as MultiaddrConnection;
  }

  function begun(pending: Pending, address: string, count: number): MultiaddrConnection[] {
    return Array.from({ length: count }, () => from(address)).filter((one) => pending.begin(one));
  }

  it('B46 T17: an address has its share, and so have the addresses of one /64 together', () => {
    const pending = new Pending({ ofClient: 3, ofAll: 16 });
    assert.equal(begun(pending, '192.0.2.1', 9).length, 3);
    assert.equal(begun(pending, '192.0.2.2', 9).length, 3);
    assert.equal(begun(pending, '2001:db8::1', 2).length, 2);
    assert.equal(begun(pending, '2001:db8::2', 9).length, 1);
  });

  it('B46 T17: the addresses of one /48 have half of all places together, and others get theirs', () => {
    const pending = new Pending({ ofClient: 3, ofAll: 16 });
    const counts = [1, 2, 3, 4].map((net) => begun(pending, `2001:db8:7:${net}::1`, 9).length);
    assert.deepEqual(counts, [3, 3, 2, 0]);
    assert.equal(begun(pending, '2001:db8:8::1', 9).length, 3);
    assert.equal(begun(pending, '192.0.2.1', 9).length, 3);
  });

  it('B46: where one address may have all places, so may a /48', () => {
    const pending = new Pending({ ofClient: 16, ofAll: 16 });
    assert.equal(begun(pending, '2001:db8:7::1', 20).length, 16);
  });

  it('gives a place back once, when the other end is known or gone, and none for what was turned away', () => {
    const pending = new Pending({ ofClient: 2, ofAll: 4 });
    const [first, second] = begun(pending, '2001:db8:7:1::1', 2);
    assert.ok(first && second);
    const refused = from('2001:db8:7:2::1');
    assert.equal(pending.begin(refused), false);
    pending.end(refused);
    assert.equal(pending.begin(from('2001:db8:7:2::1')), false);
    pending.end(first);
    pending.end(first);
    first.dispatchEvent(new Event('close'));
    assert.equal(begun(pending, '2001:db8:7:2::1', 9).length, 1);
    second.dispatchEvent(new Event('close'));
    assert.equal(begun(pending, '2001:db8:7:1::1', 9).length, 1);
    assert.equal(pending.size, 2);
  });
});
