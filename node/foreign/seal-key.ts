/** Signers of ICAO visible digital seals: pinned themselves, or issued by a pinned authority. Spec: SPEC.md 17.5. */
import type * as crypto from 'node:crypto';
import { encodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { SIGNS_SEALS } from '../../protocol/foreign/seal-signer.ts';
import { type Seal } from '../../protocol/foreign/seal.ts';
import { countryNamed, keyObjectOf, openCertificate, readCertificate } from './certificate.ts';

/** Authorities that a verifier pins: each is tried on a certificate that no list has. */
export const AUTHORITIES_MAX = 512;

/**
 * The key of a certificate of a signer of seals; `country` goes before what the certificate says of it.
 * @throws {ProtocolError} KEY_INVALID, also for a certificate of an authority, one that is not for seals, and one of no country.
 */
export function sealKeyOf(der: Uint8Array, country?: string): ForeignKey {
  const certificate = readCertificate(der);
  const { publicKey, fingerprint, usages, isAuthority, fromS, untilS } = certificate;
  if (isAuthority || !usages.includes(SIGNS_SEALS))
    throw new ProtocolError('KEY_INVALID', 'expected the certificate of a signer of seals');
  const issuer = country ?? certificate.country;
  if (issuer === '')
    throw new ProtocolError('KEY_INVALID', 'expected a signer of seals that names its country');
  return { format: 'vdsnc', keyId: encodeBase64Url(fingerprint), issuer, publicKey, fromS, untilS };
}

/** A certificate that may issue those of signers. @throws {ProtocolError} KEY_INVALID for one whose key cannot be read, and for one of no country. */
export function sealAuthorityOf(der: Uint8Array): crypto.X509Certificate {
  const authority = openCertificate(der);
  keyObjectOf(authority);
  if (countryNamed(authority) === '')
    throw new ProtocolError('KEY_INVALID', 'expected an authority that names its country');
  return authority;
}

/**
 * The key of the certificate in a seal, if one of the authorities issued it directly, is of its country and was in force itself at `nowS`.
 * Undefined otherwise: a seal's own word makes no key.
 * @throws {ProtocolError} KEY_INVALID for a certificate that signs no seals, whoever issued it: see `sealKeyOf`.
 */
export function sealKeyUnder(
  authorities: readonly crypto.X509Certificate[],
  { certificate }: Seal,
  nowS: number,
): ForeignKey | undefined {
  const key = sealKeyOf(certificate);
  const signer = openCertificate(certificate);
  const isIssued = authorities
    .slice(0, AUTHORITIES_MAX)
    .some((authority) => countryNamed(authority) === key.issuer && isIssuedBy(signer, authority, nowS));
  return isIssued ? key : undefined;
}

function isIssuedBy(
  signer: crypto.X509Certificate,
  authority: crypto.X509Certificate,
  nowS: number,
): boolean {
  const isInForce =
    Date.parse(authority.validFrom) <= 1_000 * nowS && 1_000 * nowS <= Date.parse(authority.validTo);
  return authority.ca && isInForce && signer.checkIssued(authority) && signer.verify(keyObjectOf(authority));
}
