import assert from 'node:assert/strict';
import { askedPlace, unknownWord } from '../../../protocol/rules/asked-place.ts';
import { ANY_PLACE } from '../../../protocol/verdict/verdict.ts';
import { ruleSetWith } from '../../support/rule-fixture.ts';

const rules = ruleSetWith();

describe('askedPlace', () => {
  it('asks for nothing where nothing is said and no rules are named', () => {
    assert.deepEqual(askedPlace({}), { ...ANY_PLACE, limits: {} });
    assert.equal(askedPlace({ kind: 'hospital' }).gradeNeeded, 'static');
  });

  it('asks for what the rules ask of the kind, unless it is said', () => {
    assert.deepEqual(askedPlace({ kind: 'hospital', risk: 'high' }, rules), {
      kind: 'hospital',
      risk: 'high',
      gradeNeeded: 'live',
      limits: { issuerSilenceS: 60 },
    });
    const said = { kind: 'hospital', gradeNeeded: 'challenged', limits: { issuerSilenceS: 0 } } as const;
    const { gradeNeeded, limits } = askedPlace(said, rules);
    assert.deepEqual([gradeNeeded, limits], ['challenged', { issuerSilenceS: 0 }]);
    const other = askedPlace({ kind: 'hospital', limits: { knowledgeAgeS: 9 } }, rules);
    assert.deepEqual(other.limits, { knowledgeAgeS: 9, issuerSilenceS: 60 });
  });
});

describe('unknownWord', () => {
  for (const [kind, role, unknown] of [
    ['gate', undefined, undefined],
    ['hospital', 'patient', undefined],
    ['hospitl', 'patient', { of: 'kind', known: ['gate', 'hospital'] }],
    ['constructor', undefined, { of: 'kind', known: ['gate', 'hospital'] }],
    ['gate', 'patiant', { of: 'role', known: ['patient'] }],
    ['gate', 'toString', { of: 'role', known: ['patient'] }],
  ] as const) {
    it(`${kind} and ${role ?? 'no role'}: ${unknown === undefined ? 'known' : `no such ${unknown.of}`}`, () => {
      assert.deepEqual(unknownWord(rules, { kind, role }), unknown);
    });
  }

  it('takes what a condition names, though nothing describes it', () => {
    const when = { and: [{ in: [{ var: 'place.kind' }, ['mall']] }, { '===': [{ var: 'role' }, 'guest'] }] };
    const naming = ruleSetWith({ checks: [{ id: 'mall', when, why: 'x' }] });
    assert.equal(unknownWord(naming, { kind: 'mall', role: 'guest' }), undefined);
    assert.equal(unknownWord(rules, { kind: 'mall', role: undefined })?.of, 'kind');
    const turned = ruleSetWith({
      acceptance: [
        ...rules.data.acceptance,
        {
          id: 'hall',
          when: { if: [{ '!': [{ '===': ['hall', { var: 'place.kind' }] }] }, false, true] },
          outcome: 'stop',
          why: 'x',
        },
      ],
    });
    assert.equal(unknownWord(turned, { kind: 'hall', role: undefined }), undefined);
  });

  it('knows a text of a condition as that alone which it is compared with', () => {
    const is = (path: string, word: string) => ({ '===': [{ var: path }, word] });
    const when = { and: [is('place.kind', 'mall'), { '!': [is('role', 'guest')] }, is('place.risk', 'low')] };
    const naming = ruleSetWith({ checks: [{ id: 'mall', when, why: 'x' }] });
    const ofKind = (kind: string) => unknownWord(naming, { kind, role: undefined })?.of;
    const ofRole = (role: string) => unknownWord(naming, { kind: 'gate', role })?.of;
    assert.deepEqual([ofKind('mall'), ofRole('guest')], [undefined, undefined]);
    for (const kind of ['guest', 'patient', 'red', 'low', 'place.kind', 'role'])
      assert.equal(ofKind(kind), 'kind', kind);
    for (const role of ['mall', 'hospital', 'red', 'low', 'role']) assert.equal(ofRole(role), 'role', role);
  });
});
