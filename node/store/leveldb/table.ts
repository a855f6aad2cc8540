/**
 * The checksums of a LevelDB table. The file is blocks `contents || type u8 || masked crc32c u32le` and a footer of 48
 * bytes: handles (offset, size) of the metaindex and the index, padding, magic number. Index and metaindex list the
 * handles of all other blocks. LevelDB does not look at the checksums unless it is told to, and classic-level cannot.
 * Source: LevelDB 1.20, doc/table_format and table/format.cc.
 */
import { crc32c, unmaskCrc } from './crc32c.ts';
import { Cursor } from './cursor.ts';

const FOOTER_BYTES = 48;
const TRAILER_BYTES = 5;
const MAGIC_BYTES = 8;
const MAGIC = 0xdb4775248b80fb57n;
const UNCOMPRESSED = 0;

interface Handle {
  readonly offset: number;
  readonly size: number;
}

/** What is wrong with a table written without compression; undefined if every block is as it was written. Total. */
export function damageOfTable(bytes: Uint8Array): string | undefined {
  const footerAt = bytes.length - FOOTER_BYTES;
  if (footerAt < 0) return 'it is too short to be a table';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getBigUint64(bytes.length - MAGIC_BYTES, true) !== MAGIC) return 'its end is not that of a table';
  const footer = new Cursor(bytes.subarray(footerAt, -MAGIC_BYTES));
  for (const root of [readHandle(footer), readHandle(footer)]) {
    const contents = checkedBlock(bytes, view, root);
    const handles = contents && handlesIn(contents);
    if (handles === undefined) return damageAt(root);
    for (const handle of handles)
      if (checkedBlock(bytes, view, handle) === undefined) return damageAt(handle);
  }
  return undefined;
}

function readHandle(cursor: Cursor): Handle {
  return { offset: cursor.varint(), size: cursor.varint() };
}

function damageAt({ offset }: Handle): string {
  return `the block at byte ${offset} is not what was written there`;
}

/** The contents of a block, or undefined if they are not what was written. */
function checkedBlock(bytes: Uint8Array, view: DataView, { offset, size }: Handle): Uint8Array | undefined {
  const end = offset + size;
  if (end + TRAILER_BYTES > bytes.length - FOOTER_BYTES) return undefined;
  if (crc32c(bytes, offset, end + 1) !== unmaskCrc(view.getUint32(end + 1, true))) return undefined;
  return bytes[end] === UNCOMPRESSED ? bytes.subarray(offset, end) : undefined;
}

/** The handles that an index or metaindex block lists as its values. */
function handlesIn(block: Uint8Array): Handle[] | undefined {
  if (block.length < 4) return undefined;
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const entriesEnd = block.length - 4 * (1 + view.getUint32(block.length - 4, true));
  if (entriesEnd < 0) return undefined;
  const cursor = new Cursor(block.subarray(0, entriesEnd));
  const handles: Handle[] = [];
  while (!cursor.atEnd) {
    cursor.varint(); // bytes of the key shared with the one before
    const keyBytes = cursor.varint();
    const valueBytes = cursor.varint();
    cursor.take(keyBytes);
    handles.push(readHandle(new Cursor(cursor.take(valueBytes))));
  }
  return cursor.overrun ? undefined : handles;
}
