/** From a signed checkpoint and the trust states of all regions to what a verifier knows of one. Spec: SPEC.md 9 and 10. */
import { type OpenedCheckpoint, openCheckpoint } from '../log/checkpoint.ts';
import { parseNote } from '../log/note.ts';
import { parseOrigin, trustLogOrigin, witnessName } from '../log/origin.ts';
import { COSIGNATURE, ED25519, makeVerifierKey, type VerifierKey } from '../log/verifier-key.ts';
import { type Primitives } from '../primitives.ts';
import { keyIdOf } from '../signature/key-id.ts';
import { type KeyRole, type TrustKey, type TrustState } from '../trust/trust-state.ts';
import { type Cosigned, type RegionKnowledge } from './knowledge.ts';

/**
 * Opens checkpoints with the keys that trust states name: those of a log by the state of its own region, cosignatures by
 * the witness keys of all, and by those of a policy that are no region's. Compromised keys are unknown here; windows are looked at when a verdict is given.
 */
export class CheckpointReader {
  readonly #primitives: Primitives;
  readonly #outside: ReadonlySet<string>;
  /** By name and key id as they stand in a line: a region has announced up to 90 keys, a note has lines for few of them. */
  readonly #witnesses = new Map<string, VerifierKey[]>();

  /** `outside`: keys of witnesses that are no region of the network, as `outsideKeys` gives them. */
  constructor(states: Iterable<TrustState>, primitives: Primitives, outside: readonly VerifierKey[] = []) {
    this.#primitives = primitives;
    this.#outside = new Set(outside.map(({ name }) => name));
    for (const key of outside) this.#add(key);
    for (const state of states) {
      const name = witnessName(state.region, state.network);
      for (const { publicKey } of uncompromised(state, 'witness')) {
        this.#add(makeVerifierKey(primitives.sha256, { name, algorithm: COSIGNATURE, publicKey }));
      }
    }
  }

  #add(key: VerifierKey): void {
    const line = lineName(key);
    this.#witnesses.set(line, [...(this.#witnesses.get(line) ?? []), key]);
  }

  /**
   * The knowledge of the region whose log `note` is a checkpoint of. `state` has to be the fold of exactly the entries under
   * it: the caller has compared size and root.
   * @throws {ProtocolError} what `openCheckpoint` throws: a malformed note, a bad line by a known key, no good one by a key of
   * the log (NOTE_UNSIGNED).
   */
  knowledgeOf(state: TrustState, note: Uint8Array): RegionKnowledge {
    const { sha256, verifySignature } = this.#primitives;
    const name = trustLogOrigin(state.region, state.network);
    const own = uncompromised(state, 'checkpoint').map(({ publicKey }) =>
      makeVerifierKey(sha256, { name, algorithm: ED25519, publicKey }),
    );
    const lines = new Set(parseNote(note).signatures.map(lineName));
    const witnesses = [...lines].flatMap((line) => this.#witnesses.get(line) ?? []);
    const opened = openCheckpoint(note, [...own, ...witnesses], verifySignature);
    const { origin, size, root, signers } = opened;
    return {
      state,
      checkpoint: { origin, size, root },
      note,
      logKeyIds: signers.map(({ publicKey }) => keyIdOf(sha256, publicKey)),
      cosignatures: this.#cosigned(opened),
      standing: 'good',
    };
  }

  /** The keys that were given have the names of witnesses. */
  #cosigned({ cosignatures }: OpenedCheckpoint): Cosigned[] {
    return cosignatures.map(({ name, publicKey, timestampS }) => ({
      region: this.#outside.has(name) ? undefined : parseOrigin(name).region,
      keyId: keyIdOf(this.#primitives.sha256, publicKey),
      timestampS,
    }));
  }
}

function lineName({ name, keyId }: Pick<VerifierKey, 'name' | 'keyId'>): string {
  return `${name} ${keyId}`;
}

function uncompromised(state: TrustState, role: KeyRole): readonly TrustKey[] {
  return state.keysWithRole(role).filter(({ compromise }) => compromise === undefined);
}
