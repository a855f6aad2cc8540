/**
 * Keeps the logs that a node follows up to date: on connecting and at intervals it compares heads with peers, and fetches what it
 * lacks. Gossip only makes it look sooner. Among many peers it goes round: each interval those few that it asked longest ago, and in
 * any case those whose attestation logs it copies.
 */
import { parseEvidence } from '../../protocol/evidence/evidence.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type ReadNote, readNote } from '../../protocol/log/checkpoint.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type EvidenceBook } from '../evidence/evidence-book.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock, type GossipVerdict, type Network } from '../ports.ts';
import { type BranchFinder } from './branch-finder.ts';
import { EvidenceHints } from './evidence-hints.ts';
import { type Followed, type Heeded } from './followed.ts';
import { accuse, ForkSeeker } from './fork-seeker.ts';
import { HeadDigests } from './head-digest.ts';
import { type AnswerTo, type LogHeadMessage, parseAnswer, type SyncAnswer, TOPICS } from './messages.ts';
import { type PeerBook } from './peer-book.ts';
import { type Puller } from './puller.ts';
import { type SyncClient } from './sync-client.ts';
import { GOSSIP_BYTES_MAX } from './sync-limits.ts';

export interface AntiEntropyOptions {
  /** Milliseconds between two comparisons; 30 s by default. */
  readonly intervalMs?: number;
}

export interface AntiEntropyModules {
  readonly sha256: Sha256;
  readonly network: Network;
  readonly clock: Clock;
  readonly book: PeerBook;
  readonly client: SyncClient;
  readonly puller: Puller;
  readonly finder: BranchFinder;
  /** The logs that are followed, by their origins. */
  readonly logs: () => ReadonlyMap<string, Followed>;
  /** Whether a peer has logs of its own that are copied here. */
  readonly isMirrored?: (peer: string) => boolean;
  /** What is held against regions besides forks. */
  readonly evidence?: Pick<EvidenceBook, 'names' | 'take' | 'nameOf' | 'newAmong'> | undefined;
  /** Told of what a peer shows of logs that are not followed, once the others are up to date. Must not throw. */
  readonly onUnheld?: (peer: string, head: ReadHead) => Promise<void>;
  /** Told of what no peer could prove of a larger tree than is held. Must not reject. */
  readonly onUnproven?: (read: ReadNote) => Promise<void>;
  /** Told of each peer that holds another tree of a log that has forked, and that the root has not named. Must not reject. */
  readonly onOtherTree?: (peer: string, origin: string) => Promise<void>;
  /** Told of errors of our own disk. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Counted since the start. */
export interface SyncCounters {
  readonly rounds: number;
  readonly gossip: number;
  /** Messages dropped because too many were being looked at: the newest one goes. */
  readonly dropped: number;
}

/** Messages that are looked at, at the same time, in all and of one peer. */
const AT_ONCE = { ofAll: 256, ofPeer: 32 } as const;
const INTERVAL_MS = 30_000;
/** Between two intervals that `wake` cuts short: what others log may make it be called again and again. */
const WOKEN_MS_MIN = 1_000;
/** Peers that are asked in an interval: with more, the work of it would grow with the square of the regions. */
const PEERS_ASKED = 8;
const UNPROVEN_REMEMBERED = 64;
/** 64 logs shown by 64 peers. */
const SOUGHT_REMEMBERED = 4_096;

export class AntiEntropy {
  readonly #intervalMs: number;
  readonly #modules: AntiEntropyModules;
  readonly #digests: HeadDigests;
  readonly #forkSeeker: ForkSeeker;
  readonly #stopping = new AbortController();
  readonly #tasks = new Set<Promise<unknown>>();
  readonly #ofPeer = new Map<string, number>();
  /** When peers were asked last, of those that are connected, in turns of the clock here. */
  #asked = new Map<string, number>();
  #turn = 0;
  readonly #counters = { rounds: 0, gossip: 0, dropped: 0 };
  /** By the text of a checkpoint that no peer could prove: until when none but those who show it are asked. */
  readonly #unproven = new RecentMap<{ readonly untilMs: number }>(UNPROVEN_REMEMBERED);
  /** By log and peer: until when it is not asked for another branch. To fold one costs as much as the whole log. */
  readonly #sought = new RecentMap<{ readonly untilMs: number }>(SOUGHT_REMEMBERED);
  readonly #hints: EvidenceHints;
  #pause = new AbortController();
  #running: Promise<void> | undefined;

  constructor({ intervalMs = INTERVAL_MS }: AntiEntropyOptions, modules: AntiEntropyModules) {
    this.#intervalMs = intervalMs;
    this.#modules = modules;
    this.#digests = new HeadDigests(modules.sha256);
    this.#forkSeeker = new ForkSeeker(intervalMs, modules);
    this.#hints = new EvidenceHints(modules.clock);
  }

  start(): void {
    const { network } = this.#modules;
    network.onConnect((peer) => void this.#spawn(peer, () => this.round(peer)));
    for (const topic of Object.values(TOPICS)) {
      network.subscribe(topic, async (peer, message) => {
        this.#counters.gossip++;
        return (await this.#spawn(peer, () => this.#hear(topic, peer, message))) ?? 'ignore';
      });
    }
    this.#running ??= this.#run();
  }

  /** Safe to call twice. Resolves once nothing is being done any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pause.abort();
    await this.#running;
    await Promise.all(this.#tasks);
  }

  /** There is more to ask for than before: the next interval begins now, however often this is called, or as soon as the one under way has lasted a second. */
  wake(): void {
    this.#pause.abort();
  }

  get counters(): SyncCounters {
    return { ...this.#counters };
  }

  /** One comparison with a peer. Rejects as `SyncClient.ask`, and with what our own store rejects with. */
  async round(peer: string): Promise<void> {
    this.#counters.rounds++;
    this.#asked.set(peer, ++this.#turn);
    const { client, logs, onUnheld } = this.#modules;
    const known = this.#digests.ofAll(logs().values());
    const { heads } = await client.ask(peer, { kind: 'heads', known });
    const read = client.blaming(peer, () => readHeads(heads));
    await this.#compare(peer, read);
    for (const head of read) {
      if (!logs().has(head.read.checkpoint.origin)) await onUnheld?.(peer, head);
    }
    await this.#askEvidence(peer);
  }

  /**
   * What a peer holds against regions that this node may not follow proves nothing here, and is nobody's fault. `named` are names that it has told. True
   * if any of it was new.
   */
  async #askEvidence(peer: string, named: ReadonlySet<string> = new Set()): Promise<boolean> {
    const { client, evidence } = this.#modules;
    if (evidence === undefined) return false;
    const { files } = await client.ask(peer, { kind: 'evidence', known: evidence.names });
    const isNew = await this.#hearEvidence(peer, files);
    if (isNew || files.some((file) => named.has(evidence.nameOf(file)))) this.#hints.served(peer);
    return isNew;
  }

  /** What is too long for gossip is asked for at once: what is named in a pause comes with the next comparison. */
  async #hearNames(peer: string, names: Uint8Array): Promise<boolean> {
    const named = this.#modules.evidence?.newAmong(names);
    if (named === undefined || named.size === 0 || !this.#hints.isDue(peer)) return false;
    return this.#askEvidence(peer, named);
  }

  /** True if any of the proofs was new. */
  async #hearEvidence(peer: string, files: readonly Uint8Array[]): Promise<boolean> {
    let isNew = false;
    for (const file of files) {
      try {
        isNew = (await this.#modules.evidence?.take(file, peer)) === true || isNew;
      } catch (error) {
        if (!isProtocolError(error)) throw error;
      }
    }
    return isNew;
  }

  async #run(): Promise<void> {
    const { clock } = this.#modules;
    const { signal } = this.#stopping;
    const sinceMsMin = Math.min(WOKEN_MS_MIN, this.#intervalMs);
    while (!signal.aborted) {
      this.#pause = new AbortController();
      const fromMs = clock.runMs();
      for (const peer of this.#due()) void this.#spawn(peer, () => this.round(peer));
      await clock.wait(this.#intervalMs, this.#pause.signal).catch(() => undefined);
      const tooSoonMs = fromMs + sinceMsMin - clock.runMs();
      if (tooSoonMs > 0) await clock.wait(tooSoonMs, signal).catch(() => undefined);
    }
  }

  /** Whom to ask in this interval; forgets those who are gone. */
  #due(): string[] {
    const { client, isMirrored = () => false } = this.#modules;
    const peers = client.peers();
    this.#asked = new Map(peers.map((peer) => [peer, this.#asked.get(peer) ?? 0]));
    const byTurn = [...this.#asked].sort(([, one], [, other]) => one - other).map(([peer]) => peer);
    return byTurn.filter((peer, place) => place < PEERS_ASKED || isMirrored(peer));
  }

  /**
   * What the work gives; `reject` if the peer broke the protocol, undefined if the work was dropped or came to nothing. What a peer
   * says may be wrong in any way, and our disk may fail: neither ends the node.
   */
  #spawn<T>(peer: string, work: () => Promise<T>): Promise<T | 'reject' | undefined> {
    const ofPeer = this.#ofPeer.get(peer) ?? 0;
    if (this.#stopping.signal.aborted || this.#modules.book.isBanned(peer)) return Promise.resolve(undefined);
    if (this.#tasks.size >= AT_ONCE.ofAll || ofPeer >= AT_ONCE.ofPeer) {
      this.#counters.dropped++;
      return Promise.resolve(undefined);
    }
    this.#ofPeer.set(peer, ofPeer + 1);
    const task = work()
      .catch((error: unknown) => {
        if (isProtocolError(error)) return 'reject' as const;
        if (!isNodeError(error, 'PEER_UNREACHABLE') && !isNodeError(error, 'NOT_FOUND')) {
          this.#modules.onTrouble?.(error);
        }
        return undefined;
      })
      .finally(() => {
        this.#tasks.delete(task);
        const left = (this.#ofPeer.get(peer) ?? 1) - 1;
        if (left > 0) this.#ofPeer.set(peer, left);
        else this.#ofPeer.delete(peer);
      });
    this.#tasks.add(task);
    return task;
  }

  /**
   * A sender is to blame for what everybody can see to be wrong. What only those see who know a key may have come through honest
   * hands: it goes no further, and that is all.
   */
  async #hear(topic: string, peer: string, message: Uint8Array): Promise<GossipVerdict> {
    const heard = this.#modules.client.blaming(peer, () => parseGossip(topic, message));
    try {
      const isNews =
        heard.kind === 'heads'
          ? await this.#compare(peer, heard.heads)
          : heard.kind === 'range'
            ? await this.#take(peer, heard)
            : heard.kind === 'evidence'
              ? await this.#hearEvidence(peer, heard.files)
              : heard.kind === 'evidence-names'
                ? await this.#hearNames(peer, heard.names)
                : await this.#hearForks(heard.forks);
      return isNews ? 'accept' : 'ignore';
    } catch (error) {
      if (isProtocolError(error)) return 'ignore';
      throw error;
    }
  }

  /** True if any of the proofs was new and stands: what a thief of a key that was given up makes goes no further. */
  async #hearForks(forks: AnswerTo<'forks'>['forks']): Promise<boolean> {
    let isNew = false;
    for (const evidence of forks) {
      const log = this.#modules.logs().get(originOf(evidence.sides[0].note));
      if (log !== undefined) isNew = (await accuse(log, evidence)) || isNew;
    }
    return isNew;
  }

  /** What comes of a note that a peer passes on; undefined if it is not good by what is known here. */
  async #heed(log: Followed, { note, read }: ReadHead): Promise<Heeded | undefined> {
    try {
      return await log.heed(note, read);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return undefined;
    }
  }

  /** New entries, if they fit to what is held; else what lies between is fetched. True if the log has grown. */
  async #take(peer: string, { from, entries, note, path, read }: ReadRange): Promise<boolean> {
    const { logs } = this.#modules;
    const log = logs().get(read.checkpoint.origin);
    if (log === undefined || (await log.heed(note, read)) !== 'behind') return false;
    if (from <= log.tree.size) {
      try {
        const { outcome } = await log.apply({ from, entries, note, path, read });
        if (outcome === 'grown' || outcome === 'known') return outcome === 'grown';
      } catch (error) {
        // Whoever is wrong, the puller finds out.
        if (!isProtocolError(error)) throw error;
      }
    }
    return this.#pull(log, peer, read);
  }

  /** Fetches what a peer has shown. A log that has forked, or a tree that nobody has, is shown again and again. */
  async #pull(log: Followed, peer: string, read: ReadNote): Promise<boolean> {
    const { puller, clock } = this.#modules;
    const { text } = read.note;
    const alone = clock.runMs() < (this.#unproven.get(text)?.untilMs ?? 0);
    const isFree = puller.isFree(log);
    const isGrown = await puller.pull(log, peer, { alone });
    if (!isGrown && isFree && !alone) {
      this.#unproven.set(text, { untilMs: clock.runMs() + this.#intervalMs });
      await this.#modules.onUnproven?.(read);
    }
    // A fetch that was joined goes as far as its own peer, which may have less than this one.
    if (isGrown && !isFree && log.tree.size < read.checkpoint.size) await this.#pull(log, peer, read);
    return isGrown;
  }

  /** What a peer shows may be another branch, which the root has named. Nobody is asked for one of a log twice in an interval. */
  async #seek(log: Followed, peer: string, { checkpoint }: ReadNote): Promise<void> {
    if (log.settle === undefined && log.turn === undefined) return;
    const { clock, finder } = this.#modules;
    const nowMs = clock.runMs();
    const sought = `${log.origin} ${peer}`;
    if (nowMs < (this.#sought.get(sought)?.untilMs ?? 0)) return;
    this.#sought.set(sought, { untilMs: nowMs + this.#intervalMs });
    try {
      await finder.seek(peer, log, checkpoint.size);
    } catch (error) {
      // Such a peer may be late, know no better, or have pruned what it is asked for.
      if (!isProtocolError(error) && !isNodeError(error, 'NOT_FOUND')) throw error;
    }
  }

  /** True if any of the logs is followed here. Of a note that is not good its log is passed over, and no other. */
  async #compare(peer: string, heads: readonly ReadHead[]): Promise<boolean> {
    const { logs } = this.#modules;
    let isFollowed = false;
    for (const head of heads) {
      const { read, forks } = head;
      const log = logs().get(read.checkpoint.origin);
      if (log === undefined) continue;
      isFollowed = true;
      const heeded = await this.#heed(log, head);
      const isGrown = heeded === 'behind' && (await this.#pull(log, peer, read));
      if (heeded !== undefined && heeded !== 'known' && !isGrown) {
        await this.#seek(log, peer, read);
        if (log.forks.length > 0) await this.#modules.onOtherTree?.(peer, log.origin);
      }
      await this.#forkSeeker.seek(peer, log, forks);
    }
    return isFollowed;
  }
}

/** A head as a peer showed it, and what its note says. */
export interface ReadHead extends LogHeadMessage {
  readonly read: ReadNote;
}

/** Entries as a peer told them, and what the note with them says. */
type ReadRange = AnswerTo<'range'> & { readonly read: ReadNote };

type Gossiped =
  | ReadRange
  | AnswerTo<'forks'>
  | AnswerTo<'evidence'>
  | AnswerTo<'evidence-names'>
  | { readonly kind: 'heads'; readonly heads: readonly ReadHead[] };

/** What is said on each topic. Spec: SPEC.md 14.6. */
const KINDS_ON: Readonly<Record<string, readonly Gossiped['kind'][]>> = {
  [TOPICS.trust]: ['range'],
  [TOPICS.head]: ['heads'],
  [TOPICS.evidence]: ['forks', 'evidence', 'evidence-names'],
};

/** @throws {ProtocolError} as `parseAnswer` and `readNote`, and SCHEMA_INVALID for what does not belong on the topic. */
function parseGossip(topic: string, message: Uint8Array): Gossiped {
  const heard = parseAnswer(message, GOSSIP_BYTES_MAX);
  const kinds = KINDS_ON[topic] ?? [];
  if (!isGossip(heard) || !kinds.includes(heard.kind))
    throw new ProtocolError('SCHEMA_INVALID', `expected ${kinds.join(' or ')} on the topic ${topic}`);
  if (heard.kind === 'heads') return { kind: 'heads', heads: readHeads(heard.heads) };
  if (heard.kind === 'range') return { ...heard, read: readNote(heard.note) };
  if (heard.kind === 'evidence') {
    for (const file of heard.files) parseEvidence(file);
    return heard;
  }
  if (heard.kind === 'evidence-names') return heard;
  for (const { sides } of heard.forks) for (const { note } of sides) readNote(note);
  return heard;
}

function isGossip(
  heard: SyncAnswer,
): heard is AnswerTo<'range' | 'heads' | 'forks' | 'evidence' | 'evidence-names'> {
  return Object.values(KINDS_ON).some((kinds) => kinds.includes(heard.kind as Gossiped['kind']));
}

/** @throws {ProtocolError} as `readNote`. */
function readHeads(heads: readonly LogHeadMessage[]): ReadHead[] {
  return heads.map((head) => ({ ...head, read: readNote(head.note) }));
}

function originOf(note: Uint8Array): string {
  return readNote(note).checkpoint.origin;
}
