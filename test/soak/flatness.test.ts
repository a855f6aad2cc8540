import assert from 'node:assert/strict';
import { type Sample, slopePerMinute, windowMinima } from './flatness.ts';
import { IN_MINUTES, judge as judgeBy } from './judge.ts';
import { type Soaked } from './soak.ts';

const MB = 2 ** 20;

/** Two minutes of a sawtooth of 8 MB, with an outlier now and then, that grows by `mbPerMinute`. */
function sawtooth(mbPerMinute: number): Sample[] {
  return Array.from({ length: 60 }, (_, i) => {
    const atMs = 2_000 * i;
    const outlier = i % 17 === 3 ? 30 : 0;
    return { atMs, value: MB * (100 + (i % 4) * 2 + outlier + (mbPerMinute * atMs) / 60_000) };
  });
}

function judge(soaked: Soaked) {
  return judgeBy(soaked, IN_MINUTES);
}

function soakedWith(figures: Partial<Soaked>): Soaked {
  const [rss, held, fds, cpuS] = [new Map(), new Map(), new Map(), new Map()];
  const counts = {
    issued: 0,
    revoked: 0,
    restarts: 0,
    slowBytes: 0,
    slowCuts: 0,
    turnedAway: 0,
    undetermined: 0,
  };
  return { rss, held, fds, cpuS, ...counts, verdicts: {}, faults: [], ...figures };
}

describe('flatness', () => {
  it('windowMinima gives the least of each window, in order', () => {
    const samples = [5, 3, 4, 9, 8, 7].map((value, i) => ({ atMs: 100 + 10 * i, value }));
    assert.deepEqual(
      windowMinima(samples, 30).map(({ value }) => value),
      [3, 7],
    );
    assert.deepEqual(windowMinima([], 30), []);
  });

  it('slopePerMinute is the median of all slopes, and NaN where there are none', () => {
    const line = [0, 1, 2, 3].map((i) => ({ atMs: 30_000 * i, value: 7 + i }));
    assert.equal(slopePerMinute(line), 2);
    assert.equal(slopePerMinute([...line, { atMs: 120_000, value: 1_000 }]), 2);
    assert.ok(Number.isNaN(slopePerMinute(line.slice(0, 1))));
  });

  it('judge takes a thread that settles for flat, and finds that one grows by a MB a minute more', () => {
    const of = (mbPerMinute: number) =>
      soakedWith({
        held: new Map([
          ['DE', sawtooth(0)],
          ['FR', sawtooth(mbPerMinute)],
        ]),
      });
    assert.deepEqual(judge(of(0.4)).faults, []);
    assert.deepEqual(judge(of(-1)).faults, []);
    assert.match(judge(of(1.4)).faults.join(), /^FR held, MB: grows by 1(\.\d+)? a minute/);
  });

  it('judge finds six descriptors left open every minute, what was not sampled at all, and keeps what went wrong', () => {
    const open = sawtooth(0).map(({ atMs }) => ({ atMs, value: 40 + Math.floor(atMs / 10_000) }));
    assert.match(judge(soakedWith({ fds: new Map([['DE', open]]) })).faults.join(), /^DE descriptors: grows/);
    assert.match(judge(soakedWith({ held: new Map([['DE thread 1', []]]) })).faults.join(), /^DE thread 1/);
    assert.deepEqual(judge(soakedWith({ faults: ['a wrong verdict'] })).faults, ['a wrong verdict']);
  });
});
