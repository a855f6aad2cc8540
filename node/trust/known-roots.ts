/**
 * Which roots of a region a node has seen in force, kept in the second place: so that after the loss of its store nobody who holds a root
 * that was replaced since can tell it what the region has given up.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { encodeCbor } from '../../protocol/encoding/cbor.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { isNodeError } from '../node-error.ts';
import { type SecondPlace } from '../ports.ts';

export interface KnownRootsModules {
  readonly secondPlace: SecondPlace;
  readonly sha256: Sha256;
}

/** Where the second place has them: a mark whose size is a version, and whose root is over all roots up to that. */
export function rootsPlace(origin: string): string {
  return `roots:${origin}`;
}

export class KnownRoots {
  readonly #origin: string;
  readonly #modules: KnownRootsModules;
  /** The version that was looked at last. */
  #version = 0;

  constructor(origin: string, modules: KnownRootsModules) {
    this.#origin = origin;
    this.#modules = modules;
  }

  /** Whether a state has all roots that are known, and any are. Rejects as reading the second place. */
  async areIn(state: TrustState): Promise<boolean> {
    const known = await this.#modules.secondPlace.read(rootsPlace(this.#origin));
    if (known === undefined) return false;
    const digest = this.#digestOf(state, known.size);
    return digest !== undefined && equalBytes(digest, known.root);
  }

  /** The version of the latest that is known, 0 if none is. Rejects as `areIn`. */
  async version(): Promise<number> {
    return (await this.#modules.secondPlace.read(rootsPlace(this.#origin)))?.size ?? 0;
  }

  /** Keeps the roots of a state, if they go on from those that are known. A second place that takes nothing now is tried again. */
  async learn(state: TrustState): Promise<void> {
    const version = state.root?.version ?? 0;
    if (version <= this.#version) return;
    const { secondPlace } = this.#modules;
    const place = rootsPlace(this.#origin);
    try {
      const known = await secondPlace.read(place);
      const root = this.#digestOf(state, version);
      if (root === undefined) return;
      if (known === undefined || (known.size < version && (await this.areIn(state))))
        await secondPlace.raise(place, { size: version, root, note: new Uint8Array() });
      this.#version = version;
    } catch (error) {
      if (!isNodeError(error)) throw error;
    }
  }

  #digestOf(state: TrustState, version: number): Uint8Array | undefined {
    const roots = Array.from({ length: version }, (_, i) => state.rootOf(i + 1));
    const forms = roots.flatMap((root) =>
      root === undefined ? [] : [[root.threshold, ...root.keys.map(({ publicKey }) => publicKey)]],
    );
    return forms.length === version ? this.#modules.sha256(encodeCbor(forms)) : undefined;
  }
}
