/**
 * Finding out whether the root has named a peer's trust log before that which is held here, and where the two part; only then is it fetched
 * from there. A peer that lies costs a few questions, since nobody but the root can make what it has to show first.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { readNote } from '../../protocol/log/checkpoint.ts';
import { type Followed } from './followed.ts';
import { type SyncClient } from './sync-client.ts';
import { BRANCH_BYTES_MAX, RANGE_BYTES_MAX, SEEKS_AT_ONCE } from './sync-limits.ts';

export class BranchFinder {
  readonly #client: SyncClient;
  /** Of which logs which peers are asked. */
  readonly #sought = new Set<string>();

  constructor({ client }: { readonly client: SyncClient }) {
    this.#client = client;
  }

  /**
   * Offers a log the branch of a peer whose newest note is on `size` entries, if that is another, or if the mark in the second place keeps the
   * log from going on with it; true if the log has taken it. False too where a peer is being asked for that log, or
   * too many are. Rejects as `SyncClient.ask`, `Followed.isNamedBy` and
   * `Followed.settle`; {ProtocolError} TOO_LARGE for a branch of more than 32 MiB.
   */
  async seek(peer: string, log: Followed, size: number): Promise<boolean> {
    const attempt = `${log.origin} ${peer}`;
    if (this.#sought.has(attempt) || this.#sought.size >= SEEKS_AT_ONCE) return false;
    this.#sought.add(attempt);
    try {
      return await this.#seek(peer, log, size);
    } finally {
      this.#sought.delete(attempt);
    }
  }

  async #seek(peer: string, log: Followed, size: number): Promise<boolean> {
    if (log.turn !== undefined) return this.#seekTree(peer, log, size);
    if (log.settle === undefined || log.isNamedBy === undefined) return false;
    const { origin } = log;
    const { size: heldSize, shortfall } = log.tree;
    const { statements, note } = await this.#client.ask(peer, { kind: 'naming', origin });
    if (statements.length === 0) return false;
    const common = await this.#commonSize(peer, log, Math.min(size, heldSize));
    const isBarred = shortfall !== undefined && size > heldSize;
    const from = common ?? (isBarred ? heldSize : undefined);
    if (from === undefined || !(await log.isNamedBy({ statements, note }, from))) return false;
    return this.#fetch(peer, log, from);
  }

  async #fetch(peer: string, log: Followed, from: number): Promise<boolean> {
    const { origin } = log;
    const entries: Uint8Array[] = [];
    for (let bytes = 0; ;) {
      const next = from + entries.length;
      const bytesMax = RANGE_BYTES_MAX;
      const answer = await this.#client.ask(peer, { kind: 'range', origin, from: next, bytesMax });
      if (answer.from !== next || answer.entries.length === 0) {
        throw new ProtocolError('SCHEMA_INVALID', 'expected the entries that were asked for', { next });
      }
      entries.push(...answer.entries);
      bytes += answer.entries.reduce((sum, { length }) => sum + length, 0);
      if (bytes > BRANCH_BYTES_MAX)
        throw new ProtocolError('TOO_LARGE', `the branch has more than ${BRANCH_BYTES_MAX} bytes`, { bytes });
      const { note } = answer;
      if (readNote(note).checkpoint.size > from + entries.length) continue;
      // Not the peer's fault if no known key signed it: a region shows the statement that gives a key up under a note by that very key.
      return (await log.settle?.({ from, entries, note })) === true;
    }
  }

  /** Of an attestation log the trust log tells which tree is meant: the peer has to have what it says before anything is fetched. */
  async #seekTree(peer: string, log: Followed, size: number): Promise<boolean> {
    const { origin, tree } = log;
    for (const named of log.cutOffs?.() ?? []) {
      if (named.size > size) continue;
      const cutOff = await this.#client.ask(peer, { kind: 'claim', origin, size: named.size });
      if (cutOff.size !== named.size || !equalBytes(cutOff.root, named.root)) continue;
      const from = await this.#commonSize(peer, log, Math.min(size, tree.size));
      if (from === undefined || from >= named.size) return false;
      const piece = await this.#client.ask(peer, { kind: 'range', origin, from, bytesMax: RANGE_BYTES_MAX });
      if (piece.from !== from) return false;
      return (await log.turn?.({ piece, cutOff })) === true;
    }
    return false;
  }

  /** The largest size, by halves, at which both have one root; undefined where they have at the smaller of their sizes. */
  async #commonSize(peer: string, log: Followed, bound: number): Promise<number | undefined> {
    if (bound === 0 || (await this.#isShared(peer, log, bound))) return undefined;
    let [shared, parted] = [0, bound];
    while (parted - shared > 1) {
      const middle = shared + Math.floor((parted - shared) / 2);
      if (await this.#isShared(peer, log, middle)) shared = middle;
      else parted = middle;
    }
    return shared;
  }

  async #isShared(peer: string, { origin, tree }: Followed, size: number): Promise<boolean> {
    const claim = await this.#client.ask(peer, { kind: 'claim', origin, size });
    return claim.size === size && equalBytes(claim.root, await tree.reader.rootAt(size));
  }
}
