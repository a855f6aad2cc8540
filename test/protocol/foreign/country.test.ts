import assert from 'node:assert/strict';
import { countryOf, isSameIssuer } from '../../../protocol/foreign/country.ts';

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const PAIRS = LETTERS.flatMap((first) => LETTERS.map((second) => first + second));

describe('countryOf', () => {
  it('knows the three letters of every country of ISO 3166-1, each by letters of its own', () => {
    const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
    const known = PAIRS.flatMap((pair) => LETTERS.map((letter) => pair + letter))
      .map((code) => [code, countryOf(code)] as const)
      .filter(([code, country]) => country !== code);
    const ofIso = known.filter(([code]) => !['EUE', 'UNO', 'RKS', 'XKX'].includes(code));
    assert.equal(ofIso.length, 249);
    assert.equal(new Set(ofIso.map(([, country]) => country)).size, 249);
    for (const [code, country] of known) assert.ok(names.of(country), code);
  });

  for (const [code, country] of [
    ['AUT', 'AT'],
    ['aut', 'AT'],
    ['AT', 'AT'],
    ['D', 'DE'],
    ['CHE', 'CH'],
    ['CHN', 'CN'],
    ['XXA', 'XXA'],
    ['', ''],
    ['AUTO', 'AUTO'],
    ['https://cards.example', 'https://cards.example'],
  ] as const)
    it(`gives "${country}" for "${code}"`, () => assert.equal(countryOf(code), country));
});

describe('isSameIssuer', () => {
  it('tells countries and addresses apart', () => {
    for (const [one, other] of [
      ['AUT', 'AT'],
      ['D', 'DEU'],
      ['KS', 'RKS'],
      ['https://a.example', 'https://a.example'],
    ] as const)
      assert.ok(isSameIssuer(one, other), one);
    for (const [one, other] of [
      ['AUT', 'AU'],
      ['AUT', 'AUS'],
      ['', 'AT'],
      ['https://a.example', 'https://A.example'],
    ] as const)
      assert.ok(!isSameIssuer(one, other), one);
  });
});
