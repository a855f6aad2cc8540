import assert from 'node:assert/strict';
import { TrustFold } from '../../../protocol/trust/fold.ts';
import { DAY_S, HOUR_S, RegionFixture, START_S, trustModules } from '../../support/region-fixture.ts';

describe('TrustFold: retirements', () => {
  it('end the window of a key, which keeps what was announced, and nothing else changes', () => {
    const region = new RegionFixture();
    const { attest } = region.keys;
    const before = region.state.key(attest.keyId) ?? assert.fail();
    region.add(region.retirement(attest, START_S + 5 * HOUR_S, 1));
    region.add(region.retirement(attest, START_S + HOUR_S, 3));
    const retirement = { version: 3, announcedUntilS: before.untilS };
    assert.deepEqual(region.state.key(attest.keyId), { ...before, untilS: START_S + HOUR_S, retirement });
    for (const role of ['checkpoint', 'trust-log', 'witness'] as const)
      assert.equal(region.state.key(region.keys[role].keyId)?.retirement, undefined);
  });

  it('and compromises of one key stand beside each other, whichever comes first', () => {
    for (const isRetiredFirst of [true, false]) {
      const region = new RegionFixture();
      const { attest } = region.keys;
      const retirement = region.retirement(attest, START_S + HOUR_S);
      const compromise = region.compromise(attest, {});
      for (const one of isRetiredFirst ? [retirement, compromise] : [compromise, retirement]) region.add(one);
      const key = region.state.key(attest.keyId);
      assert.equal(key?.untilS, START_S + HOUR_S);
      assert.equal(key.compromise?.version, 1);
      assert.equal(key.retirement?.version, 1);
    }
  });

  it('stand in the items that a state commits to: who starts there finds the key as who folded all', () => {
    const region = new RegionFixture();
    const { attest } = region.keys;
    region.add(region.retirement(attest, START_S + 5 * HOUR_S, 1));
    region.add(region.retirement(attest, START_S + HOUR_S, 2));
    const stateEntry = region.entryAt(region.commit());
    const base = region.fold.newestBase() ?? assert.fail();
    const booted = TrustFold.fromBase({ region: 'DE', network: 'test', base, stateEntry }, trustModules);
    assert.deepEqual(booted.state.key(attest.keyId), region.state.key(attest.keyId));
  });

  it('that stolen keys kept from having an effect pass once what these signed is voided', () => {
    const region = new RegionFixture();
    const cutOff = region.cutOff();
    region.nowS += DAY_S;
    region.add({ kind: 'rules', id: 'x', version: 1, from: 0, data: {} });
    region.nowS -= DAY_S;
    const { attest } = region.keys;
    assert.equal(region.refusal(region.retirement(attest, START_S + HOUR_S)), 'STATEMENT_CONFLICT');
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    assert.equal(region.state.key(attest.keyId)?.untilS, START_S + HOUR_S);
  });
});
