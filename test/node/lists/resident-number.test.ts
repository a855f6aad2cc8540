import assert from 'node:assert/strict';
import { birthDateOf, checkCharacterOf, residentNumberFault } from '../../../node/lists/resident-number.ts';

/** Printed in GB 11643-1999 as an example; nobody's. */
const SAMPLE = '11010519491231002X';

describe('residentNumberFault', () => {
  it('takes a number whose check character fits, X among them', () => {
    assert.equal(residentNumberFault(SAMPLE), undefined);
    assert.equal(residentNumberFault('440524188001010014'), undefined);
    assert.equal(birthDateOf(SAMPLE), '1949-12-31');
  });

  it('B69: refuses every other check character, and every digit changed', () => {
    for (const character of '0123456789')
      assert.ok(residentNumberFault(SAMPLE.slice(0, 17) + character), character);
    for (let at = 0; at < 17; at++) {
      const digit = (Number(SAMPLE[at]) + 1) % 10;
      assert.ok(residentNumberFault(`${SAMPLE.slice(0, at)}${digit}${SAMPLE.slice(at + 1)}`), String(at));
    }
  });

  it('B69: refuses two neighbouring digits that were swapped', () => {
    for (let at = 0; at < 16; at++) {
      const [one = '', other = ''] = SAMPLE.slice(at, at + 2);
      if (one !== other)
        assert.ok(residentNumberFault(SAMPLE.slice(0, at) + other + one + SAMPLE.slice(at + 2)));
    }
  });

  const wrong: readonly [string, string][] = [
    ['15 digits', '110105491231002'],
    ['17 characters', SAMPLE.slice(1)],
    ['19 characters', `${SAMPLE}0`],
    ['a small x', SAMPLE.toLowerCase()],
    ['a letter within', `A${SAMPLE.slice(1)}`],
    ['nothing', ''],
  ];
  for (const [what, text] of wrong) it(`B69: refuses ${what}`, () => assert.ok(residentNumberFault(text)));

  it('B69: refuses 30 February as a day of birth, with a check character that fits', () => {
    const digits = '11010519900230002';
    assert.match(residentNumberFault(digits + checkCharacterOf(digits)) ?? '', /day of birth/);
  });
});
