import assert from 'node:assert/strict';
import { decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { ENTRY_BYTES_MAX } from '../../../protocol/limits.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { adapterData, readAdapter } from '../../../protocol/foreign/adapter.ts';
import { type ForeignKey, ForeignKeys } from '../../../protocol/foreign/foreign-keys.ts';
import { verifyForeign } from '../../../protocol/foreign/verify-foreign.ts';
import { type LoggedAdapter } from '../../../protocol/trust/trust-state.ts';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { cardKey } from '../../support/card-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { hcertKey, ISSUED_S, makeHcert } from '../../support/hcert-fixture.ts';
import { RegionFixture } from '../../support/region-fixture.ts';

const SIGNER = makeEcSigner();
const RULES = { rules: 'local', facts: { 'test.result': { var: 'code.t.0.tr' } } };
const dataOf = (keys: readonly ForeignKey[]) => adapterData({ ...RULES, keys });
const WINDOW = { from: ISSUED_S - 100, until: ISSUED_S + 100 };

type Data = LoggedAdapter['data'];

/** `!` so many times. */
const nested = (levels: number): unknown => (levels === 0 ? true : { '!': [nested(levels - 1)] });

function logged(data: Data, window = WINDOW): LoggedAdapter {
  return { id: 'local', version: 1, fromS: window.from, untilS: window.until, data };
}

async function outcomeBy(keys: readonly ForeignKey[]): Promise<string> {
  const text = makeHcert(SIGNER);
  return (await verifyForeign(nativeForeignPrimitives, text, new ForeignKeys(keys), ISSUED_S)).outcome;
}

describe('readAdapter', () => {
  it('gives the keys that a region announced in its trust log, and a code is genuine by them', async () => {
    const region = new RegionFixture();
    region.add(
      { kind: 'adapter', id: 'local', version: 1, ...WINDOW, data: dataOf([hcertKey(SIGNER)]) },
      'root',
    );
    const [adapter] = [...region.state.adapters()];
    assert.ok(adapter);
    assert.deepEqual([adapter.id, adapter.version, adapter.fromS], ['local', 1, WINDOW.from]);
    assert.equal(await outcomeBy(readAdapter(adapter).keys), 'genuine');
    const other = makeEcSigner();
    region.add(
      { kind: 'adapter', id: 'local', version: 2, ...WINDOW, data: dataOf([hcertKey(other)]) },
      'root',
    );
    assert.equal(
      await outcomeBy([...region.state.adapters()].flatMap((one) => readAdapter(one).keys)),
      'refused',
    );
  });

  it('is the reverse of adapterData, by way of bytes', () => {
    const keys = [
      hcertKey(SIGNER, { usages: ['test'], fromS: WINDOW.from, untilS: WINDOW.until - 1 }),
      hcertKey(makeEcSigner('P-384'), { fromS: WINDOW.from, untilS: WINDOW.until - 1 }),
      hcertKey(makeRsaSigner(), { issuer: '', fromS: WINDOW.from, untilS: WINDOW.until - 1 }),
    ];
    const bytes = encodeCbor(dataOf(keys));
    const read = readAdapter(logged(decodeCbor(bytes, { bytesMax: ENTRY_BYTES_MAX }) as Data));
    assert.deepEqual(read.keys, keys);
    assert.deepEqual([read.id, read.version, read.format, read.rules], ['local', 1, 'hcert', 'local']);
    assert.deepEqual([...read.facts], [['test.result', { op: 'var', path: ['code', 't', '0', 'tr'] }]]);
  });

  it('an adapter signs nothing that is issued outside its window, whatever its keys may', async () => {
    for (const [window, outcome] of [
      [{ from: ISSUED_S, until: ISSUED_S + 1 }, 'genuine'],
      [{ from: ISSUED_S + 1, until: ISSUED_S + 2 }, 'refused'],
      [{ from: ISSUED_S - 1, until: ISSUED_S }, 'refused'],
    ] as const)
      assert.equal(await outcomeBy(readAdapter(logged(dataOf([hcertKey(SIGNER)]), window)).keys), outcome);
  });

  it('200 keys of RSA with 4096 bits do not fit an entry: whoever makes one finds out, and 200 on P-384 do', () => {
    const many = (key: ForeignKey) => encodeCbor(dataOf(Array.from({ length: 200 }, () => key))).length;
    assert.ok(many(hcertKey(makeEcSigner('P-384'))) < ENTRY_BYTES_MAX);
  });

  const good = dataOf([hcertKey(SIGNER)]) as { format: string; keys: Record<string, unknown>[] };
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
    ['no rules', { ...good, rules: undefined }],
    ['rules by a name that is none', { ...good, rules: 'Über' }],
    ['a fact by a name that is none', { ...good, facts: { 'A b': { var: 'code' } } }],
    [
      '129 facts',
      { ...good, facts: Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`f${i}`, 1])) },
    ],
    ['a fact that is no expression', { ...good, facts: { a: { or: [1, 2] } } }],
    ['an expression of 13 levels', { ...good, facts: { a: nested(13) } }],
    ['one more member of a key', withKey({ d: new Uint8Array(32) })],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => readAdapter(logged(data as unknown as Data)),
        (error) => isProtocolError(error, 'STATEMENT_MALFORMED'),
      );
    });
  }
});

describe('adapterData', () => {
  it('takes keys of one format, 1 to 200', () => {
    assert.throws(() => dataOf([]), RangeError);
    assert.throws(() => dataOf(Array.from({ length: 201 }, () => hcertKey(SIGNER))), RangeError);
    assert.throws(() => dataOf([hcertKey(SIGNER), cardKey(SIGNER)]), RangeError);
  });
});
