/**
 * Dossiers at rest, all of it sealed, under names that tell nothing without the key of the registry. Tables:
 *
 *   life/person/<pseudonym>               the dossier of a person
 *   life/name/<name>/<pseudonym>          the person has this name and day of birth
 *   life/untold/<pseudonym>               the newest change was not handed to anybody yet
 *   life/objection/<pseudonym>            the person has an objection that is not settled
 *   life/revoking/<pseudonym>             codes of the person are being revoked, or are, to make place for one that is not issued yet
 *
 * Pseudonyms are spread evenly, so that walking the persons in their order tells how far one is, and nothing of them.
 */
import { NodeError } from '../node-error.ts';
import { type Change, type Random } from '../ports.ts';
import { keyAfter } from '../store/reader.ts';
import { Pseudonyms, pseudonymsOfPeople } from '../registry/pseudonyms.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { type Identity } from '../lists/identity.ts';
import { type Dossier, encodeDossier, parseDossier } from './dossier.ts';
import { type PrivateName } from '../registry/whereabouts.ts';

export interface DossierShelfModules {
  readonly tables: PrivateTables;
  readonly random: Random;
}

export interface ShelvedDossier {
  readonly pseudonym: string;
  readonly dossier: Dossier;
}

const PERSONS = 'life/person/' satisfies PrivateName;
/** Declarations that are being taken, by the pseudonym of the person. */
export const STAGED = 'life/staged/' satisfies PrivateName;
/** Persons with a mark that are looked at together. */
export const MARKED_TOGETHER = 256;
const NOTHING = new Uint8Array(0);

const MARKS = ['untold', 'objection', 'revoking'] as const;
/** Persons that something is noted of, besides their dossier. */
export type Mark = (typeof MARKS)[number];

export class DossierShelf {
  readonly #modules: DossierShelfModules;
  readonly #names: Pseudonyms;
  readonly #sealer: Sealer;
  readonly pseudonymOf: (subject: string) => string;

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: DossierShelfModules) {
    this.#modules = modules;
    this.#names = new Pseudonyms(derivedKey(key, 'life/name'));
    this.pseudonymOf = pseudonymsOfPeople(key);
    this.#sealer = new Sealer(derivedKey(key, 'life/person'));
  }

  /** The dossiers of these persons, in their order. */
  async dossiers(pseudonyms: readonly string[]): Promise<(Dossier | undefined)[]> {
    const names = pseudonyms.map((pseudonym) => PERSONS + pseudonym);
    const sealed = await this.#modules.tables.getMany(names);
    return sealed.map((bytes, i) => bytes && parseDossier(this.#sealer.open(names[i] ?? '', bytes)));
  }

  /** The dossier of a person, with what is noted of codes that are being revoked. */
  async ofSubject(subject: string): Promise<Dossier | undefined> {
    const pseudonym = this.pseudonymOf(subject);
    const [dossier] = await this.dossiers([pseudonym]);
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

  /** The same of the next persons in the order of their pseudonyms behind `after`: `limit` of them, or all that are left. */
  async page(after: string, limit: number): Promise<ShelvedDossier[]> {
    const persons: ShelvedDossier[] = [];
    let from = after === '' ? PERSONS : keyAfter(PERSONS + after);
    while (persons.length < limit) {
      const page = await this.#modules.tables.page(from, `${PERSONS}~`, { limit: limit - persons.length });
      const last = page.at(-1)?.[0];
      if (last === undefined) break;
      for (const [name, sealed] of page) {
        const dossier = parseDossier(this.#sealer.open(name, sealed));
        persons.push({ pseudonym: name.slice(PERSONS.length), dossier });
      }
      from = keyAfter(last);
    }
    return this.#withIntents(persons);
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
      for await (const [name] of this.#modules.tables.entries(...range)) marked.add(name.slice(from));
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

  /** Persons with that mark, in the order of their pseudonyms, some at a time. */
  async *marked(mark: Mark, limit: number): AsyncGenerator<ShelvedDossier[], void, undefined> {
    const prefix = markKey(mark, '');
    for (let from = prefix; ;) {
      const page = await this.#modules.tables.page(from, `${prefix}~`, { limit });
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
    const [dossier] = await this.dossiers([pseudonym]);
    const marks = MARKS.map((mark) => markKey(mark, pseudonym));
    const identities = dossier?.earlier?.identities.map(({ identity }) => identity) ?? [];
    if (dossier !== undefined) identities.push(dossier.declaration.identity);
    const names = identities.map((identity) => this.#nameKey(identity, pseudonym));
    // What was deleted before, as names that are not borne any more and what an intake moved, lies in the files until then.
    for (const keys of [[STAGED + pseudonym, ...marks, ...names], [PERSONS + pseudonym]]) {
      await tables.write(keys.map((key) => ({ del: key })));
      for (const key of keys) await tables.compact(key, keyAfter(key));
    }
    return dossier !== undefined;
  }

  #nameKey({ name = '', birthDate = '' }: Identity, pseudonym: string): string {
    return `life/name/${this.#names.of(`name\n${name}\n${birthDate}`)}/${pseudonym}`;
  }
}

function markKey(mark: Mark, pseudonym: string): string {
  return `life/${mark}/${pseudonym}`;
}

/** How far a walk over all persons is by the pseudonym it has come to: 0 to 1. */
export function shareOf(pseudonym: string): number {
  return parseInt(pseudonym.slice(0, 8) || '0', 16) / 2 ** 32;
}
