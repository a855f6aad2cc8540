import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import { decodeBase64Url, encodeBase64Url } from '../../../protocol/encoding/base64-url.ts';

describe('decodeBase64Url', () => {
  it('is the reverse of encodeBase64Url, which agrees with Node', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = encodeBase64Url(bytes);
        assert.equal(text, Buffer.from(bytes).toString('base64url'));
        assert.deepEqual(decodeBase64Url(text), bytes);
      }),
    );
  });

  for (const [name, text] of [
    ['padding', 'AA=='],
    ['the standard alphabet', 'a+b/'],
    ['a lone character', 'A'],
    ['five characters', 'AAAAA'],
    ['set bits behind the last byte', 'AB'],
    ['white space', 'AA A'],
    ['a character beyond ASCII', 'AAAÄ'],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => decodeBase64Url(text, 'KEY_INVALID'),
        (error) => isProtocolError(error, 'KEY_INVALID'),
      );
    });
  }
});
