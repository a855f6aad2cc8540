import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { IsolatedWorld } from '../../../support/isolated-fixture.ts';
import { LiveWorld } from '../../../support/live-world.ts';
import { until } from '../../../support/until.ts';

/** Kills and the time between them; a minute of them with TEST_LONG=1. */
const KILLS = process.env['TEST_LONG'] === '1' ? 30 : 4;
const KILL_EVERY_MS = 2_000;

describe('A node whose network is killed every two seconds', function () {
  this.timeout(180_000);
  const threads = new IsolatedWorld();

  it(`F13: gives no wrong verdict and loses nothing that it acknowledged, ${KILLS} times in a row`, async () => {
    const world = new LiveWorld();
    try {
      const [de, fr] = await threads.openAll(['DE', 'FR']);
      assert.ok(de && fr);
      await world.found('DE', de);
      await world.found('FR', fr);
      await world.befriendAll();
      const agree = () => world.sizesAt('DE') === world.sizesAt('FR');
      const steady = await world.issue('DE', 'steady');
      await until(agree, 'both hold both logs');
      const passesAt = async (region: string) =>
        (await world.outcome(region, steady.text)).startsWith('pass');
      for (const region of ['DE', 'FR']) {
        let passes = false;
        await until(() => {
          if (!passes) void passesAt(region).then((isSo) => (passes ||= isSo));
          return passes;
        }, `it passes at ${region}`);
      }

      const codes: { readonly text: string; isRevoked: boolean }[] = [{ ...steady, isRevoked: false }];
      const wrong: string[] = [];
      let verdicts = 0;
      let isOver = false;
      const load = (async () => {
        for (let i = 0; !isOver; i++) {
          const issued = await world.issue('DE', `p${i}`);
          const code = { text: issued.text, isRevoked: false };
          codes.push(code);
          if (i % 3 === 0) {
            await world.of('DE').node.revoke({ log: issued.log, indexes: [issued.index] });
            code.isRevoked = true;
          }
          for (const { text, isRevoked } of codes.slice(-5)) {
            const outcome = await world.outcome('DE', text);
            const isRight = isRevoked ? outcome.includes('REVOKED') : outcome.startsWith('pass');
            if (!isRight) wrong.push(outcome);
            verdicts++;
          }
          await setTimeout(5);
        }
      })();
      let worstMs = 0;
      for (let kill = 1; kill <= KILLS; kill++) {
        const killedMs = performance.now();
        if (kill % 2 === 0) threads.poison('DE');
        else threads.kill('DE');
        await until(() => de.status.thread.restarts === kill && de.status.state === 'up', 'it listens again');
        worstMs = Math.max(worstMs, performance.now() - killedMs);
        await setTimeout(Math.max(0, killedMs + KILL_EVERY_MS - performance.now()));
      }
      isOver = true;
      await load;
      console.log(
        `        ${verdicts} verdicts, ${codes.length} codes, listening again after at most ${Math.ceil(worstMs)} ms`,
      );
      assert.deepEqual(wrong, []);
      assert.ok(verdicts > KILLS);

      await until(agree, 'FR has all that DE acknowledged', 30_000);
      for (const { text, isRevoked } of codes) {
        const outcome = await world.outcome('FR', text);
        assert.ok(isRevoked ? outcome.includes('REVOKED') : outcome.startsWith('pass'), outcome);
      }
    } finally {
      await world.stop();
    }
  });
});
