/** What a peer counts as where many share what there is. */
export interface Share {
  /** Whose node it is: the peers of a region have together no more than a region has. Empty for all that are unknown. */
  readonly region: string;
  /** It has the lesser share. */
  readonly isInvited: boolean;
}

export type ShareOf = (peer: string) => Share;

/** Where nobody knows of regions: each peer counts as one, and none has the lesser share. */
export const shareByName: ShareOf = (peer) => ({ region: peer, isInvited: false });

/**
 * Places for what peers have done at the same time: so many of one peer, of all peers of one region, of all invited peers together, and
 * of all. The difference of the last two is what recognised peers keep, whatever the others do; and since a region may name many
 * nodes, it is the bound of a region that keeps places for the others.
 */
export interface PlaceBounds {
  readonly ofPeer: number;
  readonly ofRegion: number;
  readonly ofInvited: number;
  readonly ofAll: number;
  /** A region that has as many places as are free gets no other: one that has none soon finds one, however many take all they get. */
  readonly keepsFree?: boolean;
}

export class PeerPlaces {
  readonly #bounds: PlaceBounds;
  readonly #ofPeer = new Map<string, number>();
  readonly #ofRegion = new Map<string, number>();
  #ofInvited = 0;
  #ofAll = 0;

  constructor(bounds: PlaceBounds) {
    this.#bounds = bounds;
  }

  /** A place, given back by calling what this returns, once; undefined if there is none for this peer. */
  take(peer: string, { region, isInvited }: Share): (() => void) | undefined {
    const { ofPeer, ofRegion, ofInvited, ofAll, keepsFree = false } = this.#bounds;
    const free = Math.min(ofAll - this.#ofAll, isInvited ? ofInvited - this.#ofInvited : ofAll);
    const held = this.#ofRegion.get(region) ?? 0;
    if (free <= 0 || (keepsFree && held >= free)) return undefined;
    if (held >= ofRegion || (this.#ofPeer.get(peer) ?? 0) >= ofPeer) return undefined;
    const count = (by: 1 | -1): void => {
      this.#ofAll += by;
      if (isInvited) this.#ofInvited += by;
      add(this.#ofPeer, peer, by);
      add(this.#ofRegion, region, by);
    };
    count(1);
    return () => count(-1);
  }

  /** Places that are taken. */
  get taken(): number {
    return this.#ofAll;
  }
}

function add(counts: Map<string, number>, name: string, by: number): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
}
