import assert from 'node:assert/strict';
import { parseSnapshot } from '../../../protocol/snapshot/snapshot.ts';
import { verify } from '../../../protocol/verdict/verify.ts';
import {
  Federation,
  NOW_S,
  effectsOf,
  faultOf,
  five,
  HOME,
  outcomeOf,
  PLACE,
} from '../../support/snapshot-fixture.ts';
import { trustModules } from '../../support/region-fixture.ts';

describe('applySnapshot: quorum', () => {
  it('refuses a home that lacks its quorum', async () => {
    const federation = five();
    const others = federation.sources().filter(({ region }) => region !== HOME);
    const withHome = (by: readonly string[]) =>
      federation.snapshotOf(federation.source(HOME, { by }), ...others);
    const lacking = await withHome([HOME, 'FR', 'IT']);
    const fault = faultOf(() => federation.apply(HOME, lacking));
    assert.deepEqual(fault, {
      code: 'SNAPSHOT_INCOMPLETE',
      details: { region: HOME, counted: 2, needed: 3 },
    });
    assert.equal(federation.apply(HOME, await withHome(['FR', 'IT', 'ES'])).outcomes.length, 5);
  });

  it('leaves out a region that lacks its quorum, if it holds nothing of it', async () => {
    const federation = five();
    const others = federation.sources().filter(({ region }) => region !== 'CN-33');
    const bytes = await federation.snapshotOf(
      federation.source('CN-33', { by: ['CN-33', HOME, 'FR'] }),
      ...others,
    );
    const applied = federation.apply(HOME, bytes);
    assert.equal(effectsOf(applied)['CN-33'], 'left-out');
    assert.equal(
      outcomeOf(applied.holdings, federation.issue('CN-33', 1).text),
      'undetermined TRUST_MISSING',
    );
  });

  it('of an unwitnessed part takes the revocations, and keeps what it held', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const first = federation.apply(HOME, await federation.snapshot());
    region.revoke([1]);
    region.add({ kind: 'log', log: '2026-12', minimum: 0 });
    const by = ['CN-33', HOME, 'FR'];
    const beside = federation.apply(HOME, await federation.snapshot({ by }, first.holdings), first.holdings);
    assert.deepEqual(effectsOf(beside), {
      'CN-33': 'beside',
      DE: 'confirmed',
      ES: 'confirmed',
      FR: 'confirmed',
      IT: 'confirmed',
    });
    assert.equal(outcomeOf(beside.holdings, federation.issue('CN-33', 1).text), 'stop REVOKED');
    assert.equal(outcomeOf(beside.holdings, federation.issue('CN-33', 2).text), 'pass');
    assert.equal(beside.holdings.logs.get('CN-33')?.fold.size, 7);
    assert.equal(beside.holdings.trust.regions.get('CN-33')?.state.log('2026-12'), undefined);

    region.revoke([2]);
    const more = federation.apply(HOME, await federation.snapshot({ by }, beside.holdings), beside.holdings);
    for (const index of [1, 2]) {
      assert.equal(outcomeOf(more.holdings, federation.issue('CN-33', index).text), 'stop REVOKED');
    }
    const taken = federation.apply(HOME, await federation.snapshot({}, more.holdings), more.holdings);
    assert.equal(effectsOf(taken)['CN-33'], 'taken');
    assert.equal(taken.holdings.trust.regions.get('CN-33')?.revokedBeside, undefined);
    assert.equal(outcomeOf(taken.holdings, federation.issue('CN-33', 2).text), 'stop REVOKED');
  });

  it('T4: an unwitnessed fork does not keep the reader from the log that the others saw', async () => {
    const federation = five();
    const twin = five();
    const first = federation.apply(HOME, await federation.snapshot());
    twin.region('CN-33').revoke([66]);
    const others = federation.sources().filter(({ region }) => region !== 'CN-33');
    const forged = await federation.snapshotOf(twin.source('CN-33', { by: ['CN-33', 'FR'] }), ...others);
    const misled = federation.apply(HOME, forged, first.holdings);
    assert.equal(effectsOf(misled)['CN-33'], 'beside');
    federation.region('CN-33').revoke([5]);
    const { holdings } = federation.apply(
      HOME,
      await federation.snapshot({}, misled.holdings),
      misled.holdings,
    );
    assert.equal(outcomeOf(holdings, federation.issue('CN-33', 5).text), 'stop REVOKED');
    assert.equal(outcomeOf(holdings, federation.issue('CN-33', 66).text), 'pass');
  });

  it('T12: lowers no quorum by leaving out the parts of witnesses', async () => {
    const federation = five();
    const only = (...names: string[]) =>
      federation.snapshotOf(...names.map((name) => federation.source(name)));
    const two = await only(HOME, 'CN-33');
    const fault = faultOf(() => federation.apply(HOME, two));
    assert.deepEqual(fault, {
      code: 'SNAPSHOT_INCOMPLETE',
      details: { region: HOME, counted: 1, needed: 3 },
    });
    assert.equal(federation.apply(HOME, await only(HOME, 'CN-33', 'FR', 'IT')).outcomes.length, 4);
  });

  it('bridges a gap only where a quorum vouches for it', async () => {
    const alone = new Federation(HOME);
    const first = alone.apply(HOME, await alone.snapshot());
    alone.region(HOME).revoke([1]);
    alone.region(HOME).commit();
    const gapped = await alone.snapshot();
    assert.equal(parseSnapshot(gapped).parts[0]?.from, 4);
    assert.deepEqual(
      faultOf(() => alone.apply(HOME, gapped, first.holdings)),
      {
        code: 'SNAPSHOT_INCOMPLETE',
        details: { region: HOME, held: 3, offered: 5 },
      },
    );
    const whole = await alone.snapshotOf({ ...alone.source(HOME), newestBase: () => undefined });
    assert.equal(alone.apply(HOME, whole, first.holdings).holdings.logs.get(HOME)?.fold.size, 5);
    assert.equal(alone.apply(HOME, gapped).holdings.logs.get(HOME)?.fold.size, 5);

    const federation = five();
    const before = federation.apply(HOME, await federation.snapshot());
    federation.region('CN-33').revoke([1]);
    federation.region('CN-33').commit();
    const over = await federation.snapshot();
    assert.equal(parseSnapshot(over).parts[0]?.from, 8);
    assert.equal(effectsOf(federation.apply(HOME, over, before.holdings))['CN-33'], 'taken');
  });

  it('takes the word of a region that nobody witnesses, and says so', async () => {
    const alone = new Federation(HOME);
    const { holdings } = alone.apply(HOME, await alone.snapshot());
    const context = { place: PLACE, mode: 'offline' } as const;
    const { outcome, reasons } = verify(
      trustModules,
      alone.issue(HOME, 1).text,
      holdings.trust,
      context,
      NOW_S,
    );
    assert.equal(outcome, 'pass');
    assert.ok(reasons.some(({ code }) => code === 'NO_WITNESSES'));
  });
});
