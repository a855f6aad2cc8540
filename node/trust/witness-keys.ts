/** The witness keys of all regions that a node has a trust state of, and of witnesses outside that its policy names, by what a line of a note says of its key. */
import { witnessName } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { COSIGNATURE, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';

export interface WitnessKey {
  /** Undefined of a witness that is no region. */
  readonly region: string | undefined;
  /** As in the trust state, or as it would stand there. */
  readonly keyId: string;
  readonly verifier: VerifierKey;
  readonly fromS: number;
  readonly untilS: number;
  /** Its root has given it up: what it signed is known and does not count. */
  readonly isGivenUp: boolean;
}

/** An immutable value. */
export class WitnessKeys {
  /** By key id: another name may have the same. */
  readonly #byId = new Map<number, WitnessKey[]>();
  readonly #policy: WitnessPolicy | undefined;

  constructor(states: Iterable<TrustState>, sha256: Sha256, policy?: WitnessPolicy) {
    this.#policy = policy;
    for (const verifier of policy?.outside ?? []) {
      const keyId = keyIdOf(sha256, verifier.publicKey);
      this.#add({ region: undefined, keyId, verifier, fromS: 0, untilS: Infinity, isGivenUp: false });
    }
    for (const state of states) {
      const { region, network } = state;
      const name = witnessName(region, network);
      for (const { keyId, publicKey, fromS, untilS, compromise } of state.keysWithRole('witness')) {
        const verifier = makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey });
        this.#add({ region, keyId, verifier, fromS, untilS, isGivenUp: compromise !== undefined });
      }
    }
  }

  #add(key: WitnessKey): void {
    const { keyId } = key.verifier;
    this.#byId.set(keyId, [...(this.#byId.get(keyId) ?? []), key]);
  }

  /** Whether verdicts here go by the line of a witness with this name, so that it has a place before those of others. */
  isAsked(name: string): boolean {
    return this.#policy?.asksFor(name) === true;
  }

  /** The keys that a line may be by: mostly one, none if it is not known. */
  of({ name, keyId }: NoteSignature): readonly WitnessKey[] {
    return this.#byId.get(keyId)?.filter(({ verifier }) => verifier.name === name) ?? [];
  }
}
