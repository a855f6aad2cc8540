/** A signer of ICAO visible digital seals that a verifier or a region names itself, by its X.509 certificate. Spec: SPEC.md 17.5. */
import { encodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { SIGNS_SEALS } from '../../protocol/foreign/seal-signer.ts';
import { readCertificate } from './certificate.ts';

/**
 * `country` goes before what the certificate says of it. Whoever names the signer vouches for it: who issued its certificate is not looked at.
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
