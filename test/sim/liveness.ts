/** After the healing: everything is to work again, within a time, whatever happened before. */
import { type KnownCode } from './history.ts';
import { Violation } from './invariant.ts';
import { type Machine } from './machine.ts';
import { type Workload } from './workload.ts';
import { type World } from './world.ts';

const MINUTE_MS = 60_000;
/** A clock that was ahead by 100 s, a full disk, a process that waits to be started, and the bans of peers for ten minutes. */
const RECOVERY_MS = 12 * MINUTE_MS;
/** Two rounds with all peers, at the slowest of cadences. */
const SPREAD_MS = 301_000;
const PAUSE_MS = 2_000;
/** Bans of peers for ten minutes, and what was missed meanwhile. */
const SAY_MS = 14 * MINUTE_MS;
/** A log takes nothing until its clock, which may have been 100 s ahead, has passed its newest entry again. */
const FIRST_MS = 3 * MINUTE_MS;

/** @throws {Violation} liveness */
export async function demandLiveness(world: World, workload: Workload): Promise<void> {
  const { honest } = world;
  await world.until(RECOVERY_MS, () => honest.every((one) => isAtWork(world, one) && !one.isRotten));
  for (const machine of honest) {
    if (machine.isRotten) throw notLive(`${machine.name} does not make good what has rotted`);
    if (!isAtWork(world, machine)) throw notLive(`${machine.name} does not write: ${stateOf(machine)}`);
  }
  const writers = honest.filter((machine) => world.writerOf(machine.region) === machine);
  const codes = await Promise.all(writers.map((machine) => first(world, machine, workload)));
  await allSay(world, workload, codes, 'pass');
  await world.within(
    FIRST_MS,
    'all revoke',
    Promise.all(codes.map((code, i) => retried(world, () => workload.revoke(writers[i] as Machine, code)))),
  );
  await allSay(world, workload, codes, 'stop');
  await world.pass(SPREAD_MS);
}

function first(world: World, machine: Machine, workload: Workload): Promise<KnownCode> {
  const issued = retried(world, () => workload.issue(machine));
  return world.within(FIRST_MS, `${machine.name} issues`, issued);
}

async function retried<T>(world: World, work: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const result = await work();
    if (result !== undefined && result !== false) return result;
    await world.clock.wait(PAUSE_MS);
  }
}

/** All honest nodes come to say the same of all codes. */
async function allSay(
  world: World,
  workload: Workload,
  codes: readonly KnownCode[],
  outcome: string,
): Promise<void> {
  const open = new Set(codes.flatMap((code) => world.honest.map((machine) => ({ code, machine }))));
  const untilMs = world.clock.nowMs() + SAY_MS;
  while (world.clock.nowMs() < untilMs) {
    await world.pass(PAUSE_MS);
    for (const one of open) {
      const said = await world.within(MINUTE_MS, 'a verdict', workload.show(one.machine, one.code));
      if (said === outcome) open.delete(one);
    }
    if (open.size === 0) return;
  }
  const some = [...open]
    .slice(0, 3)
    .map(({ code, machine }) => `${machine.name} on ${code.origin}/${code.index}`);
  throw notLive(`${open.size} verdicts are not ${outcome}: ${some.join(', ')}`);
}

/** Of a region with a standby one machine writes, and the other follows. */
function isAtWork(world: World, machine: Machine): boolean {
  const { writing, store } = machine.node?.status ?? {};
  return (
    writing === (world.writerOf(machine.region) === machine ? 'writing' : 'standby') && store === 'serving'
  );
}

function stateOf({ node, counters }: Machine): string {
  return node === undefined
    ? `it is down, ${JSON.stringify(counters)}`
    : `${node.status.writing}, ${node.status.store}`;
}

function notLive(message: string): Violation {
  return new Violation('liveness', message);
}
