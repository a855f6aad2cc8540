import assert from 'node:assert/strict';
import { encode } from 'cborg';
import * as fc from 'fast-check';
import { hexBytes } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { decodeForeignCbor, type ForeignCbor } from '../../../protocol/foreign/foreign-cbor.ts';

const read = (hex: string): ForeignCbor => decodeForeignCbor(hexBytes(hex), 10_000);

const value: fc.Arbitrary<ForeignCbor> = fc.letrec<{ value: ForeignCbor }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(null, true, false),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .array(fc.tuple(fc.oneof(fc.maxSafeInteger(), fc.string()), tie('value')), { maxLength: 5 })
      .map((entries) => new Map(entries)),
  ),
})).value;

describe('decodeForeignCbor', () => {
  it('reads what another library writes', () => {
    fc.assert(
      fc.property(value, (written) => {
        assert.deepEqual(decodeForeignCbor(new Uint8Array(encode(written)), 100_000), written);
      }),
    );
  });

  for (const [name, hex, expected] of [
    [
      'keys in any order',
      'a2026162016161',
      new Map([
        [2, 'b'],
        [1, 'a'],
      ]),
    ],
    ['a number longer than need be', '1800', 0],
    ['an array whose length is left open', '9f0102ff', [1, 2]],
    ['a map whose length is left open', 'bf0102ff', new Map([[1, 2]])],
    ['a date as text', 'c06a323032312d30312d3031', '2021-01-01'],
    ['a date as a number', 'c100', 0],
    ['half a float', 'f93c00', 1],
    ['a small half float', 'f90001', 2 ** -24],
    ['a negative half float', 'f9c000', -2],
    ['a float of four bytes', 'fa47c35000', 100_000],
    ['a float of eight bytes', 'fb41d8905a80000000', 1_648_454_144],
    ['the least negative number', '3b001ffffffffffffe', Number.MIN_SAFE_INTEGER],
    ['the name __proto__ as any other', 'a1695f5f70726f746f5f5f01', new Map([['__proto__', 1]])],
  ] as const) {
    it(`takes ${name}`, () => {
      assert.deepEqual(read(hex), expected);
    });
  }

  for (const [name, hex] of [
    ['no bytes', ''],
    ['nesting of 5,000 (B18)', '81'.repeat(5_000)],
    ['an array of 2^32-1 (B19)', '9affffffff00'],
    ['a string of 2^32-1 (B20)', '5affffffff00'],
    ['an array of 2^64-1 (B21)', '9bffffffffffffffff'],
    ['a name twice (B22)', 'a201010102'],
    ['a name twice in two spellings (B22)', 'a20101180102'],
    ['an array left open to the end (B24)', '9f01'],
    ['a string left open', '5f4101ff'],
    ['a text left open', '7f6161ff'],
    ['a break of its own', 'ff'],
    ['bytes behind the end (B25)', '0000'],
    ['NaN (B26)', 'f97e00'],
    ['an endless number', 'fb7ff0000000000000'],
    ['bad UTF-8 (B27)', '61ff'],
    ['-2^64 (B29)', '3bffffffffffffffff'],
    ['-2^53', '3b001fffffffffffff'],
    ['2^53', '1b0020000000000000'],
    ['undefined', 'f7'],
    ['a simple value', 'f0'],
    ['a bignum', 'c24101'],
    ['another tag', 'd81800'],
    ['a map as a name', 'a1a000'],
    ['a fraction as a name', 'a1f9380000'],
    ['a byte string as a name', 'a1410000'],
    ['a map cut off behind a name', 'a101'],
    ['a reserved length', '1c'],
    ['a cut float', 'fb0000'],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => read(hex),
        (error) => isProtocolError(error, 'CBOR_MALFORMED'),
      );
    });
  }

  it('bounds the depth at 16 and the bytes at what it is told', () => {
    assert.doesNotThrow(() => read(`${'81'.repeat(16)}00`));
    assert.throws(
      () => read(`${'81'.repeat(17)}00`),
      (error) => isProtocolError(error, 'CBOR_MALFORMED'),
    );
    assert.throws(
      () => read(`${'c1'.repeat(17)}00`),
      (error) => isProtocolError(error, 'CBOR_MALFORMED'),
    );
    assert.throws(
      () => decodeForeignCbor(new Uint8Array(11), 10),
      (error) => isProtocolError(error, 'TOO_LARGE'),
    );
  });

  it('throws nothing but faults on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeForeignCbor(bytes, 200);
        } catch (error) {
          assert.ok(isProtocolError(error));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
