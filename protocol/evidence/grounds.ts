/** Whose keys signed what evidence holds: by the root's own word, which comes with it, and the fingerprint that the reader pinned. Spec: SPEC.md 18.2. */
import { equalBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { attestationMessage, type Attestation } from '../code/attestation.ts';
import { COSIGNATURE, ED25519, makeVerifierKey, type VerifierKey } from '../log/verifier-key.ts';
import { witnessName } from '../log/origin.ts';
import { type SignedHead } from '../lookup/head.ts';
import { keyIdOf } from '../signature/key-id.ts';
import { TrustFold } from '../trust/fold.ts';
import { parseEntry } from '../trust/statement.ts';
import { type TrustKey, type TrustState } from '../trust/trust-state.ts';
import { type TrustModules } from '../trust/verify-statement.ts';

/** Whether the reader knows the region by the root with this fingerprint (32 bytes). */
export type KnowsRoot = (region: string, fingerprint: Uint8Array) => boolean;

const HOUR_S = 3_600;

/** A region and the keys that its root named. */
export class Ground {
  readonly region: string;
  readonly network: string;
  /** The `root` of version 1 that the reader knows, as the trust log has it at index 0. */
  readonly rootEntry: Uint8Array;
  readonly #state: TrustState;
  readonly #modules: TrustModules;

  private constructor(state: TrustState, rootEntry: Uint8Array, modules: TrustModules) {
    this.region = state.region;
    this.network = state.network;
    this.rootEntry = rootEntry;
    this.#state = state;
    this.#modules = modules;
  }

  /**
   * Folds the statements as if they were a trust log of their own: the root's word on keys leans on nothing else. `forFolding` is by what, if not by
   * `modules`, which the ground verifies signatures with thereafter.
   * @throws {ProtocolError} EVIDENCE_MALFORMED unless they are `root` and `keys` statements and begin with a root of version 1;
   * the code of the finding if one has no effect; PIN_MISMATCH if the reader knows another root of that region, or none.
   */
  static of(
    statements: readonly Uint8Array[],
    knowsRoot: KnowsRoot,
    modules: TrustModules,
    forFolding = modules,
  ): Ground {
    const read = statements.map((bytes) => parseEntry(bytes).statement);
    const [first] = read;
    const [rootEntry] = statements;
    if (
      rootEntry === undefined ||
      first?.kind !== 'root' ||
      !read.every(({ kind }) => kind === 'root' || kind === 'keys')
    ) {
      throw new ProtocolError(
        'EVIDENCE_MALFORMED',
        'expected a root, and statements of roots and keys alone',
      );
    }
    const { region, network } = first;
    const fold = new TrustFold({ region, network }, forFolding);
    for (const bytes of statements) {
      const finding = fold.append(bytes);
      if (finding !== undefined)
        throw new ProtocolError(finding.code, finding.reason, { index: finding.index });
    }
    const { state } = fold;
    if (state.fingerprint === undefined || !knowsRoot(region, state.fingerprint)) {
      throw new ProtocolError('PIN_MISMATCH', `the root of ${region} is none that is known`);
    }
    return new Ground(state, rootEntry, modules);
  }

  /** The keys that sign checkpoints of a log of the region, whatever their windows: a checkpoint has no time. */
  logKeys(origin: string): VerifierKey[] {
    return this.#verifierKeys('checkpoint', origin, ED25519);
  }

  witnessKeys(): VerifierKey[] {
    return this.#verifierKeys('witness', this.witnessName, COSIGNATURE);
  }

  get witnessName(): string {
    return witnessName(this.region, this.network);
  }

  /** Whether a witness key of these bytes was in force. */
  isWitnessKeyAt(publicKey: Uint8Array, atS: number): boolean {
    const isIt = (key: TrustKey) => equalBytes(key.publicKey, publicKey) && isInForce(key, atS);
    return this.#state.keysWithRole('witness').some(isIt);
  }

  /**
   * Proves that an attest key in force in that hour signed the attestation.
   * @throws {ProtocolError} EVIDENCE_UNFOUNDED for one of another region, or by no such key; SIGNATURE_INVALID.
   */
  verifyAttestation(attestation: Attestation): void {
    const { region, keyId, hour, signature } = attestation;
    const key = this.#state.key(keyId);
    if (region !== this.region || key?.role !== 'attest' || !isInForce(key, HOUR_S * hour)) {
      throw new ProtocolError(
        'EVIDENCE_UNFOUNDED',
        `no attest key ${keyId} of ${this.region} in hour ${hour}`,
      );
    }
    const message = attestationMessage(attestation, this.network);
    if (this.#modules.verifySignature({ publicKey: key.publicKey, message, signature })) return;
    throw new ProtocolError('SIGNATURE_INVALID', 'expected a good signature on an attestation', { keyId });
  }

  /**
   * Requires that a head is of this region, and by a trust-log key that was in force then.
   * @throws {ProtocolError} EVIDENCE_UNFOUNDED
   */
  requireHead({ head, publicKey }: SignedHead): void {
    const key = this.#state.key(keyIdOf(this.#modules.sha256, publicKey));
    const isBy = key?.role === 'trust-log' && isInForce(key, head.at) && equalBytes(key.publicKey, publicKey);
    if (!isBy || head.region !== this.region || head.network !== this.network) {
      throw new ProtocolError('EVIDENCE_UNFOUNDED', `no trust-log key of ${this.region} signed such a head`);
    }
  }

  #verifierKeys(
    role: TrustKey['role'],
    name: string,
    algorithm: typeof ED25519 | typeof COSIGNATURE,
  ): VerifierKey[] {
    const { sha256 } = this.#modules;
    return this.#state
      .keysWithRole(role)
      .map(({ publicKey }) => makeVerifierKey(sha256, { name, algorithm, publicKey }));
  }
}

function isInForce({ fromS, untilS }: TrustKey, atS: number): boolean {
  return fromS <= atS && atS < untilS;
}
