/**
 * What an own attestation log takes from others: attestations of this region alone, each at its index. Whoever has stolen the checkpoint key alone can sign trees
 * of anything else, and what the region once took, its next key would sign too: that proves to anybody that it contradicts itself. Spec: SPEC.md 14.5.1.
 */
import { attestationMessage, type Attestation } from '../../protocol/code/attestation.ts';
import { AttestationSeries } from '../../protocol/code/attestation-series.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { TRUST_KEPT_S } from '../../protocol/limits.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type VerifySignature } from '../../protocol/primitives.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Piece } from '../log/replica.ts';
import { NodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';

export interface OwnLeavesModules {
  readonly verifySignature: VerifySignature;
  readonly clock: Pick<Clock, 'wait'>;
  /** The region of a peer; undefined for one of no region that counts. */
  readonly regionOf: (peer: string) => string | undefined;
  /** What the region's own trust log says, once it is open. */
  readonly state: () => TrustState | undefined;
  /** Told of each entry that is refused, once. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** Entries after which others get a turn: some 10 ms of checking. */
const SLICE = 256;
const HOUR_S = 3_600;

export class OwnLeaves {
  readonly #origin: string;
  readonly #modules: OwnLeavesModules;
  #refusal: { readonly index: number; readonly message: string } | undefined;

  /** `origin`: of an attestation log. */
  constructor(origin: string, modules: OwnLeavesModules) {
    this.#origin = origin;
    this.#modules = modules;
  }

  /** Of a log of so many entries, why the next are not taken that somebody has signed, in words. */
  refusal(size: number): string | undefined {
    return this.#refusal !== undefined && this.#refusal.index >= size ? this.#refusal.message : undefined;
  }

  /**
   * Requires that entries that a tree signed by a key of the log has from an index on are attestations of this region for their places, by its attest keys.
   * @throws {ProtocolError} ATTESTATION_MALFORMED, KEY_INVALID, SIGNATURE_INVALID: nothing of them is to be taken.
   */
  readonly vet = async (entries: readonly Uint8Array[], from: number, by: Piece['by']): Promise<void> => {
    const series = new AttestationSeries();
    let index = from;
    for (const entry of entries) {
      try {
        this.#require(series.read(entry), index);
      } catch (error) {
        if (isProtocolError(error)) this.#tell(index, by);
        throw error;
      }
      if (++index % SLICE === 0) await this.#modules.clock.wait(0);
    }
  };

  #require(attestation: Attestation, index: number): void {
    const parsed = parseOrigin(this.#origin);
    const { region, log, hour, keyId, signature } = attestation;
    const isOfLog = parsed.kind === 'attest' && region === parsed.region && log === parsed.log;
    if (!isOfLog || attestation.index !== index)
      throw new ProtocolError('ATTESTATION_MALFORMED', `expected entry ${index} of ${this.#origin}`);
    const state = this.#modules.state();
    const key = state?.key(keyId);
    // One that is long over the state may have forgotten: it cannot be asked about any more.
    if (key === undefined && state !== undefined && HOUR_S * hour + TRUST_KEPT_S < state.lastAtS) return;
    if (key?.role !== 'attest')
      throw new ProtocolError('KEY_INVALID', `entry ${index} of ${this.#origin} is by no known attest key`);
    const message = attestationMessage(attestation, parsed.network);
    if (!this.#modules.verifySignature({ publicKey: key.publicKey, message, signature }))
      throw new ProtocolError('SIGNATURE_INVALID', `entry ${index} of ${this.#origin} has a bad signature`);
  }

  #tell(index: number, by: string | undefined): void {
    if (this.#refusal?.index === index) return;
    const giver = by === undefined ? undefined : (this.#modules.regionOf(by) ?? by);
    const message = `entry ${index} of ${this.#origin}, as ${giver ?? 'somebody'} gives it under our signature, is no attestation by a key of this region that is known here: nothing of that is taken`;
    this.#refusal = { index, message };
    const hint =
      'Unless the trust log here lacks entries too, a checkpoint key is stolen: give it up with `entente key compromise`, with the logs as they stand here.';
    this.#modules.onTrouble?.(new NodeError('DATA_INCONSISTENT', message, { hint }));
  }
}
