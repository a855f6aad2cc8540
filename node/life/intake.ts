/**
 * Files of declarations, taken whole or not at all, in bounded memory. A short one is taken in one write. Rows of a longer one are
 * staged beside what is known, and count once a head says that all of them are there (intake-shelf.ts); from then on they are moved to
 * the dossiers, by this process or the next. A row that cannot be moved, since it or what it comes to is damaged, is told, and the others are moved.
 *
 * However slowly a file comes, nobody waits for it but other long files.
 */
import { type Zone } from '../../protocol/rules/zone.ts';
import { type BroughtBy } from '../operators/brought-by.ts';
import { type Change, type Clock, type Random } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Registry } from '../registry/registry.ts';
import { readCsvRows } from '../rows/csv-rows.ts';
import { type Encoding, inUtf8 } from '../rows/encoding.ts';
import { readJsonRows } from '../rows/json-rows.ts';
import { type RowFault } from '../rows/row-form.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { Turns } from '../turns.ts';
import { type Declaration, declarationForm, type DeclarationRow } from './declaration.ts';
import { DamagedDossier } from './damaged-dossier.ts';
import { contradictionOf, type DeclaredAs, declaredAnew, dossierWith, whatOf } from './declared-beside.ts';
import { type Dossier, withFound } from './dossier.ts';
import { type DossierShelf } from './dossier-shelf.ts';
import { declarationsLost, type Head, IntakeShelf, ROWS_TOGETHER, type Staged } from './intake-shelf.ts';
import { type NewsOf } from './news.ts';
import { replacingFault } from './replacing.ts';
import { type DeclaredBeside, revokedOrders } from './revoked-orders.ts';

export const DECLARATION_FORMATS = ['csv', 'jsonl'] as const;

/** Declarations as they come. */
export interface DeclarationOrder {
  /** Who gives them. */
  readonly source: string;
  /** Who hands them in. */
  readonly operator?: BroughtBy | undefined;
  readonly format: (typeof DECLARATION_FORMATS)[number];
  readonly encoding: Encoding;
}

/** `refused`: nothing was taken, for these reasons. `updateInS`: see `News.tell`. */
export type IntakeReport =
  | ({ readonly outcome: 'taken'; readonly updateInS?: number } & Readonly<Record<DeclaredAs, number>>)
  | { readonly outcome: 'refused'; readonly faults: readonly RowFault[] };

export interface IntakeModules {
  readonly tables: PrivateTables;
  readonly random: Random;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly shelf: DossierShelf;
  readonly isRevoked: (place: Place) => boolean;
  readonly registry: () => Pick<Registry, 'runningOf'>;
  /** When all colours were last updated, and revoked codes noted; 0 for never, `Infinity` where it cannot be told. */
  readonly updatedAtS: () => Promise<number>;
  /** That of the rules for people; undefined where there are none yet. */
  readonly zone: (nowS: number) => Zone | undefined;
  /** Does something while nobody else changes a dossier or calls `finish`. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Told of people of whom something new is known; as `News.tell`. */
  readonly onTaken?: ((of: NewsOf) => number | undefined) | undefined;
  /** Told of what cannot be read, and so was not taken. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** Files of which rows are staged wait for each other. */
const FILES = 'files';
/** Rows of one file. */
const ROWS_MAX = 20_000_000;
/** Faults that are told; reading stops at the last. */
const FAULTS_MAX = 20;

/** What is known of somebody, or that it cannot be read. */
type Known = Dossier | DamagedDossier | undefined;

interface Placed extends DeclarationRow {
  readonly pseudonym: string;
}

/** Rows of a file, `ROWS_TOGETHER` of them or the last ones, and what is wrong with rows among them. */
interface Batch {
  readonly rows: readonly DeclarationRow[];
  readonly faults: readonly RowFault[];
  readonly isLast: boolean;
}

/** One writer: whoever owns it lets nobody else change what is known of somebody in a `turn`, and calls `finish` in one. */
export class Intake {
  readonly #modules: IntakeModules;
  readonly #staged: IntakeShelf;
  readonly #turns = new Turns();
  /** What is staged is of a file that is being read, and nothing that broke off. */
  #isStaging = false;
  /** Files that were taken at once. */
  #takenAtOnce = 0;

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: IntakeModules) {
    this.#modules = modules;
    this.#staged = new IntakeShelf({ key }, modules);
  }

  /**
   * Takes all declarations of a file, or says what is wrong with it and changes nothing. Not to be called in a `turn`: it takes one
   * itself once it has read the file. Rejects as the store and the file do.
   * @throws {NodeError} REGISTRY_CORRUPT where rows could not be taken for damage at rest: the others are.
   */
  async take(
    { source, operator, format, encoding }: DeclarationOrder,
    file: AsyncIterable<Uint8Array>,
  ): Promise<IntakeReport> {
    const receivedAtS = this.#nowS();
    const counts = { added: 0, replaced: 0, unchanged: 0, older: 0 };
    const head = { source, ...(operator && { operator }), receivedAtS, ...counts };
    const batches = this.#read(inUtf8(file, encoding), format, receivedAtS);
    try {
      const { value: first } = await batches.next();
      return await (first.isLast
        ? this.#modules.turn(() => this.#takeAtOnce(first, head))
        : this.#turns.take(FILES, () => this.#takeInParts(first, batches, head)));
    } finally {
      await batches.return({ rows: [], faults: [], isLast: true });
    }
  }

  /** Finishes what was taken and broke off, and clears away what was not taken. Does nothing where nothing is left. */
  async finish(): Promise<void> {
    const head = await this.#staged.head(this.#nowS());
    if (head !== undefined) await this.#move(head);
    else if (!this.#isStaging) await this.#staged.removeStaged();
  }

  /** The last batch is what it returns. */
  async *#read(
    source: AsyncIterable<Uint8Array>,
    format: DeclarationOrder['format'],
    nowS: number,
  ): AsyncGenerator<Batch, Batch, undefined> {
    const form = declarationForm(nowS, this.#modules.zone(nowS));
    let rows: DeclarationRow[] = [];
    let faults: RowFault[] = [];
    let given = 0;
    for await (const row of format === 'csv' ? readCsvRows(source, form) : readJsonRows(source, form)) {
      const read = 'fault' in row ? [row.fault] : form.parse(row.cells, row.line);
      if (Array.isArray(read)) faults.push(...read);
      else rows.push(read);
      if (faults.length >= FAULTS_MAX) break;
      if (rows.length < ROWS_TOGETHER) continue;
      yield { rows, faults, isLast: false };
      given += rows.length;
      [rows, faults] = [[], []];
      if (given <= ROWS_MAX) continue;
      faults.push({ line: 0, reason: `more than ${ROWS_MAX} rows: split the file` });
      break;
    }
    if (given + rows.length + faults.length === 0) faults.push({ line: 0, reason: 'the file has no rows' });
    return { rows, faults, isLast: true };
  }

  async #takeAtOnce({ rows, faults }: Batch, from: Head): Promise<IntakeReport> {
    await this.finish();
    const placed = this.#placed(rows);
    const dossiers = await this.#dossiersOf(placed);
    const updatedAtS = await this.#modules.updatedAtS();
    const all = [...faults, ...(await this.#faultsOf(placed, dossiers, new Map(), updatedAtS))];
    if (all.length > 0) return refused(all);
    const head = { ...from };
    const known = placed.map(({ pseudonym }) => dossiers.get(pseudonym));
    const changes = await this.#takingAll(placed, known, head, updatedAtS);
    if (changes.length > 0) await this.#modules.tables.write(changes);
    this.#takenAtOnce++;
    return this.#taken(
      head,
      rows.map(({ declaration }) => declaration.subject),
    );
  }

  async #takeInParts(
    first: Batch,
    batches: AsyncGenerator<Batch, Batch, undefined>,
    head: Head,
  ): Promise<IntakeReport> {
    const { turn } = this.#modules;
    let takenBefore = 0;
    // In a turn, so that nobody is clearing away what is staged.
    await turn(async () => {
      await this.finish();
      this.#isStaging = true;
      takenBefore = this.#takenAtOnce;
    });
    try {
      const faults: RowFault[] = [];
      for (let batch = first; ;) {
        faults.push(...batch.faults, ...(await this.#stageSome(batch.rows)));
        if (batch.isLast || faults.length >= FAULTS_MAX) break;
        batch = (await batches.next()).value;
      }
      if (faults.length > 0) return await this.#refuseStaged(faults);
      return await turn(async () => {
        // Of these people some may have declared while the file was read.
        const later = takenBefore === this.#takenAtOnce ? [] : await this.#contradicted();
        if (later.length > 0) return this.#refuseStaged(later);
        await this.#modules.tables.write([this.#staged.headChange(head)]);
        const { moved, lost } = await this.#move(head);
        const report = this.#taken(moved, 'anybody');
        if (lost.length > 0) throw declarationsLost(lost);
        return report;
      });
    } finally {
      this.#isStaging = false;
    }
  }

  async #refuseStaged(faults: readonly RowFault[]): Promise<IntakeReport> {
    await this.#staged.removeStaged();
    return refused(faults);
  }

  #placed(rows: readonly DeclarationRow[]): Placed[] {
    const { shelf } = this.#modules;
    return rows.map((row) => ({ ...row, pseudonym: shelf.pseudonymOf(row.declaration.subject) }));
  }

  async #dossiersOf(placed: readonly Placed[]): Promise<ReadonlyMap<string, Known>> {
    const pseudonyms = [...new Set(placed.map(({ pseudonym }) => pseudonym))];
    const known = await this.#modules.shelf.read(pseudonyms);
    return new Map(pseudonyms.map((pseudonym, i) => [pseudonym, known[i]]));
  }

  async #stageSome(rows: readonly DeclarationRow[]): Promise<readonly RowFault[]> {
    if (rows.length === 0) return [];
    const placed = this.#placed(rows);
    const dossiers = await this.#dossiersOf(placed);
    const lines = await this.#staged.lines([...dossiers.keys()]);
    const updatedAtS = await this.#modules.updatedAtS();
    const faults = await this.#faultsOf(placed, dossiers, lines, updatedAtS);
    if (faults.length > 0) return faults;
    const changes = placed.map(({ line, declaration, pseudonym }) =>
      this.#staged.stagedChange(pseudonym, { line, declaration }),
    );
    await this.#modules.tables.write(changes);
    return [];
  }

  /** What of all that is staged cannot stand beside what is known by now. @throws {NodeError} REGISTRY_CORRUPT where a row of it is damaged. */
  async #contradicted(): Promise<RowFault[]> {
    const { shelf } = this.#modules;
    const updatedAtS = await this.#modules.updatedAtS();
    const faults: RowFault[] = [];
    for (let after = ''; faults.length < FAULTS_MAX;) {
      const page = await this.#staged.page(after);
      const last = page.at(-1)?.name;
      if (last === undefined) break;
      const known = await shelf.read(page.map(({ pseudonym }) => pseudonym));
      for (const [i, { name, staged }] of page.entries()) {
        if (staged === undefined) throw declarationsLost([name]);
        const { line, declaration } = staged;
        const fault = await this.#faultOf(declaration, known[i], updatedAtS);
        if (fault !== undefined) faults.push({ line, ...fault });
      }
      after = last;
    }
    return faults;
  }

  /**
   * Each step takes away what it moved and counts it, in one write: wherever it breaks off, the next goes on there. Gives the names of rows that could not be
   * moved, which are told and taken away as well.
   */
  async #move(from: Head): Promise<{ readonly moved: Head; readonly lost: readonly string[] }> {
    const { tables, shelf, onTrouble } = this.#modules;
    const head = { ...from };
    const lost: string[] = [];
    const updatedAtS = await this.#modules.updatedAtS();
    for (;;) {
      const page = await this.#staged.page();
      if (page.length === 0) break;
      const known = await shelf.read(page.map(({ pseudonym }) => pseudonym));
      const rows: Staged[] = [];
      const beside: Known[] = [];
      const left: string[] = [];
      for (const [i, { name, staged }] of page.entries()) {
        const one = known[i];
        const isLost =
          one instanceof DamagedDossier &&
          staged &&
          (await this.#faultOf(staged.declaration, one, updatedAtS));
        if (staged === undefined || isLost) left.push(name);
        else {
          rows.push(staged);
          beside.push(one);
        }
      }
      if (left.length > 0) onTrouble?.(declarationsLost(left));
      lost.push(...left);
      const changes = await this.#takingAll(rows, beside, head, updatedAtS);
      const dels = page.map(({ name }) => ({ del: name }));
      await tables.write([...changes, ...dels, this.#staged.headChange(head)]);
    }
    await tables.write([this.#staged.noHead]);
    return { moved: head, lost };
  }

  /** What is written of declarations that are taken, which `head` counts. */
  async #takingAll(
    rows: readonly { readonly declaration: Declaration }[],
    known: readonly Known[],
    head: Head,
    updatedAtS: number,
  ): Promise<Change[]> {
    const readable = known.map((one) => (one instanceof DamagedDossier ? undefined : one));
    const revoked = await revokedOrders(rows, readable, { ...this.#modules, nowS: this.#nowS() });
    return rows.flatMap(({ declaration }, i) => {
      const beside = { before: readable[i], revoked: revoked[i] ?? [], updatedAtS };
      return this.#taking(declaration, head, beside, known[i] instanceof DamagedDossier);
    });
  }

  /** What is written of a declaration that is taken, which `head` counts. `isReplacing`: in the place of what cannot be read. */
  #taking(
    declaration: Declaration,
    head: Head,
    { before, revoked, updatedAtS }: DeclaredBeside,
    isReplacing: boolean,
  ): Change[] {
    const { shelf, isRevoked } = this.#modules;
    const what = isReplacing ? 'replaced' : whatOf(declaration, before?.declaration);
    head[what]++;
    if (what === 'unchanged') return [];
    const dossier = dossierWith(declaration, head, before);
    if (what === 'older') return shelf.changes(dossier, before);
    const noted = revoked.reduce((now, order) => withFound(now, order, head.receivedAtS), dossier);
    const changes = shelf.changes(declaredAnew(noted, { isRevoked, updatedAtS }), before);
    return isReplacing ? [...changes, ...shelf.replacedChanges(declaration.subject)] : changes;
  }

  /** What is wrong with rows beside what is known, and beside the rows before them: `lines` by person, to which theirs are added. */
  async #faultsOf(
    placed: readonly Placed[],
    dossiers: ReadonlyMap<string, Known>,
    lines: Map<string, number>,
    updatedAtS: number,
  ): Promise<RowFault[]> {
    const faults: RowFault[] = [];
    for (const { line, declaration, pseudonym } of placed) {
      const before = lines.get(pseudonym);
      lines.set(pseudonym, before ?? line);
      const fault =
        before === undefined
          ? await this.#faultOf(declaration, dossiers.get(pseudonym), updatedAtS)
          : { column: 'subject', reason: `is the same person as in line ${before}` };
      if (fault !== undefined) faults.push({ line, ...fault });
    }
    return faults;
  }

  /** Why a declaration cannot stand beside what is known of its person, or in the place of what cannot be read of them. */
  async #faultOf(
    declaration: Declaration,
    known: Known,
    updatedAtS: number,
  ): Promise<Omit<RowFault, 'line'> | undefined> {
    if (!(known instanceof DamagedDossier)) return contradictionOf(declaration, known);
    return replacingFault(declaration, known, { nowS: this.#nowS(), updatedAtS }, this.#modules);
  }

  #taken({ added, replaced, unchanged, older }: Head, of: NewsOf): IntakeReport {
    const isNews = added + replaced + older > 0;
    const updateInS = isNews ? this.#modules.onTaken?.(of) : undefined;
    return {
      outcome: 'taken',
      added,
      replaced,
      unchanged,
      older,
      ...(updateInS !== undefined && { updateInS }),
    };
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
}

/** The first faults, by line. */
function refused(faults: readonly RowFault[]): IntakeReport {
  return { outcome: 'refused', faults: faults.toSorted((a, b) => a.line - b.line).slice(0, FAULTS_MAX) };
}
