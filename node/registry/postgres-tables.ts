/**
 * What is private in a database of its own: one table of names and values, in SQL that PostgreSQL, Citus, CockroachDB and YugabyteDB
 * share: no extension, no advisory lock, no notification. Names are bytes, since text is not sorted alike everywhere.
 *
 *   entente_private (owner text, name bytea, value bytea, PRIMARY KEY (owner, name))
 *
 * Several regions can share it, each as the owner `<region>.<network>`; the owner '' says which form the table has.
 */
import pg from 'pg';
import { equalBytes } from '../../protocol/bytes.ts';
import { NodeError } from '../node-error.ts';
import { Places } from '../places.ts';
import { type Change, type Clock, type Entry, type RangeOptions } from '../ports.ts';
import { type EntriesOptions, pagesOf } from '../store/reader.ts';
import { requireChange } from '../store/sealed-change.ts';
import {
  isAnswered,
  isCollision,
  registryAway,
  registryBusy,
  registryFull,
  schemaOther,
  sqlStateOf,
  writeUnknown,
} from './postgres-error.ts';
import { type Condition, type SharedTables } from './private-tables.ts';
import { registryOther } from './registry-error.ts';

export interface PostgresOptions {
  /** The region and network whose tables these are, such as `CN-33.example`. */
  readonly owner: string;
  /** A URI as in `postgres://user@host/database`. A secret: it stands in no error and no log. */
  readonly connection: string;
  /** 8 by default. */
  readonly connectionsMax?: number;
  /** PEM of the authorities that the server's certificate may come from; with it, no connection is made without TLS. */
  readonly ca?: string | undefined;
  /** Milliseconds until a server that does not answer counts as away; 10 s by default. */
  readonly answerMsMax?: number;
  /** Milliseconds until a server counts as away that lets nobody in: `answerMsMax` by default, and 5 s at most. */
  readonly connectMsMax?: number;
}

export interface PostgresModules {
  readonly clock: Clock;
}

const FORM = '1';
/** Rows of one statement: two parameters each, of 65,535 that the protocol allows. */
const ROWS_TOGETHER = 512;
/** Times that a transaction is tried which others were in the way of. */
const TRIES_MAX = 12;
const CONNECT_MS = 5_000;
/** Calls that wait for a connection. */
const WAITING_MAX = 65_536;

export class PostgresTables implements SharedTables {
  readonly #owner: string;
  readonly #clock: Clock;
  readonly #pool: pg.Pool;
  /** One for each connection: who waits for those that others use has no reason to take the server for away, as the pool would. */
  readonly #places: Places;
  /** A machine that loses its power inside a transaction says nothing of it: its rows would stay locked until TCP gives it up, for hours. */
  readonly #begin: string;
  #made: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #expected: Entry | undefined;

  constructor(options: PostgresOptions, { clock }: PostgresModules) {
    const { owner, connection, connectionsMax = 8, ca, answerMsMax = 10_000 } = options;
    const { connectMsMax = Math.min(CONNECT_MS, answerMsMax) } = options;
    this.#owner = owner;
    this.#clock = clock;
    this.#begin = `BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL idle_in_transaction_session_timeout = ${answerMsMax}`;
    this.#places = new Places({ atOnceMax: connectionsMax, waitingMax: WAITING_MAX });
    this.#pool = new pg.Pool({
      connectionString: connection,
      max: connectionsMax,
      connectionTimeoutMillis: connectMsMax,
      query_timeout: answerMsMax,
      keepAlive: true,
      application_name: 'entente',
      ...(ca !== undefined && { ssl: { ca } }),
    });
    // A connection that ends while nobody uses it: the next call finds out by itself.
    this.#pool.on('error', ignore);
  }

  expect(row: Entry): void {
    this.#expected = row;
    this.#made = undefined;
  }

  stop(): Promise<void> {
    if (this.#stopped === undefined) {
      this.#stopped = this.#pool.end();
      this.#places.turnAway(letGo());
    }
    return this.#stopped;
  }

  /**
   * The version of the server, and the form of the table; undefined where it is not made yet. Makes nothing. Rejects as the others.
   */
  async look(): Promise<{ readonly server: string; readonly form: string | undefined }> {
    const { rows } = await this.#query<{ version: string }>('SELECT version() AS version', []);
    const form = await this.#form().catch((error: unknown) => {
      if (!isNoTable(error)) throw registryAway(error);
      return undefined;
    });
    if (form !== undefined && form !== FORM) throw schemaOther(form);
    return { server: rows[0]?.version ?? '', form };
  }

  async write(changes: readonly Change[]): Promise<void> {
    await this.writeIf(changes, {});
  }

  async writeIf(
    changes: readonly Change[],
    { holds, absent = [] }: Condition,
  ): Promise<'made' | 'other' | 'present'> {
    // Of changes to one name the last one counts. Everybody takes names in one order, so that nobody waits in a circle.
    const byName = new Map(changes.map((change) => [requireChange(change), change]));
    const last = [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
    if (last.length === 0 && holds === undefined) return 'made';
    const isNew = new Set(absent);
    const puts = last.flatMap(([, one]) => ('put' in one ? [one] : []));
    const added = puts.filter(({ put }) => isNew.has(put));
    if (added.length < isNew.size) throw new RangeError('what is to be absent is put');
    return this.#transaction(async (client) => {
      if (holds !== undefined && !(await this.#holds(client, holds))) return 'other';
      if ((await this.#put(client, added, 'NOTHING')) < added.length) return 'present';
      await this.#put(
        client,
        puts.filter(({ put }) => !isNew.has(put)),
        'UPDATE SET value = excluded.value',
      );
      await this.#delete(
        client,
        last.flatMap(([name, one]) => ('del' in one ? [name] : [])),
      );
      return 'made';
    });
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return (await this.getMany([name]))[0];
  }

  async getMany(names: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    await this.#ready();
    const found = new Map<string, Uint8Array>();
    for (const [name, value] of await this.#entries('name = ANY($2)', [names.map(bytesOf)], ''))
      found.set(name, value);
    return names.map((name) => found.get(name));
  }

  async page(from: string, to: string, { limit, reverse = false }: RangeOptions): Promise<Entry[]> {
    await this.#ready();
    const order = `ORDER BY name ${reverse ? 'DESC' : 'ASC'} LIMIT $4`;
    return this.#entries('name >= $2 AND name < $3', [bytesOf(from), bytesOf(to), limit], order);
  }

  entries(from: string, to: string, options: EntriesOptions = {}): AsyncIterable<Entry> {
    return pagesOf(this, from, to, options);
  }

  /** Nothing: what a database keeps of rows that are gone is for who runs it to clear (docs/postgres.md). */
  compact(): Promise<void> {
    return Promise.resolve();
  }

  async #entries(where: string, values: readonly unknown[], order: string): Promise<Entry[]> {
    const sql = `SELECT name, value FROM entente_private WHERE owner = $1 AND ${where} ${order}`;
    const { rows } = await this.#query<{ name: Buffer; value: Buffer }>(sql, [this.#owner, ...values]);
    return rows.map(({ name, value }) => [name.toString('latin1'), value]);
  }

  async #holds(client: pg.PoolClient, { name, value }: NonNullable<Condition['holds']>): Promise<boolean> {
    const sql = 'SELECT value FROM entente_private WHERE owner = $1 AND name = $2 FOR UPDATE';
    const { rows } = await client.query<{ value: Buffer }>(sql, [this.#owner, bytesOf(name)]);
    const now = rows[0]?.value;
    return now === undefined || value === undefined ? now === value : equalBytes(now, value);
  }

  /** How many rows were written. */
  async #put(
    client: pg.PoolClient,
    puts: readonly { readonly put: string; readonly value: Uint8Array }[],
    onConflict: 'NOTHING' | 'UPDATE SET value = excluded.value',
  ): Promise<number> {
    let written = 0;
    for (let at = 0; at < puts.length; at += ROWS_TOGETHER) {
      const some = puts.slice(at, at + ROWS_TOGETHER);
      const rows = some.map((_, i) => `($1, $${2 * i + 2}, $${2 * i + 3})`).join();
      const text = `INSERT INTO entente_private (owner, name, value) VALUES ${rows} ON CONFLICT (owner, name) DO ${onConflict}`;
      const values = [this.#owner, ...some.flatMap(({ put, value }) => [bytesOf(put), Buffer.from(value)])];
      written += (await client.query(text, values)).rowCount ?? 0;
    }
    return written;
  }

  async #delete(client: pg.PoolClient, names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const sql = 'DELETE FROM entente_private WHERE owner = $1 AND name = ANY($2)';
    await client.query(sql, [this.#owner, names.map(bytesOf)]);
  }

  async #query<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<Row>> {
    try {
      return await this.#ask<Row>(text, values);
    } catch (error) {
      throw registryAway(error);
    }
  }

  /** Rejects as the server or the driver says it. */
  #ask<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<Row>> {
    return this.#connected(async (client) => ({
      result: await client.query<Row>(text, values),
      isUsable: true,
    }));
  }

  /**
   * Works with a connection that nobody else uses meanwhile. One goes on being used if `work` says so, or rejects by what the server has answered.
   * Where none comes about since nobody answers, those that wait hear that at once, instead of one after the other.
   */
  #connected<T>(
    work: (client: pg.PoolClient) => Promise<{ readonly result: T; readonly isUsable: boolean }>,
  ): Promise<T> {
    return this.#places.take(async () => {
      const client = await this.#connect();
      // The query in hand is told too. Without a listener of its own the connection that ends would end the process.
      client.on('error', ignore);
      let isUsable = false;
      try {
        const done = await work(client);
        isUsable = done.isUsable;
        return done.result;
      } catch (error) {
        isUsable = isAnswered(error);
        throw error;
      } finally {
        client.off('error', ignore);
        client.release(!isUsable);
      }
    }, registryFull);
  }

  async #connect(): Promise<pg.PoolClient> {
    if (this.#stopped !== undefined) throw letGo();
    try {
      return await this.#pool.connect();
    } catch (error) {
      if (!isAnswered(error)) this.#places.turnAway(registryAway(error));
      throw error;
    }
  }

  /** All of `work` or nothing; `work` may run several times. What it returns but `made` undoes it. */
  async #transaction<T extends string>(
    work: (client: pg.PoolClient) => Promise<T | 'made'>,
  ): Promise<T | 'made'> {
    await this.#ready();
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(work);
      } catch (error) {
        if (!isCollision(error)) throw registryAway(error);
        if (tries === TRIES_MAX) throw registryBusy();
        await this.#clock.wait(2 ** tries);
      }
    }
  }

  #once<T extends string>(work: (client: pg.PoolClient) => Promise<T | 'made'>): Promise<T | 'made'> {
    return this.#connected(async (client) => {
      let isEnding = false;
      try {
        await client.query(this.#begin);
        const result = await work(client);
        isEnding = result === 'made';
        await client.query(isEnding ? 'COMMIT' : 'ROLLBACK');
        return { result, isUsable: true };
      } catch (error) {
        // What the server refused is not made, and the connection is as good as before.
        if (isAnswered(error) && !isEnding) await client.query('ROLLBACK');
        if (!isAnswered(error) && isEnding) throw writeUnknown();
        throw error;
      }
    });
  }

  /** Makes the table where there is none, unless something is to be there. */
  #ready(): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(letGo());
    this.#made ??= this.#make().catch((error: unknown) => {
      this.#made = undefined;
      throw registryAway(error);
    });
    return this.#made;
  }

  async #make(): Promise<void> {
    let form = await this.#form().catch(async (error: unknown) => {
      if (!isNoTable(error)) throw error;
      if (this.#expected !== undefined) throw registryOther();
      await this.#createTable();
      return undefined;
    });
    if (form === undefined) {
      const row = `INSERT INTO entente_private (owner, name, value) VALUES ('', $1, $2) ON CONFLICT (owner, name) DO NOTHING`;
      await this.#ask(row, [bytesOf('form'), bytesOf(FORM)]);
      form = await this.#form();
    }
    if (form !== FORM) throw schemaOther(form ?? '');
    await this.#requireExpected();
  }

  /** That the table says of itself. */
  async #form(): Promise<string | undefined> {
    const sql = `SELECT value FROM entente_private WHERE owner = '' AND name = $1`;
    const { rows } = await this.#ask<{ value: Buffer }>(sql, [bytesOf('form')]);
    return rows[0]?.value.toString('latin1');
  }

  async #requireExpected(): Promise<void> {
    if (this.#expected === undefined) return;
    const [name, value] = this.#expected;
    const [found] = await this.#entries('name = $2', [bytesOf(name)], '');
    if (found === undefined || !equalBytes(found[1], value)) throw registryOther();
  }

  async #createTable(): Promise<void> {
    const sql = `CREATE TABLE IF NOT EXISTS entente_private (owner text NOT NULL, name bytea NOT NULL, value bytea NOT NULL, PRIMARY KEY (owner, name))`;
    await this.#ask(sql).catch((error: unknown) => {
      // Another process has just made it (23505, 42P07).
      if (!['23505', '42P07'].includes((error as { code?: string }).code ?? '')) throw error;
    });
  }
}

function letGo(): NodeError {
  return new NodeError('STORE_CLOSED', 'the database of the registry was let go');
}

function ignore(): void {
  // Nothing.
}

function isNoTable(error: unknown): boolean {
  return sqlStateOf(error) === '42P01';
}

function bytesOf(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}
