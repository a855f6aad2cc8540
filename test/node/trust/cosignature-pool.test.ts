import assert from 'node:assert/strict';
import { CosignaturePool } from '../../../node/trust/cosignature-pool.ts';
import { WitnessKeys } from '../../../node/trust/witness-keys.ts';
import { compareBytes } from '../../../protocol/bytes.ts';
import { LOG_LINES_MAX, NOTE_SIGNATURES_MAX, WITNESS_LINES_MAX } from '../../../protocol/limits.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../../protocol/log/cosignature.ts';
import { encodeNote, parseNote, signNote } from '../../../protocol/log/note.ts';
import { witnessName } from '../../../protocol/log/origin.ts';
import { neededCosignatures, witnessRank } from '../../../protocol/log/quorum.ts';
import { type NoteSignature } from '../../../protocol/log/signature-line.ts';
import { COSIGNATURE, ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { cosignatureBy, keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { OUTSIDE_POLICY, outsideLine, witnessPolicyOf } from '../../support/outside-witness.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, RegionFixture, START_S, type TestKey, trustModules } from '../../support/region-fixture.ts';

/** The log is one of `region`; `liar` has the most keys that one statement names. */
const region = new RegionFixture({ region: 'FR' });
const honest = ['IT', 'ES', 'PT'].map((of) => new RegionFixture({ region: of }));
const liar = new RegionFixture({ region: 'AT' });
const MANY = 127;

function admitted(of: RegionFixture, count: number, from = START_S - DAY_S): TestKey[] {
  const keys = Array.from({ length: count }, (_, i) => of.key(`witness ${from} ${i}`));
  of.admit(keys.map((key) => ({ key, role: 'witness', from, until: from + 2 * DAY_S })));
  return keys;
}
const keys = admitted(liar, MANY);
const keysAhead = admitted(liar, MANY, START_S + DAY_S);

const { text, signatures: own } = parseNote(noteOf(region));

function lineBy(of: RegionFixture, { publicKey, sign }: TestKey, atS: number): NoteSignature {
  const name = witnessName(of.region, of.network);
  return signCosignature(
    makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey }),
    text,
    atS,
    sign,
  );
}

describe('CosignaturePool', () => {
  const poolOf = () => new CosignaturePool({ text }, trustModules);
  const regionsIn = (pool: CosignaturePool) => pool.cosignatures.map((one) => one.region).sort();

  it('A13 A28: a region that signs a checkpoint with many keys first keeps nobody else out, and the quorum is reached', async () => {
    const home = honest[2] ?? assert.fail();
    const { keeper } = await keeperOf(region, { witnesses: [...honest, liar] });
    const flood = keys.map((key) => lineBy(liar, key, START_S));
    await keeper.apply({
      from: 0,
      entries: region.entries,
      note: encodeNote({ text, signatures: [...own, ...flood] }),
    });
    for (const witness of honest.slice(0, 2))
      await keeper.heed(encodeNote({ text, signatures: [...own, cosignatureBy(witness, text)] }));
    keeper.vouch(text, cosignatureBy(home, text));
    const pool = keeper.latest?.pool ?? assert.fail();
    assert.deepEqual(regionsIn(pool), ['AT', 'AT', 'ES', 'IT', 'PT']);
    assert.ok(new Set(regionsIn(pool)).size >= neededCosignatures(4));
    assert.equal(parseNote(pool.note()).signatures.length, 6, 'and so it is passed on');
  });

  it('A13: of one region the newest lines stay, in whatever order they come', () => {
    const known = new WitnessKeys([liar.state], sha256);
    const lines = keys.slice(0, 9).map((key, i) => lineBy(liar, key, START_S + ((i * 4) % 9)));
    const inOneNote = poolOf();
    assert.equal(inOneNote.take(lines, known, START_S), WITNESS_LINES_MAX, 'no more are verified');
    const oneByOne = poolOf();
    for (const line of lines) oneByOne.take([line], known, START_S);
    for (const pool of [inOneNote, oneByOne])
      assert.deepEqual(pool.cosignatures.map(({ timestampS }) => timestampS - START_S).sort(), [7, 8]);
  });

  it('a line by a key that was not in force then, which never counts, has no place', () => {
    const pool = poolOf();
    const known = new WitnessKeys([liar.state], sha256);
    const bounds = [START_S + DAY_S - 1, START_S + DAY_S, START_S + 3 * DAY_S - 1, START_S + 3 * DAY_S];
    for (const atS of bounds)
      pool.take([lineBy(liar, keysAhead[0] ?? assert.fail(), atS)], known, START_S + 9 * DAY_S);
    assert.deepEqual(
      pool.cosignatures.map(({ timestampS }) => timestampS),
      [bounds[2]],
    );
  });

  it('where all places are taken each region has one, before that the first among the witnesses of the log, the log’s own and ours', () => {
    const room = NOTE_SIGNATURES_MAX - LOG_LINES_MAX;
    const modules = { ...trustModules, admitPublicKey: () => undefined, verifySignature: () => true };
    const many = Array.from(
      { length: room },
      (_, i) => new RegionFixture({ region: `XX-${100 + i}`, modules }),
    );
    const ours = new RegionFixture({ region: 'ZZ' });
    const known = new WitnessKeys(
      [...many, region, liar, ours].map(({ state }) => state),
      sha256,
    );
    const pool = poolOf();
    pool.take(
      keys.map((key) => lineBy(liar, key, START_S)),
      known,
      START_S,
    );
    for (const witness of many.slice(1)) pool.take([cosignatureBy(witness, text)], known, START_S);
    const names = (regions: readonly RegionFixture[]) => regions.map((one) => one.region).sort();
    assert.deepEqual(
      regionsIn(pool),
      names([liar, ...many.slice(1)]),
      'of the second line another has the place',
    );
    const { origin } = region;
    const byRank = [...many, liar].sort((a, b) =>
      compareBytes(witnessRank(sha256, origin, a.region), witnessRank(sha256, origin, b.region)),
    );
    for (const witness of many) pool.take([cosignatureBy(witness, text)], known, START_S);
    assert.deepEqual(regionsIn(pool), names(byRank.slice(0, room)));
    pool.take([cosignatureBy(region, text)], known, START_S);
    pool.vouch(cosignatureBy(ours, text), known, START_S);
    for (const witness of many) pool.take([cosignatureBy(witness, text, START_S + 1)], known, START_S);
    assert.deepEqual(regionsIn(pool), names([region, ours, ...byRank.slice(0, room - 2)]));
    assert.equal(parseNote(pool.note()).signatures.length, room);
  });

  it('A13: a witness whom the own policy asks for has a place before regions that it does not ask for', () => {
    const room = NOTE_SIGNATURES_MAX - LOG_LINES_MAX;
    const modules = { ...trustModules, admitPublicKey: () => undefined, verifySignature: () => true };
    const many = Array.from(
      { length: room },
      (_, i) => new RegionFixture({ region: `XX-${100 + i}`, modules }),
    );
    const isOutside = (pool: CosignaturePool) => pool.cosignatures.some((one) => one.region === undefined);
    for (const [policy, isKept] of [
      [OUTSIDE_POLICY, true],
      [OUTSIDE_POLICY.replace('quorum w', 'quorum none'), undefined],
    ] as const) {
      const known = new WitnessKeys(
        many.map(({ state }) => state),
        sha256,
        witnessPolicyOf(policy, region.network),
      );
      const pool = poolOf();
      for (const witness of many) pool.take([cosignatureBy(witness, text)], known, START_S);
      pool.take([outsideLine(text, START_S)], known, START_S);
      if (isKept !== undefined) assert.equal(isOutside(pool), isKept);
      assert.equal(parseNote(pool.note()).signatures.length, room);
    }
  });

  it('knows a witness outside by the policy alone, and refuses times ahead and what it did not sign', () => {
    const known = new WitnessKeys([], sha256, witnessPolicyOf(OUTSIDE_POLICY, region.network));
    const line = outsideLine(text, START_S);
    assert.equal(poolOf().take([line], new WitnessKeys([], sha256), START_S), 0);
    assert.equal(poolOf().take([outsideLine(text, START_S + 121)], known, START_S), 0);
    assert.equal(poolOf().take([outsideLine(`${text}`.replace(/\d/, '9'), START_S)], known, START_S), 0);
    assert.equal(poolOf().take([{ ...line, name: 'v.example/witness' }], known, START_S), 0);
    const pool = poolOf();
    assert.equal(pool.take([line], known, START_S), 1);
    assert.deepEqual(pool.cosignatures.map((one) => [one.region, one.timestampS]), [[undefined, START_S]]); // prettier-ignore
  });

  it('A28: of a log that signs with many keys it keeps so few lines that a note with those of witnesses is one', () => {
    const pool = poolOf();
    const signing = Array.from({ length: NOTE_SIGNATURES_MAX }, (_, i) => region.key(`checkpoint ${i}`));
    const verifiers = signing.map(({ publicKey }) =>
      makeVerifierKey(sha256, { name: region.origin, algorithm: ED25519, publicKey }),
    );
    const lines = verifiers.map((verifier, i) => signNote(verifier, text, signing[i]?.sign ?? assert.fail()));
    const opened = openCheckpoint(
      encodeNote({ text, signatures: lines }),
      verifiers,
      trustModules.verifySignature,
    );
    pool.takeOwn(opened);
    const known = new WitnessKeys(
      honest.map(({ state }) => state),
      sha256,
    );
    for (const witness of honest) pool.take([cosignatureBy(witness, text)], known, START_S);
    assert.equal(parseNote(pool.note()).signatures.length, LOG_LINES_MAX + honest.length);
    assert.equal(pool.logKeyIds.length, LOG_LINES_MAX);
    assert.equal(parseNote(pool.ownNote).signatures.length, NOTE_SIGNATURES_MAX, 'a witness knows them all');
  });

  it('A20: keeps the line of each of two keys of a log that have one key id', () => {
    const pool = poolOf();
    const signing = [region.key('one'), region.key('other')];
    const [first, second] = signing.map(({ publicKey }) =>
      makeVerifierKey(sha256, { name: region.origin, algorithm: ED25519, publicKey }),
    );
    assert.ok(first && second);
    const keys = [first, { ...second, keyId: first.keyId }];
    const signatures = keys.map((key, i) => signNote(key, text, signing[i]?.sign ?? assert.fail()));
    pool.takeOwn(openCheckpoint(encodeNote({ text, signatures }), keys, trustModules.verifySignature));
    assert.equal(openCheckpoint(pool.ownNote, keys, trustModules.verifySignature).signers.length, 2);
  });
});
