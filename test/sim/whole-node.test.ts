import assert from 'node:assert/strict';
import { demandAgreement, demandNoFraming } from './checks.ts';
import { type Machine } from './machine.ts';
import { type Plan } from './plan.ts';
import { type Ambush, type WriteStep } from './sim-disk.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

const MINUTE_MS = 60_000;
const PLAN: Plan = {
  lies: [],
  schemes: [],
  events: [],
  cadence: { beatMs: 20_000, intervalMs: 40_000 },
  issuesPerMinute: 1,
  revokedShare: 0,
};

interface Outcome {
  /** At which step the fault came; undefined if the run has fewer writes. */
  readonly step: WriteStep | undefined;
  readonly acknowledged: number;
}

/** Issues in batches and singly, revokes, and commits to the state: whatever is not acknowledged is tried no second time. */
async function script(workload: Workload, machine: Machine): Promise<void> {
  const first = await Promise.all([1, 2, 3].map(() => workload.issue(machine)));
  await workload.issue(machine);
  const [code] = first;
  if (code !== undefined) await workload.revoke(machine, code);
  await workload.issue(machine);
  await machine.call((node) => node.commitState()).catch(() => undefined);
}

/** Lets one write of one node fail while it works, lets it recover, and audits all there is. */
async function survive(seed: number, fault: Pick<Ambush, 'what' | 'when' | 'skip'>): Promise<Outcome> {
  const world = new World({ seed, nodes: 2, liars: 0, cadence: PLAN.cadence });
  await world.found();
  const [machine] = world.machines as [Machine];
  const workload = new Workload(PLAN, world);
  let step: WriteStep | undefined;
  machine.disk?.lieInWait({ ...fault, step: undefined, onSprung: (at) => (step = at) });
  const done = script(workload, machine);
  done.catch((error: unknown) => world.fail(error));
  await world.pass(MINUTE_MS);
  machine.disk?.forget();
  const acknowledged = world.history.codes.length;
  const isBack = await world.until(4 * MINUTE_MS, () => machine.node?.status.writing === 'writing');
  assert.ok(isBack, `${fault.what} ${fault.when} write ${fault.skip}: the node does not come back`);
  const last = await world.within(MINUTE_MS, 'it issues again', workload.issue(machine));
  assert.ok(last);
  await world.pass(2 * MINUTE_MS);
  demandAgreement(world);
  demandNoFraming(world);
  for (const code of world.history.codes) {
    for (const at of world.machines) {
      const said = await world.within(MINUTE_MS, 'a verdict', workload.show(at, code));
      assert.equal(said, code.revokedUnder !== undefined ? 'stop' : code.isDoomed ? said : 'pass');
    }
  }
  await world.pass(0);
  return { step, acknowledged };
}

describe('RegionNode under faults of its disk', function () {
  this.timeout(300_000);

  for (const what of ['crash', 'DISK_IO', 'DISK_FULL'] as const) {
    for (const when of ['before', 'after'] as const) {
      it(`A31 ${what} ${when} each single write of issue -> log -> checkpoint -> tiles -> witness: nothing acknowledged is lost, nothing signed twice`, async () => {
        const reached = new Set<WriteStep>();
        let least = Infinity;
        for (let skip = 0; ; skip++) {
          const { step, acknowledged } = await survive(1, { what, when, skip });
          if (step === undefined) break;
          reached.add(step);
          least = Math.min(least, acknowledged);
        }
        for (const step of ['stage', 'log', 'witness', 'base', 'second place'] as const) {
          assert.ok(reached.has(step), `no fault came at ${step}, only at ${[...reached].join(', ')}`);
        }
        if (what === 'crash') assert.ok(least < 5, 'no crash came in between');
      });
    }
  }
});
