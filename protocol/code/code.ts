/** The code: an attestation and what opens some of its fields. Spec: SPEC.md 5.3 and 6. */
import { equalBytes } from '../bytes.ts';
import { CborReader, encodeCbor } from '../encoding/cbor.ts';
import { cborMalformed } from '../encoding/cbor-reader.ts';
import { ProtocolError } from '../fault.ts';
import { type Sha256 } from '../primitives.ts';
import { type Attestation, parseAttestation } from './attestation.ts';
import { decodeCodeText } from './code-text.ts';
import { commitmentOfOpened, HASH_BYTES, type Openings, pathBytesOf, pathOf } from './commitment.ts';
import {
  FIELD_NAMES,
  type FieldName,
  type FieldOpenings,
  type Fields,
  openedMap,
  parseFields,
  readOpened,
} from './field.ts';
import {
  isPresentation,
  parseOuterPresentation,
  type PresentationClaims,
  presentationMessage,
} from './presentation.ts';
import { readAs } from './refault.ts';

/**
 * A well-formed code, its opened fields proven to be those of its commitment. Two things are left to be checked: the
 * attestation's signature over `attestationMessage`, and that of the presentation, if there is one, by `holderKey`.
 */
export interface ParsedCode extends Fields {
  readonly attestation: Attestation;
  readonly presentation?: Presentation | undefined;
}

export interface Presentation extends PresentationClaims {
  /** 64 bytes. */
  readonly signature: Uint8Array;
  /** What the signature covers. */
  readonly message: Uint8Array;
}

/**
 * Parses the text of a code or of a presentation. Byte strings in the result are views of one array that is made here.
 * @throws {ProtocolError} what is wrong with the outermost layer at fault (SPEC.md 5.5): as `decodeCodeText`;
 * PRESENTATION_MALFORMED, also if the holder field is not opened; and as `parseCodeBytes`.
 */
export function parseCode(sha256: Sha256, text: string): ParsedCode {
  const bytes = decodeCodeText(text);
  if (!isPresentation(bytes)) return parseCodeBytes(sha256, bytes);
  const { code, step, challenge, signature } = parseOuterPresentation(bytes);
  const parsed = parseCodeBytes(sha256, code);
  if (parsed.holderKey === undefined) {
    throw new ProtocolError('PRESENTATION_MALFORMED', 'expected a code that opens the holder field');
  }
  const message = presentationMessage(sha256, parsed.attestation.bytes, { step, challenge });
  return { ...parsed, presentation: { step, challenge, signature, message } };
}

/**
 * Parses a plain code.
 * @throws {ProtocolError} CODE_MALFORMED, ATTESTATION_MALFORMED, FIELD_MALFORMED, COMMITMENT_MISMATCH.
 */
export function parseCodeBytes(sha256: Sha256, bytes: Uint8Array): ParsedCode {
  const { attestation: attestationBytes, opened, path } = parseOuterCode(bytes);
  const attestation = parseAttestation(attestationBytes);
  const { status, holderKey, document, evidence } = parseFields(opened);
  if (!equalBytes(commitmentOfOpened(sha256, opened, path), attestation.commitment)) {
    throw new ProtocolError('COMMITMENT_MISMATCH', 'expected fields that the attestation commits to');
  }
  return { attestation, status, holderKey, document, evidence, presentation: undefined };
}

/**
 * The code of an attestation that opens `fields`, the status among them. `openings` are those of its commitment: with others
 * the code is refused by every reader.
 * @throws {TypeError} if the status is not among `fields`, or one of them is not used in the attestation.
 */
export function encodeCode(
  sha256: Sha256,
  attestation: Uint8Array,
  openings: Openings,
  fields: readonly FieldName[],
): Uint8Array {
  if (!fields.includes('status')) throw new TypeError('a code opens the status');
  const opened = FIELD_NAMES.map((name, field) =>
    fields.includes(name) ? openings.opened[field] : undefined,
  );
  if (FIELD_NAMES.some((name, field) => fields.includes(name) && opened[field] === undefined)) {
    throw new TypeError('a code opens no field that its attestation does not use');
  }
  return encodeCbor([attestation, openedMap(opened), pathOf(sha256, openings, opened)]);
}

interface OuterCode {
  readonly attestation: Uint8Array;
  readonly opened: FieldOpenings;
  readonly path: Uint8Array;
}

function parseOuterCode(bytes: Uint8Array): OuterCode {
  return readAs('CODE_MALFORMED', 'a code', () => {
    const reader = new CborReader(bytes);
    if (reader.array(3) !== 3) throw cborMalformed(0, 'expected three elements');
    const attestation = reader.bytes(0, bytes.length);
    const openedAt = reader.offset;
    const opened = readOpened(reader);
    if (opened[0] === undefined) throw cborMalformed(openedAt, 'expected the status to be opened');
    const pathAt = reader.offset;
    const path = reader.bytes(0, 2 * HASH_BYTES);
    reader.end();
    const pathBytes = pathBytesOf(opened);
    if (path.length !== pathBytes) throw cborMalformed(pathAt, `expected a path of ${pathBytes} bytes`);
    return { attestation, opened, path };
  });
}
