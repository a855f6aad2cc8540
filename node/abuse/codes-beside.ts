/**
 * Codes that somebody has beside a stricter one: beside an override nobody keeps a looser one, whichever of both was decided first, and worse
 * news by rules revoke at once what is looser.
 */
import { type Status } from '../../protocol/code/status.ts';
import { mayBeOfTwo, readBasis } from '../../protocol/disclosure/basis.ts';
import { isLogOver } from '../../protocol/trust/pruning.ts';
import { MANUAL_RULE_ID } from '../../protocol/disclosure/override.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { Gathered } from '../issuing/gathered.ts';
import { type HeldCodes, isTroubleOfLog } from '../issuing/held-codes.ts';
import { Turns } from '../turns.ts';
import { bindingOf, stricterBy, type UnfinishedOrders } from '../life/judging.ts';
import { unreadable } from '../life/weighing.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Change, type Clock } from '../ports.ts';
import { byPlace } from '../registry/pages.ts';
import { answersPastDamage } from '../registry/past-damage.ts';
import { type Place } from '../registry/place-cipher.ts';
import { pastDamage, type Readable, readablesOf } from '../registry/readable.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { type Registry, type RegistryRecord } from '../registry/registry.ts';
import { type Revocation } from '../revoking/revoker.ts';
import { contradicted } from './issue-gate.ts';
import { type DamagedMark, StricterMarks, type StricterMarksModules } from './stricter-marks.ts';

export interface CodesBesideModules extends StricterMarksModules {
  readonly clock: Clock;
  readonly registry: () => Registry;
  readonly held: () => Pick<HeldCodes, 'isLogged'>;
  readonly state: () => Pick<TrustState, 'revoked'> | undefined;
  readonly revoke: (revocation: Revocation) => Promise<void>;
  /** Does something while no colour changes by rules. */
  readonly meanwhile: <T>(work: () => Promise<T>) => Promise<T>;
  /** Told once of each stricter code beside which it cannot be seen to. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** A code that one operator gave. */
export interface GivenCode extends Place {
  readonly subject: string;
  readonly status: Status;
}

/** Whose stricter code that is, or is to come. */
export interface Demanded extends Pick<GivenCode, 'subject' | 'status'> {
  /** Where it stands, if it was given before: what came after it is another matter. */
  readonly given?: Place;
  /** Where it stands, if it was given now: it is marked no more once nothing looser passes. */
  readonly marked?: Place;
}

/** What somebody holds that demands less, as far as it can be read. */
type Looser = Pick<Readable, 'records' | 'damage'>;
const NONE: Looser = { records: [], damage: undefined };

/** People for whose codes the registry is asked at once. */
const LOOKED_TOGETHER = 1_024;

export class CodesBeside {
  readonly #modules: CodesBesideModules;
  readonly #manual: Gathered<string, readonly RegistryRecord[]>;
  readonly #running: Gathered<string, Readable>;
  readonly #turns = new Turns();
  readonly #marks: StricterMarks;
  /** Why marks could not be finished, as it was told. */
  readonly #told = new Set<string>();
  /** Rows of marks that no place of a log has: no more than were damaged. */
  readonly #sought = new Set<string>();

  /** `registryKey`: 32 bytes. */
  constructor({ registryKey: key }: { readonly registryKey: Uint8Array }, modules: CodesBesideModules) {
    this.#modules = modules;
    this.#marks = new StricterMarks({ key }, modules);
    this.#manual = new Gathered<string, readonly RegistryRecord[]>((subjects) =>
      answersPastDamage(subjects, (some) => modules.registry().manualOf(some)),
    );
    this.#running = new Gathered((subjects) => readablesOf(subjects, this.#nowS(), modules.registry()));
  }

  /**
   * Refuses a code that is looser than one that two operators gave, and revokes it. To be asked of each code that one operator gave, once it
   * is logged: who confirmed an override meanwhile looks for looser codes once that is logged, so that one of both sees the other. Of what cannot be read it is
   * told: whoever gave the code has it.
   * @throws {NodeError} REFUSED then, and as the tables and the revoking.
   */
  async requireUnbound({ subject, status, log, index }: GivenCode, isByRules: boolean): Promise<void> {
    const { isBound, damage } = await this.#boundBy({ subject, status }, isByRules);
    if (this.isRevoked({ log, index })) return;
    if (damage !== undefined) this.#tell(unreadAbove({ log, index }, damage));
    if (!isBound) return;
    await this.#modules.revoke({ log, indexes: [index] });
    throw contradicted('overridden');
  }

  /**
   * Refuses it before it is issued: of a code that one operator has made of another one, which no rules of this region gave.
   * @throws {NodeError} REFUSED then, and where what the person holds cannot be read; and as the tables.
   */
  async requireFree(code: Pick<GivenCode, 'subject' | 'status'>): Promise<void> {
    const { isBound, damage } = await this.#boundBy(code, false);
    if (isBound) throw contradicted('overridden');
    if (damage !== undefined) throw unreadable(damage);
  }

  /** By what can be read; `damage`: why something else may bind it. */
  async #boundBy(
    { subject, status }: Pick<GivenCode, 'subject' | 'status'>,
    isByRules: boolean,
  ): Promise<{ readonly isBound: boolean; readonly damage: NodeError | undefined }> {
    let damage: NodeError | undefined;
    const manual = await this.#manual.ask(subject).catch((error: unknown) => {
      if (!isRegistryDamage(error)) throw error;
      // Red is what no unread code makes looser.
      if (status.colour !== 'red') damage = error;
      return this.#manualPastDamage(subject);
    });
    // Where nobody is named one operator gives colours by hand, and others after them.
    const counting = isByRules ? manual : await this.#byTwo(manual);
    const isRevoked = (place: Place) => this.isRevoked(place);
    const isBound = bindingOf(counting, status, { nowS: this.#nowS(), isRevoked }) !== undefined;
    return { isBound, damage };
  }

  async #manualPastDamage(subject: string): Promise<readonly RegistryRecord[]> {
    return (await pastDamage(this.#modules.registry(), this.#nowS()).manualOf([subject]))[0] ?? [];
  }

  /**
   * Revokes what these people hold that runs and demands less. A code that is in no log yet is left to `requireUnbound` and the next update: its index may
   * become somebody else's. So is one of a log that cannot tell what it has: it keeps nobody from what is to come, and is told, so that none passes on
   * unseen, as is what cannot be read; undefined where there is none. Rejects as the tables and the revoking.
   */
  async revokeLooser(subjects: readonly string[], status: Status): Promise<NodeError | undefined> {
    const untold: NodeError[] = [];
    for (let from = 0; from < subjects.length; from += LOOKED_TOGETHER) {
      const some = subjects.slice(from, from + LOOKED_TOGETHER);
      const held = await readablesOf(some, this.#nowS(), this.#modules.registry());
      const looser = held.flatMap(({ records }) => records.filter((record) => isLooser(record, status)));
      untold.push(...(await this.#revoke(looser)));
      // Nothing is looser than green.
      if (status.colour !== 'green') untold.push(...held.flatMap(({ damage }) => damage ?? []));
    }
    const then = 'Once that is mended, confirm the override again: it revokes them.';
    return passingOn(untold, then);
  }

  /** Work on the codes of one person, one order after the other: the second sees what came of the first. */
  inTurn<T>(subject: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(subject, work);
  }

  /**
   * Revokes what people hold that demands less than what rules are to give them now. Gives who had such a code, revoked by now or before: what they get
   * takes its place. What cannot be read keeps nobody from worse news: `lookAgain` tells of it. Rejects as the tables and the revoking: with REVOCATIONS_EXCEEDED
   * nothing more is revoked, and no code may be given.
   */
  async makePlace(codes: readonly Pick<GivenCode, 'subject' | 'status'>[]): Promise<boolean[]> {
    const looser = (await Promise.all(codes.map((code) => this.#looserThan(code)))).map(
      ({ records }) => records,
    );
    // What no log can be asked for is told once the stricter code is there.
    await this.#revoke(looser.flat());
    return looser.map(({ length }) => length > 0);
  }

  /** What is written with a code by rules of this colour: until `lookAgain`, or `finish`, has seen to it, looser ones may pass beside it. */
  markOf({ colour }: Pick<Status, 'colour'>): (place: Place) => readonly Change[] {
    return (place) => (colour === 'green' ? [] : [this.#marks.change(place)]);
  }

  /**
   * Revokes what passes beside stricter codes whose orders broke off, or failed, once those were staged. To be called every few minutes, and before colours are
   * updated. Gives who holds a looser code all the same, since the hour has no revocation left, or since it is in no log yet, or its log is in trouble, or may hold
   * one, since what the registry has of them is damaged. That is told once, and keeps nobody else's from being revoked. Rejects as the tables, as the registry where
   * nothing is damaged, and as the revoking.
   */
  async finish(): Promise<UnfinishedOrders> {
    const left = { holders: new Set<string>(), unread: new Array<Place>() };
    let some: Place[] = [];
    const damaged: DamagedMark[] = [];
    for await (const mark of this.#marks.all()) {
      if ('error' in mark) damaged.push(mark);
      else some.push(mark);
      if (some.length < LOOKED_TOGETHER) continue;
      await this.#finish(some, left);
      some = [];
    }
    if (damaged.length > 0) some.push(...(await this.#found(damaged)));
    if (some.length > 0) await this.#finish(some, left);
    return left;
  }

  /** The places of marks that are damaged, which are written anew. What is named by none is told, and sought once: it was there before its mark. */
  async #found(damaged: readonly DamagedMark[]): Promise<Place[]> {
    const sought = damaged.filter(({ name }) => !this.#sought.has(name));
    const names = new Set(sought.map(({ name }) => name));
    const registry = this.#modules.registry();
    const found: Place[] = [];
    let isComplete = false;
    try {
      for await (const log of registry.logs()) {
        if (found.length === names.size) break;
        if (isLogOver(log, this.#nowS())) continue;
        found.push(...(await this.#marks.placesNamed(names, { log, end: await registry.endOf(log) })));
      }
      isComplete = true;
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      this.#tell(error);
    }
    await this.#marks.renew(found);
    for (const { name, error } of sought) {
      if (this.#marks.areOf(found, name)) continue;
      this.#tell(error);
      if (isComplete) this.#sought.add(name);
    }
    return found;
  }

  async #finish(
    places: readonly Place[],
    left: { readonly holders: Set<string>; readonly unread: Place[] },
  ): Promise<void> {
    // An update that judged before they were there is let end first.
    await this.#modules.meanwhile(() => Promise.resolve());
    const records = await this.#recordsAt(places);
    const done: Place[] = [];
    for (const [i, place] of places.entries()) {
      const record = records[i];
      if (record === 'unread') left.unread.push(place);
      else if (record === undefined || (await this.inTurn(record.subject, () => this.#isFinished(record))))
        done.push(place);
      else left.holders.add(record.subject);
    }
    await this.#marks.remove(done);
  }

  /** Each by itself where a page of them is damaged; undefined for what is nobody's, and where no code of the log can be good any more. */
  async #recordsAt(places: readonly Place[]): Promise<readonly (RegistryRecord | 'unread' | undefined)[]> {
    const sought = places.filter(({ log }) => !isLogOver(log, this.#nowS()));
    const found = new Map<Place, RegistryRecord | 'unread' | undefined>();
    try {
      const records = await this.#modules.registry().atPlaces(sought);
      for (const [i, place] of sought.entries()) found.set(place, records[i]);
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      for (const place of sought) found.set(place, await this.#recordAt(place));
    }
    return places.map((place) => found.get(place));
  }

  async #recordAt(place: Place): Promise<RegistryRecord | 'unread' | undefined> {
    try {
      return await this.#modules.registry().atPlace(place);
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      this.#tell(unreadBeside(place, error));
      return 'unread';
    }
  }

  /** Whether nothing looser passes beside this code, as far as it is no override that came after it; not where that cannot be read, which is told. */
  async #isFinished(record: RegistryRecord): Promise<boolean> {
    const { subject, fields } = record;
    if (fields.status.expiresAtS <= this.#nowS() || this.isRevoked(record)) return true;
    const { records, damage } = await this.#looserThan({ subject, status: fields.status });
    if (damage !== undefined) this.#tell(unreadBeside(record, damage));
    const looser = records.filter(
      (one) => byPlace(one, record) < 0 || one.fields.status.ruleId !== MANUAL_RULE_ID,
    );
    try {
      for (const error of await this.#revoke(looser)) this.#tell(error);
    } catch (error) {
      if (!isNodeError(error, 'REVOCATIONS_EXCEEDED')) throw error;
    }
    return damage === undefined && looser.every((one) => this.isRevoked(one));
  }

  #tell(error: NodeError): void {
    if (!this.#told.has(error.message)) this.#modules.onTrouble?.(error);
    this.#told.add(error.message);
  }

  /**
   * Revokes what came into a log while these codes did, as of an update: one that judged before they were there is let end first. Not to be waited for by
   * whoever keeps colours from changing. An order that is given again may have ended before it had done that, and does it for what was there before. What cannot be read is told, and stays marked. Rejects as the tables
   * and the revoking, and as a log that cannot tell whether it has a looser code.
   */
  async lookAgain(codes: readonly Demanded[]): Promise<void> {
    if (codes.some(({ status }) => status.colour !== 'green'))
      await this.#modules.meanwhile(() => Promise.resolve());
    const looser = await Promise.all(codes.map((code) => this.#looserThan(code)));
    for (const [i, { marked, given }] of codes.entries()) {
      const [place, damage] = [marked ?? given, looser[i]?.damage];
      if (place !== undefined && damage !== undefined) this.#tell(unreadBeside(place, damage));
    }
    const then =
      'The stricter codes are issued: `entente codes` prints them. Once that is mended, revoke the others.';
    const left = passingOn(await this.#revoke(looser.flatMap(({ records }) => records)), then);
    if (left !== undefined) throw left;
    const isDone = (_: unknown, i: number) =>
      looser[i]?.damage === undefined && looser[i]?.records.every((one) => this.isRevoked(one)) === true;
    await this.#marks.remove(codes.filter(isDone).flatMap(({ marked }) => marked ?? []));
  }

  /** Nothing is looser than green, so that the many who get that cost no look. */
  async #looserThan({ subject, status, given }: Demanded): Promise<Looser> {
    if (status.colour === 'green' || (given !== undefined && this.isRevoked(given))) return NONE;
    const { records, damage } = await this.#running.ask(subject);
    const looser = records.filter((record) => isLooser(record, status));
    const before = given === undefined ? looser : looser.filter((record) => byPlace(record, given) < 0);
    return { records: before, damage };
  }

  /** Of these codes those that are in a log. Gives why others may pass on, of logs that cannot tell what they have. */
  async #revoke(records: readonly RegistryRecord[]): Promise<NodeError[]> {
    const untold: NodeError[] = [];
    const logged: Place[] = [];
    for (const place of records) {
      if (this.isRevoked(place)) continue;
      try {
        if (await this.#modules.held().isLogged(place)) logged.push(place);
      } catch (error) {
        if (!isTroubleOfLog(error)) throw error;
        untold.push(error);
      }
    }
    for (const [log, indexes] of byLog(logged)) await this.#modules.revoke({ log, indexes });
    return untold;
  }

  isRevoked({ log, index }: Place): boolean {
    return this.#modules.state()?.revoked(log)?.has(index) === true;
  }

  async #byTwo(manual: readonly RegistryRecord[]): Promise<readonly RegistryRecord[]> {
    const bases = await answersPastDamage(manual, (some) => this.#modules.registry().basesAt(some));
    // What cannot be read may be of two.
    return manual.filter((_, i) => {
      const { [i]: basis } = bases;
      return basis instanceof NodeError || (basis !== undefined && mayBeOfTwo(readBasis(basis)));
    });
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
}

function isLooser({ fields }: RegistryRecord, status: Status): boolean {
  return stricterBy(status, fields.status) > 0;
}

function unreadAbove({ log, index }: Place, cause: NodeError): NodeError {
  const message = `whether two operators gave the holder of the code ${log} ${index} a stricter colour cannot be read: ${cause.message}`;
  const hint =
    'Restore the registry from its backup; then see by `entente codes` what they hold, and revoke this code if a stricter one of an override runs.';
  return new NodeError('REGISTRY_CORRUPT', message, { cause, hint });
}

function unreadBeside({ log, index }: Place, cause: NodeError): NodeError {
  const message = `what may pass beside the stricter code ${log} ${index} cannot be read: ${cause.message}`;
  const hint =
    'Restore the registry from its backup. Until then its holder gets no code by updates, and other colours change as always.';
  return new NodeError('REGISTRY_CORRUPT', message, { cause, hint });
}

function passingOn(untold: readonly NodeError[], then: string): NodeError | undefined {
  const [cause] = untold;
  if (cause === undefined) return undefined;
  const { code, message, hint, retry, fatal } = cause;
  const why = isRegistryDamage(cause)
    ? 'what they hold cannot be read'
    : 'their log cannot tell whether it has them';
  const all = `${untold.length} looser codes of these people may pass on, since ${why}: ${message}`;
  return new NodeError(code, all, {
    cause,
    retry,
    fatal,
    hint: hint === undefined ? then : `${hint} ${then}`,
  });
}

function byLog(places: readonly Place[]): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const { log, index } of places) {
    const indexes = found.get(log);
    if (indexes === undefined) found.set(log, [index]);
    else indexes.push(index);
  }
  return found;
}
