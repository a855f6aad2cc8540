import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  attestationLogOrigin,
  encodeOrigin,
  isAttestationLogId,
  isNetwork,
  isRegion,
  parseOrigin,
  trustLogOrigin,
  witnessName,
  type Origin,
} from '../../../protocol/log/origin.ts';

const refuses = (text: string) =>
  assert.throws(
    () => parseOrigin(text),
    (e) => isProtocolError(e, 'ORIGIN_INVALID'),
    JSON.stringify(text),
  );

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const DIGITS = [...'0123456789'];
const text = (alphabet: readonly string[], minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
const region = fc
  .tuple(text(LETTERS, 2, 2), fc.option(text([...LETTERS, ...DIGITS], 1, 3)))
  .map(([country, part]) => (part === null ? country : `${country}-${part}`));
const network = text([...'abcxyz', ...DIGITS, '-'], 1, 32).filter(
  (n) => !n.startsWith('-') && !n.endsWith('-'),
);
const log = fc
  .tuple(
    fc.integer({ min: 2000, max: 2999 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([year, month, k]) => `${year}-${String(month).padStart(2, '0')}${k === 0 ? '' : `.${k}`}`);
const plain = { noNullPrototype: true };
const origin: fc.Arbitrary<Origin> = fc.oneof(
  fc.record({ kind: fc.constantFrom('trust' as const, 'witness' as const), region, network }, plain),
  fc.record({ kind: fc.constant('attest' as const), region, network, log }, plain),
);

describe('origin', () => {
  it('the names of a region are those of SPEC.md 4.1', () => {
    assert.equal(trustLogOrigin('CN-33', 'demo'), 'CN-33.demo/trust');
    assert.equal(attestationLogOrigin('CN-33', 'demo', '2026-11.2'), 'CN-33.demo/attest/2026-11.2');
    assert.equal(witnessName('DE', 'demo'), 'DE.demo/witness');
  });

  it('isRegion takes ISO 3166 forms and nothing just outside them', () => {
    for (const good of ['DE', 'CN-33', 'GB-ENG', 'FR-A', 'US-1']) assert.ok(isRegion(good), good);
    for (const bad of [
      '',
      'D',
      'DEU',
      'de',
      'D1',
      'DE-',
      'DE-ABCD',
      'DE-a',
      'DE-33-1',
      'DE ',
      ' DE',
      'DE\n',
      'DE.',
      'ＤＥ',
    ]) {
      assert.ok(!isRegion(bad), JSON.stringify(bad));
    }
  });

  it('isNetwork takes one label of 1 to 32 characters', () => {
    for (const good of ['a', '0', 'demo', 'a-b', 'a--b', 'a'.repeat(32)]) assert.ok(isNetwork(good), good);
    for (const bad of ['', '-', '-a', 'a-', 'A', 'a.b', 'a_b', 'a'.repeat(33), 'a/b', 'a+b', 'é', 'a\n']) {
      assert.ok(!isNetwork(bad), JSON.stringify(bad));
    }
  });

  it('isAttestationLogId takes months of the years 2000 to 2999 and replacements 1 to 9', () => {
    for (const good of ['2000-01', '2999-12', '2026-11.1', '2026-10.9'])
      assert.ok(isAttestationLogId(good), good);
    for (const bad of [
      '',
      '1999-12',
      '3000-01',
      '2026-00',
      '2026-13',
      '2026-1',
      '2026-11.',
      '2026-11.0',
      '2026-11.10',
      '2026-11-01',
      '02026-11',
      '２026-11',
      '2026-11\n',
      'trust',
    ]) {
      assert.ok(!isAttestationLogId(bad), JSON.stringify(bad));
    }
  });

  it('parseOrigin T19: refuses letters that look like ASCII', () => {
    refuses('CN-\u0421\u041d.demo/trust');
    refuses('\u0421N-33.demo/trust');
    refuses('CN-33.d\u0435mo/trust');
    refuses('CN-33.demo/trus\u0442');
    refuses('CN-33\u2024demo/trust');
  });

  it('parseOrigin A19: refuses a plus sign, white space, control characters and path tricks', () => {
    for (const bad of [
      '', '/', '.', 'CN-33.demo', 'CN-33.demo/', 'CN-33.demo/trust/', 'CN-33.demo//trust', 'CN-33.demo/Trust',
      'CN-33.demo/trust+1', 'CN-33.demo/trust ', ' CN-33.demo/trust', 'CN-33.demo/trust\n', 'CN-33.demo/trust\0',
      'CN-33/trust', '.demo/trust', 'CN-33.demo.net/trust', 'CN-33.demo/attest', 'CN-33.demo/attest/',
      'CN-33.demo/attest/2026-13', 'CN-33.demo/attest/2026-11/1', 'CN-33.demo/attest/../trust',
      'CN-33.demo/witness/2026-11', 'x\nCN-33.demo/trust', 'cn-33.demo/trust',
    ]) refuses(bad); // prettier-ignore
  });

  it('encodeOrigin refuses parts that have not their form', () => {
    for (const bad of ['', 'cn', 'CN-33.x', 'CN-33.demo/trust'])
      assert.throws(() => trustLogOrigin(bad, 'demo'), RangeError);
    for (const bad of ['', 'Demo', 'a.b', 'demo/trust'])
      assert.throws(() => witnessName('DE', bad), RangeError);
    for (const bad of ['', '2026', 'trust'])
      assert.throws(() => attestationLogOrigin('DE', 'demo', bad), RangeError);
  });

  it('property: round trip', () => {
    fc.assert(fc.property(origin, (value) => assert.deepEqual(parseOrigin(encodeOrigin(value)), value)));
  });

  it('property: what parseOrigin accepts is the only name of what it gives', () => {
    const near = fc
      .tuple(origin.map(encodeOrigin), fc.nat(), fc.string({ maxLength: 2 }))
      .map(([name, at, change]) => {
        const place = at % (name.length + 1);
        return name.slice(0, place) + change + name.slice(place + 1);
      });
    fc.assert(
      fc.property(near, (name) => {
        try {
          assert.equal(encodeOrigin(parseOrigin(name)), name);
        } catch (error) {
          if (!isProtocolError(error, 'ORIGIN_INVALID')) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
