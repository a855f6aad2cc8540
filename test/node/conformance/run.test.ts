import assert from 'node:assert/strict';
import { formatConformance, isConformant, runConformance } from '../../../node/conformance/run.ts';
import { Tally, type Suite, type SuiteResult } from '../../../node/conformance/suite.ts';
import { SUITES } from '../../../node/conformance/suites.ts';

function suite(name: string, run: Suite['run']): Suite {
  return { name, run };
}

function result(passed: number, failed: number, skipped: number, ...reasons: string[]): SuiteResult {
  return { passed, failed, skipped, reasons };
}

describe('runConformance', () => {
  it('runs every suite over the folder, in order', async () => {
    const seen: string[] = [];
    const noting = (name: string): Suite =>
      suite(name, (dir) => {
        seen.push(`${name} ${dir}`);
        return Promise.resolve(result(1, 0, 0));
      });
    const results = await runConformance('/folder', [noting('a'), noting('b')]);
    assert.deepEqual(seen, ['a /folder', 'b /folder']);
    assert.deepEqual(results, [
      { name: 'a', passed: 1, failed: 0, skipped: 0, reasons: [] },
      { name: 'b', passed: 1, failed: 0, skipped: 0, reasons: [] },
    ]);
  });

  it('counts an exception as a failure of its suite and runs the others', async () => {
    const results = await runConformance('/folder', [
      suite('broken', () => Promise.reject(new Error('no such thing'))),
      suite('sound', () => Promise.resolve(result(2, 0, 0))),
    ]);
    assert.deepEqual(
      results.map(({ passed, failed }) => [passed, failed]),
      [
        [0, 1],
        [2, 0],
      ],
    );
    assert.match(results[0]?.reasons[0] ?? '', /no such thing/);
  });

  it('has suites whose names differ', () => {
    assert.ok(SUITES.length > 0);
    assert.equal(new Set(SUITES.map(({ name }) => name)).size, SUITES.length);
  });
});

describe('isConformant', () => {
  for (const [name, results, expected] of [
    ['all passed', [result(3, 0, 0)], true],
    ['some skipped', [result(3, 0, 1)], true],
    ['one failed', [result(3, 1, 0)], false],
    ['one of two suites passed nothing', [result(3, 0, 0), result(0, 0, 1)], false],
    ['no suite at all', [], false],
  ] as const) {
    it(`is ${expected} where ${name}`, () => {
      assert.equal(isConformant(results.map((one) => ({ name: 'suite', ...one }))), expected);
    });
  }
});

describe('formatConformance', () => {
  it('gives a line of counts for each suite and its reasons below it', () => {
    const text = formatConformance([
      { name: 'a', ...result(3, 1, 1, 'failed: x', 'skipped: y') },
      { name: 'b', ...result(2, 0, 0) },
    ]);
    assert.equal(
      text,
      'a: 3 passed, 1 failed, 1 skipped\n  failed: x\n  skipped: y\nb: 2 passed, 0 failed, 0 skipped',
    );
  });
});

describe('Tally', () => {
  it('counts, and says why for what did not pass', () => {
    const tally = new Tally();
    tally.pass();
    tally.settle(undefined);
    tally.settle('case 3');
    tally.skip('case 4');
    assert.deepEqual(tally.result(), result(2, 1, 1, 'failed: case 3', 'skipped: case 4'));
  });

  it('keeps 100 reasons and counts on', () => {
    const tally = new Tally();
    for (let i = 0; i < 101; i++) tally.fail(`case ${i}`);
    assert.equal(tally.result().failed, 101);
    assert.equal(tally.result().reasons.length, 100);
  });
});
