/** What a region gives a named auditor of a stretch of a log, signed, and whether each of it fits. Spec: SPEC.md 22. */
import { parseAttestation } from '../code/attestation.ts';
import { commitmentOfOpened } from '../code/commitment.ts';
import { type Fields, OPENING_BYTES_MAX, parseFields } from '../code/field.ts';
import { PADDING_SECRET_BYTES, paddingCommitment } from '../code/padding.ts';
import { asciiBytes, concatBytes, equalBytes } from '../bytes.ts';
import { CborReader, encodeCbor } from '../encoding/cbor.ts';
import { type FaultCode, isProtocolError, ProtocolError } from '../fault.ts';
import {
  BASIS_BYTES_MAX,
  DISCLOSED_OPERATORS_MAX,
  DISCLOSURE_BYTES_MAX,
  DISCLOSURE_LEAVES_MAX,
} from '../limits.ts';
import { isAttestationLogId, isNetwork, isRegion } from '../log/origin.ts';
import { type Primitives, type Sha256 } from '../primitives.ts';
import { SIGNATURE_BYTES } from '../signature/strict-ed25519.ts';
import { type TrustKey } from '../trust/trust-state.ts';
import { type Basis, evidenceOf, readBasis } from './basis.ts';

const LABEL = 'entente/disclosure/v3';
const SIGNED_LABEL = asciiBytes(`${LABEL}\n`);
/** The first byte of what software signed not yet: an array of nine. */
const UNSIGNED = 0x89;
const KEY_BYTES = 32;
const TEXT_BYTES_MAX = 128;
const PATH_BYTES_MAX = 128;
const OPERATOR_NAME_BYTES_MAX = 32;
const SCOPES_MAX = 16;

/** Whose log, which part of it, when and for whom. */
export interface DisclosureHead {
  readonly region: string;
  readonly network: string;
  readonly log: string;
  readonly from: number;
  readonly until: number;
  readonly atS: number;
  /** The key it was made for, as its encryption names it. */
  readonly auditor: string;
}

/** What opens status and evidence of one leaf, and what that evidence is of. Holder and document stay closed. */
export interface DisclosedLeaf {
  /** Salt and value. */
  readonly status: Uint8Array;
  readonly evidence: Uint8Array | undefined;
  /** The hashes that the openings do not give, as in a code. */
  readonly path: Uint8Array;
  readonly basis: Uint8Array | undefined;
}

/** What shows that a leaf is nobody's. */
export interface DisclosedPadding {
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

/** Somebody who acts for the region, or did, by its own account: who signed a colour without a rule can be asked. */
export interface DisclosedOperator {
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly scopes: readonly string[];
  /** When the region named them, seconds since 1970. */
  readonly fromS: number;
  /** When it took them back; undefined for one who is an operator still. */
  readonly untilS?: number | undefined;
}

export interface Disclosure extends DisclosureHead {
  /** At most `DISCLOSED_OPERATORS_MAX`. */
  readonly operators: readonly DisclosedOperator[];
  /**
   * Of the indexes from `from` on; undefined for a leaf of which nothing is shown: who had it was forgotten, or it is nobody's and of
   * a time when that could not be shown yet.
   */
  readonly leaves: readonly (DisclosedLeaf | DisclosedPadding | undefined)[];
}

/** What a region signed, and the key by which: whose it is, and from when until when, the trust log says. */
export interface SignedDisclosure {
  readonly disclosure: Disclosure;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/**
 * Signs a disclosure with the region's trust-log key that is in force at its time.
 * @throws {RangeError} unless there are as many leaves as the range has, at most `DISCLOSURE_LEAVES_MAX`; for too many operators.
 */
export function signDisclosure(
  sha256: Sha256,
  disclosure: Disclosure,
  { publicKey, sign }: { readonly publicKey: Uint8Array; readonly sign: (message: Uint8Array) => Uint8Array },
): Uint8Array {
  const body = encodeBody(disclosure);
  return encodeCbor([body, publicKey, sign(signedBytes(sha256, body))]);
}

/**
 * The disclosure that `bytes` are, signed by the key that it carries; byte strings are views of them.
 * @throws {ProtocolError} DISCLOSURE_MALFORMED, SIGNATURE_INVALID
 */
export function openDisclosure(
  bytes: Uint8Array,
  { sha256, verifySignature }: Pick<Primitives, 'sha256' | 'verifySignature'>,
): SignedDisclosure {
  if (bytes.length > DISCLOSURE_BYTES_MAX) throw malformed(`expected at most ${DISCLOSURE_BYTES_MAX} bytes`);
  if (bytes[0] === UNSIGNED)
    throw malformed('nobody signed it, as older software made them: have the region disclose it again');
  return wellFormed(() => {
    const reader = new CborReader(bytes);
    if (reader.array(3) !== 3) throw malformed('expected a disclosure with its key and signature');
    const body = reader.bytes(1, DISCLOSURE_BYTES_MAX);
    const publicKey = reader.bytes(KEY_BYTES, KEY_BYTES);
    const signature = reader.bytes(SIGNATURE_BYTES, SIGNATURE_BYTES);
    reader.end();
    if (!verifySignature({ publicKey, message: signedBytes(sha256, body), signature }))
      throw new ProtocolError('SIGNATURE_INVALID', 'expected the signature of the key that it names');
    return { disclosure: parseBody(body), publicKey };
  });
}

/**
 * Whether a key that the region's trust log ever had could sign this: a trust-log key that was in force at its time and is not given
 * up, since whoever stole one can name any time.
 */
export function mayHaveSigned(
  key: TrustKey | undefined,
  { disclosure: { atS }, publicKey }: SignedDisclosure,
): boolean {
  if (key?.role !== 'trust-log' || key.compromise !== undefined) return false;
  return equalBytes(key.publicKey, publicKey) && key.fromS <= atS && atS < key.untilS;
}

function signedBytes(sha256: Sha256, body: Uint8Array): Uint8Array {
  return concatBytes(SIGNED_LABEL, sha256(body));
}

function encodeBody({ leaves, operators, ...head }: Disclosure): Uint8Array {
  const { region, network, log, from, until, atS, auditor } = head;
  if (leaves.length !== until - from || leaves.length > DISCLOSURE_LEAVES_MAX)
    throw new RangeError(`a disclosure has a leaf for each index, at most ${DISCLOSURE_LEAVES_MAX}`);
  if (operators.length > DISCLOSED_OPERATORS_MAX)
    throw new RangeError(`a disclosure names at most ${DISCLOSED_OPERATORS_MAX} operators`);
  const named = operators.map(({ name, publicKey, scopes, fromS, untilS }) => [
    name,
    publicKey,
    [...scopes],
    fromS,
    ...(untilS === undefined ? [] : [untilS]),
  ]);
  const items = leaves.map((leaf) => {
    if (leaf === undefined) return [];
    if ('secret' in leaf) return [leaf.secret];
    return [leaf.status, leaf.evidence ?? NOTHING, leaf.path, leaf.basis ?? NOTHING];
  });
  return encodeCbor([LABEL, region, network, log, from, until, atS, auditor, named, items]);
}

const NOTHING = new Uint8Array(0);

function parseBody(body: Uint8Array): Disclosure {
  const reader = new CborReader(body);
  if (reader.array(10) !== 10 || reader.text(TEXT_BYTES_MAX) !== LABEL)
    throw malformed('expected a disclosure as this software makes it: have the region disclose it again');
  const [region, network, log] = [
    reader.text(TEXT_BYTES_MAX),
    reader.text(TEXT_BYTES_MAX),
    reader.text(TEXT_BYTES_MAX),
  ];
  // A name of another form would lead whoever reads the log by it to files that nobody has held against a tree.
  if (!isRegion(region) || !isNetwork(network) || !isAttestationLogId(log))
    throw malformed('expected the names of a region, a network and an attestation log');
  const [from, until, atS] = [reader.uint(), reader.uint(), reader.uint()];
  const auditor = reader.text(TEXT_BYTES_MAX);
  const operators = Array.from({ length: reader.array(DISCLOSED_OPERATORS_MAX) }, () => readOperator(reader));
  const count = reader.array(DISCLOSURE_LEAVES_MAX);
  if (count !== until - from) throw malformed('expected a leaf for each index');
  const leaves: Disclosure['leaves'][number][] = [];
  for (let i = 0; i < count; i++) leaves.push(readLeaf(reader));
  reader.end();
  return { region, network, log, from, until, atS, auditor, operators, leaves };
}

const TOLD: ReadonlySet<FaultCode> = new Set(['DISCLOSURE_MALFORMED', 'SIGNATURE_INVALID']);

/** Whatever is no such CBOR is no disclosure. */
function wellFormed<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isProtocolError(cause) || TOLD.has(cause.fault.code)) throw cause;
    throw malformed(cause.message, cause);
  }
}

function readOperator(reader: CborReader): DisclosedOperator {
  const length = reader.array(5);
  if (length < 4) throw malformed('expected four parts of an operator, or five');
  const name = reader.text(OPERATOR_NAME_BYTES_MAX);
  const publicKey = reader.bytes(KEY_BYTES, KEY_BYTES);
  const scopes = Array.from({ length: reader.array(SCOPES_MAX) }, () => reader.text(TEXT_BYTES_MAX));
  const fromS = reader.uint();
  return { name, publicKey, scopes, fromS, ...(length === 5 && { untilS: reader.uint() }) };
}

function readLeaf(reader: CborReader): DisclosedLeaf | DisclosedPadding | undefined {
  const length = reader.array(4);
  if (length === 0) return undefined;
  if (length === 1) return { secret: reader.bytes(PADDING_SECRET_BYTES, PADDING_SECRET_BYTES) };
  if (length !== 4) throw malformed('expected four parts of a leaf, one, or none');
  const status = reader.bytes(1, OPENING_BYTES_MAX);
  const evidence = reader.bytes(0, OPENING_BYTES_MAX);
  const path = reader.bytes(0, PATH_BYTES_MAX);
  const basis = reader.bytes(0, BASIS_BYTES_MAX);
  return {
    status,
    evidence: evidence.length === 0 ? undefined : evidence,
    path,
    basis: basis.length === 0 ? undefined : basis,
  };
}

/** Whether this shows that an entry of the log is nobody's: then no code ever opens it. Total on bytes. */
export function isNobodys(sha256: Sha256, entry: Uint8Array, { secret }: DisclosedPadding): boolean {
  try {
    return equalBytes(paddingCommitment(sha256, secret), parseAttestation(entry).commitment);
  } catch (error) {
    if (isProtocolError(error) || error instanceof RangeError) return false;
    throw error;
  }
}

/** What a leaf says once opened; `basis` is undefined where none was kept. */
export interface OpenedLeaf {
  /** Of issue, hours since 1970. */
  readonly hour: number;
  readonly fields: Fields;
  /** `malformed` for what is none, which the region committed to all the same. */
  readonly basis: Basis | 'malformed' | undefined;
}

export type OpeningFault = 'OPENING_MISMATCH' | 'BASIS_MISMATCH' | 'BASIS_MISSING';

/**
 * Opens an entry of the log. A fault says that the region does not give what it committed to: it lies now, or what it keeps was
 * changed since. Total on bytes.
 */
export function openLeaf(
  sha256: Sha256,
  entry: Uint8Array,
  { status, evidence, path, basis }: DisclosedLeaf,
): OpenedLeaf | { readonly fault: OpeningFault } {
  try {
    const opened = [status, undefined, undefined, evidence];
    const { commitment, hour } = parseAttestation(entry);
    if (!equalBytes(commitmentOfOpened(sha256, opened, path), commitment))
      return { fault: 'OPENING_MISMATCH' };
    const fields = parseFields(opened);
    if (fields.evidence === undefined) {
      return basis === undefined ? { hour, fields, basis: undefined } : { fault: 'BASIS_MISMATCH' };
    }
    if (basis === undefined) return { fault: 'BASIS_MISSING' };
    if (!equalBytes(evidenceOf(sha256, basis), fields.evidence)) return { fault: 'BASIS_MISMATCH' };
    return { hour, fields, basis: readBasis(basis) };
  } catch (error) {
    if (isProtocolError(error) || error instanceof RangeError) return { fault: 'OPENING_MISMATCH' };
    throw error;
  }
}

function malformed(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError('DISCLOSURE_MALFORMED', message, {}, { cause });
}
