/** The adapters of all regions that a verifier leans on: whose keys a code of others may be signed with. Spec: SPEC.md 17.8. */
import { hexOf } from '../bytes.ts';
import { encodeCbor } from '../encoding/cbor.ts';
import { isProtocolError } from '../fault.ts';
import { type LoggedAdapter, type TrustState } from '../trust/trust-state.ts';
import { isByAdapter, type Trust } from '../verdict/knowledge.ts';
import { type Adapter, readAdapter } from './adapter.ts';
import { isInForce } from './claims.ts';
import { countryOf } from './country.ts';
import { type ForeignCode } from './foreign-code.ts';
import { type Candidates, type ForeignKey, ForeignKeys, type KeySource } from './foreign-keys.ts';
import { ANNOUNCERS_MAX, FOREIGN_KEYS_MAX, LOCAL_PROFILES_MAX } from './foreign-limits.ts';
import { type LocalProfile, mayBeLocal } from './local-profile.ts';
import { type Sha256 } from '../primitives.ts';
import { Authorities, type Authority, namedCandidates } from './seal-authority.ts';
import { type SignerFlaw } from './seal-signer.ts';

export interface AnnouncedKey extends ForeignKey {
  readonly adapter: Adapter;
}

interface AnnouncedAuthority extends Authority {
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

/** The profiles by which a text is read, and those for which there is no room: if there are such, the text is crowded. */
export interface LocalAnnouncers {
  readonly tried: readonly LocalAnnouncer[];
  readonly untried: readonly LocalAnnouncer[];
}

/** At most 16, in the order of `AnnouncedCodes.announcersOf`. */
export interface Announcers {
  readonly tried: readonly Announcer[];
  /** There are more. */
  readonly isCrowded: boolean;
}

/** What follows from data of a state, and from a state, neither of which ever changes: remembered for as long as those are. */
const adaptersOfData = new WeakMap<LoggedAdapter['data'], ReadData | undefined>();
const announcedOfStates = new WeakMap<TrustState, Announced>();
/** By the first adapter: of the newest state that has it. Most of what a region logs leaves its adapters as they are, and may have 32,768 keys. */
const announcedOfFirst = new WeakMap<ReadData, Announced>();

/** What a region announces by its adapters. */
interface Announced {
  readonly region: string;
  readonly adapters: readonly ReadData[];
  readonly keys: ForeignKeys<AnnouncedKey>;
  readonly authorities: Authorities<AnnouncedAuthority>;
  readonly locals: readonly LocalAnnouncer[];
}

interface ReadData {
  readonly adapter: Adapter;
  /** The same text for the same profile; undefined without one. */
  readonly profileName: string | undefined;
}

/** Of one trust, an immutable value as that is. Each region has keys of its own, so that none can crowd out another's. */
export class AnnouncedCodes {
  readonly trust: Trust;
  readonly #regions: readonly Announced[];
  /** A list for each region. */
  readonly #locals: readonly (readonly LocalAnnouncer[])[];
  readonly #withdrawn: readonly (readonly LocalAnnouncer[])[];

  constructor(trust: Trust) {
    this.trust = trust;
    this.#regions = [...trust.regions.values()]
      .map(({ state }) => announcedBy(state))
      .filter(({ keys, authorities }) => keys.size + authorities.size > 0)
      .sort((a, b) => (a.region < b.region ? -1 : 1));
    this.#locals = [...trust.regions.values()].map(({ state }) => localsOf(state));
    this.#withdrawn = trust.withdrawn.map(localsOf);
  }

  /**
   * The profiles by which a text is read that is of no format which says itself what it is: of each region as `localsIn` has it; only of regions
   * whose codes come by adapter here, if there is one; without any, those of regions whose recognition is withdrawn, so that a verdict can say
   * so. Of at most 16 regions: the home first, whose codes no others can crowd out, then those whose recognition is in force at `nowS`; of these
   * the longest beginning first, then by region.
   */
  localsFor(text: string, nowS: number): LocalAnnouncers {
    const known = chosenOf(this.#locals, text);
    const all = known.length > 0 ? known : chosenOf(this.#withdrawn, text);
    const byAdapter = all.filter(({ first }) => this.isByAdapter(first.region));
    const { home } = this.trust;
    const rankOf = ({ region }: LocalAnnouncer) =>
      Number(region !== home) + Number(!isInForce(this.trust, region, nowS));
    const ranked = (byAdapter.length > 0 ? byAdapter : all).sort(
      ({ first: a }, { first: b }) =>
        rankOf(a) - rankOf(b) ||
        b.profile.prefix.length - a.profile.prefix.length ||
        compareTexts(a.region, b.region),
    );
    const [regions, beyond] = [ranked.slice(0, ANNOUNCERS_MAX), ranked.slice(ANNOUNCERS_MAX)];
    return {
      tried: regions.flatMap(({ tried }) => tried),
      untried: [...beyond.flatMap(({ tried }) => tried), ...ranked.flatMap(({ untried }) => untried)],
    };
  }

  /**
   * The regions whose keys are tried on a code: the home first, then those that it may be of by its issuer, of these those whose codes come by
   * adapter here, then by their ids.
   */
  announcersOf(code: ForeignCode): Announcers {
    const all = this.#regions
      .map((one) => ({ region: one.region, candidates: candidatesIn(this.trust.sha256, one, code) }))
      .filter(({ candidates }) => candidates.keys.length > 0);
    const rank = ({ region }: Announcer) =>
      4 * Number(region !== this.trust.home) +
      2 * Number(!isIssuerOf(region, code.issuer ?? '')) +
      Number(!this.isByAdapter(region));
    const ranked = all.sort((a, b) => rank(a) - rank(b));
    return { tried: ranked.slice(0, ANNOUNCERS_MAX), isCrowded: ranked.length > ANNOUNCERS_MAX };
  }

  /** Why the certificate of a seal makes no signer by the authorities of a region: undefined where it may make one, and where the region announces none. */
  signerFlaw(region: string, code: ForeignCode): SignerFlaw | undefined {
    const announced = this.#regions.find((one) => one.region === region);
    return announced && candidatesIn(this.trust.sha256, announced, code).signerFlaw;
  }

  /** Whether some profile may read a text, by its beginning alone. */
  mayBeLocal(text: string): boolean {
    return [...this.#locals, ...this.#withdrawn].some((locals) =>
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

/** The keys by which a code may be one of a region: those that it announces, and that of a seal's signer by the authorities that it announces. */
export function keySourceOf(sha256: Sha256, state: TrustState): KeySource<AnnouncedKey> {
  return { candidatesFor: (code) => candidatesIn(sha256, announcedBy(state), code) };
}

/** A signer that is announced itself needs no authority. */
function candidatesIn(
  sha256: Sha256,
  { keys, authorities }: Announced,
  code: ForeignCode,
): Candidates<AnnouncedKey> {
  const announced = namedCandidates(keys, authorities, code);
  if (announced.keys.length > 0) return announced;
  const vouched = authorities.candidatesFor(sha256, code);
  return {
    ...vouched,
    keys: vouched.keys.map(({ authority, ...key }) => ({ ...key, adapter: authority.adapter })),
  };
}

/** All keys that a region announces by its adapters, as far as a verifier holds them. */
export function keysOf(state: TrustState): ForeignKeys<AnnouncedKey> {
  return announcedBy(state).keys;
}

/** The profiles that a region announces, each with the keys of all its adapters that have it, in the order of the first one's id. */
export function localsOf(state: TrustState): readonly LocalAnnouncer[] {
  return announcedBy(state).locals;
}

/** Those of a region by which a text is read: those with the longest beginning that it has, and of them at most four. */
export function localsIn(state: TrustState, text: string): LocalAnnouncers {
  return chosenOf([localsOf(state)], text)[0] ?? { tried: [], untried: [] };
}

/** Of each region that may read the text. */
function chosenOf(
  regions: readonly (readonly LocalAnnouncer[])[],
  text: string,
): (LocalAnnouncers & { readonly first: LocalAnnouncer })[] {
  return regions.flatMap((locals) => {
    const able = locals.filter(({ profile }) => mayBeLocal(profile, text));
    const longest = Math.max(...able.map(({ profile }) => profile.prefix.length));
    const all = able.filter(({ profile }) => profile.prefix.length === longest);
    const [first] = all;
    if (first === undefined) return [];
    return [{ first, tried: all.slice(0, LOCAL_PROFILES_MAX), untried: all.slice(LOCAL_PROFILES_MAX) }];
  });
}

function compareTexts(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

function announcedBy(state: TrustState): Announced {
  const known = announcedOfStates.get(state);
  if (known !== undefined) return known;
  const { region } = state;
  const adapters = announcedAdapters(state);
  const [first] = adapters;
  const before = first && announcedOfFirst.get(first);
  const isSame = before?.region === region && areSame(before.adapters, adapters);
  const announced = isSame
    ? before
    : {
        region,
        adapters,
        keys: new ForeignKeys(keysIn(adapters)),
        authorities: authoritiesIn(adapters),
        locals: localsAmong(region, adapters),
      };
  announcedOfStates.set(state, announced);
  if (first !== undefined) announcedOfFirst.set(first, announced);
  return announced;
}

function areSame(before: readonly ReadData[], after: readonly ReadData[]): boolean {
  return before.length === after.length && before.every((one, i) => one === after[i]);
}

function keysIn(adapters: readonly ReadData[]): AnnouncedKey[] {
  return adapters.flatMap(({ adapter }) => adapter.keys.map((key) => ({ ...key, adapter })));
}

function authoritiesIn(adapters: readonly ReadData[]): Authorities<AnnouncedAuthority> {
  const all = adapters.flatMap(({ adapter }) => adapter.authorities.map((one) => ({ ...one, adapter })));
  return new Authorities(
    all,
    adapters.flatMap(({ adapter }) => adapter.refused),
  );
}

function localsAmong(region: string, adapters: readonly ReadData[]): LocalAnnouncer[] {
  const byProfile = new Map<string, { readonly profile: LocalProfile; readonly keys: AnnouncedKey[] }>();
  for (const { adapter, profileName } of adapters) {
    const { profile } = adapter;
    if (profile === undefined || profileName === undefined) continue;
    const known = byProfile.get(profileName) ?? { profile, keys: [] };
    for (const key of adapter.keys) known.keys.push({ ...key, adapter });
    byProfile.set(profileName, known);
  }
  return [...byProfile.values()].map(({ profile, keys }) => ({
    region,
    profile,
    keys: new ForeignKeys(keys),
  }));
}

/** In the order of their ids. One whose keys would be more than a verifier holds, or that is none, announces nothing. */
function announcedAdapters(state: TrustState): ReadData[] {
  const adapters: ReadData[] = [];
  let keys = 0;
  for (const logged of [...state.adapters()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const read = readOf(logged);
    const { length = 0 } = read === undefined ? [] : [...read.adapter.keys, ...read.adapter.authorities];
    if (read === undefined || keys + length > FOREIGN_KEYS_MAX) continue;
    keys += length;
    adapters.push(read);
  }
  return adapters;
}

function readOf(logged: LoggedAdapter): ReadData | undefined {
  const { data } = logged;
  if (!adaptersOfData.has(data)) adaptersOfData.set(data, readingOf(logged));
  return adaptersOfData.get(data);
}

function readingOf(logged: LoggedAdapter): ReadData | undefined {
  try {
    const adapter = readAdapter(logged);
    // Once for each adapter: a profile may be as long as an entry of a log, and stand beside thousands of keys.
    return { adapter, profileName: adapter.profile && hexOf(encodeCbor(adapter.profile)) };
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
