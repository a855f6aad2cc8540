/**
 * LevelDB's log format, that of its write-ahead logs and manifests: blocks of 32 KiB holding fragments of records, each
 * fragment `masked crc32c u32le || length u16le || type u8 || data`. LevelDB itself skips what does not check.
 * Source: LevelDB 1.20, doc/log_format and db/log_reader.cc.
 */
import { crc32c, unmaskCrc } from './crc32c.ts';

const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

export interface LogRecords {
  /** The complete records, in order. */
  readonly records: Uint8Array[];
  /** Offset of the first byte that belongs to no complete record, where there is one before the end. */
  readonly brokenAt: number | undefined;
  /** A complete record follows what is broken: that is damage, and not the torn end of a write that never finished. */
  readonly damaged: boolean;
}

/** Reads a whole log file. Total. */
export function readLogRecords(bytes: Uint8Array): LogRecords {
  const records: Uint8Array[] = [];
  let brokenAt: number | undefined;
  let damaged = false;
  let parts: Uint8Array[] = [];
  let recordAt = 0;
  const broken = (at: number): void => {
    brokenAt ??= parts.length > 0 ? recordAt : at;
    parts = [];
  };
  for (const { at, type, data } of fragmentsOf(bytes)) {
    if (type === undefined || ((type === MIDDLE || type === LAST) && parts.length === 0)) {
      broken(at);
      continue;
    }
    if (type === FULL || type === FIRST) {
      if (parts.length > 0) broken(at);
      recordAt = at;
    }
    parts.push(data);
    if (type === FULL || type === LAST) {
      records.push(join(parts));
      parts = [];
      damaged ||= brokenAt !== undefined;
    }
  }
  if (parts.length > 0) broken(recordAt);
  return { records, brokenAt, damaged };
}

interface Fragment {
  readonly at: number;
  /** Undefined for what is none: the rest of its block is passed over, since its length cannot be trusted. */
  readonly type: number | undefined;
  readonly data: Uint8Array;
}

function* fragmentsOf(bytes: Uint8Array): Generator<Fragment, void, undefined> {
  for (let block = 0; block < bytes.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, bytes.length);
    let at = block;
    while (end - at >= HEADER_BYTES) {
      const fragment = fragmentAt(bytes, at, end);
      yield fragment;
      if (fragment.type === undefined) break;
      at += HEADER_BYTES + fragment.data.length;
    }
    const torn = end === bytes.length && end - at > 0 && end - at < HEADER_BYTES && end % BLOCK_BYTES !== 0;
    if (torn) yield { at, type: undefined, data: new Uint8Array(0) };
  }
}

function fragmentAt(bytes: Uint8Array, at: number, blockEnd: number): Fragment {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  const length = view.getUint16(4, true);
  const type = view.getUint8(6);
  const end = at + HEADER_BYTES + length;
  const whole = end <= blockEnd && type >= FULL && type <= LAST;
  if (whole && crc32c(bytes, at + 6, end) === unmaskCrc(view.getUint32(0, true))) {
    return { at, type, data: bytes.subarray(at + HEADER_BYTES, end) };
  }
  return { at, type: undefined, data: new Uint8Array(0) };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}
