/**
 * What others vouch for of the attestation logs of the home: of each the checkpoint that was shown to witnesses last, and the newest for which a quorum
 * vouches. Kept in the store, so that what was witnessed stays so after a restart, by commands too, and a log that is over is not shown again and again.
 * It proves itself: what is damaged, of another tree or by keys that count no more is left out, and gathered anew. Row:
 *
 *   cosigned/<origin>     [1, note, note]: of both, the second empty where no quorum vouches for any or it is the first
 */
import { z } from 'zod';
import { equalBytes } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { type Checkpoint, openRead, readNote } from '../../protocol/log/checkpoint.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type Assessment, assess, witnessesOf } from '../../protocol/verdict/ages.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type LogTree } from '../log/log-tree.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { CosignaturePool } from '../trust/cosignature-pool.ts';
import { knowledgeOf } from '../trust/held-state.ts';
import { type WitnessKeys } from '../trust/witness-keys.ts';

/** An attestation log of the home. */
export interface CosignableLog {
  readonly origin: string;
  readonly tree: LogTree;
  /** The keys that sign it, as far as they are known and not given up. */
  readonly keys: readonly VerifierKey[];
  readonly standingForks: readonly ForkEvidence[];
}

/** A checkpoint, and all that vouches for it. */
export interface CosignedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly pool: CosignaturePool;
}

interface Held {
  latest: CosignedCheckpoint | undefined;
  witnessed: CosignedCheckpoint | undefined;
  /** The note of the log whose own lines are in `latest`. */
  note: Uint8Array | undefined;
}

export interface CosignedLogsModules extends Primitives {
  readonly store: Store;
  readonly clock: Clock;
  readonly logs: () => readonly CosignableLog[];
  /** The witness keys of all regions, as they are known now. */
  readonly witnessKeys: () => WitnessKeys;
  /** By which witnesses are counted. */
  readonly trust: () => Trust;
}

const FORM = 1;
const BYTES_MAX = 2 * NOTE_BYTES_MAX + 128;
const note = z.instanceof(Uint8Array);
const schema = z.tuple([z.literal(FORM), note, note]);
const PREFIX = 'cosigned/';

export class CosignedLogs {
  readonly #modules: CosignedLogsModules;
  readonly #held = new Map<string, Held>();

  constructor(modules: CosignedLogsModules) {
    this.#modules = modules;
  }

  /** Reads what an earlier process kept of the logs that are open. Rejects as the store. */
  async open(): Promise<void> {
    for (const log of this.#modules.logs()) await this.#restore(log);
  }

  /**
   * The newest signed checkpoint of a log, with what is known to vouch for it: what is taken from here on is about that. Undefined before the first entry, and
   * while no key that counts has signed it. Rejects as the store.
   */
  async follow(log: CosignableLog): Promise<CosignedCheckpoint | undefined> {
    const held = this.#held.get(log.origin) ?? (await this.#restore(log));
    const { signed } = log.tree.head;
    if (signed === undefined || signed.size === 0) return undefined;
    const isSame = this.#takeOwn(log, held);
    if (isSame) return held.latest;
    // What is not written here may take another tree.
    if (held.witnessed !== undefined && !(await this.#isOf(log, held.witnessed))) held.witnessed = undefined;
    held.latest = this.#opened(log, signed.note);
    held.note = held.latest && signed.note;
    return held.latest;
  }

  /** Takes a line of a witness; false where it does not vouch for that checkpoint by a key that counts. */
  take({ pool }: CosignedCheckpoint, line: NoteSignature): boolean {
    return pool.take([line], this.#modules.witnessKeys(), this.#nowS()) > 0;
  }

  /** Whether a quorum vouches for the newest checkpoint of a log that is followed; there has to be a witness. */
  isWitnessed(origin: string): boolean {
    const held = this.#held.get(origin);
    if (held?.latest === undefined || !this.#hasQuorum(held.latest)) return false;
    held.witnessed = held.latest;
    return true;
  }

  /** Makes durable what is known to vouch for a log. Rejects as `Store.write`. */
  async keep(origin: string): Promise<void> {
    const held = this.#held.get(origin);
    if (held?.latest === undefined) return;
    this.isWitnessed(origin);
    const isOne = held.witnessed === held.latest;
    const other = isOne ? undefined : held.witnessed?.pool.note();
    const value = encodeCbor([FORM, held.latest.pool.note(), other ?? new Uint8Array(0)]);
    await this.#modules.store.write([{ put: `${PREFIX}${origin}`, value }]);
  }

  /** Those of a log, the newest first. */
  heldOf(origin: string): readonly CosignedCheckpoint[] {
    const { latest, witnessed } = this.#held.get(origin) ?? {};
    const held = [latest, witnessed === latest ? undefined : witnessed].filter((one) => one !== undefined);
    const keys = this.#modules.witnessKeys();
    for (const { pool } of held) pool.leaveGivenUp(keys);
    return held;
  }

  /** Who vouches for a checkpoint now; undefined while nothing is known of the home. */
  assess({ checkpoint, pool }: CosignedCheckpoint): Assessment | undefined {
    const { trust, witnessKeys } = this.#modules;
    const now = trust();
    const state = now.regions.get(now.home)?.state;
    pool.leaveGivenUp(witnessKeys());
    return state && assess(now, knowledgeOf({ state, checkpoint, pool }, 'good'), this.#nowS());
  }

  /** The regions that witness a log. */
  witnessesOf(origin: string): readonly string[] {
    const trust = this.#modules.trust();
    return witnessesOf(trust, { issuer: trust.home, origin }, this.#nowS());
  }

  /** The regions of these whose lines under a checkpoint count. */
  by({ pool }: CosignedCheckpoint, witnesses: readonly string[]): readonly string[] {
    pool.leaveGivenUp(this.#modules.witnessKeys());
    const regions = new Set(pool.cosignatures.map(({ region }) => region));
    return witnesses.filter((region) => regions.has(region));
  }

  /** The newest signed note of a log with the cosignatures of exactly that checkpoint that are known; undefined where there are none. */
  noteOf(origin: string): Uint8Array | undefined {
    const log = this.#modules.logs().find((one) => one.origin === origin);
    const held = this.#held.get(origin);
    if (log?.tree.head.signed === undefined || held === undefined) return undefined;
    if (!this.#takeOwn(log, held)) return undefined;
    held.latest?.pool.leaveGivenUp(this.#modules.witnessKeys());
    return held.latest?.pool.note();
  }

  #hasQuorum(one: CosignedCheckpoint): boolean {
    const { counted = 0, needed = 0 } = this.assess(one)?.witnesses ?? {};
    return needed > 0 && counted >= needed;
  }

  /** Whether `latest` is the newest signed checkpoint; then it has all own lines of it. */
  #takeOwn(log: CosignableLog, held: Held): boolean {
    const { latest } = held;
    const { signed } = log.tree.head;
    if (latest === undefined || signed === undefined) return false;
    if (held.note === signed.note) return true;
    const now = readNote(signed.note);
    if (now.note.text !== latest.pool.text) return false;
    try {
      latest.pool.takeOwn(openRead(now, log.keys, this.#modules.verifySignature));
    } catch (error) {
      if (isProtocolError(error)) return false;
      throw error;
    }
    held.note = signed.note;
    return true;
  }

  async #restore(log: CosignableLog): Promise<Held> {
    const { origin } = log;
    const held: Held = { latest: undefined, witnessed: undefined, note: undefined };
    const [latest, witnessed] = await this.#stored(origin);
    held.latest = await this.#reopened(log, latest);
    held.witnessed = await this.#reopened(log, witnessed);
    this.#held.set(origin, held);
    this.isWitnessed(origin);
    return held;
  }

  async #stored(origin: string): Promise<readonly (Uint8Array | undefined)[]> {
    try {
      const stored = await this.#modules.store.get(`${PREFIX}${origin}`);
      if (stored === undefined) return [];
      const [, latest, witnessed] = schema.parse(decodeCbor(stored, { bytesMax: BYTES_MAX }));
      return [latest, witnessed.length === 0 ? undefined : witnessed];
    } catch (error) {
      if (isNodeError(error, 'VALUE_CORRUPT') || isProtocolError(error) || error instanceof z.ZodError)
        return [];
      throw error;
    }
  }

  async #reopened(
    log: CosignableLog,
    stored: Uint8Array | undefined,
  ): Promise<CosignedCheckpoint | undefined> {
    const one = stored && this.#opened(log, stored);
    return one && (await this.#isOf(log, one)) ? one : undefined;
  }

  /** Undefined for what no key of the log that counts has signed. */
  #opened({ origin, keys }: CosignableLog, stored: Uint8Array): CosignedCheckpoint | undefined {
    const { sha256, verifySignature, witnessKeys } = this.#modules;
    try {
      const read = readNote(stored);
      const opened = openRead(read, keys, verifySignature);
      if (opened.origin !== origin) return undefined;
      const pool = new CosignaturePool(opened, { sha256, verifySignature });
      pool.takeOwn(opened);
      pool.take(read.note.signatures, witnessKeys(), this.#nowS());
      return { checkpoint: read.checkpoint, pool };
    } catch (error) {
      if (isProtocolError(error)) return undefined;
      throw error;
    }
  }

  /** Whether the log has this tree. */
  async #isOf({ tree }: CosignableLog, { checkpoint: { size, root } }: CosignedCheckpoint): Promise<boolean> {
    const { head, reader } = tree;
    if (size === 0 || size > head.size) return false;
    if (size === head.signed?.size) return equalBytes(root, head.signed.root);
    try {
      return equalBytes(await reader.rootAt(size), root);
    } catch (error) {
      // Its tiles may be given up.
      if (isNodeError(error, 'LOG_CORRUPT') || isNodeError(error, 'VALUE_CORRUPT')) return false;
      throw error;
    }
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1000);
  }
}
