/**
 * Holds codes that were shown against the logs that this node has, its own ones and its copies. One that its log does not have was signed by a
 * thief of the key, or by a region that lies: the operator hears of that, and makes evidence if the holder agrees. Nothing of it is told to
 * anybody else, and nothing but counts is kept, in memory alone. Spec: SPEC.md 14.6.
 */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { type Attestation } from '../../protocol/code/attestation.ts';
import { leafHash, verifyInclusion } from '../../protocol/log/merkle.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type LogTree } from '../log/log-tree.ts';
import { LogView } from '../log/log-view.ts';
import { NodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';

export interface LeafWatchOptions {
  readonly region: string;
  readonly network: string;
}

export interface LeafWatchModules extends Primitives {
  readonly clock: Clock;
  /** By origin. */
  readonly logs: () => ReadonlyMap<string, { readonly tree: LogTree }>;
  readonly stateOf: (region: string) => TrustState | undefined;
  /** Whether nobody but this node adds to its own log of this name, of which nothing is missing here. */
  readonly isWriting: (origin: string) => boolean;
  /** Does work that nobody waits for. Must not throw. */
  readonly run: (work: () => Promise<void>) => void;
  /** Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

/** Codes that are looked at in a second, of those that a key has signed: each is a read of the disk. Of more than that the rest goes unlooked at. */
const LOOKS_PER_S = 64;
/** Codes that are counted once, however often they are shown. */
const COUNTED_MAX = 1_024;
const HOUR_S = 3_600;

export class LeafWatch {
  readonly #options: LeafWatchOptions;
  readonly #modules: LeafWatchModules;
  readonly #unlogged = new Map<string, number>();
  readonly #counted = new RecentMap<object>(COUNTED_MAX);
  #second = 0;
  #looks = 0;

  constructor(options: LeafWatchOptions, modules: LeafWatchModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** By region, how many of its codes were shown since the start that its log does not have. */
  get unlogged(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#unlogged);
  }

  /** A code with this attestation was shown, which a key of its region, whatever became of that, has signed. */
  readonly hold = (attestation: Attestation): void => {
    const { region, log } = attestation;
    const origin = attestationLogOrigin(region, this.#options.network, log);
    const tree = this.#modules.logs().get(origin)?.tree;
    if (tree !== undefined && this.#isByKeyInForce(attestation) && this.#isAllowed())
      this.#modules.run(() => this.#look(attestation, tree));
  };

  async #look(attestation: Attestation, tree: LogTree): Promise<void> {
    const { sha256, onTrouble } = this.#modules;
    const { region, bytes } = attestation;
    const leaf = leafHash(sha256, bytes);
    if (!(await this.#isMissing(attestation, leaf, tree))) return;
    const name = hexOf(leaf);
    if (this.#counted.get(name) !== undefined) return;
    this.#counted.set(name, {});
    this.#unlogged.set(region, (this.#unlogged.get(region) ?? 0) + 1);
    const hint =
      region === this.#options.region
        ? 'Unless it is of a tree of the log that the root gave up, an attest key is stolen: give that up with `entente key compromise`.'
        : 'Hold such a code against the log with `entente evidence code`, and tell its region.';
    const message = `a code of ${region} was shown that its log does not have, though its key has signed it`;
    onTrouble(new NodeError('DATA_INCONSISTENT', message, { hint }));
  }

  /** Whether the signed tree has another leaf there; or, of an own log, no leaf yet, since a code is given out once it is logged. */
  async #isMissing({ region, index }: Attestation, leaf: Uint8Array, tree: LogTree): Promise<boolean> {
    const { signed, minimum } = tree.head;
    const { sha256, isWriting } = this.#modules;
    if (signed === undefined || index >= signed.size)
      return region === this.#options.region && isWriting(tree.origin);
    if (index < minimum) return false;
    const [held] = await tree.reader.leafHashes(index, index + 1);
    if (held === undefined || equalBytes(held, leaf)) return false;
    // A damaged copy says nothing of the region.
    const { size, root } = signed;
    const path = await new LogView(tree, this.#modules).inclusionProof({ index, size });
    verifyInclusion(sha256, { index, size, root, leafHash: held, path });
    return true;
  }

  #isByKeyInForce({ region, keyId, hour }: Attestation): boolean {
    const key = this.#modules.stateOf(region)?.key(keyId);
    const atS = HOUR_S * hour;
    return key?.role === 'attest' && key.compromise === undefined && atS >= key.fromS && atS < key.untilS;
  }

  #isAllowed(): boolean {
    const second = Math.floor(this.#modules.clock.runMs() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#looks = 0;
    }
    return ++this.#looks <= LOOKS_PER_S;
  }
}
