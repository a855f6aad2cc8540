/**
 * Holding everybody who declared against rules and lists as they are now. Whatever a person holds that is looser than what is known
 * is revoked, by whatever way it came about, and before another code is issued; better news issues anew, and the stricter code is
 * left to end, unless an objection was upheld against it. A dossier says of a new code in the write that stages it: whatever breaks off, and however often it is run
 * again, nobody gets a code twice.
 */
import { hexBytes } from '../../protocol/bytes.ts';
import { type Fields } from '../../protocol/code/field.ts';
import { type Status } from '../../protocol/code/status.ts';
import { type OpenReason } from '../../protocol/rules/issuing.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type HeldCodes } from '../issuing/held-codes.ts';
import { type Issued, type IssueRequest } from '../issuing/issuer.ts';
import { type Doubtful } from '../lists/list-view.ts';
import { type Lists } from '../lists/lists.ts';
import { type Change } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
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
import {
  basisOf,
  isStricter,
  judge,
  type JudgedAt,
  type Judgement,
  reasonOf,
  stricterBy,
} from './judging.ts';
import { type Known, knownOf, type RulingState } from './known.ts';
import { revokeWithinHour } from './hour-revoking.ts';
import { boundByOverrides } from './overriding.ts';
import { Listings } from './listings.ts';
import { isToTell, settledOf } from './settling.ts';
import { noFigures, type UpdateFigures } from './update-figures.ts';

export interface UpdaterModules {
  readonly tables: PrivateTables;
  readonly shelf: DossierShelf;
  readonly lists: Lists;
  readonly registry: () => Registry;
  readonly state: () => RulingState | undefined;
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

export interface Looked extends ShelvedDossier {
  readonly known: Known;
  readonly last: StatusChange | undefined;
  /** `last` is not in the dossier yet. */
  readonly isFound: boolean;
}

type Changing = Extract<Judgement, { readonly decision: unknown }>;

export interface Judged extends Looked {
  readonly judgement: Judgement;
}

interface Held extends Judged {
  /** Codes that must pass no more. */
  readonly revoked: readonly Place[];
  readonly corrects: number | undefined;
}

interface ToIssue extends Held {
  readonly judgement: Changing;
}

/** One writer: whoever owns it lets one page be over before the next, and changes no dossier meanwhile. */
export class Updater {
  readonly #modules: UpdaterModules;
  readonly #listings: Listings;

  constructor(modules: UpdaterModules) {
    this.#modules = modules;
    this.#listings = new Listings(modules);
  }

  /** Rejects as the store, `Issuer.issueAll` and `Revoker.revoke`; what is left is done the next time. */
  async update(persons: readonly ShelvedDossier[], run: UpdateRun): Promise<UpdatedPage> {
    const figures = noFigures();
    const at = this.#judgedAt(run);
    const judged = await this.#judged(run.isDry ? persons : await this.#withoutEnded(persons, at), at);
    const unsettled = judged.flatMap((one) => unsettledOf(one) ?? []);
    const waiting = run.isDry ? new Set<string>() : await this.#apply(judged, at);
    for (const { pseudonym, judgement } of judged)
      figures[waiting.has(pseudonym) ? 'waiting' : judgement.what]++;
    return { figures, unsettled };
  }

  /** What is known of each now, and what would become of it. */
  look(persons: readonly ShelvedDossier[], run: Pick<UpdateRun, 'ruleSet' | 'nowS'>): Promise<Judged[]> {
    return this.#judged(persons, this.#judgedAt(run));
  }

  #judgedAt({ ruleSet, nowS }: Pick<UpdateRun, 'ruleSet' | 'nowS'>): JudgedAt {
    const { state } = this.#modules;
    return { ruleSet, nowS, isRevoked: ({ log, index }) => state()?.revoked(log)?.has(index) === true };
  }

  async #judged(persons: readonly ShelvedDossier[], at: JudgedAt): Promise<Judged[]> {
    const { found, view } = await this.#listings.find(persons, at.nowS);
    const undecided = persons.filter(({ dossier }) => newestByRules(dossier) === undefined);
    const records = await this.#recordsOf(undecided, at.nowS);
    const judged: Judged[] = [];
    for (const [i, person] of persons.entries()) {
      const { pseudonym, dossier } = person;
      const known = knownOf(dossier, found[i] ?? { matched: [], doubts: [] }, view, at);
      const newest = newestByRules(dossier);
      const last = newest ?? this.#issuedOtherwise(records.get(pseudonym) ?? [], at);
      const judgement = judge(dossier, last, known, at);
      judged.push({ ...person, known, last, isFound: newest === undefined && last !== undefined, judgement });
    }
    return boundByOverrides(judged, at, this.#modules.registry());
  }

  /** A running code by these rules that came about otherwise, as with `entente issue`. */
  #issuedOtherwise(records: readonly RegistryRecord[], at: JudgedAt): StatusChange | undefined {
    const newest = records
      .filter(({ fields: { status } }) => status.ruleId === at.ruleSet.id && status.expiresAtS > at.nowS)
      .findLast((record) => !at.isRevoked(record));
    if (newest === undefined) return undefined;
    const { log, index, hour, fields } = newest;
    const { status, holderKey, document } = fields;
    return {
      kind: 'found',
      atS: hour * HOUR_S,
      status: statusToKeep(status),
      log,
      index,
      isBound: holderKey !== undefined || document !== undefined,
      why: 'It was issued by these rules on other data than what is stored here.',
      sources: [],
    };
  }

  /** Gives the persons for whom this hour has no revocation left. */
  async #apply(found: readonly Judged[], at: JudgedAt): Promise<ReadonlySet<string>> {
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
    const demanded: { readonly one: Judged; readonly demand: Status }[] = [];
    for (const one of judged) {
      const demand = demandOf(one.judgement);
      if (demand !== undefined) demanded.push({ one, demand });
    }
    const isLooked = ({ one, demand }: (typeof demanded)[number]) =>
      demand.colour !== 'green' || upheldOf(one.dossier) !== undefined;
    const looked = demanded.filter(isLooked).map(({ one }) => one);
    const records = await this.#recordsOf(looked, at.nowS);
    const held = demanded.map(({ one, demand }) =>
      this.#held(one, demand, records.get(one.pseudonym) ?? [], at),
    );
    const waiting = await this.#revokeAll(held);
    const corrected = held.filter(
      (one) => one.corrects !== undefined && !isToIssue(one) && !waiting.has(one.pseudonym),
    );
    const mended = corrected.flatMap(({ dossier, corrects }) =>
      this.#settled(withOutcome(withoutIntent(dossier), corrects, 'corrected', at.nowS), dossier),
    );
    if (mended.length > 0) await tables.write(mended);
    const requests: IssueRequest[] = [];
    for (const one of held)
      if (isToIssue(one) && !waiting.has(one.pseudonym)) requests.push(await this.#requestOf(one, at));
    if (requests.length > 0) await this.#modules.node.issueAll(requests);
    return waiting;
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
      const isEnded = isOpen && !(await this.#running(one, at)).some((record) => isObjected(upheld, record));
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

  /** The codes of somebody that run. */
  async #running({ dossier }: ShelvedDossier, at: JudgedAt): Promise<RegistryRecord[]> {
    return runningOf(await this.#modules.registry().ofSubject(dossier.declaration.subject), at);
  }

  /** The codes of these persons that have not expired, by pseudonym. */
  async #recordsOf(
    persons: readonly ShelvedDossier[],
    nowS: number,
  ): Promise<Map<string, readonly RegistryRecord[]>> {
    const subjects = persons.map(({ dossier }) => dossier.declaration.subject);
    const records = await this.#modules.registry().runningOf(subjects, nowS);
    return new Map(persons.map(({ pseudonym }, i) => [pseudonym, records[i] ?? []]));
  }

  /** Nothing is looser than green, so that the many whom nothing happens to cost no look into the registry. */
  #held(one: Judged, status: Status, records: readonly RegistryRecord[], at: JudgedAt): Held {
    const { what } = one.judgement;
    const upheld = upheldOf(one.dossier);
    if (status.colour === 'green' && upheld === undefined)
      return { ...one, revoked: [], corrects: undefined };
    const running = runningOf(records, at);
    const isTooStrict = ({ fields }: RegistryRecord) => isStricter(fields.status, status);
    const isSure = what !== 'open' && what !== 'ambiguous' && what !== 'overridden';
    const isThere = upheld && running.some((record) => isAbout(upheld, record) && isTooStrict(record));
    // A run that broke off may have revoked it already.
    const isBegun = upheld && what === 'better' && one.dossier.isRevoking === true;
    const corrects = isSure && (isThere === true || isBegun === true) ? upheld?.number : undefined;
    const revoked = running
      .filter(
        (record) =>
          stricterBy(status, record.fields.status) > 0 || (corrects !== undefined && isTooStrict(record)),
      )
      .map(({ log, index }) => ({ log, index }));
    return { ...one, revoked, corrects };
  }

  /** Revokes what must pass no more, after it was marked where another code is to come. Gives who waits for the rest of it. */
  async #revokeAll(all: readonly Held[]): Promise<ReadonlySet<string>> {
    const { tables, shelf } = this.#modules;
    const some = all.filter(({ revoked }) => revoked.length > 0);
    const unnoted = some.filter((one) => isAnotherToCome(one) && one.dossier.isRevoking !== true);
    if (unnoted.length > 0)
      await tables.write(
        unnoted.map(({ dossier }) => shelf.markChange('revoking', dossier.declaration.subject)),
      );
    const { node } = this.#modules;
    // An index that is in no log yet may become somebody else's: the next update looks again.
    const logged = await node.heldCodes.logged(some.flatMap(({ revoked }) => revoked));
    const left = await revokeWithinHour(logged, node);
    const waits = some.filter(({ revoked }) =>
      revoked.some(({ log, index }) => left.get(log)?.has(index) === true),
    );
    return new Set(waits.map(({ pseudonym }) => pseudonym));
  }

  async #requestOf(
    { dossier, known, last, judgement, revoked, corrects }: ToIssue,
    at: JudgedAt,
  ): Promise<IssueRequest> {
    const { subject, device } = dossier.declaration;
    const before = last?.isBound === true ? await this.#modules.registry().atPlace(last) : undefined;
    const bound: Pick<Fields, 'holderKey' | 'document'> = {
      holderKey: device === undefined ? before?.fields.holderKey : hexBytes(device),
      document: before?.fields.document,
    };
    const { what, status, decision } = judgement;
    const isReplacement = revoked.length > 0 || dossier.isRevoking === true;
    const change = {
      kind: what,
      atS: at.nowS,
      status: statusToKeep(status),
      isBound: bound.holderKey !== undefined || bound.document !== undefined,
      ...reasonOf(at, known, decision),
      ...(corrects !== undefined && { corrects }),
      ...(isReplacement && { madePlace: true as const }),
    };
    const now = isReplacement ? { ...dossier, isRevoking: true as const } : dossier;
    return {
      subject,
      fields: { status, ...bound },
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

const HOUR_S = 3_600;

function runningOf(records: readonly RegistryRecord[], at: JudgedAt): RegistryRecord[] {
  return records.filter((record) => record.fields.status.expiresAtS > at.nowS && !at.isRevoked(record));
}

/** What somebody holds has to demand as much as this. */
function demandOf(judgement: Judgement): Status | undefined {
  if ('atLeast' in judgement) return judgement.atLeast;
  return judgement.what === 'withdrawn' ? undefined : judgement.status;
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
function isObjected(objection: Objection, record: RegistryRecord): boolean {
  return isAbout(objection, record) && record.fields.status.colour !== 'green';
}

/** Once it is known, if not now. */
function isAnotherToCome(one: Held): boolean {
  const { what } = one.judgement;
  return isToIssue(one) || what === 'open' || what === 'ambiguous';
}

function isToIssue(one: Held): one is ToIssue {
  return 'decision' in one.judgement;
}
