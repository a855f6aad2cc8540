import assert from 'node:assert/strict';
import { hexOf } from '../../../protocol/bytes.ts';
import { hcertRevocationIds } from '../../../protocol/foreign/hcert-revocation.ts';
import { parseHcert } from '../../../protocol/foreign/hcert.ts';
import { nativeForeignPrimitives as primitives } from '../../../node/crypto/foreign-primitives.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { makeCose } from '../../support/hcert-fixture.ts';

const SIGNER = makeEcSigner();

describe('hcertRevocationIds', () => {
  const { sha256 } = primitives;
  const short = (text: string) => hexOf(sha256(new TextEncoder().encode(text)).subarray(0, 16));

  it('hashes identifier, country and identifier, and r alone of an ECDSA signature', () => {
    const code = parseHcert(makeCose(SIGNER));
    const ids = hcertRevocationIds(sha256, code);
    assert.deepEqual(ids.identifier.map(hexOf), [short('URN:UVCI:01:AT:1#A')]);
    assert.deepEqual(ids.countryAndIdentifier.map(hexOf), [short('ATURN:UVCI:01:AT:1#A')]);
    assert.deepEqual(ids.signature, sha256(code.signature.subarray(0, 32)).subarray(0, 16));
  });

  it('hashes all of an RSA signature, and every entry that has an identifier', () => {
    const certificate = { v: [{ ci: 'a' }, { ci: 1 }], r: [{ ci: 'b' }], t: [{}] };
    const code = parseHcert(makeCose(makeRsaSigner(), { algorithm: 'PS256', certificate }));
    const ids = hcertRevocationIds(sha256, code);
    assert.deepEqual(ids.identifier.map(hexOf), [short('a'), short('b')]);
    assert.deepEqual(ids.signature, sha256(code.signature).subarray(0, 16));
  });
});
