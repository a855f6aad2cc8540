/** The signer of a seal by the certificate that it brings along: what it says of itself, and why it makes no signer. Spec: SPEC.md 17.14. */
import { equalBytes } from '../bytes.ts';
import { type FaultCode, isProtocolError } from '../fault.ts';
import { isSameIssuer } from './country.ts';
import { type ForeignCode } from './foreign-code.ts';
import { memberOf } from './foreign-json.ts';
import { CODE_CURVES } from './signature-check.ts';
import { type Certificate, parseCertificate } from './x509.ts';

/** The extended key usage of those who sign seals. Spec: ICAO Doc 9303-12. */
export const SIGNS_SEALS = '2.23.136.1.1.14.2';

/** What a certificate calls the documents that seals of a type are. Spec: ICAO Doc 9303-13. */
const DOCUMENT_TYPES: ReadonlyMap<unknown, string> = new Map([
  ['icao.vacc', 'NV'],
  ['icao.test', 'NT'],
]);

/** A fault of the reader, what speaks against a certificate whoever issued it, or that its signer is refused. Codes are stable API. */
export type SignerFlaw =
  | FaultCode
  | 'SELF_SIGNED'
  | 'AUTHORITY'
  | 'CRITICAL_EXTENSION'
  | 'KEY_USAGE'
  | 'DOCUMENT_TYPE'
  | 'COUNTRY'
  | 'AUTHORITY_UNNAMED'
  | 'SIGNER_REFUSED';

/** A certificate in which all is as it has to be of a signer of this seal. That somebody who is trusted issued it, nothing says yet. */
export interface SealSigner {
  readonly certificate: Certificate;
  /** The name of the authority's key. */
  readonly authorityKeyId: Uint8Array;
}

export type SignerOfSeal =
  | { readonly signer: SealSigner; readonly flaw?: undefined }
  | { readonly signer?: undefined; readonly flaw: SignerFlaw };

/** Regions ask of one code one after the other, and a code never changes. */
const signersOfCodes = new WeakMap<ForeignCode, SignerOfSeal>();

/** The signer of a seal; undefined for a code that brings no certificate along. */
export function signerOf(code: ForeignCode): SignerOfSeal | undefined {
  if (code.certificate === undefined) return undefined;
  let known = signersOfCodes.get(code);
  if (known === undefined) signersOfCodes.set(code, (known = readSigner(code, code.certificate)));
  return known;
}

function readSigner(code: ForeignCode, der: Uint8Array): SignerOfSeal {
  try {
    const certificate = parseCertificate(der);
    const flaw = flawOf(certificate, code);
    if (flaw !== undefined) return { flaw };
    const { authorityKeyId } = certificate;
    return authorityKeyId === undefined
      ? { flaw: 'AUTHORITY_UNNAMED' }
      : { signer: { certificate, authorityKeyId } };
  } catch (error) {
    if (isProtocolError(error)) return { flaw: error.fault.code };
    throw error;
  }
}

function flawOf(certificate: Certificate, code: ForeignCode): SignerFlaw | undefined {
  const { issuer, subject, publicKey, keyUsage, extendedUsage, documentTypes } = certificate;
  if (equalBytes(issuer.bytes, subject.bytes)) return 'SELF_SIGNED';
  if (certificate.isAuthority || keyUsage?.includes('keyCertSign') === true) return 'AUTHORITY';
  if (certificate.hasUnknownCritical) return 'CRITICAL_EXTENSION';
  const isForSeals = extendedUsage?.isCritical === true && extendedUsage.oids.includes(SIGNS_SEALS);
  // Signers of seals that are in circulation have no key usage: the critical extended one says all.
  if (!isForSeals || keyUsage?.includes('digitalSignature') === false) return 'KEY_USAGE';
  const documentType = DOCUMENT_TYPES.get(memberOf(memberOf(code.content, 'hdr'), 't'));
  if (documentType !== undefined && documentTypes?.includes(documentType) === false) return 'DOCUMENT_TYPE';
  const isOfSeal = (country: string) => country !== '' && isSameIssuer(country, code.issuer ?? '');
  if (!isOfSeal(issuer.country) || !isOfSeal(subject.country)) return 'COUNTRY';
  const isCodeKey = publicKey.kind === 'rsa' || CODE_CURVES.some((curve) => curve === publicKey.curve);
  return isCodeKey ? undefined : 'KEY_INVALID';
}
