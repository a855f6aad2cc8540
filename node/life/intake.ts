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
import { type Encoding, inUtf8 } from '../rows/encoding.ts';
import { type RowFault } from '../rows/row-form.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { Turns } from '../turns.ts';
import { type Bearer, type Bearing } from './bearing.ts';
import { type Declaration, type DeclarationRow } from './declaration.ts';
import {
  type Batch,
  declarationBatches,
  type DECLARATION_FORMATS,
  FAULTS_MAX,
} from './declaration-batches.ts';
import { DamagedDossier } from './damaged-dossier.ts';
import { contradictionOf, type DeclaredAs, declaredAnew, dossierWith, whatOf } from './declared-beside.ts';
import { withFound } from './dossier.ts';
import { type DossierShelf } from './dossier-shelf.ts';
import { declarationsLost, type Head, IntakeShelf } from './intake-shelf.ts';
import { type NewsOf } from './news.ts';
import { replacingFault } from './replacing.ts';
import { type DeclaredBeside, revokedOrders } from './revoked-orders.ts';

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
  readonly bearing: Bearing;
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

interface Placed extends DeclarationRow, Bearer {}

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
    const at = { nowS: receivedAtS, zone: this.#modules.zone(receivedAtS) };
    const batches = declarationBatches(inUtf8(file, encoding), format, at);
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
    else if (!this.#isStaging) await this.#removeStaged();
  }

  async #takeAtOnce({ rows, faults }: Batch, from: Head): Promise<IntakeReport> {
    await this.finish();
    const placed = await this.#placed(rows);
    const updatedAtS = await this.#modules.updatedAtS();
    const wrong = [...faults, ...(await this.#faultsOf(placed, new Map(), updatedAtS))];
    const { bearing } = this.#modules;
    const report = await bearing.settled(async () => {
      const bearers = await bearing.bearersOf(placed);
      const all = [...wrong, ...(await bearing.faultsOf(placed, bearers, { isLong: false }))];
      if (all.length > 0) return refused(all);
      const head = { ...from };
      const changes = await this.#takingAll(placed, head, updatedAtS);
      const isMade = await bearing.write(changes, placed, bearers);
      return isMade ? head : undefined;
    });
    if ('outcome' in report) return report;
    this.#takenAtOnce++;
    return this.#taken(
      report,
      rows.map(({ declaration }) => declaration.subject),
    );
  }

  async #takeInParts(
    first: Batch,
    batches: AsyncGenerator<Batch, Batch, undefined>,
    head: Head,
  ): Promise<IntakeReport> {
    const { turn } = this.#modules;
    const { bearing } = this.#modules;
    let takenBefore = 0;
    let keptBefore = 0;
    // In a turn, so that nobody is clearing away what is staged.
    await turn(async () => {
      await this.finish();
      this.#isStaging = true;
      takenBefore = this.#takenAtOnce;
      keptBefore = bearing.keptByOrders;
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
        // Of these people some may have declared while the file was read, or others under their documents.
        const isAsBefore = takenBefore === this.#takenAtOnce && keptBefore === bearing.keptByOrders;
        const later = isAsBefore ? [] : await this.#contradicted();
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
    await this.#removeStaged();
    return refused(faults);
  }

  async #removeStaged(): Promise<void> {
    await this.#staged.removeStaged();
    await this.#modules.bearing.removeStaged();
  }

  async #placed(rows: readonly DeclarationRow[]): Promise<Placed[]> {
    const { shelf } = this.#modules;
    const pseudonyms = rows.map(({ declaration }) => shelf.pseudonymOf(declaration.subject));
    const known = await shelf.read(pseudonyms);
    return rows.map((row, i) => ({ ...row, pseudonym: pseudonyms[i] ?? '', known: known[i] }));
  }

  async #stageSome(rows: readonly DeclarationRow[]): Promise<readonly RowFault[]> {
    if (rows.length === 0) return [];
    const { bearing, tables } = this.#modules;
    const placed = await this.#placed(rows);
    const lines = await this.#staged.lines([...new Set(placed.map(({ pseudonym }) => pseudonym))]);
    const updatedAtS = await this.#modules.updatedAtS();
    const faults = [
      ...(await this.#faultsOf(placed, lines, updatedAtS)),
      ...(await bearing.faultsOf(placed, await bearing.bearersOf(placed), { isLong: true })),
    ];
    if (faults.length > 0) return faults;
    const changes = placed.map(({ line, declaration, pseudonym }) =>
      this.#staged.stagedChange(pseudonym, { line, declaration }),
    );
    await tables.write([...changes, ...bearing.stagedChanges(placed)]);
    return [];
  }

  /** What of all that is staged cannot stand beside what is known by now. @throws {NodeError} REGISTRY_CORRUPT where a row of it is damaged. */
  async #contradicted(): Promise<RowFault[]> {
    const { bearing } = this.#modules;
    const updatedAtS = await this.#modules.updatedAtS();
    const faults: RowFault[] = [];
    for (let after = ''; faults.length < FAULTS_MAX;) {
      const { rows, left, last } = await this.#stagedPage(after);
      if (last === undefined) break;
      if (left.length > 0) throw declarationsLost(left);
      const bearers = await bearing.bearersOf(rows);
      for (const row of rows) {
        const fault = await this.#faultOf(row, updatedAtS);
        if (fault !== undefined) faults.push({ line: row.line, ...fault });
      }
      faults.push(...(await bearing.othersFaults(rows, bearers)));
      after = last;
    }
    return faults;
  }

  /** The next rows that are staged, with what is known of their people; `left`: the names of those that cannot be read. */
  async #stagedPage(after = '') {
    const page = await this.#staged.page(after);
    const known = await this.#modules.shelf.read(page.map(({ pseudonym }) => pseudonym));
    const rows: (Placed & { readonly name: string })[] = [];
    const left: string[] = [];
    for (const [i, { name, pseudonym, staged }] of page.entries()) {
      if (staged === undefined) left.push(name);
      else rows.push({ ...staged, name, pseudonym, known: known[i] });
    }
    return { rows, left, names: page.map(({ name }) => name), last: page.at(-1)?.name };
  }

  /**
   * Each step takes away what it moved and counts it, in one write: wherever it breaks off, the next goes on there. Gives the names of rows that could not be
   * moved, which are told and taken away as well.
   */
  async #move(from: Head): Promise<{ readonly moved: Head; readonly lost: readonly string[] }> {
    const { tables, bearing, onTrouble } = this.#modules;
    let head = { ...from };
    const lost: string[] = [];
    const updatedAtS = await this.#modules.updatedAtS();
    for (;;) {
      const { rows, left, names, last } = await this.#stagedPage();
      if (last === undefined) break;
      const movable: Placed[] = [];
      for (const row of rows) {
        const isLost = row.known instanceof DamagedDossier && (await this.#faultOf(row, updatedAtS));
        if (isLost) left.push(row.name);
        else movable.push(row);
      }
      const step = await bearing.settled(async () => {
        const bearers = await bearing.bearersOf(movable);
        const own = movable.filter((row) => !bearing.isOthers(row, bearers));
        const now = { ...head };
        const changes = await this.#takingAll(own, now, updatedAtS);
        const done = [
          ...names.map((del) => ({ del })),
          ...bearing.unstagedChanges(rows),
          this.#staged.headChange(now),
        ];
        const isMade = await bearing.write([...changes, ...done], own, bearers);
        return isMade ? { now, others: movable.filter((row) => !own.includes(row)) } : undefined;
      });
      head = step.now;
      left.push(...rows.filter((row) => step.others.includes(row)).map(({ name }) => name));
      if (left.length > 0) onTrouble?.(declarationsLost(left));
      lost.push(...left);
    }
    await bearing.removeStaged();
    await tables.write([this.#staged.noHead]);
    return { moved: head, lost };
  }

  /** What is written of declarations that are taken, which `head` counts. */
  async #takingAll(rows: readonly Bearer[], head: Head, updatedAtS: number): Promise<Change[]> {
    const readable = rows.map(({ known }) => (known instanceof DamagedDossier ? undefined : known));
    const revoked = await revokedOrders(rows, readable, { ...this.#modules, nowS: this.#nowS() });
    return rows.flatMap(({ declaration, known }, i) => {
      const beside = { before: readable[i], revoked: revoked[i] ?? [], updatedAtS };
      return this.#taking(declaration, head, beside, known instanceof DamagedDossier);
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
    lines: Map<string, number>,
    updatedAtS: number,
  ): Promise<RowFault[]> {
    const faults: RowFault[] = [];
    for (const row of placed) {
      const { line, pseudonym } = row;
      const before = lines.get(pseudonym);
      lines.set(pseudonym, before ?? line);
      const fault =
        before === undefined
          ? await this.#faultOf(row, updatedAtS)
          : { column: 'subject', reason: `is the same person as in line ${before}` };
      if (fault !== undefined) faults.push({ line, ...fault });
    }
    return faults;
  }

  /** Why a declaration cannot stand beside what is known of its person, or in the place of what cannot be read of them. */
  async #faultOf(
    { declaration, known }: Bearer,
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
