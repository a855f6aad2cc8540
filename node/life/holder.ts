/** One person as the region knows them: the colour, as its holder is told of it, and why. */
import { isNodeError } from '../node-error.ts';
import { byPlace } from '../registry/pages.ts';
import { type Place } from '../registry/place-cipher.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { type Dossier, type StatusChange, withFound } from './dossier.ts';
import { type DossierShelf, type ShelvedDossier } from './dossier-shelf.ts';
import { type Explained, explainedOf, explainedOrder } from './explained.ts';
import { type NoticeOptions, noticeText } from './notice.ts';
import { orderedAt, type OrderedModules, withReason } from './ordered.ts';
import { type Judged, type Updater, type UpdateRun } from './updater.ts';

/** A person as the region knows them. */
export interface Holder extends Dossier {
  /** What they were told last; empty where they have no colour. */
  readonly notice: readonly string[];
  /** Of the newest code. */
  readonly standing: 'running' | 'over' | 'revoked' | 'none';
  readonly explained?: Explained;
}

export interface HolderOrder {
  readonly subject: string;
  readonly isExplained: boolean;
}

export interface HolderAt extends NoticeOptions {
  readonly nowS: number;
  readonly isRevoked: (place: Place) => boolean;
  /** How an update would look at people now. @throws {NodeError} NOT_FOUND or REFUSED where there are no rules for that. */
  readonly run: () => UpdateRun;
}

export interface HolderModules extends OrderedModules {
  readonly shelf: Pick<DossierShelf, 'require' | 'pseudonymOf'>;
  readonly updater: Pick<Updater, 'look'>;
}

/**
 * What the region knows of a person, with the codes that orders gave and that no update has noted yet; explained, why they have their colour.
 * @throws {NodeError} NOT_FOUND for who never declared; where it is to be explained also as `run` and `Updater.look`, and else as the store.
 */
export async function holderOf(
  { subject, isExplained }: HolderOrder,
  at: HolderAt,
  modules: HolderModules,
): Promise<Holder> {
  const noted = await modules.shelf.require(subject);
  const person = { pseudonym: modules.shelf.pseudonymOf(subject), dossier: noted };
  const looked = isExplained
    ? await lookedAt([person], at.run(), modules)
    : await lookedAtIfKnown([person], at, modules);
  const [judged] = looked?.judged ?? [];
  const whole = judged === undefined ? noted : withNotYetNoted(judged, at);
  const changes: StatusChange[] = [];
  for (const change of whole.changes) changes.push(await withReason(change, modules));
  const dossier = { ...whole, changes };
  const [newest] = dossier.changes;
  const standing = standingOf(newest, at);
  const notice = newest === undefined || standing === 'none' ? [] : noticeText(newest, at, standing);
  if (!isExplained || looked === undefined || judged === undefined) return { ...dossier, notice, standing };
  const order = orderToExplain(dossier, judged);
  const ordered = order && explainedOrder(order, await orderedAt(order, modules));
  const explained = explainedOf(judged, looked.run);
  return { ...dossier, notice, standing, explained: { ...explained, ...(ordered && { order: ordered }) } };
}

/**
 * The dossiers of these people with the codes that orders gave and that no update has noted yet; as they are where there are no rules to look by, or the registry is
 * damaged there. Rejects as `Updater.look`, but for that.
 */
export async function wholeDossiers(
  persons: readonly ShelvedDossier[],
  at: Pick<HolderAt, 'nowS' | 'run'>,
  modules: Pick<HolderModules, 'updater'>,
): Promise<readonly Dossier[]> {
  const looked = await lookedAtIfKnown(persons, at, modules);
  return looked?.judged.map((one) => withNotYetNoted(one, at)) ?? persons.map(({ dossier }) => dossier);
}

function withNotYetNoted({ dossier, found }: Judged, { nowS }: Pick<HolderAt, 'nowS'>): Dossier {
  return found.reduce((now, one) => withFound(now, one, nowS), dossier);
}

interface LookedAt {
  readonly judged: readonly Judged[];
  readonly run: UpdateRun;
}

async function lookedAt(
  persons: readonly ShelvedDossier[],
  run: UpdateRun,
  { updater }: Pick<HolderModules, 'updater'>,
): Promise<LookedAt> {
  return { judged: await updater.look(persons, run), run };
}

/** Undefined where there are no rules to look by, or the registry is damaged there: then what was noted is told. */
async function lookedAtIfKnown(
  persons: readonly ShelvedDossier[],
  { run }: Pick<HolderAt, 'run'>,
  modules: Pick<HolderModules, 'updater'>,
): Promise<LookedAt | undefined> {
  try {
    return await lookedAt(persons, run(), modules);
  } catch (error) {
    if (isRegistryDamage(error) || isNodeError(error, 'NOT_FOUND') || isNodeError(error, 'REFUSED'))
      return undefined;
    throw error;
  }
}

function standingOf(
  newest: StatusChange | undefined,
  { isRevoked, nowS }: Pick<HolderAt, 'isRevoked' | 'nowS'>,
): Holder['standing'] {
  if (newest === undefined) return 'none';
  if (isRevoked(newest)) return 'revoked';
  return newest.status.expiresAtS <= nowS ? 'over' : 'running';
}

/** The code that binds, if an order gave that; else the newest, if it did. */
function orderToExplain({ changes }: Dossier, { judgement }: Judged): StatusChange | undefined {
  const binding =
    judgement.what === 'overridden'
      ? changes.find((change) => byPlace(change, judgement.by) === 0)
      : undefined;
  return [binding, changes[0]].find((change) => change?.kind === 'found');
}
