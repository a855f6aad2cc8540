/**
 * Codes that rules gave otherwise than by updates, as `entente issue --rules` does, on facts that were told with the order. Updates find them, and what was
 * told counts on: nobody gets a looser code while that, together with what lists say since, still gives a stricter one.
 */
import { type Basis } from '../../protocol/disclosure/basis.ts';
import { byPlace } from '../registry/pages.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type RegistryRecord } from '../registry/registry.ts';
import { type Bases } from './bases.ts';
import { listedOf, sureOf, withListed } from './contradictions.ts';
import { type Dossier, newestByRules, type StatusChange, statusToKeep } from './dossier.ts';
import { mendedAtS } from './earlier.ts';
import { bindingOf, givenBy, isStricter, type JudgedAt } from './judging.ts';
import { type Judged } from './updater.ts';

const HOUR_S = 3_600;

/** What a dossier says of such a code. */
export function foundOf({ log, index, hour, fields }: RegistryRecord): StatusChange {
  const { status, holderKey, document } = fields;
  return {
    kind: 'found',
    atS: hour * HOUR_S,
    status: statusToKeep(status),
    log,
    index,
    isBound: holderKey !== undefined || document !== undefined,
    why: 'It was issued by rules on other data than what is stored here.',
    sources: [],
  };
}

/** Whether the newest code by rules that a dossier tells of counts no more before its end. */
export function isNewestRevoked(dossier: Dossier, { nowS, isRevoked }: JudgedAt): boolean {
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

/** Whether somebody who may get a code may have such a code too: nothing stricter runs beside a green one that an update gave. */
export function mayHoldOther({ last, judgement }: Judged, { nowS, isRevoked }: JudgedAt): boolean {
  if (!('decision' in judgement) || last === undefined) return false;
  return last.status.colour !== 'green' || last.status.expiresAtS <= nowS || isRevoked(last);
}

/** Nobody gets a looser code than one of these that binds. `running`: the codes of people by pseudonym. Rejects as the tables. */
export async function boundByFound(
  judged: readonly Judged[],
  running: ReadonlyMap<string, readonly RegistryRecord[]>,
  at: JudgedAt,
  bases: Bases,
): Promise<Judged[]> {
  const all: Judged[] = [];
  for (const one of judged) all.push(await boundOf(one, running.get(one.pseudonym) ?? [], at, bases));
  return all;
}

async function boundOf(
  one: Judged,
  running: readonly RegistryRecord[],
  at: JudgedAt,
  bases: Bases,
): Promise<Judged> {
  const given = givenBy(one.judgement);
  if (given === undefined) return one;
  const stricter: RegistryRecord[] = [];
  for (const record of running) {
    if (!isStricter(record.fields.status, given) || !isByNoUpdate(one.dossier, record, at)) continue;
    const basis = await bases.of(record);
    const isUnknown = basis === undefined || basis === 'unread';
    if (!isUnknown && basis.kind !== 'rules') continue;
    // What is not known was told by the end of its hour.
    const toldByS = isUnknown ? (record.hour + 1) * HOUR_S : basis.atS;
    if (toldByS <= mendedAtS(one.dossier)) continue;
    const told = isUnknown ? undefined : toldOf(basis, one, at);
    if (told === undefined || isStricter(told, given)) stricter.push(record);
  }
  const binding = bindingOf(stricter, given, at);
  if (binding === undefined) return one;
  const { dossier, last, isFound } = one;
  const isKnown =
    dossier.changes.some((change) => byPlace(change, binding) === 0) ||
    (isFound && last !== undefined && byPlace(last, binding) === 0);
  const told = isKnown ? undefined : foundOf(binding);
  return { ...one, judgement: { what: 'overridden', status: binding.fields.status, told } };
}

/** Of renewals the dossier tells of the newest alone: what it does not tell of, and is older than what runs, may be one of them. */
function isByNoUpdate(dossier: Dossier, record: RegistryRecord, at: JudgedAt): boolean {
  const noted = dossier.changes.find((change) => byPlace(change, record) === 0);
  if (noted !== undefined) return noted.kind === 'found';
  const newest = newestByRules(dossier);
  return newest === undefined || isNewestRevoked(dossier, at) || byPlace(record, newest) > 0;
}

/** What the rules give now on what was told, or demand at least; undefined where they give nothing on it, or others gave the code: then it counts to its end. */
function toldOf({ rule, facts }: Basis & { readonly kind: 'rules' }, { known }: Judged, at: JudgedAt) {
  if (rule !== at.ruleSet.id) return undefined;
  const now = withListed(new Map(Object.entries(facts)), listedOf(known), at.ruleSet);
  return now && sureOf(at.ruleSet, now, at.nowS);
}
