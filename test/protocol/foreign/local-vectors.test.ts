import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type LocalVectors, replayCode, replayProfile } from '../../support/local-vectors.ts';
import { BAD_CODES } from '../../vectors/generate/local-codes.ts';
import { BAD_PROFILES, GOOD_PROFILES } from '../../vectors/generate/local-profiles.ts';
import { LOCAL_VECTOR_FILE, localVectorText } from '../../vectors/generate/local.ts';

describe('vectors/local.json', () => {
  const text = readFileSync(LOCAL_VECTOR_FILE, 'utf8');
  const { profiles, codes } = JSON.parse(text) as LocalVectors;

  it('is what its script makes', async () => {
    assert.equal(text, await localVectorText());
  });

  it('has at least as many bad cases as good ones, and no name twice in a list', () => {
    const refused = codes.filter(({ expect }) => 'fault' in expect);
    assert.deepEqual(
      refused.map(({ name }) => name),
      BAD_CODES.map(({ name }) => name),
    );
    assert.ok(2 * refused.length >= codes.length, `${refused.length} of ${codes.length}`);
    assert.ok(BAD_PROFILES.length >= GOOD_PROFILES.length);
    for (const list of [profiles, codes])
      assert.equal(new Set(list.map(({ name }) => name)).size, list.length);
  });

  for (const { name } of GOOD_PROFILES)
    it(`profile: ${name}`, () => assert.equal(profiles.find((one) => one.name === name)?.isProfile, true));
  for (const { name } of BAD_PROFILES)
    it(`no profile: ${name}`, () =>
      assert.equal(profiles.find((one) => one.name === name)?.isProfile, false));
  for (const one of profiles)
    it(`replays profile: ${one.name}`, () => assert.deepEqual(replayProfile(one), one));
  for (const one of codes)
    it(`replays code: ${one.name}`, async () => assert.deepEqual(await replayCode(one), one));
});
