import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ClockVotes, VOTE_MS_MAX } from '../../../node/clock/clock-votes.ts';

const TRUE_S = 1_800_000_000;
const HOUR_S = 3_600;

/** A node that recognises so many regions, and a clock that tests set. */
class Home {
  runMs = 50_000;
  /** Seconds by which the own clock is ahead of the truth. */
  aheadS = 0;
  readonly regions: readonly string[];
  readonly votes: ClockVotes;

  constructor(count: number) {
    this.regions = Array.from({ length: count }, (_, i) => `R${i}`);
    const clock = { nowMs: () => this.nowS * 1_000, runMs: () => this.runMs };
    this.votes = new ClockVotes({ clock, regions: () => this.regions });
  }

  get nowS(): number {
    return TRUE_S + this.aheadS + this.runMs / 1_000;
  }

  /** Region `i` says the time; `aheadS` is how wrong it is or lies. */
  says(i: number, aheadS = 0): void {
    const timestampS = Math.floor(TRUE_S + aheadS + this.runMs / 1_000);
    this.votes.take({ region: `R${i}`, timestampS, askedAtMs: this.runMs - 40, heardAtMs: this.runMs });
  }

  get mayItSign(): boolean {
    const { fromS, untilS } = this.votes.bounds() ?? { fromS: -Infinity, untilS: Infinity };
    const nowS = Math.floor(this.nowS);
    return nowS >= fromS && nowS <= untilS;
  }

  get standing(): string {
    return this.votes.report.standing;
  }
}

function homeOf(count: number, { heard, aheadS = 0 }: { heard: number; aheadS?: number }): Home {
  const home = new Home(count);
  home.aheadS = aheadS;
  for (let i = 0; i < heard; i++) home.says(i);
  return home;
}

describe('ClockVotes', () => {
  it('T15: a clock that is an hour or a year off does not sign once most regions say so', () => {
    for (const aheadS of [HOUR_S, -HOUR_S, 365 * 24 * HOUR_S, -365 * 24 * HOUR_S]) {
      for (const [count, heard] of [
        [2, 2],
        [3, 2],
        [4, 3],
        [9, 5],
      ] as const) {
        const home = homeOf(count, { heard, aheadS });
        assert.equal(home.mayItSign, false, `${aheadS} s, ${heard} of ${count}`);
        assert.equal(home.standing, 'astray');
        assert.ok(Math.abs((home.votes.report.aheadS ?? 0) - aheadS) <= 1);
      }
    }
  });

  it('signs with a clock that is 119 s off, and not with one that is 123 s off', () => {
    for (const sign of [1, -1]) {
      assert.equal(homeOf(3, { heard: 3, aheadS: 119 * sign }).mayItSign, true);
      assert.equal(homeOf(3, { heard: 3, aheadS: 123 * sign }).mayItSign, false);
    }
  });

  it('is doubtful from 10 s on, and says by how much', () => {
    const { standing, aheadS } = homeOf(3, { heard: 3, aheadS: 60 }).votes.report;
    assert.equal(standing, 'doubtful');
    assert.ok(Math.abs((aheadS ?? 0) - 60) <= 1);
    assert.equal(homeOf(3, { heard: 3, aheadS: 5 }).standing, 'agrees');
  });

  it('stops nobody who is alone, or hears fewer than most', () => {
    for (const [count, heard] of [
      [0, 0],
      [1, 1],
      [2, 1],
      [4, 2],
      [9, 4],
    ] as const) {
      const home = homeOf(count, { heard, aheadS: 10 * HOUR_S });
      assert.equal(home.mayItSign, true, `${heard} of ${count}`);
      assert.equal(home.votes.bounds(), undefined);
      assert.equal(home.standing, heard === 0 ? 'alone' : 'doubtful');
    }
  });

  it('T15: no minority of liars stops a node whose clock is right, nor lets one sign whose clock is wrong', () => {
    const lie = fc.integer({ min: -(2 ** 31), max: 2 ** 31 });
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 21 }),
        fc.array(lie, { maxLength: 21 }),
        lie,
        (count, lies, aheadS) => {
          const liars = lies.slice(0, Math.ceil(count / 2) - 1);
          const right = new Home(count);
          const wrong = new Home(count);
          wrong.aheadS = Math.abs(aheadS) > 130 ? aheadS : aheadS + 1_000;
          for (const home of [right, wrong]) {
            for (let i = 0; i < count; i++) home.says(i, liars[i] ?? 0);
          }
          // Liars alone are too few to say anything, whoever of the others is cut off.
          const cutOff = new Home(count);
          liars.forEach((lied, i) => cutOff.says(i, lied));
          return right.mayItSign && !wrong.mayItSign && cutOff.mayItSign;
        },
      ),
    );
  });

  it('counts a region once, however often it speaks, and nobody who is not recognised', () => {
    const home = homeOf(3, { heard: 0, aheadS: HOUR_S });
    for (let i = 0; i < 9; i++) home.says(0);
    home.says(7);
    home.says(8);
    assert.equal(home.mayItSign, true);
    assert.deepEqual(Object.keys(home.votes.report.aheadOfS), ['R0']);
    home.says(1);
    assert.equal(home.mayItSign, false);
  });

  it('T15: notices a step of the clock at once, by running time', () => {
    const home = homeOf(3, { heard: 3 });
    home.runMs += 25_000;
    assert.equal(home.standing, 'agrees');
    home.aheadS = -HOUR_S;
    assert.equal(home.mayItSign, false);
    home.aheadS = 0;
    assert.equal(home.mayItSign, true);
  });

  it('forgets what it heard long ago', () => {
    const home = homeOf(2, { heard: 2, aheadS: HOUR_S });
    home.runMs += VOTE_MS_MAX;
    assert.equal(home.mayItSign, false);
    home.runMs += 1;
    assert.equal(home.mayItSign, true);
    assert.equal(home.standing, 'alone');
  });

  it('an answer that took long widens the bounds and does not move them', () => {
    const home = new Home(2);
    const timestampS = Math.floor(home.nowS);
    for (const region of home.regions) {
      home.votes.take({ region, timestampS, askedAtMs: home.runMs - 2_000, heardAtMs: home.runMs });
    }
    const { fromS, untilS } = home.votes.bounds() ?? { fromS: 0, untilS: 0 };
    assert.deepEqual([timestampS - fromS, untilS - timestampS], [120, 123]);
  });
});
