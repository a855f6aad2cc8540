/** The hash that binds a code made for paper to an identity document. Spec: SPEC.md 5.4. */
import { asciiBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { SALT_BYTES } from './field.ts';

/** RFC 7914: `cost` is N. Memory is 128 * N * r bytes, 32 MiB. */
export interface ScryptParams {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  /** Bytes of the result. */
  readonly length: number;
}

/** What makes a guess of a document's number cost 50 ms of a core and 32 MiB. */
export const DOCUMENT_SCRYPT: ScryptParams = { cost: 32_768, blockSize: 8, parallelization: 1, length: 32 };

/** An identity document as somebody read or typed it. */
export interface DocumentInput {
  /** ISO 3166-1 alpha-2 code of the issuer, in upper case. */
  readonly country: string;
  readonly number: string;
}

const COUNTRY = /^[A-Z]{2}$/;
const NUMBER_CHARS_MIN = 4;
const NUMBER_CHARS_MAX = 32;
/** Characters as typed, separators included. */
const INPUT_CHARS_MAX = 256;

/**
 * The hash of the document field with this salt (16 bytes). `scrypt` gives the derived key or a promise of it, and so does
 * this function.
 * @throws {ProtocolError} SCHEMA_INVALID as `boundDocument`. @throws {TypeError} on a salt of another length.
 */
export function documentHash<T extends Uint8Array | Promise<Uint8Array>>(
  scrypt: (password: Uint8Array, salt: Uint8Array, params: ScryptParams) => T,
  document: DocumentInput,
  salt: Uint8Array,
): T {
  if (salt.length !== SALT_BYTES) throw new TypeError(`a salt has ${SALT_BYTES} bytes`);
  return scrypt(documentPassword(document), salt, DOCUMENT_SCRYPT);
}

/** What is hashed, of `boundDocument`. @throws {ProtocolError} SCHEMA_INVALID as that. */
export function documentPassword(document: DocumentInput): Uint8Array {
  const { country, number } = boundDocument(document);
  return asciiBytes(`entente/document/v1\n${country}\n${number}`);
}

/**
 * The document that a code is bound to: the same however the number was spaced, hyphenated or cased.
 * @throws {ProtocolError} SCHEMA_INVALID if the country is no code, or of the number less than 4 or more than 32 of
 * `A-Z0-9` remain. The message holds nothing of the document.
 */
export function boundDocument({ country, number }: DocumentInput): DocumentInput {
  if (!COUNTRY.test(country)) {
    throw new ProtocolError('SCHEMA_INVALID', 'expected two capital letters as the country of the document');
  }
  if (number.length > INPUT_CHARS_MAX) throw badNumber(number.length);
  const plain = plainNumber(number);
  if (plain.length < NUMBER_CHARS_MIN || plain.length > NUMBER_CHARS_MAX) throw badNumber(plain.length);
  return { country, number: plain };
}

/** ASCII only: what Unicode calls upper case differs between versions and languages. */
function plainNumber(number: string): string {
  return number.replace(/[a-z]/g, (letter) => letter.toUpperCase()).replace(/[^A-Z0-9]/g, '');
}

function badNumber(chars: number): ProtocolError {
  return new ProtocolError(
    'SCHEMA_INVALID',
    `expected a document number of ${NUMBER_CHARS_MIN} to ${NUMBER_CHARS_MAX} letters and digits, got ${chars}`,
    { chars, charsMin: NUMBER_CHARS_MIN, charsMax: NUMBER_CHARS_MAX },
  );
}
