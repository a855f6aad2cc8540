/**
 * Lists of keys of others, in the forms that exist: X.509 as PEM or DER, lists of certificates as gateways give them out, did:web documents, and
 * key sets of issuers of cards. Whoever chose the file vouches for it: signatures around a list are not checked. Spec: SPEC.md 17.7.
 */
import { decodeUtf8 } from '../../protocol/encoding/utf8.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { cardKeysOf } from '../../protocol/foreign/card-keys.ts';
import { countryOf } from '../../protocol/foreign/country.ts';
import { type Json } from '../../protocol/foreign/foreign-code.ts';
import { isObject, memberOf, parseForeignJson, textOf } from '../../protocol/foreign/foreign-json.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { FOREIGN_KEYS_MAX, NAME_CHARS_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { publicKeyOfJwk } from '../../protocol/foreign/jwk.ts';
import { type Authority } from '../../protocol/foreign/seal-authority.ts';
import { SIGNS_SEALS } from '../../protocol/foreign/seal-signer.ts';
import { nativeSha256 } from '../crypto/native.ts';
import { isForeignKey } from '../crypto/foreign-signatures.ts';
import { readAuthority } from './authority-file.ts';
import { CERTIFICATE_BYTES_MAX, openCertificate } from './certificate.ts';
import { hcertKeyOf } from './hcert-key.ts';
import { sealKeyOf } from './seal-key.ts';

/** Bytes of a file: 32,768 certificates with what stands around them in JSON. */
export const KEY_LIST_BYTES_MAX = 96 * 1024 * 1024;

/** Authorities of one list: a country has some ten, in force and before. */
const AUTHORITIES_MAX = 512;

export interface KeyList {
  readonly keys: readonly ForeignKey[];
  /** Who may issue certificates to signers of seals. */
  readonly authorities: readonly Authority[];
  /** Why each entry that is not taken is not, in words. */
  readonly leftOut: readonly string[];
  /** It is a directory of issuers of cards: theirs, and not those of one issuer that somebody chose. */
  readonly isDirectory?: true;
}

/** Some editors write one before a text. */
const BYTE_ORDER_MARK = /^\ufeff/;

export interface KeyListOptions {
  /** Whose key set it is, where the file does not say: the https address of an issuer of cards. */
  readonly issuer?: string | undefined;
}

/**
 * Reads a list. An entry that cannot be taken is left out and named; a file without any entry is refused.
 * @throws {ProtocolError} TOO_LARGE; JSON_MALFORMED, UTF8_MALFORMED; CLAIMS_MALFORMED for JSON in none of the forms, KEY_INVALID for anything else.
 */
export function readKeyList(bytes: Uint8Array, { issuer }: KeyListOptions = {}): KeyList {
  if (bytes.length > KEY_LIST_BYTES_MAX)
    throw new ProtocolError('TOO_LARGE', `expected at most ${KEY_LIST_BYTES_MAX} bytes`);
  // The outermost item of DER is a sequence.
  if (bytes[0] === 0x30) return collect([{ der: bytes }]);
  const text = decodeUtf8(bytes).replace(BYTE_ORDER_MARK, '');
  if (text.includes('-----BEGIN CERTIFICATE-----')) return collect(pemEntries(text));
  return readJson(parseForeignJson(text), issuer);
}

/** One thing that may become a key. */
type Entry =
  | { readonly der: Uint8Array; readonly country?: string | undefined; readonly type?: string | undefined }
  | { readonly jwk: Json; readonly keyId: string; readonly country?: string | undefined };

function readJson(json: Json, issuer: string | undefined): KeyList {
  const methods = memberOf(json, 'verificationMethod');
  if (Array.isArray(methods)) return collect((methods as readonly Json[]).flatMap(methodEntries));
  const directory = memberOf(json, 'issuerInfo');
  if (Array.isArray(directory)) return cardKeys(directory as readonly Json[]);
  if (memberOf(json, 'keys') !== undefined && issuer !== undefined)
    return { ...cardKeysOf(nativeSha256, issuer, json), authorities: [] };
  const certificates = Array.isArray(json) ? json : memberOf(json, 'certificates');
  if (Array.isArray(certificates))
    return collect((certificates as readonly Json[]).flatMap(certificateEntries));
  throw new ProtocolError(
    'CLAIMS_MALFORMED',
    'expected certificates, a did document, a directory of issuers, or a key set and the address of its issuer',
  );
}

function pemEntries(text: string): Entry[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => ({ der: derOf(block.replaceAll(/-----[A-Z ]+-----/g, '')) }));
}

/** As the gateway of the EU's member states gives them out, and its national copies. */
function certificateEntries(item: Json): Entry[] {
  const text = ['rawData', 'certificate', 'x5c']
    .map((name) => memberOf(item, name))
    .map((value) => (Array.isArray(value) ? (value as readonly Json[])[0] : value))
    .find((value) => typeof value === 'string');
  const type = memberOf(item, 'certificateType');
  return [
    {
      der: derOf(text ?? ''),
      country: countryIn(textOf(item, 'country', 3)),
      ...(type !== undefined && { type: typeof type === 'string' ? type : '' }),
    },
  ];
}

/** The WHO's trust network: `did:web:...:<domain>:<country>:<DSC or SCA>#<key id>`; those of authorities sign no codes. */
function methodEntries(method: Json): Entry[] {
  const jwk = memberOf(method, 'publicKeyJwk');
  const id = textOf(method, 'id', NAME_CHARS_MAX) ?? '';
  if (!isObject(jwk) || /:SCA(?:#|$)/.test(id)) return [];
  const chain = memberOf(jwk, 'x5c');
  const first: Json | undefined = Array.isArray(chain) ? (chain as readonly Json[])[0] : undefined;
  const country = countryIn(COUNTRY_OF_METHOD.exec(id)?.[1]);
  if (typeof first === 'string') return [{ der: derOf(first), country }];
  return [{ jwk, keyId: textOf(jwk, 'kid', NAME_CHARS_MAX) ?? id.split('#')[1] ?? '', country }];
}

/** Behind the domain, which is in capitals too, or a dash for any. */
const COUNTRY_OF_METHOD = /:(?:[A-Z][A-Z0-9-]*|-):([A-Z]{2,3}):DSC(?:#|$)/;

/** What a list says of whose a key is, if that is the code of a country. */
function countryIn(text = ''): string | undefined {
  return /^[A-Za-z]{2,3}$/.test(text) ? countryOf(text) : undefined;
}

/** Directories of issuers of cards, as snapshots of them are handed around. */
function cardKeys(directory: readonly Json[]): KeyList {
  const keys: ForeignKey[] = [];
  const leftOut: string[] = [];
  for (const [index, entry] of directory.entries()) {
    const issuer = textOf(memberOf(entry, 'issuer'), 'iss', NAME_CHARS_MAX) ?? '';
    const read = tried(() => cardKeysOf(nativeSha256, issuer, entry));
    if (typeof read === 'string') leftOut.push(`issuer ${index}: ${read}`);
    else {
      keys.push(...read.keys);
      leftOut.push(...read.leftOut.map((reason) => `issuer ${index}, ${reason}`));
    }
    if (keys.length > FOREIGN_KEYS_MAX) throw tooMany();
  }
  return { keys, authorities: [], leftOut, isDirectory: true };
}

function collect(entries: readonly Entry[]): KeyList {
  if (entries.length === 0) throw new ProtocolError('CLAIMS_MALFORMED', 'expected at least one key');
  if (entries.length > FOREIGN_KEYS_MAX) throw tooMany();
  const keys: ForeignKey[] = [];
  const authorities: Authority[] = [];
  const leftOut: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const read = tried(() => ('der' in entry ? certificateIn(entry) : keyOf(entry)));
    if (typeof read === 'string') leftOut.push(`entry ${index}: ${read}`);
    else if ('format' in read) keys.push(read);
    else if (authorities.length < AUTHORITIES_MAX) authorities.push(read);
    else leftOut.push(`entry ${index}: more than ${AUTHORITIES_MAX} authorities`);
  }
  return { keys, authorities, leftOut };
}

/** What a gateway calls a certificate it is for: those that sign what is uploaded, or make connections, sign no codes. */
function certificateIn({ der, country, type }: Extract<Entry, { readonly der: Uint8Array }>) {
  if (type !== undefined && type !== 'DSC' && type !== 'CSCA')
    throw new ProtocolError(
      'KEY_INVALID',
      `expected a certificate of the type DSC or CSCA, got ${named(type)}`,
    );
  const read = certificateOf(der, country);
  if (type !== undefined && 'format' in read !== (type === 'DSC'))
    throw new ProtocolError(
      'KEY_INVALID',
      `the certificate is no ${type}: it ${type === 'DSC' ? 'is' : 'is not'} an authority`,
    );
  return read;
}

/** What a file says, for people. */
function named(type: string): string {
  return /^[A-Za-z]{1,32}$/.test(type) ? type : 'another';
}

/** What a certificate is for: an authority issues others; of the others its usage tells who signs seals. */
function certificateOf(der: Uint8Array, country?: string): ForeignKey | Authority {
  const certificate = openCertificate(der);
  if (certificate.ca) return readAuthority(der).authority;
  const usages = certificate.keyUsage as string[] | undefined;
  return usages?.includes(SIGNS_SEALS) === true ? sealKeyOf(der, country) : hcertKeyOf(der, country);
}

function keyOf({ jwk, keyId, country = '' }: Extract<Entry, { readonly jwk: Json }>): ForeignKey {
  const publicKey = publicKeyOfJwk(jwk);
  if (!/^[A-Za-z0-9+/]{11}=$/.test(keyId))
    throw new ProtocolError('KEY_INVALID', 'expected a key id of eight bytes in base64');
  if (!isForeignKey(publicKey)) throw new ProtocolError('KEY_INVALID', 'expected a point of the curve');
  return { format: 'hcert', keyId, issuer: country, publicKey };
}

function derOf(text: string): Uint8Array {
  if (text.length > 2 * CERTIFICATE_BYTES_MAX) return new Uint8Array(0);
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function tried<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (isProtocolError(error)) return error.message;
    throw error;
  }
}

function tooMany(): ProtocolError {
  return new ProtocolError('TOO_LARGE', `expected at most ${FOREIGN_KEYS_MAX} keys`);
}
