import assert from 'node:assert/strict';
import { demandAgreement, demandNoBlame, demandNoFraming } from './checks.ts';
import { type Machine } from './machine.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

const MINUTE_MS = 60_000;
const CADENCE = { beatMs: 20_000, intervalMs: 40_000 };

describe('A machine that is started on an old disk', function () {
  this.timeout(120_000);

  it('T9: signs nothing, though no peer has seen what is missing, and goes on once the right disk is back', async () => {
    const world = new World({ seed: 1, nodes: 4, liars: 0, cadence: CADENCE });
    await world.found();
    const [machine, ...others] = world.machines as [Machine, ...Machine[]];
    const { medium, region } = machine;
    const plan = { lies: [], schemes: [], events: [], cadence: CADENCE, issuesPerMinute: 1, revokedShare: 0 };
    const workload = new Workload(plan, world);
    const issued = () => world.within(MINUTE_MS, 'an answer', workload.issue(machine));
    const isWriting = () => machine.node?.status.writing === 'writing';
    assert.ok(await issued());
    await world.pass(MINUTE_MS);
    const old = medium.snapshot();
    for (const other of others) world.network.cut(region, other.region);
    const codes = [await issued(), await issued()];
    const [revoked] = codes;
    assert.ok(codes.every((code) => code !== undefined) && revoked !== undefined);
    assert.ok(await world.within(MINUTE_MS, 'an answer', workload.revoke(machine, revoked)));
    await world.pass(MINUTE_MS);

    const change = async (disk: typeof old): Promise<void> => {
      machine.kill();
      medium.restore(disk);
      await world.until(3 * MINUTE_MS, () => machine.node !== undefined);
      await world.pass(2 * MINUTE_MS);
    };
    machine.kill();
    const right = medium.snapshot();
    for (const other of others) world.network.mend(region, other.region);
    await change(old);
    assert.equal(isWriting(), false);
    const { attestations, checkpoints } = world.signed.counters;
    assert.equal(await issued(), undefined);
    await world.pass(3 * MINUTE_MS);
    assert.deepEqual(
      [attestations, checkpoints],
      [world.signed.counters.attestations, world.signed.counters.checkpoints],
    );

    await change(right);
    assert.ok(await world.until(3 * MINUTE_MS, isWriting));
    assert.ok(await issued());
    await world.pass(2 * MINUTE_MS);
    demandAgreement(world);
    demandNoFraming(world);
    demandNoBlame(world);
    await world.pass(0);
  });
});
