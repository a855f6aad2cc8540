import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  type LookupVectors,
  replayBucket,
  replayEvaluation,
  replayHead,
  replayKey,
} from '../../support/lookup-vectors.ts';
import { LOOKUP_VECTOR_FILE, lookupVectorText } from '../../vectors/generate/lookup.ts';

describe('vectors/lookup.json', function () {
  // A busy machine takes its time over a curve.
  this.timeout(20_000);
  const text = readFileSync(LOOKUP_VECTOR_FILE, 'utf8');
  const { keys, evaluations, buckets, heads } = JSON.parse(text) as LookupVectors;

  it('is what its script makes', () => {
    assert.equal(text, lookupVectorText());
  });

  it('has at least as many bad cases as good ones, and no name twice in a list', () => {
    const judged = [...evaluations, ...buckets, ...heads];
    const bad = judged.filter(({ expect }) => 'fault' in expect);
    assert.ok(2 * bad.length >= judged.length, `${bad.length} of ${judged.length}`);
    for (const list of [keys, evaluations, buckets, heads])
      assert.equal(new Set(list.map(({ name }) => name)).size, list.length);
  });

  for (const one of keys) it(`key: ${one.name}`, () => assert.deepEqual(replayKey(one), one));
  for (const one of evaluations)
    it(`evaluation: ${one.name}`, () => assert.deepEqual(replayEvaluation(one), one));
  for (const one of buckets) it(`bucket: ${one.name}`, () => assert.deepEqual(replayBucket(one), one));
  for (const one of heads) it(`head: ${one.name}`, () => assert.deepEqual(replayHead(one), one));
});
