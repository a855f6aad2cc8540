/** Certificates of authorities (CSCA) in files, as countries give them out: X.509 in DER, or several in PEM. Spec: SPEC.md 17.14. */
import { ProtocolError, isProtocolError } from '../../protocol/fault.ts';
import { type Authority, authorityOf } from '../../protocol/foreign/seal-authority.ts';
import { parseCertificate } from '../../protocol/foreign/x509.ts';
import { verifyForeignSignature } from '../crypto/foreign-signatures.ts';
import { nativeSha256 } from '../crypto/native.ts';
import { openCertificate } from './certificate.ts';

/** Bytes of a file: some hundred certificates in PEM. */
export const AUTHORITY_FILE_BYTES_MAX = 1024 * 1024;

/** Certificates of one file. */
const CERTIFICATES_MAX = 1_024;

/** The outermost items of signed data (CMS), as which master lists of several countries come. */
const SIGNED_DATA = /^30(?:8[0-4](?:..){0,4}|..)06092a864886f70d010702/;

export interface AuthorityInFile {
  readonly authority: Authority;
  /** Of its certificate, lower-case hexadecimal of a SHA-256. */
  readonly fingerprint: string;
  /** Its name, for people: attributes as OpenSSL writes them. */
  readonly name: string;
}

export interface AuthorityFile {
  readonly authorities: readonly AuthorityInFile[];
  /** Why each certificate that is not taken is not, in words. */
  readonly leftOut: readonly string[];
}

/** The authorities that a file has; what is none is left out and named. @throws {ProtocolError} TOO_LARGE */
export function readAuthorityFile(bytes: Uint8Array): AuthorityFile {
  const authorities: AuthorityInFile[] = [];
  const leftOut: string[] = [];
  for (const [index, der] of certificatesIn(bytes).entries()) {
    try {
      authorities.push(readAuthority(der));
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      leftOut.push(`certificate ${index}: ${error.message}`);
    }
  }
  return { authorities, leftOut };
}

/** The certificates in a file, unread: what is not PEM is taken for one in DER. @throws {ProtocolError} TOO_LARGE */
export function certificatesIn(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length > AUTHORITY_FILE_BYTES_MAX)
    throw new ProtocolError('TOO_LARGE', `expected at most ${AUTHORITY_FILE_BYTES_MAX} bytes`);
  const text = Buffer.from(bytes).toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (blocks === null) return [bytes];
  if (blocks.length > CERTIFICATES_MAX)
    throw new ProtocolError('TOO_LARGE', `expected at most ${CERTIFICATES_MAX} certificates`);
  return blocks.map(
    (block) => new Uint8Array(Buffer.from(block.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64')),
  );
}

/**
 * The authority of one certificate in DER, which it signed itself.
 * @throws {ProtocolError} as `parseCertificate` and `authorityOf`; SIGNATURE_INVALID; KEY_INVALID for signed data around certificates.
 */
export function readAuthority(der: Uint8Array): AuthorityInFile {
  if (SIGNED_DATA.test(Buffer.from(der.subarray(0, 24)).toString('hex')))
    throw new ProtocolError(
      'KEY_INVALID',
      'expected a certificate, got signed data such as a master list: take the certificates out of it, and give those',
    );
  const { authority, check } = authorityOf(nativeSha256, parseCertificate(der));
  if (!verifyForeignSignature(check))
    throw new ProtocolError('SIGNATURE_INVALID', 'expected a certificate whose own signature is good');
  return {
    authority,
    fingerprint: Buffer.from(nativeSha256(der)).toString('hex'),
    name: openCertificate(der).subject.replaceAll('\n', ', '),
  };
}
