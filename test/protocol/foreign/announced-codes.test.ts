import assert from 'node:assert/strict';
import { AnnouncedCodes, keysOf, localsOf } from '../../../protocol/foreign/announced-codes.ts';
import { type LoggedAdapter } from '../../../protocol/trust/trust-state.ts';
import { announcedTrust } from '../../support/announced-fixture.ts';
import { JSON_PROFILE, LOCAL_SIGNER, localKey, mapped } from '../../support/local-fixture.ts';
import { announcing, jsonCode, localAdapter, recognisedToo } from '../../support/local-world.ts';
import { DAY_S, RegionFixture, START_S } from '../../support/region-fixture.ts';
import { stubState } from '../../support/stub-state.ts';
import { NOW_S } from '../../support/verdict-fixture.ts';

/** How many texts beyond ASCII were encoded meanwhile: an encoding of `BEYOND_ASCII` has one. */
function encodedIn(work: () => void): number {
  const prototype: { encode: (text?: string) => Uint8Array } = TextEncoder.prototype;
  const { encode } = prototype;
  let count = 0;
  prototype.encode = function (text) {
    count++;
    return encode.call(this, text);
  };
  try {
    work();
  } finally {
    prototype.encode = encode;
  }
  return count;
}

const keys = (count: number) =>
  Array.from({ length: count }, (_, i) => localKey(LOCAL_SIGNER, { keyId: `k${i}` }));
const stateOf = (...adapters: readonly LoggedAdapter[]) => stubState({ region: 'AT', adapters });

const BEYOND_ASCII = mapped(JSON_PROFILE, { subject: ['имя'] });

describe('localsOf', () => {
  it('encodes a profile once for each adapter, whatever the number of its keys and of states that have it', () => {
    const one = encodedIn(() => localsOf(stateOf(localAdapter(BEYOND_ASCII, { keys: keys(1) }))));
    const adapter = localAdapter(BEYOND_ASCII, { keys: keys(200) });
    assert.equal(one, 1);
    assert.equal(
      encodedIn(() => localsOf(stateOf(adapter))),
      one,
    );
    assert.equal(
      encodedIn(() => localsOf(stateOf(adapter))),
      0,
    );
  });

  it('adds up the keys of all adapters with one profile', () => {
    const other = localAdapter(mapped(JSON_PROFILE, { subject: undefined }), { id: 'q' });
    const more = localAdapter(JSON_PROFILE, { id: 'r', keys: keys(3) });
    const [first, second, ...rest] = localsOf(stateOf(more, other, localAdapter(JSON_PROFILE)));
    assert.deepEqual([first?.keys.size, second?.keys.size, rest.length], [4, 1, 0]);
  });
});

describe('keysOf and localsOf', () => {
  const announce = (region: RegionFixture, { id, data }: LoggedAdapter, version = 1) =>
    region.add({ kind: 'adapter', id, version, from: START_S, until: START_S + DAY_S, data });

  it('stay what they were over everything that leaves the adapters of a region as they are', () => {
    const region = new RegionFixture();
    announce(region, localAdapter());
    const [keys, locals] = [keysOf(region.state), localsOf(region.state)];
    region.revoke([1]);
    region.commit();
    assert.equal(keysOf(region.state), keys);
    assert.equal(localsOf(region.state), locals);
  });

  it('are others once an adapter is added, gives way to another version, or announces nothing any more', () => {
    const region = new RegionFixture();
    const sizes = () => [keysOf(region.state).size, ...localsOf(region.state).map((one) => one.keys.size)];
    announce(region, localAdapter());
    assert.deepEqual(sizes(), [1, 1]);
    announce(region, localAdapter(JSON_PROFILE, { id: 'q', keys: keys(2) }));
    assert.deepEqual(sizes(), [3, 3]);
    announce(region, localAdapter(JSON_PROFILE, { id: 'q', keys: keys(4) }), 2);
    assert.deepEqual(sizes(), [5, 5]);
    announce(region, { ...localAdapter(), id: 'q', data: {} }, 3);
    assert.deepEqual(sizes(), [1, 1]);
  });

  it('of two regions with the same data are each its own', () => {
    const adapter = localAdapter();
    const [at, be] = ['AT', 'BE'].map((region) => localsOf(stubState({ region, adapters: [adapter] })));
    assert.deepEqual([at?.[0]?.region, be?.[0]?.region], ['AT', 'BE']);
  });
});

describe('AnnouncedCodes.localsFor', () => {
  it('gives at most four profiles of a region, in the order of the adapters that announce them', () => {
    const adapters = [60, 61, 62, 63, 64].map((life, i) =>
      localAdapter(mapped(JSON_PROFILE, { expiresAt: undefined, life }), { id: `p${i}` }),
    );
    const announced = new AnnouncedCodes(announcedTrust({ issuer: announcing(...adapters.toReversed()) }));
    const { tried, untried } = announced.localsFor(jsonCode(), NOW_S);
    assert.deepEqual(
      tried.map(({ profile }) => profile.map.life),
      [60, 61, 62, 63],
    );
    assert.deepEqual(
      untried.map(({ profile }) => profile.map.life),
      [64],
    );
    const four = new AnnouncedCodes(announcedTrust({ issuer: announcing(...adapters.slice(1)) }));
    assert.deepEqual(four.localsFor(jsonCode(), NOW_S).untried, []);
  });

  it('T5 tries the home first, and whose recognition is suspended last', () => {
    const profile = localAdapter();
    const others = Array.from({ length: 16 }, (_, i) => `B${String.fromCharCode(65 + i)}`);
    const more = others.map((region) =>
      recognisedToo(region, [profile], region === 'BA' ? { standing: 'suspended' } : {}),
    );
    const world = { issuer: {}, recognition: undefined, home: announcing(profile), more };
    const { tried, untried } = new AnnouncedCodes(announcedTrust(world)).localsFor(jsonCode(), NOW_S);
    assert.deepEqual(
      tried.map(({ region }) => region),
      ['DE', ...others.slice(1)],
    );
    assert.deepEqual(
      untried.map(({ region }) => region),
      ['BA'],
    );
  });
});
