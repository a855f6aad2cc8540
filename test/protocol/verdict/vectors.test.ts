import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { REASONS } from '../../../protocol/verdict/reasons.ts';
import { sha256 } from '../../support/primitives.ts';
import { primitives } from '../../support/verdict-fixture.ts';
import {
  type QuorumVectors,
  replayAssessment,
  replayQuorum,
  replayVerdict,
  type VerdictVectors,
} from '../../support/verdict-vectors.ts';
import { QUORUM_VECTOR_FILE, quorumVectorText } from '../../vectors/generate/quorum.ts';
import { VERDICT_VECTOR_FILE, verdictVectorText } from '../../vectors/generate/verdict.ts';

function assertNamedOnce(cases: readonly { readonly name: string }[]): void {
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
}

describe('vectors/quorum.json', () => {
  const text = readFileSync(QUORUM_VECTOR_FILE, 'utf8');
  const { needed, assessments } = JSON.parse(text) as QuorumVectors;

  it('is what its script makes', () => {
    assert.equal(text, quorumVectorText());
  });

  it('has at least as many cases without fit knowledge as with it, and no name twice', () => {
    const bad = assessments.filter(({ keyFit }) => keyFit !== true);
    assert(2 * bad.length >= assessments.length, `${bad.length} of ${assessments.length}`);
    assertNamedOnce(assessments);
  });

  it('needed: so many of so many', () => {
    assert.deepEqual(replayQuorum(sha256, { needed, assessments: [] }).needed, needed);
  });

  for (const vector of assessments) {
    it(`assessment: ${vector.name}`, () => assert.deepEqual(replayAssessment(sha256, vector), vector));
  }
});

describe('vectors/verdict.json', () => {
  const text = readFileSync(VERDICT_VECTOR_FILE, 'utf8');
  const { verdicts } = JSON.parse(text) as VerdictVectors;

  it('is what its script makes', () => {
    assert.equal(text, verdictVectorText());
  });

  it('has at least as many verdicts that are no pass as passes, every reason, and no name twice', () => {
    const bad = verdicts.filter(({ expect }) => expect.outcome !== 'pass');
    assert(2 * bad.length >= verdicts.length, `${bad.length} of ${verdicts.length}`);
    const reasons = new Set<string>(verdicts.flatMap(({ expect }) => expect.reasons));
    // Those that rules and codes of others give are tried beside those.
    const given = Object.keys(REASONS).filter(
      (code) => !/^(RULE_|RULES_NOT_IN_FORCE|FOREIGN_|NUMBER_)/.test(code),
    );
    assert.deepEqual([...reasons].sort(), given.sort());
    assertNamedOnce(verdicts);
  });

  for (const vector of verdicts) {
    it(`${vector.expect.outcome}: ${vector.name}`, () => {
      assert.deepEqual(replayVerdict(primitives, vector), vector);
    });
  }
});
