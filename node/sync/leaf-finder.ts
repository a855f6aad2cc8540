/** Finding the proof of a leaf: in a copy that this node holds, else at any peer that has one. */
import { isProtocolError } from '../../protocol/fault.ts';
import { leadsTo, type LeafProof } from '../../protocol/verdict/cut-off.ts';
import { LogView } from '../log/log-view.ts';
import { isNodeError } from '../node-error.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type LeafPlace } from '../verdicts/verdict-service.ts';
import { type SyncClient } from './sync-client.ts';
import { type ServedLog } from './sync-server.ts';

export interface LeafFinderModules {
  readonly sha256: Sha256;
  readonly client: SyncClient;
  readonly logs: () => ReadonlyMap<string, ServedLog>;
}

type FoundProof = Pick<LeafProof, 'leafHash' | 'path'>;

/** Peers that are asked at once. */
const ASKED_AT_ONCE = 3;

export class LeafFinder {
  readonly #modules: LeafFinderModules;

  constructor(modules: LeafFinderModules) {
    this.#modules = modules;
  }

  /** A proof that leads to the root of the place, wherever it is; liars among the mirrors only take time. Undefined if nobody has one. Never rejects. */
  async find(place: LeafPlace): Promise<FoundProof | undefined> {
    const { origin, index, size, root } = place;
    const { client, sha256 } = this.#modules;
    const isProven = (found: FoundProof | undefined): found is FoundProof =>
      found !== undefined && leadsTo(sha256, { ...found, index, size }, root);
    const own = await this.#unlessMissing(() => this.#fromOwnCopy(place));
    if (isProven(own)) return own;
    const peers = client.peers();
    for (let at = 0; at < peers.length; at += ASKED_AT_ONCE) {
      const answers = await Promise.all(
        peers
          .slice(at, at + ASKED_AT_ONCE)
          .map((peer) => this.#unlessMissing(() => client.ask(peer, { kind: 'leaf', origin, index, size }))),
      );
      const proven = answers.find(isProven);
      if (proven !== undefined) return proven;
    }
    return undefined;
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
