/**
 * The numbers of the local system and what it says of them: private to the region, sealed, one list at a time. Tables:
 *
 *   lookup/head                  the list in force
 *   lookup/list/<version>/<n>    some of its rows
 *
 * A list is written whole and is in force once the head names it: what is not named there is of an import that broke off.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Clock, type Random } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { registryCorrupt } from '../registry/registry-error.ts';
import { parseSealedJson } from '../registry/sealed-json.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { readCsvRows } from '../rows/csv-rows.ts';
import { type RowFault } from '../rows/row-form.ts';
import { Turns } from '../turns.ts';
import { numberForm, type NumberRow, type PlacedNumber } from './number-rows.ts';
import { type PrivateName } from '../registry/whereabouts.ts';

/** Rows of a list: each takes a table some milliseconds a day. */
export const NUMBERS_MAX = 200_000;
/** Faults that are told; reading stops at the last. */
const FAULTS_MAX = 20;
const ROWS_TOGETHER = 512;
const VERSION_DIGITS = 8;
const REMOVED_TOGETHER = 1_024;
const HEAD = 'lookup/head' satisfies PrivateName;
const LISTS = 'lookup/list/' satisfies PrivateName;

export const numberListSchema = z.strictObject({
  version: z.int().min(1),
  rows: z.int(),
  importedAtS: z.int(),
  /** SHA-256 of its rows in the order of the file. */
  digest: z.string(),
});
export type NumberList = Readonly<z.infer<typeof numberListSchema>>;

const rowsSchema = z.array(
  z.strictObject({ number: z.string(), colour: z.enum(['green', 'yellow', 'red']), untilS: z.int() }),
);

/** What came of an import. `refused`: nothing was changed, for these reasons. */
export type NumbersReport =
  | {
      readonly outcome: 'imported' | 'unchanged';
      readonly list: NumberList;
      /** Numbers, held against the list before. */
      readonly added: number;
      readonly changed: number;
      readonly removed: number;
      /** What gates say of numbers that count: see `differenceOf`. */
      readonly stricter: number;
      readonly looser: number;
      /** Of those in force, how many count no more by their own end. */
      readonly over: number;
    }
  | { readonly outcome: 'refused'; readonly faults: readonly RowFault[] };

export type TurnedNumbers = Readonly<Record<'stricter' | 'looser', number>>;

export interface NumbersModules {
  readonly tables: PrivateTables;
  readonly random: Random;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** How numbers of the region begin. */
  readonly prefixes: () => readonly string[];
  /** Told of how many numbers a list turns, before it is in force; where it rejects, none comes into force. */
  readonly onTurned?: ((turned: TurnedNumbers) => Promise<void>) | undefined;
  /** Told of a new list. Must not throw. */
  readonly onChange?: () => void;
}

export class Numbers {
  readonly #modules: NumbersModules;
  readonly #sealer: Sealer;
  readonly #turns = new Turns();

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: NumbersModules) {
    this.#modules = modules;
    this.#sealer = new Sealer(derivedKey(key, 'lookup/list'));
  }

  /** The list in force; undefined before the first. */
  async inForce(): Promise<NumberList | undefined> {
    const sealed = await this.#modules.tables.get(HEAD);
    return sealed && parseSealedJson(numberListSchema, HEAD, this.#sealer.open(HEAD, sealed));
  }

  /**
   * Its rows, in the order of the file; undefined where another list has come into force meanwhile, whose import removes them.
   * @throws {NodeError} REGISTRY_CORRUPT for a list in force that does not have as many as it should.
   */
  async rows(list: NumberList): Promise<NumberRow[] | undefined> {
    const rows = await this.#rowsOf(list);
    if (rows.length === list.rows) return rows;
    if ((await this.inForce())?.version !== list.version) return undefined;
    throw registryCorrupt(`the list of numbers has ${rows.length} rows instead of ${list.rows}`);
  }

  async #rowsOf({ version }: NumberList): Promise<NumberRow[]> {
    const from = prefixOf(version);
    const rows: NumberRow[] = [];
    for await (const [name, sealed] of this.#modules.tables.entries(from, `${from}~`))
      rows.push(...parseSealedJson(rowsSchema, name, this.#sealer.open(name, sealed)));
    return rows;
  }

  /**
   * Puts the numbers of a file in force in the place of those before, or says what is wrong with it and changes nothing. The same file
   * again changes nothing either. Rejects as the tables do.
   */
  import(file: AsyncIterable<Uint8Array>): Promise<NumbersReport> {
    return this.#turns.take('import', () => this.#import(file));
  }

  async #import(file: AsyncIterable<Uint8Array>): Promise<NumbersReport> {
    const { clock, tables, onTurned, onChange } = this.#modules;
    const read = await this.#read(file);
    if ('faults' in read) return { outcome: 'refused', faults: read.faults };
    const nowS = Math.floor(clock.nowMs() / 1_000);
    const before = await this.inForce();
    const rows = read.rows.map(({ number, colour, untilS }) => ({ number, colour, untilS }));
    const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    const old = before === undefined ? [] : await this.#rowsOf(before);
    const counts = differenceOf(before && old, rows, nowS);
    if (before?.digest === digest && old.length === before.rows)
      return { outcome: 'unchanged', list: before, ...counts };
    const version = (before?.version ?? 0) + 1;
    // What an import that broke off has left.
    await this.#remove(prefixOf(version), `${prefixOf(version)}~`);
    for (let at = 0; at < rows.length; at += ROWS_TOGETHER) {
      const name = `${prefixOf(version)}${String(at / ROWS_TOGETHER).padStart(VERSION_DIGITS, '0')}`;
      await tables.write([this.#sealed(name, rows.slice(at, at + ROWS_TOGETHER))]);
    }
    const list = { version, rows: rows.length, importedAtS: nowS, digest };
    // Before it is durable: better counted twice than a list of which nobody heard.
    await onTurned?.(counts);
    await tables.write([this.#sealed(HEAD, list)]);
    await this.#remove(LISTS, prefixOf(version));
    onChange?.();
    return { outcome: 'imported', list, ...counts };
  }

  async #read(
    file: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly rows: readonly PlacedNumber[] } | { readonly faults: readonly RowFault[] }> {
    const form = numberForm(this.#modules.prefixes());
    const lines = new Map<string, number>();
    const rows: PlacedNumber[] = [];
    const faults: RowFault[] = [];
    for await (const row of readCsvRows(file, form)) {
      const parsed = 'fault' in row ? [row.fault] : form.parse(row.cells, row.line);
      if (Array.isArray(parsed)) faults.push(...parsed);
      else {
        const line = lines.get(parsed.number);
        if (line !== undefined)
          faults.push({ line: parsed.line, column: 'number', reason: `is that of line ${line}` });
        lines.set(parsed.number, parsed.line);
        rows.push(parsed);
      }
      if (rows.length > NUMBERS_MAX)
        faults.push({ line: 0, reason: `there are more than ${NUMBERS_MAX} numbers` });
      if (rows.length > NUMBERS_MAX || faults.length >= FAULTS_MAX) break;
    }
    if (rows.length === 0 && faults.length === 0) faults.push({ line: 0, reason: 'the file has no rows' });
    return faults.length > 0 ? { faults: faults.slice(0, FAULTS_MAX) } : { rows };
  }

  async #remove(from: string, to: string): Promise<void> {
    const { tables } = this.#modules;
    for (let removed = 0; ; removed++) {
      const page = await tables.page(from, to, { limit: REMOVED_TOGETHER });
      if (page.length === 0) return removed > 0 ? tables.compact(from, to) : undefined;
      await tables.write(page.map(([name]) => ({ del: name })));
    }
  }

  #sealed(name: string, value: unknown) {
    const plain = Buffer.from(JSON.stringify(value));
    return { put: name, value: this.#sealer.seal(name, plain, this.#modules.random(NONCE_BYTES)) };
  }
}

/**
 * What becomes of numbers with another list. Of those that have not ended, `stricter` are numbers that turn yellow or red, or to the stricter of both, or are
 * to be so for longer, green ones that end earlier, and green and yellow ones that are gone; `looser` those that turn to a milder colour, or are yellow or red for shorter, and green
 * ones that were not there, which was no pass. The first list makes nothing looser: what it says was said nowhere.
 */
function differenceOf(before: readonly NumberRow[] | undefined, now: readonly NumberRow[], nowS: number) {
  const left = new Map(before?.map((row) => [row.number, row]));
  const difference = { added: 0, changed: 0, removed: 0, stricter: 0, looser: 0, over: 0 };
  const count = (by: number) => {
    if (by > 0) difference.stricter++;
    else if (by < 0 && before !== undefined) difference.looser++;
  };
  for (const row of now) {
    const old = left.get(row.number);
    left.delete(row.number);
    if (old === undefined) difference.added++;
    else if (old.colour !== row.colour || old.untilS !== row.untilS) difference.changed++;
    if (row.untilS <= nowS) difference.over++;
    count(stricterBy(runningAt(row, nowS), runningAt(old, nowS)));
  }
  difference.removed = left.size;
  for (const old of left.values()) count(stricterBy(undefined, runningAt(old, nowS)));
  return difference;
}

const STRICTNESS = { green: 0, yellow: 1, red: 2 } as const;

/** Undefined for what counts no more, which gates stop as any number that is not there. */
function runningAt(row: NumberRow | undefined, nowS: number): NumberRow | undefined {
  return row !== undefined && row.untilS > nowS ? row : undefined;
}

/** Above 0 where `now` is the stricter, below where it is the looser. */
function stricterBy(now: NumberRow | undefined, before: NumberRow | undefined): number {
  if (now === undefined) return before === undefined || before.colour === 'red' ? 0 : 1;
  if (before === undefined) return now.colour === 'green' ? -1 : 1;
  if (now.colour !== before.colour) return STRICTNESS[now.colour] - STRICTNESS[before.colour];
  const longerS = now.untilS - before.untilS;
  // A green one that is good for longer turns nobody.
  return now.colour === 'green' ? Number(longerS < 0) : longerS;
}

function prefixOf(version: number): string {
  return `${LISTS}${String(version).padStart(VERSION_DIGITS, '0')}/`;
}
