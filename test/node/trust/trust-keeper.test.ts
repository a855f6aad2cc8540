import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { type VerifySignature } from '../../../protocol/primitives.ts';
import { signCosignature } from '../../../protocol/log/cosignature.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { witnessName } from '../../../protocol/log/origin.ts';
import { type NoteSignature } from '../../../protocol/log/signature-line.ts';
import { COSIGNATURE, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { PENDING_MAX } from '../../../node/trust/held-state.ts';
import { WitnessKeys } from '../../../node/trust/witness-keys.ts';
import { cosignatureBy, keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import {
  DAY_S,
  RegionFixture,
  START_S,
  type TestKey,
  testKey,
  trustModules,
} from '../../support/region-fixture.ts';

function grownRegion(revocations = 6): RegionFixture {
  const region = new RegionFixture({ region: 'FR' });
  for (let i = 0; i < revocations; i++) region.revoke([i]);
  return region;
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return isProtocolError(error) ? error.fault.code : assert.fail(String(error));
  }
}

describe('TrustKeeper.vetting', () => {
  const textOf = (region: RegionFixture, size?: number) => parseNote(noteOf(region, size)).text;

  it('T1: objects to a tree with a state statement that leaves a revocation out, also in the next process, until the root voids it', async () => {
    const region = new RegionFixture({ region: 'FR' });
    const forged = region.stateStatement();
    region.revoke([1]);
    const cutOff = region.cutOff();
    const first = await keeperOf(region);
    await first.keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    assert.deepEqual(first.keeper.vetting(textOf(region)), { isFolded: true, objection: undefined });
    region.refusal(forged);
    region.commit();
    const from = cutOff.size;
    await first.keeper.apply({ from, entries: region.entries.slice(from), note: noteOf(region) });
    await first.store.stop();
    const { keeper } = await keeperOf(region, { on: first.on });
    for (const of of [first.keeper, keeper]) {
      const vetting = of.vetting(textOf(region));
      assert.ok(vetting.isFolded && vetting.objection?.fault.code === 'STATE_MISMATCH');
    }
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    const size = keeper.tree.size;
    await keeper.apply({ from: size, entries: region.entries.slice(size), note: noteOf(region) });
    assert.deepEqual(keeper.vetting(textOf(region)), { isFolded: true, objection: undefined });
  });

  it('says of a checkpoint that it does not hold that it has not folded it', async () => {
    const region = grownRegion();
    const { keeper } = await keeperOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    assert.deepEqual(keeper.vetting(textOf(region, 5)), { isFolded: false });
  });
});

describe('TrustKeeper.apply', () => {
  it('takes a whole log at first contact: its note is opened with the keys that it admits itself', async () => {
    const region = grownRegion();
    const { keeper } = await keeperOf(region);
    const kept = await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    assert.equal(kept.outcome, 'grown');
    assert.equal(keeper.latest?.state.size, region.entries.length);
    assert.equal(keeper.latest.state.revoked('2026-11')?.count, 6);
    assert.equal(keeper.published, keeper.latest);
  });

  it('asks for more while the key of the note is not known yet, and stores nothing', async () => {
    const region = grownRegion();
    const { keeper } = await keeperOf(region);
    const note = noteOf(region);
    for (const count of [1, 2, 8]) {
      const kept = await keeper.apply({ from: 0, entries: region.entries.slice(0, count), note });
      assert.deepEqual(kept, { outcome: 'more', size: 0 });
    }
    assert.equal((await keeper.apply({ from: 0, entries: region.entries, note })).outcome, 'grown');
  });

  it('T19 PIN_MISMATCH: a region of the same name with another root is refused at its first entry', async () => {
    const region = grownRegion();
    const impostor = new RegionFixture({ region: 'FR', rootKeys: 2 });
    impostor.revoke([1]);
    const { keeper } = await keeperOf(region);
    const note = noteOf(impostor);
    assert.equal(await faultOf(keeper.apply({ from: 0, entries: impostor.entries, note })), 'PIN_MISMATCH');
    assert.equal(
      await faultOf(keeper.apply({ from: 0, entries: impostor.entries.slice(0, 1), note })),
      'PIN_MISMATCH',
    );
    assert.equal(keeper.tree.size, 0);
  });

  it('refuses a changed, a missing, an extra and a swapped entry', async () => {
    const region = grownRegion();
    const { keeper } = await keeperOf(region);
    const { entries } = region;
    await keeper.apply({ from: 0, entries: entries.slice(0, 4), note: noteOf(region, 4) });
    const note = noteOf(region);
    const rest = entries.slice(4);
    const bad = [
      rest.map((entry, i) => (i === 1 ? entry.map((byte, at) => (at === 9 ? byte ^ 1 : byte)) : entry)),
      rest.slice(0, -1),
      [...rest, rest[0] as Uint8Array],
      [rest[1], rest[0], ...rest.slice(2)] as Uint8Array[],
    ];
    for (const forged of bad) {
      assert.match(await faultOf(keeper.apply({ from: 4, entries: forged, note })), /^(PROOF|SIZE)_INVALID$/);
      assert.equal(keeper.state.size, 4);
    }
    assert.equal((await keeper.apply({ from: 4, entries: rest, note })).outcome, 'grown');
  });

  it('B56: gaps are named, duplicates and overlaps are harmless', async () => {
    const region = grownRegion();
    const { keeper } = await keeperOf(region);
    const { entries } = region;
    await keeper.apply({ from: 0, entries: entries.slice(0, 4), note: noteOf(region, 4) });
    const note = noteOf(region);
    assert.deepEqual(await keeper.apply({ from: 6, entries: entries.slice(6), note }), {
      outcome: 'gap',
      size: 4,
    });
    assert.equal((await keeper.apply({ from: 2, entries: entries.slice(2), note })).outcome, 'grown');
    assert.equal((await keeper.apply({ from: 2, entries: entries.slice(2), note })).outcome, 'known');
  });

  it('B58, T4: another tree of a size that it has is kept as proof, also by the next process', async () => {
    const region = grownRegion();
    const other = grownRegion(5);
    other.revoke([77]);
    const told: ForkEvidence[] = [];
    const { keeper, store, on } = await keeperOf(region, {
      onFork: (_origin, evidence) => told.push(evidence),
    });
    await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    assert.equal(await keeper.heed(noteOf(other)), 'forked');
    assert.equal(await keeper.heed(noteOf(other)), 'forked');
    assert.equal(keeper.standingForks.length, 1);
    assert.equal(told.length, 1);
    await store.stop();
    const { keeper: next } = await keeperOf(region, { on });
    assert.equal(next.standingForks.length, 1);
    // Another one is told of it, and believes nothing but the proof.
    const { keeper: third } = await keeperOf(region);
    await third.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    await third.accuse(told[0] as ForkEvidence);
    assert.equal(third.standingForks.length, 1);
  });

  it('A27: no proof is made against a log that did not fork', async () => {
    const region = grownRegion();
    const { keeper } = await keeperOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    const side = { note: noteOf(region), root: region.rootAt(region.entries.length), path: [] };
    const forged = { note: noteOf(region, 9, region.key('thief')), root: region.rootAt(9), path: [] };
    const size = region.entries.length;
    assert.equal(await faultOf(keeper.accuse({ size, sides: [side, side] })), 'EVIDENCE_UNFOUNDED');
    assert.equal(await faultOf(keeper.accuse({ size, sides: [side, forged] })), 'NOTE_UNSIGNED');
    assert.deepEqual(keeper.forks, []);
  });

  it('a fork stands until the root disowns the key that signed it', async () => {
    const region = grownRegion();
    const other = grownRegion(5);
    other.revoke([77]);
    const { keeper } = await keeperOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    await keeper.heed(noteOf(other));
    const fresh = region.key('checkpoint 2');
    region.admit([{ key: fresh, role: 'checkpoint' }]);
    region.add(region.compromise(region.keys.checkpoint, {}));
    const from = keeper.tree.size;
    await keeper.apply({ from, entries: region.entries.slice(from), note: noteOf(region, undefined, fresh) });
    assert.deepEqual(keeper.standingForks, []);
    assert.equal(keeper.forks.length, 1);
    // Who comes later takes the proof all the same, and tells nobody of it.
    const told: string[] = [];
    const { keeper: late } = await keeperOf(region, { onFork: (origin) => told.push(origin) });
    await late.apply({ from: 0, entries: region.entries, note: noteOf(region, undefined, fresh) });
    await late.accuse(keeper.forks[0] as ForkEvidence);
    assert.deepEqual(late.standingForks, []);
    assert.equal(late.forks.length, 1);
    assert.deepEqual(told, []);
  });

  it('folds again where a compromise voids what a stolen key signed', async () => {
    const region = new RegionFixture({ region: 'FR' });
    const cutOff = region.cutOff();
    region.revoke([1, 2, 3]);
    const { keeper } = await keeperOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    assert.equal(keeper.state.revoked('2026-11')?.count, 3);
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    const from = keeper.tree.size;
    await keeper.apply({ from, entries: region.entries.slice(from), note: noteOf(region) });
    assert.equal(keeper.state.revoked('2026-11')?.count ?? 0, 0);
    assert.equal(keeper.state.size, region.entries.length);
  });

  it('folds again from the beginning where a compromise reaches back behind the base that it started from', async () => {
    const region = new RegionFixture({ region: 'FR' });
    const cutOff = region.cutOff();
    region.revoke([1, 2, 3]);
    region.commit();
    region.revoke([4]);
    const first = await keeperOf(region);
    await first.keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    await first.store.stop();
    const { keeper } = await keeperOf(region, { on: first.on });
    assert.equal(keeper.state.revoked('2026-11')?.count, 4);
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    const from = keeper.tree.size;
    await keeper.apply({ from, entries: region.entries.slice(from), note: noteOf(region) });
    assert.equal(keeper.state.revoked('2026-11')?.count ?? 0, 0);
    assert.equal(keeper.state.size, region.fold.size);
  });
});

describe('TrustKeeper.publish', () => {
  it('T15: what has its quorum late is published before a state that waits longer is forgotten', async () => {
    const region = grownRegion(0);
    const offered = async (): Promise<void> => {
      const from = keeper.tree.size;
      await keeper.apply({ from, entries: region.entries.slice(from), note: noteOf(region) });
    };
    let asked = 0;
    const onFull = (): void => {
      asked++;
      const [oldest] = keeper.pending;
      if (oldest !== undefined) keeper.publish(oldest);
    };
    const { keeper } = await keeperOf(region, { onFull });
    await offered();
    for (let i = 0; i < PENDING_MAX; i++) {
      region.revoke([i]);
      await offered();
    }
    assert.deepEqual([asked, keeper.pending.length], [0, PENDING_MAX]);
    const [oldest] = keeper.pending;
    region.revoke([PENDING_MAX]);
    await offered();
    assert.deepEqual([asked, keeper.pending.length], [1, PENDING_MAX]);
    assert.equal(keeper.published?.pool, oldest?.pool);
  });
});

describe('TrustKeeper.heed', () => {
  it('gathers the newest cosignature of each witness, and verifies none twice', async () => {
    const region = grownRegion();
    const witnesses = ['DE', 'IT'].map((name) => new RegionFixture({ region: name }));
    let verified = 0;
    const verifySignature: VerifySignature = (check) => {
      verified++;
      return trustModules.verifySignature(check);
    };
    const { keeper } = await keeperOf(region, { witnesses, verifySignature });
    const note = noteOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note });
    const { text, signatures } = parseNote(note);
    const [de, it] = witnesses as [RegionFixture, RegionFixture];
    const cosigned = (...lines: ReturnType<typeof cosignatureBy>[]) =>
      encodeNote({ text, signatures: [...signatures, ...lines] });
    const times = () =>
      keeper.latest?.pool.cosignatures
        .map(({ region: by, timestampS }) => `${by} ${timestampS - START_S}`)
        .sort();
    await keeper.heed(cosigned(cosignatureBy(de, text, START_S - 5)));
    await keeper.heed(cosigned(cosignatureBy(it, text, START_S - 9), cosignatureBy(de, text, START_S - 2)));
    verified = 0;
    await keeper.heed(cosigned(cosignatureBy(de, text, START_S - 5), cosignatureBy(it, text, START_S - 9)));
    assert.equal(verified, 0);
    assert.deepEqual(times(), ['DE -2', 'IT -9']);
    const other = (await keeperOf(region, { witnesses })).keeper;
    await other.apply({ from: 0, entries: region.entries, note });
    await other.heed(cosigned(cosignatureBy(it, text, START_S - 9), cosignatureBy(de, text, START_S - 2)));
    assert.deepEqual(other.note, keeper.note);
    // A time that no honest clock has, a stranger, and a forged line.
    await keeper.heed(cosigned(cosignatureBy(de, text, START_S + DAY_S)));
    await keeper.heed(cosigned(cosignatureBy(new RegionFixture({ region: 'ES' }), text)));
    const line = cosignatureBy(de, text, START_S);
    const bytes = line.bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte));
    assert.equal(await keeper.heed(cosigned({ ...line, bytes })), 'known');
    assert.deepEqual(times(), ['DE -2', 'IT -9']);
    // The note that it passes on has both, and is whole.
    assert.equal(parseNote(keeper.note as Uint8Array).signatures.length, 3);
  });

  it('A22: a cosignature of another log or another tree does not count', async () => {
    const region = grownRegion();
    const witness = new RegionFixture({ region: 'DE' });
    const { keeper } = await keeperOf(region, { witnesses: [witness] });
    const note = noteOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note });
    const { text, signatures } = parseNote(note);
    const stolen = cosignatureBy(witness, parseNote(noteOf(region, 4)).text);
    assert.equal(await keeper.heed(encodeNote({ text, signatures: [...signatures, stolen] })), 'known');
    assert.equal(await faultOf(keeper.heed(noteOf(witness))), 'ORIGIN_INVALID');
    assert.deepEqual(keeper.latest?.pool.cosignatures, []);
  });

  it('A16 A27: of two witness keys with one key id, of which one is given up, the lines by that one are left out and those by the other count', async () => {
    const region = grownRegion();
    const witness = new RegionFixture({ region: 'IT' });
    const twins = [testKey('twin 12777'), testKey('twin 47304')] as const;
    witness.admit(twins.map((key) => ({ key, role: 'witness' })));
    const before = new WitnessKeys([witness.state], sha256);
    witness.add(witness.compromise(twins[0], {}));
    const after = new WitnessKeys([witness.state], sha256);
    let keys = before;
    const { keeper } = await keeperOf(region, { witnessKeys: () => keys });
    const note = noteOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note });
    const { text, signatures } = parseNote(note);
    const name = witnessName(witness.region, witness.network);
    const lineBy = ({ publicKey, sign }: TestKey, atS: number) => {
      return signCosignature(
        makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey }),
        text,
        atS,
        sign,
      );
    };
    const [old, other] = [lineBy(twins[0], START_S), lineBy(twins[1], START_S + 1)] as const;
    assert.equal(old.keyId, other.keyId);
    const heed = (line: NoteSignature) =>
      keeper.heed(encodeNote({ text, signatures: [...signatures, line] }));
    const counting = () => keeper.latest?.pool.cosignatures.map(({ keyId }) => keyId);
    await heed(old);
    assert.deepEqual(counting(), [twins[0].keyId]);
    keys = after;
    // Whoever has not heard of it passes it on in good faith.
    assert.equal(await heed(old), 'known');
    assert.deepEqual(counting(), []);
    assert.deepEqual(keeper.note, note);
    await heed(other);
    assert.deepEqual(counting(), [twins[1].keyId]);
    await heed(lineBy(twins[0], START_S + 2));
    assert.deepEqual(counting(), [twins[1].keyId]);
  });

  it('A16: a note with a bad line by a key of the log is strange: another key may have that key id', async () => {
    const region = grownRegion();
    const { keeper } = await keeperOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    const { text, signatures } = parseNote(noteOf(region, 5));
    const bad = signatures.map((line) => ({ ...line, bytes: line.bytes.map((byte) => byte ^ 1) }));
    assert.equal(await keeper.heed(encodeNote({ text, signatures: bad })), 'strange');
  });

  it('B59: a smaller note is known, a larger one is behind, and neither changes anything', async () => {
    const region = grownRegion();
    const { keeper } = await keeperOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    const { latest } = keeper;
    assert.equal(await keeper.heed(noteOf(region, 5)), 'known');
    region.revoke([99]);
    assert.equal(await keeper.heed(noteOf(region)), 'behind');
    assert.equal(keeper.latest, latest);
  });
});
