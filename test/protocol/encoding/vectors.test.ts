import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../../../protocol/bytes.ts';
import { decodeBase45, encodeBase45 } from '../../../protocol/encoding/base45.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { ENTRY_BYTES_MAX, INDEX_BOUND, INDEX_SET_COUNT_MAX } from '../../../protocol/limits.ts';
import { decodeIndexSet, encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { fromHex } from '../../support/hex.ts';
import { projectRoot } from '../../support/project.ts';
import { type Base45Vector } from '../../vectors/generate/encoding-base45.ts';
import { type CborVector, type TaggedValue } from '../../vectors/generate/encoding-cbor.ts';
import { type IndexSetVector } from '../../vectors/generate/encoding-index-sets.ts';
import { encodingVectorText } from '../../vectors/generate/encoding.ts';

const text = readFileSync(join(projectRoot, 'test/vectors/encoding.json'), 'utf8');
const vectors = JSON.parse(text) as {
  cbor: CborVector[];
  base45: Base45Vector[];
  indexSets: IndexSetVector[];
};

function untagged(value: TaggedValue): CborValue {
  if (typeof value !== 'object' || value === null) return value;
  if ('bytes' in value) return fromHex(value.bytes);
  if ('fields' in value)
    return Object.fromEntries(value.fields.map(([key, field]) => [key, untagged(field)]));
  if ('entries' in value && typeof value.entries !== 'function') {
    return new Map(value.entries.map(([key, entry]) => [key, untagged(entry)]));
  }
  return (value as readonly TaggedValue[]).map(untagged);
}

const hasFault = (code: string, offset?: number) => (error: unknown) =>
  isProtocolError(error) &&
  error.fault.code === code &&
  (offset === undefined || error.fault.details['offset'] === offset);

describe('test/vectors/encoding.json', () => {
  it('is what its generator makes, with at least as many bad cases as good ones', () => {
    assert.equal(text, encodingVectorText());
    for (const cases of Object.values(vectors)) {
      if (typeof cases[0] === 'string') continue;
      const bad = cases.filter((one) => 'fault' in one).length;
      assert.ok(2 * bad >= cases.length, `${bad} of ${cases.length}`);
    }
  });

  it('decodeCbor and encodeCbor hold every case', () => {
    const limits = { bytesMax: ENTRY_BYTES_MAX };
    for (const one of vectors.cbor) {
      if ('fault' in one) {
        assert.throws(
          () => decodeCbor(fromHex(one.bytes), limits),
          hasFault(one.fault, one.offset),
          one.name,
        );
      } else {
        assert.deepEqual(decodeCbor(fromHex(one.bytes), limits), untagged(one.value), one.name);
        assert.equal(hexOf(encodeCbor(untagged(one.value))), one.bytes, one.name);
      }
    }
  });

  it('decodeBase45 and encodeBase45 hold every case', () => {
    for (const one of vectors.base45) {
      if ('fault' in one) {
        assert.throws(() => decodeBase45(one.text, 100), hasFault(one.fault, one.offset), one.name);
      } else {
        assert.equal(hexOf(decodeBase45(one.text, 100)), one.bytes, one.name);
        assert.equal(encodeBase45(fromHex(one.bytes)), one.text, one.name);
      }
    }
  });

  it('decodeIndexSet and encodeIndexSet hold every case', () => {
    for (const one of vectors.indexSets) {
      const bytes = fromHex(one.bytes);
      const limits = {
        bytesMax: ENTRY_BYTES_MAX,
        countMax: Math.min(INDEX_SET_COUNT_MAX, one.bound ?? Infinity),
        indexBound: one.bound ?? INDEX_BOUND,
      };
      if ('fault' in one) {
        assert.throws(() => decodeIndexSet(bytes, limits), hasFault(one.fault), one.name);
        continue;
      }
      const members = Float64Array.from(
        one.runs.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
      );
      assert.deepEqual(decodeIndexSet(bytes, limits), members, one.name);
      assert.equal(hexOf(encodeIndexSet(members)), one.bytes, one.name);
    }
  });
});
