import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeStatus, isRuleId, parseStatus, type Status } from '../../../protocol/code/status.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { hexBytes } from '../../../protocol/bytes.ts';

const SAFE_MAX = Number.MAX_SAFE_INTEGER;
const GREEN: Status = {
  colour: 'green',
  measure: 'none',
  expiresAtS: 1_795_000_000,
  ruleId: 'baseline',
  ruleVersion: 1,
};
const RED: Status = { ...GREEN, colour: 'red', measure: 'isolate', untilS: 1_795_100_000 };

/** What `parseStatus` gives: the end is there and undefined where there is no measure. */
const parsed = (status: Status): Status => ({ untilS: undefined, ...status });

function refuses(value: Uint8Array | string, why: string): void {
  const bytes = typeof value === 'string' ? hexBytes(value.replaceAll(' ', '')) : value;
  assert.throws(
    () => parseStatus(bytes),
    (error) => isProtocolError(error, 'FIELD_MALFORMED') && error.fault.details['field'] === 'status',
    why,
  );
}

describe('status', () => {
  it('encodeStatus gives the bytes of SPEC.md 5.2', () => {
    assert.deepEqual(
      encodeStatus(GREEN),
      hexBytes('a50100020004' + '1a6afd86c0' + '056862617365' + '6c696e65' + '0601'),
    );
    assert.deepEqual(
      encodeStatus(RED),
      hexBytes('a601020202' + '031a6aff0d60' + '041a6afd86c0' + '056862617365' + '6c696e65' + '0601'),
    );
  });

  it('parseStatus gives back every colour with every measure that it may have', () => {
    for (const colour of ['green', 'yellow', 'red'] as const) {
      for (const measure of ['none', 'home', 'isolate'] as const) {
        if (colour === 'green' && measure !== 'none') continue;
        const status: Status = { ...GREEN, colour, measure, ...(measure !== 'none' && { untilS: 1 }) };
        assert.deepEqual(parseStatus(encodeStatus(status)), parsed(status));
      }
    }
  });

  it('property: a status survives the round trip in at most 71 bytes', () => {
    const size = fc.integer({ min: 0, max: SAFE_MAX });
    const ruleId = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/);
    fc.assert(
      fc.property(size, size, size, ruleId, fc.boolean(), (untilS, expiresAtS, ruleVersion, id, isHome) => {
        const end = isHome ? ({ measure: 'home', untilS } as const) : ({ measure: 'none' } as const);
        const status: Status = { colour: 'yellow', ...end, expiresAtS, ruleId: id, ruleVersion };
        const bytes = encodeStatus(status);
        assert.ok(bytes.length <= 71);
        assert.deepEqual(parseStatus(bytes), parsed(status));
      }),
    );
  });

  it('parseStatus takes 0 and 2^53-1 as times and version, and nothing beyond', () => {
    for (const value of [0, SAFE_MAX]) {
      const status = { ...RED, untilS: value, expiresAtS: value, ruleVersion: value };
      assert.deepEqual(parseStatus(encodeStatus(status)), parsed(status));
    }
    const beyond = '1b0020000000000000';
    refuses(`a6 0102 0202 03${beyond} 0400 056161 0601`, 'until 2^53');
    refuses(`a5 0102 0200 04${beyond} 056161 0601`, 'expires 2^53');
    refuses(`a5 0102 0200 0400 056161 06${beyond}`, 'version 2^53');
  });

  it('parseStatus B37: rejects times that are negative, text, fractions, huge or longer than needed', () => {
    const good = 'a6 0102 0202 0301 0402 056161 0601';
    assert.equal(parseStatus(hexBytes(good.replaceAll(' ', ''))).untilS, 1);
    for (const [time, why] of [
      ['20', 'negative'],
      ['3bffffffffffffffff', '-2^64'],
      ['6131', 'text'],
      ['4101', 'bytes'],
      ['f93c00', 'half float 1.0'],
      ['fa3f800000', 'float 1.0'],
      ['fb3ff0000000000000', 'double 1.0'],
      ['f97e00', 'NaN'],
      ['1bffffffffffffffff', '2^64-1'],
      ['1801', 'not the shortest form'],
      ['c101', 'tagged'],
      ['f6', 'null'],
      ['8101', 'array'],
    ] as const) {
      refuses(good.replace('0301', `03${time}`), `until ${why}`);
      refuses(good.replace('0402', `04${time}`), `expires ${why}`);
      refuses(good.replace('0601', `06${time}`), `version ${why}`);
    }
  });

  it('parseStatus B38: rejects each missing key, each doubled one, further ones and a wrong order', () => {
    const entries = ['0102', '0202', '0301', '0402', '056161', '0601'];
    const map = (list: string[]) => (0xa0 + list.length).toString(16) + list.join('');
    assert.equal(parseStatus(hexBytes(map(entries))).colour, 'red');
    entries.forEach((entry, i) => {
      refuses(map(entries.toSpliced(i, 1)), `without ${entry}`);
      refuses(map(entries.toSpliced(i, 0, entry)), `twice ${entry}`);
      if (i > 0)
        refuses(map(entries.toSpliced(i - 1, 2, entry, entries[i - 1] as string)), `${entry} too early`);
    });
    for (const further of ['0000', '0700', '2000', '616100']) {
      refuses(map([...entries, further]), `with ${further}`);
      refuses(map([further, ...entries]), `with ${further} first`);
    }
    entries.forEach((entry, i) => {
      const renumbered = `0${Number(entry.slice(0, 2)) + 1}${entry.slice(2)}`;
      refuses(map(entries.with(i, renumbered)), `another key for ${entry}`);
    });
    refuses('a5' + entries.join(''), 'six entries that say five');
    refuses('a6' + entries.toSpliced(2, 1, '').join('').replace('0202', '0200'), 'five entries that say six');
    refuses('a0', 'empty map');
    refuses('86010202020301', 'array');
    refuses('bf' + entries.join('') + 'ff', 'indefinite length');
  });

  it('parseStatus rejects a measure without end and an end without measure', () => {
    refuses('a5 0102 0202 0402 056161 0601', 'no end');
    refuses('a6 0102 0200 0301 0402 056161 0601', 'no measure');
  });

  it('parseStatus rejects green with a measure, which no gate would know how to take', () => {
    for (const measure of ['01', '02']) {
      refuses(`a6 0100 02${measure} 0301 0402 056161 0601`, `green with measure ${measure}`);
      assert.equal(parseStatus(hexBytes(`a6010102${measure}03010402056161` + '0601')).colour, 'yellow');
    }
  });

  it('parseStatus rejects a colour or measure above 2', () => {
    refuses('a5 0103 0200 0402 056161 0601', 'colour 3');
    refuses('a6 0102 0203 0301 0402 056161 0601', 'measure 3');
    refuses('a5 0120 0200 0402 056161 0601', 'colour -1');
  });

  it('isRuleId and parseStatus hold to 1 to 32 characters of a-z, 0-9 and inner hyphens', () => {
    const withId = (id: string) =>
      encodeCbor(
        new Map<number, number | string>([
          [1, 0],
          [2, 0],
          [4, 2],
          [5, id],
          [6, 1],
        ]),
      );
    for (const id of ['a', '0', 'a-', 'a-b', 'a'.repeat(32)]) {
      assert.ok(isRuleId(id), id);
      assert.equal(parseStatus(withId(id)).ruleId, id);
    }
    for (const id of ['', '-a', 'A', 'a_b', 'a b', 'a\n', 'é', 'a'.repeat(33)]) {
      assert.ok(!isRuleId(id), id);
      refuses(withId(id), `rule id ${JSON.stringify(id)}`);
    }
  });

  it('parseStatus rejects every cut and every byte behind', () => {
    const bytes = encodeStatus(RED);
    for (let length = 0; length < bytes.length; length++)
      refuses(bytes.subarray(0, length), `${length} bytes`);
    refuses(Uint8Array.of(...bytes, 0), 'one byte more');
  });

  it('encodeStatus throws TypeError on what has no encoding', () => {
    for (const status of [
      { ...RED, untilS: undefined },
      { ...GREEN, untilS: 1 },
      { ...GREEN, measure: 'home' as const, untilS: 1 },
      { ...GREEN, expiresAtS: -1 },
      { ...GREEN, expiresAtS: 0.5 },
      { ...GREEN, expiresAtS: NaN },
      { ...GREEN, ruleVersion: 2 ** 53 },
      { ...RED, untilS: -1 },
      { ...GREEN, ruleId: '' },
      { ...GREEN, colour: 'blue' as 'green' },
    ]) {
      assert.throws(() => encodeStatus(status), TypeError, JSON.stringify(status));
    }
  });
});
