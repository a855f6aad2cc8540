import assert from 'node:assert/strict';
import { clientAt, siteOf } from '../../node/client-address.ts';

describe('clientAt', () => {
  it('is an IPv4 address as it is, also where it came to a socket of both kinds', () => {
    assert.equal(clientAt('192.0.2.7'), '192.0.2.7');
    assert.equal(clientAt('::ffff:192.0.2.7'), '192.0.2.7');
    assert.notEqual(clientAt('192.0.2.7'), clientAt('192.0.2.8'));
  });

  it('T17: is the /64 of an IPv6 address, however that is written', () => {
    const all = [
      '2001:db8:0:7::1',
      '2001:db8:0:7:ffff:ffff:ffff:ffff',
      '2001:DB8::7:0:0:0:1',
      '2001:0db8:0000:0007::192.0.2.1',
      '2001:db8:0:7::',
      '2001:db8:0:7::1%eth0',
    ];
    assert.deepEqual(new Set(all.map(clientAt)), new Set(['2001:db8:0:7::/64']));
  });

  it('tells the next /64 apart, and the loopback from nothing', () => {
    const all = [
      '2001:db8:0:7::1',
      '2001:db8:0:8::1',
      '2001:db8:1:7::1',
      '::1',
      'fe80::1',
      '::7:0:0:0:1',
      '',
    ];
    assert.equal(new Set(all.map(clientAt)).size, all.length);
    assert.equal(clientAt('::1'), '0:0:0:0::/64');
    assert.equal(clientAt('::'), clientAt('::2'));
  });
});

describe('siteOf', () => {
  it('T17: is the /48 of an IPv6 client, and of no other', () => {
    const all = ['2001:db8:7::1', '2001:db8:7:ffff::1', '2001:db8:7:8:9:a:b:c'];
    assert.deepEqual(new Set(all.map((address) => siteOf(clientAt(address)))), new Set(['2001:db8:7::/48']));
    assert.equal(siteOf(clientAt('2001:db8:8::1')), '2001:db8:8::/48');
    for (const address of ['192.0.2.7', '::ffff:192.0.2.7', ''])
      assert.equal(siteOf(clientAt(address)), undefined);
  });
});
