/** The adapters of all regions that a verifier leans on: whose keys a code of others may be signed with. Spec: SPEC.md 17.8. */
import { hexOf } from '../bytes.ts';
import { encodeCbor } from '../encoding/cbor.ts';
import { isProtocolError } from '../fault.ts';
import { type LoggedAdapter, type TrustState } from '../trust/trust-state.ts';
import { isByAdapter, type Trust } from '../verdict/knowledge.ts';
import { type Adapter, readAdapter } from './adapter.ts';
import { countryOf } from './country.ts';
import { type ForeignCode } from './foreign-code.ts';
import { type Candidates, type ForeignKey, ForeignKeys } from './foreign-keys.ts';
import { ANNOUNCERS_MAX, FOREIGN_KEYS_MAX, LOCAL_PROFILES_MAX } from './foreign-limits.ts';
import { type LocalProfile, mayBeLocal } from './local-profile.ts';

export interface AnnouncedKey extends ForeignKey {
  readonly adapter: Adapter;
}

/** A region that announced keys of the name that a code gives. */
export interface Announcer {
  readonly region: string;
  readonly candidates: Candidates<AnnouncedKey>;
}

/** A region that announced a profile by which a text may be read, and its keys for that. */
export interface LocalAnnouncer {
  readonly region: string;
  readonly profile: LocalProfile;
  readonly keys: ForeignKeys<AnnouncedKey>;
}

/** At most 16, in the order of `AnnouncedCodes.announcersOf`. */
export interface Announcers {
  readonly tried: readonly Announcer[];
  /** There are more. */
  readonly isCrowded: boolean;
}

/** What follows from a state that never changes, and from data of it: remembered for as long as those are. */
const keysOfStates = new WeakMap<TrustState, ForeignKeys<AnnouncedKey>>();
const localsOfStates = new WeakMap<TrustState, readonly LocalAnnouncer[]>();
const adaptersOfData = new WeakMap<LoggedAdapter['data'], Adapter | undefined>();

/** Of one trust, an immutable value as that is. Each region has keys of its own, so that none can crowd out another's. */
export class AnnouncedCodes {
  readonly trust: Trust;
  readonly #regions: readonly { readonly region: string; readonly keys: ForeignKeys<AnnouncedKey> }[];
  readonly #locals: readonly LocalAnnouncer[];
  readonly #withdrawn: readonly LocalAnnouncer[];

  constructor(trust: Trust) {
    this.trust = trust;
    this.#regions = [...trust.regions.values()]
      .map(({ state }) => ({ region: state.region, keys: keysOf(state) }))
      .filter(({ keys }) => keys.size > 0)
      .sort((a, b) => (a.region < b.region ? -1 : 1));
    this.#locals = [...trust.regions.values()].flatMap(({ state }) => localsOf(state));
    this.#withdrawn = trust.withdrawn.flatMap(localsOf);
  }

  /**
   * The profiles by which a text is read that is of no format which says itself what it is: of each region those with the longest beginning that
   * the text has; only of regions whose codes come by adapter here, if there is one; without any, those of regions whose recognition is withdrawn, so that a verdict
   * can say so. At most 16, the longest beginning first, then by region.
   */
  localsFor(text: string): { readonly tried: readonly LocalAnnouncer[]; readonly isCrowded: boolean } {
    const mayRead = ({ profile }: LocalAnnouncer) => mayBeLocal(profile, text);
    const known = this.#locals.filter(mayRead);
    const all = known.length > 0 ? known : this.#withdrawn.filter(mayRead);
    if (all.length === 0) return { tried: [], isCrowded: false };
    const longest = new Map<string, number>();
    for (const { region, profile } of all)
      longest.set(region, Math.max(longest.get(region) ?? 0, profile.prefix.length));
    const ofRegions = all.filter(({ region, profile }) => profile.prefix.length === longest.get(region));
    const byAdapter = ofRegions.filter(({ region }) => this.isByAdapter(region));
    const tried = (byAdapter.length > 0 ? byAdapter : ofRegions).sort(
      (a, b) => b.profile.prefix.length - a.profile.prefix.length || compareTexts(a.region, b.region),
    );
    return { tried: tried.slice(0, LOCAL_PROFILES_MAX), isCrowded: tried.length > LOCAL_PROFILES_MAX };
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

  /** Whether some profile may read a text, by its beginning alone. */
  mayBeLocal(text: string): boolean {
    return [this.#locals, this.#withdrawn].some((locals) =>
      locals.some(({ profile }) => mayBeLocal(profile, text)),
    );
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

/** The profiles that a region announces, each with the keys of all its adapters that have it, in the order of the first one's id. */
export function localsOf(state: TrustState): readonly LocalAnnouncer[] {
  let locals = localsOfStates.get(state);
  if (locals === undefined) {
    const byProfile = new Map<string, AnnouncedKey[]>();
    for (const key of announcedKeys(state)) {
      const { profile } = key.adapter;
      if (profile === undefined) continue;
      const name = hexOf(encodeCbor(profile));
      byProfile.set(name, [...(byProfile.get(name) ?? []), key]);
    }
    locals = [...byProfile.values()].map((keys) => ({
      region: state.region,
      profile: keys[0]?.adapter.profile as LocalProfile,
      keys: new ForeignKeys(keys),
    }));
    localsOfStates.set(state, locals);
  }
  return locals;
}

function compareTexts(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
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
