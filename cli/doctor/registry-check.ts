/** Where what is private lies in PostgreSQL: whether that can be reached, and what it is. */
import { isNodeError } from '../../node/node-error.ts';
import { registryDatabase } from '../../node/region/registry-database.ts';
import { systemClock } from '../../node/system-clock.ts';
import { exitOfCode } from '../exit.ts';
import { printable } from '../printable.ts';
import { editing, type Finding, must, note, ok } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

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
      return [ok(`${name} answers within ${ms} ms (${tables})`)];
    } finally {
      await database.stop();
    }
  } catch (error) {
    if (!isNodeError(error)) throw error;
    const { code, message, hint } = error;
    return [must(`${printable(message)} [${code}]`, hint ?? editing(layout.config), exitOfCode(code))];
  }
}
