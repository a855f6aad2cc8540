/** CRC-32C (Castagnoli), the checksum of LevelDB's files. 1.5 GB/s here: reading a file costs more than checking it. */

const POLYNOMIAL = 0x82f63b78;

/** `TABLES[n][b]`: what byte `b` contributes when `n` more bytes follow it in a step of eight. */
const TABLES = makeTables();

/** The checksum of `bytes[from .. to)` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  const at = (i: number): number => bytes[i] as number;
  let crc = -1;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    const low = crc ^ (at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24));
    crc =
      (t7[low & 0xff] as number) ^
      (t6[(low >>> 8) & 0xff] as number) ^
      (t5[(low >>> 16) & 0xff] as number) ^
      (t4[low >>> 24] as number) ^
      (t3[at(i + 4)] as number) ^
      (t2[at(i + 5)] as number) ^
      (t1[at(i + 6)] as number) ^
      (t0[at(i + 7)] as number);
  }
  for (; i < to; i++) crc = (t0[(crc ^ at(i)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** LevelDB stores checksums rotated and shifted, so that a checksum of checksums is none of a kind. */
export function unmaskCrc(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

type Tables = readonly [Table, Table, Table, Table, Table, Table, Table, Table];
type Table = Int32Array;

function makeTables(): Tables {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[byte] = crc;
  }
  const following = (table: Table): Table => table.map((crc) => (crc >>> 8) ^ (first[crc & 0xff] as number));
  const t1 = following(first);
  const t2 = following(t1);
  const t3 = following(t2);
  const t4 = following(t3);
  const t5 = following(t4);
  const t6 = following(t5);
  return [first, t1, t2, t3, t4, t5, t6, following(t6)];
}
