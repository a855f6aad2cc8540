/** What is held of a region under a root that the home has given up for another one: as good as nothing. Spec: SPEC.md 10. */
import { deleteRange } from '../log/prune.ts';
import { storedOrigins } from '../log/stored-origins.ts';
import { type SecondPlace } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { witnessedOrigins, witnessKey, witnessPlace } from '../witness/witness.ts';

export interface OldRootModules {
  readonly store: Store;
  readonly secondPlace: SecondPlace;
}

/**
 * Forgets the copies of a region's logs, the evidence against it and what the own witness saw of it, so that all begins anew under the
 * root that is recognised now. The trust log goes last: as long as it is there, an interrupted run is done again. Nothing of the
 * region may be open.
 */
export async function giveUpOldRoot(
  region: string,
  network: string,
  { store, secondPlace }: OldRootModules,
): Promise<void> {
  const name = `${region}.${network}/`;
  for (const origin of await witnessedOrigins(store, name)) {
    await secondPlace.forget(witnessPlace(origin));
    await store.write([{ del: witnessKey(origin) }]);
  }
  const keyFrom = async (from: string) => (await store.inspect(from, 1))[0]?.key;
  for await (const origin of storedOrigins(keyFrom))
    if (origin.startsWith(name)) await secondPlace.forget(origin);
  for (const prefix of [`trust/${name}`, `fork/${name}`, `log/${name}attest/`, `log/${name}`])
    await deleteRange(store, prefix, endOf(prefix));
}

/** The first key behind all that begin with `prefix`, which ends in a slash. */
function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}
