import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { aheadFault, isAhead, objectionTo } from '../../../protocol/trust/vouching.ts';
import { HOUR_S, RegionFixture, trustModules } from '../../support/region-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { TrustFold } from '../../../protocol/trust/fold.ts';

/** A region with one revoked index, and a `state` statement that leaves it out. */
function robbed() {
  const region = new RegionFixture();
  const before = region.stateStatement();
  region.revoke([1]);
  const cutOff = region.cutOff();
  assert.equal(region.refusal(before), 'STATE_MISMATCH');
  return { region, cutOff, forged: cutOff.size };
}

describe('TrustFold.falseStart', () => {
  it('T1: is the first state statement without effect, however many follow and whatever passes', () => {
    const { region, forged } = robbed();
    assert.equal(region.fold.falseStart, forged);
    region.refusal({ ...region.stateStatement(), root: sha256(Uint8Array.of(1)) });
    region.commit();
    region.revoke([2]);
    assert.equal(region.fold.falseStart, forged);
    assert.equal(region.fold.fork().falseStart, forged);
  });

  it('is none where every state statement passes and others do not', () => {
    const region = new RegionFixture();
    region.commit();
    region.offer(Uint8Array.of(1, 2, 3));
    region.refusal({ kind: 'revocation', log: '2026-11', effective: region.nowS, set: Uint8Array.of(3) });
    assert.equal(region.fold.falseStart, undefined);
  });

  it('T1: counts those that break another rule, since a reader that starts there may not see that they do', () => {
    const { region, cutOff, forged } = robbed();
    // Disowned, but not for what it signed before: the items that go with a later statement keep silent about it.
    const fresh = region.key('fresh');
    region.admit([{ key: fresh, role: 'trust-log' }]);
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    assert.equal(region.fold.falseStart, undefined);
    const next = region.entries.length;
    assert.equal(region.refusal(region.stateStatement()), 'STATEMENT_UNAUTHORISED');
    assert.equal(region.fold.falseStart, next);
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }, 2));
    assert.equal(region.fold.falseStart, undefined);
    assert.ok(forged < next);
  });

  it('ends where a compromise reaches behind it, and not where one only reaches up to it', () => {
    const later = robbed();
    const { region, forged } = later;
    region.add(region.compromise(region.keys['trust-log'], { trust: region.cutOff() }));
    assert.equal(region.fold.falseStart, forged);
    // Of a key that signs no statements, the cut-off at the very index voids nothing: a start there is still possible.
    region.add(region.compromise(region.keys.attest, { trust: later.cutOff }));
    assert.equal(region.fold.falseStart, forged);
    const size = later.cutOff.size - 1;
    region.add(region.compromise(region.keys.attest, { trust: { size, root: region.rootAt(size) } }, 2));
    assert.equal(region.fold.falseStart, undefined);
  });

  it('no reader can start where it has ended', () => {
    const { region, cutOff, forged } = robbed();
    const silent = new RegionFixture();
    const { items } = silent.fold.commitmentAt(silent.nowS);
    const frontier = new TrustFold({ region: 'DE', network: 'test' }, trustModules);
    for (const entry of region.entries.slice(0, forged)) frontier.append(entry);
    const start = () =>
      TrustFold.fromBase(
        {
          region: 'DE',
          network: 'test',
          base: { index: forged, frontier: frontier.frontier, items },
          stateEntry: region.entryAt(forged),
        },
        trustModules,
      );
    assert.equal(start().state.revoked('2026-11'), undefined, 'the reader does not see what was left out');
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    const compromise = region.entries.at(-1) as Uint8Array;
    assert.throws(
      () => start().append(compromise),
      (error) => isProtocolError(error, 'HISTORY_NEEDED'),
    );
  });
});

describe('objectionTo', () => {
  it('names the statement that leads astray, and is none without one', () => {
    const { region, cutOff, forged } = robbed();
    const objection = objectionTo(region.fold, region.nowS);
    assert.equal(objection?.fault.code, 'STATE_MISMATCH');
    assert.equal(objection.fault.details['index'], forged);
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    assert.equal(objectionTo(region.fold, region.nowS), undefined);
  });
});

describe('isAhead', () => {
  it('A11, T15: 120 s ahead of the clock is in time, a second more is not, and a witness objects', () => {
    const region = new RegionFixture();
    const nowS = region.nowS;
    region.nowS += 120;
    region.revoke([1]);
    assert.equal(isAhead(region.state, nowS), false);
    assert.equal(objectionTo(region.fold, nowS), undefined);
    assert.equal(isAhead(region.state, nowS - 1), true);
    assert.deepEqual(aheadFault(region.state, nowS - 1)?.fault, {
      code: 'STATE_AHEAD',
      details: { at: region.nowS, now: nowS - 1 },
    });
    assert.equal(objectionTo(region.fold, nowS - 1)?.fault.code, 'STATE_AHEAD');
  });

  it('is over once the root has voided what was ahead, and does not go by what has no effect', () => {
    const region = new RegionFixture();
    const { nowS } = region;
    const cutOff = region.cutOff();
    region.revoke([1]);
    assert.equal(
      region.refusal({ ...region.revocation([2]), at: nowS + HOUR_S }, [region.key('x')]),
      'STATEMENT_UNAUTHORISED',
    );
    assert.equal(isAhead(region.state, nowS), false);
    region.add({ ...region.revocation([3]), at: nowS + HOUR_S });
    assert.equal(isAhead(region.state, nowS), true);
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    assert.equal(isAhead(region.state, nowS), false);
  });
});
