/** Where what is private lies in PostgreSQL: whether that can be reached, what it is, and who works for the node over it. */
import { isNodeError } from '../../node/node-error.ts';
import { registryDatabase } from '../../node/region/registry-database.ts';
import { type Clock } from '../../node/ports.ts';
import { type PrivateTables } from '../../node/registry/private-tables.ts';
import { textOf, WORKERS } from '../../node/workers/work-rows.ts';
import { systemClock } from '../../node/system-clock.ts';
import { exitOfCode } from '../exit.ts';
import { printable } from '../printable.ts';
import { editing, type Finding, must, note, ok, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

const LISTENED_MS = 3_000;
const WORKERS_MAX = 1_000;

export async function checkRegistry({ layout, config }: ReadablePatient): Promise<Finding[]> {
  try {
    const database = await registryDatabase(layout, config, { clock: systemClock });
    if (database === undefined) return [note('it lies in the store of the node')];
    try {
      const begunMs = performance.now();
      const { server, form } = await database.look();
      const ms = Math.ceil(performance.now() - begunMs);
      const name = printable(server.split(/[,(]/)[0]?.trim() ?? '');
      const tables = form === undefined ? 'no table yet' : `tables of form ${form}`;
      const answers = ok(`${name} answers within ${ms} ms (${tables})`);
      return form === undefined ? [answers] : [answers, ...(await checkWorkers(database, systemClock))];
    } finally {
      await database.stop();
    }
  } catch (error) {
    if (!isNodeError(error)) throw error;
    const { code, message, hint } = error;
    return [must(`${printable(message)} [${code}]`, hint ?? editing(layout.config), exitOfCode(code))];
  }
}

/** What the other machine of the region has not said that it has forgotten. */
export function checkForgotten({ running }: ReadablePatient): Finding[] {
  const toForget = running?.toForget ?? 0;
  if (toForget === 0) return [];
  return [
    warn(
      `the other machine of the region still keeps what opens forgotten codes: ${toForget}; it forgets them as soon as it answers`,
      'systemctl start entente.service   # there, or what starts the node',
    ),
  ];
}

/** Who works over these tables. A worker says every second that it is there, and less often while it has much in hand. */
export async function checkWorkers(
  database: Pick<PrivateTables, 'page'>,
  clock: Pick<Clock, 'wait'>,
): Promise<Finding[]> {
  const before = await workersIn(database);
  if (before.size === 0) return [];
  await clock.wait(LISTENED_MS);
  const after = await workersIn(database);
  const silent = [...after].filter(([name, count]) => before.get(name) === count).length;
  const there = after.size - silent;
  const found = ok(`workers that say they are there: ${there}`);
  if (silent === 0) return [found];
  return [
    found,
    note(
      `workers that said nothing for ${LISTENED_MS / 1_000} s, being busy or dead: ${silent} (a node that runs forgets the dead within 20 s)`,
    ),
  ];
}

async function workersIn(database: Pick<PrivateTables, 'page'>): Promise<ReadonlyMap<string, string>> {
  const rows = await database.page(...WORKERS, { limit: WORKERS_MAX });
  return new Map(rows.map(([name, count]) => [name, textOf(count)]));
}
