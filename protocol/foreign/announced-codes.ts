/** The adapters of all regions that a verifier leans on: whose keys a code of others may be signed with. Spec: SPEC.md 17.8. */
import { isProtocolError } from '../fault.ts';
import { type LoggedAdapter, type TrustState } from '../trust/trust-state.ts';
import { isByAdapter, type Trust } from '../verdict/knowledge.ts';
import { type Adapter, readAdapter } from './adapter.ts';
import { countryOf } from './country.ts';
import { type ForeignCode } from './foreign-code.ts';
import { type Candidates, type ForeignKey, ForeignKeys } from './foreign-keys.ts';
import { ANNOUNCERS_MAX, FOREIGN_KEYS_MAX } from './foreign-limits.ts';

export interface AnnouncedKey extends ForeignKey {
  readonly adapter: Adapter;
}

/** A region that announced keys of the name that a code gives. */
export interface Announcer {
  readonly region: string;
  readonly candidates: Candidates<AnnouncedKey>;
}

/** At most 16, in the order of `AnnouncedCodes.announcersOf`. */
export interface Announcers {
  readonly tried: readonly Announcer[];
  /** There are more. */
  readonly isCrowded: boolean;
}

/** What follows from a state that never changes, and from data of it: remembered for as long as those are. */
const keysOfStates = new WeakMap<TrustState, ForeignKeys<AnnouncedKey>>();
const adaptersOfData = new WeakMap<LoggedAdapter['data'], Adapter | undefined>();

/** Of one trust, an immutable value as that is. Each region has keys of its own, so that none can crowd out another's. */
export class AnnouncedCodes {
  readonly trust: Trust;
  readonly #regions: readonly { readonly region: string; readonly keys: ForeignKeys<AnnouncedKey> }[];

  constructor(trust: Trust) {
    this.trust = trust;
    this.#regions = [...trust.regions.values()]
      .map(({ state }) => ({ region: state.region, keys: keysOf(state) }))
      .filter(({ keys }) => keys.size > 0)
      .sort((a, b) => (a.region < b.region ? -1 : 1));
  }

  /**
   * The regions whose keys are tried on a code: those that it may be of by its issuer first, of these those whose codes come by adapter here, then
   * by their ids.
   */
  announcersOf(code: ForeignCode): Announcers {
    const all = this.#regions
      .map(({ region, keys }) => ({ region, candidates: keys.candidatesFor(code) }))
      .filter(({ candidates }) => candidates.keys.length > 0);
    const rank = ({ region }: Announcer) =>
      2 * Number(!isIssuerOf(region, code.issuer ?? '')) + Number(!this.isByAdapter(region));
    const ranked = all.sort((a, b) => rank(a) - rank(b));
    return { tried: ranked.slice(0, ANNOUNCERS_MAX), isCrowded: ranked.length > ANNOUNCERS_MAX };
  }

  /** See `isByAdapter` of knowledge. */
  isByAdapter(region: string): boolean {
    return isByAdapter(this.trust, region);
  }
}

/** Tells whether an issuer, by the code of a country or of the region itself, is of a region. */
export function isIssuerOf(region: string, issuer: string): boolean {
  return issuer === region || countryOf(issuer) === region.slice(0, 2);
}

/** All keys that a region announces by its adapters, as far as a verifier holds them. */
export function keysOf(state: TrustState): ForeignKeys<AnnouncedKey> {
  let keys = keysOfStates.get(state);
  if (keys === undefined) keysOfStates.set(state, (keys = new ForeignKeys(announcedKeys(state))));
  return keys;
}

/** In the order of the adapters' ids. An adapter that would make them more than a verifier holds, or that is none, announces nothing. */
function announcedKeys(state: TrustState): AnnouncedKey[] {
  const keys: AnnouncedKey[] = [];
  for (const logged of [...state.adapters()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const adapter = adapterOf(logged);
    if (adapter === undefined || keys.length + adapter.keys.length > FOREIGN_KEYS_MAX) continue;
    keys.push(...adapter.keys.map((key) => ({ ...key, adapter })));
  }
  return keys;
}

function adapterOf(logged: LoggedAdapter): Adapter | undefined {
  const { data } = logged;
  if (!adaptersOfData.has(data)) adaptersOfData.set(data, adapterIn(logged));
  return adaptersOfData.get(data);
}

function adapterIn(logged: LoggedAdapter): Adapter | undefined {
  try {
    return readAdapter(logged);
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
