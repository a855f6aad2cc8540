/**
 * The side of the node that signs: gives what is to be prepared to workers, if there are any, and prepares it itself if there are none.
 * It takes what comes of an order once, from whichever worker was first, and logs it itself. So a worker that dies, comes late or
 * answers twice costs time and nothing else: no code is issued by a worker.
 */
import { commitmentOf } from '../../protocol/code/commitment.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { Gathered } from '../issuing/gathered.ts';
import {
  type Prepare,
  type Prepared,
  prepareHere,
  type PreparingModules,
  requirePreparable,
  type Unprepared,
} from '../issuing/preparing.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Change, type Clock } from '../ports.ts';
import { type SharedTables } from '../registry/private-tables.ts';
import {
  bytesOf,
  claimsOf,
  newWorkId,
  ORDER_ITEMS_MAX,
  type OrderName,
  orderName,
  orderOfClaim,
  ORDERS,
  textOf,
  WORKERS,
  WorkRows,
} from './work-rows.ts';

export interface WorkOrdersOptions {
  /** See `Registry.open`. */
  readonly registryKey: Uint8Array;
  /** Milliseconds after which a worker that says nothing counts as dead, and what it has taken up is given to another; 10 s by default. */
  readonly workerPatienceMs?: number;
}

export interface WorkOrdersModules extends PreparingModules {
  readonly tables: SharedTables;
  readonly clock: Clock;
  /** Told of what kept workers from being used. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

interface Order {
  readonly name: OrderName;
  readonly items: readonly Unprepared[];
  readonly resolve: (prepared: readonly Prepared[]) => void;
  readonly reject: (error: unknown) => void;
  /** As the claim stood when it was looked at last; undefined before its rows are made. */
  claim: string | undefined;
  claimedAtMs: number;
  /** Workers that took it up and died. */
  deaths: number;
}

/** A worker that costs more to ask than it saves. In items, of which one on paper counts as many. */
const WEIGHT_MIN = 128;
const WEIGHT_MAX = ORDER_ITEMS_MAX;
const PAPER_WEIGHT = 16;
/** Orders whose rows lie there; the others wait here. */
const OFFERED_MAX = 64;
const LOOK_MS = 20;
/** Between two looks at who works. */
const WORKERS_MS = 1_000;
const WORKERS_MAX = 256;
/** The same where nothing is in hand. */
const IDLE_LOOK_MS = 5_000;
const ROWS_TOGETHER = 256;
/** An order that so many died of is not given to another. */
const DEATHS_MAX = 2;
const OPEN = 'open';
const READY = 'ready';

export class WorkOrders {
  readonly #patienceMs: number;
  readonly #modules: WorkOrdersModules;
  readonly #rows: WorkRows;
  readonly #node: string;
  #next = 0;
  /** By the name of their claims, in the order in which they were given. */
  readonly #inHand = new Map<string, Order>();
  readonly #asked = new Gathered<Unprepared, Prepared>((items) => this.#prepare(items));
  #watching: Promise<void> | undefined;
  #tending: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  /** The count of each worker, and when it was another. */
  readonly #workers = new Map<string, { readonly count: string; readonly atMs: number }>();
  #lookedAtMs = -Infinity;
  /** When a worker took an order up or finished one. */
  #movedAtMs = -Infinity;
  /** What earlier processes ordered is taken away once, before anything is ordered. */
  #cleared: Promise<void> | undefined;

  constructor(options: WorkOrdersOptions, modules: WorkOrdersModules) {
    this.#patienceMs = options.workerPatienceMs ?? 10_000;
    this.#modules = modules;
    this.#rows = new WorkRows(options, modules);
    this.#node = newWorkId(modules.random);
  }

  get workers(): number {
    return this.#workers.size;
  }

  /** For a node that runs: without it workers are looked at, and what the dead left is taken away, with the first order. */
  start(): void {
    this.#tending ??= this.#tend();
  }

  /** Prepares what is left by itself, and takes its rows away. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
    await this.#tending;
  }

  /** Until it is stopped. Never rejects. */
  async #tend(): Promise<void> {
    const { clock, onTrouble } = this.#modules;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#clear();
        await this.#lookForWorkers();
      } catch (error) {
        // That the database is away is told by whoever needs it; nobody is known to work then.
        this.#workers.clear();
        if (!isNodeError(error)) onTrouble?.(error);
      }
      await clock.wait(IDLE_LOOK_MS, signal).catch(() => undefined);
    }
  }

  /** What many ask for one by one is put together; what cannot be prepared is refused alone. */
  readonly prepare: Prepare = (items) =>
    items.length < ORDER_ITEMS_MAX
      ? Promise.all(items.map((item) => this.#prepareOne(item)))
      : this.#prepare(items);

  async #prepareOne(item: Unprepared): Promise<Prepared> {
    requirePreparable(item);
    return this.#asked.ask(item);
  }

  async #prepare(items: readonly Unprepared[]): Promise<readonly Prepared[]> {
    const weight = items.reduce((sum, item) => sum + weightOf(item), 0);
    if (weight < WEIGHT_MIN || this.#stopping.signal.aborted || !(await this.#hasWorkers()))
      return prepareHere(items, this.#modules);
    items.forEach(requirePreparable);
    const prepared = ordersOf(items).map((some) => this.#give(some));
    this.#watching ??= this.#watch();
    return (await Promise.all(prepared)).flat();
  }

  async #hasWorkers(): Promise<boolean> {
    if (this.#modules.clock.runMs() - this.#lookedAtMs < WORKERS_MS) return this.#workers.size > 0;
    try {
      await this.#lookForWorkers();
      return this.#workers.size > 0;
    } catch (error) {
      // Whoever writes the records of the batch hears of it too.
      if (!isNodeError(error)) throw error;
      return false;
    }
  }

  async #lookForWorkers(): Promise<void> {
    const { tables, clock } = this.#modules;
    const nowMs = (this.#lookedAtMs = clock.runMs());
    const found = await tables.page(...WORKERS, { limit: WORKERS_MAX });
    const names = new Set(found.map(([name]) => name));
    for (const name of this.#workers.keys()) if (!names.has(name)) this.#workers.delete(name);
    const dead: Change[] = [];
    for (const [name, value] of found) {
      const count = textOf(value);
      const before = this.#workers.get(name);
      if (before?.count !== count) this.#workers.set(name, { count, atMs: nowMs });
      else if (nowMs - before.atMs >= this.#patienceMs) dead.push({ del: name });
    }
    if (dead.length > 0) await tables.write(dead);
    for (const change of dead) if ('del' in change) this.#workers.delete(change.del);
  }

  #give(items: readonly Unprepared[]): Promise<readonly Prepared[]> {
    const name = orderName(this.#node, this.#next++);
    return new Promise((resolve, reject) => {
      const order = { name, items, resolve, reject, claim: undefined, claimedAtMs: 0, deaths: 0 };
      this.#inHand.set(name.claim, order);
    });
  }

  /** Until nothing is in hand. Never rejects. */
  async #watch(): Promise<void> {
    const { clock, onTrouble } = this.#modules;
    try {
      while (this.#inHand.size > 0 && !this.#stopping.signal.aborted) {
        await this.#look();
        if (this.#workers.size === 0) await this.#keepAll();
        if (this.#inHand.size > 0) await clock.wait(LOOK_MS, this.#stopping.signal).catch(() => undefined);
      }
    } catch (error) {
      onTrouble?.(error);
    }
    while (this.#inHand.size > 0) await this.#keepAll();
    this.#watching = undefined;
  }

  async #look(): Promise<void> {
    const { tables, clock } = this.#modules;
    await this.#clear();
    await this.#offer();
    if (clock.runMs() - this.#lookedAtMs >= WORKERS_MS) await this.#lookForWorkers();
    const claims = new Map(await tables.page(...claimsOf(this.#node), { limit: OFFERED_MAX }));
    // Of orders that are over, where their rows could not be removed: they would be in the way of others.
    const left = [...claims.keys()].filter((name) => !this.#inHand.has(name)).map(orderOfClaim);
    if (left.length > 0) await tables.write(left.flatMap(rowsGone));
    const ready: Order[] = [];
    for (const order of [...this.#inHand.values()].filter(({ claim }) => claim !== undefined)) {
      const claim = claims.get(order.name.claim);
      // Another process has cleared it away.
      if (claim === undefined) await this.#keep(order);
      else if (textOf(claim) === READY) ready.push(order);
      else await this.#heed(order, textOf(claim));
    }
    if (ready.length > 0) this.#movedAtMs = clock.runMs();
    if (ready.length > 0) await this.#take(ready);
  }

  async #clear(): Promise<void> {
    this.#cleared ??= this.#clearOrders();
    try {
      await this.#cleared;
    } catch (error) {
      this.#cleared = undefined;
      throw error;
    }
  }

  /** What earlier processes ordered, nobody waits for. */
  async #clearOrders(): Promise<void> {
    const { tables } = this.#modules;
    for (;;) {
      const page = await tables.page(...ORDERS, { limit: ROWS_TOGETHER });
      if (page.length === 0) return;
      await tables.write(page.map(([del]) => ({ del })));
    }
  }

  async #offer(): Promise<void> {
    const { tables, clock } = this.#modules;
    const all = [...this.#inHand.values()];
    const room = OFFERED_MAX - all.filter(({ claim }) => claim !== undefined).length;
    const offered = all.filter(({ claim }) => claim === undefined).slice(0, room);
    if (offered.length === 0) return;
    await tables.write(
      offered.flatMap(({ name, items }) => [
        { put: name.order, value: this.#rows.order(name, items) },
        { put: name.claim, value: bytesOf(OPEN) },
      ]),
    );
    for (const order of offered) note(order, OPEN, clock.runMs());
  }

  /**
   * An order that nobody has finished: whoever took it up long ago has died of it or with it. Where all wait, and workers that say they are
   * there take none up, the node prepares them itself.
   */
  async #heed(order: Order, claim: string): Promise<void> {
    const { tables, clock } = this.#modules;
    const nowMs = clock.runMs();
    if (claim !== order.claim) {
      note(order, claim, nowMs);
      if (claim !== OPEN) this.#movedAtMs = nowMs;
    }
    if (nowMs - order.claimedAtMs < this.#patienceMs) return;
    if (claim === OPEN && nowMs - this.#movedAtMs < this.#patienceMs) return;
    if (claim !== OPEN) order.deaths++;
    if (claim === OPEN || order.deaths >= DEATHS_MAX) {
      await this.#keep(order);
      return tables.write(rowsGone(order.name));
    }
    const { claim: name } = order.name;
    const holds = { name, value: bytesOf(claim) };
    await tables.writeIf([{ put: name, value: bytesOf(OPEN) }], { holds });
  }

  async #take(orders: readonly Order[]): Promise<void> {
    const { tables } = this.#modules;
    const values = await tables.getMany(orders.map(({ name }) => name.ready));
    for (const [i, order] of orders.entries()) {
      const { name, items, resolve } = order;
      const sealed = values[i];
      try {
        if (sealed === undefined) throw faulty(name);
        const prepared = this.#rows.parseReady(name, sealed, items);
        this.#requireOpens(name, prepared);
        this.#inHand.delete(name.claim);
        this.#modules.onHashed?.(items.filter(({ document }) => document !== undefined).length);
        resolve(prepared);
      } catch (error) {
        if (!isNodeError(error)) throw error;
        this.#modules.onTrouble?.(error);
        await this.#keep(order);
      }
    }
    await tables.write(orders.flatMap(({ name }) => rowsGone(name)));
  }

  /** What is signed is the commitment: whoever could have another one signed than to what was ordered would have made a code of his own. */
  #requireOpens(name: OrderName, prepared: readonly Prepared[]): void {
    const { sha256 } = this.#modules;
    for (const { commitment, openings } of prepared)
      if (!equalBytes(commitmentOf(sha256, openings), commitment)) throw faulty(name);
  }

  async #keepAll(): Promise<void> {
    const orders = [...this.#inHand.values()];
    for (const order of orders) await this.#keep(order);
    const offered = orders.filter(({ claim }) => claim !== undefined);
    // Those that stay are cleared away by the next process.
    if (offered.length === 0) return;
    const { tables, onTrouble } = this.#modules;
    await tables
      .write(offered.flatMap(({ name }) => rowsGone(name)))
      .catch((error: unknown) => onTrouble?.(error));
  }

  /** Prepared here, whatever a worker may still say of it. */
  async #keep({ name, items, resolve, reject }: Order): Promise<void> {
    this.#inHand.delete(name.claim);
    await prepareHere(items, this.#modules).then(resolve, reject);
  }
}

function weightOf({ document }: Unprepared): number {
  return document === undefined ? 1 : PAPER_WEIGHT;
}

/** Each is prepared within a second or two. */
function ordersOf(items: readonly Unprepared[]): Unprepared[][] {
  const orders: Unprepared[][] = [];
  let weight = Infinity;
  for (const item of items) {
    weight += weightOf(item);
    if (weight > WEIGHT_MAX) {
      orders.push([]);
      weight = weightOf(item);
    }
    orders.at(-1)?.push(item);
  }
  return orders;
}

function note(order: Order, claim: string, atMs: number): void {
  order.claim = claim;
  order.claimedAtMs = atMs;
}

function rowsGone({ claim, order, ready }: OrderName): Change[] {
  return [{ del: claim }, { del: order }, { del: ready }];
}

function faulty({ ready }: OrderName): NodeError {
  return new NodeError(
    'DATA_INCONSISTENT',
    `${ready}: a worker has prepared something else than was ordered`,
    {
      hint: 'Run the same version of this program on all machines. The node has prepared it itself.',
    },
  );
}
