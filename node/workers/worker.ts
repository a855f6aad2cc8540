/**
 * A process that prepares what nodes of its region order, over the tables that they share: documents hashed, salts drawn, commitments
 * made. It holds the key of the registry and none that signs, writes no record, and may end at any moment: an order that it has not
 * finished is taken up by another.
 */
import { prepareHere, type PreparingModules } from '../issuing/preparing.ts';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type SharedTables } from '../registry/private-tables.ts';
import {
  bytesOf,
  CLAIMS,
  newWorkId,
  type OrderName,
  orderOfClaim,
  textOf,
  workerName,
  WorkRows,
} from './work-rows.ts';

export interface WorkerOptions {
  /** See `Registry.open`. */
  readonly registryKey: Uint8Array;
}

export interface WorkerModules extends PreparingModules {
  readonly tables: SharedTables;
  readonly clock: Clock;
  /** Told of each order that it has finished. Must not throw. */
  readonly onPrepared?: (people: number) => void;
  /** The database is away or back. Must not throw. */
  readonly onTrouble?: (error: NodeError) => void;
  readonly onBack?: () => void;
}

/** Between two words that it is still there. */
const BEAT_MS = 1_000;
/** How long it rests where nothing was to be done, at first and at last. */
const IDLE_MS_MIN = 20;
const IDLE_MS_MAX = 500;
const AWAY_MS = 1_000;
const CLAIMS_LOOKED_AT = 64;
/** Orders that it tries to take up before it looks again: others may have been faster. */
const TRIES_MAX = 4;
const OPEN = 'open';

export class Worker {
  readonly #modules: WorkerModules;
  readonly #rows: WorkRows;
  readonly id: string;
  #beats = 0;
  #beatAtMs = -Infinity;

  constructor(options: WorkerOptions, modules: WorkerModules) {
    this.#modules = modules;
    this.#rows = new WorkRows(options, modules);
    this.id = newWorkId(modules.random);
  }

  /**
   * Works until `signal` is aborted, and then finishes the order in hand. While the database is away it waits for it.
   * @throws {NodeError} what is fatal: REGISTRY_CORRUPT, SCHEMA_NEWER.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, onTrouble, onBack, tables } = this.#modules;
    let idleMs = IDLE_MS_MIN;
    let isAway = false;
    while (!signal.aborted) {
      let waitMs = 0;
      try {
        await this.#beat();
        const hasWorked = await this.#work();
        idleMs = hasWorked ? IDLE_MS_MIN : Math.min(2 * idleMs, IDLE_MS_MAX);
        waitMs = hasWorked ? 0 : idleMs;
        if (isAway) onBack?.();
        isAway = false;
      } catch (error) {
        if (!isNodeError(error) || error.fatal) throw error;
        if (!isAway) onTrouble?.(error);
        isAway = true;
        waitMs = AWAY_MS;
      }
      await clock.wait(waitMs, signal).catch(() => undefined);
    }
    // Where this fails too, the node finds that it has fallen silent.
    await tables.write([{ del: workerName(this.id) }]).catch(() => undefined);
  }

  async #beat(): Promise<void> {
    const { tables, clock } = this.#modules;
    if (clock.runMs() - this.#beatAtMs < BEAT_MS) return;
    await tables.write([{ put: workerName(this.id), value: bytesOf(String(this.#beats++)) }]);
    this.#beatAtMs = clock.runMs();
  }

  /** Whether it has prepared an order. */
  async #work(): Promise<boolean> {
    const { tables, random } = this.#modules;
    const claims = await tables.page(...CLAIMS, { limit: CLAIMS_LOOKED_AT });
    const open = claims.filter(([, value]) => textOf(value) === OPEN).map(([name]) => name);
    // Each begins at another place, so that they are seldom after the same.
    const first = open.length === 0 ? 0 : (random(1)[0] ?? 0) % open.length;
    for (const claim of [...open.slice(first), ...open.slice(0, first)].slice(0, TRIES_MAX)) {
      if (await this.#change(claim, OPEN, this.id)) return this.#prepare(orderOfClaim(claim));
    }
    return false;
  }

  async #prepare(name: OrderName): Promise<boolean> {
    const { tables, onPrepared } = this.#modules;
    const sealed = await tables.get(name.order);
    if (sealed === undefined) return false;
    const items = this.#rows.parseOrder(name, sealed);
    const prepared = await prepareHere(items, this.#modules);
    const put = { put: name.ready, value: this.#rows.ready(name, prepared) };
    const isTaken = await this.#change(name.claim, this.id, 'ready', [put]);
    if (isTaken) onPrepared?.(items.length);
    return isTaken;
  }

  /** Whether the claim was still what it is said to be. */
  async #change(
    claim: string,
    from: string,
    to: string,
    besides: readonly { readonly put: string; readonly value: Uint8Array }[] = [],
  ): Promise<boolean> {
    const holds = { name: claim, value: bytesOf(from) };
    const changes = [...besides, { put: claim, value: bytesOf(to) }];
    return (await this.#modules.tables.writeIf(changes, { holds })) === 'made';
  }
}
