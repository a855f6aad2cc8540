/**
 * Codes that rules gave otherwise than by updates, as `entente issue --rules` does, on facts that were told with the order. Updates find them, and what was
 * told counts on: nobody gets a looser code while that, together with what lists say since, still gives a stricter one. One that was revoked keeps looser ones
 * away as well, until its holder declares anew, an objection to it is upheld, or it would be over. docs/issuing.md has all of it as a table.
 */
import { type Status } from '../../protocol/code/status.ts';
import { type Basis } from '../../protocol/disclosure/basis.ts';
import { type ListKind } from '../lists/kinds.ts';
import { type ListView } from '../lists/list-view.ts';
import { byPlace } from '../registry/pages.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type RegistryRecord } from '../registry/registry.ts';
import { type Bases } from './bases.ts';
import { listedOf, sureOf, withListed } from './contradictions.ts';
import { MANUAL_RULE_ID } from '../../protocol/disclosure/override.ts';
import {
  CHANGES_MAX,
  type Dossier,
  type FactSource,
  newestByRules,
  type StatusChange,
  statusToKeep,
} from './dossier.ts';
import { type Demanding, givenBy, isGone, isStricter, type JudgedAt, stricterBy } from './judging.ts';
import { isGranted } from './earlier.ts';
import { type RulingState } from './known.ts';
import { isAbout } from './objections.ts';
import { orderedOf, reasoned } from './ordered.ts';
import { type Judged } from './updater.ts';

const HOUR_S = 3_600;

/** What a dossier says of such a code, but for why it was given (`reasoned`). */
export function foundOf({ log, index, hour, fields }: RegistryRecord): StatusChange {
  const { status, holderKey, document } = fields;
  return {
    kind: 'found',
    atS: hour * HOUR_S,
    status: statusToKeep(status),
    log,
    index,
    isBound: holderKey !== undefined || document !== undefined,
    why: 'It was issued by rules.',
    sources: [],
  };
}

/** Whether somebody may hold codes that orders gave and of which their dossier does not tell: who has a green one that an update gave, and that runs, has none. */
export function mayHoldUnnoted(dossier: Dossier, at: JudgedAt): boolean {
  const newest = newestByRules(dossier);
  if (newest === undefined || isNewestRevoked(dossier, at)) return true;
  if (at.unfinished?.holders.has(dossier.declaration.subject) === true) return true;
  return newest.status.colour !== 'green' && newest.status.expiresAtS > at.nowS;
}

/** Whether the newest code by rules that a dossier tells of counts no more before its end. */
function isNewestRevoked(dossier: Dossier, { nowS, isRevoked }: JudgedAt): boolean {
  const newest = newestByRules(dossier);
  return newest !== undefined && newest.status.expiresAtS > nowS && isRevoked(newest);
}

/** The newest of these running codes that is by the rules of an update and that no update gave, where nothing that the dossier tells of takes its place. */
export function issuedOtherwise(
  dossier: Dossier,
  running: readonly RegistryRecord[],
  at: JudgedAt,
): RegistryRecord | undefined {
  const newest = newestByRules(dossier);
  // What an update revoked makes place for what the update gives.
  const isToCome = dossier.isRevoking === true || !isNewestRevoked(dossier, at);
  if (newest !== undefined && isToCome) return undefined;
  const isLater = (place: Place) => newest === undefined || byPlace(place, newest) > 0;
  return running
    .filter(({ fields: { status } }) => status.ruleId === at.ruleSet.id && status.expiresAtS > at.nowS)
    .findLast((record) => isLater(record) && !at.isRevoked(record));
}

/** Whether somebody may have such a code too: beside a green one that an update gave, and that runs, nothing stricter does. */
export function mayHoldOther({ last, judgement }: Judged, { nowS, isRevoked }: JudgedAt): boolean {
  if (judgement.what === 'overridden') return true;
  if (!('decision' in judgement) || last === undefined) return false;
  return last.status.colour !== 'green' || last.status.expiresAtS <= nowS || isRevoked(last);
}

/**
 * The yellow and red codes that orders gave and that are not over, revoked or not, of which a dossier does not tell. An update notes what it gives with the code
 * itself, so that whatever else is there came of an order; where a dossier is full, what is older than all in it may be an update's.
 */
export function unnotedOf(
  { changes }: Pick<Dossier, 'changes'>,
  records: readonly RegistryRecord[],
): readonly StatusChange[] {
  const oldest = changes.length < CHANGES_MAX ? undefined : changes.at(-1);
  return records
    .filter(({ fields: { status } }) => status.colour !== 'green' && status.ruleId !== MANUAL_RULE_ID)
    .filter((record) => oldest === undefined || byPlace(record, oldest) > 0)
    .filter((record) => !changes.some((change) => byPlace(change, record) === 0))
    .map(foundOf);
}

export interface FoundModules {
  readonly bases: Pick<Bases, 'of'>;
  readonly view: Pick<ListView, 'versionOf'>;
  /** The region's own trust state. */
  readonly state: Pick<RulingState, 'rules'> | undefined;
}

/** Nobody gets a looser code than one of these that counts on. `held`: the codes of people that are not over, by pseudonym. Rejects as the tables. */
export async function boundByFound(
  judged: readonly Judged[],
  held: ReadonlyMap<string, readonly RegistryRecord[]>,
  at: JudgedAt,
  { bases, view, state }: FoundModules,
): Promise<Judged[]> {
  const all: Judged[] = [];
  for (const one of judged) {
    const records = held.get(one.pseudonym);
    if (records === undefined) {
      all.push(one);
      continue;
    }
    const unnoted = unnotedOf(one.dossier, records).filter((change) => !isAmong(change, one.found));
    const found: StatusChange[] = [];
    for (const change of [...one.found, ...unnoted].sort(byPlace)) {
      const basis = await bases.of(change);
      const listed = new Map(listedBy(basis, one, view));
      const told = reasoned(change, orderedOf(change, basis, state), listed);
      found.push(listed.size === 0 ? told : { ...told, listed: [...listed.keys()] });
    }
    all.push(await boundOf({ ...one, found }, records, at, bases));
  }
  return all;
}

async function boundOf(
  one: Judged,
  records: readonly RegistryRecord[],
  at: JudgedAt,
  bases: FoundModules['bases'],
): Promise<Judged> {
  const { dossier, found, judgement } = one;
  // The stricter of both binds, whether an order or two operators gave it.
  const override = judgement.what === 'overridden' ? judgement : undefined;
  const given = override?.given ?? givenBy(judgement);
  if (given === undefined) return one;
  const noted = dossier.changes.filter(({ kind, status }) => kind === 'found' && status.expiresAtS > at.nowS);
  let binding: StatusChange | undefined;
  let strictest: Demanding = override?.status ?? given;
  let isWithheld = false;
  for (const order of [...noted, ...found]) {
    if (!isStricter(order.status, strictest)) continue;
    const basis = await bases.of(order);
    const isUnknown = basis === undefined || basis === 'unread';
    if (!isUnknown && basis.kind !== 'rules') continue;
    // What is not known was told by the end of its hour.
    if (isLifted(one, order, isUnknown ? order.atS + HOUR_S : basis.atS)) continue;
    const told = isUnknown ? undefined : toldOf(basis, order.listed, one, at);
    const isUnfinished = at.unfinished?.holders.has(dossier.declaration.subject) === true;
    const isTold = told === undefined || isUnfinished || isStricter(told, given);
    if (!isGone(order, at)) {
      if (isTold) [binding, strictest] = [order, order.status];
    } else if (order.withdrawn?.isDeclared !== true)
      isWithheld ||= isTold || !isDisplaced(one, order, records);
  }
  if (binding !== undefined) {
    const told = isAmong(binding, dossier.changes) ? undefined : binding;
    return { ...one, judgement: { what: 'overridden', by: binding, status: binding.status, given, told } };
  }
  if (!isWithheld || override !== undefined || isHeld(one, given, records, at)) return one;
  return { ...one, judgement: { what: 'withdrawn', given } };
}

/**
 * Whether an objection to it was upheld; or to another code of an order that demands as much or more, by when this one had been told: who was wrong about that
 * was wrong about both.
 */
function isLifted({ dossier, found }: Judged, order: StatusChange, toldByS: number): boolean {
  const orders = [...dossier.changes.filter(({ kind }) => kind === 'found'), ...found];
  return dossier.objections.filter(isGranted).some((objection) => {
    if (isAbout(objection, order))
      return objection.about !== undefined || toldByS <= (objection.decidedAtS ?? -1);
    const about = orders.find((other) => isAbout(objection, other));
    return (
      about !== undefined &&
      !isStricter(order.status, about.status) &&
      toldByS <= (objection.decidedAtS ?? -1)
    );
  });
}

/** Whether it may have been revoked for a stricter one, as every looser code is: then what was told with it counts on, and nothing more. */
function isDisplaced({ dossier }: Judged, order: StatusChange, records: readonly RegistryRecord[]): boolean {
  if (dossier.isRevoking === true) return true;
  const others = [...dossier.changes, ...records.map(foundOf)];
  return others.some((other) => byPlace(other, order) > 0 && stricterBy(other.status, order.status) > 0);
}

/** Whether they hold a code by rules that demands no more than what is to come, or any that demands less: then nothing gets looser by it. */
function isHeld(
  { dossier }: Judged,
  given: Status,
  records: readonly RegistryRecord[],
  at: JudgedAt,
): boolean {
  return [...dossier.changes, ...records.map(foundOf)].some((held) => {
    if (held.kind === 'revoked' || held.status.expiresAtS <= at.nowS || isGone(held, at)) return false;
    const by = stricterBy(given, held.status);
    return by > 0 || (by === 0 && held.status.ruleId !== MANUAL_RULE_ID);
  });
}

function isAmong(place: Place, places: readonly Place[]): boolean {
  return places.some((other) => byPlace(other, place) === 0);
}

/** The facts told with an order that lists say too, in versions that were in force by then: the list is to be mended, and nobody else. With where they stand. */
function listedBy(
  basis: Basis | 'unread' | undefined,
  { known }: Judged,
  view: Pick<ListView, 'versionOf'>,
): [string, FactSource][] {
  if (basis === undefined || basis === 'unread' || basis.kind !== 'rules') return [];
  const isBefore = (list: ListKind) => (view.versionOf(list)?.importedAtS ?? Infinity) <= basis.atS;
  return listedOf(known).flatMap(([name, value]) => {
    const source = known.sources.get(name);
    if (source?.from !== 'list' || basis.facts[name] !== value || !isBefore(source.list)) return [];
    // What a stay means is said by another list.
    return source.list === 'travel' && !isBefore('areas') ? [] : [[name, source]];
  });
}

/** What the rules give now on what was told, or demand at least; undefined where they give nothing on it, or others gave the code: then it counts to its end. */
function toldOf(
  { rule, facts }: Basis & { readonly kind: 'rules' },
  listed: readonly string[] = [],
  { known }: Judged,
  at: JudgedAt,
) {
  if (rule !== at.ruleSet.id) return undefined;
  const told = Object.entries(facts).filter(([name]) => !listed.includes(name));
  const now = withListed(new Map(told), listedOf(known), at.ruleSet);
  return now && sureOf(at.ruleSet, now, at.nowS);
}
