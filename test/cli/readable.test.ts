import assert from 'node:assert/strict';
import { readableLines } from '../../cli/readable.ts';

describe('readableLines', () => {
  it('B17: lets no text act on a terminal, wherever it stands: in values, arrays, keys and maps', () => {
    const bad = 'x\u001b[1A\r\n\u202e';
    const shown = 'x\\u{1b}[1A\\u{d}\\u{a}\\u{202e}';
    const value = {
      text: bad,
      list: [bad, 'y'],
      nested: [{ [bad]: bad }],
      map: new Map<number, unknown>([[1, [bad]]]),
    };
    const lines = readableLines(value);
    for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u001f\u202e]/);
    assert.equal(lines[0], `text: ${shown}`);
    assert.deepEqual(
      lines.slice(-2).map((line) => line.trim().slice(0, 4)),
      ['map:', '1: "'],
    );
  });

  it('shows arrays whole, and where each text in them ends', () => {
    const addresses = Array.from({ length: 60 }, (_, i) => `/ip4/10.0.0.${i}/tcp/1`);
    assert.deepEqual(readableLines({ addresses }), [`addresses: ${addresses.join(' ')}`]);
    assert.deepEqual(readableLines({ list: ['a b', '', 'c"', 'd'] }), ['list: "a b" "" "c\\"" d']);
  });

  it('tells an index set by its count and ranges, and says how many ranges it leaves out', () => {
    const of = (...members: readonly number[]) => readableLines({ set: Float64Array.from(members) });
    assert.deepEqual(of(), ['set: 0 indexes: ']);
    assert.deepEqual(of(7), ['set: 1 index: 7']);
    assert.deepEqual(of(0, 1, 2, 3, 9, 11, 12), ['set: 7 indexes: 0-3 9 11-12']);
    assert.deepEqual(of(...Array(5_000).keys()), ['set: 5,000 indexes: 0-4999']);
    const odd = (count: number) => Array.from({ length: count }, (_, i) => 2 * i + 1);
    assert.deepEqual(of(...odd(2_000)), [`set: 2,000 indexes: ${odd(2_000).join(' ')}`]);
    assert.deepEqual(of(...odd(2_003)), [
      `set: 2,003 indexes: ${odd(2_000).join(' ')}; NOT SHOWN: 3 ranges more, of 2,003`,
    ]);
  });
});
