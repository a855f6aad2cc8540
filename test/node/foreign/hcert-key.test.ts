import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { isProtocolError } from '../../../protocol/fault.ts';
import { ForeignKeys } from '../../../protocol/foreign/foreign-keys.ts';
import { verifyForeign } from '../../../protocol/foreign/verify-foreign.ts';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { hcertKeyOf } from '../../../node/foreign/hcert-key.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { ISSUED_S, makeHcert } from '../../support/hcert-fixture.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

const TEST = '1.3.6.1.4.1.1847.2021.1.1';
const VACCINATION = '1.3.6.1.4.1.0.1847.2021.1.2';

describe('hcertKeyOf', () => {
  for (const [name, signer] of [
    ['P-256', makeEcSigner('P-256')],
    ['P-384', makeEcSigner('P-384')],
    ['RSA', makeRsaSigner()],
  ] as const) {
    it(`reads key, country, usages, window and key id of a certificate on ${name}`, () => {
      const der = makeCertificate(signer, { country: 'SK', usages: [VACCINATION, TEST] });
      const { keyId, ...key } = hcertKeyOf(der);
      assert.deepEqual(key, {
        format: 'hcert',
        issuer: 'SK',
        publicKey: signer.publicKey,
        usages: ['vaccination', 'test'],
        fromS: Date.UTC(2023, 0, 1) / 1_000,
        untilS: Date.UTC(2033, 0, 1) / 1_000,
      });
      assert.equal(keyId, crypto.createHash('sha256').update(der).digest().subarray(0, 8).toString('base64'));
    });
  }

  it('takes the key of a certificate that is confined to RSA-PSS', async () => {
    const options = { hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256' };
    const { privateKey } = crypto.generateKeyPairSync('rsa-pss', { modulusLength: 2_048, ...options });
    const key = hcertKeyOf(makeCertificate({ privateKey }, { by: makeEcSigner() }));
    const { publicKey } = key;
    const sign = (_: string, message: Uint8Array) =>
      new Uint8Array(crypto.sign('sha256', message, { key: privateKey, saltLength: 32 }));
    const protectedHeader = new Map<number, unknown>([
      [1, -37],
      [4, new Uint8Array(Buffer.from(key.keyId, 'base64'))],
    ]);
    const text = makeHcert({ publicKey, privateKey, sign }, { algorithm: 'PS256', protectedHeader });
    const { outcome } = await verifyForeign(nativeForeignPrimitives, text, new ForeignKeys([key]), ISSUED_S);
    assert.equal(outcome, 'genuine');
  });

  it('an extension that is empty, absent or about something else restricts nothing', () => {
    const signer = makeEcSigner();
    for (const usages of [[], undefined, ['1.3.6.1.5.5.7.3.4'], ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.4']]) {
      const parts = usages === undefined ? {} : { usages };
      assert.equal(hcertKeyOf(makeCertificate(signer, parts)).usages, undefined);
    }
  });

  it('a certificate is trusted for what it may sign, under the country that the list names', async () => {
    const signer = makeEcSigner();
    const key = hcertKeyOf(makeCertificate(signer, { usages: [TEST] }), 'DE');
    const keyId = new Uint8Array(Buffer.from(key.keyId, 'base64'));
    const protectedHeader = new Map<number, unknown>([
      [1, -7],
      [4, keyId],
    ]);
    const text = makeHcert(signer, { protectedHeader });
    const { reasons } = await verifyForeign(nativeForeignPrimitives, text, new ForeignKeys([key]), ISSUED_S);
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ['KEY_USAGE', 'ISSUER_DIFFERS'],
    );
  });

  it('takes no certificate that is for connections alone', () => {
    const signer = makeEcSigner();
    const [server, client] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
    for (const usages of [[client], [server], [server, client]])
      assert.throws(
        () => hcertKeyOf(makeCertificate(signer, { usages })),
        (error) => isProtocolError(error, 'KEY_INVALID') && /TLS/.test(error.message),
      );
    assert.deepEqual(hcertKeyOf(makeCertificate(signer, { usages: [client, TEST] })).usages, ['test']);
  });

  const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'secp521r1' });
  const ed25519 = crypto.generateKeyPairSync('ed25519');
  const good = makeCertificate(makeEcSigner());
  for (const [name, der] of [
    ['no bytes', new Uint8Array(0)],
    ['text', new Uint8Array(Buffer.from('a certificate'))],
    ['a cut certificate', good.subarray(0, -1)],
    ['one too long', new Uint8Array(16_385)],
    ['a key on P-521', makeCertificate({ privateKey })],
    ['a key on Ed25519', makeCertificate(ed25519, { by: makeEcSigner() })],
    ['RSA with 1024 bits', makeCertificate(makeRsaSigner(1_024))],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => hcertKeyOf(der),
        (error) => isProtocolError(error, 'KEY_INVALID'),
      );
    });
  }
});
