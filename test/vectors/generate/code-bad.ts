/** Texts that are no code, each with one fault. Spelled out by hand, because the library makes none of them. */
import { concatBytes, equalBytes, hexBytes, hexOf } from '../../../protocol/bytes.ts';
import { codeText } from '../../../protocol/code/code-text.ts';
import { encodeCode } from '../../../protocol/code/code.ts';
import { commitmentOf, type Openings } from '../../../protocol/code/commitment.ts';
import { FIELD_NAMES, type FieldName } from '../../../protocol/code/field.ts';
import { encodeBase45 } from '../../../protocol/encoding/base45.ts';
import { type CborValue, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { type FaultCode } from '../../../protocol/fault.ts';
import { sha256 } from '../../support/primitives.ts';
import {
  CLAIMS,
  counting,
  craft,
  EMPTY,
  HOUR,
  indexBytes,
  ISSUER,
  NOVEMBER,
  present,
  protectedOf,
  sign1,
} from './code-craft.ts';

type BadText = readonly [name: string, text: string];
type BadBytes = readonly [name: string, bytes: Uint8Array];

// A good code and its parts.
const plain = craft();
const shown = craft({ names: ['status', 'holder'] });
const live = present(shown, 1, EMPTY).bytes;
const text = codeText(plain.bytes);
const [statusOpening, holderOpening, documentOpening] = plain.openings.opened as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const path = plain.bytes.slice(-64);
const keyId = hexBytes(ISSUER.keyId);
const header = protectedOf(ISSUER.keyId);
const index = indexBytes(CLAIMS.index);
const commitment = hexBytes(plain.reading.commitment);
const payload = encodeCbor(['CN-33', '2026-11', index, HOUR, commitment]);
const signature = hexBytes(plain.reading.signature);
const ZERO = Uint8Array.of(0);
if (!equalBytes(sign1([header, {}, payload, signature]), plain.attestation)) throw new Error('other parts');

const TEXTS: Partial<Record<FaultCode, readonly BadText[]>> = {
  CODE_EMPTY: [
    ['no text', ''],
    ['the prefix alone', 'ENT1:'],
  ],
  CODE_UNKNOWN: [
    ['a prefix in lower case', text.replace('ENT1:', 'ent1:')],
    ['no prefix', text.slice(5)],
    ['a space before the prefix', ` ${text}`],
    ['the prefix of another kind of code', text.replace('ENT1:', 'HC1:')],
    ['a version of two digits', text.replace('ENT1:', 'ENT10:')],
    ['no version', text.replace('ENT1:', 'ENT:')],
    ['half a prefix', 'ENT1'],
  ],
  CODE_VERSION_UNKNOWN: [
    ['version 2', text.replace('ENT1:', 'ENT2:')],
    ['version 9 in other characters', 'ENT9:\u00e9'],
    ['version 0 of nothing', 'ENT0:'],
  ],
  BASE45_MALFORMED: [
    ['a space behind', `${text} `],
    ['a line end behind', `${text}\r\n`],
    ['a character in lower case', text.replace(/[A-Z](?=[^A-Z]*$)/, (letter) => letter.toLowerCase())],
    ['a control character', text.replace('ENT1:', 'ENT1:\u001b[2J')],
    ['a right-to-left mark', `${text}\u202e`],
    ['a lone character', 'ENT1:A'],
    ['three characters above 65535', 'ENT1:GGW'],
    ['two characters above 255', 'ENT1:V5'],
    ['one character cut', codeText(plain.bytes).slice(0, -1)],
  ],
  TOO_LARGE: [
    ['4,297 characters', `ENT1:${'0'.repeat(4_292)}`],
    ['4,297 characters of version 2', `ENT2:${'0'.repeat(4_292)}`],
    ['4,297 characters, of which each two stand for one beyond 16 bits', `ENT2:0${'\u{1f600}'.repeat(2_146)}`],
  ],
};

const BYTES: Partial<Record<FaultCode, readonly BadBytes[]>> = {
  CODE_MALFORMED: [
    ['one byte', ZERO],
    ['an attestation alone', plain.attestation],
    ['one byte cut', plain.bytes.slice(0, -1)],
    ['one byte behind', concatBytes(plain.bytes, ZERO)],
    ['two elements', encodeCbor([plain.attestation, opened([0, statusOpening])])],
    ['five elements', encodeCbor([plain.attestation, opened([0, statusOpening]), path, path, 0])],
    ['an array of indefinite length', concatBytes(replaced(plain.bytes, '835891', '9f5891'), hexBytes('ff'))],
    ['an array head in two bytes', replaced(plain.bytes, '835891', '98035891')],
    ['the attestation as text', encodeCbor(['x', opened([0, statusOpening]), path])],
    ['no field opened', encodeCbor([plain.attestation, {}, path])],
    ['the status not opened', encodeCbor([plain.attestation, opened([1, holderOpening]), path])],
    ['field number 4', encodeCbor([plain.attestation, opened([0, statusOpening], [4, holderOpening]), path])],
    ['the status twice', replaced(shown.bytes, '015832', '005832')],
    ['a field number as text', replaced(shown.bytes, '015832', '61315832')],
    ['a field number in two bytes', replaced(shown.bytes, '015832', '18015832')],
    ['no value behind the salt', encodeCbor([plain.attestation, opened([0, counting(16)]), path])],
    ['a value of 257 bytes', encodeCbor([plain.attestation, opened([0, new Uint8Array(273)]), path])],
    ['no path', encodeCbor([plain.attestation, opened([0, statusOpening]), EMPTY])],
    ['a path one hash short', encodeCbor([plain.attestation, opened([0, statusOpening]), path.slice(32)])],
    [
      'a path one hash long',
      encodeCbor([plain.attestation, opened([0, statusOpening]), concatBytes(path, index, path)]),
    ],
    ['a path of 63 bytes', encodeCbor([plain.attestation, opened([0, statusOpening]), path.slice(1)])],
    [
      'presented: a code of three elements that says four',
      encodeCbor([shown.bytes.with(0, 0x84), 1, EMPTY, signature]),
    ],
    ['presented: a presentation inside', encodeCbor([live, 1, EMPTY, signature])],
    ['presented: an attestation inside', encodeCbor([plain.attestation, 1, EMPTY, signature])],
  ],
  ATTESTATION_MALFORMED: [
    ['an empty attestation', withAttestation(EMPTY)],
    ['no tag', withAttestation(plain.attestation.slice(1))],
    ['the tag of COSE_Mac0', withAttestation(sign1([header, {}, payload, signature], 'd1'))],
    ['the tag of a CWT outside', withAttestation(sign1([header, {}, payload, signature], 'd83dd2'))],
    ['the tag ten times', withAttestation(sign1([header, {}, payload, signature], 'd2'.repeat(10)))],
    ['the tag in two bytes', withAttestation(sign1([header, {}, payload, signature], 'd812'))],
    ['three COSE elements', withAttestation(sign1([header, {}, payload]))],
    ['five COSE elements', withAttestation(sign1([header, {}, payload, signature, 0]))],
    [
      'a protected header as map',
      withHeader(
        new Map<number, CborValue>([
          [1, -8],
          [4, keyId],
        ]),
      ),
    ],
    ['an empty protected header', withHeader(EMPTY)],
    ['the algorithm only unprotected', withHeader(encodeCbor(new Map([[4, keyId]])), new Map([[1, -8]]))],
    ['algorithm ES256', withHeader(concatBytes(hexBytes('a201260448'), keyId))],
    ['a key id of 7 bytes', withHeader(concatBytes(hexBytes('a201270447'), keyId.slice(1)))],
    ['a key id of 9 bytes', withHeader(concatBytes(hexBytes('a201270449'), keyId, ZERO))],
    ['a further protected header', withHeader(concatBytes(hexBytes('a301270448'), keyId, hexBytes('0500')))],
    ['headers in another order', withHeader(concatBytes(hexBytes('a20448'), keyId, hexBytes('0127')))],
    ['the key id unprotected as well', withHeader(header, new Map([[4, keyId]]))],
    ['a detached payload', withAttestation(sign1([header, {}, null, signature]))],
    ['a signature of 63 bytes', withAttestation(sign1([header, {}, payload, signature.slice(1)]))],
    ['a signature of 65 bytes', withAttestation(sign1([header, {}, payload, concatBytes(signature, ZERO)]))],
    ['one byte behind the attestation', withAttestation(concatBytes(plain.attestation, ZERO))],
    [
      'one byte behind the payload',
      withAttestation(sign1([header, {}, concatBytes(payload, ZERO), signature])),
    ],
    ['a payload of four elements', withPayload('CN-33', '2026-11', index, HOUR)],
    ['a payload of six elements', withPayload('CN-33', '2026-11', index, HOUR, commitment, 0)],
    ['a region in lower case', withPayload('cn-33', '2026-11', index, HOUR, commitment)],
    ['a region with a Cyrillic letter', withPayload('\u0421N', '2026-11', index, HOUR, commitment)],
    [
      'a region with four characters behind the hyphen',
      withPayload('CN-3333', '2026-11', index, HOUR, commitment),
    ],
    ['a log of month 13', withPayload('CN-33', '2026-13', index, HOUR, commitment)],
    ['a log with suffix 0', withPayload('CN-33', '2026-11.0', index, HOUR, commitment)],
    ['an index of four bytes', withPayload('CN-33', '2026-11', index.slice(1), HOUR, commitment)],
    ['an index of six bytes', withPayload('CN-33', '2026-11', concatBytes(ZERO, index), HOUR, commitment)],
    ['an index as number', withPayload('CN-33', '2026-11', CLAIMS.index, HOUR, commitment)],
    ['the hour before the month', withPayload('CN-33', '2026-11', index, NOVEMBER - 1, commitment)],
    ['the hour after the month', withPayload('CN-33', '2026-11', index, NOVEMBER + 720, commitment)],
    ['the hour not in the shortest form', longHour()],
    ['a negative hour', withPayload('CN-33', '2026-11', index, -1, commitment)],
    ['a commitment of 31 bytes', withPayload('CN-33', '2026-11', index, HOUR, commitment.slice(1))],
    ['a commitment of 33 bytes', withPayload('CN-33', '2026-11', index, HOUR, concatBytes(commitment, ZERO))],
  ],
  FIELD_MALFORMED: [
    ['colour 3', withStatus('a5 0103 0200 0401 056161 0601')],
    ['measure 3', withStatus('a6 0100 0203 0301 0401 056161 0601')],
    ['green with a measure', withStatus('a6 0100 0201 0301 0401 056161 0601')],
    ['a measure without end', withStatus('a5 0101 0201 0401 056161 0601')],
    ['an end without measure', withStatus('a6 0100 0200 0301 0401 056161 0601')],
    ['a negative end', withStatus('a6 0101 0201 0320 0401 056161 0601')],
    ['expiry as text', withStatus('a5 0100 0200 046131 056161 0601')],
    ['expiry as float', withStatus('a5 0100 0200 04fb3ff0000000000000 056161 0601')],
    ['expiry as NaN', withStatus('a5 0100 0200 04f97e00 056161 0601')],
    ['expiry 2^53', withStatus('a5 0100 0200 041b0020000000000000 056161 0601')],
    ['expiry 2^64-1', withStatus('a5 0100 0200 041bffffffffffffffff 056161 0601')],
    ['expiry not in the shortest form', withStatus('a5 0100 0200 041801 056161 0601')],
    ['no expiry', withStatus('a4 0100 0200 056161 0601')],
    ['no rule version', withStatus('a4 0100 0200 0401 056161')],
    ['key 8', withStatus('a6 0100 0200 0401 056161 0601 0800')],
    ...badOriginals(),
    ['key 1 twice', withStatus('a6 0100 0100 0200 0401 056161 0601')],
    ['keys in another order', withStatus('a5 0200 0100 0401 056161 0601')],
    ['an empty rule id', withStatus('a5 0100 0200 0401 0560 0601')],
    ['a rule id of 33 characters', withStatus(`a5 0100 0200 0401 057821${'61'.repeat(33)} 0601`)],
    ['a rule id in upper case', withStatus('a5 0100 0200 0401 056141 0601')],
    ['a rule id that begins with a hyphen', withStatus('a5 0100 0200 0401 05622d61 0601')],
    ['key 7 in place of 6', withStatus('a5 0100 0200 0401 056161 0701')],
    ['five entries that say six', withStatus('a6 0100 0200 0401 056161 0601')],
    ['six entries that say five', withStatus('a5 0101 0201 0301 0401 056161 0601')],
    ['a byte behind the status', withStatus('a5 0100 0200 0401 056161 0601 00')],
    ['a value of 256 bytes', withStatus('00'.repeat(256))],
    ['a holder key of 31 bytes', withField(1, encodeCbor(new Uint8Array(31)))],
    ['a holder key of 33 bytes', withField(1, encodeCbor(new Uint8Array(33)))],
    ['a document hash as text', withField(2, encodeCbor('a'.repeat(32)))],
    [
      'a holder key of 32 bytes that says 31',
      withField(1, concatBytes(hexBytes('581f'), new Uint8Array(32))),
    ],
    ['a digest without its head', withField(3, new Uint8Array(32))],
  ],
  COMMITMENT_MISMATCH: [
    ['another colour', replaced(plain.bytes, '01000200', '01010200')],
    ['another salt', encodeCbor([plain.attestation, opened([0, statusOpening.with(0, 0xff)]), path])],
    ['another path', encodeCbor([plain.attestation, opened([0, statusOpening]), path.with(63, 0)])],
    [
      'a path in the other order',
      encodeCbor([
        plain.attestation,
        opened([0, statusOpening]),
        concatBytes(path.slice(32), path.slice(0, 32)),
      ]),
    ],
    [
      'the document opened as evidence',
      encodeCbor([
        plain.attestation,
        opened([0, statusOpening], [3, documentOpening]),
        craft({ names: ['status', 'document'] }).bytes.slice(-64),
      ]),
    ],
    [
      'the commitment of another code',
      withAttestation(craft({ fields: { status: { ...plainStatus(), ruleVersion: 2 } } }).attestation),
    ],
    [
      'presented: another colour',
      encodeCbor([replaced(shown.bytes, '01000200', '01010200'), 1, EMPTY, signature]),
    ],
  ],
  PRESENTATION_MALFORMED: [
    ['presented: the first byte alone', hexBytes('84')],
    ['presented: one byte cut', live.slice(0, -1)],
    ['presented: one byte behind', concatBytes(live, ZERO)],
    ['presented: a challenge of 1 byte', encodeCbor([shown.bytes, 1, counting(1), signature])],
    ['presented: a challenge of 7 bytes', encodeCbor([shown.bytes, 1, counting(7), signature])],
    ['presented: a challenge of 33 bytes', encodeCbor([shown.bytes, 1, counting(33), signature])],
    ['presented: null as challenge', encodeCbor([shown.bytes, 1, null, signature])],
    ['presented: a negative step', encodeCbor([shown.bytes, -1, EMPTY, signature])],
    ['presented: a step in more bytes than needed', replaced(live, '014058', '18014058')],
    ['presented: a signature of 63 bytes', encodeCbor([shown.bytes, 1, EMPTY, new Uint8Array(63)])],
    ['presented: a signature of 65 bytes', encodeCbor([shown.bytes, 1, EMPTY, new Uint8Array(65)])],
    ['presented: the holder field is not opened', present(plain, 1, EMPTY).bytes],
  ],
};

/** Name, text and the one fault. */
export function badCodes(): { readonly name: string; readonly text: string; readonly fault: FaultCode }[] {
  const listOf = <T>(
    groups: Partial<Record<FaultCode, readonly (readonly [string, T])[]>>,
    toText: (made: T) => string,
  ) =>
    Object.entries(groups).flatMap(([fault, cases]) =>
      cases.map(([name, made]) => ({ name, text: toText(made), fault: fault as FaultCode })),
    );
  // Not `codeText`: it makes nothing that is too long for a reader.
  return [...listOf(TEXTS, (made) => made), ...listOf(BYTES, (made) => `ENT1:${encodeBase45(made)}`)];
}

function badOriginals(): readonly BadBytes[] {
  const place = ['ES', '2026-11', counting(5), counting(8), counting(32)] as const;
  const [hash, next] = [new Uint8Array(16), counting(16)];
  return [
    ['a number', 7],
    ['null', null],
    ['no element', []],
    ['the region alone', ['ES']],
    ['three elements', ['ES', '2026-11', counting(5)]],
    ['six elements', [...place, ZERO]],
    ['a map', { ES: [hash] }],
    ['a region in lower case', ['es', [hash]]],
    ['no hash', ['ES', []]],
    ['a hash that stands alone', ['ES', hash]],
    ['a hash of 15 bytes', ['ES', [hash.slice(1)]]],
    ['a hash of 17 bytes', ['ES', [new Uint8Array(17)]]],
    ['a hash as text', ['ES', ['x'.repeat(16)]]],
    ['the same hash twice', ['ES', [hash, hash]]],
    ['hashes in descending order', ['ES', [next, hash]]],
    ['a key of 7 bytes', ['ES', [hash], counting(7)]],
    ['a key of 9 bytes', ['ES', [hash], counting(9)]],
    ['a key as text', ['ES', [hash], 'x'.repeat(8)]],
    ['no key, and null', ['ES', [hash], null]],
    ['a time without a key', ['ES', [hash], 7]],
    ['a time before the key', ['ES', [hash], 7, counting(8)]],
    ['a time before 1970', ['ES', [hash], counting(8), -1]],
    ['a time as null', ['ES', [hash], counting(8), null]],
    ['something behind the time', ['ES', [hash], counting(8), 7, 7]],
    ['four hashes', ['ES', [0, 1, 2, 3].map((byte) => new Uint8Array(16).fill(byte))]],
    ['the trust log', [place[0], 'trust', ...place.slice(2)]],
    ['a month that is none', [place[0], '2026-13', ...place.slice(2)]],
    ['an index as number', [...place.slice(0, 2), 17, ...place.slice(3)]],
    ['an index of 4 bytes', [...place.slice(0, 2), counting(4), ...place.slice(3)]],
    ['an index of 6 bytes', [...place.slice(0, 2), counting(6), ...place.slice(3)]],
    ['a key id of 7 bytes', [...place.slice(0, 3), counting(7), place[4]]],
    ['a leaf of 31 bytes', [...place.slice(0, 4), counting(31)]],
    ['a leaf of 33 bytes', [...place.slice(0, 4), counting(33)]],
  ].map(([what, original]) => [
    `status: as original ${what as string}`,
    withOriginal(original as CborValue),
  ]);
}

function plainStatus() {
  return { colour: 'green', measure: 'none', expiresAtS: 1, ruleId: 'baseline' } as const;
}

function opened(...entries: [number, Uint8Array][]): ReadonlyMap<number, Uint8Array> {
  return new Map(entries);
}

function withAttestation(attestation: Uint8Array): Uint8Array {
  return encodeCbor([attestation, opened([0, statusOpening]), path]);
}

function withHeader(protectedHeader: CborValue, unprotected: CborValue = {}): Uint8Array {
  return withAttestation(sign1([protectedHeader, unprotected, payload, signature]));
}

function withPayload(...elements: CborValue[]): Uint8Array {
  return withAttestation(sign1([header, {}, encodeCbor(elements), signature]));
}

function longHour(): Uint8Array {
  const hour = hexOf(encodeCbor(HOUR));
  return withAttestation(
    sign1([header, {}, replaced(payload, hour, hour.replace('1a', '1b00000000')), signature]),
  );
}

function withStatus(hex: string): Uint8Array {
  return withField(0, hexBytes(hex.replaceAll(' ', '')));
}

/** A status with this original, which no encoder here makes. */
function withOriginal(original: CborValue): Uint8Array {
  const status = new Map<number, CborValue>([
    [1, 0],
    [2, 0],
    [4, 0],
    [5, 'a'],
    [6, 1],
    [7, original],
  ]);
  return withField(0, encodeCbor(status));
}

/** Everything is right but the form of one value: the issuer itself has committed to it. */
function withField(field: number, value: Uint8Array): Uint8Array {
  const opening = concatBytes(counting(16), value);
  const openings: Openings = { ...plain.openings, opened: plain.openings.opened.with(field, opening) };
  const committed = encodeCbor(['CN-33', '2026-11', index, HOUR, commitmentOf(sha256, openings)]);
  const attestation = sign1([header, {}, committed, signature]);
  return encodeCode(sha256, attestation, openings, ['status', FIELD_NAMES[field] as FieldName]);
}

/** The bytes with the only place of `from` changed to `to`. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const parts = hexOf(bytes).split(from);
  if (parts.length !== 2) throw new Error(`${parts.length - 1} places of ${from}`);
  return hexBytes(parts.join(to));
}
