/** Reading rows where some may be damaged: what cannot be read of one says nothing of the others. */
import { type NodeError } from '../node-error.ts';
import { answersPastDamage } from './past-damage.ts';
import { type PrivateTables } from './private-tables.ts';

/** A row, or why its value is not what was written (VALUE_CORRUPT): that there is one is known all the same. */
export type ReadRow = readonly [name: string, value: Uint8Array | NodeError];

/** The first `limit` rows of `from <= name < to`, or all, in order. Rejects as the tables, but for damage. */
export async function rowsPastDamage(
  tables: Pick<PrivateTables, 'entries'>,
  [from, to]: readonly [from: string, to: string],
  limit: number,
): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  const onDamaged = (error: NodeError) => {
    if (error.key !== undefined) rows.push([error.key, error]);
  };
  for await (const row of tables.entries(from, to, { pageSize: limit, onDamaged })) {
    rows.push(row);
    if (rows.length >= limit) break;
  }
  return rows.slice(0, limit);
}

/** The values in the order of `names`; one trip where none is damaged. Rejects as the tables, but for damage. */
export function valuesPastDamage(
  tables: Pick<PrivateTables, 'getMany'>,
  names: readonly string[],
): Promise<readonly (Uint8Array | NodeError | undefined)[]> {
  return answersPastDamage(names, (some) => tables.getMany(some));
}
