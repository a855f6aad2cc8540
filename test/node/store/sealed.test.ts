import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isNodeError } from '../../../node/node-error.ts';
import { isIntact, openValue, SEAL_BYTES, sealValue } from '../../../node/store/sealed.ts';
import { sha256 } from '../../support/primitives.ts';

const keys = fc.stringMatching(/^[\x21-\x7e]{1,40}$/);
const payloads = fc.uint8Array({ maxLength: 300 });

describe('sealed values', () => {
  it('sealValue: the payload, then the first 16 bytes of SHA-256(key || NUL || payload)', () => {
    const stored = sealValue('log/7', Uint8Array.of(1, 2, 3));
    const hash = sha256(Buffer.concat([Buffer.from('log/7\0'), Buffer.of(1, 2, 3)]));
    assert.deepEqual([...stored], [1, 2, 3, ...hash.subarray(0, SEAL_BYTES)]);
  });

  it('openValue gives back what was sealed, and sealing copies', () => {
    fc.assert(
      fc.property(keys, payloads, (key, payload) => {
        const before = payload.slice();
        const stored = sealValue(key, payload);
        payload.fill(0);
        assert.deepEqual(new Uint8Array(openValue(key, stored)), before);
      }),
    );
  });

  it('openValue F4: any one flipped bit is VALUE_CORRUPT, in a message that names the key', () => {
    fc.assert(
      fc.property(keys, payloads, fc.nat(), (key, payload, at) => {
        const stored = new Uint8Array(sealValue(key, payload));
        const bit = at % (stored.length * 8);
        stored[bit >> 3] = (stored[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.equal(isIntact(key, stored), false);
        assert.throws(
          () => openValue(key, stored),
          (error) => isNodeError(error, 'VALUE_CORRUPT') && error.message.includes(JSON.stringify(key)),
        );
      }),
    );
  });

  it('isIntact refuses the value of another key, every truncation, and a shift between key and payload', () => {
    const stored = sealValue('ab', Uint8Array.of(0x63));
    assert.ok(isIntact('ab', stored));
    assert.equal(isIntact('ac', stored), false);
    assert.equal(isIntact('abc', sealValue('ab', Uint8Array.of(0x63)).subarray(1)), false);
    for (let length = 0; length < stored.length; length++) {
      assert.equal(isIntact('ab', stored.subarray(0, length)), false);
    }
  });

  it('openValue keeps control characters of a damaged key out of its message', () => {
    assert.throws(
      () => openValue('a\u001b[2J\u202e\uffff', new Uint8Array(20)),
      (error) => isNodeError(error) && /^[\x20-\x7e]+$/.test(error.message),
    );
  });
});
