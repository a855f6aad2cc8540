/**
 * Evidence proven: two words of one region, signed by keys that its own root named, that cannot both be true. Nobody has to be
 * believed for it, and nobody without those keys can make it. Spec: SPEC.md 18.2.
 */
import { equalBytes } from '../bytes.ts';
import { parseAttestation, type Attestation } from '../code/attestation.ts';
import { isProtocolError, ProtocolError } from '../fault.ts';
import { openCheckpoint, parseCheckpoint, type OpenedCheckpoint } from '../log/checkpoint.ts';
import { leafHash, type ProofPath, verifyInclusion } from '../log/merkle.ts';
import { parseNote } from '../log/note.ts';
import { attestationLogOrigin, parseOrigin, trustLogOrigin } from '../log/origin.ts';
import { type VerifierKey } from '../log/verifier-key.ts';
import { areOneTable, minuteOf, openLookupHead, type SignedHead } from '../lookup/head.ts';
import { type Sha256 } from '../primitives.ts';
import { keyIdOf } from '../signature/key-id.ts';
import { type TrustState } from '../trust/trust-state.ts';
import { type TrustModules } from '../trust/verify-statement.ts';
import { type Evidence, type EvidenceKind, type EvidenceOf } from './evidence.ts';
import { verifyForkEvidence } from './fork.ts';
import { Ground, type KnowsRoot } from './grounds.ts';

/** What was proven against a region. */
export interface ProvenEvidence {
  readonly kind: EvidenceKind;
  /** Whose keys contradict each other. */
  readonly region: string;
  /** The log that it is about; with `tables` the trust log, which names their keys. */
  readonly origin: string;
  /** Where the words part: the size at which two trees differ, the index of a leaf, or the minute of two tables. */
  readonly at: number;
  /** Of each word the ids of the keys that signed it. */
  readonly words: readonly (readonly string[])[];
  /** The checkpoints that it holds. */
  readonly checkpoints: readonly OpenedCheckpoint[];
}

/**
 * `forGrounds` is by what the statements that name the keys are folded: another than `modules` where their signatures were verified before.
 * @throws {ProtocolError} EVIDENCE_UNFOUNDED where nothing contradicts anything; EVIDENCE_MALFORMED for statements that are none,
 * too many or too few; what `Ground.of`, `openCheckpoint`, `verifyConsistency`, `verifyInclusion`, `parseAttestation` and `openLookupHead` throw.
 */
export function verifyEvidence(
  evidence: Evidence,
  knowsRoot: KnowsRoot,
  modules: TrustModules,
  forGrounds = modules,
): ProvenEvidence {
  return new EvidenceCheck(evidence, knowsRoot, modules, forGrounds).run();
}

/**
 * Whether a root has since given up every key behind one of the words: then a thief may have said it, and not the region. Of `cosignatures` also
 * whether the root of the log has named a branch: then a witness may have left one of the trees rightly, whoever signed it since. A region whose
 * state is not known has given up nothing. `isForgottenGivenUp` is asked of a key that a state which is known does not name, or names no more: none of
 * those is given up by default, and who has no log to look at holds the file to `isByNamedKeys` first. Spec: SPEC.md 18.2.
 */
export function isDisowned(
  { kind, region, origin, words }: Pick<ProvenEvidence, 'kind' | 'region' | 'origin' | 'words'>,
  stateOf: (region: string) => Pick<TrustState, 'key' | 'keysWithRole'> | undefined,
  isForgottenGivenUp: (region: string, keyId: string) => boolean = () => false,
): boolean {
  const state = stateOf(region);
  const isGivenUp = (keyId: string): boolean => {
    const key = state?.key(keyId);
    if (key !== undefined) return key.compromise !== undefined;
    return state !== undefined && isForgottenGivenUp(region, keyId);
  };
  if (words.some((word) => word.every(isGivenUp))) return true;
  return kind === 'cosignatures' && hasNamedBranch(stateOf(parseOrigin(origin).region));
}

/**
 * Whether each word is by a key that the state of its region names, as far as that is known, and of `cosignatures` each note by one of its log: who
 * holds a root that was replaced since can name others, and prove something to him alone who knows no more than the fingerprint.
 */
export function isByNamedKeys(
  { kind, region, origin, words, checkpoints }: Omit<ProvenEvidence, 'at'>,
  stateOf: (region: string) => Pick<TrustState, 'key'> | undefined,
  sha256: Sha256,
): boolean {
  const areNamed = (of: string, said: ProvenEvidence['words']) => {
    const state = stateOf(of);
    return state === undefined || said.every((word) => word.some((keyId) => state.key(keyId) !== undefined));
  };
  if (!areNamed(region, words)) return false;
  const notes = checkpoints.map(({ signers }) => signers.map(({ publicKey }) => keyIdOf(sha256, publicKey)));
  return kind !== 'cosignatures' || areNamed(parseOrigin(origin).region, notes);
}

/**
 * Whether the root may ever have named a branch of its trust log. The state has the last word on a key alone: one that has taken the place of another,
 * which is so from version 2 on, may have taken a cut-off for `trust` back, and a witness has left a branch by it all the same.
 */
function hasNamedBranch(state: Pick<TrustState, 'keysWithRole'> | undefined): boolean {
  return (state?.keysWithRole('checkpoint') ?? []).some(
    ({ compromise }) =>
      compromise !== undefined && (compromise.version > 1 || compromise.cutOffs.has('trust')),
  );
}

class EvidenceCheck {
  readonly #evidence: Evidence;
  readonly #modules: TrustModules;
  readonly #grounds: readonly Ground[];

  constructor(evidence: Evidence, knowsRoot: KnowsRoot, modules: TrustModules, forGrounds: TrustModules) {
    this.#evidence = evidence;
    this.#modules = modules;
    this.#grounds = evidence.grounds.map((statements) =>
      Ground.of(statements, knowsRoot, modules, forGrounds),
    );
    const regions = this.#grounds.map(({ region }) => region);
    if (regions.some((region, i) => region <= (regions[i - 1] ?? ''))) {
      throw new ProtocolError('EVIDENCE_MALFORMED', 'expected the statements of each region once, in order');
    }
  }

  run(): ProvenEvidence {
    const evidence = this.#evidence;
    switch (evidence.kind) {
      case 'fork':
        return this.#fork(evidence);
      case 'cosignatures':
        return this.#cosignatures(evidence);
      case 'leaf':
        return this.#leaf(evidence);
      case 'index':
        return this.#index(evidence);
      case 'hours':
        return this.#hours(evidence);
      case 'entry':
        return this.#entry(evidence);
      case 'tables':
        return this.#tables(evidence);
    }
  }

  #fork(evidence: EvidenceOf<'fork'>): ProvenEvidence {
    const ground = this.#only();
    const origin = originOf(evidence.sides[0].note);
    const checkpoints = verifyForkEvidence(evidence, this.#logKeys(ground, origin), this.#modules);
    const words = checkpoints.map((checkpoint) => this.#signersOf(checkpoint));
    return { kind: 'fork', region: ground.region, origin, at: evidence.size, words, checkpoints };
  }

  /**
   * A witness rightly begins anew with a region that was set up anew, and that may keep its checkpoint key. So both trees have to begin
   * with the same root, and those of attestation logs, which name none, prove nothing.
   */
  #cosignatures(evidence: EvidenceOf<'cosignatures'>): ProvenEvidence {
    const origin = originOf(evidence.sides[0].note);
    const log = this.#of(parseOrigin(origin).region);
    const witness = this.#of(evidence.witness);
    if (
      this.#grounds.some((ground) => ground !== log && ground !== witness) ||
      log.network !== witness.network
    ) {
      throw new ProtocolError(
        'EVIDENCE_MALFORMED',
        'expected statements of the log and of the witness alone',
      );
    }
    if (parseOrigin(origin).kind !== 'trust') {
      throw new ProtocolError(
        'EVIDENCE_UNFOUNDED',
        `${origin} does not say under which root it was cosigned`,
      );
    }
    const keys = [...this.#logKeys(log, origin), ...witness.witnessKeys()];
    const checkpoints = verifyForkEvidence(evidence, keys, this.#modules);
    const rootLeaf = leafHash(this.#modules.sha256, log.rootEntry);
    checkpoints.forEach((checkpoint, i) => {
      this.#verifyLeaf(checkpoint, 0, rootLeaf, evidence.sides[i]?.firstPath ?? []);
    });
    const words = checkpoints.map((checkpoint) => this.#cosignersOf(checkpoint, witness));
    if (words.some(({ length }) => length === 0)) {
      throw new ProtocolError('EVIDENCE_UNFOUNDED', `${witness.witnessName} has not vouched for both trees`);
    }
    return { kind: 'cosignatures', region: witness.region, origin, at: evidence.size, words, checkpoints };
  }

  #leaf(evidence: EvidenceOf<'leaf'>): ProvenEvidence {
    const ground = this.#only();
    const attestation = parseAttestation(evidence.attestation);
    ground.verifyAttestation(attestation);
    const { index, keyId } = attestation;
    const origin = attestationLogOrigin(ground.region, ground.network, attestation.log);
    const checkpoint = this.#open(evidence.note, ground, origin);
    this.#verifyLeaf(checkpoint, index, evidence.leafHash, evidence.path);
    if (equalBytes(evidence.leafHash, leafHash(this.#modules.sha256, evidence.attestation))) {
      throw new ProtocolError('EVIDENCE_UNFOUNDED', 'the log has that very attestation there', { index });
    }
    const words = [[keyId], this.#signersOf(checkpoint)];
    return { kind: 'leaf', region: ground.region, origin, at: index, words, checkpoints: [checkpoint] };
  }

  /** Of two that say the same and are signed differently neither contradicts the other. */
  #index(evidence: EvidenceOf<'index'>): ProvenEvidence {
    const ground = this.#only();
    const [first, second] = evidence.attestations.map((bytes) => {
      const attestation = parseAttestation(bytes);
      ground.verifyAttestation(attestation);
      return attestation;
    }) as [Attestation, Attestation];
    const { log, index } = first;
    const saysTheSame = first.hour === second.hour && equalBytes(first.commitment, second.commitment);
    if (second.log !== log || second.index !== index || saysTheSame) {
      throw new ProtocolError('EVIDENCE_UNFOUNDED', 'expected two attestations for one index', { index });
    }
    const { region, network } = ground;
    const words = [[first.keyId], [second.keyId]];
    const origin = attestationLogOrigin(region, network, log);
    return { kind: 'index', region, origin, at: index, words, checkpoints: [] };
  }

  #hours(evidence: EvidenceOf<'hours'>): ProvenEvidence {
    const ground = this.#only();
    const origin = originOf(evidence.note);
    const checkpoint = this.#open(evidence.note, ground, origin);
    const [earlier, later] = evidence.entries.map(({ attestation: bytes, path }) => {
      const attestation = parseAttestation(bytes);
      if (!isAt(attestation, origin, attestation.index)) {
        throw new ProtocolError('EVIDENCE_UNFOUNDED', `expected attestations of ${origin}`);
      }
      this.#verifyLeaf(checkpoint, attestation.index, leafHash(this.#modules.sha256, bytes), path);
      return attestation;
    }) as [Attestation, Attestation];
    const { index } = later;
    if (earlier.index >= index || earlier.hour <= later.hour) {
      throw new ProtocolError('EVIDENCE_UNFOUNDED', 'expected an entry of an earlier hour behind', { index });
    }
    const words = [this.#signersOf(checkpoint)];
    return { kind: 'hours', region: ground.region, origin, at: index, words, checkpoints: [checkpoint] };
  }

  #entry({ note, index, entry, path }: EvidenceOf<'entry'>): ProvenEvidence {
    const ground = this.#only();
    const origin = originOf(note);
    const checkpoint = this.#open(note, ground, origin);
    this.#verifyLeaf(checkpoint, index, leafHash(this.#modules.sha256, entry), path);
    if (parseOrigin(origin).kind !== 'attest' || isAttestationAt(entry, origin, index)) {
      throw new ProtocolError('EVIDENCE_UNFOUNDED', 'the entry is one for this place', { index });
    }
    const words = [this.#signersOf(checkpoint)];
    return { kind: 'entry', region: ground.region, origin, at: index, words, checkpoints: [checkpoint] };
  }

  /** A table that is signed anew within its minute contradicts nothing. */
  #tables({ heads }: EvidenceOf<'tables'>): ProvenEvidence {
    const ground = this.#only();
    const { region, network } = ground;
    const [first, second] = heads.map((bytes) => {
      const signed = openLookupHead(bytes, this.#modules);
      ground.requireHead(signed);
      return signed;
    }) as [SignedHead, SignedHead];
    const at = minuteOf(first.head);
    const isOfOne = first.head.day === second.head.day && at === minuteOf(second.head);
    if (!isOfOne || areOneTable(first.head, second.head)) {
      throw new ProtocolError('EVIDENCE_UNFOUNDED', 'expected two tables of one day and minute');
    }
    const words = [first, second].map(({ publicKey }) => [keyIdOf(this.#modules.sha256, publicKey)]);
    return { kind: 'tables', region, origin: trustLogOrigin(region, network), at, words, checkpoints: [] };
  }

  /** The one region that most kinds are about. */
  #only(): Ground {
    const [ground, second] = this.#grounds;
    if (ground !== undefined && second === undefined) return ground;
    throw new ProtocolError('EVIDENCE_MALFORMED', 'expected the statements of one region');
  }

  #of(region: string): Ground {
    const ground = this.#grounds.find((one) => one.region === region);
    if (ground !== undefined) return ground;
    throw new ProtocolError('EVIDENCE_MALFORMED', `expected statements of ${region}`);
  }

  #open(note: Uint8Array, ground: Ground, origin: string): OpenedCheckpoint {
    return openCheckpoint(note, this.#logKeys(ground, origin), this.#modules.verifySignature);
  }

  /** @throws {ProtocolError} ORIGIN_INVALID for a log that is none of the region's. */
  #logKeys(ground: Ground, origin: string): VerifierKey[] {
    const { region, network } = parseOrigin(origin);
    if (region === ground.region && network === ground.network) return ground.logKeys(origin);
    throw new ProtocolError('ORIGIN_INVALID', `expected a log of ${ground.region}.${ground.network}`);
  }

  #verifyLeaf({ size, root }: OpenedCheckpoint, index: number, hash: Uint8Array, path: ProofPath): void {
    verifyInclusion(this.#modules.sha256, { index, size, root, leafHash: hash, path });
  }

  #signersOf({ signers }: OpenedCheckpoint): string[] {
    return signers.map(({ publicKey }) => keyIdOf(this.#modules.sha256, publicKey));
  }

  #cosignersOf({ cosignatures }: OpenedCheckpoint, witness: Ground): string[] {
    return cosignatures
      .filter(({ publicKey, timestampS }) => witness.isWitnessKeyAt(publicKey, timestampS))
      .map(({ publicKey }) => keyIdOf(this.#modules.sha256, publicKey));
  }
}

/** @throws {ProtocolError} as `parseNote` and `parseCheckpoint`. */
function originOf(note: Uint8Array): string {
  return parseCheckpoint(parseNote(note).text).origin;
}

function isAt({ region, log, index }: Attestation, origin: string, place: number): boolean {
  const parsed = parseOrigin(origin);
  return parsed.kind === 'attest' && parsed.region === region && parsed.log === log && index === place;
}

function isAttestationAt(entry: Uint8Array, origin: string, index: number): boolean {
  try {
    return isAt(parseAttestation(entry), origin, index);
  } catch (error) {
    if (isProtocolError(error)) return false;
    throw error;
  }
}
