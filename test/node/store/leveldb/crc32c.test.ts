import assert from 'node:assert/strict';
import { crc32c, unmaskCrc } from '../../../../node/store/leveldb/crc32c.ts';

const crcOf = (bytes: Uint8Array): number => crc32c(bytes, 0, bytes.length);

describe('crc32c', () => {
  it('agrees with the examples of RFC 3720 B.4 and the check value of the polynomial', () => {
    assert.equal(crcOf(Buffer.from('123456789')), 0xe3069283);
    assert.equal(crcOf(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crcOf(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crcOf(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
    assert.equal(crcOf(Uint8Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c);
    assert.equal(crcOf(new Uint8Array(0)), 0);
  });

  it('takes any part of its bytes, whatever its length modulo eight', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => (i * 37) & 0xff);
    for (let from = 0; from < 20; from++) {
      for (let to = from; to < 100; to += 7) {
        assert.equal(crc32c(bytes, from, to), crcOf(bytes.slice(from, to)));
      }
    }
  });

  it('unmaskCrc undoes what LevelDB does: rotate right by 15, add 0xa282ead8', () => {
    for (const crc of [0, 1, 0x8a9136aa, 0xffffffff, 0x80000000]) {
      const masked = ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) >>> 0;
      assert.equal(unmaskCrc(masked), crc);
    }
  });
});
