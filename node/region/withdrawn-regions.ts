/**
 * What lies published of regions whose recognition the home has withdrawn. No verdict leans on it; it tells whose a local code or number is that
 * counts no more. Spec: SPEC.md 17.11 and 21.7.
 */
import { isProtocolError } from '../../protocol/fault.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { isNodeError } from '../node-error.ts';
import { isUnreadable } from './files.ts';
import { type HomeView } from './home-view.ts';
import { readKnownRegion } from './known-log.ts';
import { type ReadModules } from './modules.ts';
import { type PublicRegion } from './public-region.ts';

/** Of each withdrawn region the state of its longest log, under the root by which it was recognised last; nothing of one that cannot be read. */
export async function readWithdrawn(
  { home, directories }: Pick<HomeView, 'home' | 'directories'>,
  modules: ReadModules,
): Promise<TrustState[]> {
  const { network, path: readerPath } = home;
  if (readerPath === undefined) return [];
  const states: TrustState[] = [];
  for (const [region, fingerprint] of lastRoots(home)) {
    const path = directories.get(region);
    const sought = { region, network, fingerprint, path, readerPath, copiesAt: [...directories.values()] };
    try {
      states.push((await readKnownRegion(sought, modules)).region.state);
    } catch (error) {
      if (!isNodeError(error) && !isProtocolError(error) && !isUnreadable(error)) throw error;
    }
  }
  return states;
}

/** The fingerprints by which the home recognised those last whose recognition it has withdrawn. */
function lastRoots({ state, entries }: PublicRegion): Map<string, Uint8Array> {
  const withdrawn = new Map(
    [...state.recognitions()].flatMap(({ region, standing, version }) =>
      standing === 'withdrawn' ? [[region, version] as const] : [],
    ),
  );
  const roots = new Map<string, Uint8Array>();
  for (let i = entries.length - 1; i >= 0 && roots.size < withdrawn.size; i--) {
    const statement = statementIn(entries[i]);
    if (statement?.kind !== 'recognition' || roots.has(statement.region)) continue;
    if (statement.version < (withdrawn.get(statement.region) ?? 0))
      roots.set(statement.region, statement.fingerprint);
  }
  return roots;
}

/** Undefined for an entry that is none: the log has it all the same, as a finding. */
function statementIn(entry: Uint8Array | undefined) {
  try {
    return entry && parseEntry(entry).statement;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
