/**
 * What a verdict leans on: the word of the home about the issuing region, and how fresh, witnessed and undisputed the knowledge of both
 * is. The same for every code, whoever made it. Spec: SPEC.md 11.
 */
import {
  ISSUER_SILENCE_S_MAX,
  ISSUER_SILENCE_SHOWN_S,
  KNOWLEDGE_AGE_OFFLINE_S_MAX,
  KNOWLEDGE_AGE_ONLINE_S_MAX,
} from '../limits.ts';
import { type RecognitionWay } from '../trust/trust-state.ts';
import { type Assessment, reportOf } from './ages.ts';
import { type Trust } from './knowledge.ts';
import { type Reason, type ReasonCode, reasonOf } from './reasons.ts';
import { type KnowledgeReport, type VerdictContext } from './verdict.ts';

/** `isSound`: the verifier's knowledge of the issuing region is. */
export interface Leant {
  /** Whether the home's word leads to the region: only then is anything to be said of its keys and logs. */
  readonly isLed: boolean;
  readonly isSound: boolean;
}

export class Leaning {
  /** Those of the verdict, in the order of the checks: whoever judges the code adds to them. */
  readonly reasons: Reason[] = [];
  readonly knowledge: KnowledgeReport[] = [];
  readonly #trust: Trust;
  readonly #context: VerdictContext;
  readonly #nowS: number;
  /** The issuing region: through it the codes of others may come. */
  #platform = '';
  #isHomeSound = false;

  constructor(trust: Trust, context: VerdictContext, nowS: number) {
    this.#trust = trust;
    this.#context = context;
    this.#nowS = nowS;
  }

  /** Leans on the home and on `region`, whose codes come in one of these ways if they are to be judged. */
  leanOn(region: string, ways: ReadonlySet<RecognitionWay>): Leant {
    this.#platform = region;
    const { home } = this.#trust;
    const isHomeSound = (this.#isHomeSound = this.#isSound(home, region === home));
    if (region === home) return { isLed: true, isSound: isHomeSound };
    return this.#leanOnOther(region, ways, isHomeSound);
  }

  /** Leans on a further region once the home and the issuing region are leant on: that of the original of a bridged code. */
  leanAlsoOn(region: string, ways: ReadonlySet<RecognitionWay>): Leant {
    return this.#leanOnOther(region, ways, this.#isHomeSound);
  }

  /** Leans on the home alone, and tells whether its knowledge is sound. */
  leanOnHome(): boolean {
    return this.#isSound(this.#trust.home, false);
  }

  add(code: ReasonCode, region?: string, details?: Readonly<Record<string, string | number>>): void {
    this.reasons.push(reasonOf(code, region, details));
  }

  #leanOnOther(region: string, ways: ReadonlySet<RecognitionWay>, isHomeSound: boolean): Leant {
    if (!this.#isRecognised(region, ways, isHomeSound)) return { isLed: false, isSound: false };
    return { isLed: true, isSound: this.#isSound(region, true) };
  }

  /** Whether the home's word leads to a region whose trust the verifier holds. */
  #isRecognised(region: string, ways: ReadonlySet<RecognitionWay>, isHomeSound: boolean): boolean {
    const { regions, home } = this.#trust;
    const homeKnowledge = regions.get(home);
    if (homeKnowledge === undefined) return false;
    const recognition = homeKnowledge.state.recognition(region);
    if (recognition === undefined) {
      if (isHomeSound) this.add('NOT_RECOGNISED', region);
      return false;
    }
    if (recognition.standing === 'withdrawn') {
      this.add('RECOGNITION_WITHDRAWN', region);
      return false;
    }
    if (recognition.standing === 'suspended') this.add('RECOGNITION_SUSPENDED', region);
    const isInForce = recognition.fromS <= this.#nowS && this.#nowS < recognition.untilS;
    if (!isInForce && isHomeSound) this.add('RECOGNITION_NOT_IN_FORCE', region);
    if (!ways.has(recognition.way)) this.add('WAY_UNSUPPORTED', region);
    else if (recognition.way === 'bridge' && recognition.via !== this.#platform)
      this.add('BRIDGE_NOT_ALLOWED', region, { via: this.#platform });
    const { acceptance } = this.#context;
    if (recognition.rules !== null && acceptance === undefined) this.add('RULES_NOT_EVALUATED', region);
    return true;
  }

  /** Tells whether what the verifier knows of `region` is fresh, witnessed and undisputed; if not, says why not. */
  #isSound(region: string, isIssuer: boolean): boolean {
    const assessment = this.#trust.assess(region, this.#nowS);
    if (assessment === undefined) {
      this.add('TRUST_MISSING', region);
      return false;
    }
    const report = reportOf(assessment, this.#nowS);
    this.knowledge.push(report);
    if (report.witnesses.needed === 0) this.add('NO_WITNESSES', region);
    if (isIssuer) this.#judgeSilence(region, report.silenceS);
    const before = this.reasons.length;
    this.#judgeKnowledge(region, assessment, report.ageS);
    return this.reasons.length === before;
  }

  #judgeKnowledge(region: string, assessment: Assessment, ageS: number | undefined): void {
    const { knowledge } = assessment;
    const { place, mode } = this.#context;
    if (knowledge.standing === 'forked') this.add('FORKED', region);
    if (knowledge.standing === 'quarantined') this.add('QUARANTINED', region);
    if (ageS === undefined) {
      this.add('UNWITNESSED', region, { ...assessment.witnesses });
      return;
    }
    if (!assessment.isCheckpointKeyFit) this.add('CHECKPOINT_KEY_UNFIT', region);
    const modeLimitS = mode === 'online' ? KNOWLEDGE_AGE_ONLINE_S_MAX : KNOWLEDGE_AGE_OFFLINE_S_MAX;
    const limitS = place.limits?.knowledgeAgeS ?? modeLimitS;
    if (ageS > limitS) this.add('KNOWLEDGE_STALE', region, { ageS, limitS });
  }

  /** A region that never gave a time itself is silent without end. */
  #judgeSilence(region: string, silenceS = Infinity): void {
    const limitS = this.#context.place.limits?.issuerSilenceS ?? ISSUER_SILENCE_S_MAX;
    const details = Number.isFinite(silenceS) ? { silenceS, limitS } : { limitS };
    if (silenceS > limitS) this.add('ISSUER_SILENT_TOO_LONG', region, details);
    if (silenceS > ISSUER_SILENCE_SHOWN_S) this.add('ISSUER_SILENT', region, details);
  }
}
