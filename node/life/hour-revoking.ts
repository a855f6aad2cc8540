/** Revoking as much as the hour has room for. */
import { isNodeError } from '../node-error.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Revocation } from '../revoking/revoker.ts';

export interface HourRevokingModules {
  revoke(revocation: Revocation): Promise<void>;
}

/** Gives the indexes that the hour had no room for, by log. Rejects as `Revoker.revoke`. */
export async function revokeWithinHour(
  places: readonly Place[],
  modules: HourRevokingModules,
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const byLog = new Map<string, number[]>();
  for (const { log, index } of places) {
    const indexes = byLog.get(log);
    if (indexes === undefined) byLog.set(log, [index]);
    else indexes.push(index);
  }
  const left = new Map<string, ReadonlySet<number>>();
  for (const [log, indexes] of byLog) left.set(log, new Set(await revokeSome({ log, indexes }, modules)));
  return left;
}

/**
 * Revokes as many of these as the hour has room for, and gives the others. An hour takes all of a request or none, so that what
 * it does not take is offered by halves: some 2 log2(n) requests find what is left of it.
 */
async function revokeSome(
  { log, indexes }: { readonly log: string; readonly indexes: readonly number[] },
  modules: HourRevokingModules,
): Promise<readonly number[]> {
  let done = 0;
  for (let size = indexes.length; size > 0 && done < indexes.length;) {
    const isTaken = await isRevoked({ log, indexes: indexes.slice(done, done + size) }, modules);
    if (isTaken) done += size;
    else size = Math.floor(size / 2);
  }
  return indexes.slice(done);
}

/** False where the hour has no room for all of them. */
async function isRevoked(revocation: Revocation, modules: HourRevokingModules): Promise<boolean> {
  try {
    await modules.revoke(revocation);
    return true;
  } catch (error) {
    if (!isNodeError(error, 'REVOCATIONS_EXCEEDED')) throw error;
    return false;
  }
}
