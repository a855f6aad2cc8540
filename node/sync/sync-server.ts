/** Answering peers from the logs that this node holds: its own and its copies. */
import { isProtocolError } from '../../protocol/fault.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { TILE_HASHES } from '../../protocol/log/tile.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type LoggedStatement } from '../../protocol/trust/naming.ts';
import { type LogTree } from '../log/log-tree.ts';
import { LogView } from '../log/log-view.ts';
import { isNodeError } from '../node-error.ts';
import { PeerPlaces, type Share, shareByName, type ShareOf } from '../peer-places.ts';
import { type Clock, type Network } from '../ports.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { HeadDigests } from './head-digest.ts';
import { headOrder } from './head-order.ts';
import {
  type AnswerTo,
  encodeAnswer,
  type LogHeadMessage,
  parseRequest,
  type RefusalReason,
  SYNC_PROTOCOL,
  type SyncAnswer,
  type SyncRequest,
} from './messages.ts';
import { type PeerBook } from './peer-book.ts';
import { PeerBudget } from './peer-budget.ts';
import {
  ANSWER_BYTES_MAX,
  ANSWER_BYTES_OF_HASH,
  ANSWER_HELD_MS_MAX,
  ANSWERS_GIVEN,
  FORKS_MAX,
  HEADS_MAX,
  RANGE_ENTRIES_MAX,
  REQUESTS_AT_ONCE,
  REQUESTS_HELD,
} from './sync-limits.ts';

/** A log that others may read. */
export interface ServedLog {
  readonly tree: LogTree;
  /** The newest signed checkpoint whose whole tree is held, with the cosignatures known. */
  readonly note: Uint8Array | undefined;
  /** Those first that count. */
  readonly forks: readonly ForkEvidence[];
  /** What its root says of the keys that sign it; absent where no root names branches, as in an attestation log. */
  readonly naming?: readonly LoggedStatement[];
}

export interface SyncServerModules {
  readonly sha256: Sha256;
  readonly network: Network;
  readonly clock: Clock;
  readonly book: PeerBook;
  /** The logs by their origins. */
  readonly logs: () => ReadonlyMap<string, ServedLog>;
  /** The newest notes of logs that are not held, by origin: so that whoever signed them hears of it. */
  readonly attested?: () => Promise<ReadonlyMap<string, Uint8Array>>;
  /** Proofs against logs that are not held, those first that count. */
  readonly unheldForks?: (origin: string) => readonly ForkEvidence[];
  /** What was left of the logs of a region, by origin, for that region alone: a thief of a key that it gave up has signed it. */
  readonly left?: (region: string) => Promise<ReadonlyMap<string, Uint8Array>>;
  /** What is held against regions besides forks, and not among these names. */
  readonly evidence?: ((known: Uint8Array) => Promise<readonly Uint8Array[]>) | undefined;
  /** The region of a peer; undefined for a stranger. */
  readonly regionOf?: ((peer: string) => string | undefined) | undefined;
  /** With which share a peer asks; `shareByName` by default. */
  readonly shareOf?: ShareOf | undefined;
}

/** Bytes of a head in an answer besides its note. */
const HEAD_BYTES = 32;

export class SyncServer {
  readonly #modules: SyncServerModules;
  readonly #places = new PeerPlaces(REQUESTS_AT_ONCE);
  readonly #held = new PeerPlaces(REQUESTS_HELD);
  readonly #budget: PeerBudget;
  readonly #digests: HeadDigests;
  /** What is held back; at the end of the node each is let go, with `busy`. */
  readonly #waits = new Set<AbortController>();
  #stopped = false;

  constructor(modules: SyncServerModules) {
    this.#modules = modules;
    this.#budget = new PeerBudget(ANSWERS_GIVEN, modules);
    this.#digests = new HeadDigests(modules.sha256);
  }

  start(): void {
    this.#modules.network.handle(SYNC_PROTOCOL, (peer, request) => this.answer(peer, request));
  }

  stop(): void {
    this.#stopped = true;
    for (const wait of this.#waits) wait.abort();
  }

  /**
   * The answer to any bytes; a peer that sends what is no request has a fault. A region that has had more than its part waits, and is refused where that
   * takes longer than `ANSWER_HELD_MS_MAX`.
   */
  async answer(peer: string, request: Uint8Array): Promise<Uint8Array> {
    const { book, shareOf = shareByName } = this.#modules;
    if (this.#stopped || book.isBanned(peer)) return refusal('busy');
    const share = shareOf(peer);
    const release = (await this.#isDue(peer, share)) ? this.#places.take(peer, share) : undefined;
    if (release === undefined) return refusal('busy');
    try {
      const asked = this.#parse(peer, request);
      if (asked === undefined) return refusal('malformed');
      const answer = encodeAnswer(await this.#answer(peer, asked));
      this.#budget.spend(share, this.#costOf(asked, answer));
      return answer;
    } catch (error) {
      // Of what is held here, which is not the asker's fault.
      if (isProtocolError(error)) return refusal('not-there');
      if (isNodeError(error)) return refusal(error.code === 'LOG_PRUNED' ? 'not-there' : 'busy');
      throw error;
    } finally {
      release();
    }
  }

  /** Whether a peer is to be answered, once its region has paid for what it had. */
  async #isDue(peer: string, share: Share): Promise<boolean> {
    const waitMs = this.#budget.waitMs(share);
    if (waitMs === 0) return true;
    const release = waitMs > ANSWER_HELD_MS_MAX ? undefined : this.#held.take(peer, share);
    if (release === undefined) return false;
    const wait = new AbortController();
    this.#waits.add(wait);
    try {
      await this.#modules.clock.wait(waitMs, wait.signal);
      return true;
    } catch (error) {
      if (wait.signal.aborted) return false;
      throw error;
    } finally {
      this.#waits.delete(wait);
      release();
    }
  }

  /** In hashes. */
  #costOf(asked: SyncRequest, answer: Uint8Array): number {
    let cost = answer.length / ANSWER_BYTES_OF_HASH;
    for (let size = this.#sizeProven(asked); size > 1; size /= TILE_HASHES) cost += TILE_HASHES;
    return cost;
  }

  /** Of the tree of which the answer proves something; 0 where it does not. */
  #sizeProven(asked: SyncRequest): number {
    if (asked.kind === 'leaf') return asked.size;
    if (asked.kind !== 'range' && asked.kind !== 'claim') return 0;
    return this.#modules.logs().get(asked.origin)?.tree.size ?? 0;
  }

  #parse(peer: string, request: Uint8Array): SyncRequest | undefined {
    try {
      return parseRequest(request);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#modules.book.fault(peer, error);
      return undefined;
    }
  }

  /**
   * The heads of all logs but those that the asker has, as many as fit, as `headOrder` says, and what was left of those of his own region. Whoever may not know
   * of a fork is told in any case.
   */
  async #heads(known: Uint8Array, asker: string | undefined): Promise<LogHeadMessage[]> {
    const heads: LogHeadMessage[] = [];
    const held = this.#modules.logs();
    const attested = (await this.#modules.attested?.()) ?? new Map<string, Uint8Array>();
    const left = asker === undefined ? undefined : await this.#modules.left?.(asker);
    const { unheldForks = () => [] } = this.#modules;
    const unheld = [...attested].flatMap(([origin, note]) =>
      held.has(origin) ? [] : [[origin, { note, forks: unheldForks(origin) }] as const],
    );
    // Of the asker's region the last goes first.
    const others = [
      ...[...(left ?? [])].map(([origin, note]) => [origin, { note, forks: [] }] as const),
      ...unheld,
    ];
    const isKnown = this.#digests.reader(known);
    let bytes = HEAD_BYTES;
    for (const { note, forks } of headOrder<Pick<ServedLog, 'note' | 'forks'>>(held, others, asker)) {
      if (note === undefined || (forks.length === 0 && isKnown(note))) continue;
      bytes += note.length + HEAD_BYTES;
      if (bytes > ANSWER_BYTES_MAX || heads.length === HEADS_MAX) break;
      heads.push({ note, forks: forks.length });
    }
    return heads;
  }

  async #answer(peer: string, request: SyncRequest): Promise<SyncAnswer> {
    if (request.kind === 'heads') {
      const asker = this.#modules.regionOf?.(peer);
      return { kind: 'heads', heads: await this.#heads(request.known ?? new Uint8Array(), asker) };
    }
    if (request.kind === 'evidence')
      return { kind: 'evidence', files: [...((await this.#modules.evidence?.(request.known)) ?? [])] };
    const log = this.#modules.logs().get(request.origin);
    if (request.kind === 'forks') {
      const forks = log?.forks ?? this.#modules.unheldForks?.(request.origin) ?? [];
      if (log === undefined && forks.length === 0) return { kind: 'refused', reason: 'unknown-log' };
      return { kind: 'forks', forks: forks.slice(0, FORKS_MAX).map(forkMessage) };
    }
    if (log === undefined) return { kind: 'refused', reason: 'unknown-log' };
    if (request.kind === 'leaf') return this.#leaf(log, request);
    const { note } = log;
    // The tree may have grown beyond what is shown.
    const size = note === undefined ? 0 : parseCheckpoint(parseNote(note).text).size;
    if (note === undefined || size === 0) return { kind: 'refused', reason: 'not-there' };
    if (request.kind === 'naming') return { kind: 'naming', statements: [...(log.naming ?? [])], note };
    return request.kind === 'claim'
      ? this.#claim(log, note, size, request.size)
      : this.#range(log, note, size, request);
  }

  async #range(
    log: ServedLog,
    note: Uint8Array,
    size: number,
    { from, bytesMax }: { readonly from: number; readonly bytesMax: number },
  ): Promise<SyncAnswer> {
    if (from >= size) return { kind: 'refused', reason: 'not-there' };
    const view = new LogView(log.tree, this.#modules);
    const entries: Uint8Array[] = [];
    let bytes = 0;
    for await (const entry of view.entries(from, Math.min(size, from + RANGE_ENTRIES_MAX))) {
      entries.push(entry);
      bytes += entry.length;
      if (bytes >= bytesMax) break;
    }
    const end = from + entries.length;
    const path = end === size ? [] : await view.consistencyProof({ oldSize: end, newSize: size });
    return { kind: 'range', from, entries, note, path };
  }

  async #claim(log: ServedLog, note: Uint8Array, newSize: number, size: number): Promise<SyncAnswer> {
    if (size > newSize) return { kind: 'refused', reason: 'not-there' };
    const view = new LogView(log.tree, this.#modules);
    const path = await view.consistencyProof({ oldSize: size, newSize });
    const root = await log.tree.reader.rootAt(size);
    return { kind: 'claim', size, root, path, note };
  }

  async #leaf(
    { tree }: ServedLog,
    { index, size }: Extract<SyncRequest, { kind: 'leaf' }>,
  ): Promise<AnswerTo<'leaf'>> {
    const view = new LogView(tree, this.#modules);
    const path = await view.inclusionProof({ index, size });
    const [leafHash] = await tree.reader.leafHashes(index, index + 1);
    return { kind: 'leaf', leafHash: leafHash as Uint8Array, path };
  }
}

/** A proof of a fork as a message. */
export function forkMessage({ size, sides }: ForkEvidence): AnswerTo<'forks'>['forks'][number] {
  const [first, second] = sides.map(({ note, root, path }) => ({ note, root, path: [...path] }));
  return { size, sides: [first, second] as AnswerTo<'forks'>['forks'][number]['sides'] };
}

function refusal(reason: RefusalReason): Uint8Array {
  return encodeAnswer({ kind: 'refused', reason });
}
