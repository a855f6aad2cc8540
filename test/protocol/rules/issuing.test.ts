import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeStatus } from '../../../protocol/code/status.ts';
import { CODE_LIFE_S_MAX } from '../../../protocol/limits.ts';
import { decide, timeText } from '../../../protocol/rules/issuing.ts';
import {
  decisionOn,
  FROM_S,
  HOUR_S,
  RULE_DATA,
  ruleSetWith,
  secondsOf,
  UNTIL_S,
} from '../../support/rule-fixture.ts';

const rules = ruleSetWith();
const declared = { declaration: { day: '2026-03-01' } };
const listed = { list: { level: 'key', since: '2026-03-01' } };
const colourAt = (facts: object, at: string) => decisionOn(rules, facts, at).status?.colour;
const openAt = (facts: object, at: string) =>
  decisionOn(rules, facts, at).open.map(({ code, rule }) => (rule === undefined ? code : `${code} ${rule}`));

describe('decide', () => {
  it('green comes of no rule, ends on the hour, and names the set and its version', () => {
    const decision = decisionOn(rules, declared, '2026-03-01T09:12:13Z');
    assert.equal(decision.rule, undefined);
    assert.deepEqual(decision.status, {
      colour: 'green',
      measure: 'none',
      expiresAtS: secondsOf('2026-03-08T10:00:00Z'),
      ruleId: 'test',
      ruleVersion: 3,
    });
  });

  it('red for 14 days of the region, the first one counted, and the code as long', () => {
    const { status, rule } = decisionOn(rules, listed, '2026-03-01T09:12:13Z');
    const untilS = secondsOf('2026-03-14T23:00:00Z');
    assert.equal(rule, 'listed');
    assert.deepEqual([status?.colour, status?.measure], ['red', 'isolate']);
    assert.deepEqual([status?.untilS, status?.expiresAtS], [untilS, untilS]);
  });

  for (const [name, at, expected] of [
    ['the last second of the day before', '2026-02-28T23:59:59+01:00', undefined],
    ['the first second of the first day', '2026-03-01T00:00:00+01:00', 'red'],
    ['the last second of the fourteenth day', '2026-03-14T23:59:59+01:00', 'red'],
    ['the first second after it', '2026-03-15T00:00:00+01:00', 'green'],
    ['the same second in UTC', '2026-03-14T23:00:00Z', 'green'],
  ] as const) {
    it(`days of the region begin at its midnight: ${name}`, () => {
      assert.equal(colourAt({ ...declared, ...listed }, at), expected);
    });
  }

  it('across the change of clocks days stay days, though one has 23 and one 25 hours', () => {
    const spring = decisionOn(
      rules,
      { list: { level: 'key', since: '2026-03-20' } },
      '2026-03-20T12:00:00+01:00',
    );
    assert.equal(spring.status?.untilS, secondsOf('2026-04-03T00:00:00+02:00'));
    const autumn = decisionOn(
      rules,
      { list: { level: 'key', since: '2026-10-20' } },
      '2026-10-20T12:00:00+02:00',
    );
    assert.equal(autumn.status?.untilS, secondsOf('2026-11-03T00:00:00+01:00'));
  });

  it('a time belongs to the day that it has in the region', () => {
    const at = '2026-03-03T12:00:00+01:00';
    const endOf = (time: string) =>
      decisionOn(rules, { test: { positive: true, time } }, at).applied[0]?.endDay;
    assert.equal(endOf('2026-03-01T23:30:00Z'), endOf('2026-03-02T12:00:00+01:00'));
    assert.equal(endOf('2026-03-02T06:30:00+08:00'), endOf('2026-03-01T12:00:00+01:00'));
  });

  it('does not hinge on the zone of this machine', () => {
    const before = process.env['TZ'];
    const all = () =>
      ['2026-03-14T22:59:59Z', '2026-03-14T23:00:00Z'].map((at) =>
        decisionOn(rules, { ...declared, ...listed }, at),
      );
    const expected = all();
    try {
      for (const zone of ['America/Los_Angeles', 'Pacific/Kiritimati', 'UTC']) {
        process.env['TZ'] = zone;
        assert.deepEqual(all(), expected, zone);
      }
    } finally {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    }
  });

  it('the strictest colour counts, and of equal ones the one that ends last', () => {
    const at = '2026-03-05T12:00:00Z';
    const both = { ...listed, test: { positive: true, time: '2026-03-05T08:00:00Z' } };
    assert.equal(decisionOn(rules, both, at).rule, 'listed');
    const later = { list: { level: 'key', since: '2026-02-20' }, test: both.test };
    assert.equal(decisionOn(rules, later, at).rule, 'tested');
    const yellow = { list: { level: 'watch', since: '2026-03-01' }, test: both.test };
    assert.deepEqual(
      [decisionOn(rules, yellow, at).rule, decisionOn(rules, yellow, at).applied.length],
      ['tested', 2],
    );
  });

  it('the order of the rules decides nothing', () => {
    const turned = ruleSetWith({ issuing: RULE_DATA.issuing.toReversed() });
    const facts = { ...listed, test: { positive: true, time: '2026-03-05T08:00:00Z' } };
    const at = '2026-03-05T12:00:00Z';
    assert.deepEqual(decisionOn(turned, facts, at).status, decisionOn(rules, facts, at).status);
  });

  it('unknown is no colour: without what is required, without a day, or with one to come', () => {
    const at = '2026-03-01T12:00:00+01:00';
    assert.deepEqual(openAt({}, at), ['NOT_MET declared']);
    assert.deepEqual(openAt({ ...declared, list: { level: 'key' } }, at), ['SINCE_MISSING listed']);
    const tomorrow = { ...declared, list: { level: 'key', since: '2026-03-02' } };
    assert.deepEqual(openAt(tomorrow, at), ['SINCE_AHEAD listed']);
    assert.equal(colourAt(tomorrow, at), undefined);
  });

  it('a red that is known needs no declaration', () => {
    assert.equal(colourAt(listed, '2026-03-01T12:00:00Z'), 'red');
  });

  it('a rule without a value for these facts leaves the colour open, but for one that is as strict and known', () => {
    const when = {
      and: [
        { var: 'facts.name' },
        { before: [{ plusTime: [{ var: 'facts.name' }, 0, 'day'] }, { plusTime: ['2026-01-01', 0, 'day'] }] },
      ],
    };
    const at = '2026-03-01T12:00:00Z';
    const odd = { ...RULE_DATA.issuing[0], id: 'odd', when };
    const [{ colour } = assert.fail()] = RULE_DATA.issuing;
    assert.equal(colour, 'red');
    const failing = ruleSetWith({ issuing: [...RULE_DATA.issuing, odd] });
    const none = decisionOn(failing, { ...declared, name: 'no day' }, at);
    assert.deepEqual([none.status, none.atLeast], [undefined, undefined]);
    const red = decisionOn(failing, { ...listed, name: 'no day' }, at);
    assert.deepEqual([red.status?.colour, red.atLeast?.colour, red.rule], ['red', 'red', 'listed']);
    assert.deepEqual(red.open, [{ code: 'NO_VALUE', rule: 'odd' }]);
    const yellow = RULE_DATA.issuing.map((rule) => ({ ...rule, colour: 'yellow', measure: 'home' }));
    const stricter = decisionOn(
      ruleSetWith({ issuing: [...yellow, odd] }),
      { ...listed, name: 'no day' },
      at,
    );
    assert.deepEqual([stricter.status, stricter.atLeast?.colour], [undefined, 'yellow']);
    const asStrict = ruleSetWith({ issuing: [...yellow, { ...odd, colour: 'yellow', measure: 'home' }] });
    assert.equal(decisionOn(asStrict, { ...listed, name: 'no day' }, at).status?.colour, 'yellow');
  });

  it('before and after its time a set gives no colour', () => {
    const at = (nowS: number) => decide(rules, new Map([['declaration.day', '2026-01-01']]), nowS).open;
    assert.deepEqual(at(FROM_S - 1), [{ code: 'NOT_IN_FORCE' }]);
    assert.deepEqual(at(FROM_S), []);
    assert.deepEqual(at(UNTIL_S - 1), []);
    assert.deepEqual(at(UNTIL_S), [{ code: 'NOT_IN_FORCE' }]);
  });

  it('every status that it gives can be encoded, and no code lives too long', () => {
    const day = fc
      .integer({ min: 0, max: 360 })
      .map((days) => new Date((FROM_S + 86_400 * days + 43_200) * 1_000).toISOString());
    const nows = fc.integer({ min: FROM_S, max: UNTIL_S - 1 });
    const levels = fc.constantFrom('key', 'watch');
    fc.assert(
      fc.property(nows, day, levels, fc.boolean(), (nowS, time, level, positive) => {
        const since = time.slice(0, 10);
        const facts = new Map<string, never>(
          Object.entries({
            'declaration.day': since,
            'list.level': level,
            'list.since': since,
            'test.positive': positive,
            'test.time': time,
          }) as [string, never][],
        );
        const { status, atLeast, open } = decide(rules, facts, nowS);
        assert.ok(open.length > 0 || status !== undefined);
        if (status !== undefined && open.length > 0) assert.equal(atLeast, status);
        if (status === undefined) return;
        assert.ok(encodeStatus(status).length > 0);
        const hourStartS = HOUR_S * Math.floor(nowS / HOUR_S);
        assert.ok(status.expiresAtS > nowS && status.expiresAtS <= hourStartS + HOUR_S + CODE_LIFE_S_MAX);
      }),
    );
  });
});

describe('timeText', () => {
  it('writes a time as the language does', () => {
    for (const text of ['2026-11-26T14:00:05Z', '1970-01-01T00:00:00Z', '9999-12-31T23:59:59Z']) {
      assert.equal(timeText(secondsOf(text)), text);
    }
  });
});
