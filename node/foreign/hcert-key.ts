/** A signer of EU Digital COVID Certificates, by its X.509 certificate. Spec: SPEC.md 17.3. */
import { encodeBase64 } from '../../protocol/encoding/base64.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { hcertUsagesOf } from '../../protocol/foreign/hcert-usage.ts';
import { readCertificate } from './certificate.ts';

const KEY_ID_BYTES = 8;

/** `country` goes before what the certificate says of it. @throws {ProtocolError} KEY_INVALID */
export function hcertKeyOf(der: Uint8Array, country?: string): ForeignKey {
  const certificate = readCertificate(der);
  return {
    format: 'hcert',
    keyId: encodeBase64(certificate.fingerprint.subarray(0, KEY_ID_BYTES)),
    issuer: country ?? certificate.country,
    publicKey: certificate.publicKey,
    usages: hcertUsagesOf(certificate.usages),
    fromS: certificate.fromS,
    untilS: certificate.untilS,
  };
}
