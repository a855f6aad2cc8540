import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { hcertKeyOf } from '../../../node/foreign/hcert-key.ts';
import { encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { VACCINATED } from '../../support/announced-fixture.ts';
import { TestCli } from '../../support/cli.ts';
import { codesOf, type Told } from '../../support/cli-world.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { makeHcert } from '../../support/hcert-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

const NOW_S = 1_795_436_400;
const SIGNER = makeEcSigner();
const DER = makeCertificate(SIGNER, { country: 'AT' });
const KEY_ID = new Uint8Array(Buffer.from(hcertKeyOf(DER).keyId, 'base64'));
const TARGETED = { in: [{ var: 'payload.v.0.tg' }, { var: 'external.valueSets.disease-agent-targeted' }] };

/** A rule as member states exchange them. */
const ruleOf = (more: object = {}) => ({
  Identifier: 'VR-DE-0001',
  Type: 'Acceptance',
  Country: 'DE',
  Version: '1.0.0',
  SchemaVersion: '1.0.0',
  Engine: 'CERTLOGIC',
  EngineVersion: '1.0.0',
  CertificateType: 'Vaccination',
  Description: [
    { lang: 'en', desc: 'It has to be against the targeted disease.' },
    { lang: 'de', desc: 'Sie muss gegen die Krankheit sein.' },
  ],
  ValidFrom: '2026-06-01T00:00:00Z',
  ValidTo: '2030-06-01T00:00:00Z',
  AffectedFields: ['v.0.tg'],
  Logic: TARGETED,
  ...more,
});
const SET = { valueSetId: 'disease-agent-targeted', valueSetValues: { '840539006': { display: 'x' } } };

describe('entente adapter rules', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  const file = (name: string, value: unknown) => {
    writeFileSync(cli.path(name), typeof value === 'string' ? value : JSON.stringify(value));
    return cli.path(name);
  };
  const announce = (rules: unknown, sets: unknown = SET, ...more: readonly string[]) =>
    cli.run(
      ...['adapter', 'rules', cli.path('DE'), 'eu', '--file', file('rules.json', rules)],
      ...(sets === null ? [] : ['--value-sets', file('sets.json', sets)]),
      ...more,
    );
  const text = () =>
    makeHcert(SIGNER, {
      certificate: VACCINATED,
      protectedHeader: new Map<number, unknown>([
        [1, -7],
        [4, KEY_ID],
      ]),
      issuedAt: NOW_S - 3_600,
      expiresAt: NOW_S + 86_400,
    });

  before(async () => {
    cli = new TestCli(folder());
    cli.nowS = NOW_S;
    for (const region of ['AT', 'DE']) await cli.json('init', region, '--dir', cli.path(region));
    const keys = file('list.json', [{ rawData: encodeBase64(DER) }]);
    await cli.json('rules', 'activate', cli.path('AT'), 'hcert');
    await cli.json('adapter', 'announce', cli.path('AT'), 'dcc', '--keys', keys, '--rules', 'hcert');
    await cli.json('recognise', cli.path('DE'), cli.path('AT'), '--way', 'adapter');
  });

  for (const [name, rules, sets, message] of [
    ['a file that is no JSON', '{', SET, /is not JSON.*RULES_INVALID/],
    ['B64 a name twice', '{"Type":1,"Type":2}', SET, /has a name twice/],
    ['a rule without an identifier', ruleOf({ Identifier: undefined }), SET, /a rule: Identifier/],
    ['another engine', ruleOf({ Engine: 'CQL' }), SET, /VR-DE-0001: Engine/],
    ['a version that is none', ruleOf({ Version: '1' }), SET, /VR-DE-0001: Version expected a version/],
    ['a time that is none', ruleOf({ ValidTo: 'soon' }), SET, /VR-DE-0001: ValidTo expected a time/],
    ['an end before the begin', ruleOf({ ValidTo: '2026-01-01T00:00:00Z' }), SET, /ends before it begins/],
    ['no logic', ruleOf({ Logic: undefined }), SET, /VR-DE-0001: Logic/],
    ['an operation that is none', ruleOf({ Logic: { '==': [1, 1] } }), SET, /VR-DE-0001: Logic/],
    [
      'a good rule beside a bad one',
      [ruleOf(), ruleOf({ Identifier: 'VR-DE-0002', Type: 'Advice' })],
      SET,
      /1 rule cannot be taken/,
    ],
    [
      'rules of other countries alone',
      [ruleOf({ Country: 'AT' })],
      SET,
      /expected 1 to 128 rules of DE, and there are 0/,
    ],
    [
      'a set of values that no file has',
      ruleOf(),
      null,
      /1 set of values that no file has: disease-agent-targeted/,
    ],
    ['a set that is none', ruleOf(), [1], /is no set of values/],
    ['a version twice', [ruleOf(), ruleOf()], SET, /a version stands twice/],
  ] as const)
    it(`refuses ${name}, and logs nothing`, async () => {
      const { exit, err } = await announce(rules, sets);
      assert.notEqual(exit, 0);
      assert.match(err, message);
      const { adapters } = await cli.json<{ adapters: object[] }>('adapter', 'show', cli.path('DE'));
      assert.deepEqual(adapters, []);
    });

  it('a gate holds certificates of others against them, with their words, until they are withdrawn', async () => {
    const verdict = () => cli.json<Told>('verify', '--region', cli.path('DE'), text());
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    assert.equal((await verdict()).outcome, 'pass');
    const { out, err } = await announce({
      'VR-DE-0001': [ruleOf()],
      'VR-AT-0001': [ruleOf({ Country: 'AT' })],
    });
    assert.match(out, /^DE announces 1 rule for EU certificates as eu from /);
    assert.match(err, /1 rule of other countries left out/);
    assert.match(
      (await cli.run('adapter', 'show', cli.path('DE'))).out,
      /^eu, version 1: 1 rule for EU certificates, until /,
    );
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    assert.equal((await verdict()).outcome, 'pass');
    await announce(ruleOf({ Version: '1.0.1' }), { 'disease-agent-targeted': ['1'] }, '--language', 'de');
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    assert.ok(codesOf(await verdict()).includes('RULE_STOPS'));
    const told = await cli.run('verify', '--region', cli.path('DE'), '--explain', text());
    assert.match(told.out, /RULE_STOPS[^]*VR-DE-0001[^]*Sie muss gegen die Krankheit sein\./);
    const keys = cli.path('list.json');
    const codes = ['adapter', 'announce', cli.path('DE'), 'eu', '--keys', keys, '--rules', 'hcert'];
    writeFileSync(
      keys,
      JSON.stringify([{ rawData: encodeBase64(makeCertificate(SIGNER, { country: 'DE' })) }]),
    );
    await cli.json('rules', 'activate', cli.path('DE'), 'hcert');
    assert.match(
      (await cli.run(...codes)).err,
      /DE announces eu already, for the rules of its country .*REFUSED[^]*Choose another name/,
    );
    await cli.json('adapter', 'withdraw', cli.path('DE'), 'eu');
    await cli.json('witness', cli.path('DE'), cli.path('AT'));
    assert.equal((await verdict()).outcome, 'pass');
  });
});
