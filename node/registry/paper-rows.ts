/**
 * Under which papers people were issued to by rules, and whose reference has which papers: by keyed names alone, so that nobody learns papers of
 * them, with the registry key neither but by guessing them. Two kinds of rows in the private tables:
 *
 *   registry/papers/<pseudonym>      sealed: the keyed names of what orders told of the person, since when their codes are of that, and who it is
 *   registry/bearer/<keyed name>     the pseudonym of whoever has this document, by an order or a declaration, or by an order this name and day of birth without one
 */
import { type Identity, type IdentityDocument } from '../lists/identity.ts';
import { NodeError } from '../node-error.ts';
import { type Change, type Random } from '../ports.ts';
import { keyAfter } from '../store/reader.ts';
import { Turns } from '../turns.ts';
import { type PrivateTables, type SharedTables } from './private-tables.ts';
import { DIGITS, Pseudonyms, pseudonymsOfPeople } from './pseudonyms.ts';
import { isRegistryDamage, registryCorrupt } from './registry-error.ts';
import { rowsPastDamage, valuesPastDamage } from './rows-past-damage.ts';
import { derivedKey, NONCE_BYTES, Sealer } from './sealer.ts';
import { type PrivateName } from './whereabouts.ts';

/** Keyed names, 32 hexadecimal digits each, of the papers that were told. */
export interface PaperNames {
  readonly name?: string | undefined;
  readonly birthDate?: string | undefined;
  readonly document?: string | undefined;
  /** Of name and day of birth together, where both were told without a document: nobody else has these either. */
  readonly person?: string | undefined;
}

export interface KeptPapers extends PaperNames {
  /**
   * Hours since 1970: all codes by rules from then on were given under all of these papers, none of those before needs to be. Infinity where one was ordered
   * since by less than these, or none that is green by these.
   */
  readonly sinceHour: number;
  /** The region's reference to the person; undefined in rows of older software. */
  readonly subject?: string | undefined;
}

/** What cannot be read: there is a row, and nobody can tell what it says. */
export const DAMAGED = 'damaged';

export interface PaperRowsModules {
  readonly tables: PrivateTables & Partial<Pick<SharedTables, 'writeIf'>>;
  readonly random: Random;
}

const PAPERS = 'registry/papers/' satisfies PrivateName;
const BEARERS = 'registry/bearer/' satisfies PrivateName;
const FORM = 1;
const NAME_BYTES = DIGITS / 2;
/** Form (1), hour (4), then a name each or zeros, and the reference to the person. */
const NAMES_AT = 5;
const PARTS = ['name', 'birthDate', 'document', 'person'] as const;
const ROW_BYTES = NAMES_AT + PARTS.length * NAME_BYTES;
const NONE = '0'.repeat(DIGITS);
const NEVER = 0xffff_ffff;
/** Times that it is looked again where another process kept papers meanwhile. */
const TRIES_MAX = 8;
/** Rows of others that are looked through at once, for whoever has a row that cannot be read. */
const BEARERS_TOGETHER = 4_096;
const TURN = 'papers';

export class PaperRows {
  readonly #modules: PaperRowsModules;
  readonly #names: Pseudonyms;
  readonly #pseudonymOf: (subject: string) => string;
  readonly #sealer: Sealer;
  readonly #turns = new Turns();
  #keptTimes = 0;

  /** `key`: that of the registry. */
  constructor(key: Uint8Array, modules: PaperRowsModules) {
    this.#modules = modules;
    this.#names = new Pseudonyms(derivedKey(key, 'papers/name'));
    this.#pseudonymOf = pseudonymsOfPeople(key);
    this.#sealer = new Sealer(derivedKey(key, 'papers'));
  }

  /** Of papers in the one form in which they are compared. */
  namesOf({ name = '', birthDate = '', document }: Identity): PaperNames {
    const hasDocument = document !== undefined && document.number !== '';
    const isPerson = !hasDocument && name !== '' && birthDate !== '';
    return {
      name: name === '' ? undefined : this.#names.of(`name\n${name}`),
      birthDate: birthDate === '' ? undefined : this.#names.of(`born\n${birthDate}`),
      document: hasDocument ? this.documentNameOf(document) : undefined,
      person: isPerson ? this.#names.of(`person\n${birthDate}\n${name}`) : undefined,
    };
  }

  /** Of a document in the one form, whatever kind it is of: a code that is bound to it says country and number alone. */
  documentNameOf({ country, number }: IdentityDocument): string {
    return this.#names.of(`document\n${country}\n${number}`);
  }

  /**
   * Reading, deciding and writing in one: nobody else in this process reads or writes meanwhile. Again where that gives undefined, since another process wrote.
   * Rejects as `work`, and with REGISTRY_AWAY where other processes never let it be.
   */
  async settled<T>(work: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const done = await this.#turns.take(TURN, work);
      if (done !== undefined) return done;
    }
    throw new NodeError('REGISTRY_AWAY', 'other processes keep papers of the same people all the time', {
      hint: 'Give the order again.',
      retry: true,
    });
  }

  /** How often orders have told what is kept since, in this process. */
  get keptTimes(): number {
    return this.#keptTimes;
  }

  /** What is kept of people, in the order of their pseudonyms. Rejects as the tables, but for damage. */
  async keptOf(pseudonyms: readonly string[]): Promise<(KeptPapers | typeof DAMAGED | undefined)[]> {
    const names = pseudonyms.map((pseudonym) => PAPERS + pseudonym);
    const values = await valuesPastDamage(this.#modules.tables, names);
    return names.map((name, i) => values[i] && this.#opened(name, values[i]));
  }

  /** Whose papers these are by document or person, by their pseudonyms. Rejects as the tables, but for damage. */
  async bearersOf(names: readonly string[]): Promise<(string | undefined)[]> {
    if (names.length === 0) return [];
    const values = await valuesPastDamage(
      this.#modules.tables,
      names.map((name) => BEARERS + name),
    );
    return values.map((value) => {
      if (value === undefined) return undefined;
      const isWhole = !(value instanceof NodeError) && value.length === NAME_BYTES;
      return isWhole ? Buffer.from(value).toString('hex') : DAMAGED;
    });
  }

  /**
   * Keeps papers of people, by pseudonym, and that those of them in `borne` are theirs. `added`: pseudonyms of whom nothing was kept. One write; false, and
   * nothing is kept, where another process has kept papers of these people, or the same of others, meanwhile. Rejects as the tables.
   */
  async keep(
    papers: ReadonlyMap<string, KeptPapers>,
    borne: ReadonlyMap<string, string>,
    added: ReadonlySet<string>,
  ): Promise<boolean> {
    const changes: Change[] = [...papers].map(([pseudonym, kept]) => {
      const put = PAPERS + pseudonym;
      return { put, value: this.#sealer.seal(put, encoded(kept), this.#modules.random(NONCE_BYTES)) };
    });
    if (changes.length > 0 || borne.size > 0) this.#keptTimes++;
    return this.write(changes, borne, added);
  }

  /** Makes changes, with those that say of papers in `borne` whose they are. One write; false where that of one of them is said by now. Rejects as the tables. */
  async write(
    others: readonly Change[],
    borne: ReadonlyMap<string, string>,
    added: ReadonlySet<string> = new Set(),
  ): Promise<boolean> {
    const { tables } = this.#modules;
    const bearers = [...borne].map(([name, pseudonym]) => this.bearerChange(name, pseudonym));
    const changes = [...others, ...bearers];
    const absent = [
      ...[...added].map((pseudonym) => PAPERS + pseudonym),
      ...[...borne.keys()].map((name) => BEARERS + name),
    ];
    if (tables.writeIf !== undefined && absent.length > 0)
      return (await tables.writeIf(changes, { absent })) === 'made';
    if (changes.length > 0) await tables.write(changes);
    return true;
  }

  bearerChange(name: string, pseudonym: string): Change {
    return { put: BEARERS + name, value: Buffer.from(pseudonym, 'hex') };
  }

  noBearerChange(name: string): Change {
    return { del: BEARERS + name };
  }

  /** Of whom orders told papers; undefined where none did, or it cannot be read. Rejects as the tables, but for damage. */
  async subjectOf(pseudonym: string): Promise<string | undefined> {
    const [kept] = await this.keptOf([pseudonym]);
    return kept === DAMAGED ? undefined : kept?.subject;
  }

  /** Whether anything is kept of a person. Rejects as the tables, but for damage. */
  async isThere(subject: string): Promise<boolean> {
    return (await this.keptOf([this.#pseudonymOf(subject)]))[0] !== undefined;
  }

  /** Destroys what is kept of a person, in the files of the disk too. To be repeated if it is interrupted: what leads to the rest goes last. Rejects as the tables. */
  async forget(subject: string): Promise<void> {
    const pseudonym = this.#pseudonymOf(subject);
    const [kept] = await this.keptOf([pseudonym]);
    await this.forgetBorne(pseudonym, kept === DAMAGED ? undefined : borneBy(kept));
    await this.#turns.take(TURN, () => this.#destroy([PAPERS + pseudonym]));
  }

  /** Destroys what says that these papers are a person's, as far as it does, or of which nobody knows which those are. As `forget`. */
  forgetBorne(pseudonym: string, names: readonly string[] | undefined): Promise<void> {
    return this.#turns.take(TURN, async () => {
      const all = names ?? (await this.#walkFor(pseudonym));
      const bearers = await this.bearersOf(all);
      // What cannot be read, and is named as theirs, is.
      const own = all.filter((_, i) => [undefined, pseudonym, DAMAGED].includes(bearers[i]));
      await this.#destroy(own.map((name) => BEARERS + name));
    });
  }

  async #destroy(keys: readonly string[]): Promise<void> {
    const { tables } = this.#modules;
    if (keys.length > 0) await tables.write(keys.map((del) => ({ del })));
    for (const key of keys) await tables.compact(key, keyAfter(key));
  }

  /** Of whom nothing tells which those are: a walk over everybody's. */
  async #walkFor(pseudonym: string): Promise<string[]> {
    const names: string[] = [];
    for (let from: string = BEARERS; ;) {
      const page = await rowsPastDamage(this.#modules.tables, [from, `${BEARERS}~`], BEARERS_TOGETHER);
      const last = page.at(-1)?.[0];
      if (last === undefined) return names;
      for (const [name, value] of page)
        if (!(value instanceof NodeError) && Buffer.from(value).toString('hex') === pseudonym)
          names.push(name.slice(BEARERS.length));
      from = keyAfter(last);
    }
  }

  #opened(name: string, value: Uint8Array | NodeError): KeptPapers | typeof DAMAGED {
    if (value instanceof NodeError) return DAMAGED;
    try {
      return parsed(this.#sealer.open(name, value));
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      return DAMAGED;
    }
  }
}

/** Of which papers a person of whom this is kept, or told, is the bearer: nobody else has them. */
export function borneBy({ document, person }: PaperNames = {}): string[] {
  return [document, person].filter((name) => name !== undefined);
}

function encoded(kept: KeptPapers): Uint8Array {
  const row = Buffer.alloc(ROW_BYTES + Buffer.byteLength(kept.subject ?? ''));
  row.write(kept.subject ?? '', ROW_BYTES);
  row[0] = FORM;
  row.writeUInt32BE(Math.min(kept.sinceHour, NEVER), 1);
  PARTS.forEach((part, i) => row.write(kept[part] ?? NONE, NAMES_AT + i * NAME_BYTES, 'hex'));
  return row;
}

function parsed(bytes: Uint8Array): KeptPapers {
  if (bytes.length < ROW_BYTES || bytes[0] !== FORM) throw registryCorrupt('expected papers of a person');
  const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const [name, birthDate, document, person] = PARTS.map((_, i) => {
    const at = NAMES_AT + i * NAME_BYTES;
    const text = row.toString('hex', at, at + NAME_BYTES);
    return text === NONE ? undefined : text;
  });
  const hour = row.readUInt32BE(1);
  const sinceHour = hour === NEVER ? Infinity : hour;
  const subject = row.toString('utf8', ROW_BYTES) || undefined;
  return { sinceHour, name, birthDate, document, person, subject };
}
