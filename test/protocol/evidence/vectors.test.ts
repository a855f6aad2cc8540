import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hexOf } from '../../../protocol/bytes.ts';
import { encodeEvidence, parseEvidence } from '../../../protocol/evidence/evidence.ts';
import { verifyEvidence } from '../../../protocol/evidence/verify-evidence.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { fromHex } from '../../support/hex.ts';
import { trustModules } from '../../support/region-fixture.ts';
import {
  EVIDENCE_VECTOR_FILE,
  type EvidenceVectors,
  evidenceVectorText,
  type ProvenVector,
} from '../../vectors/generate/evidence.ts';

const text = readFileSync(EVIDENCE_VECTOR_FILE, 'utf8');
const { evidence: vectors, shared } = JSON.parse(text) as EvidenceVectors;

function provenBy(bytes: Uint8Array): ProvenVector {
  const { kind, region, origin, at, words, checkpoints } = verifyEvidence(
    parseEvidence(bytes),
    (of, fingerprint) => hexOf(fingerprint) === shared.pins[of],
    trustModules,
  );
  const trees = checkpoints.map(({ size, root }) => [size, hexOf(root)] as const);
  return { kind, region, origin, at, words, checkpoints: trees };
}

describe('test/vectors/evidence.json', () => {
  it('is what its generator makes', () => assert.equal(text, evidenceVectorText()));

  it('has at least as many bad cases as good ones', () => {
    const good = vectors.filter(({ proven }) => proven !== undefined);
    assert.ok(good.length > 0 && vectors.length >= 2 * good.length);
  });

  for (const { name, evidence, fault, proven } of vectors) {
    if (proven !== undefined) {
      it(`verifyEvidence proves ${proven.kind}: ${name}`, () => {
        const bytes = fromHex(evidence);
        assert.deepEqual(provenBy(bytes), proven);
        assert.deepEqual(hexOf(encodeEvidence(parseEvidence(bytes))), evidence);
      });
    } else {
      it(`refused as ${fault}: ${name}`, () => {
        assert.throws(
          () => provenBy(fromHex(evidence)),
          (error) => isProtocolError(error, fault),
        );
      });
    }
  }
});
