/**
 * The verdict on a code, in two steps without input or output: which signatures to check, and what follows from the
 * answers. Every rule that applies gives its reason; the strongest decides. Spec: SPEC.md 11.
 */
import { equalBytes } from '../bytes.ts';
import { attestationMessage } from '../code/attestation.ts';
import { type ParsedCode } from '../code/code.ts';
import { type Grade, gradeOf } from '../code/presentation.ts';
import { BRIDGED_LIFE_S_MAX, CLOCK_AHEAD_S_MAX, CODE_LIFE_S_MAX } from '../limits.ts';
import { leafHash } from '../log/merkle.ts';
import { type SignatureCheck } from '../primitives.ts';
import { type RecognitionWay, type TrustKey } from '../trust/trust-state.ts';
import { acceptByColour } from './acceptance.ts';
import { judgeCompromised } from './cut-off.ts';
import { judgeOriginal, PLATFORM_WAYS, referenceOfOriginal } from './judge-original.ts';
import { type Trust } from './knowledge.ts';
import { Leaning } from './leaning.ts';
import { outcomeOf, type ReasonCode } from './reasons.ts';
import { type Verdict, type VerdictContext } from './verdict.ts';

const HOUR_S = 3_600;

const GRADE_RANKS: Readonly<Record<Grade, number>> = { static: 0, live: 1, challenged: 2 };

/** The ways in which the code of a recognised region is an attestation in that region's own log. */
const JUDGED_WAYS: ReadonlySet<RecognitionWay> = new Set<RecognitionWay>(['direct', 'hosted']);

/**
 * The signatures to check before `judge`: the issuer's, if the verifier knows its key, and then the holder's, if the code
 * is presented. Any strict Ed25519 back end may answer them.
 */
export function checksOf(parsed: ParsedCode, trust: Trust): SignatureCheck[] {
  const { attestation, presentation, holderKey } = parsed;
  const checks: SignatureCheck[] = [];
  const key = issuerKey(parsed, trust);
  if (key !== undefined) {
    const message = attestationMessage(attestation, trust.network);
    checks.push({ publicKey: key.publicKey, message, signature: attestation.signature });
  }
  if (presentation !== undefined && holderKey !== undefined) {
    checks.push({ publicKey: holderKey, message: presentation.message, signature: presentation.signature });
  }
  return checks;
}

/**
 * The verdict at `nowS`. `results` answers `checksOf(parsed, trust)` one by one, for the same `trust`.
 * @throws {RangeError} on another number of results.
 */
export function judge(
  parsed: ParsedCode,
  results: readonly boolean[],
  trust: Trust,
  context: VerdictContext,
  nowS: number,
): Verdict {
  const key = issuerKey(parsed, trust);
  const isPresented = parsed.presentation !== undefined;
  if (results.length !== Number(key !== undefined) + Number(isPresented)) {
    throw new RangeError('expected a result for each check of checksOf, with the same trust');
  }
  const isGenuine = key !== undefined && results[0] === true;
  const judgement = new Judgement(parsed, trust, context, nowS);
  judgement.judgeRegions(key, isGenuine);
  judgement.judgeTimes();
  judgement.judgeHolder(isGenuine, isPresented && results[results.length - 1] === true);
  return judgement.verdict(isGenuine);
}

function issuerKey({ attestation }: ParsedCode, trust: Trust): TrustKey | undefined {
  return trust.regions.get(attestation.region)?.state.key(attestation.keyId);
}

/** One verdict in the making. */
class Judgement {
  readonly #parsed: ParsedCode;
  readonly #trust: Trust;
  readonly #context: VerdictContext;
  readonly #nowS: number;
  readonly #leaning: Leaning;
  #grade: Grade | undefined;

  constructor(parsed: ParsedCode, trust: Trust, context: VerdictContext, nowS: number) {
    this.#parsed = parsed;
    this.#trust = trust;
    this.#context = context;
    this.#nowS = nowS;
    this.#leaning = new Leaning(trust, context, nowS);
  }

  /** The issuing region by the word of the home, and the attestation by the word of its region. */
  judgeRegions(key: TrustKey | undefined, isGenuine: boolean): void {
    const { attestation, status } = this.#parsed;
    const { original } = status;
    const ways = original === undefined ? JUDGED_WAYS : PLATFORM_WAYS;
    const { isLed, isSound } = this.#leaning.leanOn(attestation.region, ways);
    if (!isLed) return;
    this.#judgeIssuing(key, isGenuine, isSound);
    if (original === undefined) return;
    const { proofs = [] } = this.#context;
    const bridged = { attestation, original, isPlatformSound: isSound, proofs };
    judgeOriginal(this.#leaning, this.#trust, bridged, this.#nowS);
  }

  judgeTimes(): void {
    const { attestation, status } = this.#parsed;
    const issuedFromS = HOUR_S * attestation.hour;
    if (issuedFromS > this.#nowS + CLOCK_AHEAD_S_MAX) this.#add('NOT_YET_ISSUED');
    if (this.#nowS >= status.expiresAtS) this.#add('EXPIRED');
    const lifeS = status.original === undefined ? CODE_LIFE_S_MAX : BRIDGED_LIFE_S_MAX;
    if (status.expiresAtS > issuedFromS + HOUR_S + lifeS) this.#add('LIFE_TOO_LONG');
  }

  /** Whose code it is, and what its status means here; the latter of a genuine code only. */
  judgeHolder(isGenuine: boolean, isPresentationGood: boolean): void {
    const { attestation, document, presentation, status } = this.#parsed;
    const { place, documentHash, challenge, acceptance = acceptByColour } = this.#context;
    let documentMatched = false;
    if (document !== undefined && documentHash !== undefined) {
      documentMatched = equalBytes(document.hash, documentHash);
      this.#add(documentMatched ? 'DOCUMENT_MATCHED' : 'DOCUMENT_MISMATCH');
    }
    let grade: Grade = 'static';
    if (presentation !== undefined && !isPresentationGood) {
      this.#add('PRESENTATION_INVALID');
    } else {
      const graded = presentation && gradeOf(presentation, challenge, this.#nowS);
      if (graded?.why !== undefined) this.#add(graded.why);
      grade = graded?.grade ?? 'static';
      this.#grade = grade;
    }
    if (!isGenuine) return;
    if (this.#grade !== undefined) {
      if (GRADE_RANKS[grade] < GRADE_RANKS[place.gradeNeeded]) this.#add('GRADE_TOO_LOW');
      if (grade === 'static' && !documentMatched) this.#add('IDENTITY_CHECK');
    }
    const issuedFromS = HOUR_S * attestation.hour;
    // The rules for a region hold for its people, whoever checked their codes.
    const { region } = status.original ?? attestation;
    const input = { region, status, grade, documentMatched, place, issuedFromS, nowS: this.#nowS };
    for (const reason of acceptance(input)) this.#leaning.reasons.push(reason);
  }

  verdict(isGenuine: boolean): Verdict {
    const { attestation, status } = this.#parsed;
    const { region, log, index, hour, keyId } = attestation;
    const { measure, untilS, original } = status;
    const { reasons, knowledge } = this.#leaning;
    return {
      outcome: outcomeOf(reasons),
      reasons,
      atS: this.#nowS,
      code: { region, log, index, hour, keyId },
      ...(original !== undefined && { original: referenceOfOriginal(original) }),
      colour: isGenuine ? status.colour : undefined,
      measure:
        isGenuine && measure !== 'none' && untilS !== undefined ? { kind: measure, untilS } : undefined,
      rule: isGenuine ? { id: status.ruleId, version: status.ruleVersion } : undefined,
      expiresAtS: isGenuine ? status.expiresAtS : undefined,
      grade: isGenuine ? this.#grade : undefined,
      knowledge,
    };
  }

  /** `isSound`: the verifier's knowledge of the issuing region is. */
  #judgeIssuing(key: TrustKey | undefined, isGenuine: boolean, isSound: boolean): void {
    const { attestation } = this.#parsed;
    const { log, index, region } = attestation;
    const issuer = this.#trust.regions.get(region);
    if (issuer === undefined) return;
    const { state } = issuer;
    const issuedFromS = HOUR_S * attestation.hour;
    if (key !== undefined) {
      if (!isGenuine) this.#add('SIGNATURE_INVALID');
      const isInWindow = key.fromS <= issuedFromS && issuedFromS < key.untilS;
      if (key.role !== 'attest' || !isInWindow) this.#add('KEY_NOT_FOR_THIS');
      if (key.compromise !== undefined) {
        const { proofs = [] } = this.#context;
        const { sha256 } = this.#trust;
        const claimed = { log, index, leafHash: leafHash(sha256, attestation.bytes) };
        this.#add(judgeCompromised(sha256, claimed, key.compromise, proofs));
      }
    }
    const isLogKnown = state.log(log) !== undefined;
    if (key === undefined || !isLogKnown) {
      const knowledgeAtS = this.#trust.assess(region, this.#nowS)?.knowledgeAtS ?? -Infinity;
      if (!isSound || knowledgeAtS < issuedFromS + HOUR_S) {
        this.#add('KEY_NOT_YET_KNOWN', region);
      } else {
        if (key === undefined) this.#add('KEY_UNKNOWN');
        if (!isLogKnown) this.#add('LOG_UNKNOWN');
      }
    }
    if (state.revoked(log)?.has(index) || issuer.revokedBeside?.get(log)?.has(index)) this.#add('REVOKED');
  }

  #add(code: ReasonCode, region?: string): void {
    this.#leaning.add(code, region);
  }
}
