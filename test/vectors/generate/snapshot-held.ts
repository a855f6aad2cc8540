/** What a reader of snapshots makes of a part beside what it held: deltas, rollbacks, forks, gaps and voidings. */
import assert from 'node:assert/strict';
import { REVOCATION_BLOCKS_MAX } from '../../../protocol/limits.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { DAY_S, LOG_ID, RegionFixture } from '../../support/region-fixture.ts';
import { HOME, NETWORK, NOW_S } from '../../support/snapshot-fixture.ts';
import { all, Reading } from './snapshot-reading.ts';

export const PEER = 'CN-33';
/** Entries of each log at first. */
export const FIRST = 6;

/** All regions are held as they are at first, and one of them then revokes indexes. */
export function holding(name: string, ...indexes: readonly number[]): { reading: Reading; region: RegionFixture } {
  const reading = new Reading().step(all('taken'), new Reading().parts());
  const region = reading.region(name);
  for (const index of indexes) region.revoke([index]);
  return { reading, region };
}

/** A reader that holds the peer's log with index 1 revoked, and a log of the peer in which others are. */
export function forked(...indexes: readonly number[]): { reading: Reading; twin: RegionFixture } {
  const { reading } = holding(PEER, 1);
  reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)]);
  const twin = reading.twin(PEER);
  for (const index of indexes) twin.revoke([index]);
  return { reading, twin };
}

export function sides(reading: Reading, reason: string): Record<string, string> {
  const code = (index: number) => reading.federation.issue(PEER, index).text;
  return { [code(1)]: `stop ${reason} REVOKED`, [code(2)]: `stop ${reason} REVOKED`, [code(5)]: `undetermined ${reason}` };
}

export const HELD_READINGS: Readonly<Record<string, () => Reading>> = {
  'a delta, and another': () => {
    const { reading, region } = holding(PEER, 1, 2);
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: FIRST })], { known: { 'CN-33': { size: 8 } } });
    region.revoke([3]);
    region.nowS += 60;
    region.commit();
    return reading
      .step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: 8 })], { known: { 'CN-33': { size: 10 } } })
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER)]);
  },
  'a delta without entries': () => {
    const { reading } = holding(PEER);
    return reading.step({ 'CN-33': 'confirmed' }, [reading.part(PEER, { delta: FIRST, atS: NOW_S + 10 })], {
      nowS: NOW_S + 60,
      known: { 'CN-33': { age: 50 }, DE: { age: 60 } },
    });
  },
  'later checkpoints for which the region itself does not vouch': () => {
    const { reading, region } = holding(PEER, 1);
    const by = [HOME, 'FR', 'IT'];
    const known = (age: number, silence: number) => ({ 'CN-33': { age, silence } });
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { by, atS: NOW_S + 100 })], { nowS: NOW_S + 110, known: known(10, 110) });
    region.revoke([2]);
    return reading
      .step({ 'CN-33': 'taken' }, [reading.part(PEER, { by, atS: NOW_S + 200 })], { nowS: NOW_S + 200, known: known(0, 200) })
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER, { by: [PEER], atS: NOW_S + 250 })], { nowS: NOW_S + 300, known: known(100, 50) });
  },
  'what a region said with a witness key that is stolen since does not tell when it was heard of': () => {
    const { reading, region } = holding(PEER);
    region.add(region.compromise(region.keys.witness, {}));
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { by: [HOME, 'FR', 'IT'] })], { known: { 'CN-33': { age: 0, silence: null } } });
  },
  'a delta of which nobody holds the beginning': () => {
    const reading = new Reading();
    return reading
      .step('SNAPSHOT_INCOMPLETE', reading.parts(reading.part(HOME, { delta: 3 })))
      .step(all('taken', { 'CN-33': 'SNAPSHOT_INCOMPLETE' }), reading.parts(reading.part(PEER, { delta: 3 })));
  },
  'a delta from within what is held, and again': () => {
    const { reading, region } = holding(PEER, 1);
    const late = () => reading.part(PEER, { delta: FIRST - 1 });
    reading.step({ 'CN-33': 'taken' }, [late()], { known: { 'CN-33': { size: FIRST + 1 } } });
    reading.step({ 'CN-33': 'confirmed' }, [late()], { known: { 'CN-33': { size: FIRST + 1 } } });
    const old = late();
    region.revoke([2]);
    return reading
      .step({ 'CN-33': 'taken' }, [late()], { known: { 'CN-33': { size: FIRST + 2 } } })
      .step({ 'CN-33': 'ROLLBACK' }, [old], { known: { 'CN-33': { size: FIRST + 2 } } });
  },
  'a delta from the first entry that is held': () => {
    const { reading } = holding(PEER, 1);
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: 0 })], { known: { 'CN-33': { size: FIRST + 1 } } });
  },
  'a delta from before the entries that are held': () => {
    const reading = new Reading();
    const region = reading.region(PEER);
    region.nowS += 60;
    region.commit();
    const index = region.entries.length - 1;
    reading.step(all('taken'), reading.parts(reading.part(PEER, { based: true })));
    region.revoke([1]);
    return reading
      .step({ 'CN-33': 'SNAPSHOT_INCOMPLETE' }, [reading.part(PEER, { delta: index - 1 })], { known: { 'CN-33': { size: index + 1 } } })
      .step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: index })], { known: { 'CN-33': { size: index + 2 } } });
  },
  'a delta from within what is held, with another entry there': () => {
    const { reading } = holding(PEER, 1);
    const part = reading.part(PEER, { delta: FIRST - 1 });
    const [first, ...rest] = part.entries;
    assert(first);
    const other = first.with(-1, (first.at(-1) ?? 0) ^ 1);
    return reading.step({ 'CN-33': 'PROOF_INVALID' }, [{ ...part, entries: [other, ...rest] }], { known: { 'CN-33': { size: FIRST } } });
  },
  'a delta from behind what is held': () => {
    const { reading } = holding(PEER, 1, 2);
    return reading.step({ 'CN-33': 'SNAPSHOT_INCOMPLETE' }, [reading.part(PEER, { delta: FIRST + 1 })], { known: { 'CN-33': { size: FIRST } } });
  },
  'a delta of the home from behind what is held': () => {
    const { reading } = holding(HOME, 1, 2);
    return reading.step('SNAPSHOT_INCOMPLETE', [reading.part(HOME, { delta: FIRST + 1 })], { known: { DE: { size: FIRST } } });
  },
  'a delta of another log': () => {
    const { reading, twin } = forked(2, 3);
    return reading.step({ 'CN-33': 'PROOF_INVALID' }, [reading.part(twin, { delta: FIRST + 1 })], { known: { 'CN-33': { standing: 'good', beside: {} } } });
  },
  'a delta of another log, from where both were one': () => {
    const { reading, twin } = forked(2, 3);
    return reading.step({ 'CN-33': 'forked' }, [reading.part(twin, { delta: FIRST })], {
      known: { 'CN-33': { size: FIRST + 1, standing: 'quarantined', beside: { [LOG_ID]: [2, 3] } } },
      codes: sides(reading, 'QUARANTINED'),
    });
  },
  'an entry that breaks a rule is no fault': () => {
    const { reading, region } = holding(PEER);
    region.offer(Uint8Array.of(1));
    region.refusal(region.revocation([9]), [region.keys.attest]);
    region.revoke([1]);
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: FIRST })], { known: { 'CN-33': { size: 9 } } });
  },
  'a full part from a state entry within what is held': () => {
    const { reading, region } = holding(PEER, 1);
    region.commit();
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)]);
    region.revoke([2]);
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { based: true })], { known: { 'CN-33': { size: 9 } } });
  },

  'a rollback of a peer': () => {
    const { reading } = holding(PEER, 5);
    const old = new Reading().parts();
    const codes = { [reading.federation.issue(PEER, 5).text]: 'stop REVOKED' };
    return reading
      .step({ 'CN-33': 'taken' }, [reading.part(PEER)])
      .step(all('confirmed', { 'CN-33': 'ROLLBACK' }), old, { known: { 'CN-33': { size: FIRST + 1 } }, codes });
  },
  'a rollback of the home': () => {
    const { reading, region } = holding(HOME);
    region.add({ kind: 'withdrawal', region: PEER, version: 2 });
    return reading.step(all('confirmed', { DE: 'taken', 'CN-33': 'left-out' }), reading.parts()).step('ROLLBACK', new Reading().parts());
  },
  'a shorter log that is another': () => {
    const { reading, region } = holding(PEER, 1, 2);
    reading.step({ 'CN-33': 'taken' }, [reading.part(region)]);
    const twin = reading.twin(PEER);
    twin.revoke([3]);
    return reading.step({ 'CN-33': 'ROLLBACK' }, [reading.part(twin)], { known: { 'CN-33': { standing: 'good', beside: {} } } });
  },

  'a rollback that nobody signed': () => {
    const { reading, region } = holding(PEER, 5);
    const old = new Reading().part(PEER, { checkpointKey: region.keys.attest });
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)]).step({ 'CN-33': 'ROLLBACK' }, [old]);
  },
  'a fork that nobody signed': () => {
    const { reading, twin } = forked(2);
    const unsigned = reading.part(twin, { checkpointKey: twin.keys.attest });
    return reading.step({ 'CN-33': 'NOTE_UNSIGNED' }, [unsigned], { known: { 'CN-33': { standing: 'good', beside: {} } } });
  },

  'a fork of the same size with its quorum': () => {
    const { reading, twin } = forked(2);
    return reading.step(all('confirmed', { 'CN-33': 'forked' }), reading.parts(reading.part(twin)), {
      known: { 'CN-33': { standing: 'quarantined', size: FIRST + 1, beside: { [LOG_ID]: [2] } }, FR: { standing: 'good' } },
      codes: sides(reading, 'QUARANTINED'),
    });
  },
  'a longer fork with its quorum': () => {
    const { reading, twin } = forked(2, 3, 4);
    return reading.step({ 'CN-33': 'forked' }, [reading.part(twin)], {
      known: { 'CN-33': { standing: 'quarantined', beside: { [LOG_ID]: [2, 3, 4] } } },
      codes: sides(reading, 'QUARANTINED'),
    });
  },
  'a fork of the same size without its quorum': () => {
    const { reading, twin } = forked(2);
    return reading.step({ 'CN-33': 'forked' }, [reading.part(twin, { by: [PEER, 'FR'] })], {
      known: { 'CN-33': { standing: 'forked', beside: { [LOG_ID]: [2] } } },
      codes: sides(reading, 'FORKED'),
    });
  },
  'a longer fork without its quorum': () => {
    const { reading, twin } = forked(2, 3);
    return reading.step({ 'CN-33': 'forked' }, [reading.part(twin, { by: [] })], { known: { 'CN-33': { standing: 'forked', beside: { [LOG_ID]: [2, 3] } } } });
  },
  'a fork of the home': () => {
    const { reading } = holding(HOME, 1);
    const twin = reading.twin(HOME);
    twin.revoke([2]);
    return reading.step({ DE: 'taken' }, [reading.part(HOME)]).step('FORK', [reading.part(twin)], { known: { DE: { standing: 'good' } } });
  },
  'a fork by a key that what is held names as compromised marks nobody': () => {
    const { reading, region } = holding(PEER, 1);
    const fresh = region.key('fresh checkpoint');
    region.admit([{ key: fresh, role: 'checkpoint' }]);
    region.add(region.compromise(region.keys.checkpoint, {}));
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { checkpointKey: fresh })]);
    const twin = reading.twin(PEER);
    for (const index of [2, 3, 4]) twin.revoke([index]);
    return reading.step({ 'CN-33': 'FORK' }, [reading.part(twin)], { known: { 'CN-33': { standing: 'good', beside: {} } } });
  },
  'a fork whose state names the key of what is held as compromised marks nobody': () => {
    const { reading, twin } = forked(2);
    const fresh = twin.key('fresh checkpoint');
    twin.admit([{ key: fresh, role: 'checkpoint' }]);
    twin.add(twin.compromise(twin.keys.checkpoint, {}));
    return reading.step({ 'CN-33': 'FORK' }, [reading.part(twin, { checkpointKey: fresh })], { known: { 'CN-33': { standing: 'good', beside: {} } } });
  },

  'a mark stays, whatever is taken or offered later': () => {
    const { reading, twin } = forked(2);
    const region = reading.region(PEER);
    const marked = (standing: 'forked' | 'quarantined', ...beside: number[]) => ({ known: { 'CN-33': { standing, beside: { [LOG_ID]: beside } } } });
    reading
      .step({ 'CN-33': 'forked' }, [reading.part(twin, { by: [] })], marked('forked', 2))
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER)], marked('forked', 2))
      .step({ DE: 'confirmed' }, [reading.part(HOME)], marked('forked', 2));
    region.revoke([3]);
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)], { ...marked('forked', 2), codes: sides(reading, 'FORKED') });
    twin.revoke([4]);
    reading.step({ 'CN-33': 'forked' }, [reading.part(twin)], marked('quarantined', 2, 4));
    twin.revoke([6]);
    return reading.step({ 'CN-33': 'forked' }, [reading.part(twin, { by: [] })], { ...marked('quarantined', 2, 4, 6), codes: sides(reading, 'QUARANTINED') });
  },
  'a mark ends with the root': () => {
    const { reading, twin } = forked(2);
    reading.step({ 'CN-33': 'forked' }, [reading.part(twin)], { known: { 'CN-33': { standing: 'quarantined' } } });
    const anew = new RegionFixture({ region: PEER, network: NETWORK, rootKeys: 2 });
    for (let index = 0; index < FIRST; index++) anew.revoke([index]);
    reading.region(HOME).recognise(anew, 2);
    return reading
      .step({ DE: 'taken', 'CN-33': 'SNAPSHOT_INCOMPLETE' }, [reading.part(anew, { delta: FIRST + 1 }), reading.part(HOME)], { known: { 'CN-33': undefined } })
      .step({ 'CN-33': 'taken' }, [reading.part(anew)], { known: { 'CN-33': { size: FIRST + 3, standing: 'good', beside: {} } } });
  },

  'what is revoked beside outlives a shorter log that is taken': () => {
    const { reading, region } = holding(PEER, 1);
    const shorter = reading.part(PEER);
    const beside = (...indexes: number[]) => ({ known: { 'CN-33': { standing: 'good', beside: indexes.length > 0 ? { [LOG_ID]: indexes } : {} } } }) as const;
    const code = (verdict: string) => ({ codes: { [reading.federation.issue(PEER, 2).text]: verdict } });
    region.revoke([2]);
    reading.step({ 'CN-33': 'beside' }, [reading.part(PEER, { by: [HOME] })], { ...beside(1, 2), ...code('stop REVOKED') });
    reading.step({ 'CN-33': 'taken' }, [shorter], { ...beside(1, 2), ...code('stop REVOKED') });
    region.revoke([3]);
    reading.step({ 'CN-33': 'beside' }, [reading.part(PEER, { by: [] })], beside(1, 2, 3));
    const middle = reading.part(PEER);
    region.revoke([4]);
    reading.step({ 'CN-33': 'beside' }, [reading.part(PEER, { by: [] })], beside(1, 2, 3, 4));
    reading.step({ 'CN-33': 'taken' }, [middle], { ...beside(1, 2, 3, 4), ...code('stop REVOKED') });
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)], { ...beside(), ...code('stop REVOKED') });
  },
  'what is revoked beside nothing counts beside the first log that is taken': () => {
    const reading = new Reading();
    const region = reading.region(PEER);
    const code = reading.federation.issue(PEER, 2).text;
    region.revoke([1]);
    const [shortest, shorter] = [new Reading().part(PEER), reading.part(PEER)];
    region.revoke([2]);
    const by = [PEER, HOME];
    return reading
      .step(all('taken', { 'CN-33': 'left-out' }), reading.parts(reading.part(PEER, { by: [PEER] })), {
        known: { 'CN-33': undefined },
        codes: { [code]: 'undetermined TRUST_MISSING' },
      })
      .step({ 'CN-33': 'left-out' }, [{ ...shortest, checkpoint: new Reading().part(PEER, { by }).checkpoint }])
      .step({ 'CN-33': 'NOTE_UNSIGNED' }, [reading.part(PEER, { checkpointKey: region.keys.attest })])
      .step({ DE: 'confirmed' }, [reading.part(HOME)])
      .step({ 'CN-33': 'taken' }, [shortest], { known: { 'CN-33': { beside: { [LOG_ID]: [1, 2] } } }, codes: { [code]: 'stop REVOKED' } })
      .step({ 'CN-33': 'taken' }, [shorter], { known: { 'CN-33': { beside: { [LOG_ID]: [1, 2] } } }, codes: { [code]: 'stop REVOKED' } })
      .step({ 'CN-33': 'taken' }, [reading.part(PEER)], { known: { 'CN-33': { beside: {} } }, codes: { [code]: 'stop REVOKED' } });
  },
  'a base that keeps silent about a revocation that is held': () => {
    const { reading, region } = holding(PEER, 1);
    const code = reading.federation.issue(PEER, 1).text;
    const held = { known: { 'CN-33': { size: FIRST + 1 } }, codes: { [code]: 'stop REVOKED' } };
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)], held);
    const silent = new Reading().region(PEER);
    const base = { frontier: region.fold.frontier, items: silent.fold.commitmentAt(region.nowS).items };
    const { items, root } = silent.fold.commitmentAt(region.nowS);
    assert.equal(region.refusal({ kind: 'state', format: 1, items: items.length, root }), 'STATE_MISMATCH');
    const forged = () => ({ ...reading.part(PEER), from: FIRST + 1, entries: region.entries.slice(FIRST + 1), base });
    reading
      .step({ 'CN-33': 'STATE_MISMATCH' }, [forged()], held)
      .step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: FIRST + 1 })], { known: { 'CN-33': { size: FIRST + 2 } }, codes: { [code]: 'stop REVOKED' } })
      .step({ 'CN-33': 'STATE_MISMATCH' }, [forged()], { codes: { [code]: 'stop REVOKED' } });
    region.revoke([2]);
    return reading
      .step({ 'CN-33': 'STATE_MISMATCH' }, [forged()], { known: { 'CN-33': { size: FIRST + 2 } }, codes: { [code]: 'stop REVOKED' } })
      .step({ 'CN-33': 'taken' }, [reading.part(PEER)], { known: { 'CN-33': { size: FIRST + 3 } }, codes: { [code]: 'stop REVOKED' } });
  },
  'a full part from a state entry right behind what is held': () => {
    const { reading, region } = holding(PEER, 1);
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)]);
    region.commit();
    region.revoke([2]);
    const code = reading.federation.issue(PEER, 1).text;
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { based: true })], { known: { 'CN-33': { size: FIRST + 3 } }, codes: { [code]: 'stop REVOKED' } });
  },
  'what is revoked beside nothing ends with the root': () => {
    const reading = new Reading();
    reading.region(PEER).revoke([2]);
    reading.step(all('taken', { 'CN-33': 'left-out' }), reading.parts(reading.part(PEER, { by: [PEER] })));
    const anew = new RegionFixture({ region: PEER, network: NETWORK, rootKeys: 2 });
    reading.region(HOME).recognise(anew, 2);
    return reading.step({ DE: 'taken', 'CN-33': 'taken' }, [reading.part(anew), reading.part(HOME)], { known: { 'CN-33': { size: 3, beside: {} } } });
  },
  'a bad line of a witness whose key is not known yet stays what it was once the key is': () => {
    const reading = new Reading();
    const { checkpoint, ...rest } = reading.part(PEER);
    const { text, signatures } = parseNote(checkpoint);
    const spoilt = signatures.map((line) => {
      const bytes = line.bytes.map((byte, i) => (i === line.bytes.length - 1 ? byte ^ 1 : byte));
      return line.name.startsWith('IT.') ? { ...line, bytes } : line;
    });
    const part = { ...rest, checkpoint: encodeNote({ text, signatures: spoilt }) };
    const others = [reading.part(HOME), reading.part('FR')];
    return reading
      .step({ DE: 'taken', FR: 'taken', 'CN-33': 'taken' }, [part, ...others], { known: { 'CN-33': { witnesses: [2, 2, 3] }, IT: undefined } })
      .step({ IT: 'taken' }, [reading.part('IT')], { known: { 'CN-33': { witnesses: [2, 2, 3] } } })
      .step({ 'CN-33': 'SIGNATURE_INVALID' }, [part])
      .step({ 'CN-33': 'confirmed' }, [reading.part(PEER)], { known: { 'CN-33': { witnesses: [3, 2, 3] } } });
  },
  'what is revoked beside ends with a log of the same size that is taken': () => {
    const { reading } = holding(PEER);
    const twin = reading.twin(PEER);
    const code = reading.federation.issue(PEER, 2).text;
    twin.revoke([2]);
    reading.region(PEER).revoke([1]);
    return reading
      .step({ 'CN-33': 'beside' }, [reading.part(twin, { by: [] })], { codes: { [code]: 'stop REVOKED' } })
      .step({ 'CN-33': 'taken' }, [reading.part(PEER)], { known: { 'CN-33': { beside: {} } }, codes: { [code]: 'pass' } });
  },
  'as many blocks of revocations as trust-log may fill, and one more by the root': () => {
    const { reading, region } = holding(PEER);
    const BLOCK = 2 ** 16;
    const BLOCKS_MAX = REVOCATION_BLOCKS_MAX['trust-log'];
    region.revoke(Array.from({ length: BLOCKS_MAX }, (_, block) => BLOCK * block));
    assert.equal(region.refusal(region.revocation([BLOCK * BLOCKS_MAX])), 'STATEMENT_CONFLICT');
    region.revoke([BLOCK + 1]);
    region.add(region.revocation([BLOCK * BLOCKS_MAX + 1]), 'root');
    const code = (index: number, verdict: string) => [reading.federation.issue(PEER, index).text, verdict] as const;
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: FIRST })], {
      known: { 'CN-33': { size: FIRST + 4 } },
      codes: Object.fromEntries([
        code(0, 'stop REVOKED'),
        code(BLOCK + 1, 'stop REVOKED'),
        code(BLOCK * BLOCKS_MAX, 'pass'),
        code(BLOCK * BLOCKS_MAX + 1, 'stop REVOKED'),
      ]),
    });
  },
  'a full part from a state entry behind the compromise': () => {
    const { reading, region } = holding(PEER, 1);
    region.commit();
    const key = region.key('fresh trust-log');
    region.admit([{ key, role: 'trust-log' }]);
    region.add(region.compromise(region.keys['trust-log'], { trust: { size: FIRST, root: region.rootAt(FIRST) } }));
    region.add(region.stateStatement(), [key]);
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { based: true })], {
      known: { 'CN-33': { size: FIRST + 5, beside: {} } },
      codes: { [reading.federation.issue(PEER, 1).text]: 'pass' },
    });
  },
  'a compromise voids what the key signed since index 0': () => {
    const { reading, region } = holding(PEER, 1);
    const cutOff = { size: FIRST, root: region.rootAt(FIRST) };
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: FIRST })], { codes: { [reading.federation.issue(PEER, 1).text]: 'stop REVOKED' } });
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: FIRST + 1 })], { codes: { [reading.federation.issue(PEER, 1).text]: 'pass' } });
  },
  'a compromise reaches back before what is held': () => {
    const { reading, region } = holding(PEER, 1);
    const cutOff = { size: FIRST, root: region.rootAt(FIRST) };
    region.commit();
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { based: true })]);
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    const code = reading.federation.issue(PEER, 1).text;
    return reading
      .step({ 'CN-33': 'HISTORY_NEEDED' }, [reading.part(PEER, { delta: 8 })], { known: { 'CN-33': { size: 8 } }, codes: { [code]: 'stop REVOKED' } })
      .step({ 'CN-33': 'taken' }, [reading.part(PEER)], { known: { 'CN-33': { size: 9 } }, codes: { [code]: 'pass' } });
  },
  'a state 120 s ahead, one 121 s ahead, and a second later': () => {
    const { reading, region } = holding(PEER);
    region.nowS = NOW_S + 120;
    region.revoke([5]);
    reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)]);
    region.nowS += 1;
    region.revoke([6]);
    return reading
      .step({ 'CN-33': 'STATE_AHEAD' }, [reading.part(PEER)], { known: { 'CN-33': { size: FIRST + 1, beside: {} } } })
      .step({ 'CN-33': 'taken' }, [reading.part(PEER)], { nowS: NOW_S + 1 });
  },
  'a compromise voids what was ahead': () => {
    const { reading, region } = holding(PEER);
    const cutOff = region.cutOff();
    region.nowS = NOW_S + DAY_S;
    region.revoke([5]);
    reading.step({ 'CN-33': 'STATE_AHEAD' }, [reading.part(PEER)]);
    region.nowS = NOW_S;
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER)], { known: { 'CN-33': { size: FIRST + 2 } } });
  },
  'a code by a key that is compromised': () => {
    const { reading, region } = holding(PEER);
    const genuine = reading.federation.issue(PEER, 0).text;
    const forged = reading.federation.issue(PEER, 1).text;
    region.add(region.compromise(region.keys.attest, { [LOG_ID]: { size: 1, root: new Uint8Array(32) } }));
    return reading.step({ 'CN-33': 'taken' }, [reading.part(PEER, { delta: FIRST })], {
      codes: { [genuine]: 'undetermined PROOF_NEEDED', [forged]: 'stop BEYOND_CUT_OFF' },
    });
  },
};
