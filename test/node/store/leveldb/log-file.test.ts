import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hexOf } from '../../../../protocol/bytes.ts';
import { crc32c } from '../../../../node/store/leveldb/crc32c.ts';
import { readLogRecords } from '../../../../node/store/leveldb/log-file.ts';
import { sha256 } from '../../../support/primitives.ts';

const BLOCK = 32_768;

/** Writes as LevelDB does. */
function logOf(records: readonly Uint8Array[]): Uint8Array {
  const parts: Buffer[] = [];
  let length = 0;
  const push = (part: Buffer): void => {
    parts.push(part);
    length += part.length;
  };
  for (const record of records) {
    for (let at = 0, begun = false; !begun || at < record.length; begun = true) {
      if (BLOCK - (length % BLOCK) < 7) push(Buffer.alloc(BLOCK - (length % BLOCK)));
      const left = BLOCK - (length % BLOCK);
      const data = record.subarray(at, at + left - 7);
      at += data.length;
      const last = at === record.length;
      const body = Buffer.concat([Buffer.of(begun ? (last ? 4 : 3) : last ? 1 : 2), data]);
      const head = Buffer.alloc(6);
      const crc = crc32c(body, 0, body.length);
      head.writeUInt32LE(((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) >>> 0);
      head.writeUInt16LE(data.length, 4);
      push(Buffer.concat([head, body]));
    }
  }
  return new Uint8Array(Buffer.concat(parts));
}

const digestOf = (bytes: Uint8Array): string => `${bytes.length} ${hexOf(sha256(bytes))}`;
const record = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);

describe('readLogRecords', () => {
  it('gives back any records, through blocks of 32 KiB', () => {
    const lengths = fc.oneof(
      fc.nat(300),
      fc.integer({ min: BLOCK - 40, max: BLOCK + 40 }),
      fc.nat(3 * BLOCK),
    );
    fc.assert(
      fc.property(fc.array(lengths, { maxLength: 6 }), (sizes) => {
        const records = sizes.map((size, i) => record(size, i + 1));
        const found = readLogRecords(logOf(records));
        assert.deepEqual(found.records.map(digestOf), records.map(digestOf));
        assert.deepEqual([found.brokenAt, found.damaged], [undefined, false]);
      }),
      { numRuns: 60 },
    );
  });

  it('every cut leaves the records before it, and is a torn end, not damage', () => {
    const records = [record(100, 1), record(BLOCK, 2), record(50, 3)];
    const bytes = logOf(records);
    const ends = [107, 107 + BLOCK + 2 * 7, bytes.length];
    for (let length = 0; length < bytes.length; length += length < 300 || length > BLOCK - 20 ? 1 : 97) {
      const { records: found, brokenAt, damaged } = readLogRecords(bytes.subarray(0, length));
      const whole = ends.filter((end) => end <= length).length;
      assert.equal(found.length, whole, String(length));
      assert.equal(damaged, false);
      const end = [0, ...ends][whole];
      assert.equal(brokenAt, length === end ? undefined : end, String(length));
    }
  });

  it('F4 every flipped bit in a record that a whole one follows in another block is damage', () => {
    const bytes = logOf([record(60, 1), record(2 * BLOCK, 2), record(60, 3)]);
    for (let bit = 0; bit < 8 * (bytes.length - 67); bit += 1_009) {
      const bad = bytes.slice();
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const { damaged, brokenAt, records } = readLogRecords(bad);
      assert.ok(brokenAt !== undefined && records.length < 3, String(bit));
      assert.equal(damaged, bit >> 3 < 2 * BLOCK, String(bit));
    }
  });

  it('is total on any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readLogRecords(bytes)));
    readLogRecords(new Uint8Array(3 * BLOCK));
    readLogRecords(new Uint8Array(3 * BLOCK).fill(0xff));
  });
});
