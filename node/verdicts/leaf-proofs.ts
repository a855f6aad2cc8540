/** Proofs of leaves that verdicts need: what was found is kept, and what is looked for at once is shared out. */
import { concatBytes, hexOf } from '../../protocol/bytes.ts';
import { type Attestation } from '../../protocol/code/attestation.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type LeafProof } from '../../protocol/verdict/cut-off.ts';
import { PeerPlaces } from '../peer-places.ts';

/** Which leaf is to be proven, in which tree. */
export interface LeafPlace {
  readonly origin: string;
  readonly index: number;
  readonly size: number;
  /** Of the tree of that size. */
  readonly root: Uint8Array;
}

/** What stands at a place, with a path to its root. */
export type FoundProof = Pick<LeafProof, 'leafHash' | 'path'>;

export interface LeafProofsModules {
  /** A proof that leads to the root of the place; undefined if no mirror that can be reached has one. Must not reject. */
  readonly leafProof: (place: LeafPlace) => Promise<FoundProof | undefined>;
}

/**
 * Leaves looked for at once, each at three peers: whoever has a stolen key can ask for as many as he signs. A code beyond them stays undetermined.
 * Each key counts as a peer of its region: no thief leaves the codes of other keys without a place, nor one who has all keys of a region those of others.
 */
const SOUGHT_AT_ONCE = { ofPeer: 16, ofRegion: 24, ofInvited: 0, ofAll: 32 } as const;

/** Proofs that are kept, some 30 MiB of them: one has about 0.9 KiB in a tree of 2^27 leaves. Gates are shown the same codes day after day. */
const KEPT_MAX = 32_768;

export class LeafProofs {
  readonly #modules: LeafProofsModules;
  readonly #places = new PeerPlaces(SOUGHT_AT_ONCE);
  /** What is looked for, by its place: who asks for the same meanwhile waits for the same. */
  readonly #sought = new Map<string, Promise<FoundProof | undefined>>();
  /** By the place and its root, so that another cut-off is proven anew: leaf hash and path as one run of bytes. */
  readonly #kept = new RecentMap<Uint8Array>(KEPT_MAX);
  readonly #counters = { proofsFetched: 0, proofsRefused: 0 };

  constructor(modules: LeafProofsModules) {
    this.#modules = modules;
  }

  /** Counted since the start. `proofsRefused`: leaves for which there was no place among those that are looked for at once. */
  get counters(): Readonly<Record<'proofsFetched' | 'proofsRefused', number>> {
    return { ...this.#counters };
  }

  /** `region` and `keyId`: the key that signed the code for which it is needed. That key's share it counts against, whosever leaf it is. Never rejects. */
  find(
    place: LeafPlace,
    { region, keyId }: Pick<Attestation, 'region' | 'keyId'>,
  ): Promise<FoundProof | undefined> {
    const name = `${place.origin}/${place.index}/${place.size}/${hexOf(place.root)}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined) return Promise.resolve(unpack(kept));
    const sought = this.#sought.get(name);
    if (sought !== undefined) return sought;
    const release = this.#places.take(`${region}/${keyId}`, { region, isInvited: false });
    if (release === undefined) {
      this.#counters.proofsRefused++;
      return Promise.resolve(undefined);
    }
    this.#counters.proofsFetched++;
    const seeking = this.#seek(name, place).finally(() => {
      this.#sought.delete(name);
      release();
    });
    this.#sought.set(name, seeking);
    return seeking;
  }

  async #seek(name: string, place: LeafPlace): Promise<FoundProof | undefined> {
    const found = await this.#modules.leafProof(place);
    if (found !== undefined) this.#kept.set(name, concatBytes(found.leafHash, ...found.path));
    return found;
  }
}

function unpack(bytes: Uint8Array): FoundProof {
  const path: Uint8Array[] = [];
  for (let at = HASH_BYTES; at < bytes.length; at += HASH_BYTES)
    path.push(bytes.subarray(at, at + HASH_BYTES));
  return { leafHash: bytes.subarray(0, HASH_BYTES), path };
}
