/**
 * The protocol: bytes in, proven values or faults out. Judging a code takes `parseCode`, `checksOf` and `judge`, or `verify`
 * for all three; what a verifier knows comes from `applySnapshot`. SPEC.md says what the bytes are.
 */
export { ProtocolError, isProtocolError, FAULT_CODES, type Fault, type FaultCode } from './fault.ts';
export { type Primitives, type Sha256, type SignatureCheck, type VerifySignature } from './primitives.ts';
export { noblePrimitives } from './noble-primitives.ts';

export { decodeCbor, encodeCbor, type CborValue } from './encoding/cbor.ts';
export { decodeBase45, encodeBase45 } from './encoding/base45.ts';

export { passesPrecheck } from './signature/strict-ed25519.ts';
export { admitPublicKey, publicKeyOf, sign } from './signature/noble.ts';
export { keyIdOf } from './signature/key-id.ts';

export {
  attestationLogOrigin,
  isAttestationLogId,
  isNetwork,
  isRegion,
  parseOrigin,
  trustLogOrigin,
  witnessName,
  type Origin,
} from './log/origin.ts';
export { emptyRoot, leafHash, nodeHash, verifyConsistency, verifyInclusion } from './log/merkle.ts';
export { consistencyProof, inclusionProof, rootOf, type HashSource } from './log/merkle-proof.ts';
export { Frontier } from './log/frontier.ts';
export { encodeNote, parseNote, verifyNote, type Note } from './log/note.ts';
export {
  encodeVerifierKey,
  makeVerifierKey,
  parseVerifierKey,
  type VerifierKey,
} from './log/verifier-key.ts';
export {
  encodeCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  type Checkpoint,
  type OpenedCheckpoint,
} from './log/checkpoint.ts';
export { signCosignature, verifyCosignature, type Cosignature } from './log/cosignature.ts';
export { parseTilePath, tilePath, type Tile } from './log/tile.ts';
export { encodeEntryBundle, parseEntryBundle, verifyEntryBundle } from './log/entry-bundle.ts';
export { encodeLogProof, parseLogProof, verifyLogProof } from './log/tlog-proof.ts';
export { meetsQuorum, parsePolicy, type Policy } from './log/policy.ts';
export { neededCosignatures } from './log/quorum.ts';

export { encodeAttestation } from './code/attestation-draft.ts';
export { attestationMessage, parseAttestation, type Attestation } from './code/attestation.ts';
export { codeText, decodeCodeText } from './code/code-text.ts';
export { encodeCode, parseCode, type ParsedCode } from './code/code.ts';
export { commitFields, encodeOpenings, parseOpenings } from './code/openings.ts';
export { documentHash, type DocumentInput } from './code/document.ts';
export { encodePresentation, presentationMessage, stepAt, type Grade } from './code/presentation.ts';
export { type Original } from './code/original.ts';
export { type Colour, type Measure, type Status } from './code/status.ts';

export { decodeIndexSet, encodeIndexSet } from './revocation/index-set-code.ts';
export { RevocationSet } from './revocation/revocation-set.ts';

export {
  encodeEntry,
  fingerprintOf,
  parseEntry,
  signStatement,
  statementMessage,
} from './trust/statement.ts';
export { type Statement, type StatementKind } from './trust/statement-schema.ts';
export { TrustFold } from './trust/fold.ts';
export { type Finding, type Recognition, type TrustKey, type TrustState } from './trust/trust-state.ts';

export { encodeEvidence, parseEvidence, type Evidence, type EvidenceKind } from './evidence/evidence.ts';
export {
  isByNamedKeys,
  isDisowned,
  verifyEvidence,
  type ProvenEvidence,
} from './evidence/verify-evidence.ts';

export { assessKnowledge, Trust, type RegionKnowledge } from './verdict/knowledge.ts';
export { WitnessPolicy } from './verdict/witness-policy.ts';
export { type LeafProof } from './verdict/cut-off.ts';
export { REASONS, type Reason, type ReasonCode } from './verdict/reasons.ts';
export { ANY_PLACE, type Place, type Verdict, type VerdictContext } from './verdict/verdict.ts';
export { checksOf, judge } from './verdict/judge.ts';
export { verify } from './verdict/verify.ts';

export { applySnapshot, type AppliedSnapshot, type Holdings, type SnapshotReader } from './snapshot/apply.ts';
export { makeSnapshot, type SnapshotSource } from './snapshot/make.ts';
export { parseSnapshot, type Snapshot } from './snapshot/snapshot.ts';
