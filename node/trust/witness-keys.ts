/** The witness keys of all regions that a node has a trust state of, by what a line of a note says of its key. */
import { witnessName } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { COSIGNATURE, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';

export interface WitnessKey {
  readonly region: string;
  /** As in the trust state. */
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

  constructor(states: Iterable<TrustState>, sha256: Sha256) {
    for (const state of states) {
      const { region, network } = state;
      const name = witnessName(region, network);
      for (const { keyId, publicKey, fromS, untilS, compromise } of state.keysWithRole('witness')) {
        const verifier = makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey });
        const others = this.#byId.get(verifier.keyId) ?? [];
        const isGivenUp = compromise !== undefined;
        const key = { region, keyId, verifier, fromS, untilS, isGivenUp };
        this.#byId.set(verifier.keyId, [...others, key]);
      }
    }
  }

  /** The keys that a line may be by: mostly one, none if it is not known. */
  of({ name, keyId }: NoteSignature): readonly WitnessKey[] {
    return this.#byId.get(keyId)?.filter(({ verifier }) => verifier.name === name) ?? [];
  }
}
