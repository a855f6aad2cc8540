/** A code shown live: signed by the holder's device for a step of 30 seconds. Spec: SPEC.md 6. */
import { asciiBytes, concatBytes, equalBytes, uint64Bytes } from '../bytes.ts';
import { CborReader, encodeCbor } from '../encoding/cbor.ts';
import { cborMalformed } from '../encoding/cbor-reader.ts';
import { STEP_AHEAD_S_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { readAs } from './refault.ts';

/** Seconds of a step. */
export const STEP_S = 30;
export const CHALLENGE_BYTES_MIN = 8;
export const CHALLENGE_BYTES_MAX = 32;
const SIGNATURE_BYTES = 64;
const LABEL = asciiBytes('entente/presentation/v1\n');

/** How live a code was shown. */
export type Grade = 'challenged' | 'live' | 'static';

/** What the device signs besides the attestation. */
export interface PresentationClaims {
  /** Seconds since 1970 divided by `STEP_S`, rounded down. */
  readonly step: number;
  /** What the verifier gave, `CHALLENGE_BYTES_MIN` .. `CHALLENGE_BYTES_MAX` bytes; no bytes if it gave nothing. */
  readonly challenge: Uint8Array;
}

/** A well-formed presentation around `code`. Whether the signature is good is not yet known. */
export interface OuterPresentation extends PresentationClaims {
  readonly code: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Total: tells the bytes of a presentation, or what is left of one, from those of a code. */
export function isPresentation(bytes: Uint8Array): boolean {
  return bytes[0] === 0x84;
}

/** The step that holds the second `nowS`. */
export function stepAt(nowS: number): number {
  return Math.floor(nowS / STEP_S);
}

/** Whether a presentation of this step counts as made now: the step of `nowS`, the one before, or from 5 s before it the next. */
export function isCurrentStep(step: number, nowS: number): boolean {
  const current = stepAt(nowS);
  return (
    step === current ||
    step === current - 1 ||
    (step === current + 1 && STEP_S * step <= nowS + STEP_AHEAD_S_MAX)
  );
}

/**
 * The grade of a presentation whose signature is good, and `why` where it is worth no more than a plain code: so is the
 * answer to another verifier's challenge. `challengeGiven`: what this verifier gave, if anything.
 */
export function gradeOf(
  { step, challenge }: PresentationClaims,
  challengeGiven: Uint8Array | undefined,
  nowS: number,
): { grade: Grade; why?: 'PRESENTATION_NOT_CURRENT' | 'CHALLENGE_MISMATCH' } {
  if (!isCurrentStep(step, nowS)) return { grade: 'static', why: 'PRESENTATION_NOT_CURRENT' };
  if (challenge.length === 0) return { grade: 'live' };
  if (challengeGiven !== undefined && equalBytes(challenge, challengeGiven)) return { grade: 'challenged' };
  return { grade: 'static', why: 'CHALLENGE_MISMATCH' };
}

/** What the device's signature covers. `attestation`: the bytes of the code's attestation. */
export function presentationMessage(
  sha256: Sha256,
  attestation: Uint8Array,
  { step, challenge }: PresentationClaims,
): Uint8Array {
  return concatBytes(
    LABEL,
    sha256(attestation),
    uint64Bytes(step),
    Uint8Array.of(challenge.length),
    challenge,
  );
}

/**
 * The presentation of a code; `codeText` gives its text.
 * @throws {TypeError} on a step that is no size, or a challenge or signature of a wrong length.
 */
export function encodePresentation({ code, step, challenge, signature }: OuterPresentation): Uint8Array {
  if (step < 0) throw new TypeError('a step is at least 0');
  if (!isChallengeLength(challenge.length)) throw new TypeError('a challenge has 0 or 8 to 32 bytes');
  if (signature.length !== SIGNATURE_BYTES) throw new TypeError('a signature has 64 bytes');
  return encodeCbor([code, step, challenge, signature]);
}

/**
 * The parts of a presentation; `code` may still be anything. Byte strings are views of `bytes`.
 * @throws {ProtocolError} PRESENTATION_MALFORMED with the `offset` of the item that is not as it must be.
 */
export function parseOuterPresentation(bytes: Uint8Array): OuterPresentation {
  return readAs('PRESENTATION_MALFORMED', 'a presentation', () => {
    const reader = new CborReader(bytes);
    if (reader.array(4) !== 4) throw cborMalformed(0, 'expected four elements');
    const code = reader.bytes(0, bytes.length);
    const step = reader.uint();
    const at = reader.offset;
    const challenge = reader.bytes(0, CHALLENGE_BYTES_MAX);
    if (!isChallengeLength(challenge.length)) throw cborMalformed(at, 'expected 0 or at least 8 bytes');
    const signature = reader.bytes(SIGNATURE_BYTES, SIGNATURE_BYTES);
    reader.end();
    return { code, step, challenge, signature };
  });
}

function isChallengeLength(length: number): boolean {
  return length === 0 || (length >= CHALLENGE_BYTES_MIN && length <= CHALLENGE_BYTES_MAX);
}
