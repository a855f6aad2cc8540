import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeBase64, encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { isProtocolError } from '../../../protocol/fault.ts';

const refuses = (text: string) =>
  assert.throws(
    () => decodeBase64(text),
    (e) => isProtocolError(e, 'BASE64_MALFORMED'),
    JSON.stringify(text),
  );

describe('base64', () => {
  it('encodeBase64 gives the RFC 4648 10 forms and decodeBase64 takes them', () => {
    for (const [plain, text] of [
      ['', ''],
      ['f', 'Zg=='],
      ['fo', 'Zm8='],
      ['foo', 'Zm9v'],
      ['foob', 'Zm9vYg=='],
      ['fooba', 'Zm9vYmE='],
      ['foobar', 'Zm9vYmFy'],
    ] as const) {
      assert.equal(encodeBase64(Buffer.from(plain)), text);
      assert.deepEqual(decodeBase64(text), new Uint8Array(Buffer.from(plain)));
    }
  });

  it('decodeBase64 A21: refuses missing, extra and inner padding', () => {
    for (const text of [
      'Zg',
      'Zg=',
      'Zm8',
      'Zm9v=',
      'Zm9v==',
      'Zm9v====',
      '====',
      '=',
      '==',
      'Z===',
      'Zg==Zg==',
      'Zm=v',
    ])
      refuses(text);
  });

  it('decodeBase64 A21: refuses set bits behind the last byte', () => {
    for (const text of ['Zh==', 'Zv==', 'Zm9=', 'Zm+=']) refuses(text);
  });

  it('decodeBase64 A21: refuses the URL alphabet, white space and characters outside ASCII', () => {
    for (const text of [
      '-_-_',
      'Zm9v\n',
      'Zm\n9',
      ' Zm9',
      'Zm9\u0076\u0301AA',
      'Zmé=',
      '\u{1F600}AA',
      'Zm9\0',
    ])
      refuses(text);
  });

  it('decodeBase64 faults with the code its caller names and the offset of the bad character', () => {
    assert.throws(
      () => decodeBase64('AA-A', 'NOTE_MALFORMED'),
      (e) => isProtocolError(e, 'NOTE_MALFORMED') && e.fault.details['offset'] === 2,
    );
  });

  it('property: round trip agrees with the platform', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString('base64'));
        assert.deepEqual(decodeBase64(encodeBase64(bytes)), bytes);
      }),
    );
  });

  it('property: what decodeBase64 accepts is the canonical form', () => {
    const character = fc.constantFrom(...'ABQghwxyz0189+/=-_ \n');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 8 }), (text) => {
        let bytes: Uint8Array;
        try {
          bytes = decodeBase64(text);
        } catch (error) {
          assert.ok(isProtocolError(error, 'BASE64_MALFORMED'));
          assert.notEqual(Buffer.from(text, 'base64').toString('base64'), text);
          return;
        }
        assert.equal(encodeBase64(bytes), text);
      }),
      { numRuns: 5000 },
    );
  });
});
