import assert from 'node:assert/strict';
import { Voice } from '../../../node/core/voice.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { START_S } from '../../support/region-fixture.ts';

describe('Voice', () => {
  let clock: ManualClock;
  let side: object | undefined;

  beforeEach(() => {
    clock = new ManualClock(1_000 * (Math.floor(START_S / 60) * 60 + 50));
    side = undefined;
  });

  it('tells when it speaks, and not before', async () => {
    let spoken = 0;
    const voice = new Voice({ clock, side: () => side, assent: { ageMs: 0 }, onSpeak: () => spoken++ });
    side = {};
    assert.ok(voice.isSilent);
    await clock.advance(129_999);
    assert.ok(voice.isSilent);
    assert.equal(spoken, 0);
    await clock.advance(1);
    assert.ok(!voice.isSilent);
    assert.equal(spoken, 1);
  });

  it('speaks as soon as it signs where nobody fences, and later where it signs again', async () => {
    const voice = new Voice({ clock, side: () => side });
    assert.ok(voice.isSilent);
    side = {};
    assert.ok(!voice.isSilent);
    side = undefined;
    assert.ok(voice.isSilent, 'somebody else signs with our keys, or writes into our store');
    side = {};
    assert.ok(voice.isSilent);
    await clock.advance(130_000);
    assert.ok(!voice.isSilent);
  });

  describe('where witnesses fence the writer', () => {
    let ageMs: number;
    let voice: Voice;

    beforeEach(() => {
      ageMs = 0;
      voice = new Voice({
        clock,
        side: () => side,
        assent: {
          get ageMs() {
            return ageMs;
          },
        },
      });
    });

    it('leaves the minute in which it begins to sign to the writer before, and the next two', async () => {
      side = {};
      assert.ok(voice.isSilent);
      await clock.advance(129_999);
      assert.ok(voice.isSilent);
      await clock.advance(1);
      assert.ok(!voice.isSilent);
      // It gave way and was promoted again, between two questions.
      side = {};
      assert.ok(voice.isSilent);
      await clock.advance(179_999);
      assert.ok(voice.isSilent);
      await clock.advance(1);
      assert.ok(!voice.isSilent);
    });

    it('leaves nothing to a writer before that is its own last process, which has ended, but when it signs again', async () => {
      const next = new Voice({ clock, side: () => side, assent: { ageMs: 0 }, isNext: () => true });
      side = {};
      assert.ok(!next.isSilent);
      side = {};
      assert.ok(next.isSilent);
      await clock.advance(130_000);
      assert.ok(!next.isSilent);
    });

    it('is silent while witnesses have not said for 30 s that it may write, and when it signs nothing', async () => {
      side = {};
      assert.ok(voice.isSilent);
      await clock.advance(130_000);
      for (const [age, isSilent] of [
        [30_000, false],
        [30_001, true],
        [Infinity, true],
        [0, false],
      ] as const) {
        ageMs = age;
        assert.equal(voice.isSilent, isSilent, `${age} ms`);
      }
      side = undefined;
      assert.ok(voice.isSilent);
    });
  });
});
