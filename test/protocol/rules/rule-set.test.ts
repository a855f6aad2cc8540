import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { CBOR_DEPTH_MAX, RULE_SET_BYTES_MAX } from '../../../protocol/limits.ts';
import { encodeRuleSet, parseRuleSet, readRuleSet, ruleSetHash } from '../../../protocol/rules/rule-set.ts';
import { encodeStatement } from '../../../protocol/trust/statement.ts';
import { sha256 } from '../../support/primitives.ts';
import { faultsOf, FROM_S, RULE_DATA, ruleBody, ruleSetWith } from '../../support/rule-fixture.ts';

const [listed, ...others] = RULE_DATA.issuing;
const withWhen = (when: unknown) => ({ issuing: [{ ...listed, when }, ...others] });
const nested = (levels: number): unknown => (levels === 0 ? true : { '!': [nested(levels - 1)] });

describe('readRuleSet', () => {
  it('takes a good set, and what is encoded is taken again with the same hash', () => {
    const ruleSet = ruleSetWith();
    const bytes = encodeRuleSet(ruleSet);
    const [id, version, fromS, data] = decodeCbor(bytes, { bytesMax: bytes.length }) as [
      string,
      number,
      number,
      unknown,
    ];
    const again = parseRuleSet({ id, version, fromS, data });
    assert.deepEqual(encodeRuleSet(again), bytes);
    assert.deepEqual(ruleSetHash(sha256, again), ruleSetHash(sha256, ruleSet));
    assert.deepEqual([again.fromS, again.untilS], [ruleSet.fromS, ruleSet.untilS]);
  });

  it('its data is what a statement in the trust log carries, at the greatest depth too', () => {
    // Two levels each.
    const ruleSet = ruleSetWith(withWhen(nested(6)));
    const { id, version, fromS: from, data } = ruleSet;
    assert.ok(
      encodeStatement({ kind: 'rules', at: from, id, version, from, data: data as never }).length > 0,
    );
    assert.equal(CBOR_DEPTH_MAX, 16);
    assert.deepEqual(faultsOf(withWhen(nested(7))).length, 1);
  });

  it('the hash changes with every member', () => {
    const hashes = [
      ruleSetWith(),
      parseRuleSet(ruleBody({}, { id: 'other' })),
      parseRuleSet(ruleBody({}, { version: 4 })),
      parseRuleSet(ruleBody({}, { fromS: FROM_S + 1 })),
      ruleSetWith({ title: 'Another' }),
      ruleSetWith({ green: { days: 8 } }),
      ruleSetWith({ region: null }),
    ].map((ruleSet) => Buffer.from(ruleSetHash(sha256, ruleSet)).toString('hex'));
    assert.equal(new Set(hashes).size, hashes.length);
  });

  for (const [name, changes, ...places] of [
    ['a member that there is not', { colour: 'red' }, 'colour'],
    ['a missing member', { green: undefined }, 'green'],
    ['another format', { format: 2 }, 'format'],
    ['a region that is none', { region: 'de' }, 'region'],
    ['no time after which it ends', { until: null }, 'until'],
    ['an end before its beginning', { until: FROM_S }, 'until'],
    ['more than two years', { until: FROM_S + 731 * 86_400 + 1 }, 'until'],
    ['no offset', { offsets: [] }, 'offsets'],
    [
      'offsets that do not ascend',
      {
        offsets: [
          [5, 0],
          [5, 60],
        ],
      },
      'offsets',
    ],
    ['an offset of a day', { offsets: [[0, 86_400]] }, 'offsets.0.1'],
    ['green for 31 days', { green: { days: 31 } }, 'green.days'],
    ['green for no day', { green: { days: 0 } }, 'green.days'],
    ['a measure of 31 days', { issuing: [{ ...listed, days: 31 }] }, 'issuing.0.days'],
    ['a green rule', { issuing: [{ ...listed, colour: 'green' }] }, 'issuing.0.colour'],
    ['a rule without a reason', { issuing: [{ ...listed, why: '' }] }, 'issuing.0.why'],
    ['control characters in a text', { title: 'x\u001b[2J' }, 'title'],
    ['a text that turns the direction', { title: 'x\u202ey' }, 'title'],
    ['half of a character', { title: '\ud800' }, 'title'],
    ['a rule without a condition', { issuing: [{ ...listed, when: undefined }] }, 'issuing.0.when'],
    ['a rule twice', { issuing: [listed, listed] }, 'issuing'],
    ['an id with capital letters', { issuing: [{ ...listed, id: 'Listed' }] }, 'issuing.0.id'],
    ['a fact with a name that is none', { facts: { ...RULE_DATA.facts, __proto: 'flag' } }, 'facts.__proto'],
    ['a fact within a fact', { facts: { ...RULE_DATA.facts, list: 'flag' } }, 'facts.list'],
    ['a fact of no type', { facts: { ...RULE_DATA.facts, x: 'number' } }, 'facts.x'],
    ['a fact with one word to choose from', { facts: { ...RULE_DATA.facts, x: ['one'] } }, 'facts.x'],
    ['a beginning that is no fact', { issuing: [{ ...listed, since: 'list.sinc' }] }, 'issuing.0.since'],
    [
      'a beginning that every object has',
      { issuing: [{ ...listed, since: 'constructor' }] },
      'issuing.0.since',
    ],
    ['a beginning that is no day', { issuing: [{ ...listed, since: 'list.level' }] }, 'issuing.0.since'],
    ['an expression that is none', withWhen({ '==': [1, 1] }), 'issuing.0.when'],
    [
      'a fact that there is not',
      withWhen({ and: [true, { var: 'facts.list.sinc' }] }),
      'issuing.0.when.and.1.var',
    ],
    ['all facts at once', withWhen({ var: 'facts' }), 'issuing.0.when.var'],
    ['a code where there is none', withWhen({ var: 'status.colour' }), 'issuing.0.when.var'],
    [
      'facts at a gate',
      { checks: [{ id: 'x', when: { var: 'facts.name' }, why: 'x' }] },
      'checks.0.when.var',
    ],
    [
      'facts within reduce',
      withWhen({ reduce: [{ var: 'facts.areas' }, { var: 'facts.name' }, 0] }),
      'issuing.0.when.reduce.1.var',
    ],
    [
      'control characters in a literal',
      withWhen({ '===': [{ var: 'facts.name' }, '\u0000'] }),
      'issuing.0.when.===.1',
    ],
    [
      'a condition without a value where nothing is known',
      withWhen({ '<': [{ var: 'facts.doses' }, 2] }),
      'issuing.0.when',
    ],
    ['green for whom nothing is known', { requires: [] }, 'requires'],
    [
      'green for whom nothing is known though it says something of what it needs',
      { requires: [{ id: 'x', when: { '!': [{ var: 'facts.list.level' }] }, why: 'x' }], issuing: [] },
      'requires',
    ],
    [
      'acceptance that lets red and yellow pass',
      { acceptance: [{ id: 'x', when: false, outcome: 'stop', why: 'x' }] },
      'acceptance',
      'acceptance',
    ],
    [
      'acceptance that lets red pass with a word',
      { acceptance: RULE_DATA.acceptance.slice(1) },
      'acceptance',
    ],
    [
      'acceptance without a value at a gate',
      { acceptance: [{ id: 'x', when: { '<': [{ var: 'role' }, 1] }, outcome: 'stop', why: 'x' }] },
      'acceptance',
      'acceptance',
    ],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.deepEqual(faultsOf(changes), places);
      assert.throws(
        () => parseRuleSet(ruleBody(changes)),
        (error) => isProtocolError(error, 'RULE_MALFORMED') && error.fault.details['at'] === places[0],
      );
    });
  }

  it('takes a set without facts that people declare though it needs nothing, as one for codes of others is', () => {
    const facts = { 'list.level': ['key', 'watch'], 'list.since': 'day' };
    assert.deepEqual(faultsOf({ facts, requires: [], issuing: [listed] }), []);
  });

  it('refuses an id, a version and a time that are none', () => {
    assert.deepEqual(faultsOf({}, { id: 'Test' }), ['id']);
    assert.deepEqual(faultsOf({}, { id: 'manual' }), ['id']);
    assert.deepEqual(faultsOf({}, { version: -1 }), ['version']);
    assert.deepEqual(faultsOf({}, { version: 0.5 }), ['version']);
    assert.deepEqual(faultsOf({}, { fromS: NaN }), ['from']);
  });

  it('refuses a set that is too large for an entry of the log', () => {
    const many = Array.from({ length: 128 }, (_, i) => ({ ...listed, id: `r${i}`, why: 'x'.repeat(256) }));
    const large = {
      ...RULE_DATA.facts,
      ...Object.fromEntries(many.slice(9).map((_, i) => [`f${i}`, ['a', 'b'.repeat(256)]])),
    };
    assert.deepEqual(faultsOf({ issuing: many, facts: large }), ['']);
    assert.ok(encodeRuleSet(ruleSetWith({ issuing: many })).length <= RULE_SET_BYTES_MAX);
  });

  it('ends with a set or a fault for any JSON in place of any member', () => {
    const member = fc.constantFrom(...Object.keys(RULE_DATA));
    fc.assert(
      fc.property(member, fc.jsonValue(), (name, json) => {
        const { ruleSet, faults } = readRuleSet(ruleBody({ [name]: json }));
        assert.equal(ruleSet === undefined, faults.length > 0);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (data) => assert.ok(readRuleSet(ruleBody({}, { data })).faults.length > 0)),
    );
  });
});
