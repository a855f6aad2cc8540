/** Entries of the trust log: a statement and its signatures. Spec: SPEC.md 8.1. */
import { asciiBytes, concatBytes, hexBytes, hexOf } from '../bytes.ts';
import { CborReader, decodeCbor, encodeCbor } from '../encoding/cbor.ts';
import { ProtocolError } from '../fault.ts';
import { ENTRY_BYTES_MAX, STATEMENT_SIGNATURES_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { KEY_ID_BYTES } from '../signature/key-id.ts';
import { SIGNATURE_BYTES } from '../signature/strict-ed25519.ts';
import { statementSchema, type Statement } from './statement-schema.ts';

const STATEMENT_LABEL = asciiBytes('entente/statement/v1\n');
const FINGERPRINT_LABEL = asciiBytes('entente/root/v1\n');
const NEWLINE = asciiBytes('\n');

export interface StatementSignature {
  /** 16 lower-case hexadecimal digits. */
  readonly keyId: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** An entry taken apart. Nothing is said of its signatures but their form. */
export interface Entry {
  /** The whole entry, as it was given. */
  readonly bytes: Uint8Array;
  /** The signed part: a view of `bytes`, as are all byte strings of `statement`. */
  readonly body: Uint8Array;
  readonly statement: Statement;
  /** 1 to 32, by strictly ascending key id. */
  readonly signatures: readonly StatementSignature[];
}

/**
 * Takes an entry apart, and with `encodeEntry` gives the same bytes back. Takes at most `ENTRY_BYTES_MAX` bytes.
 * @throws {ProtocolError} STATEMENT_MALFORMED for whatever SPEC.md 8.1 and 8.2 do not allow; the set of a revocation is not
 * looked into.
 */
export function parseEntry(bytes: Uint8Array): Entry {
  if (bytes.length > ENTRY_BYTES_MAX) {
    throw malformed(`expected at most ${ENTRY_BYTES_MAX} bytes, got ${bytes.length}`);
  }
  try {
    const reader = new CborReader(bytes);
    readLength(reader, 2);
    const body = reader.bytes(0, bytes.length);
    const signatures = readSignatures(reader);
    reader.end();
    return { bytes, body, statement: parseStatement(body), signatures };
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    if (cause.fault.code === 'STATEMENT_MALFORMED') throw cause;
    throw malformed(cause.message, cause);
  }
}

/**
 * The statement that a body holds.
 * @throws {ProtocolError} STATEMENT_MALFORMED, or a fault of CBOR.
 */
export function parseStatement(body: Uint8Array): Statement {
  const parsed = statementSchema.safeParse(decodeCbor(body, { bytesMax: ENTRY_BYTES_MAX }));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  // Member names come from outside and so stay out; the path holds only names that the schema knows.
  throw malformed(`statement: ${issue?.path.join('.') ?? ''}: ${issue?.code ?? ''}`, parsed.error);
}

/** The body of a statement: what its signers sign. @throws {TypeError} if the statement breaks SPEC.md 8.2. */
export function encodeStatement(statement: Statement): Uint8Array {
  const parsed = statementSchema.safeParse(statement);
  if (!parsed.success) throw new TypeError(`no such statement: ${parsed.error.message}`);
  return encodeCbor(parsed.data);
}

/** What each key signs. `origin` is that of the trust log, so that a statement counts in no other. */
export function statementMessage(origin: string, body: Uint8Array): Uint8Array {
  return concatBytes(STATEMENT_LABEL, asciiBytes(origin), NEWLINE, body);
}

/**
 * The entry of a body and its signatures, which may come in any order. Does not check them.
 * @throws {RangeError} unless there are 1 to 32 of distinct keys and the entry has at most `ENTRY_BYTES_MAX` bytes.
 */
export function encodeEntry(body: Uint8Array, signatures: readonly StatementSignature[]): Uint8Array {
  const sorted = signatures.toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1));
  const isRepeated = sorted.some(({ keyId }, i) => keyId === sorted[i + 1]?.keyId);
  if (isRepeated || sorted.length < 1 || sorted.length > STATEMENT_SIGNATURES_MAX) {
    throw new RangeError(`expected 1 to ${STATEMENT_SIGNATURES_MAX} signatures of distinct keys`);
  }
  const entry = encodeCbor([body, sorted.map(({ keyId, signature }) => [hexBytes(keyId), signature])]);
  if (entry.length > ENTRY_BYTES_MAX) throw new RangeError(`an entry has at most ${ENTRY_BYTES_MAX} bytes`);
  return entry;
}

/** Signs with one key: `sign` gives the 64 bytes of an Ed25519 signature. */
export interface StatementSigner {
  readonly keyId: string;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** The entry of `body` with a signature of each signer. @throws {RangeError} as `encodeEntry`. */
export function signStatement(
  origin: string,
  body: Uint8Array,
  signers: readonly StatementSigner[],
): Uint8Array {
  const message = statementMessage(origin, body);
  return encodeEntry(
    body,
    signers.map(({ keyId, sign }) => ({ keyId, signature: sign(message) })),
  );
}

/** The fingerprint that peers pin: 32 bytes. `body` is that of the region's root statement of version 1. */
export function fingerprintOf(sha256: Sha256, body: Uint8Array): Uint8Array {
  return sha256(concatBytes(FINGERPRINT_LABEL, body));
}

function readSignatures(reader: CborReader): StatementSignature[] {
  const count = reader.array(STATEMENT_SIGNATURES_MAX);
  if (count === 0) throw malformed('expected a signature');
  const signatures: StatementSignature[] = [];
  let previous = '';
  for (let i = 0; i < count; i++) {
    readLength(reader, 2);
    const keyId = hexOf(reader.bytes(KEY_ID_BYTES, KEY_ID_BYTES));
    if (keyId <= previous) throw malformed('expected ascending key ids');
    signatures.push({ keyId, signature: reader.bytes(SIGNATURE_BYTES, SIGNATURE_BYTES) });
    previous = keyId;
  }
  return signatures;
}

function readLength(reader: CborReader, expected: number): void {
  const length = reader.array(expected);
  if (length !== expected) throw malformed(`expected an array of ${expected}, got one of ${length}`);
}

function malformed(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError('STATEMENT_MALFORMED', message, {}, { cause });
}
