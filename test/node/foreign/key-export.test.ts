import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import * as jose from 'jose';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { attestJwks, dccKeyList, dccListEndS } from '../../../node/foreign/key-export.ts';
import { spkiOf } from '../../../node/foreign/spki.ts';
import { attestationMessage } from '../../../protocol/code/attestation.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { adapterData } from '../../../protocol/foreign/adapter.ts';
import { readHcert } from '../../../protocol/foreign/hcert.ts';
import { type ForeignPublicKey } from '../../../protocol/foreign/signature-check.ts';
import { type LoggedAdapter } from '../../../protocol/trust/trust-state.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { hcertKey, makeHcert } from '../../support/hcert-fixture.ts';
import { HttpWorld, threeRegions } from '../../support/http-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { type StubState, stubState } from '../../support/stub-state.ts';

const NOW_S = 1_700_000_000;

/** As OpenSSL reads the numbers of a key. */
function opensslKey(key: ForeignPublicKey): crypto.KeyObject {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  if (key.kind === 'ed25519') throw new RangeError('not of an EU certificate');
  const jwk =
    key.kind === 'ec'
      ? { kty: 'EC', crv: key.curve, x: text(key.x), y: text(key.y) }
      : { kty: 'RSA', n: text(key.modulus), e: text(key.exponent) };
  return crypto.createPublicKey({ key: jwk, format: 'jwk' });
}
const keyOf = (byte: number) => ({
  keyId: byte.toString(16).padStart(16, '0'),
  publicKey: new Uint8Array(32).fill(byte),
});

describe('attestJwks', () => {
  it('holds attest keys that are not compromised, with kid, use, alg and no certificate', () => {
    const compromise = { version: 1, cutOffs: new Map() };
    const keys: StubState['keys'] = [
      { key: keyOf(2), role: 'attest', fromS: 10, untilS: 20 },
      { key: keyOf(1), role: 'attest', fromS: 20, untilS: 30 },
      { key: keyOf(3), role: 'attest', compromise },
      { key: keyOf(4), role: 'checkpoint' },
      { key: keyOf(5), role: 'trust-log' },
      { key: keyOf(6), role: 'witness' },
    ];
    const common = { kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA' } as const;
    assert.deepEqual(attestJwks(stubState({ region: 'DE', keys })), {
      keys: [
        {
          ...common,
          kid: '0000000000000001',
          x: Buffer.alloc(32, 1).toString('base64url'),
          nbf: 20,
          exp: 30,
        },
        {
          ...common,
          kid: '0000000000000002',
          x: Buffer.alloc(32, 2).toString('base64url'),
          nbf: 10,
          exp: 20,
        },
      ],
    });
  });
});

describe('/v1/jwks', () => {
  let http: HttpWorld;
  before(async () => {
    http = await HttpWorld.start(await threeRegions());
  });
  after(async () => {
    await http.server.stop();
    await http.world.stop();
  });

  it('is read by a library of others, whose key verifies a code of the region; a key id that is not there is none', async () => {
    const set = jose.createRemoteJWKSet(new URL('/v1/jwks?region=FR', http.server.address));
    const { attestation } = parseCode(sha256, (await http.world.issue('FR')).text);
    const key = await set({ alg: 'EdDSA', kid: attestation.keyId });
    const message = attestationMessage(attestation, 'test');
    assert.ok(await crypto.subtle.verify('Ed25519', key, attestation.signature, message));
    message[0] = (message[0] ?? 0) ^ 1;
    assert.ok(!(await crypto.subtle.verify('Ed25519', key, attestation.signature, message)));
    await assert.rejects(set({ alg: 'EdDSA', kid: '0'.repeat(16) }), jose.errors.JWKSNoMatchingKey);
    await assert.rejects(set({ alg: 'ES256', kid: attestation.keyId }), jose.errors.JWKSNoMatchingKey);
  });

  it('answers 304 to who has it, 404 of a region that is not known, and 422 without one', async () => {
    for (const path of ['/v1/jwks', '/v1/dcc-keys']) {
      const etag = (await http.get(`${path}?region=FR`)).headers.get('etag') ?? '';
      assert.equal((await http.get(`${path}?region=FR`, { 'if-none-match': etag })).status, 304);
      assert.equal((await http.get(`${path}?region=ES`)).status, 404);
      assert.equal((await http.get(path)).status, 422);
    }
  });
});

describe('dccKeyList', () => {
  const adapterOf = (data: LoggedAdapter['data']): LoggedAdapter => {
    return { id: 'dcc', version: 1, fromS: 0, untilS: 1e12, data };
  };
  const listOf = (...adapters: readonly LoggedAdapter[]) =>
    dccKeyList(stubState({ region: 'AT', adapters, keys: [{ key: keyOf(1), role: 'attest' }] }), {
      nowS: NOW_S,
    });
  const [ec, rsa] = [makeEcSigner(), makeRsaSigner()];
  const key = hcertKey(ec);

  it('its keys, read by a library of others, verify the certificates that the adapter counts', async () => {
    const keys = [
      { ...key, usages: ['test', 'recovery'] as const },
      hcertKey(rsa, { keyId: 'AAAAAAAAAAA=' }),
    ];
    const { eu_keys: list } = listOf(adapterOf(adapterData({ rules: 'hcert', facts: {}, keys })));
    assert.deepEqual(Object.keys(list).sort(), ['AAAAAAAAAAA=', key.keyId].sort());
    const [{ subjectPk, keyUsage } = assert.fail('no key')] = list[key.keyId] ?? [];
    assert.deepEqual(keyUsage, ['t', 'r']);
    const pem = `-----BEGIN PUBLIC KEY-----\n${subjectPk}\n-----END PUBLIC KEY-----`;
    const imported = await jose.importSPKI(pem, 'ES256');
    const { message, signature } = await readHcert(nativeForeignPrimitives.inflate, makeHcert(ec));
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
    assert.ok(await crypto.subtle.verify(algorithm, imported, signature, message));
    const other = list['AAAAAAAAAAA=']?.[0] ?? assert.fail('no key');
    assert.deepEqual(other.keyUsage, []);
    const der = Buffer.from(other.subjectPk, 'base64');
    assert.equal(crypto.createPublicKey({ key: der, format: 'der', type: 'spki' }).asymmetricKeyType, 'rsa');
  });

  it('is the same as OpenSSL writes, of all kinds of keys, and has none that is on no curve or may sign nothing', () => {
    for (const { publicKey } of [ec, rsa, makeEcSigner('P-384'), makeEcSigner()])
      assert.equal(
        Buffer.from(spkiOf(publicKey) ?? []).toString('hex'),
        opensslKey(publicKey).export({ format: 'der', type: 'spki' }).toString('hex'),
      );
    assert(ec.publicKey.kind === 'ec');
    const off = {
      ...ec.publicKey,
      y: Uint8Array.from(ec.publicKey.y, (byte, i) => (i === 5 ? byte ^ 1 : byte)),
    };
    assert.equal(spkiOf(off), undefined);
    const keys = [
      { ...key, publicKey: off },
      { ...key, usages: [] },
    ];
    assert.deepEqual(listOf(adapterOf(adapterData({ rules: 'hcert', facts: {}, keys }))).eu_keys, {});
  });

  it('T22 reads what a region announced once, however often it is asked for', () => {
    let reads = 0;
    const keys = Array.from({ length: 200 }, () => ({ ...key, untilS: NOW_S + 5 }));
    const data = adapterData({ rules: 'hcert', facts: {}, keys });
    const counted = new Proxy(data, { get: (of, name) => (reads++, of[name as string]) });
    const state = stubState({ region: 'AT', adapters: [adapterOf(counted)] });
    const first = dccKeyList(state, { nowS: NOW_S });
    const once = reads;
    assert.ok(once > 0);
    assert.deepEqual(dccKeyList(state, { nowS: NOW_S + 1 }), first);
    assert.equal(reads, once);
    assert.equal(first.eu_keys[key.keyId]?.length, 200);
    assert.deepEqual([dccListEndS(state, NOW_S), dccListEndS(state, NOW_S + 6)], [NOW_S + 5, Infinity]);
  });

  it('leaves out what is over, other formats, adapters that say nothing, and own keys unless they are wanted', () => {
    const over = { ...key, untilS: NOW_S - 1 };
    const lists = [
      listOf(adapterOf(adapterData({ rules: 'hcert', facts: {}, keys: [over] }))),
      listOf(adapterOf({})),
      listOf(),
    ];
    for (const { eu_keys: list } of lists) assert.deepEqual(list, {});
    const state = stubState({ region: 'AT', keys: [{ key: keyOf(1), role: 'attest' }] });
    const { eu_keys: own } = dccKeyList(state, { nowS: NOW_S, withEd25519: true });
    assert.equal(own['AAAAAAAAAAE=']?.[0]?.subjectPk.slice(0, 16), 'MCowBQYDK2VwAyEA');
  });
});
