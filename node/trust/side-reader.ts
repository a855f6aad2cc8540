/** What the notes on both sides of a fork prove: read once as long as no trust state changes, since they are asked for with every change. */
import { isProtocolError } from '../../protocol/fault.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { CheckpointReader } from '../../protocol/verdict/checkpoint-reader.ts';
import { type RegionKnowledge } from '../../protocol/verdict/knowledge.ts';

export class SideReader {
  readonly #primitives: Primitives;
  readonly #outside: readonly VerifierKey[];
  #states: readonly TrustState[] = [];
  /** By note, of which each log has a few: undefined for one that proves nothing. */
  readonly #read = new Map<Uint8Array, RegionKnowledge | undefined>();

  /** `outside` as of `CheckpointReader`. */
  constructor(primitives: Primitives, outside: readonly VerifierKey[] = []) {
    this.#primitives = primitives;
    this.#outside = outside;
  }

  /** As `CheckpointReader.knowledgeOf` by the keys in `states`, of which `state` is one; undefined where that throws a fault. */
  knowledgeOf(
    states: readonly TrustState[],
    state: TrustState,
    note: Uint8Array,
  ): RegionKnowledge | undefined {
    const isSame = states.length === this.#states.length && states.every((one, i) => one === this.#states[i]);
    if (!isSame) {
      this.#states = states;
      this.#read.clear();
    }
    if (!this.#read.has(note)) this.#read.set(note, this.#knowledgeOf(state, note));
    return this.#read.get(note);
  }

  #knowledgeOf(state: TrustState, note: Uint8Array): RegionKnowledge | undefined {
    try {
      return new CheckpointReader(this.#states, this.#primitives, this.#outside).knowledgeOf(state, note);
    } catch (error) {
      if (isProtocolError(error)) return undefined;
      throw error;
    }
  }
}
