/**
 * Checkpoints that a log has signed of more entries than its copy here has, and that nobody could prove: kept until the copy is as long and tells
 * whether they are of its tree, or another one of the same size tells that they are not of one. Owner of these rows:
 *
 *   unproven/<origin>/<name>     the note, with the good lines of the log alone
 *
 * Spec: SPEC.md 14.5.1.
 */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { LOG_LINES_MAX } from '../../protocol/limits.ts';
import {
  type Checkpoint,
  openCheckpoint,
  type OpenedCheckpoint,
  readNote,
} from '../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type Change } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { type Followed } from '../sync/followed.ts';
import { Turns } from '../turns.ts';
import { keptFiles } from './kept-files.ts';

export interface UnprovenNotesModules extends Primitives {
  readonly store: Store;
  /** The logs that are held, by origin. */
  readonly logs: () => ReadonlyMap<string, Pick<Followed, 'heed' | 'accuse' | 'forks' | 'tree'>>;
  /** The keys of a log that are not given up, as its region names them now; undefined for one that is not known. */
  readonly keysOf: (origin: string) => readonly VerifierKey[] | undefined;
  /** Told of errors of our own disk. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

/** Of all keys under which a store keeps them: then follow the origin of the log and the name. */
export const UNPROVEN_PREFIX = 'unproven';

/** Notes that one key of a log has signed. Of more the largest tree goes: it would be reached last, and whoever has the key can sign of any size. */
export const UNPROVEN_OF_KEY_MAX = 4;
/** And notes of one log, by whatever keys. */
export const UNPROVEN_OF_LOG_MAX = 16;

interface Kept extends Checkpoint {
  readonly note: Uint8Array;
}

interface Opened extends OpenedCheckpoint {
  /** With the good lines of the log alone. */
  readonly note: Uint8Array;
}

export class UnprovenNotes {
  readonly #modules: UnprovenNotesModules;
  readonly #turns = new Turns();
  /** By origin, and by the key of the store. */
  readonly #kept = new Map<string, Map<string, Kept>>();
  #isOpen = false;

  constructor(modules: UnprovenNotesModules) {
    this.#modules = modules;
  }

  /** Reads what the store has, and looks at it. Rejects as the store does, but for what is damaged. */
  open(): Promise<void> {
    this.#isOpen = true;
    return this.reread('');
  }

  /** What the store has of the logs whose names begin so is another by now. Does nothing before `open`. Rejects as that. */
  async reread(prefix: string): Promise<void> {
    if (!this.#isOpen) return;
    const { store, onTrouble } = this.#modules;
    for (const origin of this.#kept.keys()) if (origin.startsWith(prefix)) this.#kept.delete(origin);
    for await (const [key, note] of keptFiles(`${UNPROVEN_PREFIX}/${prefix}`, { store, onTrouble })) {
      const origin = key.slice(UNPROVEN_PREFIX.length + 1, key.lastIndexOf('/'));
      const checkpoint = checkpointOf(note);
      if (checkpoint !== undefined)
        this.#kept.set(origin, this.#of(origin).set(key, { ...checkpoint, note }));
    }
    await this.lookAgain();
  }

  /** How many are kept of a log. */
  count(origin: string): number {
    return this.#kept.get(origin)?.size ?? 0;
  }

  /** Holds a note against the log that it is of, if that is held, and keeps it where nothing can be told of it yet. Never rejects. */
  hear(origin: string, note: Uint8Array): Promise<void> {
    return this.#inTurn(origin, async () => {
      const log = this.#modules.logs().get(origin);
      const opened = this.#opened(origin, note);
      if (log === undefined || opened === undefined) return;
      if ((await log.heed(opened.note)) !== 'behind') return;
      await this.#keep(opened, log);
      // It may have grown meanwhile.
      await this.#look(origin);
    });
  }

  /** Logs have more entries than before, or others. Never rejects. */
  async lookAgain(): Promise<void> {
    for (const origin of [...this.#kept.keys()]) await this.#inTurn(origin, () => this.#look(origin));
  }

  async #look(origin: string): Promise<void> {
    const log = this.#modules.logs().get(origin);
    for (const [key, { note, size }] of [...(this.#kept.get(origin) ?? [])]) {
      if (log === undefined || size > log.tree.size || !(await this.#isTold(log, note))) continue;
      await this.#modules.store.write([{ del: key }]);
      this.#kept.get(origin)?.delete(key);
    }
    if (this.#kept.get(origin)?.size === 0) this.#kept.delete(origin);
  }

  /** Whether there is nothing more to be told of it: it is of the tree that is held, proven to be of another, or by no key that is known any more. */
  async #isTold(log: Pick<Followed, 'heed' | 'forks'>, note: Uint8Array): Promise<boolean> {
    try {
      const heeded = await log.heed(note);
      return heeded !== 'behind' && (heeded !== 'forked' || log.forks.length > 0);
    } catch (error) {
      if (isProtocolError(error)) return true;
      throw error;
    }
  }

  async #keep(fresh: Opened, log: Pick<Followed, 'accuse'>): Promise<void> {
    const { store, sha256 } = this.#modules;
    const { origin, text, size, root, note } = fresh;
    const of = this.#of(origin);
    const key = `${UNPROVEN_PREFIX}/${origin}/${hexOf(sha256(utf8Bytes(text))).slice(0, 32)}`;
    if (of.has(key)) return;
    const isStanding = (one: Kept) => this.#opened(origin, one.note) !== undefined;
    const other = [...of.values()].find((one) => one.size === size && isStanding(one));
    if (other !== undefined) {
      const sides = [other, { note, root }].map((side) => ({ note: side.note, root: side.root, path: [] }));
      return log.accuse({ size, sides: sides as [(typeof sides)[0], (typeof sides)[0]] });
    }
    const gone = this.#givingWay(of, fresh);
    if (gone === undefined) return;
    const changes: Change[] = gone.map((del) => ({ del }));
    await store.write([...changes, { put: key, value: note }]);
    for (const one of gone) of.delete(one);
    this.#kept.set(origin, of.set(key, { origin, size, root, note }));
  }

  /** The keys of those that are to go for this one: by no key that counts, and where too many are kept the largest. Undefined: this one is that. */
  #givingWay(of: ReadonlyMap<string, Kept>, fresh: Opened): string[] | undefined {
    const all = [...of].map(([key, { size, note }]) => ({
      key,
      size,
      opened: this.#opened(fresh.origin, note),
    }));
    const gone = all.flatMap(({ key, opened }) => (opened === undefined ? [key] : []));
    const others = all.filter(({ opened }) => opened !== undefined);
    const isByOne = ({ publicKey }: VerifierKey) =>
      fresh.signers.some((key) => equalBytes(key.publicKey, publicKey));
    const ofKey = others.filter(({ opened }) => opened?.signers.some(isByOne));
    const isFull = ofKey.length >= UNPROVEN_OF_KEY_MAX;
    if (!isFull && others.length < UNPROVEN_OF_LOG_MAX) return gone;
    const [largest] = (isFull ? ofKey : others).sort((a, b) => b.size - a.size);
    return largest === undefined || largest.size < fresh.size ? undefined : [...gone, largest.key];
  }

  #of(origin: string): Map<string, Kept> {
    return this.#kept.get(origin) ?? new Map<string, Kept>();
  }

  #opened(origin: string, bytes: Uint8Array): Opened | undefined {
    const { keysOf, verifySignature } = this.#modules;
    try {
      const opened = openCheckpoint(bytes, keysOf(origin) ?? [], verifySignature);
      const { text, lines } = opened;
      if (opened.origin !== origin || lines.length > LOG_LINES_MAX) return undefined;
      return { ...opened, note: encodeNote({ text, signatures: lines }) };
    } catch (error) {
      if (isProtocolError(error)) return undefined;
      throw error;
    }
  }

  #inTurn(origin: string, work: () => Promise<void>): Promise<void> {
    return this.#turns.take(origin, work).catch((error: unknown) => {
      if (!isProtocolError(error)) this.#modules.onTrouble(error);
    });
  }
}

/** Undefined for what is no checkpoint by this version. */
function checkpointOf(note: Uint8Array): Checkpoint | undefined {
  try {
    return readNote(note).checkpoint;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
