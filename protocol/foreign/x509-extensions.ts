/** The extensions of a certificate that say what its key is for. Spec: SPEC.md 17.13, RFC 5280 4.2.1, ICAO Doc 9303-12 7.1. */
import { DerReader, malformed, TAG } from './der.ts';
import { X509_ITEMS_MAX, X509_KEY_ID_BYTES_MAX } from './foreign-limits.ts';

export type CertificateUsage = 'digitalSignature' | 'keyCertSign';

export interface Extensions {
  /** It may issue others. */
  readonly isAuthority: boolean;
  /** What its key is for, as far as it matters here; undefined where it does not say. */
  readonly keyUsage: readonly CertificateUsage[] | undefined;
  /** Object identifiers of its extended key usages, and whether nobody may overlook them; undefined where it has none. */
  readonly extendedUsage: { readonly oids: readonly string[]; readonly isCritical: boolean } | undefined;
  /** Which of the issuer's keys signed it, and the name of its own. */
  readonly authorityKeyId: Uint8Array | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
  /** The documents that its key may sign; undefined for all. */
  readonly documentTypes: readonly string[] | undefined;
  /** It has an extension that nobody may overlook and that is not known here. */
  readonly hasUnknownCritical: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads the last part of what is signed. @throws {ProtocolError} CERTIFICATE_MALFORMED without extensions, or with one twice. */
export function readExtensions(reader: DerReader): Extensions {
  const outer = reader.within(0xa3);
  const list = outer.within(TAG.sequence);
  outer.end();
  const found: Mutable<Extensions> = {
    ...{ isAuthority: false, keyUsage: undefined, extendedUsage: undefined },
    ...{ authorityKeyId: undefined, subjectKeyId: undefined, documentTypes: undefined },
    hasUnknownCritical: false,
  };
  const known = new Set<string>();
  while (!list.isAtEnd) {
    const extension = list.within(TAG.sequence);
    const oid = extension.oid();
    // Whoever is not critical does not say so: that is the default.
    const isCritical = extension.isNext(TAG.boolean);
    if (isCritical && !extension.boolean()) throw malformed('expected no default to be written');
    const value = new DerReader(extension.item(TAG.octetString).content);
    extension.end();
    if (known.has(oid)) throw malformed('expected each extension once');
    if (known.add(oid).size > X509_ITEMS_MAX) throw malformed('expected fewer extensions');
    const read = READERS.get(oid);
    if (read === undefined) found.hasUnknownCritical ||= isCritical;
    else {
      read(found, value, isCritical);
      value.end();
    }
  }
  if (known.size === 0) throw malformed('expected extensions');
  return found;
}

type Read = (found: Mutable<Extensions>, value: DerReader, isCritical: boolean) => void;

const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['2.5.29.19', readConstraints],
  ['2.5.29.15', readKeyUsage],
  ['2.5.29.37', readExtendedUsage],
  ['2.5.29.35', readAuthorityKeyId],
  ['2.5.29.14', (found, value) => (found.subjectKeyId = keyIdOf(value.item(TAG.octetString).content))],
  ['2.23.136.1.1.6.2', readDocumentTypes],
]);

function readConstraints(found: Mutable<Extensions>, value: DerReader): void {
  const constraints = value.within(TAG.sequence);
  if (constraints.isAtEnd) return;
  if (!constraints.boolean()) throw malformed('expected no default to be written');
  found.isAuthority = true;
  if (!constraints.isAtEnd) constraints.unsigned(1);
  constraints.end();
}

function readKeyUsage(found: Mutable<Extensions>, value: DerReader): void {
  const bits = value.namedBits();
  found.keyUsage = [
    ...(bits.includes(0) ? (['digitalSignature'] as const) : []),
    ...(bits.includes(5) ? (['keyCertSign'] as const) : []),
  ];
}

function readExtendedUsage(found: Mutable<Extensions>, value: DerReader, isCritical: boolean): void {
  const list = value.within(TAG.sequence);
  const oids: string[] = [];
  while (!list.isAtEnd && oids.length < X509_ITEMS_MAX) oids.push(list.oid());
  list.end();
  if (oids.length === 0) throw malformed('expected an extended key usage');
  found.extendedUsage = { oids, isCritical };
}

/** Beside the name of a key, an issuer and a serial number may stand: those of the issuer's own certificate, which nobody looks up here. */
function readAuthorityKeyId(found: Mutable<Extensions>, value: DerReader): void {
  const parts = value.within(TAG.sequence);
  if (parts.isNext(0x80)) found.authorityKeyId = keyIdOf(parts.any().content);
  for (const tag of [0xa1, 0x82]) if (parts.isNext(tag)) parts.any();
  parts.end();
}

function readDocumentTypes(found: Mutable<Extensions>, value: DerReader): void {
  const list = value.within(TAG.sequence);
  if (list.unsigned(1)[0] !== 0) throw malformed('expected version 0 of a list of document types');
  found.documentTypes = list.set(X509_ITEMS_MAX).map(({ tag, content }) => {
    if (tag !== TAG.printableString || content.length > 2) throw malformed('expected a type of document');
    return String.fromCharCode(...content);
  });
  list.end();
}

function keyIdOf(content: Uint8Array): Uint8Array {
  if (content.length === 0 || content.length > X509_KEY_ID_BYTES_MAX)
    throw malformed(`expected the name of a key, of at most ${X509_KEY_ID_BYTES_MAX} bytes`);
  return content;
}
