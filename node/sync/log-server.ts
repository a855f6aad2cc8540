/**
 * Gives whole stretches of logs away, as fast as they are taken and as the budget allows: at any time it holds one chunk for each
 * reader.
 */
import { isProtocolError } from '../../protocol/fault.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { TILE_HASHES, tileWidth } from '../../protocol/log/tile.ts';
import { LogView } from '../log/log-view.ts';
import { NodeError } from '../node-error.ts';
import { PeerPlaces, type Share, shareByName, type ShareOf } from '../peer-places.ts';
import { type Clock, type Network, type StreamingNetwork } from '../ports.ts';
import { EntriesChunk, LOG_PROTOCOL, type LogRequest, parseLogRequest } from './log-messages.ts';
import { type PeerBook } from './peer-book.ts';
import { PeerBudget } from './peer-budget.ts';
import { ENTRIES_GIVEN, LOG_READERS } from './sync-limits.ts';
import { type ServedLog } from './sync-server.ts';

export interface LogServerModules {
  readonly sha256: Sha256;
  readonly network: Network | StreamingNetwork;
  readonly clock: Clock;
  readonly book: PeerBook;
  /** The logs by their origins. */
  readonly logs: () => ReadonlyMap<string, ServedLog>;
  /** With which share a peer reads; `shareByName` by default. */
  readonly shareOf?: ShareOf | undefined;
}

export class LogServer {
  readonly #modules: LogServerModules;
  readonly #budget: PeerBudget;
  readonly #places = new PeerPlaces(LOG_READERS);

  constructor(modules: LogServerModules) {
    this.#modules = modules;
    this.#budget = new PeerBudget(ENTRIES_GIVEN, modules);
  }

  /** Does nothing on a network that carries no streams. */
  start(): void {
    const { network } = this.#modules;
    if (!('handleStream' in network)) return;
    network.handleStream(LOG_PROTOCOL, (peer, request, signal) => this.answer(peer, request, signal));
  }

  /**
   * The chunks of an answer.
   * @throws {ProtocolError} as `parseLogRequest`, which is also on the peer's record.
   * @throws {NodeError} NOT_FOUND for what is not here, STORE_BUSY where there are too many readers, and what the store throws.
   */
  async *answer(
    peer: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { book, shareOf = shareByName } = this.#modules;
    const asked = this.#parse(peer, request);
    const share = shareOf(peer);
    const release = book.isBanned(peer) ? undefined : this.#places.take(peer, share);
    if (release === undefined) throw new NodeError('STORE_BUSY', 'too many read logs now', { retry: true });
    try {
      yield* asked.kind === 'entries'
        ? this.#entries(share, asked, signal)
        : this.#tiles(share, asked, signal);
    } catch (error) {
      if (isProtocolError(error, 'SIZE_INVALID')) throw new NodeError('NOT_FOUND', error.message);
      throw error;
    } finally {
      release();
    }
  }

  async *#entries(
    share: Share,
    { origin, from, to }: Extract<LogRequest, { kind: 'entries' }>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let chunk: EntriesChunk | undefined;
    for await (const entry of this.#viewOf(origin).entries(from, to)) {
      if (chunk?.add(entry)) continue;
      if (chunk !== undefined) yield await this.#paid(share, chunk, signal);
      chunk = new EntriesChunk(entry);
    }
    if (chunk !== undefined) yield await this.#paid(share, chunk, signal);
  }

  async #paid(share: Share, chunk: EntriesChunk, signal: AbortSignal): Promise<Uint8Array> {
    await this.#pay(share, chunk.entries, signal);
    return chunk.bytes;
  }

  async *#tiles(
    share: Share,
    { origin, level, from, to, size }: Extract<LogRequest, { kind: 'tiles' }>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const view = this.#viewOf(origin);
    for (let index = from; index < to; index++) {
      const width = tileWidth(size, level, index);
      const tile = width === 0 ? undefined : await view.resource({ level, index, width });
      if (tile === undefined) throw new NodeError('NOT_FOUND', `no tile ${index} of level ${level}`);
      await this.#pay(share, TILE_HASHES, signal);
      yield tile;
    }
  }

  #parse(peer: string, request: Uint8Array): LogRequest {
    try {
      return parseLogRequest(request);
    } catch (error) {
      if (isProtocolError(error)) this.#modules.book.fault(peer, error);
      throw error;
    }
  }

  #viewOf(origin: string): LogView {
    const log = this.#modules.logs().get(origin);
    if (log !== undefined) return new LogView(log.tree, this.#modules);
    throw new NodeError('NOT_FOUND', 'this node does not hold that log');
  }

  async #pay(share: Share, entries: number, signal: AbortSignal): Promise<void> {
    const waitMs = this.#budget.waitMs(share);
    if (waitMs > 0) await this.#modules.clock.wait(waitMs, signal);
    this.#budget.spend(share, entries);
  }
}
