/** Finding the proof of a leaf: in a copy that this node holds, else at any peer that has one. */
import { isProtocolError } from '../../protocol/fault.ts';
import { type LeafProof } from '../../protocol/verdict/cut-off.ts';
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

/** Proofs that are asked for at once: one liar among the mirrors must not decide. */
const ASKED_AT_ONCE = 3;

export class LeafFinder {
  readonly #modules: LeafFinderModules;

  constructor(modules: LeafFinderModules) {
    this.#modules = modules;
  }

  /** Unproven proofs from the first mirrors that answer; empty if none does. Never rejects. */
  async find(place: LeafPlace): Promise<FoundProof[]> {
    const own = await this.#unlessMissing(() => this.#fromOwnCopy(place));
    if (own !== undefined) return [own];
    const { client } = this.#modules;
    const peers = client.peers();
    for (let at = 0; at < peers.length; at += ASKED_AT_ONCE) {
      const asked = peers.slice(at, at + ASKED_AT_ONCE);
      const answers = await Promise.all(
        asked.map((peer) => this.#unlessMissing(() => client.ask(peer, { kind: 'leaf', ...place }))),
      );
      const found = answers.filter((answer) => answer !== undefined);
      if (found.length > 0) return found;
    }
    return [];
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
