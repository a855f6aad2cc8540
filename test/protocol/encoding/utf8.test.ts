import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeUtf8, utf8Bytes } from '../../../protocol/encoding/utf8.ts';
import { isProtocolError } from '../../../protocol/fault.ts';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

describe('utf8', () => {
  it('decodeUtf8 accepts the first and last code point of every length', () => {
    for (const [hex, text] of [
      ['', ''],
      ['00', '\0'],
      ['7f', '\x7f'],
      ['c280', '\x80'],
      ['dfbf', '\u07ff'],
      ['e0a080', '\u0800'],
      ['ed9fbf', '\ud7ff'],
      ['ee8080', '\ue000'],
      ['efbfbf', '\uffff'],
      ['f0908080', '\u{10000}'],
      ['f48fbfbf', '\u{10ffff}'],
    ] as const) {
      assert.equal(decodeUtf8(bytes(hex)), text);
      assert.deepEqual(utf8Bytes(text), bytes(hex));
    }
  });

  it('decodeUtf8 B27: refuses overlong forms, surrogates, code points above U+10FFFF and cut sequences', () => {
    for (const hex of [
      'ff',
      '80',
      'c080',
      'c1bf',
      'e09fbf',
      'eda080',
      'edbfbf',
      'f08fbfbf',
      'f4908080',
      'c2',
      'e0a0',
      'f09080',
      '41c2',
    ]) {
      assert.throws(
        () => decodeUtf8(bytes(hex)),
        (e) => isProtocolError(e, 'UTF8_MALFORMED'),
        hex,
      );
    }
  });

  it('decodeUtf8 faults with the code its caller names', () => {
    assert.throws(
      () => decodeUtf8(bytes('ff'), 'NOTE_MALFORMED'),
      (e) => isProtocolError(e, 'NOTE_MALFORMED'),
    );
  });

  it('decodeUtf8 keeps a byte order mark, so that no two byte strings decode alike', () => {
    assert.equal(decodeUtf8(bytes('efbbbf41')), '\ufeffA');
  });

  it('utf8Bytes refuses a lone surrogate and takes a pair', () => {
    for (const text of ['\ud800', '\udc00', 'a\udfff\ud800'])
      assert.throws(() => utf8Bytes(text), RangeError);
    assert.deepEqual(utf8Bytes('\ud83d\ude00'), bytes('f09f9880'));
  });

  it('property: every byte string decodes to a text that encodes to it, or is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (input) => {
        let text: string;
        try {
          text = decodeUtf8(input);
        } catch (error) {
          assert.ok(isProtocolError(error, 'UTF8_MALFORMED'));
          assert.notDeepEqual(new Uint8Array(Buffer.from(Buffer.from(input).toString())), input);
          return;
        }
        assert.deepEqual(utf8Bytes(text), input);
      }),
      { numRuns: 2000 },
    );
  });

  it('property: every well-formed text survives the round trip', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(decodeUtf8(utf8Bytes(text)), text)),
    );
  });
});
