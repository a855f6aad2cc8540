/** Authorities of countries (CSCA) and the signers of seals that they issue, made at run time as ICAO Doc 9303-12 has them. */
import * as crypto from 'node:crypto';
import { type Authority, authorityOf } from '../../protocol/foreign/seal-authority.ts';
import { SIGNS_SEALS } from '../../protocol/foreign/seal-signer.ts';
import { type CertificateAlgorithm } from '../../protocol/foreign/signature-check.ts';
import { parseCertificate } from '../../protocol/foreign/x509.ts';
import { type ForeignSigner, makeEcSigner } from './foreign-keys.ts';
import { sha256 } from './primitives.ts';
import { type CertificateParts, extension, makeCertificate, oid, sequence, tlv } from './x509-fixture.ts';

export const DIGITAL_SIGNATURE = Buffer.of(7, 0x80);
export const CERT_SIGN = Buffer.of(1, 0x06);

export interface TestAuthority {
  readonly signer: ForeignSigner;
  readonly country: string;
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly algorithm: CertificateAlgorithm;
  readonly certificate: Uint8Array;
}

export interface AuthorityParts extends CertificateParts {
  readonly signer?: ForeignSigner;
  readonly keyId?: Uint8Array;
}

/** As an adapter announces it. */
export function announcedAuthority({ certificate }: Pick<TestAuthority, 'certificate'>): Authority {
  return authorityOf(sha256, parseCertificate(certificate)).authority;
}

/** Signs itself. */
export function makeAuthority(parts: AuthorityParts = {}): TestAuthority {
  const {
    signer = makeEcSigner(),
    country = 'AT',
    subject = 'Authority',
    keyId = crypto.randomBytes(20),
  } = parts;
  const { algorithm = signer.publicKey.kind === 'rsa' ? 'RS256' : 'ES256' } = parts;
  const certificate = makeCertificate(signer, {
    ...{ country, subject, algorithm, isAuthority: true, until: '2043-01-01T00:00:00Z' },
    extensions: [keyUsageOf(CERT_SIGN), extension('2.5.29.14', tlv(0x04, keyId))],
    ...parts,
  });
  return { signer, country, name: subject, keyId: new Uint8Array(keyId), algorithm, certificate };
}

export interface SealSignerParts extends CertificateParts {
  /** Bytes of the bit string; null for no such extension. */
  readonly keyUsage?: Uint8Array | null;
  readonly extendedUsage?: readonly string[] | null;
  readonly isUsageCritical?: boolean;
  readonly documentTypes?: readonly string[] | null;
  readonly keyId?: Uint8Array | null;
  /** Beside those above. */
  readonly more?: readonly Uint8Array[];
}

/** The certificate of a signer of seals that an authority issued. */
export function issueSigner(
  { signer: by, country, name, keyId: issuerKeyId, algorithm }: TestAuthority,
  signer: ForeignSigner,
  parts: SealSignerParts = {},
): Uint8Array {
  const { keyUsage = DIGITAL_SIGNATURE, extendedUsage = [SIGNS_SEALS], isUsageCritical = true } = parts;
  const { documentTypes = ['NV'], keyId = issuerKeyId, more = [] } = parts;
  return makeCertificate(signer, {
    ...{ by, country, issuer: name, issuerCountry: country, subject: 'Signer', algorithm },
    extensions: [
      ...(keyId === null ? [] : [extension('2.5.29.35', sequence(tlv(0x80, keyId)))]),
      ...(keyUsage === null ? [] : [keyUsageOf(keyUsage)]),
      ...(extendedUsage === null
        ? []
        : [extension('2.5.29.37', sequence(...extendedUsage.map(oid)), { isCritical: isUsageCritical })]),
      ...(documentTypes === null ? [] : [documentTypesOf(documentTypes)]),
      ...more,
    ],
    ...parts,
  });
}

export function keyUsageOf(bits: Uint8Array): Buffer {
  return extension('2.5.29.15', tlv(0x03, bits), { isCritical: true });
}

function documentTypesOf(types: readonly string[]): Buffer {
  const list = types.map((type) => tlv(0x13, Buffer.from(type)));
  return extension('2.23.136.1.1.6.2', sequence(tlv(0x02, Buffer.of(0)), tlv(0x31, ...list)));
}
