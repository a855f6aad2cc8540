/** Codes that are mere numbers: until when they can be looked up, and whether the seeds of those days are here. */
import { opaqueAdapters } from '../../protocol/lookup/announced-numbers.ts';
import { DAY_S, dayOf } from '../../protocol/lookup/opaque-adapter.ts';
import { type RunningStatus } from '../desk/node-status.ts';
import { figure } from '../output.ts';
import { printable } from '../printable.ts';
import { timeText } from '../times.ts';
import { type Finding, must, ok, quoted, warn } from './finding.ts';
import { seedDays } from './key-checks.ts';
import { type ReadablePatient } from './patient.ts';

/** Three minutes that nobody signed for. */
const TABLE_AGE_S = 180;
const DAYS = { must: 3, warn: 21 } as const;

/** Says nothing of a region that announces none. */
export async function checkNumbers({
  state,
  layout,
  config,
  nowS,
  path,
  running,
}: ReadablePatient): Promise<Finding[]> {
  const adapters = state === undefined ? [] : opaqueAdapters(state);
  if (adapters.length === 0) return [];
  const held = new Set(await seedDays({ layout, config }));
  const today = dayOf(nowS);
  const table = checkTable(running, today, path);
  const all = adapters.map(({ id, prefix, keys }) => {
    const days = [...keys.keys()].filter((day) => day >= today);
    const fix = `entente lookup announce ${quoted(path)} ${id} --prefix ${quoted(prefix)}   # with enough root keys in keys/`;
    const name = `numbers that begin with ${printable(prefix)}`;
    const missing = days.filter((day) => !held.has(day));
    if (missing.length > 0)
      return (missing.includes(today) ? must : warn)(
        `${name}: the seeds of ${missing.length} announced days are not in ${printable(layout.seeds)}`,
        fix,
      );
    const left = days.length - 1;
    const until = timeText((Math.max(today - 1, ...days) + 1) * DAY_S);
    if (left < DAYS.must) return must(`${name} can be looked up until ${until} at most`, fix);
    if (left < DAYS.warn) return warn(`${name} can be looked up until ${until}`, fix);
    return ok(`${name} can be looked up until ${until}`);
  });
  return [...all, ...table];
}

/** Of a node that runs: whether it has a table of today, and signs it. */
function checkTable(running: RunningStatus | undefined, today: number, path: string): Finding[] {
  // A standby answers for no numbers.
  if (running?.lookup === undefined || running.writing === 'standby') return [];
  const { tables, ageS } = running.lookup;
  const fix = `entente lookup show ${quoted(path)}   # and the node's log`;
  if (!tables.includes(today))
    return [must('no number can be looked up: the node has no table of today', fix)];
  if (ageS === undefined || ageS <= TABLE_AGE_S) return [ok('the table of today is signed')];
  const said = `the table of today's numbers is ${figure(ageS)} s old`;
  return [warn(`${said}: the node makes no other, and gates of other regions do not take it any more`, fix)];
}
