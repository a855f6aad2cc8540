/**
 * Buckets for whoever asks: those of the own tables, and as a mirror those of other regions, fetched once and kept while there is room. A
 * bucket is named by the tree that it is a leaf of, so that no mirror can give another one, nor an older one than was asked for.
 */
import { isProtocolError, type ProtocolError } from '../../protocol/fault.ts';
import { verifyBucket } from '../../protocol/lookup/head.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Clock, type Network } from '../ports.ts';
import { type HeadBook } from './head-book.ts';
import { inTime } from './in-time.ts';
import {
  type BucketPlace,
  bucketName,
  encodeLookupRequest,
  LOOKUP_PROTOCOL,
  parseBucketAnswer,
  type ProvenBucket,
} from './messages.ts';
import { type TablePress } from './table-press.ts';

/** Buckets of others that are kept: at most 32 MiB. Those that were not asked for longest go first. */
const KEPT_MAX = 512;
/** Buckets that are being fetched for others at the same time; more are not to be had here. */
const FETCHING_MAX = 32;
const ANSWER_MS_MAX = 800;

export interface BucketShelfModules {
  readonly network: Network;
  readonly sha256: Sha256;
  readonly clock: Pick<Clock, 'wait'>;
  readonly press: Pick<TablePress, 'bucket'>;
  readonly heads: Pick<HeadBook, 'holds'>;
  /** Connected nodes of a region that are not this one, in no particular order. */
  readonly nodesOf: (region: string) => readonly string[];
  /** A region that announces numbers, by what this node knows. */
  readonly isAnnouncing: (region: string) => boolean;
  /** What no honest peer sends. */
  readonly onFault: (peer: string, fault: ProtocolError) => void;
}

export class BucketShelf {
  readonly #home: string;
  readonly #modules: BucketShelfModules;
  readonly #kept = new RecentMap<ProvenBucket>(KEPT_MAX);
  readonly #fetching = new Map<string, Promise<ProvenBucket | undefined>>();

  constructor({ region }: { readonly region: string }, modules: BucketShelfModules) {
    this.#home = region;
    this.#modules = modules;
  }

  /** A bucket of its own tables, or one that is kept. */
  held(place: BucketPlace): ProvenBucket | undefined {
    const own = place.region === this.#home ? this.#modules.press.bucket(place) : undefined;
    return own ?? this.#kept.get(bucketName(place));
  }

  /**
   * The same, or one that its region gives; undefined where it is not to be had. Never rejects. Only trees of heads that the region has signed are asked for:
   * anybody can name another. Nor is another node of the own region asked, which would ask back.
   */
  async get(place: BucketPlace, signal: AbortSignal): Promise<ProvenBucket | undefined> {
    const { heads, isAnnouncing, nodesOf } = this.#modules;
    const { region } = place;
    const held = this.held(place);
    const isFetched = region !== this.#home && isAnnouncing(region) && heads.holds(place);
    if (held !== undefined || !isFetched) return held;
    return this.#fetchOnce(place, nodesOf(region), signal);
  }

  /** The same from one of these peers, in their order, whoever they are of. Who gives what is not proven is told of. */
  async fetch(
    place: BucketPlace,
    peers: readonly string[],
    signal: AbortSignal,
  ): Promise<ProvenBucket | undefined> {
    for (const peer of peers) {
      const found = await this.#ask(peer, place, signal).catch((error: unknown) => {
        if (isProtocolError(error)) this.#modules.onFault(peer, error);
        return undefined;
      });
      if (found === undefined) continue;
      this.#kept.set(bucketName(place), found);
      return found;
    }
    return undefined;
  }

  async #fetchOnce(place: BucketPlace, peers: readonly string[], signal: AbortSignal) {
    const name = bucketName(place);
    const before = this.#fetching.get(name);
    if (before !== undefined) return before;
    if (this.#fetching.size >= FETCHING_MAX) return undefined;
    const fetching = this.fetch(place, peers, signal).finally(() => this.#fetching.delete(name));
    this.#fetching.set(name, fetching);
    return fetching;
  }

  /** A proven bucket; undefined where the peer has none, or does not answer in time. Rejects where it does not answer, or what it gives is not proven. */
  async #ask(peer: string, place: BucketPlace, signal: AbortSignal): Promise<ProvenBucket | undefined> {
    const { network, sha256, clock } = this.#modules;
    const request = encodeLookupRequest({ kind: 'bucket', ...place });
    const bytes = await inTime(clock, ANSWER_MS_MAX, signal, (within) =>
      network.request(peer, LOOKUP_PROTOCOL, request, within),
    );
    const answer = bytes && parseBucketAnswer(bytes);
    if (answer !== undefined) verifyBucket(sha256, place, { bucket: place.bucket, ...answer });
    return answer;
  }
}
