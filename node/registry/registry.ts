/**
 * Who holds which attestation: private to the region, and sealed. Eight kinds of rows in the private tables:
 *
 *   registry/page/<log>/<first index>                the records of up to 64 attestations that follow each other
 *   registry/basis/<log>/<first index>               what the colours of a page rest on, where that is known
 *   registry/held/<pseudonym>/<name of a place>      nothing more: the person of that pseudonym has that attestation (pointers.ts)
 *   registry/manual/<pseudonym>                      nothing more: the person has, or had, a code that no rule gave
 *   registry/papers/<pseudonym>                      under which papers the person was issued to (paper-rows.ts)
 *   registry/bearer/<keyed name of papers>           who has these papers
 *   registry/uncounted/<log>/<index>                 of somebody who was forgotten, until a tally has counted it (uncounted.ts)
 *   registry/forgotten/<pseudonym>/<name of a place> when that was noted: the other machine of the region is to forget it too (forgotten-rows.ts)
 *
 * so that one range is all that the region knows of a person. The records of a batch are written with its staging, or before it, by
 * whoever stages it; but for that and `forget` nothing is ever changed.
 */
import { isLogOver } from '../../protocol/trust/pruning.ts';
import { MANUAL_RULE_ID } from '../../protocol/disclosure/override.ts';
import { type Change, type Random } from '../ports.ts';
import { isNodeError } from '../node-error.ts';
import { type PrivateTables, type SharedTables } from './private-tables.ts';
import { Turns } from '../turns.ts';
import { encodeBases, openBases } from './bases.ts';
import {
  Forgetter,
  type ForgettingOptions,
  type NamedForgettingOptions,
  type PlaceForgettingOptions,
} from './forgetter.ts';
import { ForgottenRows } from './forgotten-rows.ts';
import { LogSealers } from './log-sealers.ts';
import { basisKey, pageKey, PAGES, rangeOf } from './page-keys.ts';
import { PaddingSecrets } from './padding-secrets.ts';
import { PageReader } from './page-reader.ts';
import { PaperRows } from './paper-rows.ts';
import {
  ALL,
  byPlace,
  firstOf,
  logOf,
  recordAt,
  type RegistryBatch,
  type RegistryRecord,
  type Sought,
} from './pages.ts';
import { type Place } from './place-cipher.ts';
import { Pointers } from './pointers.ts';
import { Pseudonyms } from './pseudonyms.ts';
import { encodePage, hourOfPage, recordOfPage, RECORDS_PER_PAGE } from './record-page.ts';
import { requireRegistryKey } from './registry-check.ts';
import { derivedKey } from './sealer.ts';
import { type RecordWithBasis, recordsInStretch, type UnreadLeaves } from './stretch-reader.ts';
import { dropUncounted, type Stretch, type Uncounted, uncountedIn, uncountedKey } from './uncounted.ts';
import { type PrivateName } from './whereabouts.ts';

export { type RegistryBatch, type RegistryRecord } from './pages.ts';

export interface RegistryModules {
  readonly tables: PrivateTables & Partial<Pick<SharedTables, 'writeIf'>>;
  readonly random: Random;
}

export interface RegistryOptions {
  /** 32 bytes from a key file that does not lie with the store. Copied. */
  readonly key: Uint8Array;
}

const MANUAL = 'registry/manual/' satisfies PrivateName;
const NOTHING = new Uint8Array(0);
/** What pages of colours rest on that are fetched at once. */
const BASES_TOGETHER = 32;

export class Registry {
  readonly #modules: RegistryModules;
  readonly #key: Uint8Array;
  readonly #pseudonyms: Pseudonyms;
  readonly #pointers: Pointers;
  readonly #padding: PaddingSecrets;
  readonly #sealers: LogSealers;
  readonly #pages: PageReader;
  /** What the other machine of the region is still to forget, where it has one. */
  readonly forgotten: ForgottenRows;
  /** The papers of people who never declared. */
  readonly papers: PaperRows;
  readonly #forgetter: Forgetter;
  readonly #turns = new Turns();
  #hasKey = false;

  private constructor({ key }: RegistryOptions, modules: RegistryModules) {
    this.#modules = modules;
    this.#key = key.slice();
    this.#sealers = new LogSealers(this.#key, modules.random);
    this.#pages = new PageReader({ ...modules, sealers: this.#sealers });
    this.#pseudonyms = new Pseudonyms(derivedKey(key, 'subject'));
    this.#pointers = new Pointers(key, modules.tables);
    this.#padding = new PaddingSecrets(derivedKey(key, 'padding'));
    this.forgotten = new ForgottenRows(key, { ...modules, pointers: this.#pointers });
    this.papers = new PaperRows(key, modules);
    this.#forgetter = new Forgetter({
      ...modules,
      sealers: this.#sealers,
      pointers: this.#pointers,
      forgotten: this.forgotten,
      papers: this.papers,
      pageAt: (place) => this.#pages.at(place),
      basesOf: ({ key }) => this.#bases(key),
      manualKey: (subject) => this.#manualKey(subject),
    });
  }

  /**
   * Opens the registry of some tables; the first key that opens an empty one is its key from then on. Where the database is away it
   * is opened all the same, and `requireKey` is to be asked before anything is written.
   * @throws {NodeError} REGISTRY_KEY_WRONG
   */
  static async open(options: RegistryOptions, modules: RegistryModules): Promise<Registry> {
    const registry = new Registry(options, modules);
    await registry.requireKey().catch((error: unknown) => {
      if (!isNodeError(error, 'REGISTRY_AWAY')) throw error;
    });
    return registry;
  }

  /** @throws {NodeError} REGISTRY_KEY_WRONG where the rows were sealed with another key, and as the tables. */
  async requireKey(): Promise<void> {
    if (this.#hasKey) return;
    await requireRegistryKey(this.#key, this.#modules);
    this.#hasKey = true;
  }

  /** What the store is to be told of a batch. */
  changes({ log, index, hour, entries }: RegistryBatch): Change[] {
    const subjects = entries.map((entry) => entry?.subject);
    const changes = this.#pointers.puts({ log, index }, subjects);
    for (const entry of entries)
      if (entry?.isManual === true) changes.push({ put: this.#manualKey(entry.subject), value: NOTHING });
    for (let start = 0; start < entries.length; start += RECORDS_PER_PAGE) {
      const some = entries.slice(start, start + RECORDS_PER_PAGE);
      const key = pageKey(log, index + start);
      changes.push(this.#sealers.change(log, key, encodePage(hour, some)));
      const bases = some.map((entry) => entry?.basis);
      if (bases.some((basis) => basis !== undefined))
        changes.push(this.#sealers.change(log, basisKey(key), encodeBases(bases)));
    }
    return changes;
  }

  /** What it holds of attestations in whole batches, as `changes` gave it. Rejects as `ofSubject`. */
  async recordsOf(run: Place & { readonly count: number }): Promise<Change[]> {
    const changes: Change[] = [];
    for await (const { key, sealed, held } of this.#pagesOf(run)) {
      changes.push(
        ...held.flatMap(({ subject, place }) => this.#pointers.puts(place, [subject])),
        ...held.flatMap(({ mark }) => mark).map((put) => ({ put, value: NOTHING })),
        { put: key, value: sealed },
      );
      const bases = await this.#modules.tables.get(basisKey(key));
      if (bases !== undefined) changes.push({ put: basisKey(key), value: bases });
    }
    return changes;
  }

  /** What takes the records of attestations back that no log will have: `changes` of whole batches. Rejects as `ofSubject`. */
  async removal(run: Place & { readonly count: number }): Promise<Change[]> {
    const changes: Change[] = [];
    for await (const { key, held } of this.#pagesOf(run)) {
      for (const { subject, place } of held) changes.push(...this.#pointers.dels(subject, [place]));
      changes.push({ del: key }, { del: basisKey(key) });
    }
    for await (const place of this.uncounted({ log: run.log, from: run.index, until: run.index + run.count }))
      changes.push({ del: uncountedKey(place) });
    return changes;
  }

  /**
   * What the leaf at this place commits to if it is nobody's (`paddingCommitment`), by the commitment of the code of its batch that stands
   * closest before it, or else of the first behind it; undefined for leaves of older software.
   */
  paddingSecret(place: Place, beside: Uint8Array | undefined): Uint8Array {
    return beside === undefined ? this.#padding.ofPlace(place) : this.#padding.of(place, beside);
  }

  /** Codes of a stretch of a log whose holders were forgotten before a tally counted them, by index. Rejects as `ofSubject`. */
  uncounted(stretch: Stretch): AsyncGenerator<Uncounted, void, undefined> {
    return uncountedIn(stretch, { tables: this.#modules.tables, sealers: this.#sealers });
  }

  /** To be called once a tally of these leaves is logged, or none ever will be. Rejects as the tables. */
  dropUncounted(stretch: Stretch): Promise<void> {
    return dropUncounted(stretch, { tables: this.#modules.tables, sealers: this.#sealers });
  }

  /** Whose attestations these are, as `removal`. */
  async subjectsIn(run: Place & { readonly count: number }): Promise<string[]> {
    const subjects = new Set<string>();
    for await (const { held } of this.#pagesOf(run)) for (const { subject } of held) subjects.add(subject);
    return [...subjects];
  }

  async *#pagesOf({ log, index, count }: Place & { readonly count: number }) {
    const until = pageKey(log, index + count);
    for await (const [key, sealed] of this.#modules.tables.entries(pageKey(log, index), until)) {
      const page = this.#sealers.open(log, key, sealed);
      const first = firstOf(key);
      const held: { readonly subject: string; readonly place: Place; readonly mark: string[] }[] = [];
      for (let slot = 0; slot < RECORDS_PER_PAGE; slot++) {
        const { subject, fields } = recordOfPage(page, slot) ?? {};
        if (subject === undefined) continue;
        held.push({
          subject,
          place: { log, index: first + slot },
          mark: fields?.status.ruleId === MANUAL_RULE_ID ? [this.#manualKey(subject)] : [],
        });
      }
      yield { key, sealed, held };
    }
  }

  /** All records of a person, by log and index. Rejects with REGISTRY_CORRUPT and what the store rejects with. */
  async ofSubject(subject: string): Promise<RegistryRecord[]> {
    return (await this.#ofSubjects([subject], ALL))[0] ?? [];
  }

  /** The places of all attestations of a person, by no order. Rejects as `ofSubject`. */
  async placesOf(subject: string): Promise<readonly Place[]> {
    return (await this.#pointers.of([subject]))[0] ?? [];
  }

  /**
   * Of many people, in their order, those of codes that have not expired at `atS`, revoked or not, but for those that `isWanted` leaves out. A page that
   * holds records of several of them is opened once, and none for what is left out or is of a log that is over: that costs no more than a row.
   */
  runningOf(
    subjects: readonly string[],
    atS: number,
    isWanted: (place: Place) => boolean = () => true,
  ): Promise<RegistryRecord[][]> {
    return this.#ofSubjects(subjects, {
      isPlace: (place) => !isLogOver(place.log, atS) && isWanted(place),
      isRecord: ({ fields }) => fields.status.expiresAtS > atS,
    });
  }

  async #ofSubjects(subjects: readonly string[], { isPlace, isRecord }: Sought): Promise<RegistryRecord[][]> {
    const sought: (Place & { readonly person: number })[] = [];
    for (const [person, places] of (await this.#pointers.of(subjects)).entries())
      for (const place of places) if (isPlace(place)) sought.push({ ...place, person });
    const records = subjects.map((): RegistryRecord[] => []);
    const found = await this.atPlaces(sought);
    for (const [i, { person }] of sought.entries()) {
      const record = found[i];
      if (record !== undefined && record.subject === subjects[person] && isRecord(record))
        records[person]?.push(record);
    }
    for (const own of records) own.sort(byPlace);
    return records;
  }

  /** The codes that no rule gave of each of at most 1,024 people, in their order: one trip where nobody has any. Rejects as `ofSubject`. */
  async manualOf(subjects: readonly string[]): Promise<(readonly RegistryRecord[])[]> {
    const marks = await this.#modules.tables.getMany(subjects.map((subject) => this.#manualKey(subject)));
    const found: (readonly RegistryRecord[])[] = [];
    for (const [i, subject] of subjects.entries()) {
      const records = marks[i] === undefined ? [] : await this.ofSubject(subject);
      found.push(records.filter(({ fields }) => fields.status.ruleId === MANUAL_RULE_ID));
    }
    return found;
  }

  /** What the colour of an attestation rests on; undefined where that is not known, or forgotten. Rejects as `ofSubject`. */
  async basisOf(place: Place): Promise<Uint8Array | undefined> {
    return (await this.basesAt([place]))[0];
  }

  /** The same of many, in their order: pages that hold several of them are opened once. Rejects as `ofSubject`. */
  async basesAt(places: readonly Place[]): Promise<(Uint8Array | undefined)[]> {
    const bases = places.map((): Uint8Array | undefined => undefined);
    const onPages = new Map<string, { readonly number: number; readonly slot: number }[]>();
    await this.#pages.each(places, (number, page) => {
      if (page === undefined) return;
      const slot = (places[number]?.index ?? 0) - page.first;
      const others = onPages.get(page.key);
      if (others === undefined) onPages.set(page.key, [{ number, slot }]);
      else others.push({ number, slot });
    });
    const pages = [...onPages];
    for (let from = 0; from < pages.length; from += BASES_TOGETHER) {
      const some = pages.slice(from, from + BASES_TOGETHER);
      const sealed = await this.#modules.tables.getMany(some.map(([page]) => basisKey(page)));
      for (const [i, [page, wanted]] of some.entries()) {
        const bytes = sealed[i];
        if (bytes === undefined) continue;
        const opened = openBases(this.#sealers, page, bytes);
        for (const { number, slot } of wanted) bases[number] = opened[slot];
      }
    }
    return bases;
  }

  /** The record of an attestation; undefined if it is nobody's, or forgotten, or not this region's. */
  async atPlace(place: Place): Promise<RegistryRecord | undefined> {
    return (await this.atPlaces([place]))[0];
  }

  /** The same of many, in their order: a page that holds several of them is opened once. Rejects as `ofSubject`. */
  async atPlaces(places: readonly Place[]): Promise<(RegistryRecord | undefined)[]> {
    const records = places.map((): RegistryRecord | undefined => undefined);
    await this.#pages.each(places, (number, page) => {
      const place = places[number];
      records[number] = page && place && recordAt(page, place);
    });
    return records;
  }

  /** The logs of which it has records: one look for each, behind the last page of the one before. */
  async *logs(): AsyncGenerator<string, void, undefined> {
    for (let from = PAGES; ;) {
      const [found] = await this.#modules.tables.page(from, `${PAGES}~`, { limit: 1 });
      if (found === undefined) return;
      const log = logOf(found[0]);
      yield log;
      [, from] = rangeOf(log);
    }
  }

  /** Behind the last place of a log of which it may have a record: up to a page more than there are; 0 for a log that it does not know. Rejects as the tables. */
  async endOf(log: string): Promise<number> {
    const [last] = await this.#modules.tables.page(...rangeOf(log), { limit: 1, reverse: true });
    return last === undefined ? 0 : firstOf(last[0]) + RECORDS_PER_PAGE;
  }

  /** Whether it has records of a log. */
  async knows(log: string): Promise<boolean> {
    return (await this.#modules.tables.page(...rangeOf(log), { limit: 1 })).length > 0;
  }

  /** All records of a log by index, from one on. Reads all of them: for single questions only. Rejects as `ofSubject`. */
  async *ofLog(log: string, from = 0): AsyncGenerator<RegistryRecord, void, undefined> {
    // Pages begin where their batches do, so that one which holds `from` begins at most so far before it.
    const range = rangeOf(log, Math.max(0, from - RECORDS_PER_PAGE + 1));
    for await (const [key, sealed] of this.#modules.tables.entries(...range)) {
      const page = this.#sealers.open(log, key, sealed);
      const first = firstOf(key);
      for (let slot = Math.max(0, from - first); slot < RECORDS_PER_PAGE; slot++) {
        const record = recordOfPage(page, slot);
        if (record !== undefined) yield { ...record, log, index: first + slot, hour: hourOfPage(page) };
      }
    }
  }

  /** The records of a stretch of a log, with what their colours rest on. Rejects as `ofSubject`; see `recordsInStretch`. */
  withBases(
    stretch: Stretch,
    onUnread?: (unread: UnreadLeaves) => void,
  ): AsyncGenerator<RecordWithBasis, void, undefined> {
    return recordsInStretch(stretch, { ...this.#modules, sealers: this.#sealers }, onUnread);
  }

  async #bases(page: string): Promise<readonly (Uint8Array | undefined)[]> {
    return openBases(this.#sealers, page, await this.#modules.tables.get(basisKey(page)));
  }

  /**
   * Destroys all that says that a person has attestations, and all that opens them, in the files of the disk too: what the logs
   * hold of them can never be opened again. To be repeated if it is interrupted; gives the places where they stand.
   */
  forget(subject: string, options: ForgettingOptions = {}): Promise<readonly Place[]> {
    return this.#turns.take('forget', () => this.#forgetter.forget(subject, options));
  }

  /** See `Forgetter.forgetNamed`. */
  forgetNamed(name: string, options: NamedForgettingOptions): Promise<void> {
    return this.#turns.take('forget', () => this.#forgetter.forgetNamed(name, options));
  }

  /** See `Forgetter.forgetPlace`. */
  forgetPlace(subject: string, place: Place, options: PlaceForgettingOptions): Promise<void> {
    return this.#turns.take('forget', () => this.#forgetter.forgetPlace(subject, place, options));
  }

  #manualKey(subject: string): string {
    return MANUAL + this.#pseudonyms.of(subject);
  }
}
