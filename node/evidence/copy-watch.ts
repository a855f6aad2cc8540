/**
 * Reads what this node copies of others' attestation logs as it grows, and makes evidence of what contradicts itself there: an entry that is
 * none for its place, and one of an earlier hour than the one before. All of it is what anybody reads in that log; of codes that are shown
 * nothing is made. Owner of the places up to which copies were read. Spec: SPEC.md 14.6, 18.
 */
import * as z from 'zod';
import { equalBytes } from '../../protocol/bytes.ts';
import { AttestationSeries } from '../../protocol/code/attestation-series.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { encodeEvidenceIfTaken } from '../../protocol/evidence/evidence.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { parseNote, verifyNote } from '../../protocol/log/note.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type AuditFault } from '../audit/audit-fault.ts';
import { evidenceOfFault, type FaultEvidenceModules } from '../audit/fault-evidence.ts';
import { StoreLog } from '../audit/store-source.ts';
import { type LogTree } from '../log/log-tree.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { logVerifierKeys } from '../trust/log-keys.ts';
import { type Accusation } from './accusation.ts';
import { type EvidenceBook } from './evidence-book.ts';

export interface CopyWatchOptions {
  /** The home, whose own logs are no copies. */
  readonly region: string;
  /** Entries between two notes of how far a copy was read: so many are read again after a start. 65,536 by default. */
  readonly noteEvery?: number;
}

export interface CopyWatchModules extends FaultEvidenceModules {
  readonly store: Store;
  readonly clock: Clock;
  readonly stateOf: (region: string) => TrustState | undefined;
  /** By origin. */
  readonly logs: () => ReadonlyMap<string, { readonly tree: LogTree }>;
  readonly evidence: Pick<EvidenceBook, 'take' | 'accusations'>;
  /** Told of errors of our own disk. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

/** An entry that is not as the log's own word says that it is. */
type Misfit = Required<Pick<AuditFault, 'code' | 'log' | 'index'>>;

/**
 * Up to where a copy was read: how many entries, under which root, and of how many that was noted; and since the start the first entry of this tree that was
 * not as it should be, how many were tried, whether all keys that signed the tree were given up when it was read last, how many were tried while that was
 * so, and which proofs against the region have counted since.
 */
interface Place {
  size: number;
  root: Uint8Array;
  notedSize: number;
  firstMisfit: number | undefined;
  tries: number;
  isDisowned: boolean;
  disownedTries: number;
  standing: ReadonlySet<string>;
}

const NOWHERE: Place = {
  size: 0,
  root: new Uint8Array(),
  notedSize: 0,
  firstMisfit: undefined,
  tries: 0,
  isDisowned: false,
  disownedTries: 0,
  standing: new Set(),
};

/** Entries that are read before others have their turn, and milliseconds until the next: at most 200,000 in a second. */
const STEP = 4_096;
const PAUSE_MS = 20;
const NOTE_EVERY = 65_536;
/** Proofs of one log that are kept and not disowned: more of them prove no more. */
const PROOFS_OF_LOG = 4;
/** And entries of which one is tried, and as many while a thief may have signed it: each costs as much as reading the trust log of its region, also where nothing is proven. */
const TRIES_OF_LOG = 16;
const FORM = 1;
const BYTES_MAX = 128;
const placeForm = z.tuple([
  z.literal(FORM),
  z.int().nonnegative(),
  z.custom<Uint8Array>((value) => value instanceof Uint8Array),
]);

export class CopyWatch {
  readonly #options: Required<CopyWatchOptions>;
  readonly #modules: CopyWatchModules;
  readonly #stopping = new AbortController();
  readonly #grown = new Set<string>();
  /** Those that were not read to their end, since something could not be read: it may be made good without their growing. */
  readonly #broken = new Set<string>();
  /** By origin. */
  readonly #places = new Map<string, Place>();
  #ring: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor(options: CopyWatchOptions, modules: CopyWatchModules) {
    this.#options = { noteEvery: NOTE_EVERY, ...options };
    this.#modules = modules;
  }

  start(): void {
    for (const origin of this.#modules.logs().keys()) this.wake(origin);
    this.#running ??= this.#run();
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#ring();
    await this.#running;
  }

  /**
   * What is known of regions is another now, or what is made of it: what was proven against one may count no more, of a log too that does not grow any
   * more. And what could not be read may have been made good by now.
   */
  readonly wakeProven = (): void => {
    for (const origin of this.#broken) this.wake(origin);
    for (const [origin, { firstMisfit, standing }] of this.#places)
      if (firstMisfit !== undefined || standing.size > 0) this.wake(origin);
  };

  /** A log has grown, or is another now, or another has signed it. */
  readonly wake = (origin: string): void => {
    const { kind, region } = parseOrigin(origin);
    if (kind !== 'attest' || region === this.#options.region) return;
    this.#grown.add(origin);
    this.#ring();
  };

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const rung = new Promise<void>((resolve) => (this.#ring = resolve));
      const [origin] = this.#grown;
      if (origin === undefined) {
        await rung;
        continue;
      }
      this.#grown.delete(origin);
      await this.#readOrNote(origin);
    }
  }

  /** What stays unread is read when the copy grows again, when anything else is another, or after the next start; it is told of once. */
  async #readOrNote(origin: string): Promise<void> {
    try {
      await this.readOn(origin);
      this.#broken.delete(origin);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (!this.#broken.has(origin)) this.#modules.onTrouble(error);
      this.#broken.add(origin);
    }
  }

  /** Reads what has come of a copy since. Rejects as the store. */
  async readOn(origin: string): Promise<void> {
    const { clock, logs } = this.#modules;
    const { signal } = this.#stopping;
    const tree = logs().get(origin)?.tree;
    if (tree === undefined) return;
    const place = await this.#placeIn(tree);
    const { region } = parseOrigin(origin);
    const isWatched = () =>
      (place.isDisowned ? place.disownedTries : place.tries) < TRIES_OF_LOG &&
      this.#provenIn(origin).length < PROOFS_OF_LOG;
    while (!signal.aborted && isWatched()) {
      const { signed, minimum } = tree.head;
      const from = Math.max(place.size, minimum);
      const to = Math.min(signed?.size ?? 0, from + STEP);
      if (from >= to) break;
      const faults = await this.#faultsIn(tree, from, to);
      if (faults.length > 0) place.isDisowned = this.#isDisowned(tree);
      for (const fault of faults) {
        place.firstMisfit ??= fault.index;
        if (!isWatched()) break;
        if (signal.aborted) return;
        if (this.#provenIn(origin).some(({ at }) => at === fault.index)) continue;
        if (place.isDisowned) place.disownedTries++;
        else place.tries++;
        await this.#prove(fault);
        this.#noteStanding(place, region);
      }
      place.size = to;
      place.root = await tree.reader.rootAt(to);
      // Behind the first misfit all is read again after a start: what is proven of it now may be disowned then.
      const isDue = place.size - place.notedSize >= this.#options.noteEvery;
      if (isDue && place.firstMisfit === undefined) await this.#note(origin, place);
      await clock.wait(PAUSE_MS, signal);
    }
    this.#noteStanding(place, region);
  }

  /** One that is disowned while the copy is read is missed when that is read next. */
  #noteStanding(place: Place, region: string): void {
    place.standing = new Set([...place.standing, ...this.#standingAgainst(region)]);
  }

  #standing(): Accusation[] {
    return this.#modules.evidence.accusations.filter((one) => !one.isDisowned);
  }

  #standingAgainst(region: string): Set<string> {
    return new Set(this.#standing().flatMap((one) => (one.region === region ? [one.name] : [])));
  }

  #provenIn(log: string): Accusation[] {
    return this.#standing().filter(
      ({ kind, origin }) => origin === log && (kind === 'entry' || kind === 'hours'),
    );
  }

  /** In the order of their indexes. The entry before the first is read for its hour. */
  async #faultsIn(tree: LogTree, from: number, to: number): Promise<Misfit[]> {
    const { origin, head, reader } = tree;
    const place = parseOrigin(origin);
    const faults: Misfit[] = [];
    const series = new AttestationSeries();
    let lastHour = 0;
    let index = Math.max(from - 1, head.minimum);
    for await (const entry of reader.entries(index, to)) {
      const fault = (code: Misfit['code']) => faults.push({ code, log: origin, index });
      try {
        const { region, log, index: said, hour } = series.read(entry);
        if (region !== place.region || place.kind !== 'attest' || log !== place.log) fault('LOG_MISMATCH');
        else if (said !== index) fault('INDEX_MISMATCH');
        else if (hour < lastHour) fault('HOUR_MISMATCH');
        lastHour = hour;
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        fault('ATTESTATION_MALFORMED');
      }
      index++;
    }
    return faults.filter((one) => one.index >= from);
  }

  /** Whether no key has signed the copy that is not given up: what is proven by it counts against nobody. */
  #isDisowned({ origin, head }: LogTree): boolean {
    const { stateOf, sha256, verifySignature } = this.#modules;
    const state = stateOf(parseOrigin(origin).region);
    if (state === undefined || head.signed === undefined) return false;
    const { text, signatures } = parseNote(head.signed.note);
    const keys = logVerifierKeys(sha256, state, origin);
    const isGood = (line: NoteSignature) => {
      try {
        return verifyNote({ text, signatures: [line] }, keys, verifySignature).signers.length > 0;
      } catch (error) {
        if (isProtocolError(error)) return false;
        throw error;
      }
    };
    return !signatures.some(isGood);
  }

  /** It is verified as everybody will, and once more when it is taken. */
  async #prove(fault: Misfit): Promise<void> {
    const { store, evidence } = this.#modules;
    const log = (origin: string) => new StoreLog(origin, store);
    const made = await evidenceOfFault(fault, { log }, this.#modules);
    if (made === undefined) return;
    try {
      const file = encodeEvidenceIfTaken(made);
      if (file !== undefined) await evidence.take(file);
    } catch (error) {
      // A root that is followed no more.
      if (!isProtocolError(error)) throw error;
    }
  }

  /**
   * A copy that is another than what was read, since its root has named another tree, is read from its beginning; and from its first misfit on, where a proof
   * against the region counts no more: it may have taken the room of others, or been all that the misfits under another key are proven by. Or where a key has
   * signed it by now that is not given up.
   */
  async #placeIn(tree: LogTree): Promise<Place> {
    const { origin, size, head, reader } = tree;
    const place = this.#places.get(origin) ?? (await this.#noted(origin));
    this.#places.set(origin, place);
    // Of what is pruned by now nothing is read again.
    const isAnother =
      place.size > size ||
      (place.size > head.minimum && !equalBytes(await reader.rootAt(place.size), place.root));
    if (isAnother) Object.assign(place, { ...NOWHERE, standing: place.standing });
    const standing = this.#standingAgainst(parseOrigin(origin).region);
    const isFewer = [...place.standing].some((name) => !standing.has(name));
    const wasDisowned = place.isDisowned;
    if (place.firstMisfit !== undefined) place.isDisowned = this.#isDisowned(tree);
    if (isFewer || (wasDisowned && !place.isDisowned)) {
      place.size = Math.min(place.size, Math.max(place.firstMisfit ?? place.size, head.minimum));
      place.root = await reader.rootAt(place.size);
      if (isFewer) [place.tries, place.disownedTries] = [0, 0];
    }
    place.standing = standing;
    return place;
  }

  /** What cannot be read of it costs reading the copy again. */
  async #noted(origin: string): Promise<Place> {
    try {
      const stored = await this.#modules.store.get(keyOf(origin));
      if (stored === undefined) return { ...NOWHERE };
      const [, size, root] = placeForm.parse(decodeCbor(stored, { bytesMax: BYTES_MAX }));
      return { ...NOWHERE, size, root, notedSize: size };
    } catch (error) {
      if (isNodeError(error, 'VALUE_CORRUPT')) return { ...NOWHERE };
      throw error;
    }
  }

  async #note(origin: string, place: Place): Promise<void> {
    const { size, root } = place;
    await this.#modules.store.write([{ put: keyOf(origin), value: encodeCbor([FORM, size, root]) }]);
    place.notedSize = size;
  }
}

function keyOf(origin: string): string {
  return `read/${origin}`;
}
