/** Signers of ICAO visible digital seals: pinned themselves, or issued by a pinned authority. Spec: SPEC.md 17.5. */
import type * as crypto from 'node:crypto';
import { encodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { type Seal } from '../../protocol/foreign/seal.ts';
import { openCertificate, readCertificate } from './certificate.ts';

/** The extended key usage of those who sign seals. */
export const SIGNS_SEALS = '2.23.136.1.1.14.2';

/** Authorities that a verifier pins: each is tried on a certificate that no list has. */
export const AUTHORITIES_MAX = 512;

/** The key of a certificate that the verifier pins. @throws {ProtocolError} KEY_INVALID, also for one that is there for another use. */
export function sealKeyOf(der: Uint8Array, country = ''): ForeignKey {
  const { publicKey, fingerprint, usages, fromS, untilS } = readCertificate(der);
  if (usages.length > 0 && !usages.includes(SIGNS_SEALS))
    throw new ProtocolError('KEY_INVALID', 'expected the certificate of a signer of seals');
  return { format: 'vdsnc', keyId: encodeBase64Url(fingerprint), issuer: country, publicKey, fromS, untilS };
}

/**
 * The key of the certificate in a seal, if one of the authorities issued it directly and was in force itself at `nowS`. Undefined otherwise, also
 * for a certificate that cannot be read: a seal's own word makes no key.
 */
export function sealKeyUnder(
  authorities: readonly crypto.X509Certificate[],
  { certificate }: Seal,
  nowS: number,
): ForeignKey | undefined {
  try {
    const signer = openCertificate(certificate);
    const issuer = authorities
      .slice(0, AUTHORITIES_MAX)
      .find((authority) => isIssuedBy(signer, authority, nowS));
    return issuer && sealKeyOf(certificate);
  } catch (error) {
    if (isProtocolError(error, 'KEY_INVALID')) return undefined;
    throw error;
  }
}

function isIssuedBy(
  signer: crypto.X509Certificate,
  authority: crypto.X509Certificate,
  nowS: number,
): boolean {
  const isInForce =
    Date.parse(authority.validFrom) <= 1_000 * nowS && 1_000 * nowS <= Date.parse(authority.validTo);
  return authority.ca && isInForce && signer.checkIssued(authority) && signer.verify(authority.publicKey);
}
