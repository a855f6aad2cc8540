/** Quorums and verdicts as they stand in vectors, and what the library makes of them. Runs in a browser, too. */
import { hexBytes } from '../../protocol/bytes.ts';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { parsePolicy } from '../../protocol/log/policy.ts';
import { neededCosignatures } from '../../protocol/log/quorum.ts';
import { type Primitives, type Sha256 } from '../../protocol/primitives.ts';
import { reportOf } from '../../protocol/verdict/ages.ts';
import { Trust } from '../../protocol/verdict/knowledge.ts';
import { type Grade, type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { verify } from '../../protocol/verdict/verify.ts';
import { WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { knowledgeOfVector, type KnowledgeVector } from './knowledge-vectors.ts';
import { DEMO } from './stub-state.ts';

export interface NeededVector {
  readonly w: number;
  readonly needed: number;
}

export interface AssessmentResult {
  readonly witnesses: readonly [counted: number, needed: number, of: number];
  readonly age: number | null;
  readonly silence: number | null;
  readonly keyFit?: boolean;
}

export interface AssessmentVector extends AssessmentResult {
  readonly name: string;
  readonly home: string;
  readonly issuer: string;
  /** A tlog-policy that the verifier goes by; absent where it goes by the table. */
  readonly policy?: string;
  readonly regions: readonly KnowledgeVector[];
  readonly now: number;
}

export interface QuorumVectors {
  readonly needed: readonly NeededVector[];
  readonly assessments: readonly AssessmentVector[];
}

export interface ContextVector {
  readonly mode: 'online' | 'offline';
  readonly grade: string;
  readonly knowledgeAge?: number;
  readonly silence?: number;
  readonly challenge?: string;
  readonly documentHash?: string;
  readonly proofs?: readonly {
    readonly log: string;
    readonly index: number;
    readonly size: number;
    readonly leafHash: string;
    readonly path: readonly string[];
  }[];
}

export interface VerdictVector {
  readonly name: string;
  readonly text: string;
  readonly home: string;
  readonly regions: readonly KnowledgeVector[];
  readonly context: ContextVector;
  readonly now: number;
  readonly expect: ReturnType<typeof verdictVector>;
}

export interface VerdictVectors {
  readonly verdicts: readonly VerdictVector[];
}

/** The same vectors with what the library finds in place of what they expect. */
export function replayQuorum(sha256: Sha256, { needed, assessments }: QuorumVectors): QuorumVectors {
  return {
    needed: needed.map(({ w }) => ({ w, needed: neededCosignatures(w) })),
    assessments: assessments.map((vector) => replayAssessment(sha256, vector)),
  };
}

export function replayAssessment(sha256: Sha256, vector: AssessmentVector): AssessmentVector {
  const { name, home, issuer, policy, regions, now } = vector;
  const assessment = trustOf(sha256, home, regions, policy).assess(issuer, now);
  if (assessment === undefined) throw new RangeError(`nothing is known of ${issuer}`);
  const { ageS: age = null, silenceS: silence = null, witnesses } = reportOf(assessment, now);
  return {
    name,
    home,
    issuer,
    ...(policy !== undefined && { policy }),
    regions,
    now,
    witnesses: [witnesses.counted, witnesses.needed, witnesses.of],
    age,
    silence,
    ...(age !== null && { keyFit: assessment.isCheckpointKeyFit }),
  };
}

/** The same vectors with the verdicts of the library in place of those they expect. */
export function replayVerdicts(primitives: Primitives, { verdicts }: VerdictVectors): VerdictVectors {
  return { verdicts: verdicts.map((vector) => replayVerdict(primitives, vector)) };
}

export function replayVerdict(primitives: Primitives, vector: VerdictVector): VerdictVector {
  const { text, home, regions, context, now } = vector;
  const trust = trustOf(primitives.sha256, home, regions);
  return { ...vector, expect: verdictVector(verify(primitives, text, trust, contextOf(context), now)) };
}

/** A verdict in the words of the vectors; what is undefined drops out once written. */
export function verdictVector(verdict: Verdict) {
  const { outcome, reasons, colour, measure, grade, knowledge } = verdict;
  const fault = reasons.find(({ code }) => code === 'MALFORMED')?.details?.['fault'];
  return {
    outcome,
    reasons: [...new Set(reasons.map(({ code }) => code))].sort(),
    ...(fault !== undefined && { fault }),
    ...(colour && { colour }),
    ...(measure && { measure: [measure.kind, measure.untilS] as const }),
    ...(grade && { grade }),
    knowledge: knowledge.map(
      ({ region, ageS = null, silenceS = null, witnesses: { counted, needed, of } }) =>
        [region, ageS, silenceS, [counted, needed, of]] as const,
    ),
  };
}

function trustOf(
  sha256: Sha256,
  home: string,
  regions: readonly KnowledgeVector[],
  policyText?: string,
): Trust {
  const network = DEMO;
  const policy =
    policyText === undefined
      ? undefined
      : new WitnessPolicy(parsePolicy(sha256, utf8Bytes(policyText)), { network }, { sha256 });
  return new Trust({ home, network, policy, regions: regions.map(knowledgeOfVector) }, { sha256 });
}

function contextOf({ mode, grade, knowledgeAge, silence, challenge, documentHash, proofs }: ContextVector) {
  return {
    mode,
    place: {
      risk: 'low',
      kind: 'gate',
      gradeNeeded: grade as Grade,
      limits: {
        ...(knowledgeAge !== undefined && { knowledgeAgeS: knowledgeAge }),
        ...(silence !== undefined && { issuerSilenceS: silence }),
      },
    },
    challenge: challenge === undefined ? undefined : hexBytes(challenge),
    documentHash: documentHash === undefined ? undefined : hexBytes(documentHash),
    proofs: proofs?.map(({ leafHash, path, ...place }) => ({
      ...place,
      leafHash: hexBytes(leafHash),
      path: path.map(hexBytes),
    })),
  } satisfies VerdictContext;
}
