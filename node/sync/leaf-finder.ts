/** Finding the proof of a leaf: in a copy that this node holds, else at any peer that has one. */
import { isProtocolError } from '../../protocol/fault.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { leadsTo } from '../../protocol/verdict/cut-off.ts';
import { LogView } from '../log/log-view.ts';
import { isNodeError } from '../node-error.ts';
import { PeerPlaces, shareByName } from '../peer-places.ts';
import { type Clock } from '../ports.ts';
import { type FoundProof, type LeafPlace } from '../verdicts/leaf-proofs.ts';
import { type SyncClient } from './sync-client.ts';
import { PEERS_MAX } from './sync-limits.ts';
import { type ServedLog } from './sync-server.ts';

export interface LeafFinderModules {
  readonly sha256: Sha256;
  readonly client: SyncClient;
  readonly clock: Clock;
  readonly logs: () => ReadonlyMap<string, ServedLog>;
}

/** Peers that are asked at once, where none is known to have it or the one that is does not answer. */
const ASKED_AT_ONCE = 3;
/** Milliseconds for which it alone is waited for: a round trip around the earth. Three answers to each question would be twice too many in an emergency. */
const ALONE_MS = 250;

/** Questions that one peer has not answered yet: of what another one has proven meanwhile an answer may still be awaited. Beyond them others are asked. */
const UNANSWERED = { ofPeer: 32, ofRegion: 32, ofInvited: 0, ofAll: 32 * PEERS_MAX } as const;

/** Logs of which is remembered who proved something of them, and how many peers of each. */
const LOGS_MAX = 1_024;
const PROVERS_MAX = 3;

export class LeafFinder {
  readonly #modules: LeafFinderModules;
  readonly #unanswered = new PeerPlaces(UNANSWERED);
  /** By the origin of a log the peers that proved something of it when they were asked last. */
  readonly #provers = new RecentMap<readonly string[]>(LOGS_MAX);

  constructor(modules: LeafFinderModules) {
    this.#modules = modules;
  }

  /**
   * A proof that leads to the root of the place, wherever it is; liars among the mirrors and those that are silent only take time, until another one
   * has proven something of the log. Those that have are asked in turn. Undefined if nobody has one. Never rejects.
   */
  async find(place: LeafPlace): Promise<FoundProof | undefined> {
    const own = await this.#proven(place, () => this.#fromOwnCopy(place));
    if (own !== undefined) return own;
    const peers = this.#modules.client.peers();
    const provers = this.#proversOf(place).filter((peer) => peers.includes(peer));
    let asked: Promise<FoundProof | undefined>[] = [];
    for (const peer of new Set([...provers, ...peers])) {
      const release = this.#unanswered.take(peer, shareByName(peer));
      if (release === undefined) continue;
      asked.push(this.#ask(peer, place).finally(release));
      const isAlone = peer === provers[0];
      if (!isAlone && asked.length < ASKED_AT_ONCE) continue;
      const found = await (isAlone ? this.#soon(firstOf(asked)) : firstOf(asked));
      if (found !== undefined) return found;
      if (!isAlone) asked = [];
    }
    return firstOf(asked);
  }

  /** Another one first for each leaf, so that each is asked for its part. */
  #proversOf({ origin, index }: LeafPlace): readonly string[] {
    const provers = this.#provers.get(origin) ?? [];
    const first = provers.length === 0 ? 0 : index % provers.length;
    return [...provers.slice(first), ...provers.slice(0, first)];
  }

  /** Undefined also if it is not found soon. */
  async #soon(found: Promise<FoundProof | undefined>): Promise<FoundProof | undefined> {
    const over = new AbortController();
    const late = this.#modules.clock.wait(ALONE_MS, over.signal).then(
      () => undefined,
      () => undefined,
    );
    try {
      return await Promise.race([found, late]);
    } finally {
      over.abort();
    }
  }

  async #ask(peer: string, place: LeafPlace): Promise<FoundProof | undefined> {
    const { origin, index, size } = place;
    const { client } = this.#modules;
    const found = await this.#proven(place, () => client.ask(peer, { kind: 'leaf', origin, index, size }));
    const known = this.#provers.get(origin) ?? [];
    if (known.includes(peer) !== (found !== undefined)) {
      const others = known.filter((other) => other !== peer);
      this.#provers.set(origin, found === undefined ? others : [peer, ...others].slice(0, PROVERS_MAX));
    }
    return found;
  }

  /** What was found, if it leads to the root of the place. */
  async #proven(
    { index, size, root }: LeafPlace,
    look: () => Promise<FoundProof | undefined>,
  ): Promise<FoundProof | undefined> {
    const found = await this.#unlessMissing(look);
    const { sha256 } = this.#modules;
    return found !== undefined && leadsTo(sha256, { ...found, index, size }, root) ? found : undefined;
  }

  async #fromOwnCopy({ origin, index, size }: LeafPlace): Promise<FoundProof | undefined> {
    const tree = this.#modules.logs().get(origin)?.tree;
    if (tree === undefined) return undefined;
    const path = await new LogView(tree, this.#modules).inclusionProof({ index, size });
    const [leafHash] = await tree.reader.leafHashes(index, index + 1);
    return leafHash && { leafHash, path };
  }

  async #unlessMissing<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await look();
    } catch (error) {
      if (isProtocolError(error) || isNodeError(error)) return undefined;
      throw error;
    }
  }
}

/** What is found first, whoever else has not answered yet; undefined once all have and nobody found it. */
function firstOf<T>(asked: readonly Promise<T | undefined>[]): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    for (const one of asked)
      one.then((found) => {
        if (found !== undefined) resolve(found);
      }, reject);
    Promise.all(asked).then(() => resolve(undefined), reject);
  });
}
