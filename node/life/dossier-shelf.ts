/**
 * Dossiers at rest, all of it sealed, under names that tell nothing without the key of the registry. Tables:
 *
 *   life/person/<pseudonym>               the dossier of a person
 *   life/name/<name>/<pseudonym>          the person has this name and day of birth
 *   life/untold/<pseudonym>               the newest change was not handed to anybody yet
 *   life/objection/<pseudonym>            the person has an objection that is not settled
 *   life/revoking/<pseudonym>             codes of the person are being revoked, or are, to make place for one that is not issued yet
 *   life/damaged/<pseudonym>              an update has seen that the dossier cannot be read
 *
 * Pseudonyms are spread evenly, so that walking the persons in their order tells how far one is, and nothing of them.
 */
import { NodeError } from '../node-error.ts';
import { type Change, type Random } from '../ports.ts';
import { keyAfter } from '../store/reader.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { rowsPastDamage, valuesPastDamage } from '../registry/rows-past-damage.ts';
import { Pseudonyms, pseudonymsOfPeople } from '../registry/pseudonyms.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { type Identity } from '../lists/identity.ts';
import { DamagedDossier } from './damaged-dossier.ts';
import { type Dossier, encodeDossier, parseDossier } from './dossier.ts';
import { type PrivateName } from '../registry/whereabouts.ts';

export interface DossierShelfModules {
  readonly tables: PrivateTables;
  readonly random: Random;
  /** Told once of each dossier that cannot be read. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

export interface ShelvedDossier {
  readonly pseudonym: string;
  readonly dossier: Dossier;
}

export interface DossierPage {
  readonly persons: readonly ShelvedDossier[];
  readonly damaged: readonly DamagedDossier[];
  /** The pseudonym of the last of all of them; undefined where there is nobody more. */
  readonly last: string | undefined;
}

const PERSONS = 'life/person/' satisfies PrivateName;
/** Declarations that are being taken, by the pseudonym of the person. */
export const STAGED = 'life/staged/' satisfies PrivateName;
/** Persons with a mark that are looked at together. */
export const MARKED_TOGETHER = 256;
const NAMES = 'life/name/' satisfies PrivateName;
const NAMES_TOGETHER = 4_096;
const NOTHING = new Uint8Array(0);

const MARKS = ['untold', 'objection', 'revoking', 'damaged'] as const;
/** Persons that something is noted of, besides their dossier. */
export type Mark = (typeof MARKS)[number];

export class DossierShelf {
  readonly #modules: DossierShelfModules;
  readonly #names: Pseudonyms;
  readonly #sealer: Sealer;
  /** Pseudonyms of whom was told that their dossier cannot be read. */
  readonly #told = new Set<string>();
  readonly pseudonymOf: (subject: string) => string;

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: DossierShelfModules) {
    this.#modules = modules;
    this.#names = new Pseudonyms(derivedKey(key, 'life/name'));
    this.pseudonymOf = pseudonymsOfPeople(key);
    this.#sealer = new Sealer(derivedKey(key, 'life/person'));
  }

  /** The dossiers of these persons, in their order; undefined too where one cannot be read, which is told. */
  async dossiers(pseudonyms: readonly string[]): Promise<(Dossier | undefined)[]> {
    return (await this.read(pseudonyms)).map((one) => (one instanceof DamagedDossier ? undefined : one));
  }

  /** The same, with those that cannot be read. */
  async read(pseudonyms: readonly string[]): Promise<(Dossier | DamagedDossier | undefined)[]> {
    const { tables } = this.#modules;
    const values = await valuesPastDamage(
      tables,
      pseudonyms.map((pseudonym) => PERSONS + pseudonym),
    );
    return pseudonyms.map((pseudonym, i) => {
      const value = values[i];
      return value && this.#opened(pseudonym, value);
    });
  }

  #opened(pseudonym: string, value: Uint8Array | NodeError): Dossier | DamagedDossier {
    const name = PERSONS + pseudonym;
    let opened: Uint8Array | undefined;
    try {
      if (value instanceof NodeError) throw value;
      opened = this.#sealer.open(name, value);
      return parseDossier(opened);
    } catch (cause) {
      if (!isRegistryDamage(cause)) throw cause;
      const damaged = new DamagedDossier({ pseudonym, name }, { isOtherForm: opened !== undefined, cause });
      if (!this.#told.has(pseudonym)) this.#modules.onTrouble?.(damaged.error);
      this.#told.add(pseudonym);
      return damaged;
    }
  }

  /** The dossier of a person, with what is noted of codes that are being revoked. @throws {NodeError} REGISTRY_CORRUPT where it cannot be read. */
  async ofSubject(subject: string): Promise<Dossier | undefined> {
    const pseudonym = this.pseudonymOf(subject);
    const [dossier] = await this.read([pseudonym]);
    if (dossier instanceof DamagedDossier) throw dossier.error;
    return dossier && (await this.#withIntents([{ pseudonym, dossier }]))[0]?.dossier;
  }

  /** The same. @throws {NodeError} NOT_FOUND for who did not declare. */
  async require(subject: string): Promise<Dossier> {
    const dossier = await this.ofSubject(subject);
    if (dossier !== undefined) return dossier;
    throw new NodeError('NOT_FOUND', 'nobody of that reference has declared', {
      hint: 'Declarations come by `entente declare`; codes issued otherwise are told by `entente codes`.',
    });
  }

  /** Whether the person declared, be what is kept of it damaged or not. */
  async isThere(subject: string): Promise<boolean> {
    const [value] = await valuesPastDamage(this.#modules.tables, [PERSONS + this.pseudonymOf(subject)]);
    return value !== undefined;
  }

  /** Whether anybody declared. */
  async hasAny(): Promise<boolean> {
    return (await rowsPastDamage(this.#modules.tables, [PERSONS, `${PERSONS}~`], 1)).length > 0;
  }

  /** The same of the next persons in the order of their pseudonyms behind `after`: `limit` of them, or all that are left. */
  async page(after: string, limit: number): Promise<DossierPage> {
    const from = after === '' ? PERSONS : keyAfter(PERSONS + after);
    const rows = await rowsPastDamage(this.#modules.tables, [from, `${PERSONS}~`], limit);
    const persons: ShelvedDossier[] = [];
    const damaged: DamagedDossier[] = [];
    for (const [name, value] of rows) {
      const pseudonym = name.slice(PERSONS.length);
      const dossier = this.#opened(pseudonym, value);
      if (dossier instanceof DamagedDossier) damaged.push(dossier);
      else persons.push({ pseudonym, dossier });
    }
    const last = rows.at(-1)?.[0].slice(PERSONS.length);
    return { persons: await this.#withIntents(persons), damaged, last };
  }

  /** The same of these persons; `last` is undefined where none of them declared. */
  async pageOf(subjects: readonly string[]): Promise<DossierPage> {
    const pseudonyms = [...new Set(subjects.map(this.pseudonymOf))].toSorted();
    const persons: ShelvedDossier[] = [];
    const damaged: DamagedDossier[] = [];
    let last: string | undefined;
    for (const [i, dossier] of (await this.read(pseudonyms)).entries()) {
      const pseudonym = pseudonyms[i] as string;
      if (dossier === undefined) continue;
      last = pseudonym;
      if (dossier instanceof DamagedDossier) damaged.push(dossier);
      else persons.push({ pseudonym, dossier });
    }
    return { persons: await this.#withIntents(persons), damaged, last };
  }

  /** Of persons in the order of their pseudonyms: marks lie in the same order, and few people have one. */
  async #withIntents(persons: readonly ShelvedDossier[]): Promise<ShelvedDossier[]> {
    const [first, last] = [persons[0], persons.at(-1)];
    const marked = new Set<string>();
    if (first !== undefined && last !== undefined) {
      const range = [
        markKey('revoking', first.pseudonym),
        keyAfter(markKey('revoking', last.pseudonym)),
      ] as const;
      const from = markKey('revoking', '').length;
      // That there is a mark is all that it says.
      const onDamaged = ({ key }: NodeError) => key !== undefined && marked.add(key.slice(from));
      for await (const [name] of this.#modules.tables.entries(...range, { onDamaged }))
        marked.add(name.slice(from));
    }
    return persons.map((one) =>
      marked.has(one.pseudonym) ? { ...one, dossier: { ...one.dossier, isRevoking: true } } : one,
    );
  }

  /** What the store is to be told of a dossier that takes the place of `before`. */
  changes(dossier: Dossier, before: Dossier | undefined): Change[] {
    const { subject, identity } = dossier.declaration;
    const pseudonym = this.pseudonymOf(subject);
    const names = [this.#nameKey(identity, pseudonym)];
    const namesBefore = before === undefined ? [] : [this.#nameKey(before.declaration.identity, pseudonym)];
    return [
      this.dossierChange(dossier),
      ...namesBefore.filter((name) => !names.includes(name)).map((name) => ({ del: name })),
      ...names.filter((name) => !namesBefore.includes(name)).map((name) => ({ put: name, value: NOTHING })),
    ];
  }

  /** The same where nothing changed of who the person is. */
  dossierChange(dossier: Dossier): Change {
    const name = PERSONS + this.pseudonymOf(dossier.declaration.subject);
    const value = this.#sealer.seal(name, encodeDossier(dossier), this.#modules.random(NONCE_BYTES));
    return { put: name, value };
  }

  /** Whether the person of that pseudonym declared under this name and day of birth last. */
  async isNamed(identity: Identity, pseudonym: string): Promise<boolean> {
    const [value] = await valuesPastDamage(this.#modules.tables, [this.#nameKey(identity, pseudonym)]);
    return value !== undefined;
  }

  /** Whether somebody else who declared than the person of that pseudonym has this name and day of birth. */
  async isNameShared(identity: Identity, pseudonym: string): Promise<boolean> {
    const from = this.#nameKey(identity, '');
    const page = await this.#modules.tables.page(from, `${from}~`, { limit: 2 });
    return page.some(([key]) => key !== from + pseudonym);
  }

  markChange(mark: Mark, subject: string): Change {
    return { put: markKey(mark, this.pseudonymOf(subject)), value: NOTHING };
  }

  unmarkChange(mark: Mark, subject: string): Change {
    return { del: markKey(mark, this.pseudonymOf(subject)) };
  }

  /** What is noted of a person besides their dossier. */
  async marksOf(pseudonym: string): Promise<ReadonlySet<Mark>> {
    const names = MARKS.map((mark) => markKey(mark, pseudonym));
    const values = await valuesPastDamage(this.#modules.tables, names);
    return new Set(MARKS.filter((_, i) => values[i] !== undefined));
  }

  /** What is noted of a dossier that cannot be read goes with it where another takes its place. */
  replacedChanges(subject: string): Change[] {
    return MARKS.map((mark) => this.unmarkChange(mark, subject));
  }

  /** Notes that an update has seen these. */
  async noteDamaged(some: readonly DamagedDossier[]): Promise<void> {
    if (some.length === 0) return;
    const puts = some.map(({ pseudonym }) => ({ put: markKey('damaged', pseudonym), value: NOTHING }));
    await this.#modules.tables.write(puts);
  }

  /** The first `limit` of those of whom an update has seen that their dossier cannot be read, and which still cannot. */
  async stillDamaged(limit: number): Promise<DamagedDossier[]> {
    const damaged: DamagedDossier[] = [];
    for await (const page of this.#noted())
      for (const { now } of page)
        if (now instanceof DamagedDossier && damaged.push(now) >= limit) return damaged;
    return damaged;
  }

  /** Takes the note away from those that can be read again, or are gone. */
  async forgetMended(): Promise<void> {
    for await (const page of this.#noted()) {
      const mended = page.filter(({ now }) => !(now instanceof DamagedDossier));
      if (mended.length > 0)
        await this.#modules.tables.write(
          mended.map(({ pseudonym }) => ({ del: markKey('damaged', pseudonym) })),
        );
    }
  }

  async *#noted() {
    const prefix = markKey('damaged', '');
    for (let from = prefix; ;) {
      const page = await rowsPastDamage(this.#modules.tables, [from, `${prefix}~`], MARKED_TOGETHER);
      const last = page.at(-1)?.[0];
      if (last === undefined) return;
      const pseudonyms = page.map(([key]) => key.slice(prefix.length));
      const dossiers = await this.read(pseudonyms);
      yield pseudonyms.map((pseudonym, i) => ({ pseudonym, now: dossiers[i] }));
      from = keyAfter(last);
    }
  }

  /** Persons with that mark and a dossier that can be read, in the order of their pseudonyms, some at a time. */
  async *marked(mark: Mark, limit: number): AsyncGenerator<ShelvedDossier[], void, undefined> {
    const prefix = markKey(mark, '');
    for (let from = prefix; ;) {
      const page = await rowsPastDamage(this.#modules.tables, [from, `${prefix}~`], limit);
      const last = page.at(-1)?.[0];
      if (last === undefined) return;
      const pseudonyms = page.map(([key]) => key.slice(prefix.length));
      const found = await this.dossiers(pseudonyms);
      yield pseudonyms.flatMap((pseudonym, i) => {
        const dossier = found[i];
        return dossier === undefined ? [] : [{ pseudonym, dossier }];
      });
      from = keyAfter(last);
    }
  }

  /**
   * Destroys all of a person's dossier, in the files of the disk too. To be repeated if it is interrupted; false if there is none.
   * What says who they are goes last, so that a run that broke off is taken up again.
   */
  async forget(subject: string): Promise<boolean> {
    const { tables } = this.#modules;
    const pseudonym = this.pseudonymOf(subject);
    const [dossier] = await this.read([pseudonym]);
    const marks = MARKS.map((mark) => markKey(mark, pseudonym));
    const names = dossier === undefined ? [] : await this.#namesOf(dossier, pseudonym);
    // What was deleted before, as names that are not borne any more and what an intake moved, lies in the files until then.
    for (const keys of [[STAGED + pseudonym, ...marks, ...names], [PERSONS + pseudonym]]) {
      await tables.write(keys.map((key) => ({ del: key })));
      for (const key of keys) await tables.compact(key, keyAfter(key));
    }
    // Which those were is told by the dossier alone.
    if (dossier instanceof DamagedDossier) await tables.compact(NAMES, `${NAMES}~`);
    return dossier !== undefined;
  }

  /** The rows of all names of a person: of whom the dossier cannot be read, what is there, which takes a walk over everybody's. */
  async #namesOf(dossier: Dossier | DamagedDossier, pseudonym: string): Promise<string[]> {
    if (!(dossier instanceof DamagedDossier)) {
      const earlier = dossier.earlier?.identities.map(({ identity }) => identity) ?? [];
      const identities = [...earlier, dossier.declaration.identity];
      return identities.map((identity) => this.#nameKey(identity, pseudonym));
    }
    const names: string[] = [];
    for (let from: string = NAMES; ;) {
      const page = await rowsPastDamage(this.#modules.tables, [from, `${NAMES}~`], NAMES_TOGETHER);
      const last = page.at(-1)?.[0];
      if (last === undefined) return names;
      names.push(...page.map(([name]) => name).filter((name) => name.endsWith(`/${pseudonym}`)));
      from = keyAfter(last);
    }
  }

  #nameKey({ name = '', birthDate = '' }: Identity, pseudonym: string): string {
    return `${NAMES}${this.#names.of(`name\n${name}\n${birthDate}`)}/${pseudonym}`;
  }
}

function markKey(mark: Mark, pseudonym: string): string {
  return `life/${mark}/${pseudonym}`;
}

/** How far a walk over all persons is by the pseudonym it has come to: 0 to 1. */
export function shareOf(pseudonym: string): number {
  return parseInt(pseudonym.slice(0, 8) || '0', 16) / 2 ** 32;
}
