/** Reading rows where some may be damaged: what cannot be read of one says nothing of the others. */
import { isNodeError, type NodeError } from '../node-error.ts';
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
export async function valuesPastDamage(
  tables: Pick<PrivateTables, 'getMany'>,
  names: readonly string[],
): Promise<(Uint8Array | NodeError | undefined)[]> {
  try {
    return await tables.getMany(names);
  } catch (error) {
    if (!isNodeError(error, 'VALUE_CORRUPT')) throw error;
    if (names.length === 1) return [error];
    const half = Math.ceil(names.length / 2);
    const [before, behind] = [names.slice(0, half), names.slice(half)];
    return [...(await valuesPastDamage(tables, before)), ...(await valuesPastDamage(tables, behind))];
  }
}
