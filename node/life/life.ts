/** What a region knows of people who declared, and how their colours go on from there. One writer of all tables under `life/`. */
import { type RuleValue } from '../../protocol/rules/evaluate.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type ForgettingDeclared } from '../issuing/forgetting.ts';
import { type Handover } from '../issuing/handovers.ts';
import { type HeldCodes } from '../issuing/held-codes.ts';
import { type ForgottenMarks } from '../issuing/forgotten-marks.ts';
import { type StagingGate } from '../issuing/staging-gate.ts';
import { type AskedList, askedLists } from '../lists/asked-lists.ts';
import { type Identity } from '../lists/identity.ts';
import { NodeError } from '../node-error.ts';
import { type Change, type Clock, type Random } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { Turns } from '../turns.ts';
import { Bases } from './bases.ts';
import { Bearing } from './bearing.ts';
import { type Claim, type Weighed } from './claim.ts';
import { type Objection } from './dossier.ts';
import { DossierShelf, MARKED_TOGETHER } from './dossier-shelf.ts';
import { type Holder, type HolderAt, holderOf, wholeDossiers } from './holder.ts';
import { type DeclarationOrder, Intake, type IntakeReport } from './intake.ts';
import { allRulesForPeople, errorOfRules, knownOf, rulesForPeople, rulesInForce } from './known.ts';
import { alreadyUpdating, otherThanOwn, staysUnknown } from './life-error.ts';
import { LastUpdate, troubleOf, type UpdateMade, type UpdatesReport } from './last-update.ts';
import { News, type NewsOf } from './news.ts';
import { type Notice, type NoticeOptions } from './notice.ts';
import { Objecting, type ObjectionFigures, type OpenObjection } from './objecting.ts';
import { type By, type Deciding } from './objections.ts';
import { takingBack } from './taking-back.ts';
import { reasonChanges, type ReasonModules } from './settling.ts';
import { type Handed, isNewest, noticesOf } from './telling.ts';
import { DECLARED_MAX, type UpdateRun, Updater, type UpdaterModules } from './updater.ts';
import { type UpdateNews, type UpdateOrder, Updating } from './updating.ts';
import { weighedOf } from './weighing.ts';

export interface LifeOptions extends NoticeOptions {
  /** 32 bytes: that of the registry. Copied. */
  readonly registryKey: Uint8Array;
  /** Id of the rules for people who declared; by default the only ones that know of declarations. */
  readonly rulesForPeople?: string | undefined;
  /** Hours after which a list that they ask for is old; 0 for never. */
  readonly listsOldHours: number;
}

export interface LifeModules extends Omit<UpdaterModules, 'shelf' | 'bases'> {
  readonly random: Random;
  readonly clock: Clock;
  readonly sha256: Sha256;
  /** As `StagingGate.refusalToStage`. */
  readonly refusalToStage: StagingGate['refusalToStage'];
  /** As `ForgottenMarks.lately`. */
  readonly lately: ForgottenMarks['lately'];
  readonly node: UpdaterModules['node'] & { readonly heldCodes: HeldCodes };
}

/** What somebody declared, as rules ask for it. */
export interface DeclaredFacts {
  readonly identity: Identity;
  readonly facts: Readonly<Record<string, RuleValue>>;
}

export interface LifeReport {
  readonly objections: ObjectionFigures;
  readonly updates: UpdatesReport;
  /** Of this process. */
  readonly lastUpdate?: UpdateMade | undefined;
}

/** All that is done to a table waits for what is being done to it. */
const TURN = 'life';
/** Dossiers that cannot be read and are named in a report. */
const DAMAGED_MAX = 100;

export class Life {
  readonly #options: LifeOptions;
  readonly #modules: LifeModules;
  /** What came into force and is to be held against people soon. */
  readonly news = new News();
  readonly #shelf: DossierShelf;
  readonly #bearing: Bearing;
  readonly #intake: Intake;
  readonly #bases: Bases;
  readonly #updater: Updater;
  readonly #objecting: Objecting;
  readonly #updating: Updating;
  readonly #isRevoked: (place: Place) => boolean;
  readonly #turns = new Turns();
  /** Somebody issues otherwise, and updates wait for it. */
  #isHeld = false;
  readonly #lastUpdate: LastUpdate;

  constructor(options: LifeOptions, modules: LifeModules) {
    this.#options = options;
    this.#modules = modules;
    const key = options.registryKey;
    this.#shelf = new DossierShelf({ key }, modules);
    this.#isRevoked = ({ log, index }) => modules.state()?.revoked(log)?.has(index) === true;
    const zone = (nowS: number) => rulesInForce(modules.state(), options.rulesForPeople, nowS)?.zone;
    const isRevoked = this.#isRevoked;
    this.#lastUpdate = new LastUpdate({ key }, modules);
    const turn = <T>(work: () => Promise<T>) => this.#turns.take(TURN, work);
    const known = { isRevoked, updatedAtS: () => this.#lastUpdate.surelyAtS(), zone, turn };
    const onTaken = (of: NewsOf) => this.news.tell(of);
    this.#bearing = new Bearing({ ...modules, shelf: this.#shelf });
    const intake = { ...modules, shelf: this.#shelf, bearing: this.#bearing, ...known, onTaken };
    this.#intake = new Intake({ key }, intake);
    this.#bases = new Bases(modules);
    this.#updater = new Updater({ ...modules, shelf: this.#shelf, bases: this.#bases });
    this.#updating = new Updating({
      shelf: this.#shelf,
      bearing: this.#bearing,
      updater: this.#updater,
      lastUpdate: this.#lastUpdate,
      nowS: () => this.#nowS(),
      finishIntake: () => this.#intake.finish(),
      runOf: (order) => this.#run(order),
      turn,
    });
    const objecting = { tables: modules.tables, shelf: this.#shelf, nowS: () => this.#nowS(), turn };
    this.#objecting = new Objecting({ days: options.objectionDays }, objecting);
  }

  /** Takes the declarations of a file, all or none; the same file again changes nothing. Rejects as the store does. */
  declare(order: DeclarationOrder, file: AsyncIterable<Uint8Array>): Promise<IntakeReport> {
    return this.#intake.take(order, file);
  }

  /**
   * What at most 1,024 people declared, as these rules ask for it, without what lists say; undefined for who did not.
   * @throws {NodeError} as `rulesForPeople`.
   */
  async declared(subjects: readonly string[], rules: string): Promise<(DeclaredFacts | undefined)[]> {
    if (subjects.length > DECLARED_MAX)
      throw new RangeError(`at most ${DECLARED_MAX} people are asked for at once`);
    const run = this.#run({ rules, dry: { atS: this.#nowS() } });
    const view = await this.#modules.lists.view();
    const dossiers = await this.#shelf.dossiers(subjects.map((subject) => this.#shelf.pseudonymOf(subject)));
    return dossiers.map((dossier) => {
      if (dossier === undefined) return undefined;
      const { facts, areStaysUnknown } = knownOf(dossier, { matched: [], doubts: [] }, view, run);
      if (areStaysUnknown) throw staysUnknown();
      return { identity: dossier.declaration.identity, facts: Object.fromEntries(facts) };
    });
  }

  /** As `weighedOf`; `areNamed`: whether the region has named operators. */
  weigh(claims: readonly Claim[], areNamed: boolean): Promise<readonly (Weighed | NodeError)[]> {
    const { lists, state, registry, refusalToStage, lately } = this.#modules;
    return weighedOf(claims, {
      lists,
      areNamed,
      refusalToStage,
      lately,
      registry: registry(),
      isRevoked: this.#isRevoked,
      shelf: this.#shelf,
      rulesForPeople: (nowS) => allRulesForPeople(state(), this.#options.rulesForPeople, nowS),
      knownOf: (persons, at) => this.#updater.known(persons, at),
    });
  }

  /**
   * Holds everybody who declared against rules and lists as they are now, and gives out what comes of it. To be run again whenever
   * it was interrupted: nobody gets a code twice. A dry run goes on beside others, and keeps nobody from a run of their own.
   * @throws {NodeError} as `rulesForPeople`, `Lists.view` and `Updater.update`; REFUSED for rules that are not those of the region, and, with `retry`,
   * while another run goes on.
   */
  async *update(order: UpdateOrder = {}): AsyncGenerator<UpdateNews, void, undefined> {
    yield* this.#updating.update(order);
  }

  /** Codes that nobody was given yet, each with its notice. */
  async *untold(): AsyncGenerator<Notice, void, undefined> {
    const { node } = this.#modules;
    const modules = { ...this.#modules, heldCodes: node.heldCodes, bases: this.#bases };
    for await (const page of this.#shelf.marked('untold', MARKED_TOGETHER)) {
      const dossiers = page.map(({ dossier }) => dossier);
      yield* await noticesOf(dossiers, modules, this.#options);
    }
  }

  /** These have been handed out. What has come since stays untold: another code, or that this one was revoked. */
  told(handed: readonly Handed[]): Promise<void> {
    return this.#turns.take(TURN, async () => {
      const pseudonyms = handed.map(({ subject }) => this.#shelf.pseudonymOf(subject));
      const dossiers = await this.#shelf.dossiers(pseudonyms);
      const done = handed.filter((one, i) => isNewest(dossiers[i], one));
      await this.#modules.tables.write(
        done.map(({ subject }) => this.#shelf.unmarkChange('untold', subject)),
      );
    });
  }

  /**
   * Notes why these codes were revoked by hand, for those of their holders who declared, and whose newest code it is: they are told.
   * Rejects as the store.
   */
  async revokedBecause(places: readonly Place[], because: string): Promise<void> {
    const { registry, tables } = this.#modules;
    for (let from = 0; from < places.length; from += DECLARED_MAX) {
      const some = places.slice(from, from + DECLARED_MAX);
      await this.#turns.take(TURN, async () => {
        const revoking = { places: some, because, nowS: this.#nowS() };
        const wholeOf: ReasonModules['wholeOf'] = (persons) =>
          wholeDossiers(persons, this.#holderAt(), { updater: this.#updater });
        const changes = await reasonChanges(revoking, { registry: registry(), shelf: this.#shelf, wholeOf });
        if (changes.length > 0) await tables.write(changes);
      });
    }
  }

  /** As `holderOf`. */
  holder(subject: string, isExplained: boolean): Promise<Holder> {
    const modules = { ...this.#modules, shelf: this.#shelf, updater: this.#updater, bases: this.#bases };
    return holderOf({ subject, isExplained }, this.#holderAt(), modules);
  }

  #holderAt(): HolderAt {
    const run = () => this.#run({ dry: { atS: this.#nowS() } });
    return { ...this.#options, isRevoked: this.#isRevoked, nowS: this.#nowS(), run };
  }

  /** Opens an objection to the colour of a person. @throws {NodeError} NOT_FOUND, and as `withObjection`. */
  object(subject: string, text: string, by?: By): Promise<Objection> {
    return this.#objecting.object(subject, text, by);
  }

  /** Decides an objection; one that is upheld is corrected by the next better colour. @throws {NodeError} NOT_FOUND, and as `withDecision`. */
  decide(subject: string, deciding: Deciding, by?: By): Promise<Objection> {
    return this.#objecting.decide(subject, deciding, by);
  }

  /** Objections that are not settled, overdue ones among them. */
  objections(): AsyncGenerator<OpenObjection, void, undefined> {
    return this.#objecting.unsettled();
  }

  /** How the lives of colours are. Objections beyond 10,000 are not counted. */
  async report(): Promise<LifeReport> {
    const objections = await this.#objecting.count();
    const { ofProcess } = this.#lastUpdate;
    const updates = await this.updates();
    return { objections, updates, ...(ofProcess && { lastUpdate: ofProcess }) };
  }

  /** Never rejects: what cannot be read is why nothing is updated. */
  async updates(): Promise<UpdatesReport> {
    try {
      const lastAtS = await this.#lastUpdate.atS();
      const hasDeclared = await this.#shelf.hasAny();
      const damaged = (await this.#shelf.stillDamaged(DAMAGED_MAX)).map(({ name }) => name);
      const at = { hasDeclared, nowS: this.#nowS() };
      const error = errorOfRules(this.#modules.state(), this.#options.rulesForPeople, at);
      const trouble = error === undefined ? this.#lastUpdate.trouble : troubleOf(error);
      const unread = this.#lastUpdate.ofProcess?.figures.unread ?? 0;
      const lists = await this.#askedLists(at.nowS);
      const unreadRows = await this.#modules.lists.unread();
      return {
        ...(lists && { lists }),
        ...{ lastAtS, hasDeclared, ...(trouble && { trouble }) },
        ...{ ...(damaged.length > 0 && { damaged }), ...(unread > 0 && { unread }) },
        ...(unreadRows.length > 0 && { unreadRows }),
      };
    } catch (error) {
      return { lastAtS: 0, hasDeclared: true, trouble: troubleOf(error) };
    }
  }

  async #askedLists(nowS: number): Promise<readonly AskedList[] | undefined> {
    const { rulesForPeople: id, listsOldHours: oldHours } = this.#options;
    const ruleSet = rulesInForce(this.#modules.state(), id, nowS);
    return ruleSet && askedLists(ruleSet, await this.#modules.lists.inForce(), { nowS, oldHours });
  }

  /** Does something while no colour changes by rules. */
  meanwhile<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(TURN, async () => {
      this.#isHeld = true;
      try {
        return await work();
      } finally {
        this.#isHeld = false;
      }
    });
  }

  /**
   * Destroys what a person declared and all that came of it here; false if there is nothing. Rejects as `require` does, and as `onFound`, which is called
   * where there is something, and then destroys nothing: no colour changes from the call of `require` until all is gone.
   */
  forget(subject: string, { require, onFound }: ForgettingDeclared): Promise<boolean> {
    return this.#turns.take(TURN, async () => {
      await require();
      await this.#intake.finish();
      if (await this.#shelf.isThere(subject)) await onFound();
      // The dossier says which documents are theirs.
      await this.#bearing.forget(subject);
      return this.#shelf.forget(subject);
    });
  }

  /** As `takeBack`, for whoever an update or an override may be waiting for. @throws {NodeError} REFUSED while there is one. */
  async takeBackNow(codes: Handover, subjects: readonly string[]): Promise<void> {
    if (subjects.length === 0) return;
    if (this.#updating.isRunning || this.#isHeld) throw alreadyUpdating();
    await this.takeBack(codes, subjects);
  }

  /**
   * Takes back what is noted of these people's codes, which no log will have. To be repeated if it is interrupted. `write` may make it durable together with
   * all else, or leave it as it is. Rejects as `write` and the store.
   */
  takeBack(
    codes: Handover,
    subjects: readonly string[],
    write: (changes: readonly Change[]) => Promise<void> = async (changes) => {
      if (changes.length > 0) await this.#modules.tables.write(changes);
    },
  ): Promise<void> {
    return this.#turns.take(TURN, async () => write(await takingBack(codes, subjects, this.#shelf)));
  }

  #run({ rules = this.#options.rulesForPeople, dry }: UpdateOrder): UpdateRun {
    const nowS = dry?.atS ?? this.#nowS();
    const state = this.#modules.state();
    if (state === undefined)
      throw new NodeError('NOT_FOUND', 'the region has no trust log yet', {
        hint: 'Found it: entente init.',
      });
    const ruleSet = rulesForPeople(state, rules, nowS);
    const own = dry === undefined ? rulesForPeople(state, this.#options.rulesForPeople, nowS) : ruleSet;
    if (own.id !== ruleSet.id) throw otherThanOwn(own.id);
    return { ruleSet, nowS, isDry: dry !== undefined };
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
}
