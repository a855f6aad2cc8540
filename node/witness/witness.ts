/**
 * The witness of a region: says of logs, again and again, which tree is the largest consistent one it saw. Its memory is one
 * checkpoint for each log, stored before the cosignature leaves, here and in the second place. Witnessing a log is not
 * recognising its region.
 */
import { z } from 'zod';
import { equalBytes } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { type OpenedCheckpoint, type ReadNote, readNote } from '../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../protocol/log/cosignature.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { COSIGNATURE, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { requireTime, type TimeBounds } from '../clock/time-bounds.ts';
import { logError } from '../log/log-error.ts';
import { isNodeError } from '../node-error.ts';
import { type Change, type Clock, type HighWater, type SecondPlace, type Signer } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { Turns } from '../turns.ts';
import { type AddCheckpoint } from './add-checkpoint.ts';
import { type LeftProofModules, settleLeft, type TreeBefore } from './left-proof.ts';
import { decideCosigning, type WitnessDecision, type WitnessGround } from './witness-rule.ts';

export interface WitnessOptions {
  /** As `witnessName` gives it: the name of its keys. */
  readonly name: string;
}

export interface WitnessModules extends WitnessGround, LeftProofModules {
  readonly store: Store;
  readonly secondPlace: SecondPlace;
  readonly clock: Clock;
  /** The witness key in force. @throws {NodeError} KEY_NOT_IN_FORCE */
  readonly key: (atS: number) => Signer;
  /** Between which times it is by what others say, where that is known. */
  readonly timeBounds?: TimeBounds;
  /** Whether another machine speaks for the region: then this one cosigns nothing. */
  readonly isSilent?: () => boolean;
  /** Told of a log that signed two trees of one size. Must not throw. */
  readonly onFork?: (origin: string, evidence: ForkEvidence) => void;
  /** Told of a second place that has not heard yet of what was left. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

export type Witnessed =
  | { readonly cosigns: true; readonly checkpoint: OpenedCheckpoint; readonly line: NoteSignature }
  | Extract<WitnessDecision, { cosigns: false }>;

interface Seen extends HighWater {
  /** When it was cosigned last. */
  readonly atS: number;
  /** Whether both places have it: a write may have landed though it failed, or the process have died after it. */
  readonly isMarked: boolean;
}

/** Of a log, how often what was cosigned of it has been left, and what was cosigned since. */
interface Memory {
  readonly leavings: number;
  readonly seen: Seen | undefined;
}

interface StoredMemory {
  readonly leavings: number;
  readonly seen: Omit<Seen, 'isMarked'> | undefined;
}

const FORM = 1;
const BYTES_MAX = NOTE_BYTES_MAX + 128;
const bytes = z.instanceof(Uint8Array);
const count = z.int().nonnegative();
const fields = [
  z.literal(FORM),
  count,
  bytes.refine(({ length }) => length === HASH_BYTES),
  bytes,
  count,
] as const;
/** The last of six: how often the witness had left what it cosigned of that log, where it ever has. An empty note: it has cosigned nothing since. */
const schema = z.union([
  z.tuple([...fields]).transform((row) => [...row, 0] as const),
  z.tuple([...fields, count]),
]);
/** Of no tree. */
const NO_ROOT = new Uint8Array(HASH_BYTES);
const NO_NOTE = new Uint8Array(0);

export class Witness {
  readonly #options: WitnessOptions;
  readonly #modules: WitnessModules;
  readonly #turns = new Turns();
  /** What the store holds, for the logs that were asked about. */
  readonly #memories = new Map<string, Memory>();
  /** By origin, what this process cosigned last. */
  readonly #last = new Map<
    string,
    { readonly checkpoint: OpenedCheckpoint; readonly keys: readonly VerifierKey[] }
  >();
  /** What `attested` gives, until `#memories` has another note. */
  #attested: ReadonlyMap<string, Uint8Array> | undefined;
  /** Whether `#memories` is all that the store holds. */
  #isLoaded = false;
  /** How often what the store holds became another. */
  #rereads = 0;
  /** The key that signed last. */
  #verifier: VerifierKey | undefined;

  constructor(options: WitnessOptions, modules: WitnessModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * Cosigns a checkpoint, or says why not. Check and store are one step for each log, so that no two requests together make it
   * go back. `there`: what its bearer shows of it at the size of what was left of an attestation log, see `settleLeft`.
   * @throws {NodeError} as `Store.write` and `SecondPlace.raise`, KEY_NOT_IN_FORCE, CLOCK_BEHIND for a clock that is before the
   * last cosignature, CLOCK_ASTRAY for one that most regions contradict: nothing was cosigned.
   */
  async add(request: AddCheckpoint, there?: TreeBefore): Promise<Witnessed> {
    if (this.#modules.isSilent?.() === true) return { cosigns: false, refusal: 'unfolded' };
    let read: ReadNote;
    try {
      read = readNote(request.note);
      if (this.#modules.keysOf(read.checkpoint.origin) === undefined)
        return { cosigns: false, refusal: 'unknown-log' };
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return { cosigns: false, refusal: 'malformed', fault: error };
    }
    return this.#turns.take(read.checkpoint.origin, () => this.#addInTurn(request, read, there));
  }

  /**
   * Cosigns at a new time what this process cosigned last of a log, without looking at its signatures again. Undefined where that is
   * not the checkpoint with this text, its keys are others by now, or something was found in its entries: `add` tells then.
   * @throws {NodeError} as `add`.
   */
  again({ origin, text }: Pick<OpenedCheckpoint, 'origin' | 'text'>): Promise<NoteSignature | undefined> {
    return this.#turns.take(origin, async () => {
      const last = this.#last.get(origin);
      const { keysOf, vet, isSilent } = this.#modules;
      if (isSilent?.() === true) return undefined;
      if (last?.checkpoint.text !== text || last.keys !== keysOf(origin)) return undefined;
      const vetting = vet(last.checkpoint);
      if (!vetting.isFolded || vetting.objection !== undefined) return undefined;
      const memory = await this.#read(origin);
      const { seen } = memory;
      const { size, root } = last.checkpoint;
      // What failed since may have landed.
      if (seen?.size !== size || !equalBytes(seen.root, root)) return undefined;
      return this.#cosign(last.checkpoint, seen, memory);
    });
  }

  /** What the store holds of the logs whose names begin so is another by now: what was read before, or is being read, counts no more. */
  reread(prefix: string): void {
    for (const known of [this.#memories, this.#last])
      for (const origin of known.keys()) if (origin.startsWith(prefix)) known.delete(origin);
    this.#attested = undefined;
    this.#isLoaded = false;
    this.#rereads++;
  }

  /**
   * Begins anew with a log, if what it cosigned last is left, as for another branch that the root has named: `isLeft` tells. `commit` makes
   * the change durable together with all else that leaves it; until then, and where that fails, all is as before. Then the second place is told, or a store
   * that is lost would bind the witness to what it left. Rejects as `commit`. Spec: SPEC.md 9.
   */
  leave(
    origin: string,
    isLeft: (seen: HighWater) => Promise<boolean>,
    commit: (changes: readonly Change[]) => Promise<void>,
  ): Promise<void> {
    return this.#turns.take(origin, async () => {
      const { leavings, seen } = await this.#read(origin);
      if (seen === undefined || !(await isLeft(seen))) return commit([]);
      this.reread(origin);
      await commit([storedAs(origin, { leavings: leavings + 1, seen: undefined })]);
      await this.#tellLeft(origin, leavings + 1);
    });
  }

  /** The checkpoint of a log that was cosigned last, with the log's own signatures. */
  lastSeen(origin: string): Promise<HighWater | undefined> {
    return this.#turns.take(origin, async () => (await this.#read(origin)).seen);
  }

  /** The attestation logs that it ever cosigned, by origin, each with the note as `lastSeen` gives it. Rejects as reads of the store. */
  async attested(): Promise<ReadonlyMap<string, Uint8Array>> {
    if (!this.#isLoaded) {
      const rereads = this.#rereads;
      for await (const [key] of this.#modules.store.entries(PREFIX, `${PREFIX}\x7f`)) {
        await this.lastSeen(key.slice(PREFIX.length));
      }
      this.#isLoaded = rereads === this.#rereads;
    }
    return (this.#attested ??= new Map(
      [...this.#memories].flatMap(([origin, { seen }]) => {
        return seen !== undefined && parseOrigin(origin).kind === 'attest'
          ? [[origin, seen.note] as const]
          : [];
      }),
    ));
  }

  async #addInTurn(request: AddCheckpoint, read: ReadNote, there?: TreeBefore): Promise<Witnessed> {
    const { origin } = read.checkpoint;
    const memory = await this.#read(origin);
    const decision = decideCosigning(request, memory.seen, this.#modules, read);
    if (!decision.cosigns) {
      if (decision.evidence !== undefined) this.#modules.onFork?.(origin, decision.evidence);
      return decision;
    }
    const { checkpoint, kept } = decision;
    const keys = this.#modules.keysOf(origin);
    let settled: readonly Change[] | undefined;
    try {
      settled = await settleLeft(checkpoint, request.note, there, this.#modules);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return { cosigns: false, refusal: 'unproven', fault: error, signed: checkpoint };
    }
    if (settled === undefined) return { cosigns: false, refusal: 'unfolded', signed: checkpoint };
    const line = await this.#cosign(checkpoint, kept, memory, settled);
    if (keys !== undefined) this.#last.set(origin, { checkpoint, keys });
    return { cosigns: true, checkpoint, line };
  }

  /** Of a checkpoint that continues what was seen, of which `kept` is remembered, with all else that is durable then. */
  async #cosign(
    { origin, text }: OpenedCheckpoint,
    kept: HighWater,
    memory: Memory,
    beside: readonly Change[] = [],
  ): Promise<NoteSignature> {
    const { leavings, seen } = memory;
    const atS = Math.floor(this.#modules.clock.nowMs() / 1000);
    if (seen !== undefined && atS < seen.atS) {
      const message = `${origin} was cosigned last at a time ${seen.atS - atS} s after that of the clock`;
      throw logError('CLOCK_BEHIND', message);
    }
    requireTime(this.#modules.timeBounds, atS, `a cosignature for ${origin}`);
    const key = this.#modules.key(atS);
    const isKept = seen?.isMarked === true && isSame(seen, kept) && beside.length === 0;
    if (isKept) this.#memories.set(origin, { leavings, seen: { ...seen, atS } });
    else await this.#keep(origin, leavings, { ...kept, atS }, beside);
    return signCosignature(this.#verifierOf(key), text, atS, (message) => key.sign(message));
  }

  #verifierOf({ publicKey }: Signer): VerifierKey {
    const { name } = this.#options;
    if (this.#verifier === undefined || !equalBytes(this.#verifier.publicKey, publicKey)) {
      const key = { name, algorithm: COSIGNATURE, publicKey } as const;
      this.#verifier = makeVerifierKey(this.#modules.sha256, key);
    }
    return this.#verifier;
  }

  async #read(origin: string): Promise<Memory> {
    const known = this.#memories.get(origin);
    if (known !== undefined) return known;
    const { store, secondPlace } = this.#modules;
    const rereads = this.#rereads;
    const stored = await store.get(witnessKey(origin));
    const mark = await secondPlace.read(witnessPlace(origin));
    const there: Memory = {
      leavings: await this.#leavingsThere(origin),
      seen: mark && { ...mark, atS: 0, isMarked: false },
    };
    const here = stored === undefined ? undefined : parseStored(stored, origin);
    const memory = here === undefined ? there : latest(here, there);
    if (rereads !== this.#rereads) return this.#read(origin);
    this.#memories.set(origin, memory);
    this.#attested = undefined;
    return memory;
  }

  /** For a larger tree, or one that more keys have signed. A new time need not survive a crash. */
  async #keep(
    origin: string,
    leavings: number,
    seen: Omit<Seen, 'isMarked'>,
    beside: readonly Change[],
  ): Promise<void> {
    const { size, root, note } = seen;
    const { store, secondPlace } = this.#modules;
    this.#memories.delete(origin); // until both places have it, either may
    this.#attested = undefined;
    await store.write([storedAs(origin, { leavings, seen }), ...beside]);
    if (leavings > (await this.#leavingsThere(origin))) await this.#countLeft(origin, leavings);
    await secondPlace.raise(witnessPlace(origin), { size, root, note });
    this.#memories.set(origin, { leavings, seen: { ...seen, isMarked: true } });
    this.#attested = undefined;
  }

  /**
   * Tells the second place. Where that fails, it is told before anything of the log is cosigned again: until then nothing binds that a backup could take back.
   * Of an attestation log it is told only then: a witness that has lost its store leaves that tree once more, however long it is, and keeps it beside again.
   */
  async #tellLeft(origin: string, leavings: number): Promise<void> {
    if (parseOrigin(origin).kind === 'attest') return;
    try {
      await this.#countLeft(origin, leavings);
    } catch (error) {
      if (!isNodeError(error)) throw error;
      this.#modules.onTrouble?.(error);
    }
  }

  async #countLeft(origin: string, leavings: number): Promise<void> {
    const { secondPlace } = this.#modules;
    // In this order: what is marked there is never taken for what was cosigned after it was left.
    await secondPlace.forget(witnessPlace(origin));
    await secondPlace.raise(leavingsPlace(origin), { size: leavings, root: NO_ROOT, note: NO_NOTE });
  }

  async #leavingsThere(origin: string): Promise<number> {
    return (await this.#modules.secondPlace.read(leavingsPlace(origin)))?.size ?? 0;
  }
}

/**
 * Of what the store and the second place have. Either may have gone back, as after a restored backup: who knows of more leavings is right, and of
 * equally many what this witness once said still binds it.
 */
function latest(here: StoredMemory, there: Memory): Memory {
  const { leavings } = here;
  if (leavings < there.leavings) return there;
  if (leavings > there.leavings) return { leavings, seen: here.seen && { ...here.seen, isMarked: false } };
  if (here.seen === undefined || there.seen === undefined) {
    const seen = here.seen ?? there.seen;
    return { leavings, seen: seen && { ...seen, isMarked: false } };
  }
  const isMarked = isSame(here.seen, there.seen);
  return { leavings, seen: isBehind(here.seen, there.seen) ? there.seen : { ...here.seen, isMarked } };
}

/** Of one tree the lines become more and never fewer. */
function isBehind(here: HighWater, there: HighWater): boolean {
  const isOneTree = there.size === here.size && equalBytes(there.root, here.root);
  return isOneTree ? there.note.length > here.note.length : there.size >= here.size;
}

/** The same tree, signed by the same keys. */
function isSame(one: HighWater, other: HighWater): boolean {
  return one.size === other.size && equalBytes(one.note, other.note);
}

const PREFIX = 'witness/';

/** Where the store has what a witness saw last of a log. */
export function witnessKey(origin: string): string {
  return PREFIX + origin;
}

/** And the second place. */
export function witnessPlace(origin: string): string {
  return `witness:${origin}`;
}

/** Where the second place counts how often what was cosigned of a log was left. */
export function leavingsPlace(origin: string): string {
  return `witness-left:${origin}`;
}

function storedAs(origin: string, { leavings, seen }: StoredMemory): Change {
  const { size, root, note, atS } = seen ?? { size: 0, root: NO_ROOT, note: NO_NOTE, atS: 0 };
  const row = [FORM, size, root, note, atS, ...(leavings > 0 ? [leavings] : [])];
  return { put: witnessKey(origin), value: encodeCbor(row) };
}

function parseStored(stored: Uint8Array, origin: string): StoredMemory {
  try {
    const [, size, root, note, atS, leavings] = schema.parse(decodeCbor(stored, { bytesMax: BYTES_MAX }));
    return { leavings, seen: note.length === 0 ? undefined : { size, root, note, atS } };
  } catch (cause) {
    throw logError('LOG_CORRUPT', `${witnessKey(origin)} is not what a witness stores`, { cause });
  }
}
