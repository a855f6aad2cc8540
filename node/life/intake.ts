/**
 * Files of declarations, taken whole or not at all, in bounded memory. A short one is taken in one write. Rows of a longer one are
 * staged beside what is known, and count once a head says that all of them are there; from then on they are moved to the dossiers,
 * by this process or the next:
 *
 *   life/staged/<pseudonym>    a declaration that is to be taken
 *   life/intake                whose declarations they are, and how far the moving has come
 *
 * However slowly a file comes, nobody waits for it but other long files.
 */
import { z } from 'zod';
import { type Zone } from '../../protocol/rules/zone.ts';
import { type Change, type Clock, type Random } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Registry } from '../registry/registry.ts';
import { parseSealedJson } from '../registry/sealed-json.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { readCsvRows } from '../rows/csv-rows.ts';
import { type Encoding, inUtf8 } from '../rows/encoding.ts';
import { readJsonRows } from '../rows/json-rows.ts';
import { type RowFault } from '../rows/row-form.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { keyAfter } from '../store/reader.ts';
import { Turns } from '../turns.ts';
import { type Declaration, declarationForm, type DeclarationRow, declarationSchema } from './declaration.ts';
import { contradictionOf, type DeclaredAs, declaredAnew, dossierWith, whatOf } from './declared-beside.ts';
import { type Dossier, withFound } from './dossier.ts';
import { type DossierShelf, STAGED } from './dossier-shelf.ts';
import { type DeclaredBeside, revokedOrders } from './revoked-orders.ts';
import { type PrivateName } from '../registry/whereabouts.ts';

export const DECLARATION_FORMATS = ['csv', 'jsonl'] as const;

/** Declarations as they come. */
export interface DeclarationOrder {
  /** Who gives them. */
  readonly source: string;
  readonly format: (typeof DECLARATION_FORMATS)[number];
  readonly encoding: Encoding;
}

const countsShape = {
  /** Persons who declared for the first time. */
  added: z.int(),
  /** Persons of whom a newer declaration took the place of an older one. */
  replaced: z.int(),
  /** Rows that are known already. */
  unchanged: z.int(),
  /** Rows that are older than what is known: what they tell counts beside it. */
  older: z.int(),
};

export const intakeReportSchema = z.union([
  z.strictObject({ outcome: z.literal('taken'), ...countsShape }),
  z.strictObject({
    outcome: z.literal('refused'),
    faults: z.array(
      z.strictObject({
        line: z.int(),
        column: z.string().optional(),
        reason: z.string(),
        example: z.string().optional(),
      }),
    ),
  }),
]);
/** `refused`: nothing was taken, for these reasons. */
export type IntakeReport =
  | ({ readonly outcome: 'taken' } & Readonly<Record<DeclaredAs, number>>)
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
}

const headSchema = z.strictObject({ source: z.string(), receivedAtS: z.int(), ...countsShape });
type Head = z.infer<typeof headSchema>;
const stagedSchema = z.strictObject({ line: z.int(), declaration: declarationSchema });

const HEAD = 'life/intake' satisfies PrivateName;
/** Files of which rows are staged wait for each other. */
const FILES = 'files';
/** Rows that are read, compared and written at once. */
const ROWS_TOGETHER = 1_024;
/** Rows of one file. */
const ROWS_MAX = 20_000_000;
/** Faults that are told; reading stops at the last. */
const FAULTS_MAX = 20;

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
  readonly #sealer: Sealer;
  readonly #turns = new Turns();
  /** What is staged is of a file that is being read, and nothing that broke off. */
  #isStaging = false;
  /** Files that were taken at once. */
  #takenAtOnce = 0;

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: IntakeModules) {
    this.#modules = modules;
    this.#sealer = new Sealer(derivedKey(key, 'life/intake'));
  }

  /**
   * Takes all declarations of a file, or says what is wrong with it and changes nothing. Not to be called in a `turn`: it takes one
   * itself once it has read the file. Rejects as the store and the file do.
   */
  async take(
    { source, format, encoding }: DeclarationOrder,
    file: AsyncIterable<Uint8Array>,
  ): Promise<IntakeReport> {
    const receivedAtS = Math.floor(this.#modules.clock.nowMs() / 1_000);
    const head = { source, receivedAtS, added: 0, replaced: 0, unchanged: 0, older: 0 };
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
    const sealed = await this.#modules.tables.get(HEAD);
    if (sealed !== undefined)
      await this.#move(parseSealedJson(headSchema, HEAD, this.#sealer.open(HEAD, sealed)));
    else if (!this.#isStaging) await this.#removeStaged();
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
    const all = [...faults, ...faultsOf(placed, dossiers, new Map())];
    if (all.length > 0) return refused(all);
    const head = { ...from };
    const updatedAtS = await this.#modules.updatedAtS();
    const known = placed.map(({ pseudonym }) => dossiers.get(pseudonym));
    const revoked = await revokedOrders(placed, known, { ...this.#modules, nowS: head.receivedAtS });
    const changes = placed.flatMap(({ declaration }, i) =>
      this.#taking(declaration, head, { before: known[i], revoked: revoked[i] ?? [], updatedAtS }),
    );
    if (changes.length > 0) await this.#modules.tables.write(changes);
    this.#takenAtOnce++;
    return taken(head);
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
        await this.#modules.tables.write([this.#headChange(head)]);
        return taken(await this.#move(head));
      });
    } finally {
      this.#isStaging = false;
    }
  }

  async #refuseStaged(faults: readonly RowFault[]): Promise<IntakeReport> {
    await this.#removeStaged();
    return refused(faults);
  }

  #placed(rows: readonly DeclarationRow[]): Placed[] {
    const { shelf } = this.#modules;
    return rows.map((row) => ({ ...row, pseudonym: shelf.pseudonymOf(row.declaration.subject) }));
  }

  async #dossiersOf(placed: readonly Placed[]): Promise<ReadonlyMap<string, Dossier | undefined>> {
    const pseudonyms = [...new Set(placed.map(({ pseudonym }) => pseudonym))];
    const known = await this.#modules.shelf.dossiers(pseudonyms);
    return new Map(pseudonyms.map((pseudonym, i) => [pseudonym, known[i]]));
  }

  async #stageSome(rows: readonly DeclarationRow[]): Promise<readonly RowFault[]> {
    if (rows.length === 0) return [];
    const placed = this.#placed(rows);
    const dossiers = await this.#dossiersOf(placed);
    const faults = faultsOf(placed, dossiers, await this.#staged([...dossiers.keys()]));
    if (faults.length > 0) return faults;
    const changes = placed.map(({ line, declaration, pseudonym }) =>
      this.#stagedChange(pseudonym, { line, declaration }),
    );
    await this.#modules.tables.write(changes);
    return [];
  }

  /** What of all that is staged cannot stand beside what is known by now. */
  async #contradicted(): Promise<RowFault[]> {
    const { tables, shelf } = this.#modules;
    const faults: RowFault[] = [];
    for (let from: string = STAGED; faults.length < FAULTS_MAX;) {
      const page = await tables.page(from, `${STAGED}~`, { limit: ROWS_TOGETHER });
      const last = page.at(-1)?.[0];
      if (last === undefined) break;
      const known = await shelf.dossiers(page.map(([name]) => name.slice(STAGED.length)));
      for (const [i, [name, sealed]] of page.entries()) {
        const { line, declaration } = this.#stagedOf(name, sealed);
        const fault = contradictionOf(declaration, known[i]);
        if (fault !== undefined) faults.push({ line, ...fault });
      }
      from = keyAfter(last);
    }
    return faults;
  }

  /** The lines of those of these persons who are staged already. */
  async #staged(pseudonyms: readonly string[]): Promise<Map<string, number>> {
    const names = pseudonyms.map((pseudonym) => STAGED + pseudonym);
    const sealed = await this.#modules.tables.getMany(names);
    const lines = pseudonyms.flatMap((pseudonym, i) => {
      const bytes = sealed[i];
      if (bytes === undefined) return [];
      return [[pseudonym, this.#stagedOf(names[i] ?? '', bytes).line] as const];
    });
    return new Map(lines);
  }

  /** Each step takes away what it moved and counts it, in one write: wherever it breaks off, the next goes on there. */
  async #move(from: Head): Promise<Head> {
    const { tables, shelf } = this.#modules;
    const head = { ...from };
    const updatedAtS = await this.#modules.updatedAtS();
    for (;;) {
      const page = await tables.page(STAGED, `${STAGED}~`, { limit: ROWS_TOGETHER });
      if (page.length === 0) break;
      const known = await shelf.dossiers(page.map(([name]) => name.slice(STAGED.length)));
      const staged = page.map(([name, sealed]) => this.#stagedOf(name, sealed));
      const revoked = await revokedOrders(staged, known, { ...this.#modules, nowS: head.receivedAtS });
      const changes = page.flatMap(([name], i): Change[] => {
        const { declaration } = staged[i] as (typeof staged)[number];
        const beside = { before: known[i], revoked: revoked[i] ?? [], updatedAtS };
        return [...this.#taking(declaration, head, beside), { del: name }];
      });
      await tables.write([...changes, this.#headChange(head)]);
    }
    await tables.write([{ del: HEAD }]);
    return head;
  }

  /** What is written of a declaration that is taken, which `head` counts. */
  #taking(declaration: Declaration, head: Head, { before, revoked, updatedAtS }: DeclaredBeside): Change[] {
    const { shelf, isRevoked } = this.#modules;
    const what = whatOf(declaration, before?.declaration);
    head[what]++;
    if (what === 'unchanged') return [];
    const dossier = dossierWith(declaration, head, before);
    if (what === 'older') return shelf.changes(dossier, before);
    const noted = revoked.reduce((now, order) => withFound(now, order, head.receivedAtS), dossier);
    return shelf.changes(declaredAnew(noted, { isRevoked, updatedAtS }), before);
  }

  async #removeStaged(): Promise<void> {
    const { tables } = this.#modules;
    for (;;) {
      const page = await tables.page(STAGED, `${STAGED}~`, { limit: ROWS_TOGETHER });
      if (page.length === 0) return;
      await tables.write(page.map(([name]) => ({ del: name })));
    }
  }

  #stagedOf(name: string, sealed: Uint8Array): z.infer<typeof stagedSchema> {
    return parseSealedJson(stagedSchema, name, this.#sealer.open(name, sealed));
  }

  #stagedChange(pseudonym: string, staged: z.infer<typeof stagedSchema>): Change {
    return this.#sealed(STAGED + pseudonym, staged);
  }

  #headChange(head: Head): Change {
    return this.#sealed(HEAD, head);
  }

  #sealed(name: string, value: unknown): Change {
    const plain = Buffer.from(JSON.stringify(value));
    return { put: name, value: this.#sealer.seal(name, plain, this.#modules.random(NONCE_BYTES)) };
  }
}

function taken({ added, replaced, unchanged, older }: Head): IntakeReport {
  return { outcome: 'taken', added, replaced, unchanged, older };
}

/** The first faults, by line. */
function refused(faults: readonly RowFault[]): IntakeReport {
  return { outcome: 'refused', faults: faults.toSorted((a, b) => a.line - b.line).slice(0, FAULTS_MAX) };
}

/** What is wrong with rows beside what is known, and beside the rows before them: `lines` by person, to which theirs are added. */
function faultsOf(
  placed: readonly Placed[],
  dossiers: ReadonlyMap<string, Dossier | undefined>,
  lines: Map<string, number>,
): RowFault[] {
  return placed.flatMap(({ line, declaration, pseudonym }) => {
    const before = lines.get(pseudonym);
    if (before !== undefined)
      return [{ line, column: 'subject', reason: `is the same person as in line ${before}` }];
    lines.set(pseudonym, line);
    const fault = contradictionOf(declaration, dossiers.get(pseudonym));
    return fault === undefined ? [] : [{ line, ...fault }];
  });
}
