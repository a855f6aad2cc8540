import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hexBytes } from '../../../protocol/bytes.ts';
import { neededCosignatures } from '../../../protocol/log/quorum.ts';
import { REASONS } from '../../../protocol/verdict/reasons.ts';
import { reportOf } from '../../../protocol/verdict/ages.ts';
import { Trust } from '../../../protocol/verdict/knowledge.ts';
import { type Grade, type VerdictContext } from '../../../protocol/verdict/verdict.ts';
import { verify } from '../../../protocol/verdict/verify.ts';
import { NETWORK } from '../../support/code-fixture.ts';
import { knowledgeOfVector, type KnowledgeVector } from '../../support/knowledge-vectors.ts';
import { sha256 } from '../../support/primitives.ts';
import { primitives } from '../../support/verdict-fixture.ts';
import {
  type AssessmentVector,
  type NeededVector,
  QUORUM_VECTOR_FILE,
  quorumVectorText,
} from '../../vectors/generate/quorum.ts';
import {
  type ContextVector,
  VERDICT_VECTOR_FILE,
  verdictVector,
  verdictVectorText,
  type VerdictVector,
} from '../../vectors/generate/verdict.ts';

function trustOf(home: string, regions: readonly KnowledgeVector[]): Trust {
  return new Trust({ home, network: NETWORK, regions: regions.map(knowledgeOfVector) }, { sha256 });
}

function assertNamedOnce(cases: readonly { readonly name: string }[]): void {
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
}

describe('vectors/quorum.json', () => {
  const text = readFileSync(QUORUM_VECTOR_FILE, 'utf8');
  const { needed, assessments } = JSON.parse(text) as {
    needed: NeededVector[];
    assessments: AssessmentVector[];
  };

  it('is what its script makes', () => {
    assert.equal(text, quorumVectorText());
  });

  it('has at least as many cases without fit knowledge as with it, and no name twice', () => {
    const bad = assessments.filter(({ keyFit }) => keyFit !== true);
    assert(2 * bad.length >= assessments.length, `${bad.length} of ${assessments.length}`);
    assertNamedOnce(assessments);
  });

  for (const { w, needed: q } of needed) {
    it(`needed: ${q} of ${w}`, () => assert.equal(neededCosignatures(w), q));
  }

  for (const { name, home, issuer, regions, now, ...expected } of assessments) {
    it(`assessment: ${name}`, () => {
      const assessment = trustOf(home, regions).assess(issuer, now);
      assert(assessment);
      const { ageS: age = null, silenceS: silence = null, witnesses } = reportOf(assessment, now);
      assert.deepEqual(
        {
          witnesses: [witnesses.counted, witnesses.needed, witnesses.of],
          age,
          silence,
          ...(age !== null && { keyFit: assessment.isCheckpointKeyFit }),
        },
        expected,
      );
    });
  }
});

function contextOf({ mode, grade, knowledgeAge, silence, challenge, documentHash, proofs }: ContextVector) {
  return {
    mode,
    place: {
      risk: 'low',
      kind: 'gate',
      gradeNeeded: grade as Grade,
      limits: {
        ...(knowledgeAge !== undefined && { knowledgeAgeS: knowledgeAge }),
        ...(silence !== undefined && { issuerSilenceS: silence }),
      },
    },
    challenge: challenge === undefined ? undefined : hexBytes(challenge),
    documentHash: documentHash === undefined ? undefined : hexBytes(documentHash),
    proofs: proofs?.map(({ leafHash, path, ...place }) => ({
      ...place,
      leafHash: hexBytes(leafHash),
      path: path.map(hexBytes),
    })),
  } satisfies VerdictContext;
}

describe('vectors/verdict.json', () => {
  const text = readFileSync(VERDICT_VECTOR_FILE, 'utf8');
  const { verdicts } = JSON.parse(text) as { verdicts: VerdictVector[] };

  it('is what its script makes', () => {
    assert.equal(text, verdictVectorText());
  });

  it('has at least as many verdicts that are no pass as passes, every reason, and no name twice', () => {
    const bad = verdicts.filter(({ expect }) => expect.outcome !== 'pass');
    assert(2 * bad.length >= verdicts.length, `${bad.length} of ${verdicts.length}`);
    const reasons = new Set<string>(verdicts.flatMap(({ expect }) => expect.reasons));
    assert.deepEqual([...reasons].sort(), Object.keys(REASONS).sort());
    assertNamedOnce(verdicts);
  });

  for (const vector of verdicts) {
    it(`${vector.expect.outcome}: ${vector.name}`, () => {
      const trust = trustOf(vector.home, vector.regions);
      const verdict = verify(primitives, vector.text, trust, contextOf(vector.context), vector.now);
      assert.deepEqual(verdictVector(verdict), vector.expect);
    });
  }
});
