import assert from 'node:assert/strict';
import { decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { ENTRY_BYTES_MAX } from '../../../protocol/limits.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { adapterData, announcedKeys } from '../../../protocol/foreign/announced-keys.ts';
import { type ForeignKey, ForeignKeys } from '../../../protocol/foreign/foreign-keys.ts';
import { verifyForeign } from '../../../protocol/foreign/verify-foreign.ts';
import { type LoggedAdapter } from '../../../protocol/trust/trust-state.ts';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { cardKey } from '../../support/card-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { hcertKey, ISSUED_S, makeHcert } from '../../support/hcert-fixture.ts';
import { RegionFixture } from '../../support/region-fixture.ts';

const SIGNER = makeEcSigner();
const WINDOW = { from: ISSUED_S - 100, until: ISSUED_S + 100 };

type Data = LoggedAdapter['data'];

function logged(data: Data, window = WINDOW): LoggedAdapter {
  return { id: 'local', version: 1, fromS: window.from, untilS: window.until, data };
}

async function outcomeBy(keys: readonly ForeignKey[]): Promise<string> {
  const text = makeHcert(SIGNER);
  return (await verifyForeign(nativeForeignPrimitives, text, new ForeignKeys(keys), ISSUED_S)).outcome;
}

describe('announcedKeys', () => {
  it('gives the keys that a region announced in its trust log, and a code is genuine by them', async () => {
    const region = new RegionFixture();
    region.add(
      { kind: 'adapter', id: 'local', version: 1, ...WINDOW, data: adapterData([hcertKey(SIGNER)]) },
      'root',
    );
    const [adapter] = [...region.state.adapters()];
    assert.ok(adapter);
    assert.deepEqual([adapter.id, adapter.version, adapter.fromS], ['local', 1, WINDOW.from]);
    assert.equal(await outcomeBy(announcedKeys(adapter)), 'genuine');
    const other = makeEcSigner();
    region.add(
      { kind: 'adapter', id: 'local', version: 2, ...WINDOW, data: adapterData([hcertKey(other)]) },
      'root',
    );
    assert.equal(await outcomeBy([...region.state.adapters()].flatMap(announcedKeys)), 'refused');
  });

  it('is the reverse of adapterData, by way of bytes', () => {
    const keys = [
      hcertKey(SIGNER, { usages: ['test'], fromS: WINDOW.from, untilS: WINDOW.until - 1 }),
      hcertKey(makeEcSigner('P-384'), { fromS: WINDOW.from, untilS: WINDOW.until - 1 }),
      hcertKey(makeRsaSigner(), { issuer: '', fromS: WINDOW.from, untilS: WINDOW.until - 1 }),
    ];
    const bytes = encodeCbor(adapterData(keys));
    assert.deepEqual(announcedKeys(logged(decodeCbor(bytes, { bytesMax: ENTRY_BYTES_MAX }) as Data)), keys);
  });

  it('an adapter signs nothing that is issued outside its window, whatever its keys may', async () => {
    for (const [window, outcome] of [
      [{ from: ISSUED_S, until: ISSUED_S + 1 }, 'genuine'],
      [{ from: ISSUED_S + 1, until: ISSUED_S + 2 }, 'refused'],
      [{ from: ISSUED_S - 1, until: ISSUED_S }, 'refused'],
    ] as const)
      assert.equal(await outcomeBy(announcedKeys(logged(adapterData([hcertKey(SIGNER)]), window))), outcome);
  });

  it('200 keys of RSA with 4096 bits do not fit an entry: whoever makes one finds out, and 200 on P-384 do', () => {
    const many = (key: ForeignKey) => encodeCbor(adapterData(Array.from({ length: 200 }, () => key))).length;
    assert.ok(many(hcertKey(makeEcSigner('P-384'))) < ENTRY_BYTES_MAX);
  });

  const good = adapterData([hcertKey(SIGNER)]) as { format: string; keys: Record<string, unknown>[] };
  const withKey = (change: object) => ({ ...good, keys: [{ ...good.keys[0], ...change }] });
  for (const [name, data] of [
    ['no data', {}],
    ['another format', { ...good, format: 'ent' }],
    ['no keys', { ...good, keys: [] }],
    ['201 keys', { ...good, keys: Array(201).fill(good.keys[0]) }],
    ['one more member', { ...good, more: 1 }],
    ['a key without a name', withKey({ id: '' })],
    ['a name of 257 characters', withKey({ id: 'a'.repeat(257) })],
    ['a key that is none', withKey({ key: {} })],
    ['a key of another kind', withKey({ key: { kind: 'okp', x: new Uint8Array(32) } })],
    [
      'another curve',
      withKey({ key: { kind: 'ec', curve: 'P-521', x: new Uint8Array(66), y: new Uint8Array(66) } }),
    ],
    [
      'a coordinate of 31 bytes',
      withKey({ key: { kind: 'ec', curve: 'P-256', x: new Uint8Array(31), y: new Uint8Array(32) } }),
    ],
    ['RSA of 1024 bits', withKey({ key: { ...makeRsaSigner(1_024).publicKey } })],
    ['another usage', withKey({ usages: ['entry'] })],
    ['a time that is no number', withKey({ from: 'now' })],
    ['a time below zero', withKey({ until: -1 })],
    ['one more member of a key', withKey({ d: new Uint8Array(32) })],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => announcedKeys(logged(data as unknown as Data)),
        (error) => isProtocolError(error, 'STATEMENT_MALFORMED'),
      );
    });
  }
});

describe('adapterData', () => {
  it('takes keys of one format, 1 to 200', () => {
    assert.throws(() => adapterData([]), RangeError);
    assert.throws(() => adapterData(Array.from({ length: 201 }, () => hcertKey(SIGNER))), RangeError);
    assert.throws(() => adapterData([hcertKey(SIGNER), cardKey(SIGNER)]), RangeError);
  });
});
