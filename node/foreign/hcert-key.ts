/** A signer of EU Digital COVID Certificates, by its X.509 certificate. Spec: SPEC.md 17.3. */
import { encodeBase64 } from '../../protocol/encoding/base64.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { hcertUsagesOf } from '../../protocol/foreign/hcert-usage.ts';
import { readCertificate } from './certificate.ts';

const KEY_ID_BYTES = 8;

/** Usages of TLS (RFC 5280 4.2.1.12): whoever has none but these makes connections, and signs no codes. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);

/**
 * `country` goes before what the certificate says of it.
 * @throws {ProtocolError} KEY_INVALID as `readCertificate`, and for a certificate that is for connections alone.
 */
export function hcertKeyOf(der: Uint8Array, country?: string): ForeignKey {
  const certificate = readCertificate(der);
  const { usages } = certificate;
  if (usages.length > 0 && usages.every((usage) => OF_CONNECTIONS.has(usage)))
    throw new ProtocolError(
      'KEY_INVALID',
      'expected a certificate that signs codes, got one for TLS connections',
    );
  return {
    format: 'hcert',
    keyId: encodeBase64(certificate.fingerprint.subarray(0, KEY_ID_BYTES)),
    issuer: country ?? certificate.country,
    publicKey: certificate.publicKey,
    usages: hcertUsagesOf(usages),
    fromS: certificate.fromS,
    untilS: certificate.untilS,
  };
}
