/** A checkpoint of a trust log together with what it says, and as what verdicts lean on. */
import { type Checkpoint } from '../../protocol/log/checkpoint.ts';
import { type FoldedTree, isAhead } from '../../protocol/trust/vouching.ts';
import { type Cosigned, lastHeard, type RegionKnowledge } from '../../protocol/verdict/knowledge.ts';
import { type CosignaturePool } from './cosignature-pool.ts';

/** A checkpoint, the state of exactly the entries under it, and all that vouches for it. */
export interface HeldState extends FoldedTree {
  readonly checkpoint: Checkpoint;
  readonly pool: CosignaturePool;
  /** See `RegionKnowledge`. */
  readonly ownBefore?: readonly Cosigned[];
}

/** What a region's keeper holds as what verdicts lean on. */
export function knowledgeOf(
  { state, checkpoint, pool, ownBefore }: Pick<HeldState, 'state' | 'checkpoint' | 'pool' | 'ownBefore'>,
  standing: RegionKnowledge['standing'],
  beside: Pick<RegionKnowledge, 'revokedBeside' | 'foreignRevokedBeside'> = {},
): RegionKnowledge {
  const { logKeyIds, cosignatures } = pool;
  return {
    state,
    checkpoint,
    get note() {
      return pool.note();
    },
    logKeyIds,
    cosignatures,
    ownBefore,
    standing,
    ...beside,
  };
}

/** States that wait for their quorum; the oldest goes. Some seconds of the most statements that one log takes. */
export const PENDING_MAX = 32;

/** The newest states of one log: what verdicts lean on, and what is newer and waits for its quorum. */
export class HeldStates {
  #pending: readonly HeldState[] = [];
  #published: HeldState | undefined;
  /** About to be held: its own region's witness is asked first. */
  #awaited: HeldState | undefined;

  get latest(): HeldState | undefined {
    return this.#pending.at(-1) ?? this.#published;
  }

  /** Newer than what is published, newest last. */
  get pending(): readonly HeldState[] {
    return this.#pending;
  }

  get published(): HeldState | undefined {
    return this.#published;
  }

  /** The one whose checkpoint has this text. */
  withText(text: string): HeldState | undefined {
    for (const held of this.#pending) if (held.pool.text === text) return held;
    if (this.#published?.pool.text === text) return this.#published;
    return this.#awaited?.pool.text === text ? this.#awaited : undefined;
  }

  /** Lets a state be found by its text for as long as `work` goes on. */
  async whileAwaited(held: HeldState, work: () => Promise<void>): Promise<void> {
    this.#awaited = held;
    try {
      await work();
    } finally {
      this.#awaited = undefined;
    }
  }

  /** Takes the newest, which may be the one that was: the first is published at once, unless it is ahead of its time. */
  hold(held: HeldState, { isNew, nowS }: { readonly isNew: boolean; readonly nowS: number }): void {
    if (this.#published === undefined && !isAhead(held.state, nowS)) {
      this.#published = held;
      this.#pending = [];
    } else if (isNew) this.#pending = [...this.#pending, held].slice(-PENDING_MAX);
  }

  /** Makes one of `pending` what verdicts lean on. */
  publish(held: HeldState, nowS: number): void {
    const place = this.#pending.indexOf(held);
    if (place < 0) throw new RangeError('expected a state that is pending');
    const earlier = [this.#published, ...this.#pending.slice(0, place)].filter((one) => one !== undefined);
    const known = earlier.map(({ pool, ownBefore }) => ({ cosignatures: pool.cosignatures, ownBefore }));
    this.#published = { ...held, ownBefore: lastHeard(held.state, known, nowS) };
    this.#pending = this.#pending.slice(place + 1);
  }

  /** Forgets those of more than `size` entries. */
  cutTo(size: number): void {
    const isWithin = ({ checkpoint }: HeldState) => checkpoint.size <= size;
    this.#pending = this.#pending.filter(isWithin);
    if (this.#published !== undefined && !isWithin(this.#published)) this.#published = undefined;
  }
}
