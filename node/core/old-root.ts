/** What is held of a region under a root that the home has given up for another one: as good as nothing. Spec: SPEC.md 10. */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { fingerprintOf, parseEntry } from '../../protocol/trust/statement.ts';
import { parseRun } from '../log/entry-run.ts';
import { logError } from '../log/log-error.ts';
import { LogKeys } from '../log/log-keys.ts';
import { deleteRange } from '../log/prune.ts';
import { isNodeError } from '../node-error.ts';
import { type SecondPlace } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { witnessKey, witnessPlace } from '../witness/witness.ts';

export interface OldRootModules {
  readonly store: Store;
  readonly secondPlace: SecondPlace;
  readonly sha256: Sha256;
}

export interface RecognisedRoot {
  readonly region: string;
  readonly network: string;
  readonly fingerprint: Uint8Array;
  /** Of the recognition: it grows with each. */
  readonly version: number;
}

/**
 * If anything that is held of a region is of another root than the one that is recognised now, forgets it: the copies of its logs,
 * the evidence against it, what the own witness saw of it, and the marks of all that in the second place, so that all begins anew.
 * The second place says under which root these marks were made, since a store that was put back may not. An interrupted run is done
 * again. Nothing of the region may be open.
 * @throws {NodeError} LOG_CONTRADICTED where the store has gone back so far that it does not know yet which root is recognised: then
 * nothing is forgotten, and nothing of the region may be followed.
 */
export async function giveUpOldRoot(recognised: RecognisedRoot, modules: OldRootModules): Promise<void> {
  const { region, network, fingerprint, version } = recognised;
  const { store, secondPlace } = modules;
  const origin = trustLogOrigin(region, network);
  const name = `${region}.${network}/`;
  const begun = `old-root/${name}`;
  const place = `root:${origin}`;
  const marked = await secondPlace.read(place);
  const isMarked = marked !== undefined && equalBytes(marked.root, fingerprint);
  if (marked !== undefined && !isMarked && marked.size >= version)
    throw logError('LOG_CONTRADICTED', `${origin}: recognised under another root than the store knows of`);
  const stored = await heldRoot(origin, modules);
  const isStored = stored !== undefined && !equalBytes(stored, fingerprint);
  const isOver = isStored || (marked !== undefined && !isMarked) || (await store.get(begun)) !== undefined;
  if (isOver) {
    await store.write([{ put: begun, value: fingerprint }]);
    // Marks that were made under the root that is recognised go on.
    if (!isMarked) await forgetMarks(name, secondPlace);
    for (const prefix of [`trust/${name}`, `fork/${name}`, `log/${name}`, witnessKey(name)])
      await deleteRange(store, prefix, endOf(prefix));
  }
  if (!isMarked)
    await secondPlace.raise(place, { size: version, root: fingerprint, note: new Uint8Array(0) });
  if (isOver) await store.write([{ del: begun }]);
}

async function forgetMarks(name: string, secondPlace: SecondPlace): Promise<void> {
  for (const one of await secondPlace.names())
    if (one.startsWith(name) || one.startsWith(witnessPlace(name))) await secondPlace.forget(one);
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
