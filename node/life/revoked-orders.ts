/** What is known of people who declare, besides what they said before: codes that orders gave and somebody revoked. */
import { type Place } from '../registry/place-cipher.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { type Registry, type RegistryRecord } from '../registry/registry.ts';
import { type Declaration } from './declaration.ts';
import { type Dossier, newestByRules, type StatusChange } from './dossier.ts';
import { unnotedOf } from './found.ts';

export interface DeclaredBeside {
  readonly before: Dossier | undefined;
  /** Codes of orders that are revoked and not over, and of which the dossier does not tell yet. */
  readonly revoked: readonly StatusChange[];
  /** When all colours were last updated. */
  readonly updatedAtS: number;
}

export interface RevokedOrdersModules {
  readonly registry: () => Pick<Registry, 'runningOf'>;
  readonly isRevoked: (place: Place) => boolean;
  readonly nowS: number;
}

/**
 * Of each of at most 1,024 who declare the codes of orders that are revoked and of which no update knows yet, so that this declaration counts as one from after
 * that. Who holds a green code has none that matters, and costs no look. Of whom the registry cannot be read none is found: what they declare counts as from
 * before that, and makes nothing looser. Rejects as `Registry.runningOf` where that is no damage.
 */
export async function revokedOrders(
  rows: readonly { readonly declaration: Declaration }[],
  known: readonly (Dossier | undefined)[],
  { registry, isRevoked, nowS }: RevokedOrdersModules,
): Promise<readonly (readonly StatusChange[])[]> {
  const isGreen = (dossier: Dossier | undefined) => {
    const newest = dossier && newestByRules(dossier);
    if (newest === undefined || newest.status.colour !== 'green') return false;
    return newest.status.expiresAtS > nowS && !isRevoked(newest);
  };
  const asked = rows.flatMap(({ declaration: { subject } }, row) =>
    isGreen(known[row]) ? [] : [{ subject, row }],
  );
  const orders = rows.map((): readonly StatusChange[] => []);
  if (asked.length === 0) return orders;
  const subjects = asked.map(({ subject }) => subject);
  const records = await readableOf(subjects, (some) => registry().runningOf(some, nowS));
  for (const [i, { row }] of asked.entries())
    orders[row] = unnotedOf(known[row] ?? { changes: [] }, records[i] ?? []).filter(isRevoked);
  return orders;
}

/** Nothing of those of whom something is damaged: of k such among n it asks some k log n times. */
async function readableOf(
  subjects: readonly string[],
  read: (some: readonly string[]) => Promise<readonly (readonly RegistryRecord[])[]>,
): Promise<readonly (readonly RegistryRecord[])[]> {
  try {
    return await read(subjects);
  } catch (error) {
    if (!isRegistryDamage(error)) throw error;
    if (subjects.length <= 1) return [[]];
    const half = Math.ceil(subjects.length / 2);
    const before = await readableOf(subjects.slice(0, half), read);
    return [...before, ...(await readableOf(subjects.slice(half), read))];
  }
}
