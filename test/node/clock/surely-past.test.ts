import assert from 'node:assert/strict';
import { surelyPastS } from '../../../node/clock/surely-past.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { DAY_S, START_S } from '../../support/region-fixture.ts';

const NOW_S = START_S + 20 * DAY_S;

describe('surelyPastS', () => {
  it('is the earlier of the own time and that of a quorum, and the own one counts a week later while it is doubted', () => {
    const by = (standing: Parameters<typeof surelyPastS>[0]['standing'], vouchedAtS: number) =>
      surelyPastS({ nowS: NOW_S, standing, vouchedAtS });
    for (const standing of ['agrees', 'alone'] as const) {
      assert.equal(by(standing, NOW_S + 60), NOW_S);
      assert.equal(by(standing, NOW_S - 60), NOW_S - 60);
    }
    assert.equal(by('doubtful', NOW_S), NOW_S - 7 * DAY_S);
    assert.equal(by('doubtful', START_S), START_S);
    assert.equal(by('astray', NOW_S), undefined);
  });

  it('is nothing where nobody else vouches: the own cosignature says what the own clock says', () => {
    assert.equal(surelyPastS({ nowS: NOW_S, standing: 'alone', vouchedAtS: undefined }), undefined);
  });

  it('T15 is told by the clock of the one other region at a node whose own is weeks ahead, and by none at a region alone', async () => {
    const world = new NodeWorld();
    for (const region of ['DE', 'FR']) await world.found(region);
    await world.befriend('DE', 'FR');
    world.machine('DE').clockError.aheadMs = 20 * 1_000 * DAY_S;
    await world.pass(60);
    const { surelyPastS: pastS = 0 } = world.node('DE');
    assert.ok(Math.abs(pastS - world.nowS) <= 60, `${pastS - world.nowS}`);
    await world.stop();
    const alone = new NodeWorld();
    await alone.found('DE');
    await alone.pass(60);
    assert.equal(alone.node('DE').surelyPastS, undefined);
    await alone.stop();
  });

  it('T18 is not told by one liar of three who is ahead as the own clock is, while the others cannot be heard', async () => {
    const world = new NodeWorld();
    const others = ['FR', 'IT', 'AT'];
    for (const region of ['DE', ...others]) await world.found(region);
    for (const other of others) await world.befriend('DE', other);
    await world.pass(15);
    const beforeS = world.nowS;
    for (const other of ['IT', 'AT']) for (const one of ['DE', 'FR']) world.network.cut(one, other);
    for (const region of ['DE', 'FR']) world.machine(region).clockError.aheadMs = 20 * 1_000 * DAY_S;
    await world.pass(640);
    const { surelyPastS: pastS = 0, status } = world.node('DE');
    assert.equal(status.clock.standing, 'alone');
    assert.ok(pastS > 0 && pastS <= beforeS, `${pastS - beforeS}`);
    await world.stop();
  });
});
