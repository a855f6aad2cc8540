import assert from 'node:assert/strict';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { parseAttestation } from '../../../protocol/code/attestation.ts';
import { type ClaimedLeaf, judgeCompromised, type LeafProof } from '../../../protocol/verdict/cut-off.ts';
import { type IssuedCode } from '../../support/code-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { provenLog } from '../../support/proven-log.ts';
import { ATTEST_KEY, codeOf, codesOf, LOG, trustOf, verdictOf } from '../../support/verdict-fixture.ts';

const SIZE = 1_000;

describe('judgeCompromised', () => {
  const genuine = Array.from({ length: SIZE }, (_, index) => codeOf({ index }));
  const { root, proofAt } = provenLog(genuine);
  const compromise = { version: 1, cutOffs: new Map([[LOG, { size: SIZE, root }]]) };
  const trust = trustOf({ issuer: { keys: [{ key: ATTEST_KEY, role: 'attest', compromise }] } });
  const before = trustOf();
  const verdictFor = (text: string, proofs?: readonly LeafProof[]) =>
    verdictOf({ text, trust, context: { proofs } });

  it('T3: refuses 1,000 forged and 1,000 backdated codes and passes the 1,000 genuine ones', () => {
    for (let index = 0; index < SIZE; index++) {
      // What the thief signs after the theft: behind the cut-off, and in the place of codes before it.
      const forged = codeOf({ index: SIZE + index }).text;
      const backdated = codeOf({ index, salting: 'thief' }).text;
      const real = genuine[index]?.text ?? assert.fail();
      const proofs = [proofAt(index)];
      for (const text of [forged, backdated, real])
        assert.equal(verdictOf({ text, trust: before }).outcome, 'pass');

      assert.deepEqual(outcomeOf(verdictFor(forged, proofs)), ['stop', 'BEYOND_CUT_OFF']);
      assert.deepEqual(outcomeOf(verdictFor(backdated, proofs)), ['stop', 'LEAF_MISMATCH']);
      assert.deepEqual(outcomeOf(verdictFor(real, proofs)), ['pass', 'PROVEN_IN_LOG']);
      assert.deepEqual(outcomeOf(verdictFor(forged)), ['stop', 'BEYOND_CUT_OFF']);
      assert.deepEqual(outcomeOf(verdictFor(backdated)), ['undetermined', 'PROOF_NEEDED']);
      assert.deepEqual(outcomeOf(verdictFor(real)), ['undetermined', 'PROOF_NEEDED']);
    }
  });

  it('T3: takes no proof from the thief’s own log', () => {
    const own = genuine.map((_, index) => codeOf({ index, salting: 'thief' }));
    const thief = provenLog(own);
    for (const index of [0, 1, 511, 512, SIZE - 1]) {
      const text = own[index]?.text ?? assert.fail();
      assert.deepEqual(outcomeOf(verdictFor(text, [thief.proofAt(index)])), ['undetermined', 'PROOF_NEEDED']);
    }
  });

  const attestation = claimedBy(genuine[5]);
  const judged = (...proofs: LeafProof[]) => judgeCompromised(sha256, attestation, compromise, proofs);

  it('finds the good proof among others', () => {
    assert.equal(judged(proofAt(4), proofAt(6), proofAt(5), proofAt(999)), 'PROVEN_IN_LOG');
    assert.equal(judged(proofAt(4), proofAt(6)), 'PROOF_NEEDED');
  });

  it('A23: takes no proof that is altered in any part, and does not throw on one', () => {
    const good = proofAt(5);
    const [first = assert.fail(), ...rest] = good.path;
    const bad: Partial<LeafProof>[] = [
      { log: '2026-10' },
      { index: 4 },
      { index: -1 },
      { index: 2 ** 60 },
      { size: SIZE - 1 },
      { size: SIZE + 1 },
      { leafHash: good.leafHash.map((byte) => byte ^ 1) },
      { leafHash: good.leafHash.subarray(1) },
      { path: [] },
      { path: rest },
      { path: [...good.path, first] },
      { path: [first.subarray(1), ...rest] },
      { path: [first.map((byte) => byte ^ 1), ...rest] },
      { path: Array.from({ length: 100 }, () => first) },
    ];
    bad.forEach((changes, i) => assert.equal(judged({ ...good, ...changes }), 'PROOF_NEEDED', `case ${i}`));
    assert.equal(judged(good), 'PROVEN_IN_LOG');
  });

  it('holds the index against the size of the cut-off', () => {
    const lastInside = claimedBy(genuine[SIZE - 1]);
    assert.equal(judgeCompromised(sha256, lastInside, compromise, []), 'PROOF_NEEDED');
    const firstOutside = claimedBy(codeOf({ index: SIZE }));
    assert.equal(judgeCompromised(sha256, firstOutside, compromise, []), 'BEYOND_CUT_OFF');
    const none = { version: 1, cutOffs: new Map() };
    assert.equal(judgeCompromised(sha256, attestation, none, [proofAt(5)]), 'BEYOND_CUT_OFF');
  });
});

function claimedBy(code: IssuedCode | undefined): ClaimedLeaf {
  const { log, index, bytes } = parseAttestation(code?.attestation ?? assert.fail());
  return { log, index, leafHash: leafHash(sha256, bytes) };
}

function outcomeOf(verdict: ReturnType<typeof verdictOf>): string[] {
  return [verdict.outcome, ...codesOf(verdict).filter((code) => code !== 'IDENTITY_CHECK')];
}
