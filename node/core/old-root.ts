/** What is held of a region under a root that the home has given up for another one: as good as nothing. Spec: SPEC.md 10. */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { fingerprintOf, parseEntry } from '../../protocol/trust/statement.ts';
import { parseRun } from '../log/entry-run.ts';
import { LogKeys } from '../log/log-keys.ts';
import { deleteRange } from '../log/prune.ts';
import { storedOrigins } from '../log/stored-origins.ts';
import { isNodeError } from '../node-error.ts';
import { type SecondPlace } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { witnessedOrigins, witnessKey, witnessPlace } from '../witness/witness.ts';

export interface OldRootModules {
  readonly store: Store;
  readonly secondPlace: SecondPlace;
  readonly sha256: Sha256;
}

export interface RecognisedRoot {
  readonly region: string;
  readonly network: string;
  readonly fingerprint: Uint8Array;
}

/**
 * If the trust log that is held of a region is of another root, forgets the copies of its logs, the evidence against it and what the
 * own witness saw of it, so that all begins anew under the root that is recognised now. An interrupted run is done again. Nothing of
 * the region may be open.
 */
export async function giveUpOldRoot(
  { region, network, fingerprint }: RecognisedRoot,
  modules: OldRootModules,
): Promise<void> {
  const { store, secondPlace } = modules;
  const name = `${region}.${network}/`;
  const begun = `old-root/${name}`;
  if ((await store.get(begun)) === undefined) {
    const held = await heldRoot(trustLogOrigin(region, network), modules);
    if (held === undefined || equalBytes(held, fingerprint)) return;
    await store.write([{ put: begun, value: held }]);
  }
  for (const origin of await witnessedOrigins(store, name)) {
    await secondPlace.forget(witnessPlace(origin));
    await store.write([{ del: witnessKey(origin) }]);
  }
  const keyFrom = async (from: string) => (await store.inspect(from, 1))[0]?.key;
  for await (const origin of storedOrigins(keyFrom))
    if (origin.startsWith(name)) await secondPlace.forget(origin);
  for (const prefix of [`trust/${name}`, `fork/${name}`, `log/${name}`])
    await deleteRange(store, prefix, endOf(prefix));
  await store.write([{ del: begun }]);
}

/** The fingerprint of the root with which a held log begins; undefined where nothing is held, or its first entry cannot be read. */
async function heldRoot(origin: string, { store, sha256 }: OldRootModules): Promise<Uint8Array | undefined> {
  try {
    const run = await store.get(new LogKeys(origin).run(0));
    const [entry] = run === undefined ? [] : parseRun(run);
    if (entry === undefined) return undefined;
    const { statement, body } = parseEntry(entry);
    return statement.kind === 'root' ? fingerprintOf(sha256, body) : undefined;
  } catch (error) {
    // Damage is mended from peers, or tells of itself when the log is opened.
    if (isNodeError(error, 'VALUE_CORRUPT') || isProtocolError(error)) return undefined;
    throw error;
  }
}

/** The first key behind all that begin with `prefix`, which ends in a slash. */
function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}
