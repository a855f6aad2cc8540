/** Whom a reader of snapshots believes: pins, recognitions, and the quorum of SPEC.md 9. */
import { Frontier } from '../../../protocol/log/frontier.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { type SnapshotPart } from '../../../protocol/snapshot/snapshot.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, HOUR_S, RegionFixture, START_S, testKey } from '../../support/region-fixture.ts';
import { HOME, NETWORK, noteOf, NOW_S, type Witness } from '../../support/snapshot-fixture.ts';
import { all, FOUR, Reading } from './snapshot-reading.ts';

const PEER = 'CN-33';
/** When the windows of all keys end. */
const LAST_S = START_S - (START_S % DAY_S) + 30 * DAY_S;

/** How old the knowledge of a region is. */
const aged = (counted: number, age: number | null, silence: number | null = age) => ({ witnesses: [counted, 2, 3], age, silence }) as const;

/** The region with another witness key, which its log now names. */
function freshWitness(reading: Reading, name: string): Witness {
  const region = reading.region(name);
  const witness = region.key('fresh witness');
  region.admit([{ key: witness, role: 'witness' }]);
  return { region: name, keys: { witness } };
}

/** A log of the region as it was at first, as far ahead that nothing of what is held is in it. */
function silentPart(robbed: RegionFixture): SnapshotPart {
  const { fold, nowS } = new RegionFixture({ region: robbed.region, network: NETWORK });
  const { items, root } = fold.commitmentAt(nowS);
  const entry = robbed.entryOf({ kind: 'state', format: 1, items: items.length, root });
  const from = 0b10011;
  const frontier = [...fold.frontier, leafHash(sha256, entry)];
  const tree = Frontier.of(sha256, from, frontier);
  tree.append(leafHash(sha256, entry));
  const checkpoint = noteOf(robbed, [robbed], { checkpoint: { size: tree.size, root: tree.root() } });
  return { region: robbed.region, checkpoint, from, entries: [entry], base: { frontier, items } };
}

const stranger = () => new RegionFixture({ region: 'PT', network: NETWORK });

export const TRUSTED_READINGS: Readonly<Record<string, () => Reading>> = {
  'a reader that holds nothing': () => {
    const reading = new Reading();
    return reading.step(all('taken'), reading.parts(), {
      known: { DE: aged(3, 0), FR: aged(3, 0) },
      codes: { [reading.federation.issue(PEER, 5).text]: 'pass' },
    });
  },
  'from a state entry as from index 0': () => {
    const reading = new Reading();
    const region = reading.region(PEER);
    region.revoke([3, 70_000]);
    region.commit();
    region.revoke([4]);
    const codes = { [reading.federation.issue(PEER, 4).text]: 'stop REVOKED', [reading.federation.issue(PEER, 5).text]: 'pass' };
    return reading
      .step(all('taken'), reading.parts(reading.part(PEER, { based: true })), { codes })
      .step(all('confirmed'), reading.parts(), { codes });
  },
  'a home that nobody witnesses': () => {
    const reading = new Reading({ regions: [HOME] });
    return reading.step({ DE: 'taken' }, reading.parts(), { known: { DE: { witnesses: [0, 0, 0], age: 0, silence: 0 } } });
  },
  'a home that nobody witnesses and that gave no time': () => {
    const reading = new Reading({ regions: [HOME] });
    const codes = { [reading.federation.issue(HOME, 1).text]: 'undetermined ISSUER_SILENT_TOO_LONG UNWITNESSED' };
    return reading.step({ DE: 'taken' }, reading.partsWith({ by: [] }), { known: { DE: { witnesses: [0, 0, 0], age: null, silence: null } }, codes });
  },
  'a snapshot without parts': () => new Reading().step('SNAPSHOT_INCOMPLETE', []),
  'a snapshot without the home': () => {
    const reading = new Reading();
    const without = reading.parts().filter(({ region }) => region !== HOME);
    return reading.step('SNAPSHOT_INCOMPLETE', without).step(all('taken'), reading.parts()).step({ 'CN-33': 'confirmed', FR: 'confirmed', IT: 'confirmed' }, without).step({}, []);
  },
  'another network': () => {
    const reading = new Reading();
    return reading.step('PIN_MISMATCH', reading.parts(), { network: 'other' });
  },
  'a home under another root than the reader knows': () => {
    const reading = new Reading({ pin: new Uint8Array(32) });
    return reading.step('PIN_MISMATCH', reading.parts());
  },
  'a region that only a recognised region recognises': () => {
    const reading = new Reading();
    const PT = stranger();
    reading.region('FR').recognise(PT);
    const codes = { [reading.federation.issue('FR', 1, { region: 'PT', key: PT.keys.attest }).text]: 'stop NOT_RECOGNISED' };
    return reading.step({ ...all('taken'), PT: 'left-out' }, reading.parts(reading.part(PT)), { known: { PT: undefined }, codes });
  },
  'a region that is withdrawn': () => {
    const reading = new Reading().step(all('taken'), new Reading().parts());
    reading.region(HOME).add({ kind: 'withdrawal', region: PEER, version: 2 });
    const codes = { [reading.federation.issue(PEER, 5).text]: 'stop RECOGNITION_WITHDRAWN' };
    return reading.step(all('confirmed', { DE: 'taken', 'CN-33': 'left-out' }), reading.parts(), {
      known: { 'CN-33': undefined, FR: { witnesses: [2, 1, 2] } },
      codes,
    });
  },
  'a region that is withdrawn and of which there is no part': () => {
    const reading = new Reading().step(all('taken'), new Reading().parts());
    reading.region(HOME).add({ kind: 'withdrawal', region: PEER, version: 2 });
    return reading.step({ DE: 'taken' }, [reading.part(HOME)], { known: { 'CN-33': undefined } });
  },
  'a region that is suspended': () => {
    const reading = new Reading().step(all('taken'), new Reading().parts());
    reading.region(HOME).add({ kind: 'suspension', region: PEER, version: 1 });
    const codes = { [reading.federation.issue(PEER, 5).text]: 'stop RECOGNITION_SUSPENDED' };
    return reading.step(all('confirmed', { DE: 'taken' }), reading.parts(), { known: { FR: aged(3, 0) }, codes });
  },
  'a recognition whose window has not begun counts no witness, and the part is taken': () => {
    const reading = new Reading();
    reading.region(HOME).add({ ...reading.region(HOME).recognitionOf(reading.region(PEER), 2), from: NOW_S + 1 });
    return reading.step(all('taken'), reading.parts(), { known: { FR: { witnesses: [2, 1, 2] }, 'CN-33': aged(3, 0) } });
  },
  'a region that is hosted is no witness': () => {
    const reading = new Reading();
    reading.region(HOME).add({ ...reading.region(HOME).recognitionOf(reading.region(PEER), 2), way: 'hosted' });
    return reading.step(all('taken'), reading.parts(), { known: { FR: { witnesses: [2, 1, 2] }, 'CN-33': aged(3, 0) } });
  },
  'a home that pins another root of a region drops what it held of it': () => {
    const reading = new Reading();
    for (const index of [1, 2, 3]) reading.region('FR').revoke([index]);
    reading.step(all('taken'), reading.parts());
    const anew = new RegionFixture({ region: 'FR', network: NETWORK, rootKeys: 2 });
    reading.region(HOME).recognise(anew, 2);
    return reading
      .step({ DE: 'taken' }, [reading.part(HOME)], { known: { FR: undefined, IT: aged(2, 0) } })
      .step({ FR: 'PIN_MISMATCH' }, [reading.part('FR')])
      .step({ FR: 'taken' }, [reading.part(anew)], { known: { FR: { size: 3 } } });
  },
  'a home that pins another root of a region takes the part that has it at once': () => {
    const reading = new Reading();
    for (const index of [1, 2, 3]) reading.region('FR').revoke([index]);
    reading.step(all('taken'), reading.parts());
    const anew = new RegionFixture({ region: 'FR', network: NETWORK, rootKeys: 2 });
    reading.region(HOME).recognise(anew, 2);
    return reading.step({ DE: 'taken', FR: 'taken' }, [reading.part(HOME), reading.part(anew)], { known: { FR: { size: 3 } } });
  },

  'a home that two of three witness': () => {
    const reading = new Reading();
    return reading.step(all('taken'), reading.parts(reading.part(HOME, { by: ['FR', 'IT'] })), { known: { DE: aged(2, 0, null) } });
  },
  'a home that one of three witnesses': () => {
    const reading = new Reading();
    return reading.step('SNAPSHOT_INCOMPLETE', reading.parts(reading.part(HOME, { by: [HOME, 'FR'] })));
  },
  'the parts of witnesses are left out': () => {
    const reading = new Reading();
    const only = (...names: string[]) => names.map((name) => reading.part(name));
    return reading
      .step('SNAPSHOT_INCOMPLETE', only(HOME))
      .step('SNAPSHOT_INCOMPLETE', only(HOME, 'FR'))
      .step({ DE: 'taken', FR: 'taken', IT: 'taken' }, only(HOME, 'FR', 'IT'), { known: { DE: aged(2, 0), FR: aged(2, 0) } });
  },
  'a region that one of three witnesses, and nothing held': () => {
    const reading = new Reading();
    return reading.step(all('taken', { 'CN-33': 'left-out' }), reading.parts(reading.part(PEER, { by: [PEER, 'FR'] })), {
      known: { 'CN-33': undefined },
      codes: { [reading.federation.issue(PEER, 1).text]: 'undetermined TRUST_MISSING' },
    });
  },
  'a region that one of three witnesses, beside what was held, until it is vouched for': () => {
    const reading = new Reading().step(all('taken'), new Reading().parts());
    const region = reading.region(PEER);
    region.revoke([1]);
    region.add({ kind: 'log', log: '2026-12', minimum: 0 });
    const by = [PEER, 'FR'];
    const code = (index: number) => reading.federation.issue(PEER, index).text;
    reading.step({ 'CN-33': 'beside' }, [reading.part(PEER, { by })], {
      known: { 'CN-33': { size: 6, beside: { '2026-11': [1] } } },
      codes: { [code(1)]: 'stop REVOKED', [code(2)]: 'pass' },
    });
    region.revoke([2]);
    return reading
      .step({ 'CN-33': 'beside' }, [reading.part(PEER, { by, delta: 6 })], { known: { 'CN-33': { size: 6, beside: { '2026-11': [1, 2] } } } })
      .step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: 6 })], { known: { 'CN-33': { size: 9, beside: {} } } });
  },
  'two logs that nobody vouches for, and then the one that all do': () => {
    const reading = new Reading().step(all('taken'), new Reading().parts());
    const by = [PEER];
    for (const index of [66, 77]) {
      const twin = reading.twin(PEER);
      twin.revoke([index]);
      reading.step({ 'CN-33': 'beside' }, [reading.part(twin, { by })], {
        known: { 'CN-33': { standing: 'good', beside: { '2026-11': index === 66 ? [66] : [66, 77] } } },
      });
    }
    reading.region(PEER).revoke([5]);
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)], { known: { 'CN-33': { standing: 'good', beside: {} } } });
  },
  'cosignatures 120 s ahead': () => {
    const reading = new Reading();
    return reading.step(all('taken'), reading.partsWith({ atS: NOW_S + 120 }), { known: { DE: aged(3, 0) } });
  },
  'cosignatures 121 s ahead': () => {
    const reading = new Reading();
    reading.step('SNAPSHOT_INCOMPLETE', reading.parts(reading.part(HOME, { atS: NOW_S + 121 }))).step(all('taken'), reading.parts());
    reading.region(PEER).revoke([1]);
    return reading.step({ 'CN-33': 'beside' }, [reading.part(PEER, { atS: NOW_S + 121 })], {
      known: { 'CN-33': { ...aged(3, 0), beside: { '2026-11': [1] } } },
    });
  },
  'cosignatures in the last second of the keys': () => {
    const reading = new Reading();
    return reading.step(all('taken'), reading.partsWith({ atS: LAST_S - 1 }), { nowS: LAST_S, known: { DE: { ...aged(3, 1), keyFit: true } } });
  },
  'cosignatures at the end of the keys': () => {
    const reading = new Reading();
    return reading.step('SNAPSHOT_INCOMPLETE', reading.partsWith({ atS: LAST_S }), { nowS: LAST_S });
  },
  'cosignatures that are old count, and say how old': () => {
    const reading = new Reading();
    const issuedAtS = NOW_S - DAY_S - HOUR_S;
    const codes = { [reading.federation.issue(PEER, 1, { issuedAtS }).text]: 'undetermined ISSUER_SILENT_TOO_LONG KNOWLEDGE_STALE' };
    return reading.step(all('taken'), reading.partsWith({ atS: NOW_S - DAY_S - 1 }), { known: { DE: aged(3, DAY_S + 1) }, codes });
  },
  'a checkpoint key whose window does not hold the knowledge time': () => {
    const reading = new Reading();
    const region = reading.region(PEER);
    const key = region.key('late checkpoint');
    region.admit([{ key, role: 'checkpoint', from: NOW_S - (NOW_S % HOUR_S) + HOUR_S }]);
    const codes = { [reading.federation.issue(PEER, 1).text]: 'undetermined CHECKPOINT_KEY_UNFIT' };
    return reading.step(all('taken'), reading.parts(reading.part(PEER, { checkpointKey: key })), { known: { 'CN-33': { keyFit: false } }, codes });
  },
  'a checkpoint key that is fit signs what is held, too': () => {
    const reading = new Reading();
    const region = reading.region(PEER);
    const key = region.key('late checkpoint');
    region.admit([{ key, role: 'checkpoint', from: NOW_S - (NOW_S % HOUR_S) + HOUR_S }]);
    return reading
      .step(all('taken'), reading.parts(reading.part(PEER, { checkpointKey: key })), { known: { 'CN-33': { keyFit: false } } })
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER, { by: [] })], { known: { 'CN-33': { ...aged(3, 0), keyFit: true } } })
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER, { checkpointKey: key })], { known: { 'CN-33': { keyFit: true } } });
  },
  'a part that is left out is not read': () => {
    const reading = new Reading();
    const part = { ...reading.part(stranger()), checkpoint: Uint8Array.of(1) };
    return reading.step(all('taken', { PT: 'left-out' }), reading.parts(part));
  },
  'lines of strangers are nothing': () => {
    const reading = new Reading();
    const witnesses = [...FOUR.map((name) => reading.region(name)), stranger()];
    return reading.step(all('taken'), reading.parts(reading.part(HOME, { witnesses })), { known: { DE: aged(3, 0) } });
  },
  'newer cosignatures on what is held, one witness after the other': () => {
    const reading = new Reading();
    return reading
      .step(all('taken'), reading.partsWith({ atS: NOW_S - 1_000 }), { known: { 'CN-33': aged(3, 1_000) } })
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER, { by: ['FR'], atS: NOW_S - 30 })], { known: { 'CN-33': aged(3, 1_000) } })
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER, { by: ['IT'], atS: NOW_S - 90 })], { known: { 'CN-33': aged(3, 90, 1_000) } })
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER, { by: [PEER], atS: NOW_S - 20 })], { known: { 'CN-33': aged(3, 90, 20) } })
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER, { atS: NOW_S - 2_000 })], { known: { 'CN-33': aged(3, 90, 20) } })
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER, { by: [] })], { known: { 'CN-33': aged(3, 90, 20) } })
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER, { atS: NOW_S + 121 })], { known: { 'CN-33': aged(3, 90, 20) } })
      .step({}, [], { nowS: NOW_S + 1, known: { 'CN-33': aged(3, 91, 21) } });
  },
  'a witness key that is compromised': () => {
    const reading = new Reading();
    const robbed = reading.region('FR');
    robbed.add(robbed.compromise(robbed.keys.witness, {}));
    return reading
      .step(all('taken'), reading.parts(), { known: { DE: aged(2, 0), FR: aged(3, 0, null) } })
      .step(all('confirmed'), reading.partsWith({ by: ['FR'] }), { known: { DE: aged(2, 0) } });
  },
  'a witness key that is compromised by the same snapshot': () => {
    const reading = new Reading().step(all('taken'), new Reading().parts());
    const robbed = reading.region('FR');
    robbed.add(robbed.compromise(robbed.keys.witness, {}));
    reading.region(PEER).revoke([1]);
    return reading.step(all('confirmed', { FR: 'taken', 'CN-33': 'beside' }), reading.parts(reading.part(PEER, { by: [HOME, 'FR'] })), {
      known: { DE: aged(2, 0), 'CN-33': { ...aged(2, 0), beside: { '2026-11': [1] } } },
    });
  },
  'a witness key that only a part without its quorum names vouches for no other part': () => {
    const reading = new Reading().step(all('taken'), new Reading().parts());
    const fresh = freshWitness(reading, 'FR');
    reading.region(PEER).revoke([1]);
    const parts = [reading.part(PEER, { witnesses: [fresh, reading.region('IT')] }), reading.part('FR', { by: ['FR', 'IT'] })];
    return reading
      .step({ 'CN-33': 'beside', FR: 'beside' }, parts, { known: { 'CN-33': { ...aged(3, 0), size: 6 } } })
      .step({ 'CN-33': 'taken', FR: 'taken' }, [...parts.slice(0, 1), reading.part('FR')], { known: { 'CN-33': aged(2, 0) } });
  },
  'parts drop out one after the other': () => {
    const reading = new Reading().step(all('taken'), new Reading().parts());
    const [french, italian] = [freshWitness(reading, 'FR'), freshWitness(reading, 'IT')];
    reading.region(PEER).revoke([1]);
    const home = reading.region(HOME);
    return reading.step({ 'CN-33': 'beside', FR: 'beside', IT: 'beside' }, [
      reading.part(PEER, { witnesses: [home, italian] }),
      reading.part('FR', { witnesses: [home] }),
      reading.part('IT', { witnesses: [home, french] }),
    ]);
  },
  'a fork of a peer that does not name its witness key costs the home no vote': () => {
    const reading = new Reading();
    const fresh = freshWitness(reading, 'FR');
    reading.step(all('taken'), reading.parts());
    reading.region(HOME).revoke([1]);
    const twin = reading.twin('FR');
    twin.revoke([2]);
    const home = reading.part(HOME, { witnesses: [fresh, reading.region('IT')] });
    return reading.step({ DE: 'taken', FR: 'forked' }, [home, reading.part(twin, { by: [] })], { known: { DE: aged(2, 0), FR: { standing: 'forked' } } });
  },
  'a part without its quorum in which its witness key is compromised costs the home no vote': () => {
    const reading = new Reading().step(all('taken'), new Reading().parts());
    const robbed = reading.region('FR');
    robbed.add(robbed.compromise(robbed.keys.witness, {}));
    reading.region(HOME).revoke([1]);
    const home = reading.part(HOME, { by: ['FR', 'IT'] });
    return reading
      .step({ DE: 'taken', FR: 'beside' }, [home, reading.part('FR', { by: ['FR'] })], { known: { DE: aged(2, 0) } })
      .step({ FR: 'taken' }, [reading.part('FR')], { known: { DE: aged(1, null, 0) } });
  },
  'two regions, of which the peer has published what nobody has seen yet': () => {
    const reading = new Reading({ regions: [HOME, 'FR'] }).step({ DE: 'taken', FR: 'taken' }, new Reading({ regions: [HOME, 'FR'] }).parts());
    reading.region('FR').revoke([1]);
    const parts = reading.parts(reading.part('FR', { by: ['FR'] }));
    const codes = (one: string) => ({ [reading.federation.issue('FR', 1).text]: one, [reading.federation.issue('FR', 2).text]: 'pass', [reading.federation.issue(HOME, 1).text]: 'pass' });
    return reading
      .step({ DE: 'confirmed', FR: 'beside' }, parts, { known: { FR: { size: 4, beside: { '2026-11': [1] } } }, codes: codes('stop REVOKED') })
      .step({ DE: 'confirmed', FR: 'taken' }, reading.parts(), { known: { FR: { size: 5, beside: {} } }, codes: codes('stop REVOKED') });
  },
  'two regions, of which the peer has published what nobody has seen yet, and nothing held': () => {
    const reading = new Reading({ regions: [HOME, 'FR'] });
    reading.region('FR').revoke([1]);
    // The only witness of the home is a region of which nothing can be taken.
    return reading.step('SNAPSHOT_INCOMPLETE', reading.parts(reading.part('FR', { by: ['FR'] }))).step({ DE: 'taken', FR: 'taken' }, reading.parts());
  },
  'a stolen witness key, and a log far ahead that keeps silent about it': () => {
    const reading = new Reading({ regions: [HOME, 'FR', 'IT'] });
    const robbed = reading.region('FR');
    robbed.add(robbed.compromise(robbed.keys.witness, {}));
    const by = [HOME, 'IT'];
    reading.step({ DE: 'taken', FR: 'taken', IT: 'taken' }, reading.partsWith({ by }));
    const fork = reading.twin('IT');
    fork.revoke([66]);
    reading.step({ DE: 'confirmed', FR: 'beside', IT: 'beside' }, reading.parts(silentPart(robbed), reading.part(fork, { by: ['IT', 'FR'] })), {
      known: { IT: { standing: 'good', beside: { '2026-11': [66] } } },
    });
    reading.region('IT').revoke([1]);
    return reading.step({ DE: 'confirmed', FR: 'confirmed', IT: 'taken' }, reading.partsWith({ by }), { known: { IT: { standing: 'good', beside: {} } } });
  },
  'one witness key that two regions name is one witness': () => {
    const reading = new Reading();
    const witness = testKey('shared');
    const witnesses = ['FR', 'IT'].map((region) => ({ region, keys: { witness } }));
    for (const { region } of witnesses) reading.region(region).admit([{ key: witness, role: 'witness' }]);
    return reading.step(all('taken', { 'CN-33': 'left-out' }), reading.parts(reading.part(PEER, { witnesses })));
  },
};
