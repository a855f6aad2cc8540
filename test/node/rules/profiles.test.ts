import assert from 'node:assert/strict';
import { profileBases, profileNames, profileText } from '../../../node/rules/profiles.ts';
import { readRuleFile } from '../../../node/rules/rule-file.ts';
import { tryExample } from '../../../protocol/rules/examples.ts';

const fileOf = (name: string) =>
  readRuleFile(profileText(name) ?? assert.fail(name), profileBases).file ?? assert.fail(name);

describe('profiles', () => {
  for (const name of profileNames()) {
    const { ruleSet, examples } = fileOf(name);

    it(`${name} is named as its rules`, () => assert.equal(ruleSet.id, name));

    for (const example of examples) {
      it(`${name}: ${example.name}`, () => {
        const { came, fault } = tryExample(ruleSet, example);
        assert.equal(fault, undefined, `came ${came}`);
      });
    }
  }

  it('the baseline has an example for each of its rules', () => {
    const { ruleSet, examples } = fileOf('baseline');
    const told = JSON.stringify(examples);
    const { acceptance, checks } = ruleSet;
    for (const { id } of acceptance) assert.ok(told.includes(`"${id}"`), id);
    assert.ok(examples.filter((example) => 'check' in example.expect).length > checks.length);
  });

  it('an overlay keeps what it does not change, and its own zone counts', () => {
    const [base, overlay] = [fileOf('baseline').ruleSet, fileOf('cn-33').ruleSet];
    assert.deepEqual(overlay.data.acceptance, base.data.acceptance);
    assert.ok(!overlay.issuing.some(({ id }) => id === 'watch-list'));
    assert.equal(overlay.fromS, base.fromS - 8 * 3_600);
    assert.equal(overlay.data.region, 'CN-33');
  });

  it('profileBases gives a profile in the version that there is alone', () => {
    assert.ok(profileBases({ id: 'baseline', version: 1 }) !== undefined);
    assert.ok(profileBases({ id: 'cn-33', version: 1 }) !== undefined);
    for (const base of [
      { id: 'baseline', version: 2 },
      { id: '../baseline', version: 1 },
      { id: '', version: 1 },
    ]) {
      assert.equal(profileBases(base), undefined);
    }
  });
});
