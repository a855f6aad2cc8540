/** What people hold beside what is demanded of them, and what of it passes no more: revoked before another code comes, and looked at again after that. */
import { type Status } from '../../protocol/code/status.ts';
import { byPlace } from '../registry/pages.ts';
import { type Place } from '../registry/place-cipher.ts';
import { readableOf } from '../registry/readable.ts';
import { type RegistryRecord } from '../registry/registry.ts';
import { type StatusChange } from './dossier.ts';
import { type ShelvedDossier } from './dossier-shelf.ts';
import { revokeWithinHour } from './hour-revoking.ts';
import { isStricter, type JudgedAt, type Judgement, stricterBy } from './judging.ts';
import { isAbout, upheldOf } from './objections.ts';
import { type Judged, type UpdaterModules } from './updater.ts';

export interface HoldingsModules extends Pick<UpdaterModules, 'tables' | 'shelf' | 'registry'> {
  readonly node: Pick<UpdaterModules['node'], 'revoke' | 'heldCodes'>;
}

type Changing = Extract<Judgement, { readonly decision: unknown }>;

export interface Held extends Judged {
  /** What they hold has to demand as much as this. */
  readonly demand: Status;
  /** Codes that must pass no more. */
  readonly revoked: readonly Place[];
  readonly corrects: number | undefined;
}

/** A code of somebody that runs. */
export interface Running extends Place {
  readonly status: Pick<Status, 'colour' | 'measure' | 'untilS'>;
}

export interface ToIssue extends Held {
  readonly judgement: Changing;
}

/** Why somebody holds on what must pass no more, by pseudonym: as in the figures of an update. */
export type HeldOn = ReadonlyMap<string, 'waiting' | 'unlogged'>;

/** Codes of somebody that are to be revoked. */
interface Looser {
  readonly pseudonym: string;
  readonly places: readonly Place[];
}

export class Holdings {
  readonly #modules: HoldingsModules;

  constructor(modules: HoldingsModules) {
    this.#modules = modules;
  }

  /** The codes of these persons that have not expired, by pseudonym, but for those that `isWanted` leaves out. Rejects as the registry. */
  async recordsOf(
    persons: readonly ShelvedDossier[],
    nowS: number,
    isWanted?: (place: Place) => boolean,
  ): Promise<Map<string, readonly RegistryRecord[]>> {
    const subjects = persons.map(({ dossier }) => dossier.declaration.subject);
    const records = await this.#modules.registry().runningOf(subjects, nowS, isWanted);
    return new Map(persons.map(({ pseudonym }, i) => [pseudonym, records[i] ?? []]));
  }

  /**
   * The codes of these persons that run, by pseudonym: those that the registry has, and those of which only the dossier still tells, since the
   * other machine of the region was told to forget them. They pass on like any other. Rejects as the registry.
   */
  async running(
    persons: readonly ShelvedDossier[],
    at: JudgedAt,
  ): Promise<ReadonlyMap<string, readonly Running[]>> {
    // What is revoked is not opened: after a change of colour that is all that people had before.
    const records = await this.recordsOf(persons, at.nowS, (place) => !at.isRevoked(place));
    const running = new Map<string, Running[]>();
    const noted: { readonly person: ShelvedDossier; readonly change: StatusChange }[] = [];
    for (const person of persons) {
      const held = (records.get(person.pseudonym) ?? []).map(({ log, index, fields: { status } }) => {
        return { log, index, status };
      });
      running.set(
        person.pseudonym,
        held.filter((code) => isRunning(code, at)),
      );
      const isHeld = (change: Place) => held.some((code) => byPlace(code, change) === 0);
      for (const change of person.dossier.changes)
        if (isRunning(change, at) && !isHeld(change)) noted.push({ person, change });
    }
    const there = await this.#modules.registry().atPlaces(noted.map(({ change }) => change));
    for (const [i, { person, change }] of noted.entries()) {
      const { subject } = person.dossier.declaration;
      // What has come to be another's there was never logged as this person's.
      if ((there[i]?.subject ?? subject) === subject) running.get(person.pseudonym)?.push(change);
    }
    return running;
  }

  /** Of those of whom something is demanded what they hold. Rejects as the registry. */
  async of(judged: readonly Judged[], at: JudgedAt): Promise<Held[]> {
    const demanded: { readonly one: Judged; readonly demand: Status }[] = [];
    for (const one of judged) {
      const demand = demandOf(one.judgement);
      if (demand !== undefined) demanded.push({ one, demand });
    }
    const isLooked = ({ one, demand }: (typeof demanded)[number]) =>
      demand.colour !== 'green' || upheldOf(one.dossier) !== undefined;
    const looked = demanded.filter(isLooked).map(({ one }) => one);
    const running = await this.running(looked, at);
    return demanded.map(({ one, demand }) => heldOf(one, demand, running.get(one.pseudonym) ?? []));
  }

  /**
   * Revokes what must pass no more, after it was marked where another code is to come. Gives who waits for the rest of it, since this
   * hour has no revocation left, or since no log tells that it has the code to which somebody objected. Rejects as the store and `Revoker.revoke`.
   */
  async makePlace(all: readonly Held[]): Promise<HeldOn> {
    const { tables, shelf } = this.#modules;
    const some = all.filter(({ revoked }) => revoked.length > 0);
    const unnoted = some.filter((one) => isAnotherToCome(one) && one.dossier.isRevoking !== true);
    if (unnoted.length > 0)
      await tables.write(
        unnoted.map(({ dossier }) => shelf.markChange('revoking', dossier.declaration.subject)),
      );
    const looser = some.map(({ pseudonym, revoked }): Looser => ({ pseudonym, places: revoked }));
    const { left, unlogged } = await this.#revoke(looser);
    const isUncorrected = ({ corrects, pseudonym }: Held) =>
      corrects !== undefined && unlogged.has(pseudonym);
    return heldOn(
      left,
      some.filter(isUncorrected).map(({ pseudonym }) => pseudonym),
    );
  }

  /**
   * Revokes what is known to be of people of whom the registry has something that is damaged, and looser than what is demanded of them for sure: by these judgements, which
   * go by their dossiers and lists alone, so that what cannot be read demands more at most. It is marked as in an update that breaks off before another code comes.
   * Rejects as the tables, but for damage, and `Revoker.revoke`.
   */
  async revokeKnown(judged: readonly Judged[], at: JudgedAt): Promise<void> {
    const looser: Held[] = [];
    for (const one of judged) {
      const demand = demandOf(one.judgement);
      if (demand === undefined || demand.colour === 'green') continue;
      const known = await this.#knownToRun(one, at);
      const revoked = known.filter(({ status }) => stricterBy(demand, status) > 0);
      looser.push({ ...one, demand, revoked, corrects: undefined });
    }
    await this.makePlace(looser);
  }

  /** What can be read of it, and what the dossier tells of where the registry says at least that it is theirs. */
  async #knownToRun({ dossier }: ShelvedDossier, at: JudgedAt): Promise<Running[]> {
    const { subject } = dossier.declaration;
    const isWanted = (place: Place) => !at.isRevoked(place);
    const { records, unread } = await readableOf(subject, at.nowS, this.#modules.registry(), isWanted);
    const isUnread = (change: Place) => unread.some((place) => byPlace(place, change) === 0);
    return [
      ...records.map(({ log, index, fields: { status } }) => ({ log, index, status })),
      ...dossier.changes.filter((change) => isUnread(change) && isRunning(change, at)),
    ].map(({ log, index, status }) => ({ log, index, status }));
  }

  /**
   * Looks again at those who got a code, or something of whom was to be revoked: what came into a log meanwhile, and passes where it must
   * not, is revoked too. Gives who holds more of it, since this hour has no revocation left, or since it is in no log yet. Rejects as the
   * registry and `Revoker.revoke`.
   */
  async lookAgain(all: readonly Held[], at: JudgedAt): Promise<HeldOn> {
    const some = all.filter(
      (one) => one.demand.colour !== 'green' && (isToIssue(one) || one.revoked.length > 0),
    );
    const running = await this.running(some, at);
    const looser = some.map(({ pseudonym, demand }): Looser => {
      const codes = running.get(pseudonym) ?? [];
      return { pseudonym, places: codes.filter(({ status }) => stricterBy(demand, status) > 0) };
    });
    const { left, unlogged } = await this.#revoke(looser);
    return heldOn(left, unlogged);
  }

  /** Gives for whom the hour has no revocation left, and who has something that is in no log: its index may become somebody else's. */
  async #revoke(
    all: readonly Looser[],
  ): Promise<{ readonly left: ReadonlySet<string>; readonly unlogged: ReadonlySet<string> }> {
    const { node } = this.#modules;
    const logged = new Set(await node.heldCodes.logged(all.flatMap(({ places }) => places)));
    const left = await revokeWithinHour([...logged], node);
    const whose = (isIt: (place: Place) => boolean) =>
      new Set(all.filter(({ places }) => places.some(isIt)).map(({ pseudonym }) => pseudonym));
    return {
      left: whose(({ log, index }) => left.get(log)?.has(index) === true),
      unlogged: whose((place) => !logged.has(place)),
    };
  }
}

/** What the hour has no room for comes first: it takes longer. */
function heldOn(left: Iterable<string>, unlogged: Iterable<string>): HeldOn {
  return new Map([
    ...[...unlogged].map((pseudonym) => [pseudonym, 'unlogged'] as const),
    ...[...left].map((pseudonym) => [pseudonym, 'waiting'] as const),
  ]);
}

function isRunning(
  code: Place & { readonly status: Pick<Status, 'expiresAtS'> },
  { nowS, isRevoked }: JudgedAt,
): boolean {
  return code.status.expiresAtS > nowS && !isRevoked(code);
}

export function isToIssue(one: Held): one is ToIssue {
  return 'decision' in one.judgement;
}

/** Nothing is looser than green, so that the many whom nothing happens to cost no look into the registry. */
function heldOf(one: Judged, demand: Status, running: readonly Running[]): Held {
  const { what } = one.judgement;
  const upheld = upheldOf(one.dossier);
  if (demand.colour === 'green' && upheld === undefined)
    return { ...one, demand, revoked: [], corrects: undefined };
  const { judgement } = one;
  // Beside a code that binds the one that was objected to is corrected by its end alone.
  const bound = judgement.what === 'overridden' ? judgement : undefined;
  const isLeft = (code: Running) =>
    bound !== undefined && (byPlace(code, bound.by) === 0 || !upheld || !isAbout(upheld, code));
  const isTooStrict = (code: Running) => isStricter(code.status, bound?.given ?? demand) && !isLeft(code);
  const isSure = what !== 'open' && what !== 'ambiguous';
  const isThere = upheld && running.some((code) => isAbout(upheld, code) && isTooStrict(code));
  // A run that broke off may have revoked it already.
  const isBegun = upheld && what === 'better' && one.dossier.isRevoking === true;
  const corrects = isSure && (isThere === true || isBegun === true) ? upheld?.number : undefined;
  const revoked = running
    .filter((code) => stricterBy(demand, code.status) > 0 || (corrects !== undefined && isTooStrict(code)))
    .map(({ log, index }) => ({ log, index }));
  return { ...one, demand, revoked, corrects };
}

/** What somebody holds has to demand as much as this. */
function demandOf(judgement: Judgement): Status | undefined {
  if ('atLeast' in judgement) return judgement.atLeast;
  return judgement.what === 'withdrawn' ? undefined : judgement.status;
}

/** Once it is known, if not now. */
function isAnotherToCome(one: Held): boolean {
  const { what } = one.judgement;
  return isToIssue(one) || what === 'open' || what === 'ambiguous';
}
