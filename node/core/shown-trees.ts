/**
 * Trees of the own logs that others have shown under a key of this region that goes on, and that are not here. Whoever showed one may be gone when the node looks
 * again whether it may sign, and what it signed would be another log beside it. Of each log and key the largest, so that nobody can have more written, and what a
 * stolen key signs hides nothing that another has signed. Row:
 *
 *   own-shown/<origin>/<public key in hexadecimal>     [1, size, root, note, region that showed it or "", seconds since 1970]
 */
import { z } from 'zod';
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { readNote, type ReadNote } from '../../protocol/log/checkpoint.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { isNodeError } from '../node-error.ts';
import { type Change, type Clock } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { Turns } from '../turns.ts';
import { type OwnLog } from './own-log.ts';

const BYTES_MAX = NOTE_BYTES_MAX + 256;
const bytes = z.instanceof(Uint8Array);
const schema = z
  .tuple([
    z.literal(1),
    z.int().nonnegative(),
    bytes.refine(({ length }) => length === HASH_BYTES),
    bytes,
    z.string(),
    z.int().nonnegative(),
  ])
  .transform(([, size, root, note, by, atS]) => ({ size, root, note, by, atS }));
type Row = z.infer<typeof schema>;

/** `by`: the region whose node showed it, where that is known. `atS`: when first; absent for what a fetch that broke off was on the way to. */
export interface ShownTree {
  readonly note: Uint8Array;
  readonly by?: string;
  readonly atS?: number;
}

export interface ShownTreesOptions {
  /** Witnesses know what was rightly signed, and a machine that follows the writer is always shown what it has not yet: nothing is noted. */
  readonly isFenced: () => boolean;
}

export interface ShownTreesModules {
  readonly store: Store;
  readonly clock: Clock;
}

export class ShownTrees {
  readonly #options: ShownTreesOptions;
  readonly #modules: ShownTreesModules;
  readonly #turns = new Turns();

  constructor(options: ShownTreesOptions, modules: ShownTreesModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * Keeps a note on more than the log has, under each of our keys that has signed it. Not one on no more than the root has signed, which keeps the log alone from
   * being written; one that is not good binds nobody. Durable once it resolves. Rejects as the store.
   */
  async keep(log: OwnLog, note: Uint8Array, by = '', read: ReadNote = readNote(note)): Promise<void> {
    const { size, root } = read.checkpoint;
    if (this.#options.isFenced() || size <= log.named) return;
    const rows = rowsOf(log.origin, signersOf(log, note));
    if (rows.length === 0) return;
    await this.#turns.take(log.origin, async () => {
      const atS = Math.floor(this.#modules.clock.nowMs() / 1000);
      const changes: Change[] = [];
      for (const row of rows) {
        const before = await this.#read(row);
        const isNews =
          before === undefined || before.size < size || (before.size === size && !before.by && by);
        if (isNews) changes.push({ put: row, value: encodeCbor([1, size, root, note, by, atS]) });
      }
      if (changes.length > 0) await this.#modules.store.write(changes);
    });
  }

  /**
   * What binds as if a peer showed it now: what is kept under keys that go on, and of the trust log what a fetch was on the way to that broke off. What the log
   * has by now, or has pruned, is forgotten. Rejects as reading the log, and the store.
   */
  async of(log: OwnLog): Promise<readonly ShownTree[]> {
    return this.#turns.take(log.origin, async () => {
      const { tree, origin, keys } = log;
      if (tree.trouble !== undefined) return [];
      const shown: ShownTree[] = [];
      const changes: Change[] = [];
      const publicKeys = keys.map(({ publicKey }) => publicKey);
      for (const row of rowsOf(origin, publicKeys)) {
        const kept = await this.#read(row);
        if (kept === undefined) continue;
        const { size, root, note, by, atS } = kept;
        const isPruned = size <= tree.head.minimum;
        if (isPruned || (size <= tree.size && equalBytes(await tree.reader.rootAt(size), root)))
          changes.push({ del: row });
        else shown.push({ note, atS, ...(by !== '' && { by }) });
      }
      if (changes.length > 0) await this.#modules.store.write(changes);
      const { ahead } = tree.head;
      // An attestation log waits alone then: see `OwnLog.lacking`.
      if (ahead !== undefined && !this.#options.isFenced() && parseOrigin(origin).kind === 'trust')
        shown.push({ note: ahead.note });
      return shown;
    });
  }

  /** What is damaged is forgotten: whoever showed it shows it again. */
  async #read(row: string): Promise<Row | undefined> {
    try {
      const stored = await this.#modules.store.get(row);
      return stored && schema.safeParse(decodeCbor(stored, { bytesMax: BYTES_MAX })).data;
    } catch (error) {
      if (isNodeError(error, 'VALUE_CORRUPT')) return undefined;
      throw error;
    }
  }
}

function rowsOf(origin: string, publicKeys: readonly Uint8Array[]): string[] {
  return [...new Set(publicKeys.map((key) => `own-shown/${origin}/${hexOf(key)}`))];
}

function signersOf(log: OwnLog, note: Uint8Array): readonly Uint8Array[] {
  try {
    return log.signersOf(note);
  } catch (error) {
    if (isProtocolError(error)) return [];
    throw error;
  }
}
