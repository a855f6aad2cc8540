/** Verdicts of a node: on the trust of the moment, with the leaf proofs that a compromised key makes necessary. */
import { type Attestation } from '../../protocol/code/attestation.ts';
import { parseCode, type ParsedCode } from '../../protocol/code/code.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type LeafProof } from '../../protocol/verdict/cut-off.ts';
import { AnnouncedCodes } from '../../protocol/foreign/announced-codes.ts';
import { refuseUnread } from '../../protocol/foreign/refuse-unread.ts';
import { verifyAnnounced } from '../../protocol/foreign/verify-announced.ts';
import { foreignFormatOf } from '../../protocol/foreign/verify-foreign.ts';
import { verifyLocal } from '../../protocol/foreign/verify-local.ts';
import { areLeanedOn, numberAnnouncers } from '../../protocol/lookup/announced-numbers.ts';
import { numberOrLocal } from '../../protocol/lookup/judge-number.ts';
import { acceptanceByTrust } from '../../protocol/rules/acceptance-by-trust.ts';
import { checksOf, judge } from '../../protocol/verdict/judge.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import {
  type Acceptance,
  type CodeReference,
  type Verdict,
  type VerdictContext,
} from '../../protocol/verdict/verdict.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { type Lookup } from '../lookup/lookup.ts';
import { type Clock } from '../ports.ts';
import { LeafProofs, type LeafProofsModules } from './leaf-proofs.ts';
import { type CheckSignatures } from './signature-thread.ts';

export interface VerdictServiceModules extends Primitives, LeafProofsModules {
  readonly clock: Clock;
  readonly trust: () => Trust;
  /** Another way to check signatures than one after the other, here. */
  readonly checkSignatures?: CheckSignatures | undefined;
  /** Judges what is a mere number. */
  readonly lookup: Pick<Lookup, 'judge'>;
  /** Told of the attestation of each code that a key of its region has signed, whatever the verdict on it is. Must not throw. */
  readonly onShown?: (attestation: Attestation) => void;
}

/** A place in an attestation log, and the key that signed there, by the word of a code. */
type ClaimedPlace = Pick<CodeReference, 'region' | 'log' | 'index' | 'keyId'>;

/** Counted since the start. */
export type VerdictCounters = Readonly<Record<Verdict['outcome'], number>> & LeafProofs['counters'];

/** What follows from the trust of the moment, read once for each: the rules that recognitions name, and the adapters of regions. */
interface TrustRead {
  readonly acceptance: Acceptance;
  readonly announced: AnnouncedCodes;
}

export class VerdictService {
  readonly #modules: VerdictServiceModules;
  readonly #counters = { pass: 0, act: 0, stop: 0, undetermined: 0 };
  readonly #leaves: LeafProofs;
  #read: TrustRead | undefined;

  constructor(modules: VerdictServiceModules) {
    this.#modules = modules;
    this.#leaves = new LeafProofs(modules);
  }

  get counters(): VerdictCounters {
    return { ...this.#counters, ...this.#leaves.counters };
  }

  /**
   * The verdict on a text, whatever it is. Never rejects for what the text or a mirror says. `verifier`: the name of the enrolled one that
   * asks, for whom numbers are looked up.
   */
  async verify(text: string, context: VerdictContext, verifier?: string): Promise<Verdict> {
    const verdict = await this.#judge(text, context, verifier);
    this.#counters[verdict.outcome]++;
    return verdict;
  }

  async #judge(text: string, context: VerdictContext, verifier: string | undefined): Promise<Verdict> {
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1000);
    const trust = this.#modules.trust();
    const { acceptance, announced } = this.#readOf(trust);
    const judged = { acceptance, ...context };
    if (foreignFormatOf(text) !== undefined)
      return verifyAnnounced(nativeForeignPrimitives, text, announced, judged, nowS);
    const local = announced.mayBeLocal(text)
      ? await verifyLocal(nativeForeignPrimitives, text, { announced, context: judged, nowS })
      : undefined;
    const announcers = numberAnnouncers(trust, text, nowS);
    if (local !== undefined && (local.found === 'signed' || !areLeanedOn(trust, announcers)))
      return local.verdict;
    if (announcers.length > 0) {
      const question = { text, announcers, trust, context: judged, nowS, verifier };
      return numberOrLocal(await this.#modules.lookup.judge(question), local?.verdict);
    }
    let parsed: ParsedCode;
    try {
      parsed = parseCode(this.#modules.sha256, text);
    } catch (error) {
      if (isProtocolError(error)) return refuseUnread(text, error.fault, { trust, context: judged, nowS });
      throw error;
    }
    const { verifySignature, checkSignatures } = this.#modules;
    const checks = checksOf(parsed, trust);
    const answers = checkSignatures?.(checks) ?? checks.map(verifySignature);
    // To wait for what is there already would cost a turn.
    const results = Array.isArray(answers) ? answers : await answers;
    const verdict = judge(parsed, results, trust, judged, nowS);
    const { attestation } = parsed;
    // The first of the checks, if the key is known.
    const isSigned = results[0] === true && checks[0]?.signature === attestation.signature;
    if (isSigned) this.#modules.onShown?.(attestation);
    // What nobody's key has signed passes by no proof, and costs none.
    if (!isSigned || !verdict.reasons.some(({ code }) => code === 'PROOF_NEEDED')) return verdict;
    const proofs = await this.#proofsFor(parsed, trust);
    if (proofs.length === 0) return verdict;
    return judge(parsed, results, trust, { ...judged, proofs: [...(context.proofs ?? []), ...proofs] }, nowS);
  }

  #readOf(trust: Trust): TrustRead {
    if (this.#read?.announced.trust !== trust)
      this.#read = { acceptance: acceptanceByTrust(trust, {}), announced: new AnnouncedCodes(trust) };
    return this.#read;
  }

  /** Of the attestation and, if that is bridged, of the original: what is signed by a compromised key. */
  async #proofsFor({ attestation, status: { original } }: ParsedCode, trust: Trust): Promise<LeafProof[]> {
    const places = original === undefined || 'hashes' in original ? [attestation] : [attestation, original];
    const proofs = await Promise.all(places.map((place) => this.#proofOf(place, attestation, trust)));
    return proofs.filter((proof) => proof !== undefined);
  }

  /** The cut-off names the tree, so that a mirror can only prove what is true of it. */
  async #proofOf(
    { region, log, index, keyId }: ClaimedPlace,
    signed: Attestation,
    trust: Trust,
  ): Promise<LeafProof | undefined> {
    const cutOff = trust.regions.get(region)?.state.key(keyId)?.compromise?.cutOffs.get(log);
    if (cutOff === undefined || index >= cutOff.size) return undefined;
    const { size, root } = cutOff;
    const origin = attestationLogOrigin(region, trust.network, log);
    const proof = await this.#leaves.find({ origin, index, size, root }, signed);
    return proof && { ...proof, log, index, size };
  }
}
