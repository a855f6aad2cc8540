/**
 * Looking a number up without showing it: a verifiable oblivious pseudorandom function with a key for each day. The verifier blinds the
 * number, a node of the home region evaluates it and proves that it did so by the key of the day, and what comes of it names and opens
 * one sealed status. Who has not asked cannot even tell whether a number is known. Spec: SPEC.md 21.1 to 21.3, RFC 9497 (VOPRF,
 * ristretto255-SHA512).
 */
import { ristretto255_oprf } from '@noble/curves/ed25519.js';
import { asciiBytes, concatBytes, uint64Bytes } from '../bytes.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { LOOKUP_NUMBER_BYTES_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';

type Voprf = typeof ristretto255_oprf.voprf;
/** Evaluation of an input that is at hand: it is there, and the types of the library leave it out. */
interface Evaluating {
  evaluate(secretKey: Uint8Array, input: Uint8Array): Uint8Array;
}
const voprf = ristretto255_oprf.voprf as Voprf & Evaluating;

const INPUT_LABEL = asciiBytes('entente/lookup-input/v1\n');
const KEY_LABEL = asciiBytes('entente/lookup-key/v1\n');
const NUMBER_LABEL = asciiBytes('entente/lookup-number/v1\n');
const LOCATOR_LABEL = asciiBytes('entente/lookup-locator/v1\n');
const SEAL_LABEL = asciiBytes('entente/lookup-seal/v1\n');
const NEWLINE = asciiBytes('\n');

/** Bytes of a blinded or evaluated element, and of a public key. */
export const ELEMENT_BYTES = 32;
export const LOOKUP_PROOF_BYTES = 64;
export const LOCATOR_BYTES = 16;
export const LOOKUP_SALT_BYTES = 16;

/** Whose numbers, and of which day. */
export interface LookupPlace {
  readonly region: string;
  readonly network: string;
  /** Days since 1970, UTC. */
  readonly day: number;
}

export interface LookupKeyPair {
  /** 32 bytes, destroyed with its day. */
  readonly secretKey: Uint8Array;
  /** 32 bytes, announced in the trust log. */
  readonly publicKey: Uint8Array;
}

/** What a verifier keeps while it asks: nothing of it leaves. */
export interface BlindedNumber {
  readonly input: Uint8Array;
  readonly blind: Uint8Array;
  /** 32 bytes: what the home region sees, and which is alike for all numbers. */
  readonly blinded: Uint8Array;
}

export interface Evaluation {
  /** 32 bytes. */
  readonly evaluated: Uint8Array;
  /** 64 bytes: that it was evaluated by the announced key (DLEQ). */
  readonly proof: Uint8Array;
}

/** What a number comes to in one table: where its sealed status stands, and the key that opens it. */
export interface NumberSecrets {
  /** 16 bytes. */
  readonly locator: Uint8Array;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

type RandomBytes = (length: number) => Uint8Array;

/** The key of a day, from 32 random bytes that were made for that day alone. */
export function lookupKeyPair(seed: Uint8Array, place: LookupPlace): LookupKeyPair {
  return voprf.deriveKeyPair(seed, concatBytes(KEY_LABEL, placeBytes(place)));
}

/**
 * What is blinded of a number, exactly as scanned: neither spaces nor case are mended, since only its region knows what they mean.
 * @throws {ProtocolError} LOOKUP_MALFORMED unless it has 1 to 512 bytes of UTF-8.
 */
export function lookupInput({ region, network }: Omit<LookupPlace, 'day'>, number: string): Uint8Array {
  const bytes = utf8Bytes(number);
  if (bytes.length < 1 || bytes.length > LOOKUP_NUMBER_BYTES_MAX)
    throw malformed(`expected a number of 1 to ${LOOKUP_NUMBER_BYTES_MAX} bytes, got ${bytes.length}`);
  return concatBytes(INPUT_LABEL, asciiBytes(`${region}.${network}`), NEWLINE, bytes);
}

/** Blinds an input by fresh randomness: the same number twice has nothing in common. */
export function blindNumber(input: Uint8Array, random: RandomBytes): BlindedNumber {
  const { blind, blinded } = voprf.blind(input, asDrawn(random));
  return { input, blind, blinded };
}

/**
 * What a node of the home region does. It learns nothing of the number.
 * @throws {ProtocolError} LOOKUP_MALFORMED unless `blinded` is an element of the group other than its identity.
 */
export function evaluateBlinded(
  { secretKey, publicKey }: LookupKeyPair,
  blinded: Uint8Array,
  random: RandomBytes,
): Evaluation {
  requireElement(blinded);
  return orMalformed('expected a blinded number', () =>
    voprf.blindEvaluate(secretKey, publicKey, blinded, asDrawn(random)),
  );
}

/**
 * What the number comes to on the day, 32 bytes, once it is proven that the announced key was used: a home that answers each verifier by another key, and so
 * would know him again, is found out.
 * @throws {ProtocolError} LOOKUP_MALFORMED for lengths and elements that are none, LOOKUP_UNPROVEN for a proof that does not hold.
 */
export function finishLookup(
  sha256: Sha256,
  { input, blind, blinded }: BlindedNumber,
  { evaluated, proof }: Evaluation,
  publicKey: Uint8Array,
): Uint8Array {
  requireElement(evaluated);
  requireElement(publicKey);
  if (proof.length !== LOOKUP_PROOF_BYTES) throw malformed(`expected a proof of ${LOOKUP_PROOF_BYTES} bytes`);
  try {
    return secretOf(sha256, voprf.finalize(input, blind, evaluated, blinded, publicKey, proof));
  } catch (cause) {
    throw new ProtocolError('LOOKUP_UNPROVEN', 'expected a proof by the key of the day', {}, { cause });
  }
}

/** The same where the key is at hand: what the home region does to seal its table. */
export function secretOfInput(sha256: Sha256, secretKey: Uint8Array, input: Uint8Array): Uint8Array {
  return secretOf(sha256, voprf.evaluate(secretKey, input));
}

/**
 * What a number comes to in the table with this salt. The next table has another salt, and so nothing in common with it: whoever
 * has both cannot tell which entries are somebody's.
 */
export function numberSecrets(sha256: Sha256, secret: Uint8Array, salt: Uint8Array): NumberSecrets {
  return {
    locator: sha256(concatBytes(LOCATOR_LABEL, salt, secret)).slice(0, LOCATOR_BYTES),
    key: sha256(concatBytes(SEAL_LABEL, salt, secret)),
  };
}

/** `<region>.<network>`, a newline and the day in 8 bytes. */
export function placeBytes({ region, network, day }: LookupPlace): Uint8Array {
  return concatBytes(asciiBytes(`${region}.${network}`), NEWLINE, uint64Bytes(day));
}

function secretOf(sha256: Sha256, output: Uint8Array): Uint8Array {
  return sha256(concatBytes(NUMBER_LABEL, output));
}

/** As the library draws: it always says how many bytes, and its type lets it leave that out. */
function asDrawn(random: RandomBytes): (length?: number) => Uint8Array<ArrayBuffer> {
  return (length = ELEMENT_BYTES) => Uint8Array.from(random(length));
}

function requireElement({ length }: Uint8Array): void {
  if (length !== ELEMENT_BYTES)
    throw malformed(`expected an element of ${ELEMENT_BYTES} bytes, got ${length}`);
}

function orMalformed<T>(expected: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw malformed(expected, cause);
  }
}

function malformed(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError('LOOKUP_MALFORMED', message, {}, { cause });
}
