/**
 * Whose documents declarations tell. A document that somebody declared, or that an order told of them, is theirs, and nobody else declares it (paper-rows.ts).
 * Of a long file, rows beside those that are staged:
 *
 *   life/bearing/<keyed name of a document>    the pseudonym of whoever declares it in the file that is being taken, and in which line
 *
 * and one that says that documents of people who declared to software which kept them nowhere are kept by now:
 *
 *   life/borne                                 nothing more
 */
import { type Identity } from '../lists/identity.ts';
import { type Change } from '../ports.ts';
import { DAMAGED } from '../registry/paper-rows.ts';
import { DIGITS } from '../registry/pseudonyms.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { type Registry } from '../registry/registry.ts';
import { rowsPastDamage, valuesPastDamage } from '../registry/rows-past-damage.ts';
import { type PrivateName } from '../registry/whereabouts.ts';
import { type RowFault } from '../rows/row-form.ts';
import { keyAfter } from '../store/reader.ts';
import { DamagedDossier } from './damaged-dossier.ts';
import { type Declaration } from './declaration.ts';
import { dossierWith } from './declared-beside.ts';
import { type Dossier } from './dossier.ts';
import { type DossierShelf, type ShelvedDossier } from './dossier-shelf.ts';
import { isGranted } from './earlier.ts';

export interface BearingModules {
  readonly tables: PrivateTables;
  readonly shelf: Pick<DossierShelf, 'read' | 'pseudonymOf'>;
  readonly registry: () => Pick<Registry, 'papers'>;
}

/** A declaration, and what is known of its person. */
export interface Bearer {
  readonly pseudonym: string;
  readonly declaration: Declaration;
  readonly known: Dossier | DamagedDossier | undefined;
}

/** Whose the documents of some declarations are by now, by pseudonym. */
export type Bearers = ReadonlyMap<string, string>;

const BEARING = 'life/bearing/' satisfies PrivateName;
const BORNE = 'life/borne' satisfies PrivateName;
const ROWS_TOGETHER = 1_024;
const PSEUDONYM_BYTES = DIGITS / 2;

export class Bearing {
  readonly #modules: BearingModules;
  #areAllKept = false;

  constructor(modules: BearingModules) {
    this.#modules = modules;
  }

  /** As `PaperRows.settled`: no order tells papers meanwhile. */
  settled<T>(work: () => Promise<T | undefined>): Promise<T> {
    return this.#papers.settled(work);
  }

  /** How often orders have kept papers since this process began. */
  get keptByOrders(): number {
    return this.#papers.keptTimes;
  }

  /** One trip. Rejects as the tables, but for damage. */
  async bearersOf(some: readonly Bearer[]): Promise<Bearers> {
    const names = [...new Set(some.flatMap((one) => [...this.#told(one), ...this.#dropped(one)]))];
    const found = await this.#papers.bearersOf(names);
    return new Map(names.flatMap((name, i) => (found[i] === undefined ? [] : [[name, found[i]]])));
  }

  /** Whether somebody else has the document that is declared. */
  isOthers(one: Bearer, bearers: Bearers): boolean {
    return this.#otherOf(one, bearers) !== undefined;
  }

  /** Rows whose document another reference has here, each with that. */
  async othersFaults(
    rows: readonly (Bearer & { readonly line: number })[],
    bearers: Bearers,
  ): Promise<RowFault[]> {
    const faults: RowFault[] = [];
    const subjects = new Map<string, string | undefined>();
    for (const row of rows) {
      const other = this.#otherOf(row, bearers);
      if (other === undefined) continue;
      if (!subjects.has(other)) subjects.set(other, await this.#subjectOf(other));
      const bearer = subjects.get(other);
      faults.push({
        line: row.line,
        column: 'id_number',
        reason: OTHERS,
        ...(bearer !== undefined && { bearer }),
      });
    }
    return faults;
  }

  /** Rows whose document another reference has, here or in the file: each of them. `isLong`: rows of the file were staged before. */
  async faultsOf(
    rows: readonly (Bearer & { readonly line: number })[],
    bearers: Bearers,
    { isLong }: { readonly isLong: boolean },
  ): Promise<RowFault[]> {
    const others = await this.othersFaults(rows, bearers);
    const inFile = isLong ? await this.#staged(rows) : new Map<string, InFile>();
    const faults = new Map(others.map((fault) => [fault.line, fault]));
    for (const row of rows) {
      const { line, pseudonym } = row;
      const [name] = this.#told(row);
      const before = name === undefined ? undefined : inFile.get(name);
      if (name !== undefined && before === undefined) inFile.set(name, { line, pseudonym });
      if (before === undefined || before.pseudonym === pseudonym) continue;
      if (!faults.has(line)) faults.set(line, twiceFault(line, before.line));
      if (!faults.has(before.line)) faults.set(before.line, twiceFault(before.line, line));
    }
    return [...faults.values()];
  }

  /** What says that a row of the file declares its document. */
  stagedChanges(rows: readonly (Bearer & { readonly line: number })[]): Change[] {
    return rows.flatMap((row) =>
      this.#told(row).map((name) => ({ put: BEARING + name, value: encoded(row) })),
    );
  }

  /** What takes that back of rows. */
  unstagedChanges(rows: readonly Pick<Bearer, 'declaration'>[]): Change[] {
    return rows.flatMap((row) => this.#told(row).map((name) => ({ del: BEARING + name })));
  }

  /** Takes back what is left of that. */
  async removeStaged(): Promise<void> {
    for (;;) {
      const page = await rowsPastDamage(this.#modules.tables, [BEARING, `${BEARING}~`], ROWS_TOGETHER);
      if (page.length === 0) return;
      await this.#modules.tables.write(page.map(([name]) => ({ del: name })));
    }
  }

  /**
   * Makes changes, with what says that the documents of these declarations are theirs, and that what counts no more of what they declared before is nobody's:
   * one write. False, and nothing is made, where another process has given one of them to somebody meanwhile. Rejects as the tables.
   */
  write(changes: readonly Change[], some: readonly Bearer[], bearers: Bearers): Promise<boolean> {
    const borne = new Map<string, string>();
    const others: Change[] = [];
    for (const one of some) {
      for (const name of this.#dropped(one))
        if (bearers.get(name) === one.pseudonym) others.push(this.#papers.noBearerChange(name));
      for (const name of this.#told(one)) {
        const bearer = bearers.get(name);
        if (bearer === undefined) borne.set(name, one.pseudonym);
        else if (bearer === DAMAGED) others.push(this.#papers.bearerChange(name, one.pseudonym));
      }
    }
    return this.#papers.write([...changes, ...others], borne);
  }

  /**
   * Keeps whose the documents of people are who declared to older software, until all are: of two who have the same it is that of the first. Rejects as
   * `settled`, and as the tables.
   */
  async keepOlder(persons: readonly ShelvedDossier[]): Promise<void> {
    this.#areAllKept ||= (await valuesPastDamage(this.#modules.tables, [BORNE]))[0] !== undefined;
    if (this.#areAllKept || persons.length === 0) return;
    const told = persons.flatMap(({ pseudonym, dossier }) =>
      this.#namesOf(dossier).map((name) => [name, pseudonym] as const),
    );
    const first = new Map(told.toReversed());
    const names = [...first.keys()];
    await this.settled(async () => {
      const bearers = await this.#papers.bearersOf(names);
      const isFree = new Set(names.filter((_, i) => bearers[i] === undefined));
      const borne = new Map([...first].filter(([name]) => isFree.has(name)));
      return (await this.#papers.write([], borne)) || undefined;
    });
  }

  /** All people have been gone through. Rejects as the tables. */
  async keptAll(): Promise<void> {
    if (!this.#areAllKept) await this.#modules.tables.write([{ put: BORNE, value: new Uint8Array(0) }]);
    this.#areAllKept = true;
  }

  /** Destroys what says which documents somebody declared, in the files of the disk too. To be repeated if it is interrupted. Rejects as the tables. */
  async forget(subject: string): Promise<void> {
    const { tables, shelf } = this.#modules;
    const pseudonym = shelf.pseudonymOf(subject);
    const [known] = await shelf.read([pseudonym]);
    if (known === undefined) return;
    const names = known instanceof DamagedDossier ? undefined : this.#namesOf(known);
    await this.#papers.forgetBorne(pseudonym, names);
    if (names === undefined) return tables.compact(BEARING, `${BEARING}~`);
    if (names.length === 0) return;
    const staged = await valuesPastDamage(
      tables,
      names.map((name) => BEARING + name),
    );
    const own = names.filter(
      (_, i) => staged[i] instanceof Uint8Array && parsed(staged[i]).pseudonym === pseudonym,
    );
    if (own.length > 0) await tables.write(own.map((name) => ({ del: BEARING + name })));
    for (const name of names) await tables.compact(BEARING + name, keyAfter(BEARING + name));
  }

  get #papers() {
    return this.#modules.registry().papers;
  }

  /** Who else has the document that is declared. What cannot be read is nobody's but of who declared it before. */
  #otherOf(one: Bearer, bearers: Bearers): string | undefined {
    const [name] = this.#told(one);
    const bearer = name === undefined ? undefined : bearers.get(name);
    if (name === undefined || bearer === undefined || bearer === one.pseudonym) return undefined;
    return bearer === DAMAGED && this.#before(one).includes(name) ? undefined : bearer;
  }

  #told({ declaration }: Pick<Bearer, 'declaration'>): string[] {
    return this.#documentNames([declaration.identity]);
  }

  #before({ known }: Bearer): string[] {
    return known === undefined || known instanceof DamagedDossier ? [] : this.#namesOf(known);
  }

  /** What counts no more once the declaration is taken, since an objection was upheld. */
  #dropped({ declaration, known }: Bearer): string[] {
    if (known === undefined || known instanceof DamagedDossier || !known.objections.some(isGranted))
      return [];
    const after = this.#namesOf(dossierWith(declaration, known, known));
    return this.#namesOf(known).filter((name) => !after.includes(name));
  }

  #namesOf({ declaration, earlier }: Dossier): string[] {
    return this.#documentNames([
      declaration.identity,
      ...(earlier?.identities ?? []).map(({ identity }) => identity),
    ]);
  }

  #documentNames(identities: readonly Identity[]): string[] {
    return identities.flatMap(({ document }) =>
      document === undefined ? [] : [this.#papers.documentNameOf(document)],
    );
  }

  async #staged(rows: readonly Bearer[]): Promise<Map<string, InFile>> {
    const names = [...new Set(rows.flatMap((row) => this.#told(row)))];
    if (names.length === 0) return new Map();
    const values = await valuesPastDamage(
      this.#modules.tables,
      names.map((name) => BEARING + name),
    );
    return new Map(
      names.flatMap((name, i) => (values[i] instanceof Uint8Array ? [[name, parsed(values[i])]] : [])),
    );
  }

  /** Told to operators alone. */
  async #subjectOf(bearer: string): Promise<string | undefined> {
    if (bearer === DAMAGED) return undefined;
    const [known] = await this.#modules.shelf.read([bearer]);
    const hasDeclared = known !== undefined && !(known instanceof DamagedDossier);
    return hasDeclared ? known.declaration.subject : this.#papers.subjectOf(bearer);
  }
}

interface InFile {
  readonly pseudonym: string;
  readonly line: number;
}

const OTHERS =
  'is of a document that another reference has: mend it if it is mistyped, or declare under that reference; where that one is wrong, its codes are revoked and it is forgotten, or an objection is upheld and it declares its own';

function twiceFault(line: number, other: number): RowFault {
  return {
    line,
    column: 'id_number',
    reason: `is of the document that line ${other} tells of another person: see whose it is`,
  };
}

/** Pseudonym (16), line (4). */
function encoded({ pseudonym, line }: InFile): Uint8Array {
  const row = Buffer.alloc(PSEUDONYM_BYTES + 4);
  row.write(pseudonym, 'hex');
  row.writeUInt32BE(line, PSEUDONYM_BYTES);
  return row;
}

function parsed(bytes: Uint8Array): InFile {
  const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const isWhole = row.length === PSEUDONYM_BYTES + 4;
  return {
    pseudonym: row.toString('hex', 0, PSEUDONYM_BYTES),
    line: isWhole ? row.readUInt32BE(PSEUDONYM_BYTES) : 0,
  };
}
