/**
 * Places for what peers have done at the same time: so many of one peer, of all invited peers together, and of all. The difference of
 * the last two is what recognised peers keep, whatever the others do.
 */
export interface PlaceBounds {
  readonly ofPeer: number;
  readonly ofInvited: number;
  readonly ofAll: number;
}

export class PeerPlaces {
  readonly #bounds: PlaceBounds;
  readonly #ofPeer = new Map<string, number>();
  #ofInvited = 0;
  #ofAll = 0;

  constructor(bounds: PlaceBounds) {
    this.#bounds = bounds;
  }

  /** A place, given back by calling what this returns, once; undefined if there is none for this peer. */
  take(peer: string, isInvited: boolean): (() => void) | undefined {
    const count = this.#ofPeer.get(peer) ?? 0;
    if (count >= this.#bounds.ofPeer || this.#ofAll >= this.#bounds.ofAll) return undefined;
    if (isInvited && this.#ofInvited >= this.#bounds.ofInvited) return undefined;
    this.#ofPeer.set(peer, count + 1);
    this.#ofAll++;
    if (isInvited) this.#ofInvited++;
    return () => {
      this.#ofAll--;
      if (isInvited) this.#ofInvited--;
      const left = (this.#ofPeer.get(peer) ?? 1) - 1;
      if (left > 0) this.#ofPeer.set(peer, left);
      else this.#ofPeer.delete(peer);
    };
  }

  /** Places that are taken. */
  get taken(): number {
    return this.#ofAll;
  }
}
