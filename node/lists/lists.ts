/**
 * The background data of a region: of each kind the list that is in force, and the one before. Owner of the tables under `list/`.
 * A list is taken whole or not at all, and none takes the place of one that speaks of a later moment.
 */
import { localDay, type Zone } from '../../protocol/rules/zone.ts';
import { NodeError } from '../node-error.ts';
import { type BroughtBy } from '../operators/brought-by.ts';
import { type Clock, type Random } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { Measured } from '../rows/measured.ts';
import { type RowFault } from '../rows/row-form.ts';
import { type Encoding } from '../rows/encoding.ts';
import { Turns } from '../turns.ts';
import { saidOf } from './entry.ts';
import { LIST_KINDS, type ListKind } from './kinds.ts';
import { type ListFormat, type ListRow, readListRows } from './list-file.ts';
import { ListView, type ReadAreas } from './list-view.ts';
import { type ListVersion, Shelf, VERSIONS_KEPT } from './shelf.ts';
import { ROWS_TOGETHER, Staging } from './staging.ts';
import { UnreadRow, UnreadRows, type UnreadRowsModules } from './unread-rows.ts';

export interface ListsOptions {
  /** 32 bytes: that of the registry. Copied. */
  readonly key: Uint8Array;
}

export interface ListsModules extends UnreadRowsModules {
  readonly tables: PrivateTables;
  /** That of the rules for people, by which the days of lists are held; undefined where there are none yet. */
  readonly zone?: (nowS: number) => Zone | undefined;
  readonly random: Random;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Told of a list that came into force; as `News.tell` of anybody. */
  readonly onImported?: (() => number | undefined) | undefined;
}

/** What a new list is, besides its rows. */
export interface ListOrder {
  readonly kind: ListKind;
  readonly source: string;
  /** Who imports it. */
  readonly operator?: BroughtBy | undefined;
  /** The moment that it speaks of. */
  readonly asOfS: number;
  readonly format: ListFormat;
  readonly encoding: Encoding;
  /** A file without rows is good: nobody stands on the list any more. Of CSV it has its header all the same. */
  readonly empty?: boolean;
}

/**
 * `unchanged`: this file is in force already. `refused`: nothing was changed, for these reasons. `updateInS`: seconds within which people are held against it,
 * where a node does that by itself.
 */
export type ImportReport =
  | { readonly outcome: 'imported' | 'unchanged'; readonly list: ListVersion; readonly updateInS?: number }
  | { readonly outcome: 'refused'; readonly faults: readonly RowFault[] };

export const SOURCE_CHARS_MAX = 200;
/** Faults that are told; reading stops at the last. */
const FAULTS_MAX = 20;
/** Rows of one list. */
export const ROWS_MAX = 20_000_000;
/** They are held in memory where stays are looked at. */
const AREAS_MAX = 100_000;
/** Seconds that the clock of whoever made a list may be ahead. */
const AHEAD_S_MAX = 120;
/** The day of a list in the zone that is furthest ahead of UTC. */
const ZONE_S_MAX = 14 * 3_600;
const DAY_S = 86_400;
/** A file that an export left empty by mistake takes nobody off a list. */
const NO_ROWS =
  'the file has no rows: where nobody stands on the list any more, say so by --empty (empty=true over HTTP)';

export class Lists {
  readonly #modules: ListsModules;
  readonly #shelf: Shelf;
  readonly #unread: UnreadRows;
  readonly #turns = new Turns();

  constructor(options: ListsOptions, modules: ListsModules) {
    this.#modules = modules;
    this.#shelf = new Shelf(options, modules);
    this.#unread = new UnreadRows(modules);
  }

  /** All versions that are remembered, that in force first; of older ones than the two first the rows are gone. */
  versions(kind: ListKind): Promise<readonly ListVersion[]> {
    return this.#shelf.versions(kind);
  }

  /** The lists in force. */
  async inForce(): Promise<ReadonlyMap<ListKind, ListVersion>> {
    const inForce = new Map<ListKind, ListVersion>();
    for (const kind of LIST_KINDS) {
      const [newest] = await this.versions(kind);
      if (newest !== undefined) inForce.set(kind, newest);
    }
    return inForce;
  }

  /**
   * The lists in force now, to look people up in.
   * @throws {NodeError} REFUSED if there is a list of stays and none of areas, since nobody could say what those stays mean.
   */
  async view(): Promise<ListView> {
    const inForce = await this.inForce();
    if (inForce.has('travel') && !inForce.has('areas'))
      throw new NodeError('REFUSED', 'a list of stays is in force, and none of areas', {
        hint: 'Import the areas at risk: entente lists example areas',
      });
    const areas = await this.#areas(inForce.get('areas')?.version);
    return new ListView(this.#shelf, inForce, areas, (row) => this.#unread.add(row));
  }

  async #areas(version: number | undefined): Promise<ReadAreas> {
    const areas = new Map<string, ReturnType<typeof saidOf>>();
    const unread = new Set<string>();
    if (version === undefined) return { areas, unread };
    for await (const entry of this.#shelf.all('areas', version)) {
      if (entry instanceof UnreadRow) {
        this.#unread.add(entry);
        unread.add(entry.name);
      } else {
        const said = saidOf(entry);
        areas.set(said['area'] ?? '', said);
      }
    }
    return { areas, unread };
  }

  /** Names of rows of the lists in force of which was found that they cannot be read, at most `UNREAD_MAX`: by this process, where somebody was looked for. */
  async unread(): Promise<readonly string[]> {
    if (this.#unread.names.length === 0) return [];
    const inForce = [...(await this.inForce())];
    this.#unread.keep((name) => inForce.some(([kind, { version }]) => this.#shelf.isOf(name, kind, version)));
    return this.#unread.names;
  }

  /**
   * Puts a list in force, or says what is wrong with it and changes nothing; the same file twice changes nothing either.
   * @throws {NodeError} REFUSED for a list that is older than the one in force, or another one of the same moment, and for one of stays
   * while none of areas is in force; and as the tables.
   */
  import(order: ListOrder, file: AsyncIterable<Uint8Array>): Promise<ImportReport> {
    return this.#turns.take(order.kind, () => this.#import(order, file));
  }

  async #import(order: ListOrder, file: AsyncIterable<Uint8Array>): Promise<ImportReport> {
    const { kind, source, operator, asOfS } = order;
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1_000);
    const before = await this.versions(kind);
    const [inForce] = before;
    requireTime(order, inForce, nowS);
    if (kind === 'travel' && (await this.versions('areas')).length === 0)
      throw refused(
        'a list of stays says nothing while no list says which areas are at risk',
        'Import the areas at risk first, then this file again: entente lists example areas',
      );
    const version = (inForce?.version ?? 0) + 1;
    await this.#shelf.remove(kind, version);
    const measured = new Measured(file);
    const staged = await this.#stage(order, version, measured);
    if ('faults' in staged) {
      await this.#shelf.remove(kind, version);
      return { outcome: 'refused', faults: staged.faults };
    }
    const from = { source, ...(operator && { operator }) };
    const list = { version, ...from, asOfS, importedAtS: nowS, ...staged, ...measured.sum() };
    if (inForce?.digest === list.digest && inForce.asOfS === asOfS) {
      await this.#shelf.remove(kind, version);
      return { outcome: 'unchanged', list: inForce };
    }
    if (inForce?.asOfS === asOfS) {
      await this.#shelf.remove(kind, version);
      throw refused(
        'another list of this moment is in force',
        'Give the later of the two its own time: --as-of.',
      );
    }
    await this.#shelf.enforce(kind, [list, ...before]);
    const updateInS = this.#modules.onImported?.();
    for (const { version: old } of before.slice(VERSIONS_KEPT - 1)) await this.#shelf.remove(kind, old);
    return { outcome: 'imported', list, ...(updateInS !== undefined && { updateInS }) };
  }

  async #stage(
    { kind, format, encoding, asOfS, empty = false }: ListOrder,
    version: number,
    file: Measured,
  ): Promise<{ rows: number; entries: number } | { faults: readonly RowFault[] }> {
    const staging = new Staging(kind, version, { ...this.#modules, shelf: this.#shelf });
    const zone = this.#modules.zone?.(asOfS);
    const lastDay = zone === undefined ? Math.floor((asOfS + ZONE_S_MAX) / DAY_S) : localDay(zone, asOfS);
    const faults: RowFault[] = [];
    let some: ListRow[] = [];
    let rows = 0;
    const add = async () => {
      faults.push(...(await staging.add(some)));
      rows += some.length;
      some = [];
    };
    for await (const row of readListRows(file.parts(), { kind, format, encoding, lastDay })) {
      if ('line' in row) some.push(row);
      else faults.push(...row);
      if (some.length === ROWS_TOGETHER) await add();
      const isTooLong = rows > ROWS_MAX || (kind === 'areas' && staging.entries > AREAS_MAX);
      if (isTooLong) faults.push({ line: 0, reason: `more than ${ROWS_MAX} rows, or ${AREAS_MAX} areas` });
      if (isTooLong || faults.length >= FAULTS_MAX) break;
    }
    if (some.length > 0) await add();
    if (rows === 0 && faults.length === 0 && !empty) faults.push({ line: 0, reason: NO_ROWS });
    if (faults.length === 0) return { rows, entries: staging.entries };
    return { faults: faults.toSorted((a, b) => a.line - b.line).slice(0, FAULTS_MAX) };
  }
}

function requireTime({ asOfS }: ListOrder, inForce: ListVersion | undefined, nowS: number): void {
  if (asOfS > nowS + AHEAD_S_MAX)
    throw refused(
      'the list speaks of a moment that is still to come',
      'Check --as-of, and the clock of this machine.',
    );
  if (inForce !== undefined && asOfS < inForce.asOfS)
    throw refused(
      `the list is older than version ${inForce.version}, which is in force`,
      'A list is replaced by a later one only: `entente lists show` tells of what moment that one is.',
    );
}

function refused(message: string, hint: string): NodeError {
  return new NodeError('REFUSED', `${message}; nothing was changed`, { hint });
}
