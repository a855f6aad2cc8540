/** What is known of people who declare, besides what they said before: codes that orders gave and somebody revoked. */
import { type Place } from '../registry/place-cipher.ts';
import { answersPastDamage } from '../registry/past-damage.ts';
import { type Registry } from '../registry/registry.ts';
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
  const subjects = asked.map(({ subject }) => subject);
  const found = await answersPastDamage(subjects, (some) => registry().runningOf(some, nowS));
  for (const [i, { row }] of asked.entries()) {
    const records = found[i];
    if (records !== undefined && !(records instanceof Error))
      orders[row] = unnotedOf(known[row] ?? { changes: [] }, records).filter(isRevoked);
  }
  return orders;
}
