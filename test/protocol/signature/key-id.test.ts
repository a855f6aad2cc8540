import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { keyIdOf } from '../../../protocol/signature/key-id.ts';
import { sha256 } from '../../support/primitives.ts';

describe('keyIdOf', () => {
  const publicKey = Uint8Array.from({ length: 32 }, (_, i) => i);

  it('is the first 8 bytes of H("entente/key/v1\\n" || public key) in hexadecimal', () => {
    const digest = createHash('sha256').update('entente/key/v1\n').update(publicKey).digest('hex');
    assert.equal(keyIdOf(sha256, publicKey), digest.slice(0, 16));
  });

  it('differs for keys that differ in one bit', () => {
    const other = publicKey.slice();
    other[31] = (other[31] ?? 0) ^ 0x80;
    assert.notEqual(keyIdOf(sha256, other), keyIdOf(sha256, publicKey));
  });
});
