/**
 * Authorities of countries (CSCA) that a region announces: whose signature makes a certificate that of a signer of its seals. Each is bound to its country, its name
 * and its key id. Spec: SPEC.md 17.14, ICAO Doc 9303-12.
 */
import * as z from 'zod';
import { compareBytes, equalBytes, hexOf } from '../bytes.ts';
import { type CborValue, encodeCbor } from '../encoding/cbor.ts';
import { ProtocolError } from '../fault.ts';
import { FOREIGN_SIGNER_BYTES } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { foreignSignerOf } from '../trust/announced-signer.ts';
import { countryOf } from './country.ts';
import { type ForeignCode } from './foreign-code.ts';
import { type Candidates, type ForeignKey, type ForeignKeys, type Vouching } from './foreign-keys.ts';
import {
  ANNOUNCED_AUTHORITIES_MAX,
  KEYS_PER_ID_MAX,
  REFUSED_SIGNERS_MAX,
  X509_KEY_ID_BYTES_MAX,
} from './foreign-limits.ts';
import { type SealSigner, type SignerFlaw, signerOf } from './seal-signer.ts';
import { type EcPublicKey, type ForeignCheck, isSound, type RsaPublicKey } from './signature-check.ts';
import { type Certificate, signatureFor } from './x509.ts';

export interface Authority {
  /** Two capital letters. */
  readonly country: string;
  /** SHA-256 of the DER of its name. */
  readonly name: Uint8Array;
  /** Its subject key identifier, 1 to 64 bytes. */
  readonly keyId: Uint8Array;
  readonly publicKey: EcPublicKey | RsaPublicKey;
  /** Seconds since 1970, both included. */
  readonly fromS: number;
  readonly untilS: number;
}

/** A key of a signer that an authority vouches for. */
export type VouchedKey = ForeignKey & { readonly vouching: Vouching };

const NONE: Candidates<never> = { keys: [], isCrowded: false };

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes');
const sized = (min: number, max: number) =>
  bytes.refine(({ length }) => length >= min && length <= max, `expected ${min} to ${max} bytes`);
const timeS = z.int().nonnegative();

const authority = z
  .strictObject({
    country: z
      .string()
      .refine((text) => /^[A-Z]{2}$/.test(text) && countryOf(text) === text, 'expected a country'),
    name: sized(32, 32),
    keyId: sized(1, X509_KEY_ID_BYTES_MAX),
    key: z
      .discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('ec'),
          curve: z.enum(['P-256', 'P-384', 'P-521']),
          x: bytes,
          y: bytes,
        }),
        z.strictObject({ kind: z.literal('rsa'), modulus: bytes, exponent: bytes }),
      ])
      .refine((key) => isSound(key), 'expected a key of a size that is taken'),
    from: timeS,
    until: timeS,
  })
  .refine(({ from, until }) => from <= until, 'expected an end that is not before the begin');

/** As the data of an adapter holds them: each once, in the order of its bytes. */
export const authoritiesSchema = z
  .array(authority)
  .min(1)
  .max(ANNOUNCED_AUTHORITIES_MAX)
  .refine(
    (all) => isAscending(all.map((one) => encodeCbor(one))),
    'expected authorities in the order of their bytes',
  );

export const refusedSchema = z
  .array(sized(FOREIGN_SIGNER_BYTES, FOREIGN_SIGNER_BYTES))
  .min(1)
  .max(REFUSED_SIGNERS_MAX)
  .refine(isAscending, 'expected signers in the order of their bytes');

/** Confined to the window `[fromS, untilS)` of the statement that announces them. */
export function readAuthorities(
  all: z.infer<typeof authoritiesSchema>,
  { fromS, untilS }: { readonly fromS: number; readonly untilS: number },
): readonly Authority[] {
  return all.map(({ key, from, until, ...named }) => ({
    ...named,
    publicKey: key,
    fromS: Math.max(fromS, from),
    untilS: Math.min(untilS - 1, until),
  }));
}

/**
 * The authority that a certificate makes, and the check of its own signature, which is left to the caller. Only what signed itself is taken: a certificate that an older
 * authority made out for a newer one (a link) says nothing that the newer one's own does not.
 * @throws {ProtocolError} KEY_INVALID for a certificate of none.
 */
export function authorityOf(
  sha256: Sha256,
  certificate: Certificate,
): { readonly authority: Authority; readonly check: ForeignCheck } {
  const { subject, issuer, subjectKeyId, publicKey, fromS, untilS, algorithm, signed } = certificate;
  if (!certificate.isAuthority || certificate.keyUsage?.includes('keyCertSign') !== true)
    throw invalid('the certificate of an authority, which may sign certificates');
  if (!equalBytes(subject.bytes, issuer.bytes))
    throw invalid('a certificate that its authority signed itself');
  if (certificate.hasUnknownCritical) throw invalid('no critical extension that is not known');
  if (!/^[A-Z]{2}$/.test(subject.country)) throw invalid('an authority that names its country');
  if (subjectKeyId === undefined) throw invalid('an authority that names its key');
  return {
    authority: {
      ...{ country: subject.country, name: sha256(subject.bytes), keyId: subjectKeyId, publicKey },
      ...{ fromS, untilS },
    },
    check: { algorithm, publicKey, message: signed, signature: signatureFor(certificate, publicKey) },
  };
}

/** As the data of an adapter holds them. Each authority once: who gives one twice gets one. */
export function authoritiesData(all: readonly Authority[]): CborValue[] {
  const written = all.map(({ country, name, keyId, publicKey, fromS, untilS }) => {
    const value = { country, name, keyId, key: { ...publicKey }, from: fromS, until: untilS };
    return { value, encoded: encodeCbor(value) };
  });
  return written
    .toSorted((a, b) => compareBytes(a.encoded, b.encoded))
    .filter(
      ({ encoded }, i, sorted) => i === 0 || compareBytes(sorted[i - 1]?.encoded ?? encoded, encoded) !== 0,
    )
    .map(({ value }) => value);
}

/** The name by which a signer is refused: that of its key (SPEC.md 5.6), since a certificate can be spelled anew by whoever holds one. */
export function sealSignerName(sha256: Sha256, publicKey: EcPublicKey | RsaPublicKey): Uint8Array {
  return foreignSignerOf(sha256, 'vdsnc', { ...publicKey });
}

/**
 * The keys that whoever trusts these authorities names itself, and by which a seal is then judged alone. The seal does not sign the certificate that it brings along:
 * whoever holds it can spell that anew, so that where authorities vouch it is the key that tells whether a signer is named.
 */
export function namedCandidates<K extends ForeignKey>(
  keys: ForeignKeys<K>,
  authorities: Pick<Authorities, 'size'>,
  code: ForeignCode,
): Candidates<K> {
  const named = keys.candidatesFor(code);
  if (named.keys.length > 0 || authorities.size === 0) return named;
  const signer = signerOf(code)?.signer;
  return signer === undefined ? named : keys.candidatesUnder('vdsnc', signer.certificate.publicKey);
}

/** Authorities that a region announces or a verifier pins, by what certificates say of who issued them. */
export class Authorities<A extends Authority = Authority> {
  readonly #byName = new Map<string, { all: A[]; isCrowded: boolean }>();
  readonly #refused: ReadonlySet<string>;
  readonly size: number;

  /** `refused`: names of keys of signers that none of these vouches for any more. */
  constructor(all: readonly A[], refused: readonly Uint8Array[]) {
    this.size = all.length;
    this.#refused = new Set(refused.map(hexOf));
    for (const one of all) {
      const name = nameOf(one.country, one.name, one.keyId);
      const under = this.#byName.get(name) ?? { all: [], isCrowded: false };
      if (under.all.length < KEYS_PER_ID_MAX) under.all.push(one);
      else under.isCrowded = true;
      this.#byName.set(name, under);
    }
  }

  /**
   * The key of the certificate that a seal brings along, by each authority, of at most eight, that it names and that is of its country: what they sign is left to be
   * checked. Where the certificate makes no signer, whoever issued it, no key, and why; without authorities nothing is looked at.
   */
  candidatesFor(sha256: Sha256, code: ForeignCode): Candidates<VouchedKey & { readonly authority: A }> {
    const known = this.size === 0 ? undefined : signerOf(code);
    if (known === undefined) return NONE;
    const signerFlaw = known.flaw ?? this.#refusalOf(sha256, known.signer);
    return known.signer === undefined || signerFlaw !== undefined
      ? { ...NONE, signerFlaw }
      : this.#keysFor(sha256, known.signer, code.keyId);
  }

  #refusalOf(sha256: Sha256, { certificate }: SealSigner): SignerFlaw | undefined {
    const isRefused =
      this.#refused.size > 0 && this.#refused.has(hexOf(sealSignerName(sha256, certificate.publicKey)));
    return isRefused ? 'SIGNER_REFUSED' : undefined;
  }

  #keysFor(
    sha256: Sha256,
    { certificate, authorityKeyId }: SealSigner,
    keyId: string,
  ): Candidates<VouchedKey & { readonly authority: A }> {
    const { issuer, publicKey, fromS, untilS } = certificate;
    const under = this.#byName.get(nameOf(issuer.country, sha256(issuer.bytes), authorityKeyId));
    if (under === undefined) return NONE;
    const keys = under.all.map((authority) => ({
      ...{ format: 'vdsnc' as const, keyId, issuer: authority.country, publicKey, fromS, untilS, authority },
      vouching: {
        check: {
          algorithm: certificate.algorithm,
          publicKey: authority.publicKey,
          message: certificate.signed,
          signature: signatureFor(certificate, authority.publicKey),
        },
        fromS: authority.fromS,
        untilS: authority.untilS,
      },
    }));
    return { keys, isCrowded: under.isCrowded };
  }
}

function nameOf(country: string, name: Uint8Array, keyId: Uint8Array): string {
  return `${country} ${hexOf(name)} ${hexOf(keyId)}`;
}

function invalid(expected: string): ProtocolError {
  return new ProtocolError('KEY_INVALID', `expected ${expected}`);
}

function isAscending(all: readonly Uint8Array[]): boolean {
  return all.every((one, i) => i === 0 || compareBytes(all[i - 1] ?? one, one) < 0);
}
