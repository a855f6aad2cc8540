import assert from 'node:assert/strict';
import { type CborValue } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  dayOf,
  isNumberPrefix,
  isNumberText,
  readOpaqueAdapter,
} from '../../../protocol/lookup/opaque-adapter.ts';

const KEY = new Uint8Array(32).fill(1);
const DAY = 20_783;

const logged = (
  data: Readonly<Record<string, CborValue>>,
  fromS = DAY * 86_400,
  untilS = (DAY + 90) * 86_400,
) => ({
  id: 'numbers',
  version: 1,
  fromS,
  untilS,
  data,
});
const GOOD = { format: 'opaque', prefix: 'DE-', keys: [{ day: DAY, key: KEY }] };

describe('readOpaqueAdapter', () => {
  it('reads how numbers begin, and the keys of days within the window of the statement', () => {
    const keys = [DAY - 2, DAY - 1, DAY, DAY + 1].map((day) => ({ day, key: KEY }));
    const read = readOpaqueAdapter(logged({ ...GOOD, keys }, DAY * 86_400 - 1, (DAY + 1) * 86_400));
    assert.deepEqual([read.prefix, [...read.keys.keys()]], ['DE-', [DAY - 1, DAY]]);
    assert.equal(dayOf(DAY * 86_400 - 1), DAY - 1);
    const longest = 'x'.repeat(64);
    assert.equal(readOpaqueAdapter(logged({ ...GOOD, prefix: longest })).prefix, longest);
  });

  const many = (count: number) => Array.from({ length: count }, (_, i) => ({ day: DAY + i, key: KEY }));
  for (const [what, data] of [
    ['nothing', {}],
    ['another format', { ...GOOD, format: 'hcert' }],
    ['no prefix', { ...GOOD, prefix: '' }],
    ['a prefix of 65 characters', { ...GOOD, prefix: 'x'.repeat(65) }],
    ['a prefix with a space', { ...GOOD, prefix: 'DE ' }],
    ['a prefix that is not ASCII', { ...GOOD, prefix: '浙' }],
    ['that of codes of this network', { ...GOOD, prefix: 'ENT1:' }],
    ['that of certificates', { ...GOOD, prefix: 'HC1:A' }],
    ['that of certificates of a later version', { ...GOOD, prefix: 'HC2:' }],
    ['that of cards', { ...GOOD, prefix: 'shc:/5' }],
    ['that of a JWS', { ...GOOD, prefix: 'eyJ' }],
    ['that of JSON', { ...GOOD, prefix: '{' }],
    ['no key', { ...GOOD, keys: [] }],
    ['93 keys', { ...GOOD, keys: many(93) }],
    ['a day twice', { ...GOOD, keys: [...many(1), ...many(1)] }],
    ['days that descend', { ...GOOD, keys: many(2).reverse() }],
    ['a key of 31 bytes', { ...GOOD, keys: [{ day: DAY, key: KEY.slice(1) }] }],
    ['a member more', { ...GOOD, more: 1 }],
  ] as const)
    it(`refuses ${what}`, () => {
      assert.throws(
        () => readOpaqueAdapter(logged(data)),
        (error) => isProtocolError(error, 'STATEMENT_MALFORMED'),
      );
    });

  it('takes 92 days', () => {
    assert.equal(readOpaqueAdapter(logged({ ...GOOD, keys: many(92) }, 0, 2 ** 40)).keys.size, 92);
    assert.ok(isNumberPrefix('https://code.example/') && !isNumberPrefix('ENT9:x') && !isNumberPrefix('{'));
    assert.ok(isNumberPrefix('ey') && !isNumberText('eyJ1') && !isNumberText('HC9:1') && isNumberText('HC1'));
  });
});
