/** What a reader of snapshots makes of a part that begins behind what it held. */
import { DAY_S, LOG_ID, type RegionFixture } from '../../support/region-fixture.ts';
import { HOME } from '../../support/snapshot-fixture.ts';
import { FIRST, forked, holding, PEER, sides } from './snapshot-held.ts';
import { Reading } from './snapshot-reading.ts';

/** A fork over a gap, and a trust-log key in what is held whose window ended 31 days before the newest entry of either log. */
function forkedWithFormerKey(): { reading: Reading; twin: RegionFixture } {
  const { reading, region } = holding(PEER, 1);
  const until = region.nowS - 31 * DAY_S;
  region.admit([{ key: region.key('former trust-log'), role: 'trust-log', from: until - DAY_S, until }]);
  reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)]);
  const twin = reading.twin(PEER);
  for (const index of [2, 3, 4]) twin.revoke([index]);
  return { reading, twin };
}

export const GAP_READINGS: Readonly<Record<string, () => Reading>> = {
  'a gap that a quorum vouches for': () => {
    const { reading, region } = holding(PEER, 1);
    region.commit();
    region.revoke([2]);
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { based: true })], { known: { 'CN-33': { size: 9 } } });
  },
  'a gap over which a revocation is lost': () => {
    const { reading, twin } = forked(2, 3);
    twin.commit();
    return reading
      .step({ 'CN-33': 'forked' }, [reading.part(twin, { based: true })], {
        known: { 'CN-33': { standing: 'quarantined', size: FIRST + 1, beside: { [LOG_ID]: [2, 3] } } },
        codes: sides(reading, 'QUARANTINED'),
      });
  },
  'a gap over which a revocation is lost, and no quorum': () => {
    const { reading, twin } = forked(2, 3);
    twin.commit();
    return reading.step({ 'CN-33': 'forked' }, [reading.part(twin, { based: true, by: [HOME] })], {
      known: { 'CN-33': { standing: 'forked', size: FIRST + 1, beside: { [LOG_ID]: [2, 3] } } },
    });
  },
  'a gap over which the home has lost a revocation': () => {
    const { reading } = holding(HOME, 1);
    const twin = reading.twin(HOME);
    twin.revoke([2]);
    twin.revoke([3]);
    twin.commit();
    return reading.step({ DE: 'taken' }, [reading.part(HOME)]).step('FORK', [reading.part(twin, { based: true })]);
  },
  'a gap over which a revocation is lost that a compromise has voided': () => {
    const { reading, region } = holding(PEER, 1);
    const cutOff = { size: FIRST, root: region.rootAt(FIRST) };
    const code = reading.federation.issue(PEER, 1).text;
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)], { codes: { [code]: 'stop REVOKED' } });
    const key = region.key('fresh trust-log');
    region.admit([{ key, role: 'trust-log' }]);
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    region.add(region.stateStatement(), [key]);
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { based: true })], {
      known: { 'CN-33': { standing: 'good', beside: {} } },
      codes: { [code]: 'pass' },
    });
  },
  'a gap over which a revocation is lost, and a trust-log key that the state may have forgotten': () => {
    const { reading, twin } = forkedWithFormerKey();
    twin.nowS += 1;
    twin.commit();
    return reading.step({ 'CN-33': 'taken' }, [reading.part(twin, { based: true })], { known: { 'CN-33': { standing: 'good', beside: {} } } });
  },
  'a gap over which a revocation is lost, and a trust-log key that the state has to know': () => {
    const { reading, twin } = forkedWithFormerKey();
    twin.commit();
    return reading.step({ 'CN-33': 'forked' }, [reading.part(twin, { based: true })], { known: { 'CN-33': { standing: 'quarantined' } } });
  },
  'a gap that nobody vouches for': () => {
    const { reading, region } = holding(PEER, 1);
    region.commit();
    return reading.step({ 'CN-33': 'beside' }, [reading.part(PEER, { based: true, by: [HOME] })], { known: { 'CN-33': { size: FIRST, beside: { [LOG_ID]: [1] } } } });
  },
  'a gap of a home that nobody witnesses': () => {
    const reading = new Reading({ regions: [HOME] });
    reading.step({ DE: 'taken' }, reading.parts(), { known: { DE: { size: 3 } } });
    reading.region(HOME).revoke([1]);
    reading.region(HOME).commit();
    return reading.step('SNAPSHOT_INCOMPLETE', [reading.part(HOME, { based: true })]).step({ DE: 'taken' }, reading.parts(), { known: { DE: { size: 5 } } });
  },
  'a gap in which the home withdraws from its witnesses': () => {
    const { reading, region } = holding(HOME);
    for (const peer of ['CN-33', 'IT']) region.add({ kind: 'withdrawal', region: peer, version: 2 });
    region.commit();
    const vouched = { by: [HOME, 'FR'] };
    return reading
      .step('SNAPSHOT_INCOMPLETE', [reading.part(HOME, { based: true, ...vouched })])
      .step({ DE: 'taken' }, [reading.part(HOME, vouched)], { known: { DE: { witnesses: [1, 1, 1] }, IT: undefined } });
  },

  'a gap in which the home withdraws from one witness, and the others vouch': () => {
    const { reading, region } = holding(HOME);
    region.add({ kind: 'withdrawal', region: PEER, version: 2 });
    region.commit();
    return reading.step({ DE: 'taken' }, [reading.part(HOME, { based: true })], { known: { DE: { witnesses: [2, 1, 2] }, 'CN-33': undefined } });
  },
  'a gap of a peer for which as many are needed as before': () => {
    const { reading, region } = holding(PEER, 1);
    region.commit();
    for (const peer of ['FR', 'IT']) reading.region(HOME).add({ kind: 'withdrawal', region: peer, version: 2 });
    const by = [HOME, PEER];
    return reading
      .step({ 'CN-33': 'beside', DE: 'taken' }, [reading.part(PEER, { based: true, by }), reading.part(HOME)], {
        known: { 'CN-33': { size: FIRST, witnesses: [1, 1, 1] } },
      })
      .step({ 'CN-33': 'taken' }, [reading.part(PEER, { based: true, by })], { known: { 'CN-33': { size: FIRST + 2 } } });
  },
};
