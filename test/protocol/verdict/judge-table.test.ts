import assert from 'node:assert/strict';
import { type ReasonCode, REASONS } from '../../../protocol/verdict/reasons.ts';
import { codesOf, verdictOf } from '../../support/verdict-fixture.ts';
import { ROWS_OF_BRIDGES } from '../../support/verdict-rows-of-bridges.ts';
import { ROWS_OF_CODES } from '../../support/verdict-rows-of-codes.ts';
import { ROWS_OF_REGIONS } from '../../support/verdict-rows-of-regions.ts';
import { ROWS_OF_RULES } from '../../support/verdict-rows-of-rules.ts';

const ROWS = [...ROWS_OF_REGIONS, ...ROWS_OF_CODES, ...ROWS_OF_BRIDGES, ...ROWS_OF_RULES];

describe('judge: every reason of SPEC 11', () => {
  it('passes a green code of a recognised region, with an identity check', () => {
    const verdict = verdictOf();
    assert.equal(verdict.outcome, 'pass');
    assert.deepEqual(codesOf(verdict), ['IDENTITY_CHECK']);
  });

  for (const { code, when, given, neighbour = {} } of ROWS) {
    it(`${code}: ${when}`, () => {
      const verdict = verdictOf(given);
      assert.ok(codesOf(verdict).includes(code), `got ${codesOf(verdict).join(', ')}`);
      const alone = REASONS[code].outcome;
      if (alone !== 'note') assert.equal(verdict.outcome, alone);
      const nearest = codesOf(verdictOf(neighbour));
      assert.ok(!nearest.includes(code), `the neighbour gives ${nearest.join(', ')}`);
    });
  }

  it('covers the whole table, but for codes of others', () => {
    const covered = new Set(ROWS.map(({ code }) => code));
    const missing = Object.keys(REASONS).filter((code) => !covered.has(code as ReasonCode));
    assert.deepEqual(
      missing.filter((code) => !/^(FOREIGN|NUMBER)_/.test(code)),
      [],
    );
  });

  it('gives each neighbour a pass where its row stops or leaves open, unless another rule holds', () => {
    const open = new Set<ReasonCode>(['KEY_UNKNOWN', 'KEY_NOT_YET_KNOWN', 'NOT_YET_ISSUED', 'GRADE_TOO_LOW']);
    for (const { code, when, neighbour = {} } of ROWS) {
      if (REASONS[code].outcome === 'note' || open.has(code)) continue;
      assert.equal(verdictOf(neighbour).outcome, 'pass', `${code}: ${when}`);
    }
  });
});
