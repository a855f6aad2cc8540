import assert from 'node:assert/strict';
import { deflateRawSync, deflateSync } from 'node:zlib';
import { concatBytes } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { ForeignKeys } from '../../../protocol/foreign/foreign-keys.ts';
import { judgeForeign } from '../../../protocol/foreign/foreign-verdict.ts';
import { parseHcert } from '../../../protocol/foreign/hcert.ts';
import { foreignFormatOf, verifyForeign } from '../../../protocol/foreign/verify-foreign.ts';
import { webForeignPrimitives } from '../../../protocol/foreign/web-primitives.ts';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { cardKey, makeJws } from '../../support/card-fixture.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { hcertKey, ISSUED_S, makeCose, makeHcert } from '../../support/hcert-fixture.ts';

const SIGNER = makeEcSigner();

describe('ForeignKeys', () => {
  it('holds at most 32,768 keys', () => {
    const key = hcertKey(SIGNER);
    const many = (count: number) => Array.from({ length: count }, (_, i) => ({ ...key, keyId: String(i) }));
    assert.equal(new ForeignKeys(many(32_768)).size, 32_768);
    assert.throws(() => new ForeignKeys(many(32_769)), RangeError);
  });

  it('takes no key of a size that is none', () => {
    const publicKey = { kind: 'ec', curve: 'P-256', x: new Uint8Array(31), y: new Uint8Array(32) } as const;
    assert.throws(() => new ForeignKeys([hcertKey(SIGNER, { publicKey })]), RangeError);
  });

  it('keeps formats apart: a key of one signs nothing of another', () => {
    const keys = new ForeignKeys([hcertKey(SIGNER), cardKey(SIGNER)]);
    const { keyId } = hcertKey(SIGNER);
    assert.equal(keys.candidatesFor({ format: 'hcert', keyId, issuer: undefined }).keys.length, 1);
    assert.equal(keys.candidatesFor({ format: 'vdsnc', keyId, issuer: undefined }).keys.length, 0);
    assert.equal(keys.candidatesFor({ format: 'shc', keyId, issuer: undefined }).keys.length, 0);
  });
});

describe('judgeForeign', () => {
  it('needs a result for each check', () => {
    const code = parseHcert(makeCose(SIGNER));
    const candidates = new ForeignKeys([hcertKey(SIGNER)]).candidatesFor(code);
    assert.throws(() => judgeForeign(code, candidates, [], ISSUED_S), RangeError);
    assert.throws(() => judgeForeign(code, candidates, [true, true], ISSUED_S), RangeError);
  });
});

describe('verifyForeign', () => {
  it('lets through what is no fault of the text', () => {
    const broken = { ...nativeForeignPrimitives, inflate: () => Promise.reject(new TypeError('a bug')) };
    return assert.rejects(verifyForeign(broken, makeHcert(SIGNER), new ForeignKeys([]), ISSUED_S), TypeError);
  });

  it('works over primitives that answer later', async () => {
    const keys = new ForeignKeys([hcertKey(SIGNER), cardKey(SIGNER)]);
    for (const text of [makeHcert(SIGNER), makeJws(SIGNER)]) {
      const nowS = ISSUED_S + 1;
      assert.equal((await verifyForeign(webForeignPrimitives, text, keys, nowS)).outcome, 'genuine');
      assert.notEqual(
        (await verifyForeign(webForeignPrimitives, text.slice(0, -3), keys, nowS)).outcome,
        'genuine',
      );
    }
  });

  for (const wrapping of ['zlib', 'raw'] as const) {
    const deflated = new Uint8Array(
      (wrapping === 'zlib' ? deflateSync : deflateRawSync)(Buffer.from('some words, some words')),
    );
    it(`B11 takes nothing behind or before the end of a stream, ${wrapping}, with any primitives`, async () => {
      for (const { inflate } of [nativeForeignPrimitives, webForeignPrimitives]) {
        assert.equal(
          Buffer.from(await inflate(deflated, wrapping, 100)).toString(),
          'some words, some words',
        );
        for (const bad of [
          concatBytes(deflated, Uint8Array.of(0)),
          concatBytes(deflated, Uint8Array.of(6, 0xa7, 0x56, 0xe6)),
          concatBytes(deflated, deflated),
          deflated.subarray(0, -1),
          new Uint8Array(0),
        ])
          await assert.rejects(
            async () => inflate(bad, wrapping, 100),
            (error) => isProtocolError(error, 'COMPRESSION_INVALID'),
          );
      }
    });
  }

  for (const [wrapping, deflate] of [
    ['zlib', deflateSync],
    ['raw', deflateRawSync],
  ] as const)
    it(`B12 inflates a bomb no further than its bound, ${wrapping}, with any primitives`, async () => {
      const bomb = new Uint8Array(deflate(Buffer.alloc(20_000_000)));
      // Whoever inflated all of it before he looks at the length would find that it breaks off.
      const cut = bomb.subarray(0, bomb.length / 2);
      for (const { inflate } of [nativeForeignPrimitives, webForeignPrimitives]) {
        for (const bytes of [bomb, cut])
          await assert.rejects(
            async () => inflate(bytes, wrapping, 65_536),
            (error) => isProtocolError(error, 'TOO_LARGE'),
          );
        const whole = new Uint8Array(deflate(Buffer.alloc(65_536)));
        assert.equal((await inflate(whole, wrapping, 65_536)).length, 65_536);
        await assert.rejects(
          async () => inflate(whole, wrapping, 65_535),
          (error) => isProtocolError(error, 'TOO_LARGE'),
        );
      }
    });
});

describe('foreignFormatOf', () => {
  for (const [text, format] of [
    ['HC1:', 'hcert'],
    ['HC9:x', 'hcert'],
    ['shc:/56', 'shc'],
    ['eyJh', 'shc'],
    [' {"data"', 'vdsnc'],
    ['', undefined],
    ['ENT1:A', undefined],
    ['hc1:A', undefined],
    ['HCX:A', undefined],
  ] as const) {
    it(`says ${format} of ${text === '' ? 'nothing' : text}`, () =>
      assert.equal(foreignFormatOf(text), format));
  }
});
