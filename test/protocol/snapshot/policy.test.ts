import assert from 'node:assert/strict';
import { applySnapshot, type Holdings } from '../../../protocol/snapshot/apply.ts';
import { restoreHoldings, saveHoldings } from '../../../protocol/snapshot/saved-holdings.ts';
import { assess } from '../../../protocol/verdict/ages.ts';
import { Trust } from '../../../protocol/verdict/knowledge.ts';
import { verify } from '../../../protocol/verdict/verify.ts';
import { cosignedOutside, OUTSIDE_POLICY, witnessPolicyOf } from '../../support/outside-witness.ts';
import { trustModules } from '../../support/region-fixture.ts';
import {
  effectsOf,
  faultOf,
  five,
  HOME,
  modules,
  NETWORK,
  NOW_S,
  outcomeOf,
  PLACE,
} from '../../support/snapshot-fixture.ts';

describe('applySnapshot by a policy', () => {
  const federation = five();
  const policy = witnessPolicyOf(OUTSIDE_POLICY, NETWORK);
  const reader = { ...federation.reader(HOME), policy };
  const { text } = federation.issue('CN-33', 7);
  const apply = (bytes: Uint8Array, previous?: Holdings) =>
    applySnapshot(modules, bytes, reader, previous, NOW_S);
  /** Every region vouches for every log, and the witness outside for those of `regions`. */
  const snapshot = (...regions: readonly string[]) =>
    federation.snapshotOf(
      ...federation
        .sources()
        .map((one) =>
          regions.includes(one.region) ? { ...one, note: cosignedOutside(one.note, NOW_S - 9) } : one,
        ),
    );

  it('refuses a home for which its witness does not vouch, whoever else does', async () => {
    const bytes = await snapshot('CN-33');
    const { code, details } = faultOf(() => apply(bytes));
    assert.equal(code, 'SNAPSHOT_INCOMPLETE');
    assert.deepEqual(details, { counted: 0, needed: 1, region: HOME });
    assert.match(outcomeOf(federation.apply(HOME, bytes).holdings, text), /^pass/);
  });

  it('leaves out a region for which its witness does not vouch, and passes its codes once it does', async () => {
    const before = apply(await snapshot(HOME));
    assert.deepEqual(effectsOf(before), {
      'CN-33': 'left-out', DE: 'taken', ES: 'left-out', FR: 'left-out', IT: 'left-out',
    }); // prettier-ignore
    assert.equal(outcomeOf(before.holdings, text), 'undetermined TRUST_MISSING');
    const after = apply(await snapshot(HOME, 'CN-33'), before.holdings);
    assert.equal(outcomeOf(after.holdings, text), 'pass');
    const context = { place: PLACE, mode: 'offline' } as const;
    const { knowledge } = verify(trustModules, text, after.holdings.trust, context, NOW_S);
    assert.deepEqual(
      knowledge.map(({ region, ageS, witnesses }) => [region, ageS, witnesses]),
      [HOME, 'CN-33'].map((region) => [region, 9, { counted: 1, needed: 1, of: 1, by: 'policy' }]),
    );
  });

  it('says of what was held before the policy that too few vouch for it', async () => {
    const { holdings } = federation.apply(HOME, await snapshot());
    const { home, network, regions } = holdings.trust;
    const trust = new Trust({ home, network, policy, regions: regions.values() }, trustModules);
    const context = { place: PLACE, mode: 'offline' } as const;
    const { outcome, reasons } = verify(trustModules, text, trust, context, NOW_S);
    assert.equal(outcome, 'undetermined');
    const details = { counted: 0, needed: 1, of: 1, by: 'policy' };
    assert.deepEqual(
      reasons.flatMap((one) => (one.code === 'UNWITNESSED' ? [[one.region, one.details]] : [])),
      [HOME, 'CN-33'].map((region) => [region, details]),
    );
  });

  it('counts who vouches for an attestation log by the table', async () => {
    const { holdings } = apply(await snapshot(...federation.regions.keys()));
    const knowledge = holdings.trust.regions.get('CN-33') ?? assert.fail();
    const checkpoint = { ...knowledge.checkpoint, origin: `CN-33.${NETWORK}/attest/2026-11` };
    const { witnesses } = assess(holdings.trust, { ...knowledge, checkpoint }, NOW_S);
    assert.deepEqual(witnesses, { counted: 4, needed: 3, of: 4 });
  });

  it('goes on without the policy by the table, from the same snapshot, which carries none', async () => {
    const { holdings } = apply(await snapshot(...federation.regions.keys()));
    const saved = await saveHoldings(holdings);
    const restored = restoreHoldings(saved, federation.reader(HOME), modules);
    assert.deepEqual(restored.trust.assess('CN-33', NOW_S)?.witnesses, { counted: 4, needed: 3, of: 4 });
    assert.equal(outcomeOf(restored, text), 'pass');
  });

  it('reads the lines of a witness outside in what was kept before the policy, once and not more often', async () => {
    const { holdings } = federation.apply(HOME, await snapshot(HOME, 'CN-33'));
    const once = restoreHoldings(await saveHoldings(holdings), reader, modules);
    const twice = restoreHoldings(await saveHoldings(once), reader, modules);
    for (const { trust } of [once, twice]) {
      const cosignatures = trust.regions.get('CN-33')?.cosignatures ?? [];
      assert.equal(cosignatures.filter(({ region }) => region === undefined).length, 1);
      assert.equal(trust.assess('CN-33', NOW_S)?.knowledgeAtS, NOW_S - 9);
    }
    assert.equal(outcomeOf(twice, text), 'pass');
  });

  it('refuses to go by a policy of another network', async () => {
    const other = witnessPolicyOf(OUTSIDE_POLICY, 'other');
    const bytes = await snapshot(HOME);
    assert.throws(
      () => applySnapshot(modules, bytes, { ...reader, policy: other }, undefined, NOW_S),
      TypeError,
    );
  });
});
