/**
 * What a bridged code leans on besides its issuer, the platform: the home's word on the region that the original is from, that region's own word
 * on the original, and that the platform recognises the region itself, since nothing comes through two platforms. Spec: SPEC.md 11.1.
 */
import { equalBytes, hexOf } from '../bytes.ts';
import { type Attestation } from '../code/attestation.ts';
import { type Original, type OriginalAttestation } from '../code/original.ts';
import { announcesSigner } from '../trust/announced-signer.ts';
import { isForeignRevoked } from '../trust/foreign-revoked.ts';
import { type RecognitionWay, type TrustState } from '../trust/trust-state.ts';
import { judgeCompromised, type LeafProof } from './cut-off.ts';
import { type RegionKnowledge, type Trust } from './knowledge.ts';
import { type Leaning } from './leaning.ts';
import { type OriginalReference } from './verdict.ts';

const HOUR_S = 3_600;

/** The ways in which a platform is recognised: for what it issues itself too, or through itself, as a platform and nothing else. */
export const PLATFORM_WAYS: ReadonlySet<RecognitionWay> = new Set<RecognitionWay>([
  'direct',
  'hosted',
  'bridge',
]);

const BY_BRIDGE: ReadonlySet<RecognitionWay> = new Set<RecognitionWay>(['bridge']);
const BY_LOG: ReadonlySet<RecognitionWay> = new Set<RecognitionWay>(['direct', 'hosted']);
const BY_ADAPTER: ReadonlySet<RecognitionWay> = new Set<RecognitionWay>(['adapter']);

/** The ways of recognising the region of an original by which a platform can have checked it itself. */
export function waysOfChecking(original: Original): ReadonlySet<RecognitionWay> {
  return 'hashes' in original ? BY_ADAPTER : BY_LOG;
}

export interface Bridged {
  /** By the platform. */
  readonly attestation: Attestation;
  readonly original: Original;
  /** Whether the verifier's knowledge of the platform is sound. */
  readonly isPlatformSound: boolean;
  readonly proofs: readonly LeafProof[];
}

/** Adds what speaks against the original to the reasons, once the home and the platform are leant on. */
export function judgeOriginal(leaning: Leaning, trust: Trust, bridged: Bridged, nowS: number): void {
  const { attestation, original, isPlatformSound } = bridged;
  const { region } = original;
  leaning.add('BRIDGED', region);
  const checkedWays = waysOfChecking(original);
  // At home the platform's recognition is the home's.
  const isAtHome = attestation.region === trust.home;
  const { isLed, isSound } = leaning.leanAlsoOn(region, isAtHome ? checkedWays : BY_BRIDGE);
  const knowsAllOf = (of: string, isKnown: boolean) =>
    isKnown && (trust.assess(of, nowS)?.knowledgeAtS ?? -Infinity) >= HOUR_S * attestation.hour + HOUR_S;
  const judgeFounded = (isFounded: boolean, of: string, isKnown: boolean) => {
    if (isFounded) return;
    const isCertain = knowsAllOf(of, isKnown);
    leaning.add(isCertain ? 'BRIDGE_UNFOUNDED' : 'KEY_NOT_YET_KNOWN', isCertain ? region : of);
  };
  const platform = trust.regions.get(attestation.region)?.state;
  if (!isAtHome && platform !== undefined) {
    const isFounded = isRecognisedBy(platform, trust, region, checkedWays, nowS);
    judgeFounded(isFounded, attestation.region, isPlatformSound);
  }
  const origin = trust.regions.get(region);
  if (!isLed || origin === undefined) return;
  if ('hashes' in original) {
    const { hashes, signed } = original;
    if (signed !== undefined) {
      const { signer, issuedAtS = nowS } = signed;
      judgeFounded(announcesSigner(trust.sha256, origin.state, signer, issuedAtS), region, isSound);
    }
    if (isForeignRevoked(origin, () => hashes.map(hexOf))) leaning.add('ORIGINAL_REVOKED', region);
    return;
  }
  judgeFounded(isAnnounced(origin.state, original), region, isSound);
  judgeLeaf(leaning, trust, origin, original, bridged.proofs);
}

/** How a verdict names the original. */
export function referenceOfOriginal(original: Original): OriginalReference {
  if ('hashes' in original) {
    const { hashes, signed } = original;
    const { signer, issuedAtS } = signed ?? {};
    return {
      region: original.region,
      hashes: hashes.map(hexOf),
      ...(signer && { signer: hexOf(signer) }),
      ...(issuedAtS !== undefined && { issuedAtS }),
    };
  }
  const { region, log, index, keyId } = original;
  return { region, log, index, keyId };
}

/** Whether the platform recognises the very region that the home does by that name, in a way in which it has checked the original itself. */
function isRecognisedBy(
  platform: TrustState,
  { home, regions }: Trust,
  region: string,
  ways: ReadonlySet<RecognitionWay>,
  nowS: number,
): boolean {
  const own = platform.recognition(region);
  const pinned = regions.get(home)?.state.recognition(region);
  if (own?.standing !== 'recognised' || pinned === undefined || pinned.standing === 'withdrawn') return false;
  const isInForce = own.fromS <= nowS && nowS < own.untilS;
  return isInForce && ways.has(own.way) && equalBytes(own.fingerprint, pinned.fingerprint);
}

/** Whether a region has announced the log and the key that an original names. */
function isAnnounced(state: TrustState, { log, keyId }: OriginalAttestation): boolean {
  return state.log(log) !== undefined && state.key(keyId)?.role === 'attest';
}

function judgeLeaf(
  leaning: Leaning,
  trust: Trust,
  { state, revokedBeside }: RegionKnowledge,
  original: OriginalAttestation,
  proofs: readonly LeafProof[],
): void {
  const { region, log, index, keyId } = original;
  const compromise = state.key(keyId)?.compromise;
  if (compromise !== undefined)
    leaning.add(judgeCompromised(trust.sha256, original, compromise, proofs), region);
  if (state.revoked(log)?.has(index) === true || revokedBeside?.get(log)?.has(index) === true)
    leaning.add('ORIGINAL_REVOKED', region);
}
