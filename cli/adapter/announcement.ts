/** The statements that announce an adapter: keys of one format, in as many pieces as entries of a log have room for. */
import { type StatementDraft } from '../../node/log/trust-log-work.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { encodeCbor } from '../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import {
  ADAPTER_FORMATS,
  adapterData,
  type AdapterDraft,
  type AdapterFormat,
  readAdapter,
} from '../../protocol/foreign/adapter.ts';
import { isIssuerOf } from '../../protocol/foreign/announced-codes.ts';
import { isCountryRules } from '../../protocol/foreign/country-rules.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import {
  ANNOUNCED_AUTHORITIES_MAX,
  ANNOUNCED_KEYS_MAX,
  LOCAL_PROFILES_MAX,
} from '../../protocol/foreign/foreign-limits.ts';
import { type LocalProfile } from '../../protocol/foreign/local-profile.ts';
import { isOpaque } from '../../protocol/lookup/opaque-adapter.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type LoggedAdapter, type TrustState } from '../../protocol/trust/trust-state.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';

/** Bytes of the data of one statement: an entry has 65,535, and signatures of many root keys take some. */
export const DATA_BYTES_MAX = 60_000;

/** Rule ids have 32 characters; pieces after the first add a hyphen and a number. */
export const ADAPTER_ID = /^[a-z0-9][a-z0-9-]{0,27}$/;

/** Ids of pieces end so, and no others that are announced from now on. */
const PIECE_END = /-[1-9]\d*$/;

/**
 * What is logged under an id, and its further pieces: those that have its name and a number, and announce the same format by the same profile. None if
 * nothing is logged under it.
 */
export function piecesOf(state: TrustState, id: string): readonly LoggedAdapter[] {
  const all = [...state.adapters()];
  const first = all.find((logged) => logged.id === id);
  if (first === undefined) return [];
  const isPiece = (logged: LoggedAdapter) =>
    hasNameOfPiece(id, logged) && isAnnouncing(logged) && formOf(logged) === formOf(first);
  return [first, ...all.filter(isPiece)];
}

/** The same, with pieces that were taken back. */
export function loggedUnder(state: TrustState, id: string): readonly LoggedAdapter[] {
  const pieces = piecesOf(state, id);
  const isOver = (logged: LoggedAdapter) => hasNameOfPiece(id, logged) && !isAnnouncing(logged);
  return pieces.length === 0 ? [] : [...pieces, ...[...state.adapters()].filter(isOver)];
}

function hasNameOfPiece(id: string, logged: Pick<LoggedAdapter, 'id'>): boolean {
  return PIECE_END.test(logged.id) && logged.id.replace(PIECE_END, '') === id;
}

function formOf({ data }: LoggedAdapter): string {
  return hexOf(encodeCbor([data['format'] ?? '', data['profile'] ?? '']));
}

/**
 * Requires that codes of a format may be announced under an id: in the place of those of the same format, and of nothing else.
 * @throws {CliError} REFUSED
 */
export function requireOwnId(state: TrustState, id: string, format: AdapterFormat): void {
  const before = [...state.adapters()].find((logged) => logged.id === id && isAnnouncing(logged));
  const stem = id.replace(PIECE_END, '');
  const isOfStem = piecesOf(state, stem).some((piece) => piece.id === id);
  if (stem !== id && (before === undefined || isOfStem))
    throw new CliError(
      EXIT.failure,
      'REFUSED',
      `${printable(id)} is how a piece of ${printable(stem)} is called: longer lists of keys are announced in several`,
      { hint: 'Choose a name that does not end in a hyphen and a number.' },
    );
  if (before === undefined || before.data['format'] === format) return;
  throw new CliError(
    EXIT.failure,
    'REFUSED',
    `${state.region} announces ${printable(id)} already, for ${contentOf(before)}`,
    { hint: 'Choose another name, or take that back first by `entente adapter withdraw`.' },
  );
}

function contentOf(logged: LoggedAdapter): string {
  if (isCountryRules(logged)) return 'the rules of its country for EU certificates';
  if (isOpaque(logged)) return 'numbers that are looked up';
  const { format } = logged.data;
  return typeof format === 'string' ? `codes of the format ${printable(format)}` : 'something else';
}

/** Announces something still: a statement with an empty map has taken it back. */
export function isAnnouncing({ data }: LoggedAdapter): boolean {
  return Object.keys(data).length > 0;
}

/**
 * The keys of a format that a region may announce as its own. `others` are those of other countries, `unnamed` those among its own of
 * which neither list nor certificate says whose they are.
 */
export function ownKeys(
  region: string,
  keys: readonly ForeignKey[],
): { readonly own: readonly ForeignKey[]; readonly others: number; readonly unnamed: number } {
  const isUnnamed = ({ format, issuer }: ForeignKey) => issuer === '' && format !== 'shc';
  const named = keys.map((key) => (isUnnamed(key) ? { ...key, issuer: region.slice(0, 2) } : key));
  const own = named.filter(({ format, issuer }) => format === 'shc' || isIssuerOf(region, issuer));
  return { own, others: named.length - own.length, unnamed: keys.filter(isUnnamed).length };
}

/** The one format of the keys. @throws {CliError} USAGE if they have several, or one that adapters do not know. */
export function formatOf(keys: readonly ForeignKey[]): AdapterFormat {
  const formats = [...new Set(keys.map(({ format }) => format))];
  const [format] = formats;
  if (formats.length > 1)
    throw usageError(`the keys are of several formats: ${formats.join(', ')}`, 'Name one with --format.');
  const known = ADAPTER_FORMATS.find((one) => one === format);
  if (known !== undefined) return known;
  throw new CliError(EXIT.failure, 'KEY_INVALID', 'there is no key that can be announced', {
    hint: 'Keys are those of signers of codes: ES256 on P-256, ES384 on P-384, or RSA of 2048 to 4096 bits.',
  });
}

export interface Announcing extends AdapterDraft {
  readonly id: string;
  readonly from: number;
  readonly until: number;
}

export interface Announcement {
  readonly statements: readonly StatementDraft[];
  /** Ids of pieces that are not needed any more. */
  readonly takenBack: readonly string[];
}

/**
 * The statements for all keys, and those that take back pieces which are not needed any more. No other adapter is touched.
 * @throws {CliError} FACTS_INVALID if peers could not read it.
 */
export function announcing(state: TrustState, draft: Announcing): Announcement {
  const { id, profile, rules, facts, keys, authorities, refused, from, until } = draft;
  const before = piecesOf(state, id);
  const logged = new Map([...state.adapters()].map((one) => [one.id, one]));
  const names = namesFor(id, (name) => {
    const there = logged.get(name);
    const isOwn = before.some((piece) => piece.id === name);
    return there === undefined || !isAnnouncing(there) || isOwn;
  });
  const pieces = dataOf({ profile, rules, facts, keys, authorities, refused }).map((data) => {
    const name = names.next().value;
    const version = (logged.get(name)?.version ?? 0) + 1;
    return { kind: 'adapter' as const, id: name, version, from, until, data };
  });
  for (const { version, data } of pieces) requireReadable({ id, version, fromS: from, untilS: until, data });
  const over = before.filter((one) => isAnnouncing(one) && !pieces.some((piece) => piece.id === one.id));
  return {
    statements: [...pieces, ...takingBack(over, from)],
    takenBack: over.map((one) => one.id),
  };
}

/** The id, and then those of further pieces that are free. */
function* namesFor(id: string, isFree: (name: string) => boolean): Generator<string, never> {
  yield id;
  for (let number = 2; ; number++) if (isFree(`${id}-${number}`)) yield `${id}-${number}`;
}

/** Statements that take back what of these adapters still announces something. */
export function takingBack(adapters: readonly LoggedAdapter[], nowS: number): StatementDraft[] {
  return adapters.filter(isAnnouncing).map(({ id, version }) => ({
    kind: 'adapter',
    id,
    version: version + 1,
    from: nowS,
    until: nowS + 1,
    data: {},
  }));
}

/** Says of pieces that they are taken back, for people. */
export function takenBackLines(pieces: readonly string[]): string[] {
  return pieces.length === 0 ? [] : [`Taken back with it: ${pieces.join(', ')}.`];
}

/** @throws {CliError} FACTS_INVALID for a fact that the rules do not know: it would never be looked at. */
export function requireDeclared(facts: AdapterDraft['facts'], { id, data }: RuleSet): void {
  const unknown = Object.keys(facts).filter((name) => !Object.hasOwn(data.facts, name));
  if (unknown.length === 0) return;
  const names = unknown.map((name) => printable(name)).join(', ');
  throw new CliError(
    EXIT.failure,
    'FACTS_INVALID',
    `${id} knows no ${unknown.length === 1 ? 'fact' : 'facts'} ${names}`,
    {
      hint: `It has ${counted(Object.keys(data.facts).length, 'fact')}: ${Object.keys(data.facts).join(', ')}.`,
    },
  );
}

/**
 * Verifiers read a text by four profiles of a region that begin alike, those whose adapters come first by their ids.
 * @throws {CliError} PROFILE_INVALID where there would be more: some codes would be read by none of them.
 */
export function requireTried(state: TrustState, id: string, profile: LocalProfile): void {
  const nameOf = (one: LocalProfile) => hexOf(encodeCbor(one));
  const others = new Map<string, string>();
  const replaced = new Set(piecesOf(state, id).map((logged) => logged.id));
  for (const logged of state.adapters()) {
    const known = replaced.has(logged.id) ? undefined : profileIn(logged);
    if (known?.prefix === profile.prefix) others.set(nameOf(known), logged.id);
  }
  others.delete(nameOf(profile));
  if (others.size < LOCAL_PROFILES_MAX) return;
  throw new CliError(
    EXIT.failure,
    'PROFILE_INVALID',
    `${state.region} announces ${counted(others.size, 'other profile')} of this beginning already (${[...others.values()].join(', ')}), and verifiers try ${LOCAL_PROFILES_MAX}`,
    {
      hint: 'Give the profile a longer or another prefix, announce it under the id of one that it replaces, or take one back by `entente adapter withdraw`.',
    },
  );
}

function profileIn(logged: LoggedAdapter): LocalProfile | undefined {
  try {
    return readAdapter(logged).profile;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

/** Keys and authorities in pieces of their own: verifiers that know nothing of authorities read those with keys. */
function dataOf(draft: AdapterDraft): ReturnType<typeof adapterData>[] {
  const { authorities = [], refused, ...rest } = draft;
  const refusedIn = (isThere: boolean) => (isThere ? refused : undefined);
  const ofKeys = piecesIn(draft.keys, ANNOUNCED_KEYS_MAX, (keys, index) =>
    adapterData({ ...rest, keys, refused: refusedIn(index === 0 && authorities.length === 0) }),
  );
  const ofAuthorities = piecesIn(authorities, ANNOUNCED_AUTHORITIES_MAX, (some, index) =>
    adapterData({ ...rest, keys: [], authorities: some, refused: refusedIn(index === 0) }),
  );
  return [...ofKeys, ...ofAuthorities];
}

/** The data of all that is announced, some at a time; the index is that of the first one. */
function piecesIn<T>(
  all: readonly T[],
  max: number,
  make: (some: readonly T[], index: number) => ReturnType<typeof adapterData>,
): ReturnType<typeof adapterData>[] {
  const pieces: ReturnType<typeof adapterData>[] = [];
  for (let at = 0; at < all.length;) {
    let count = Math.min(all.length - at, max);
    let data = make(all.slice(at, at + count), at);
    // Keys of RSA are several times as long as others.
    while (count > 1 && encodeCbor(data).length > DATA_BYTES_MAX) {
      count = Math.ceil(count / 2);
      data = make(all.slice(at, at + count), at);
    }
    pieces.push(data);
    at += count;
  }
  return pieces;
}

function requireReadable(logged: LoggedAdapter): void {
  try {
    readAdapter(logged);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    throw new CliError(EXIT.failure, 'FACTS_INVALID', printable(error.message), {
      hint: 'Facts are a map of names and CertLogic expressions: docs/codes-of-others.md has an example.',
    });
  }
}
