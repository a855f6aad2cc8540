import assert from 'node:assert/strict';
import { CborReader } from '../../../protocol/encoding/cbor.ts';
import { MAJOR } from '../../../protocol/encoding/cbor-reader.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { fromHex } from '../../support/hex.ts';

const readerOf = (hex: string) => new CborReader(fromHex(hex));

function refuses(read: () => unknown, offset: number, code: FaultCode = 'CBOR_MALFORMED'): void {
  assert.throws(read, (error) => isProtocolError(error, code) && error.fault.details['offset'] === offset);
}

describe('CborReader', () => {
  it('walks a COSE_Sign1 item by item', () => {
    const reader = readerOf('d28443a10127a04401020304420506');
    reader.tag(18);
    assert.equal(reader.array(4), 4);
    assert.deepEqual(reader.bytes(0, 16), fromHex('a10127'));
    assert.equal(reader.mapLength(0), 0);
    assert.equal(reader.offset, 7);
    assert.equal(reader.majorType(), MAJOR.bytes);
    assert.deepEqual(reader.bytes(4, 4), fromHex('01020304'));
    assert.deepEqual(reader.bytes(2, 2), fromHex('0506'));
    reader.end();
  });

  it('uint takes max and refuses one more, negative integers and other kinds', () => {
    assert.equal(readerOf('1864').uint(100), 100);
    refuses(() => readerOf('1864').uint(99), 0);
    assert.equal(readerOf('1b001fffffffffffff').uint(), 2 ** 53 - 1);
    for (const hex of ['20', '4100', '6130', '80', 'a0', 'd200', 'f5', ''])
      refuses(() => readerOf(hex).uint(), 0);
  });

  it('integer takes both signs to 2^53-1 and refuses one more', () => {
    assert.equal(readerOf('3b001ffffffffffffe').integer(), -(2 ** 53 - 1));
    refuses(() => readerOf('3b001fffffffffffff').integer(), 0);
    assert.equal(readerOf('18ff').integer(), 255);
    refuses(() => readerOf('40').integer(), 0);
  });

  it('bytes takes min and max and refuses one less, one more and a cut', () => {
    for (const hex of ['420000', '43000000'])
      assert.equal(readerOf(hex).bytes(2, 3).length, hex.length / 2 - 1);
    for (const hex of ['4100', '4400000000', '4200', '623030']) refuses(() => readerOf(hex).bytes(2, 3), 0);
  });

  it('bytes gives a view of the input', () => {
    const input = fromHex('4101');
    const view = new CborReader(input).bytes(1, 1);
    input[1] = 9;
    assert.equal(view[0], 9);
  });

  it('text counts bytes and not characters', () => {
    assert.equal(readerOf('62c3bc').text(2), '\u00fc');
    refuses(() => readerOf('62c3bc').text(1), 0);
    for (const length of [32, 33, 100]) {
      const head = length < 24 ? (0x60 + length).toString(16) : '78' + length.toString(16);
      assert.equal(readerOf(head + '61'.repeat(length)).text(length), 'a'.repeat(length));
    }
  });

  it('B27: text refuses what is not UTF-8, with the offset of the item', () => {
    const reader = readerOf('820061ff');
    assert.equal(reader.array(2), 2);
    assert.equal(reader.uint(), 0);
    refuses(() => reader.text(10), 2);
  });

  it('array and mapLength take max and refuse one more than it and than the bytes that are left', () => {
    assert.equal(readerOf('820000').array(2), 2);
    refuses(() => readerOf('820000').array(1), 0);
    refuses(() => readerOf('8200').array(2), 0);
    assert.equal(readerOf('a10000').mapLength(1), 1);
    refuses(() => readerOf('a10000').mapLength(0), 0);
    refuses(() => readerOf('a100').mapLength(1), 0);
    refuses(() => readerOf('9b001fffffffffffff').array(2 ** 53 - 1), 0);
  });

  it('B30: tag refuses another tag, a long form of it and its absence', () => {
    readerOf('d2').tag(18);
    readerOf('d83d').tag(61);
    for (const hex of ['d1', 'd83d', '84', '12', '']) refuses(() => readerOf(hex).tag(18), 0);
    refuses(() => readerOf('d812').tag(18), 0, 'CBOR_NOT_CANONICAL');
    refuses(() => readerOf('df').tag(18), 0);
  });

  it('simple takes false, true and null only', () => {
    const reader = readerOf('f4f5f6');
    assert.deepEqual([reader.simple(), reader.simple(), reader.simple()], [false, true, null]);
    for (const hex of ['f7', 'f3', 'f814', 'f90000', '00', '']) refuses(() => readerOf(hex).simple(), 0);
  });

  it('majorType tells the next item and refuses the end', () => {
    assert.deepEqual(
      ['00', '20', '40', '60', '80', 'a0', 'c0', 'e0'].map((hex) => readerOf(hex).majorType()),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    refuses(() => readerOf('').majorType(), 0);
  });

  it('B24: refuses indefinite lengths where a length is asked for, and their mark elsewhere', () => {
    refuses(() => readerOf('9fff').array(9), 0, 'CBOR_NOT_CANONICAL');
    refuses(() => readerOf('bfff').mapLength(9), 0, 'CBOR_NOT_CANONICAL');
    refuses(() => readerOf('5fff').bytes(0, 9), 0, 'CBOR_NOT_CANONICAL');
    refuses(() => readerOf('7fff').text(9), 0, 'CBOR_NOT_CANONICAL');
    refuses(() => readerOf('1f').uint(), 0);
  });

  it('B25: end refuses one byte more', () => {
    readerOf('').end();
    refuses(() => readerOf('00').end(), 0);
  });
});
