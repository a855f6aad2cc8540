/** Deterministic CBOR as cases for `encoding.json`. Spec: SPEC.md 2.1. */
import { type FaultCode } from '../../../protocol/fault.ts';

/** A value in JSON: `{bytes}` in hexadecimal, `{fields}` for text keys, `{entries}` for integer keys, each in encoded order. */
export type TaggedValue =
  | null
  | boolean
  | number
  | string
  | readonly TaggedValue[]
  | { readonly bytes: string }
  | { readonly fields: readonly (readonly [string, TaggedValue])[] }
  | { readonly entries: readonly (readonly [number, TaggedValue])[] };

export type CborVector =
  | { readonly name: string; readonly bytes: string; readonly value: TaggedValue }
  | { readonly name: string; readonly bytes: string; readonly fault: FaultCode; readonly offset: number };

export function cborVectors(): CborVector[] {
  return [...numberCases(), ...stringCases(), ...containerCases(), ...malformedCases(), ...longFormCases()];
}

const good = (name: string, bytes: string, value: TaggedValue): CborVector => ({ name, bytes, value });
const malformed = (name: string, bytes: string, offset = 0): CborVector => ({ name, bytes, fault: 'CBOR_MALFORMED', offset });
const notCanonical = (name: string, bytes: string, offset = 0): CborVector => ({ name, bytes, fault: 'CBOR_NOT_CANONICAL', offset });

function numberCases(): CborVector[] {
  return [
    good('0', '00', 0),
    good('23', '17', 23),
    good('24', '1818', 24),
    good('255', '18ff', 255),
    good('256', '190100', 256),
    good('65535', '19ffff', 65_535),
    good('65536', '1a00010000', 65_536),
    good('2^32-1', '1affffffff', 2 ** 32 - 1),
    good('2^32', '1b0000000100000000', 2 ** 32),
    good('2^53-1', '1b001fffffffffffff', 2 ** 53 - 1),
    good('-1', '20', -1),
    good('-24', '37', -24),
    good('-25', '3818', -25),
    good('-(2^53-1)', '3b001ffffffffffffe', -(2 ** 53 - 1)),
    good('false', 'f4', false),
    good('true', 'f5', true),
    good('null', 'f6', null),
  ];
}

function stringCases(): CborVector[] {
  return [
    good('no bytes', '40', { bytes: '' }),
    good('two bytes', '42ff00', { bytes: 'ff00' }),
    good('24 bytes', '5818' + 'ab'.repeat(24), { bytes: 'ab'.repeat(24) }),
    good('no text', '60', ''),
    good('text of two bytes', '62c3bc', '\u00fc'),
    good('text of three bytes', '63e6b0b4', '\u6c34'),
    good('text of four bytes', '64f09f9880', '\u{1f600}'),
    good('text with a byte order mark', '64efbbbf61', '\ufeffa'),
    good('text with NUL', '6100', '\0'),
    good('text of 40 bytes', '7828' + '61'.repeat(40), 'a'.repeat(40)),
  ];
}

function containerCases(): CborVector[] {
  const nested = (levels: number): TaggedValue => (levels === 0 ? 0 : [nested(levels - 1)]);
  return [
    good('empty array', '80', []),
    good('empty map', 'a0', { fields: [] }),
    good('array', '8301206161', [1, -1, 'a']),
    good('24 items', '9818' + '00'.repeat(24), Array<number>(24).fill(0)),
    good('sixteen levels', '81'.repeat(16) + '00', nested(16)),
    good('sixteen levels of maps', 'a100'.repeat(15) + 'a0', Array.from({ length: 15 }).reduce<TaggedValue>((inner) => ({ entries: [[0, inner]] }), { fields: [] })), // prettier-ignore
    good('text keys', 'a361620061630162616102', { fields: [['b', 0], ['c', 1], ['aa', 2]] }), // prettier-ignore
    good('text keys in byte order, not UTF-16 order', 'a263efbfbf0064f090808001', { fields: [['\uffff', 0], ['\u{10000}', 1]] }), // prettier-ignore
    good('empty key', 'a16000', { fields: [['', 0]] }),
    good('keys of every JavaScript object', 'a268746f537472696e67006b636f6e7374727563746f7201', { fields: [['toString', 0], ['constructor', 1]] }), // prettier-ignore
    good('integer keys', 'a3000117021818f6', { entries: [[0, 1], [23, 2], [24, null]] }), // prettier-ignore
    good('a statement-like map', 'a46261741a6ab13b8062c3bc8320f6f563736574420400646b696e646178', {
      fields: [['at', 1_790_000_000], ['ü', [-1, null, true]], ['set', { bytes: '0400' }], ['kind', 'x']], // prettier-ignore
    }),
  ];
}

function malformedCases(): CborVector[] {
  return [
    malformed('nothing', ''),
    malformed('B18: seventeen levels', '81'.repeat(17) + '00', 16),
    malformed('B18: seventeen levels, the last empty', '81'.repeat(16) + '80', 16),
    malformed('B18: 5,000 levels', '81'.repeat(5_000), 16),
    malformed('B18: seventeen levels of maps', 'a100'.repeat(16) + 'a0', 32),
    malformed('B19: array longer than the input', '9affffffff00'),
    malformed('B20: bytes longer than the input', '5affffffff00'),
    malformed('B21: array of 2^64-1', '9bffffffffffffffff'),
    malformed('map longer than the input by one', 'a100'),
    malformed('array longer than the input by one', '8200'),
    malformed('text longer than the input by one', '816261', 1),
    malformed('number cut', '1900'),
    malformed('B25: one byte more', '0000', 1),
    malformed('B25: a map and a byte', 'a000', 1),
    malformed('B26: NaN', 'f97e00'),
    malformed('half 0.0', 'f90000'),
    malformed('single 1.0', 'fa3f800000'),
    malformed('double 1.5', 'fb3ff8000000000000'),
    malformed('undefined', 'f7'),
    malformed('undefined in an array', '82f5f7', 2),
    malformed('simple 0', 'e0'),
    malformed('simple 32', 'f820'),
    malformed('false in two bytes', 'f814'),
    malformed('break', 'ff'),
    malformed('B27: FF as text', '61ff'),
    malformed('B27: overlong slash', '62c0af'),
    malformed('B27: surrogate', '63eda080'),
    malformed('B27: above U+10FFFF', '64f4908080'),
    malformed('B27: cut sequence', '61c3'),
    malformed('B27: bad end of long text', '7828' + '61'.repeat(39) + 'c3'),
    malformed('B28: __proto__', 'a1695f5f70726f746f5f5fa0', 1),
    malformed('B29: -(2^64)', '3bffffffffffffffff'),
    malformed('-(2^53)', '3b001fffffffffffff'),
    malformed('2^53', '1b0020000000000000'),
    malformed('2^64-1', '1bffffffffffffffff'),
    malformed('B30: tag 18', 'd28443a10126a0404100'),
    malformed('B30: tag 61 in tag 18', 'd2d83d80'),
    malformed('tag 0', 'c06161'),
    malformed('mixed keys, integer first', 'a20100616100', 3),
    malformed('mixed keys, text first', 'a26161000100', 4),
    malformed('negative key', 'a12000', 1),
    malformed('key of bytes', 'a1410000', 1),
    malformed('key null', 'a1f600', 1),
    malformed('array as key', 'a18000', 1),
    malformed('reserved 28', '1c'),
    malformed('reserved 30', '5e'),
    malformed('integer of indefinite length', '1f'),
    malformed('tag of indefinite length', 'df'),
  ];
}

function longFormCases(): CborVector[] {
  return [
    notCanonical('B22: key twice', 'a201010102', 3),
    notCanonical('B22: text key twice', 'a2616100616100', 4),
    notCanonical('integer keys descend', 'a202010102', 3),
    notCanonical('text keys descend', 'a2616200616100', 4),
    notCanonical('longer key first', 'a262616100616200', 5),
    notCanonical('keys in UTF-16 order', 'a264f09080800063efbfbf01', 7),
    notCanonical('B23: 0 in two bytes', '1800'),
    notCanonical('23 in two bytes', '1817'),
    notCanonical('255 in three bytes', '1900ff'),
    notCanonical('65535 in five bytes', '1a0000ffff'),
    notCanonical('2^32-1 in nine bytes', '1b00000000ffffffff'),
    notCanonical('-24 in two bytes', '3817'),
    notCanonical('long length of bytes', '5801ff'),
    notCanonical('long length of text', '780161'),
    notCanonical('long length of an array', '980100'),
    notCanonical('long length of a map', 'b8010000'),
    notCanonical('long key', 'a1180000', 1),
    notCanonical('B24: array of indefinite length', '9f01ff'),
    notCanonical('map of indefinite length', 'bfff'),
    notCanonical('bytes of indefinite length', '5f4100ff'),
    notCanonical('text of indefinite length', '7f6161ff'),
    notCanonical('indefinite within', '8201' + '9fff', 2),
  ];
}
