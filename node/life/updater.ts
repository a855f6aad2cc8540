/**
 * Holding everybody who declared against rules and lists as they are now. Whatever a person holds that is looser than what is known
 * is revoked, by whatever way it came about, and before another code is issued; better news issues anew, and the stricter code is
 * left to end, unless an objection was upheld against it. A dossier says of a new code in the write that stages it: whatever breaks off, and however often it is run
 * again, nobody gets a code twice.
 */
import { type OpenReason } from '../../protocol/rules/issuing.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type HeldCodes } from '../issuing/held-codes.ts';
import { type Issued, type IssueRequest } from '../issuing/issuer.ts';
import { type Doubtful } from '../lists/list-view.ts';
import { type Lists } from '../lists/lists.ts';
import { type Change } from '../ports.ts';
import { byPlace } from '../registry/pages.ts';
import { type Place } from '../registry/place-cipher.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { type Registry, type RegistryRecord } from '../registry/registry.ts';
import { type Revocation } from '../revoking/revoker.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import {
  type Dossier,
  newestByRules,
  type Objection,
  type StatusChange,
  statusToKeep,
  withChange,
  withoutIntent,
} from './dossier.ts';
import { type DossierShelf, type ShelvedDossier } from './dossier-shelf.ts';
import { isAbout, isUnsettled, upheldOf, withOutcome } from './objections.ts';
import { type Bases, type BasesModules } from './bases.ts';
import { boundAs } from './bound-as.ts';
import {
  basisOf,
  givenBy,
  isStricter,
  judge,
  type JudgedAt,
  type Judgement,
  reasonOf,
  type UnfinishedOrders,
} from './judging.ts';
import { type Known, knownOf, type RulingState } from './known.ts';
import { boundByFound, foundOf, issuedOtherwise, mayHoldOther, mayHoldUnnoted, unnotedOf } from './found.ts';
import { boundByOverrides } from './overriding.ts';
import { type HeldOn, Holdings, isToIssue, type Running, type ToIssue } from './holdings.ts';
import { Listings, NOTHING_FOUND } from './listings.ts';
import { isToTell, settledOf, withNoted } from './settling.ts';
import { UnreadPersons } from './unread-persons.ts';
import { noFigures, type UpdateFigures } from './update-figures.ts';

export interface UpdaterModules extends Pick<BasesModules, 'onTrouble'> {
  readonly tables: PrivateTables;
  readonly shelf: DossierShelf;
  readonly bases: Bases;
  readonly lists: Lists;
  readonly registry: () => Registry;
  readonly state: () => RulingState | undefined;
  /** As `CodesBeside.finish`. */
  readonly finishOrders: () => Promise<UnfinishedOrders>;
  readonly node: {
    issueAll(requests: readonly IssueRequest[]): Promise<readonly Issued[]>;
    revoke(revocation: Revocation): Promise<void>;
    readonly heldCodes: Pick<HeldCodes, 'logged'>;
  };
}

/** How one run looks at people. */
export interface UpdateRun {
  readonly ruleSet: RuleSet;
  readonly nowS: number;
  /** Says what would be, and changes nothing. */
  readonly isDry: boolean;
  /** See `JudgedAt`. */
  readonly unfinished?: UnfinishedOrders | undefined;
}

/** Somebody whose colour cannot be told now, or who gets a stricter one that is sure while something else is not. */
export interface Unsettled {
  readonly subject: string;
  readonly open: readonly OpenReason[];
  readonly doubts: readonly Doubtful[];
  readonly areStaysUnknown: boolean;
}

export interface UpdatedPage {
  readonly figures: UpdateFigures;
  readonly unsettled: readonly Unsettled[];
}

/** Persons who are held against lists, and get codes, at once. */
export const PERSONS_TOGETHER = 4_096;
/** Persons who are asked for at once. */
export const DECLARED_MAX = 1_024;

export interface Looked extends ShelvedDossier {
  readonly known: Known;
  readonly last: StatusChange | undefined;
  /** Codes that orders gave and of which the dossier does not tell yet, the oldest first. */
  readonly found: readonly StatusChange[];
}

export interface Judged extends Looked {
  readonly judgement: Judgement;
}

/** One writer: whoever owns it lets one page be over before the next, and changes no dossier meanwhile. */
export class Updater {
  readonly #modules: UpdaterModules;
  readonly #listings: Listings;
  readonly #holdings: Holdings;
  readonly #unread: UnreadPersons;

  constructor(modules: UpdaterModules) {
    this.#modules = modules;
    this.#listings = new Listings(modules);
    this.#holdings = new Holdings(modules);
    this.#unread = new UnreadPersons(modules);
  }

  /** To be called once before the pages of a run are updated, by nobody who keeps colours from changing. Rejects as `CodesBeside.finish`. */
  async begin(run: UpdateRun): Promise<UpdateRun> {
    return run.isDry ? run : { ...run, unfinished: await this.#modules.finishOrders() };
  }

  /**
   * Of whom the registry has something that is damaged gets no code, and loses what is known to be looser than what is demanded of them: they are told, and keep nobody
   * else from a colour. Rejects as the store, `Issuer.issueAll` and `Revoker.revoke`; what is left is done the next time.
   */
  async update(persons: readonly ShelvedDossier[], run: UpdateRun): Promise<UpdatedPage> {
    try {
      return await this.#update(persons, run);
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      const at = this.#judgedAt(run);
      // Which lists are in force is of everybody.
      await this.#modules.lists.inForce();
      const readable = await this.#unread.without(persons, (some) => this.#read(some, at));
      if (readable.length === persons.length) throw error;
      if (!run.isDry) await this.#revokeKnown(without(persons, readable), at);
      // Together, so that no log tells by its batches whose code it is.
      const { figures, unsettled } = await this.update(readable, run);
      return {
        figures: { ...figures, unread: figures.unread + persons.length - readable.length },
        unsettled,
      };
    }
  }

  async #revokeKnown(persons: readonly ShelvedDossier[], at: JudgedAt): Promise<void> {
    const known = await this.known(persons, at);
    const judged = persons.flatMap((person, i): Judged[] => {
      const { [i]: own } = known;
      const last = newestByRules(person.dossier);
      if (own === undefined) return [];
      return [{ ...person, known: own, last, found: [], judgement: judge(person.dossier, last, own, at) }];
    });
    await this.#holdings.revokeKnown(judged, at);
  }

  /** All that an update of these asks of the registry. */
  async #read(persons: readonly ShelvedDossier[], at: JudgedAt): Promise<void> {
    const objected = persons.filter(({ dossier }) => upheldOf(dossier) !== undefined);
    await this.#holdings.running(objected, at);
    const judged = await this.#judged(persons, at);
    await this.#holdings.of(judged, at);
    await this.#boundTo(judged);
  }

  async #update(persons: readonly ShelvedDossier[], run: UpdateRun): Promise<UpdatedPage> {
    const figures = noFigures();
    const at = this.#judgedAt(run);
    const judged = await this.#judged(run.isDry ? persons : await this.#withoutEnded(persons, at), at);
    const unsettled = judged.flatMap((one) => unsettledOf(one) ?? []);
    const heldOn: HeldOn = run.isDry ? new Map() : await this.#apply(judged, at);
    for (const { pseudonym, judgement } of judged) figures[heldOn.get(pseudonym) ?? judgement.what]++;
    return { figures, unsettled };
  }

  /** What is known of each now, whatever they hold. Rejects as `Listings.find`, and as `knownOf`. */
  async known(persons: readonly ShelvedDossier[], at: Pick<UpdateRun, 'ruleSet' | 'nowS'>): Promise<Known[]> {
    const { found, view } = await this.#listings.find(persons, at.nowS);
    return persons.map(({ dossier }, i) => knownOf(dossier, found[i] ?? NOTHING_FOUND, view, at));
  }

  /** What is known of each now, and what would become of it. */
  look(persons: readonly ShelvedDossier[], run: Pick<UpdateRun, 'ruleSet' | 'nowS'>): Promise<Judged[]> {
    return this.#judged(persons, this.#judgedAt(run));
  }

  #judgedAt({ ruleSet, nowS, unfinished }: Omit<UpdateRun, 'isDry'>): JudgedAt {
    const { state } = this.#modules;
    return {
      ruleSet,
      nowS,
      unfinished,
      isRevoked: ({ log, index }) => state()?.revoked(log)?.has(index) === true,
    };
  }

  async #judged(persons: readonly ShelvedDossier[], at: JudgedAt): Promise<Judged[]> {
    const { found, view } = await this.#listings.find(persons, at.nowS);
    await this.#requireRead(persons, at);
    const looked = persons.filter(({ dossier }) => mayHoldUnnoted(dossier, at));
    const records = await this.#holdings.recordsOf(looked, at.nowS);
    const judged: Judged[] = [];
    for (const [i, person] of persons.entries()) {
      const { pseudonym, dossier } = person;
      const known = knownOf(dossier, found[i] ?? NOTHING_FOUND, view, at);
      const otherwise = issuedOtherwise(dossier, records.get(pseudonym) ?? [], at);
      const unnoted = otherwise === undefined ? [] : [foundOf(otherwise)];
      const last = unnoted[0] ?? newestByRules(dossier);
      const judgement = judge(dossier, last, known, at);
      judged.push({ ...person, known, last, found: unnoted, judgement });
    }
    const { bases, registry, state } = this.#modules;
    const bound = await boundByOverrides(judged, at, { registry: registry(), bases });
    const others = bound.filter((one) => !records.has(one.pseudonym) && mayHoldOther(one, at));
    const held = new Map([...records, ...(await this.#holdings.recordsOf(others, at.nowS))]);
    await bases.ahead(bound.flatMap((one) => placesToWeigh(one, held.get(one.pseudonym))));
    return boundByFound(bound, held, at, { bases, view, state: state() });
  }

  /** Rejects where one of these may have a stricter code of an order that cannot be read: nothing looser may come beside it. */
  async #requireRead(persons: readonly ShelvedDossier[], { unfinished, nowS }: JudgedAt): Promise<void> {
    const unread = unfinished?.unread ?? [];
    if (unread.length === 0) return;
    await this.#holdings.recordsOf(persons, nowS, (place) => unread.some((one) => byPlace(one, place) === 0));
  }

  /** Gives the persons who hold what must pass no more, and could not be revoked yet. */
  async #apply(found: readonly Judged[], at: JudgedAt): Promise<HeldOn> {
    const { tables, shelf } = this.#modules;
    const judged = [...found];
    const noted = found.flatMap((one, i) => {
      const now = settledOf(one, at);
      if (now === undefined) return [];
      judged[i] = { ...one, dossier: now };
      const mark = () => shelf.markChange('untold', now.declaration.subject);
      return [...this.#withoutIntent(now, one.dossier), ...(isToTell(now, one) ? [mark()] : [])];
    });
    if (noted.length > 0) await tables.write(noted);
    const held = await this.#holdings.of(judged, at);
    const waiting = await this.#holdings.makePlace(held);
    const corrected = held.filter(
      (one) => one.corrects !== undefined && !isToIssue(one) && !waiting.has(one.pseudonym),
    );
    const mended = corrected.flatMap(({ dossier, corrects }) =>
      this.#settled(withOutcome(withoutIntent(dossier), corrects, 'corrected', at.nowS), dossier),
    );
    if (mended.length > 0) await tables.write(mended);
    const requests = await this.#requestsOf(
      held.filter(isToIssue).filter(({ pseudonym }) => !waiting.has(pseudonym)),
      at,
    );
    if (requests.length > 0) await this.#modules.node.issueAll(requests);
    const others = held.filter(({ pseudonym }) => !waiting.has(pseudonym));
    return new Map([...waiting, ...(await this.#holdings.lookAgain(others, at))]);
  }

  /**
   * An objection that was upheld is settled where what it is about ended by itself: a later colour is another matter. One about a code
   * that no rule gave is corrected by revoking that, and one about a code that was revoked by hand by another: the rules give it at once.
   */
  async #withoutEnded(persons: readonly ShelvedDossier[], at: JudgedAt): Promise<ShelvedDossier[]> {
    const now: ShelvedDossier[] = [];
    for (const one of persons) {
      const upheld = upheldOf(one.dossier);
      const isOpen = upheld !== undefined && one.dossier.isRevoking !== true;
      const running = isOpen ? await this.#holdings.running([one], at) : undefined;
      const isEnded =
        isOpen && running?.get(one.pseudonym)?.some((code) => isObjected(upheld, code)) !== true;
      if (!isEnded) now.push(one);
      else {
        const { changes } = one.dossier;
        const revoked = changes.find((change) => isWithoutRules(change) && isAbout(upheld, change));
        const dossier: Dossier =
          revoked !== undefined && at.isRevoked(revoked)
            ? { ...withOutcome(one.dossier, upheld.number, 'corrected', at.nowS), isRevoking: true }
            : withOutcome(one.dossier, upheld.number, 'ended', at.nowS);
        await this.#modules.tables.write(this.#settled(dossier, one.dossier));
        now.push({ ...one, dossier });
      }
    }
    return now;
  }

  /** What is written of somebody whose objection has come to something. */
  #settled(dossier: Dossier, before: Dossier): Change[] {
    const { shelf } = this.#modules;
    const isSettled = dossier.objections.length > 0 && !dossier.objections.some(isUnsettled);
    const unmark = () => shelf.unmarkChange('objection', dossier.declaration.subject);
    return [...this.#withoutIntent(dossier, before), ...(isSettled ? [unmark()] : [])];
  }

  /** A dossier in the place of one before, with the mark of codes that are being revoked taken away where it tells of none. */
  #withoutIntent(dossier: Dossier, before: Dossier): Change[] {
    const { shelf } = this.#modules;
    const isOver = before.isRevoking === true && dossier.isRevoking !== true;
    const unmark = () => shelf.unmarkChange('revoking', dossier.declaration.subject);
    return [shelf.dossierChange(dossier), ...(isOver ? [unmark()] : [])];
  }

  /** What they are bound to is read of all of them together. */
  async #requestsOf(all: readonly ToIssue[], at: JudgedAt): Promise<IssueRequest[]> {
    const before = await this.#boundTo(all);
    return all.map((one) => this.#requestOf(one, one.last && before.get(one.last), at));
  }

  async #boundTo(all: readonly Judged[]): Promise<ReadonlyMap<StatusChange, RegistryRecord | undefined>> {
    const bound = all.flatMap(({ last }) => (last?.isBound === true ? [last] : []));
    const records = await this.#modules.registry().atPlaces(bound);
    return new Map(bound.map((place, i) => [place, records[i]]));
  }

  #requestOf(one: ToIssue, before: RegistryRecord | undefined, at: JudgedAt): IssueRequest {
    const { known, judgement, revoked, corrects } = one;
    const dossier = withNoted(one, at);
    const { subject } = dossier.declaration;
    const { fields: bound, document } = boundAs(dossier, before?.fields);
    const { what, status, decision } = judgement;
    const isReplacement = revoked.length > 0 || dossier.isRevoking === true;
    const change = {
      kind: what,
      atS: at.nowS,
      status: statusToKeep(status),
      isBound: [bound.holderKey, bound.document, document].some((one) => one !== undefined),
      ...reasonOf(at, known, decision),
      ...(corrects !== undefined && { corrects }),
      ...(isReplacement && { madePlace: true as const }),
    };
    const now = isReplacement ? { ...dossier, isRevoking: true as const } : dossier;
    return {
      subject,
      fields: { status, ...bound },
      document,
      basis: basisOf(known, at),
      isReplacement,
      also: (place) => this.#noted(now, { ...change, ...place }),
    };
  }

  /** What is written together with a code. */
  #noted(dossier: Dossier, change: StatusChange): Change[] {
    const { shelf } = this.#modules;
    const now = withoutIntent(withChange(dossier, change));
    const { corrects, atS } = change;
    return [
      ...this.#settled(corrects === undefined ? now : withOutcome(now, corrects, 'corrected', atS), dossier),
      shelf.markChange('untold', dossier.declaration.subject),
    ];
  }
}

function without(all: readonly ShelvedDossier[], some: readonly ShelvedDossier[]): ShelvedDossier[] {
  const left = new Set(some);
  return all.filter((one) => !left.has(one));
}

/** Codes by orders of which `boundByFound` asks what they rest on, and some more. */
function placesToWeigh(
  { dossier, found, judgement }: Judged,
  held?: readonly RegistryRecord[],
): readonly Place[] {
  const given = judgement.what === 'overridden' ? judgement.given : givenBy(judgement);
  if (held === undefined) return [];
  const isWeighed = ({ kind, status }: StatusChange) =>
    kind === 'found' && given !== undefined && isStricter(status, given);
  const green = found.filter(({ status }) => status.colour === 'green');
  return [...dossier.changes.filter(isWeighed), ...unnotedOf(dossier, held), ...green];
}

/** Undefined where nothing is to be found out about somebody. */
function unsettledOf({ dossier, known, judgement }: Judged): Unsettled | undefined {
  const { subject } = dossier.declaration;
  if (judgement.what === 'open' || judgement.what === 'ambiguous') {
    const { open, doubts, areStaysUnknown } = judgement;
    return { subject, open, doubts, areStaysUnknown };
  }
  const { doubts, areStaysUnknown } = known;
  if (!('decision' in judgement) || judgement.status.colour === 'red') return undefined;
  if (doubts.length === 0 && !areStaysUnknown) return undefined;
  return { subject, open: judgement.decision.open, doubts, areStaysUnknown };
}

/** No update gave that, or took it. */
function isWithoutRules({ kind }: StatusChange): boolean {
  return kind === 'override' || kind === 'revoked';
}

/** Green is what nobody objects to. */
function isObjected(objection: Objection, code: Running): boolean {
  return isAbout(objection, code) && code.status.colour !== 'green';
}
