import assert from 'node:assert/strict';
import { traceIssuing } from '../../../protocol/rules/trace.ts';
import { FROM_S, RULE_DATA, ruleSetWith } from '../../support/rule-fixture.ts';

describe('traceIssuing', () => {
  it('tells what was read of the facts, and nothing that a condition built: that doubles at each element', () => {
    const elements = Array.from({ length: 40 }, () => 1);
    const twice = [{ var: 'accumulator' }, { var: 'accumulator' }];
    const when = { reduce: [elements, twice, { var: 'facts.doses' }] };
    const ruleSet = ruleSetWith({
      requires: [{ id: 'built', when, why: 'It is built.' }, ...RULE_DATA.requires],
      issuing: [],
    });
    const [step = assert.fail()] = traceIssuing(ruleSet, new Map([['doses', 1]]), FROM_S);
    assert.deepEqual(Object.keys(step.read), ['facts.doses']);
    assert.deepEqual([step.holds, step.read['facts.doses']], [true, 1]);
    assert.ok(JSON.stringify(step).length < 1_000);
  });
});
