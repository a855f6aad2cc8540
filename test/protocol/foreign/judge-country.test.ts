import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  type CountryRuleData,
  countryRulesData,
  readCountryRules,
} from '../../../protocol/foreign/country-rules.ts';
import { type LoggedAdapter } from '../../../protocol/trust/trust-state.ts';
import {
  adapterOf,
  type AnnouncedCheck,
  announcedVerdict,
  certificate,
  DAY_S,
  HCERT_RULES,
  testOf,
} from '../../support/announced-fixture.ts';
import { hcertKey } from '../../support/hcert-fixture.ts';
import { SIGNER } from '../../support/announced-fixture.ts';
import { recognised } from '../../support/stub-trust.ts';
import { NOW_S } from '../../support/verdict-fixture.ts';

const AT_LEAST = (doses: number) => ({ '>=': [{ var: 'payload.v.0.dn' }, doses] });

function ruleOf(logic: unknown, more: Partial<CountryRuleData> = {}): CountryRuleData {
  return {
    id: 'VR-DE-0001',
    type: 'acceptance',
    version: [1, 0, 0],
    certificate: 'vaccination',
    from: NOW_S - DAY_S,
    until: NOW_S + DAY_S,
    logic: JSON.stringify(logic),
    why: 'A series has to be complete.',
    ...more,
  };
}

function announcing(
  rules: readonly CountryRuleData[],
  {
    id = 'eu',
    valueSets = {},
    fromS = 0,
    untilS = NOW_S + DAY_S,
  }: Partial<LoggedAdapter> & { valueSets?: Record<string, string[]> } = {},
): LoggedAdapter {
  return { id, version: 1, fromS, untilS, data: countryRulesData(rules, valueSets) };
}

/** DE is the home, and AT has issued the certificate. */
const atHome = (...adapters: readonly LoggedAdapter[]): AnnouncedCheck => ({ home: { adapters } });
const atIssuer = (...adapters: readonly LoggedAdapter[]): AnnouncedCheck => ({
  issuer: { rules: [HCERT_RULES], adapters: [adapterOf(), ...adapters] },
});

async function outcomeOf(check: AnnouncedCheck): Promise<string> {
  const { outcome, reasons } = await announcedVerdict(check);
  const against = reasons.filter((reason) => reason.outcome !== 'note').map(({ code }) => code);
  return [outcome, ...new Set(against)].join(' ');
}

const STOPPED = 'stop RULE_STOPS';
const OPEN = 'undetermined RULE_WITHOUT_VALUE';

describe('countryReasons', () => {
  it('stops a certificate that a rule of acceptance of the home refuses, with its words and version', async () => {
    assert.equal(await outcomeOf(atHome(announcing([ruleOf(AT_LEAST(2))]))), 'pass');
    const { outcome, reasons } = await announcedVerdict(atHome(announcing([ruleOf(AT_LEAST(3))])));
    assert.equal(outcome, 'stop');
    const reason = reasons.find(({ code }) => code === 'RULE_STOPS');
    assert.equal(reason?.region, 'DE');
    assert.deepEqual(reason.details, {
      rules: 'eu',
      version: '1.0.0',
      rule: 'VR-DE-0001',
      why: 'A series has to be complete.',
    });
  });

  it('stops a certificate that a rule of its issuer voids', async () => {
    const voided = (doses: number) => announcing([ruleOf(AT_LEAST(doses), { type: 'invalidation' })]);
    assert.equal(await outcomeOf(atIssuer(voided(3))), 'pass');
    assert.equal(await outcomeOf(atIssuer(voided(2))), STOPPED);
  });

  it('T5 lets no country ask for more than its part: acceptance at its own gates, voiding of its own certificates', async () => {
    assert.equal(await outcomeOf(atIssuer(announcing([ruleOf(false)]))), 'pass');
    assert.equal(await outcomeOf(atHome(announcing([ruleOf(true, { type: 'invalidation' })]))), 'pass');
    const bystander = {
      region: 'BE',
      adapters: [announcing([ruleOf(false), ruleOf(true, { type: 'invalidation', id: 'IR-BE-0001' })])],
    };
    const recognition = {
      standing: 'recognised',
      region: 'BE',
      version: 1,
      fingerprint: new Uint8Array(32),
      way: 'adapter',
      rules: null,
      fromS: 0,
      untilS: 1e12,
    } as const;
    assert.equal(await outcomeOf({ more: [{ state: bystander, recognition }] }), 'pass');
  });

  it('T5 lets no other region of that country free what a rule of one has voided', async () => {
    const sister = {
      state: { region: 'AT-9', rules: [HCERT_RULES], adapters: [adapterOf()] },
      recognition: recognised('AT-9', { way: 'adapter' }),
    };
    const voided = (doses: number) => ({
      ...atIssuer(announcing([ruleOf(AT_LEAST(doses), { type: 'invalidation' })])),
      more: [sister],
    });
    assert.equal(await outcomeOf(voided(3)), 'pass');
    assert.equal(await outcomeOf(voided(2)), 'undetermined FOREIGN_REGIONS_DIFFER');
  });

  for (const [name, value] of [
    ['a number', 1],
    ['a text', 'true'],
    ['nothing', { var: 'payload.v.0.nowhere' }],
    ['an error', { '>': [{ var: 'payload.v.0.tg' }, 1] }],
  ] as const)
    it(`is undetermined where a rule gives ${name}`, async () => {
      assert.equal(await outcomeOf(atHome(announcing([ruleOf(value)]))), OPEN);
      assert.equal(await outcomeOf(atIssuer(announcing([ruleOf(value, { type: 'invalidation' })]))), OPEN);
    });

  it('counts a rule from its first second to before its end, and within the window of its statement', async () => {
    const outcome = (rule: Partial<CountryRuleData>, window: Partial<LoggedAdapter> = {}) =>
      outcomeOf(atHome(announcing([ruleOf(false, rule)], window)));
    assert.equal(await outcome({ from: NOW_S }), STOPPED);
    assert.equal(await outcome({ from: NOW_S + 1 }), 'pass');
    assert.equal(await outcome({ until: NOW_S + 1 }), STOPPED);
    assert.equal(await outcome({ until: NOW_S }), 'pass');
    assert.equal(await outcome({}, { fromS: NOW_S }), STOPPED);
    assert.equal(await outcome({}, { fromS: NOW_S + 1 }), 'pass');
    assert.equal(await outcome({}, { untilS: NOW_S + 1 }), STOPPED);
    assert.equal(await outcome({}, { untilS: NOW_S }), 'pass');
  });

  it('of several versions in force the highest counts, number by number', async () => {
    const versions = (...all: readonly (readonly [CountryRuleData['version'], boolean])[]) =>
      outcomeOf(atHome(announcing(all.map(([version, logic]) => ruleOf(logic, { version })))));
    assert.equal(await versions([[1, 9, 0], false], [[1, 10, 0], true]), 'pass');
    assert.equal(await versions([[1, 10, 0], true], [[1, 10, 1], false]), STOPPED);
    assert.equal(await versions([[2, 0, 0], true], [[1, 99, 99], false]), 'pass');
    const later = ruleOf(true, { version: [2, 0, 0], from: NOW_S + 1 });
    assert.equal(await outcomeOf(atHome(announcing([later, ruleOf(false)]))), STOPPED, 'not in force yet');
    const apart = [announcing([ruleOf(false)]), announcing([{ ...later, from: 0 }], { id: 'more' })];
    assert.equal(await outcomeOf(atHome(...apart)), 'pass', 'in another statement');
  });

  it('applies rules to certificates of their kind, and in their part of the country', async () => {
    const outcome = (rule: Partial<CountryRuleData>, text?: string) =>
      outcomeOf({ ...atHome(announcing([ruleOf(false, rule)])), ...(text !== undefined && { text }) });
    const tested = certificate({ certificate: testOf('260415000') });
    assert.equal(await outcome({ certificate: 'test' }), 'pass');
    assert.equal(await outcome({ certificate: 'test' }, tested), STOPPED);
    assert.equal(await outcome({}, tested), 'pass');
    assert.equal(await outcome({ certificate: 'general' }), STOPPED);
    assert.equal(await outcome({ region: 'BW' }), 'pass', 'the home is no part');
  });

  it('reads the certificate, sets of values, and what stands outside of it', async () => {
    const kid = hcertKey(SIGNER).keyId;
    const external = {
      countryCode: 'DE',
      issuerCountryCode: 'AT',
      region: '',
      kid,
    };
    const same = Object.entries(external).map(([name, value]) => ({
      '===': [{ var: `external.${name}` }, value],
    }));
    const day = (of: string) => ({ plusTime: [{ var: `external.${of}` }, 0, 'day'] });
    const times = { before: [day('iat'), day('validationClock'), day('exp')] };
    const known = { in: [{ var: 'payload.v.0.tg' }, { var: 'external.valueSets.disease-agent-targeted' }] };
    const rule = ruleOf({ and: [...same, times, known] });
    const sets = (values: string[]) => ({ valueSets: { 'disease-agent-targeted': values } });
    assert.equal(await outcomeOf(atHome(announcing([rule], sets(['840539006'])))), 'pass');
    assert.equal(await outcomeOf(atHome(announcing([rule], sets(['1'])))), STOPPED);
  });

  it('B6 is undetermined where rules take more steps than they may', async () => {
    const values = Array.from({ length: 1_000 }, (_, i) => `v${i}`);
    const costly = { in: ['none', { var: 'external.valueSets.many' }] };
    const rules = Array.from({ length: 30 }, (_, i) => ruleOf({ '!': [costly] }, { id: `VR-DE-${i}` }));
    assert.equal(await outcomeOf(atHome(announcing(rules, { valueSets: { many: values } }))), OPEN);
    assert.equal(
      await outcomeOf(atHome(announcing(rules.slice(0, 10), { valueSets: { many: values } }))),
      'pass',
    );
  });
});

describe('readCountryRules', () => {
  const good = announcing([ruleOf(true)]);
  const refuses = (data: object) =>
    assert.throws(
      () => readCountryRules({ ...good, data: data as LoggedAdapter['data'] }),
      (error) => isProtocolError(error, 'STATEMENT_MALFORMED'),
    );

  it('reads what countryRulesData makes', () => {
    const { rules, valueSets } = readCountryRules(good);
    assert.deepEqual([rules.length, rules[0]?.id, valueSets], [1, 'VR-DE-0001', {}]);
  });

  for (const [name, change] of [
    ['a member that is not known', { more: 1 }],
    ['no version', { version: undefined }],
    ['a version of two numbers', { version: [1, 0] }],
    ['a type that is none', { type: 'advice' }],
    ['an end before the begin', { until: NOW_S - DAY_S }],
    ['logic that is no JSON', { logic: '{' }],
    ['B64 logic with a name twice', { logic: '{"var":"a","var":"b"}' }],
    ['logic of another language', { logic: '{"or":[1,2]}' }],
    ['logic that is too long', { logic: `"${'x'.repeat(8_191)}"` }],
    ['words with control characters', { why: 'a\nb' }],
    ['words that are too long', { why: 'x'.repeat(257) }],
  ] as const)
    it(`refuses ${name}`, () => {
      refuses({ ...good.data, rules: [{ ...ruleOf(true), ...change }] });
    });

  it('refuses too many rules, a version twice, too many sets and values', () => {
    const { data } = good;
    refuses({ ...data, rules: [] });
    refuses({ ...data, rules: Array.from({ length: 129 }, (_, i) => ruleOf(true, { id: `GR-${i}` })) });
    refuses({ ...data, rules: [ruleOf(true), ruleOf(false)] });
    refuses({ ...data, valueSets: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`s${i}`, []])) });
    refuses({ ...data, valueSets: { many: Array.from({ length: 1_025 }, () => 'v') } });
  });
});
