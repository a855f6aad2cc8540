import assert from 'node:assert/strict';
import { decode as cborgDecode, encode as cborgEncode } from 'cborg';
import fc from 'fast-check';
import { hexOf } from '../../../protocol/bytes.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { type FaultCode, isProtocolError, ProtocolError } from '../../../protocol/fault.ts';
import { fromHex } from '../../support/hex.ts';

const LIMITS = { bytesMax: 65_535 };

const decodeHex = (hex: string) => decodeCbor(fromHex(hex), LIMITS);

function refuses(hex: string, code: FaultCode, offset: number): void {
  assert.throws(
    () => decodeHex(hex),
    (error) => isProtocolError(error, code) && error.fault.details['offset'] === offset,
    `${hex} -> ${code} at ${offset}`,
  );
}

const values = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger().map((n) => n + 0),
    fc.string({ unit: 'binary' }),
    fc.uint8Array(),
    fc.array(tie('value')),
    fc
      .dictionary(
        fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__'),
        tie('value'),
        { noNullPrototype: true },
      )
      .map((fields) => ({ ...fields })),
    fc
      .uniqueArray(fc.tuple(fc.maxSafeNat(), tie('value')), { selector: ([key]) => key, minLength: 1 })
      .map((entries) => new Map(entries)),
  ),
})).value;

/** Bytes near what the decoder takes: an encoding with a few bytes changed, cut or added. */
const mutated = fc
  .tuple(
    values,
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
    fc.nat(),
    fc.uint8Array({ maxLength: 2 }),
  )
  .map(([value, changes, cut, tail]) => {
    const bytes = encodeCbor(value);
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return Uint8Array.from([...bytes.subarray(0, bytes.length - (cut % 3)), ...tail]);
  });

describe('encodeCbor and decodeCbor', () => {
  it('take the examples of RFC 8949 appendix A that are in the subset', () => {
    const examples: [string, CborValue][] = [
      ['00', 0],
      ['01', 1],
      ['0a', 10],
      ['17', 23],
      ['1818', 24],
      ['1819', 25],
      ['1864', 100],
      ['1903e8', 1000],
      ['1a000f4240', 1_000_000],
      ['1b000000e8d4a51000', 1_000_000_000_000],
      ['20', -1],
      ['29', -10],
      ['3863', -100],
      ['3903e7', -1000],
      ['f4', false],
      ['f5', true],
      ['f6', null],
      ['40', new Uint8Array()],
      ['4401020304', Uint8Array.of(1, 2, 3, 4)],
      ['60', ''],
      ['6161', 'a'],
      ['6449455446', 'IETF'],
      ['62225c', '"\\'],
      ['62c3bc', '\u00fc'],
      ['63e6b0b4', '\u6c34'],
      ['64f0908591', '\u{10151}'],
      ['80', []],
      ['83010203', [1, 2, 3]],
      ['8301820203820405', [1, [2, 3], [4, 5]]],
      [
        '98190102030405060708090a0b0c0d0e0f101112131415161718181819',
        Array.from({ length: 25 }, (_, i) => i + 1),
      ],
      ['a0', {}],
      ['a201020304', new Map([[1, 2], [3, 4]])], // prettier-ignore
      ['a26161016162820203', { a: 1, b: [2, 3] }],
      ['826161a161626163', ['a', { b: 'c' }]],
      ['a56161614161626142616361436164614461656145', { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' }],
    ];
    for (const [hex, value] of examples) {
      assert.equal(hexOf(encodeCbor(value)), hex);
      assert.deepEqual(decodeHex(hex), value);
    }
  });

  it('take the least and the largest number of each width', () => {
    for (const [hex, value] of [
      ['18ff', 0xff],
      ['190100', 0x100],
      ['19ffff', 0xffff],
      ['1a00010000', 0x1_0000],
      ['1affffffff', 0xffff_ffff],
      ['1b0000000100000000', 0x1_0000_0000],
      ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
      ['37', -24],
      ['3818', -25],
      ['3b001ffffffffffffe', Number.MIN_SAFE_INTEGER],
    ] as const) {
      assert.equal(hexOf(encodeCbor(value)), hex);
      assert.equal(decodeHex(hex), value);
    }
  });

  it('sort text keys by length and then by bytes, not by UTF-16 units', () => {
    const fields = { '\u{10000}': 1, '\uffff': 2, b: 3, aa: 4, '': 5 };
    assert.equal(
      hexOf(encodeCbor(fields)),
      'a5' + '6005' + '616203' + '62616104' + '63efbfbf02' + '64f090808001',
    );
    assert.deepEqual(decodeCbor(encodeCbor(fields), LIMITS), fields);
  });

  it('sort integer keys by value', () => {
    const hex = 'a4' + '0001' + '1702' + '181803' + '19010004';
    const entries = new Map([[256, 4], [24, 3], [0, 1], [23, 2]]); // prettier-ignore
    assert.equal(hexOf(encodeCbor(entries)), hex);
    assert.deepEqual(decodeHex(hex), new Map([...entries].reverse()));
  });

  it('give back every value (property)', () => {
    fc.assert(
      fc.property(values, (value) => {
        assert.deepEqual(decodeCbor(encodeCbor(value), LIMITS), value);
      }),
    );
  });

  it('agree with cborg on the bytes of every value without integer keys (property)', () => {
    const hasMap = (value: CborValue): boolean =>
      value instanceof Map ||
      (typeof value === 'object' &&
        value !== null &&
        !(value instanceof Uint8Array) &&
        (Object.values(value) as CborValue[]).some(hasMap));
    fc.assert(
      fc.property(
        values.filter((value) => !hasMap(value)),
        (value) => {
          assert.equal(hexOf(encodeCbor(value)), hexOf(cborgEncode(value)));
        },
      ),
    );
  });

  it('take changed bytes only if these are canonical, and then agree with cborg; else throw nothing but faults (property)', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: mutated }, fc.uint8Array({ maxLength: 12 })), (bytes) => {
        let value: CborValue;
        try {
          value = decodeCbor(bytes, LIMITS);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
          return;
        }
        taken++;
        assert.equal(hexOf(encodeCbor(value)), hexOf(bytes));
        const asMaps = { strict: true, rejectDuplicateMapKeys: true, allowIndefinite: false, useMaps: true };
        assert.deepEqual(withMaps(value), cborgDecode(bytes, asMaps));
      }),
      { numRuns: 2_000 },
    );
    assert.ok(taken > 100, `${taken} of 2,000 taken`);
  });
});

/** Objects as `Map`s, as cborg gives them when asked for `Map`s only. */
function withMaps(value: CborValue): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((item: CborValue) => withMaps(item));
  const entries =
    value instanceof Map ? [...(value as ReadonlyMap<number, CborValue>)] : Object.entries(value);
  return new Map<unknown, unknown>(entries.map(([key, item]) => [key, withMaps(item as CborValue)]));
}

describe('decodeCbor', () => {
  it('B18: takes 16 levels and refuses the 17th, 5,000 and 60,000 without overflowing the stack', () => {
    assert.deepEqual(decodeHex('81'.repeat(15) + '80'), JSON.parse('['.repeat(16) + ']'.repeat(16)));
    refuses('81'.repeat(16) + '80', 'CBOR_MALFORMED', 16);
    refuses('a10081'.repeat(8) + '80', 'CBOR_MALFORMED', 24);
    refuses('81'.repeat(5_000), 'CBOR_MALFORMED', 16);
    refuses('a100'.repeat(30_000) + '00', 'CBOR_MALFORMED', 32);
    assert.equal(decodeCbor(fromHex('81'.repeat(16) + '00'), LIMITS) instanceof Array, true);
    assert.throws(() => decodeCbor(fromHex('8100'), { bytesMax: 2, depthMax: 0 }), ProtocolError);
  });

  it('B19 B20 B24: refuses every indefinite length', () => {
    refuses('9affffffff00', 'CBOR_MALFORMED', 0);
    refuses('5affffffff00', 'CBOR_MALFORMED', 0);
    for (const hex of ['9f01ff', '9fff', 'bf6161f5ff', 'bfff', '5f4100ff', '7f6161ff']) {
      refuses(hex, 'CBOR_NOT_CANONICAL', 0);
    }
    refuses('829f01ff00', 'CBOR_NOT_CANONICAL', 1);
  });

  it('B19 B21: refuses a length beyond the bytes that are left, by one and by 2^53', () => {
    for (const hex of [
      '42ff',
      '6261',
      '8200',
      'a100',
      'a2000001',
      '9bffffffffffffffff',
      '9b001fffffffffffff',
      'bb0010000000000000',
    ]) {
      refuses(hex, 'CBOR_MALFORMED', 0);
    }
    refuses('8142ff', 'CBOR_MALFORMED', 1);
  });

  it('B22: refuses duplicate and unsorted keys', () => {
    refuses('a201010102', 'CBOR_NOT_CANONICAL', 3);
    refuses('a202010102', 'CBOR_NOT_CANONICAL', 3);
    refuses('a2616101616102', 'CBOR_NOT_CANONICAL', 4);
    refuses('a2616201616102', 'CBOR_NOT_CANONICAL', 4);
    refuses('a262616101616202', 'CBOR_NOT_CANONICAL', 5);
    refuses('a2616100616180', 'CBOR_NOT_CANONICAL', 4);
  });

  it('B23: refuses every number that is longer than needed', () => {
    for (const hex of [
      '1800',
      '1817',
      '190018',
      '1900ff',
      '1a0000ffff',
      '1b00000000ffffffff',
      '3817',
      '5801ff',
      '780161',
      '980100',
      'b8010000',
    ]) {
      refuses(hex, 'CBOR_NOT_CANONICAL', 0);
    }
  });

  it('B25: refuses trailing bytes and an empty input', () => {
    refuses('0000', 'CBOR_MALFORMED', 1);
    refuses('a000', 'CBOR_MALFORMED', 1);
    refuses('', 'CBOR_MALFORMED', 0);
  });

  it('B26: refuses floats, undefined, other simple values, breaks and tags', () => {
    for (const hex of [
      'f97e00',
      'f90000',
      'fa00000000',
      'fb0000000000000000',
      'f7',
      'e0',
      'f3',
      'f814',
      'f8ff',
      'fc',
      'ff',
      'd200',
      'd818',
      'c0',
      'd83d00',
    ]) {
      refuses(hex, 'CBOR_MALFORMED', 0);
    }
    refuses('82f5f7', 'CBOR_MALFORMED', 2);
  });

  it('B27: refuses text that is not UTF-8, whatever its length', () => {
    for (const bad of ['ff', 'c0af', 'eda080', 'f4908080', 'c3', '80']) {
      for (const ascii of [0, 20, 60]) {
        const bytes = encodeCbor('a'.repeat(ascii + bad.length / 2));
        bytes.set(fromHex(bad), bytes.length - bad.length / 2);
        refuses(hexOf(bytes), 'CBOR_MALFORMED', 0);
      }
    }
    assert.equal(decodeHex('63efbbbf'), '\ufeff');
  });

  it('B28: refuses the key __proto__ and gives other names of Object.prototype as own properties', () => {
    refuses('a1695f5f70726f746f5f5fa0', 'CBOR_MALFORMED', 1);
    refuses('a1695f5f70726f746f5f5fa16161f5', 'CBOR_MALFORMED', 1);
    const fields = { toString: 1, constructor: { prototype: { a: 2 } } };
    const decoded = decodeCbor(encodeCbor(fields), LIMITS) as Record<string, unknown>;
    assert.deepEqual(Object.keys(decoded), ['toString', 'constructor']);
    assert.equal(Object.getPrototypeOf(decoded), Object.prototype);
    assert.equal(({} as Record<string, unknown>)['a'], undefined);
  });

  it('B29: refuses integers outside 2^53-1', () => {
    for (const hex of [
      '1b0020000000000000',
      '1bffffffffffffffff',
      '3b001fffffffffffff',
      '3bffffffffffffffff',
    ]) {
      refuses(hex, 'CBOR_MALFORMED', 0);
    }
  });

  it('refuses maps with mixed keys and with keys of other kinds', () => {
    refuses('a201000a', 'CBOR_MALFORMED', 0);
    refuses('a20100616100', 'CBOR_MALFORMED', 3);
    refuses('a26161000100', 'CBOR_MALFORMED', 4);
    for (const key of ['20', '4100', '80', 'a0', 'f5', 'f6']) refuses(`a1${key}00`, 'CBOR_MALFORMED', 1);
  });

  it('refuses reserved first bytes and every cut of a whole item', () => {
    for (const hex of ['1c', '1d', '1e', '1f', '3f', '5c', '7d', '9e', 'bc', 'df'])
      refuses(hex, 'CBOR_MALFORMED', 0);
    const whole = encodeCbor([1000, 'text', { key: Uint8Array.of(1, 2) }, new Map([[7, null]]), -70_000]);
    for (let length = 0; length < whole.length; length++) {
      assert.throws(
        () => decodeCbor(whole.subarray(0, length), LIMITS),
        (e) => isProtocolError(e, 'CBOR_MALFORMED'),
      );
    }
  });

  it('takes bytesMax bytes and refuses one more', () => {
    assert.deepEqual(decodeCbor(fromHex('8101'), { bytesMax: 2 }), [1]);
    assert.throws(
      () => decodeCbor(fromHex('8101'), { bytesMax: 1 }),
      (e) => isProtocolError(e, 'TOO_LARGE'),
    );
  });

  it('gives byte strings as views of the input, at any offset of its buffer', () => {
    const outer = fromHex('ffff4201020000');
    const bytes = decodeCbor(outer.subarray(2, 5), LIMITS) as Uint8Array;
    assert.deepEqual(bytes, Uint8Array.of(1, 2));
    assert.equal(bytes.buffer, outer.buffer);
  });
});

describe('encodeCbor', () => {
  it('throws TypeError on what the subset has no form for', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const sparse: unknown[] = [];
    sparse.length = 1;
    for (const value of [
      0.5,
      NaN,
      Infinity,
      2 ** 53,
      -(2 ** 53),
      undefined,
      10n,
      Symbol('s'),
      () => 0,
      '\ud800',
      { '\udfff': 1 },
      { a: undefined },
      JSON.parse('{"__proto__":1}'),
      new Date(0),
      new Set(),
      new Uint16Array(1),
      new ArrayBuffer(1),
      new Map([[-1, 0]]),
      new Map([[2 ** 53, 0]]),
      new Map([['a', 0]]),
      new Map<unknown, number>([[1, 0], ['a', 0]]), // prettier-ignore
      sparse,
      cycle,
    ]) {
      assert.throws(() => encodeCbor(value as CborValue), TypeError, String(typeof value));
    }
  });

  it('takes 16 levels and throws on the 17th', () => {
    const nested = (levels: number): CborValue => (levels === 0 ? 0 : [nested(levels - 1)]);
    assert.equal(hexOf(encodeCbor(nested(16))), '81'.repeat(16) + '00');
    assert.throws(() => encodeCbor(nested(17)), TypeError);
    const within: ((inner: CborValue) => CborValue)[] = [
      (inner) => ({ a: inner }),
      (inner) => new Map([[1, inner]]),
    ];
    for (const wrap of within) {
      assert.equal(decodeCbor(encodeCbor(wrap(nested(15))), LIMITS) instanceof Object, true);
      assert.throws(() => encodeCbor(wrap(nested(16))), TypeError);
      assert.throws(() => encodeCbor([wrap(nested(15))]), TypeError);
    }
  });

  it('takes objects without a prototype, and encodes -0 as 0 and an empty Map as {}', () => {
    const bare = Object.assign(Object.create(null), { a: 1 }) as CborValue;
    assert.equal(hexOf(encodeCbor(bare)), 'a1616101');
    assert.equal(hexOf(encodeCbor([-0, new Map()])), '8200a0');
  });

  it('grows its output beyond any first guess', () => {
    const value = [
      new Uint8Array(1_000).fill(7),
      'x'.repeat(70_000),
      Array.from({ length: 300 }, (_, i) => i * i),
    ];
    assert.equal(hexOf(encodeCbor(value)), hexOf(cborgEncode(value)));
  });
});
