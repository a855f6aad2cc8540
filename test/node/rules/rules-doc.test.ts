import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { profileBases, profileText } from '../../../node/rules/profiles.ts';
import { readRuleFile } from '../../../node/rules/rule-file.ts';
import { readExamples, tryExample } from '../../../protocol/rules/examples.ts';
import { readExpression } from '../../../protocol/rules/expression.ts';
import { projectRoot } from '../../support/project.ts';

describe('docs/rules.md', () => {
  const text = readFileSync(join(projectRoot, 'docs/rules.md'), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  const blockWith = (start: string) => blocks.find((block) => block.startsWith(start)) ?? assert.fail(start);

  it('shows an overlay that can be used, whose examples come out as they say', () => {
    const { file, faults } = readRuleFile(blockWith('id: de'), profileBases);
    assert.deepEqual(faults, []);
    assert.ok(file !== undefined && file.examples.length > 0);
    for (const example of file.examples) assert.equal(tryExample(file.ruleSet, example).fault, undefined);
  });

  it('shows examples of each kind that the baseline decides so', () => {
    const { file } = readRuleFile(profileText('baseline') ?? '', profileBases);
    const { examples, faults } = readExamples(parse(blockWith('- { name')));
    assert.deepEqual(faults, []);
    assert.equal(examples.length, 4);
    for (const example of examples)
      assert.equal(tryExample(file?.ruleSet ?? assert.fail(), example).fault, undefined);
  });

  it('shows conditions that are some', () => {
    const conditions = blockWith('when:')
      .split(/^when:/m)
      .slice(1);
    assert.ok(conditions.length > 3);
    for (const condition of conditions) {
      const { when } = parse(`when:${condition}`) as { when: unknown };
      assert.deepEqual(readExpression(when).faults, [], condition);
    }
  });
});
