/** The keys that a region ever had, as its trust log told of them: an audit looks back further than any state does. */
import {
  type CutOff,
  type KeyRole,
  type TrustKey,
  type TrustState,
} from '../../protocol/trust/trust-state.ts';

/** A key as the check of an attestation needs it, in a form that another thread can be told. */
export interface AttestKey {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly role: KeyRole;
  readonly fromS: number;
  readonly untilS: number;
  /** Where it is compromised: attestations at or above it count no more. */
  readonly cutOffSize?: number;
}

export class KeyBook {
  readonly #keys = new Map<string, TrustKey>();

  /** To be called whenever keys were admitted or given up, since states forget keys that are long over. */
  learn(state: TrustState): void {
    for (const role of ['attest', 'checkpoint', 'trust-log', 'witness'] as const) {
      for (const key of state.keysWithRole(role)) this.#keys.set(key.keyId, key);
    }
  }

  withId(keyId: string): TrustKey | undefined {
    return this.#keys.get(keyId);
  }

  withRole(role: KeyRole): TrustKey[] {
    return [...this.#keys.values()].filter((key) => key.role === role);
  }

  /** All keys by their ids, as they count for the attestation log of this id. */
  forLog(log: string): Map<string, AttestKey> {
    const keys = new Map<string, AttestKey>();
    for (const { keyId, publicKey, role, fromS, untilS, compromise } of this.#keys.values()) {
      const cutOff = compromise && { cutOffSize: compromise.cutOffs.get(log)?.size ?? 0 };
      keys.set(keyId, { keyId, publicKey, role, fromS, untilS, ...cutOff });
    }
    return keys;
  }

  /** The trees that compromises name of a log, by the id of the key. */
  cutOffs(log: string): [keyId: string, cutOff: CutOff][] {
    return [...this.#keys.values()].flatMap(({ keyId, compromise }) => {
      const cutOff = compromise?.cutOffs.get(log);
      return cutOff === undefined ? [] : [[keyId, cutOff] as [string, CutOff]];
    });
  }
}
