import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseRun, runIndexes, splitIntoRuns } from '../../../node/log/entry-run.ts';
import { entriesOf } from '../../support/log-fixture.ts';

const filled = (bytes: number, value = 7) => new Uint8Array(bytes).fill(value);

describe('splitIntoRuns', () => {
  it('ends a run where a bundle ends, and nowhere else for small entries', () => {
    const entries = Array.from({ length: 600 }, (_, i) => filled(3, i));
    assert.deepEqual(
      splitIntoRuns(250, entries).map(({ index, bytes }) => [index, parseRun(bytes).length]),
      [
        [250, 6],
        [256, 256],
        [512, 256],
        [768, 82],
      ],
    );
    assert.deepEqual(runIndexes(250, entries), [250, 256, 512, 768]);
  });

  it('keeps a run within 2^18 bytes, unless one entry has more alone', () => {
    const entries = Array.from({ length: 9 }, () => filled(65_535));
    const runs = splitIntoRuns(0, entries);
    assert.deepEqual(runIndexes(0, entries), [0, 3, 6]);
    assert.ok(runs.every(({ bytes }) => bytes.length <= 1 << 18));
    assert.throws(() => splitIntoRuns(0, [filled(65_536)]), RangeError);
  });

  it('gives nothing for nothing', () => {
    assert.deepEqual(splitIntoRuns(5, []), []);
  });

  it('joined, the runs of a bundle are the bundle of C2SP tlog-tiles', () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 700 }),
        (index, entries) => {
          const runs = splitIntoRuns(index, entries);
          assert.deepEqual(
            entriesOf(Buffer.concat(runs.map(({ bytes }) => bytes))).map((entry) => [...entry]),
            entries.map((entry) => [...entry]),
          );
          let next = index;
          for (const run of runs) {
            assert.equal(run.index, next);
            const parsed = parseRun(run.bytes);
            next += parsed.length;
            assert.equal(Math.floor(run.index / 256), Math.floor((next - 1) / 256));
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('parseRun', () => {
  it('refuses a run that ends within an entry or its length', () => {
    const run = splitIntoRuns(0, [filled(3), filled(2)])[0]?.bytes ?? filled(0);
    assert.equal(parseRun(run).length, 2);
    assert.equal(parseRun(run.subarray(0, 5)).length, 1);
    for (const end of [1, 2, 4, 6, 7, 8]) assert.throws(() => parseRun(run.subarray(0, end)), RangeError);
  });
});
