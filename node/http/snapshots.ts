/** Snapshots for verifiers that go offline: made at most once for each state, whatever number of them ask. */
import { isDeltaFrom, makeSnapshot, type SnapshotSource } from '../../protocol/snapshot/make.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { type Clock } from '../ports.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { RequestError } from './problem.ts';

export interface SnapshotsModules {
  readonly trust: () => Trust;
  readonly keeper: (region: string) => TrustKeeper | undefined;
  readonly clock: Clock;
  readonly sha256: Sha256;
}

export interface HeldSnapshot {
  readonly bytes: Uint8Array;
  /** Strong, in its quotation marks. */
  readonly etag: string;
}

/** Whether whoever asked still waits. */
export type IsWaiting = () => boolean;

interface Making {
  readonly snapshot: Promise<HeldSnapshot>;
  /** Of those who asked before it was made; nobody waits for one that is there. */
  waiting: IsWaiting[] | undefined;
}

interface Era {
  readonly trust: Trust;
  readonly sinceMs: number;
  /** By what is held; the empty text for nothing. */
  readonly made: RecentMap<Making>;
}

/** Cosignatures are renewed every 10 s; a verifier that goes offline for a day needs no fresher ones. */
const ERA_MS = 10_000;
/** Full ones of a large network have some MiB each. */
const MADE_MAX = 8;

export class Snapshots {
  readonly #modules: SnapshotsModules;
  #era: Era | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(modules: SnapshotsModules) {
    this.#modules = modules;
  }

  /**
   * Of all regions whose knowledge verdicts lean on. `since` says how many entries of each region are held, as in `DE:120,FR:45`;
   * of regions that it does not name all is given. Rejects as reading the store, and with OVERLOADED if nobody waits any more when
   * its turn comes.
   */
  since(since: string | undefined, isWaiting: IsWaiting): Promise<HeldSnapshot> {
    const { made, trust } = this.#current();
    const heldSizes = this.#deltasOf(trust, since ?? '');
    const key = [...heldSizes].map(([region, size]) => `${region}:${size}`).join();
    const known = made.get(key);
    if (known !== undefined) {
      known.waiting?.push(isWaiting);
      return known.snapshot;
    }
    const waiting = [isWaiting];
    const forget = (): void => {
      if (made.get(key) === making) made.delete(key);
    };
    const snapshot = this.#inTurn(() => {
      if (waiting.some((waits) => waits())) return this.#make(trust, heldSizes);
      forget();
      throw new RequestError('OVERLOADED', 'nobody waits for the answer');
    });
    const making: Making = { snapshot, waiting };
    made.set(key, making);
    snapshot.then(() => (making.waiting = undefined), forget);
    return snapshot;
  }

  /** Of what is held, by region, that from which there is a delta: nothing else changes what is given. */
  #deltasOf(trust: Trust, since: string): ReadonlyMap<string, number> {
    const pairs = since === '' ? [] : since.split(',').map((pair) => pair.split(':'));
    const sizes = pairs.map(([region = '', size]) => [region, Number(size)] as const);
    const deltas = sizes.filter(([region, size]) => {
      const keeper = trust.regions.has(region) ? this.#modules.keeper(region) : undefined;
      const published = keeper?.published;
      if (keeper === undefined || published === undefined) return false;
      return isDeltaFrom(size, { first: keeper.tree.head.minimum, size: published.checkpoint.size });
    });
    return new Map(deltas.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #current(): Era {
    const nowMs = this.#modules.clock.nowMs();
    const trust = this.#modules.trust();
    const era = this.#era;
    const isYoung = (since: number) => since <= nowMs && nowMs - since < ERA_MS;
    if (era !== undefined && (era.trust === trust || isYoung(era.sinceMs))) return era;
    this.#era = { trust, sinceMs: nowMs, made: new RecentMap(MADE_MAX) };
    return this.#era;
  }

  async #make(trust: Trust, heldSizes: ReadonlyMap<string, number>): Promise<HeldSnapshot> {
    const sources = [...trust.regions.keys()].flatMap((region) => {
      const keeper = this.#modules.keeper(region);
      return keeper?.published === undefined ? [] : [sourceOf(keeper, keeper.published)];
    });
    const bytes = await makeSnapshot(trust.network, sources, heldSizes);
    return { bytes, etag: `"${Buffer.from(this.#modules.sha256(bytes)).toString('hex').slice(0, 32)}"` };
  }

  /** One at a time: each reads the logs of all regions. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn;
    return turn;
  }
}

function sourceOf(
  keeper: TrustKeeper,
  { checkpoint, pool }: NonNullable<TrustKeeper['published']>,
): SnapshotSource {
  const { region, tree, fold } = keeper;
  return {
    region,
    size: checkpoint.size,
    note: pool.note(),
    first: tree.head.minimum,
    newestBase: () => {
      const base = fold.newestBase();
      return base !== undefined && base.index < checkpoint.size ? base : undefined;
    },
    entries: async (from, to) => {
      const entries: Uint8Array[] = [];
      for await (const entry of tree.reader.entries(from, to)) entries.push(entry);
      return entries;
    },
  };
}
