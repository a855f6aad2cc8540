import assert from 'node:assert/strict';
import { evidenceOf } from '../../../node/trust/stored-evidence.ts';
import { wholeState } from '../../../node/trust/whole-fold.ts';
import { encodeEvidence, parseEvidence } from '../../../protocol/evidence/evidence.ts';
import { verifyEvidence } from '../../../protocol/evidence/verify-evidence.ts';
import { EVIDENCE_STATEMENTS_MAX } from '../../../protocol/limits.ts';
import { encodeNote, parseNote, signNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import * as proofs from '../../support/evidence-fixture.ts';
import {
  DAY_S,
  RegionFixture,
  type TestKey,
  trustModules as checking,
} from '../../support/region-fixture.ts';
import { hurriedClock } from '../../support/store-fixture.ts';

const { ORIGIN: origin } = proofs;
/** Keys of the fixture are good. */
const trustModules = { ...checking, admitPublicKey: () => undefined };
const { sha256 } = trustModules;

describe('evidenceOf', () => {
  let region: RegionFixture;
  beforeEach(
    () => (region = new RegionFixture({ region: 'DE', network: proofs.NETWORK, modules: trustModules })),
  );

  /** What proves a fork of which both sides are signed by all these keys. */
  function forkBy(keys: readonly TestKey[]) {
    const sides = [proofs.story, proofs.otherStory].map((tree) => {
      const side = proofs.sideOf(tree, 5, { size: 5, by: [proofs.byWitness] });
      const { text, signatures } = parseNote(side.note);
      const own = keys.map(({ publicKey, sign }) =>
        signNote(makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey }), text, sign),
      );
      const others = signatures.filter(({ name }) => name !== origin);
      return { ...side, note: encodeNote({ text, signatures: [...own, ...others] }) };
    });
    const ids = keys.map(({ keyId }) => keyId);
    const evidence = { size: 5, sides: [sides[0] ?? assert.fail(), sides[1] ?? assert.fail()] as const };
    return { origin, fork: { evidence, signers: [ids, ids] as const } };
  }

  async function made(keys: readonly TestKey[]) {
    async function* entries(from = 0, to = Infinity): AsyncGenerator<Uint8Array> {
      for (const entry of region.entries.slice(from, to)) yield await Promise.resolve(entry);
    }
    const tree = () => ({ size: region.entries.length, reader: { entries } });
    const log = {
      entries: () => entries(),
      state: () => wholeState(region, { ...trustModules, clock: hurriedClock, tree }),
    };
    const file = await evidenceOf(forkBy(keys), log, trustModules);
    return file && { file, proven: verifyEvidence(parseEvidence(file), proofs.knowsRoot, trustModules) };
  }

  it('keeps every line where a reader takes all that names the keys', async () => {
    const keys = [region.keys.checkpoint];
    const { file } = (await made(keys)) ?? assert.fail();
    const { evidence } = forkBy(keys).fork;
    assert.deepEqual(file, encodeEvidence(proofs.fork({ size: 5, sides: [...evidence.sides] })));
  });

  it('A2: of a log that signs with more keys than evidence has room for statements it keeps the line of one that was not given up', async () => {
    const keys = Array.from({ length: EVIDENCE_STATEMENTS_MAX + 2 }, (_, i) => region.key(`checkpoint ${i}`));
    for (const key of keys) region.admit([{ key, role: 'checkpoint' }]);
    const [first = assert.fail(), second = assert.fail()] = keys;
    region.add(region.compromise(first, { trust: region.cutOff() }));
    const { file, proven } = (await made(keys)) ?? assert.fail();
    assert.deepEqual(proven.words, [[second.keyId], [second.keyId]]);
    const evidence = parseEvidence(file);
    assert.equal(evidence.grounds[0]?.length, 2);
    const [side] = evidence.kind === 'fork' ? evidence.sides : [];
    assert.equal(parseNote(side?.note ?? assert.fail()).signatures.length, 2, 'and that of the witness');
  });

  it('A2: a compromise without effect moves no line: it is held against the tree', async () => {
    const keys = Array.from({ length: EVIDENCE_STATEMENTS_MAX + 2 }, (_, i) => region.key(`checkpoint ${i}`));
    for (const key of keys) region.admit([{ key, role: 'checkpoint' }]);
    const inForce = keys.at(-1) ?? assert.fail();
    for (const key of keys.slice(0, -1)) region.add(region.compromise(key, { trust: region.cutOff() }));
    // Of the key in force: of another tree than the log has there, and by nobody who can give keys up.
    const { size } = region.cutOff();
    const { root } = region.cutOff(size - 1);
    assert.equal(region.refusal(region.compromise(inForce, { trust: { size, root } })), 'STATEMENT_CONFLICT');
    const byOther = region.entryOf(region.compromise(inForce, { trust: region.cutOff() }), 'trust-log');
    assert.notEqual(region.offer(byOther), undefined);
    const { proven } = (await made(keys)) ?? assert.fail();
    assert.deepEqual(proven.words, [[inForce.keyId], [inForce.keyId]]);
  });

  it('A2: nor does one of a key that the state had forgotten by then', async () => {
    const keys = Array.from({ length: EVIDENCE_STATEMENTS_MAX + 2 }, (_, i) => region.key(`checkpoint ${i}`));
    for (const key of keys) region.admit([{ key, role: 'checkpoint' }]);
    const [first = assert.fail()] = keys;
    const later = region.key('a later trust-log key');
    region.nowS += 40 * DAY_S;
    region.admit([{ key: later, role: 'trust-log' }]);
    region.nowS += 24 * DAY_S;
    region.add(region.stateStatement(), [later]);
    assert.equal(region.state.key(first.keyId), undefined);
    assert.equal(region.refusal(region.compromise(first, { trust: region.cutOff() })), 'STATEMENT_CONFLICT');
    const { proven } = (await made(keys)) ?? assert.fail();
    assert.deepEqual(proven.words, [[first.keyId], [first.keyId]]);
  });

  it('makes none that no reader takes, of a root that was changed so often before the keys were named', async () => {
    let holder = region.rootKeys;
    for (let version = 2; version <= EVIDENCE_STATEMENTS_MAX; version++) {
      const next = [region.key(`root ${version}`)];
      region.add(region.rootStatement({ version, keys: next }), [...holder, ...next]);
      holder = next;
    }
    const late = region.key('late');
    region.add(region.keysStatement([{ key: late, role: 'checkpoint' }]), holder);
    assert.equal(await made([late]), undefined);
    assert.notEqual(await made([region.keys.checkpoint]), undefined);
  });
});
