/**
 * Files of declarations, taken whole or not at all, in bounded memory. Rows are staged beside what is known, and count once a head
 * says that all of them are there; from then on they are moved to the dossiers, by this process or the next:
 *
 *   life/staged/<pseudonym>    a declaration that is to be taken
 *   life/intake                whose declarations they are, and how far the moving has come
 */
import { z } from 'zod';
import { type Zone } from '../../protocol/rules/zone.ts';
import { type Change, type Clock, type Random } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { readCsvRows } from '../rows/csv-rows.ts';
import { type Encoding, inUtf8 } from '../rows/encoding.ts';
import { readJsonRows } from '../rows/json-rows.ts';
import { type RowFault } from '../rows/row-form.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { type Declaration, declarationForm, type DeclarationRow, declarationSchema } from './declaration.ts';
import { type Dossier, newestByRules } from './dossier.ts';
import { type DossierShelf, STAGED } from './dossier-shelf.ts';
import { EARLIER_AREAS_MAX, EARLIER_IDENTITIES_MAX, withEarlier } from './earlier.ts';
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
  | ({ readonly outcome: 'taken' } & Readonly<Record<keyof typeof countsShape, number>>)
  | { readonly outcome: 'refused'; readonly faults: readonly RowFault[] };

export interface IntakeModules {
  readonly tables: PrivateTables;
  readonly random: Random;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly shelf: DossierShelf;
  readonly isRevoked: (place: Place) => boolean;
  /** When all colours were last updated, and revoked codes noted; 0 where that is not known. */
  readonly updatedAtS: () => number;
  /** That of the rules for people; undefined where there are none yet. */
  readonly zone: (nowS: number) => Zone | undefined;
}

const headSchema = z.strictObject({ source: z.string(), receivedAtS: z.int(), ...countsShape });
type Head = z.infer<typeof headSchema>;
const stagedSchema = z.strictObject({ line: z.int(), declaration: declarationSchema });

const HEAD = 'life/intake' satisfies PrivateName;
/** Rows that are read, compared and written at once. */
const ROWS_TOGETHER = 1_024;
/** Rows of one file. */
const ROWS_MAX = 20_000_000;
/** Faults that are told; reading stops at the last. */
const FAULTS_MAX = 20;

interface Placed extends DeclarationRow {
  readonly pseudonym: string;
}

/** One writer: whoever owns it lets one call be over before the next. */
export class Intake {
  readonly #modules: IntakeModules;
  readonly #sealer: Sealer;

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: IntakeModules) {
    this.#modules = modules;
    this.#sealer = new Sealer(derivedKey(key, 'life/intake'));
  }

  /** Takes all declarations of a file, or says what is wrong with it and changes nothing. Rejects as the store does. */
  async take(
    { source, format, encoding }: DeclarationOrder,
    file: AsyncIterable<Uint8Array>,
  ): Promise<IntakeReport> {
    await this.finish();
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1_000);
    const faults = await this.#stage(inUtf8(file, encoding), format, nowS);
    if (faults.length > 0) {
      await this.#removeStaged();
      return { outcome: 'refused', faults: faults.toSorted((a, b) => a.line - b.line).slice(0, FAULTS_MAX) };
    }
    const head = { source, receivedAtS: nowS, added: 0, replaced: 0, unchanged: 0, older: 0 };
    await this.#modules.tables.write([this.#headChange(head)]);
    const { added, replaced, unchanged, older } = await this.#move(head);
    return { outcome: 'taken', added, replaced, unchanged, older };
  }

  /** Finishes what an earlier process took, and clears away what it did not. Does nothing where nothing is left. */
  async finish(): Promise<void> {
    const sealed = await this.#modules.tables.get(HEAD);
    if (sealed === undefined) await this.#removeStaged();
    else await this.#move(headSchema.parse(jsonOf(this.#sealer.open(HEAD, sealed))));
  }

  async #stage(
    source: AsyncIterable<Uint8Array>,
    format: DeclarationOrder['format'],
    nowS: number,
  ): Promise<readonly RowFault[]> {
    const form = declarationForm(nowS, this.#modules.zone(nowS));
    const faults: RowFault[] = [];
    let some: DeclarationRow[] = [];
    let rows = 0;
    const add = async () => {
      faults.push(...(await this.#stageSome(some)));
      rows += some.length;
      some = [];
    };
    for await (const row of format === 'csv' ? readCsvRows(source, form) : readJsonRows(source, form)) {
      const read = 'fault' in row ? [row.fault] : form.parse(row.cells, row.line);
      if (Array.isArray(read)) faults.push(...read);
      else some.push(read);
      if (some.length === ROWS_TOGETHER) await add();
      if (rows > ROWS_MAX) faults.push({ line: 0, reason: `more than ${ROWS_MAX} rows: split the file` });
      if (rows > ROWS_MAX || faults.length >= FAULTS_MAX) return faults;
    }
    if (some.length > 0) await add();
    if (rows === 0 && faults.length === 0) faults.push({ line: 0, reason: 'the file has no rows' });
    return faults;
  }

  async #stageSome(rows: readonly DeclarationRow[]): Promise<readonly RowFault[]> {
    const { tables, shelf } = this.#modules;
    const placed = rows.map((row): Placed => ({
      ...row,
      pseudonym: shelf.pseudonymOf(row.declaration.subject),
    }));
    const pseudonyms = [...new Set(placed.map(({ pseudonym }) => pseudonym))];
    const staged = await this.#staged(pseudonyms);
    const known = await shelf.dossiers(pseudonyms);
    const dossiers = new Map(pseudonyms.map((pseudonym, i) => [pseudonym, known[i]]));
    const changes: Change[] = [];
    const faults: RowFault[] = [];
    for (const { line, declaration, pseudonym } of placed) {
      const before = staged.get(pseudonym);
      const fault =
        before === undefined
          ? contradictionOf(declaration, dossiers.get(pseudonym))
          : { column: 'subject', reason: `is the same person as in line ${before}` };
      if (fault !== undefined) faults.push({ line, ...fault });
      staged.set(pseudonym, before ?? line);
      changes.push(this.#stagedChange(pseudonym, { line, declaration }));
    }
    if (faults.length === 0) await tables.write(changes);
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
    for (;;) {
      const page = await tables.page(STAGED, `${STAGED}~`, { limit: ROWS_TOGETHER });
      if (page.length === 0) break;
      const known = await shelf.dossiers(page.map(([name]) => name.slice(STAGED.length)));
      const changes = page.flatMap(([name, sealed], i): Change[] => {
        const { declaration } = this.#stagedOf(name, sealed);
        const what = whatOf(declaration, known[i]?.declaration);
        head[what]++;
        const dossier = dossierWith(declaration, head, known[i]);
        const now = what === 'replaced' ? declaredAnew(dossier, this.#modules) : dossier;
        const taken = what === 'unchanged' ? [] : shelf.changes(now, known[i]);
        return [...taken, { del: name }];
      });
      await tables.write([...changes, this.#headChange(head)]);
    }
    await tables.write([{ del: HEAD }]);
    return head;
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
    return stagedSchema.parse(jsonOf(this.#sealer.open(name, sealed)));
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

/** Why a declaration cannot stand beside what is known of the person. */
function contradictionOf(
  declaration: Declaration,
  before: Dossier | undefined,
): Omit<RowFault, 'line'> | undefined {
  if (before === undefined) return undefined;
  const { identity, said } = before.declaration;
  if (declaration.identity.birthDate !== identity.birthDate)
    return { column: 'birth_date', reason: 'is another one than that of the person who declared before' };
  const isSameTime = declaration.said.declaredAtS === said.declaredAtS;
  if (isSameTime && !isSame(declaration, before.declaration))
    return { column: 'declared_at', reason: 'is the moment of another declaration of the person' };
  const { earlier } = dossierWith(declaration, { source: '', receivedAtS: 0 }, before);
  if ((earlier?.identities.length ?? 0) > EARLIER_IDENTITIES_MAX)
    return {
      column: 'full_name',
      reason: `and the document are one more than the ${EARLIER_IDENTITIES_MAX + 1} under which the person has declared: see who it is, and forget the person before they declare anew`,
    };
  if ((earlier?.stays.length ?? 0) > EARLIER_AREAS_MAX)
    return {
      column: 'travel',
      reason: `comes after more than ${EARLIER_AREAS_MAX} areas that the person told of within 14 days: ask them`,
    };
  return undefined;
}

function whatOf(declaration: Declaration, before: Declaration | undefined): keyof typeof countsShape {
  if (before === undefined) return 'added';
  const laterS = declaration.said.declaredAtS - before.said.declaredAtS;
  if (laterS > 0) return 'replaced';
  return laterS < 0 ? 'older' : 'unchanged';
}

function dossierWith(
  declaration: Declaration,
  { source, receivedAtS }: Pick<Head, 'source' | 'receivedAtS'>,
  before: Dossier | undefined,
): Dossier {
  if (before === undefined) return { declaration, source, receivedAtS, changes: [], objections: [] };
  const what = whatOf(declaration, before.declaration);
  if (what === 'older') return { ...before, earlier: withEarlier(before, declaration, source) };
  if (what !== 'replaced') return before;
  const earlier = withEarlier({ ...before, declaration }, before.declaration, before.source);
  return { ...before, declaration, source, receivedAtS, earlier };
}

/**
 * Somebody whose newest code was revoked may get another for having declared since: since that was noted, or else, where it is revoked and
 * not noted yet, since nothing was to be noted.
 */
function declaredAnew(
  dossier: Dossier,
  { isRevoked, updatedAtS }: Pick<IntakeModules, 'isRevoked' | 'updatedAtS'>,
): Dossier {
  const { withdrawn, declaration } = dossier;
  const { declaredAtS } = declaration.said;
  const newest = newestByRules(dossier);
  if (newest === undefined) return dossier;
  const { log, index } = newest;
  const isNoted = withdrawn?.log === log && withdrawn.index === index;
  const sinceS = isNoted ? (withdrawn.notedAtS ?? 0) : Math.max(newest.atS, updatedAtS());
  return declaredAtS >= sinceS && (isNoted || isRevoked({ log, index }))
    ? { ...dossier, withdrawn: { ...(isNoted && withdrawn), log, index, isDeclared: true } }
    : dossier;
}

/** Both have passed the same schema, and so have their members in the same order. */
function isSame(a: Declaration, b: Declaration): boolean {
  return JSON.stringify(declarationSchema.parse(a)) === JSON.stringify(declarationSchema.parse(b));
}

function jsonOf(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString());
}
