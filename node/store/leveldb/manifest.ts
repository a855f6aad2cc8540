/**
 * LevelDB's manifest: a log of edits that add up to the set of live tables and the oldest write-ahead log still needed.
 * Source: LevelDB 1.20, db/version_edit.cc.
 */
import { Cursor } from './cursor.ts';

export interface Manifest {
  /** Bytes of each live table by its number. */
  readonly tables: ReadonlyMap<number, number>;
  /** Write-ahead logs from this number on hold what is in no table yet. */
  readonly logNumber: number;
}

const COMPARATOR = 1;
const LOG_NUMBER = 2;
const NEXT_FILE = 3;
const LAST_SEQUENCE = 4;
const COMPACT_POINTER = 5;
const DELETED_FILE = 6;
const NEW_FILE = 7;
const PREVIOUS_LOG_NUMBER = 9;

/** Adds up the edits. Undefined if one of them is not in the form that LevelDB writes. */
export function readManifest(edits: readonly Uint8Array[]): Manifest | undefined {
  const tables = new Map<number, number>();
  let logNumber = 0;
  for (const edit of edits) {
    const cursor = new Cursor(edit);
    while (!cursor.atEnd) {
      switch (cursor.varint()) {
        case COMPARATOR:
          cursor.skipString();
          break;
        case LOG_NUMBER:
          logNumber = cursor.varint();
          break;
        case NEXT_FILE:
        case LAST_SEQUENCE:
        case PREVIOUS_LOG_NUMBER:
          cursor.varint();
          break;
        case COMPACT_POINTER:
          cursor.varint();
          cursor.skipString();
          break;
        case DELETED_FILE:
          cursor.varint();
          tables.delete(cursor.varint());
          break;
        case NEW_FILE: {
          cursor.varint();
          const number = cursor.varint();
          tables.set(number, cursor.varint());
          cursor.skipString();
          cursor.skipString();
          break;
        }
        default:
          return undefined;
      }
    }
    if (cursor.overrun) return undefined;
  }
  return { tables, logNumber };
}
