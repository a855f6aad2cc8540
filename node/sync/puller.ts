/**
 * Fetching what is missing of a log from any peer that has it. Whoever lies, refuses or keeps silent is passed over, and the
 * next one is asked; nothing is taken on anybody's word.
 */
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { ENTRY_BYTES_MAX } from '../../protocol/limits.ts';
import { type ReadNote, readNote } from '../../protocol/log/checkpoint.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Piece } from '../log/replica.ts';
import { type Clock, type Random } from '../ports.ts';
import { shuffled } from '../issuing/shuffle.ts';
import { type Followed, type Kept } from './followed.ts';
import { type SyncClient } from './sync-client.ts';
import {
  CATCH_UP_BYTES_MAX,
  OTHER_ROOT_MS,
  OTHER_ROOTS_REMEMBERED,
  PULLS_AT_ONCE,
  RANGE_BYTES_MAX,
} from './sync-limits.ts';

export interface PullerModules {
  readonly client: SyncClient;
  readonly clock: Pick<Clock, 'runMs'>;
  readonly random: Random;
}

/** What a peer gave, of the form that it was asked for. */
type ReadPiece = Piece & { readonly read: ReadNote };

/** Counted since the start. */
export interface PullCounters {
  readonly entries: number;
  readonly pulls: number;
  /** Pulls for which no peer had anything that could be taken. */
  readonly fruitless: number;
}

export class Puller {
  readonly #modules: PullerModules;
  /** By origin: one fetch of a log at a time. */
  readonly #pulls = new Map<string, Promise<boolean>>();
  /** By log and peer: until when it is not asked, since it holds the log of another root by that name. */
  readonly #otherRoots = new RecentMap<{ readonly untilMs: number }>(OTHER_ROOTS_REMEMBERED);
  readonly #counters = { entries: 0, pulls: 0, fruitless: 0 };

  constructor(modules: PullerModules) {
    this.#modules = modules;
  }

  get counters(): PullCounters {
    return { ...this.#counters };
  }

  /** Whether `pull` would begin a fetch of the log now, and neither join one nor leave it to the next round. */
  isFree({ origin }: Followed): boolean {
    return !this.#pulls.has(origin) && this.#pulls.size < PULLS_AT_ONCE;
  }

  /**
   * Brings a log up to what the first peer has that can prove it, `first` before the others. True if it grew. A pull of the
   * log that is going on is joined; where too many are, this one is left to the next round. `alone`: nobody but `first` is asked. Whoever
   * has shown the log of another root by that name is asked again after ten minutes.
   * @throws {NodeError} what our own store throws.
   */
  pull(log: Followed, first?: string, { alone = false } = {}): Promise<boolean> {
    const running = this.#pulls.get(log.origin);
    if (running !== undefined) return running;
    if (this.#pulls.size >= PULLS_AT_ONCE) return Promise.resolve(false);
    const pull = this.#pull(log, alone && first !== undefined ? [first] : this.#order(first)).finally(() =>
      this.#pulls.delete(log.origin),
    );
    this.#pulls.set(log.origin, pull);
    return pull;
  }

  async #pull(log: Followed, order: readonly string[]): Promise<boolean> {
    this.#counters.pulls++;
    const before = log.tree.size;
    for (const peer of order) {
      const shown = `${log.origin} ${peer}`;
      const nowMs = this.#modules.clock.runMs();
      if (nowMs < (this.#otherRoots.get(shown)?.untilMs ?? 0)) continue;
      try {
        await this.pullFrom(peer, log);
        if (log.tree.size > before) return true;
      } catch (error) {
        if (isProtocolError(error, 'PIN_MISMATCH'))
          this.#otherRoots.set(shown, { untilMs: nowMs + OTHER_ROOT_MS });
        if (
          !isProtocolError(error) &&
          !isNodeError(error, 'PEER_UNREACHABLE') &&
          !isNodeError(error, 'NOT_FOUND')
        ) {
          throw error;
        }
      }
    }
    this.#counters.fruitless++;
    return log.tree.size > before;
  }

  #order(first: string | undefined): string[] {
    const peers = this.#modules.client.peers().filter((peer) => peer !== first);
    const order = [...shuffled(peers.length, this.#modules.random)].map((i) => peers[i] as string);
    return first === undefined ? order : [first, ...order];
  }

  /**
   * Brings a log up to what this one peer has.
   * @throws {ProtocolError} for what it sent and cannot be taken. @throws {NodeError} PEER_UNREACHABLE, NOT_FOUND, and as `pull`.
   */
  async pullFrom(peer: string, log: Followed): Promise<void> {
    let from = log.tree.size;
    let held: readonly Uint8Array[] = [];
    for (;;) {
      const piece = await this.#range(peer, log, from, held);
      const kept = await this.#offer(peer, log, piece);
      if (kept.outcome === 'more') {
        if (bytesOf(piece.entries) > CATCH_UP_BYTES_MAX) {
          throw new NodeError(
            'NOT_FOUND',
            `${log.origin}: more than ${CATCH_UP_BYTES_MAX} bytes and no known key`,
            {
              hint: 'Start from a snapshot.',
            },
          );
        }
        held = piece.entries;
        continue;
      }
      if (kept.outcome !== 'grown') return;
      this.#counters.entries += kept.size - from;
      from = kept.size;
      held = [];
      if (log.tree.head.ahead === undefined) return;
    }
  }

  /** The entries that follow those held. */
  async #range(peer: string, log: Followed, from: number, held: readonly Uint8Array[]): Promise<ReadPiece> {
    const next = from + held.length;
    const { client } = this.#modules;
    const { origin } = log;
    const answer = await client.ask(peer, { kind: 'range', origin, from: next, bytesMax: RANGE_BYTES_MAX });
    return client.blaming(peer, () => {
      const bytes = bytesOf(answer.entries);
      if (answer.from !== next || answer.entries.length === 0 || bytes > RANGE_BYTES_MAX + ENTRY_BYTES_MAX) {
        throw new ProtocolError('SCHEMA_INVALID', 'expected the entries that were asked for', {
          next,
          bytes,
        });
      }
      const { note, path } = answer;
      const read = readNote(note);
      if (read.checkpoint.origin !== origin)
        throw new ProtocolError('ORIGIN_INVALID', `expected a note of ${origin}`);
      if (next + answer.entries.length > read.checkpoint.size) {
        throw new ProtocolError('SIZE_INVALID', 'there are more entries than the note counts', {
          size: read.checkpoint.size,
        });
      }
      return { from, entries: [...held, ...answer.entries], note, path, read, by: peer };
    });
  }

  /**
   * Where entries lead elsewhere, either the peer has made them up or the log has forked before them: the peer is asked which. What a note is
   * worth, and which root began the log, is for each to judge by what it knows, and no fault of who passes it on.
   */
  async #offer(peer: string, log: Followed, piece: ReadPiece): Promise<Kept> {
    try {
      return await log.apply(piece);
    } catch (error) {
      if (!isProtocolError(error, 'PROOF_INVALID')) throw error;
      const found = await this.#askedAbout(peer, log, piece);
      if (found === 'forked') return { outcome: 'forked', evidence: undefined };
      if (found === 'unclear') throw error;
      return this.#modules.client.blaming(peer, () => {
        throw error;
      });
    }
  }

  /** What stands behind entries that do not lead to the note of their log: the peer contradicts itself, or holds another tree than is held here. */
  async #askedAbout(
    peer: string,
    log: Followed,
    piece: ReadPiece,
  ): Promise<'forked' | 'made up' | 'unclear'> {
    const { origin } = log;
    const { size } = log.tree;
    if (size === 0) return 'made up';
    try {
      const claim = await this.#modules.client.ask(peer, { kind: 'claim', origin, size });
      if (claim.size !== size) return 'made up';
      const { outcome } = await log.confront(claim);
      if (outcome === 'forked') return 'forked';
      // Meanwhile the log may have grown there, or been left for another branch.
      const isOfOneNote = readNote(claim.note).note.text === piece.read.note.text;
      return outcome === 'known' && isOfOneNote ? 'made up' : 'unclear';
    } catch (error) {
      if (isProtocolError(error, 'PROOF_INVALID')) return 'made up';
      // Where a log is known to have forked, the key may have been announced on the branch that its bearer holds in good faith.
      if (isProtocolError(error, 'NOTE_UNSIGNED') && log.forks.length > 0) return 'forked';
      if (
        isProtocolError(error) ||
        isNodeError(error, 'PEER_UNREACHABLE') ||
        isNodeError(error, 'NOT_FOUND')
      ) {
        return 'unclear';
      }
      throw error;
    }
  }
}

function bytesOf(entries: readonly Uint8Array[]): number {
  return entries.reduce((sum, { length }) => sum + length, 0);
}
