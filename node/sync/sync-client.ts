/** Asking a peer: within a time and a size, and what comes back is an answer to what was asked, or a typed error. */
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Clock, type Network } from '../ports.ts';
import { type AnswerTo, encodeRequest, parseAnswer, SYNC_PROTOCOL, type SyncRequest } from './messages.ts';
import { type PeerBook } from './peer-book.ts';
import { ANSWER_MS_MAX } from './sync-limits.ts';

export interface SyncClientModules {
  readonly network: Network;
  readonly clock: Clock;
  readonly book: PeerBook;
}

/** Ends a wait that nobody looks at any more: a reason that is made each time would cost more than the rest. */
const DONE = new Error('done');

interface Asking {
  readonly peer: string;
  readonly over: AbortController;
  readonly giveUp: (error: NodeError) => void;
  readonly untilMs: number;
}

export class SyncClient {
  readonly #modules: SyncClientModules;
  /** What is under way, the oldest first. */
  readonly #asking = new Set<Asking>();
  readonly #stopping = new AbortController();
  #watching: Promise<void> | undefined;

  constructor(modules: SyncClientModules) {
    this.#modules = modules;
  }

  /** Gives up all that is asked now or later. */
  stop(): void {
    this.#stopping.abort(DONE);
    for (const { over } of this.#asking) over.abort(DONE);
  }

  /** Connected peers that nothing is held against. */
  peers(): string[] {
    const { network, book } = this.#modules;
    return network.peers().filter((peer) => !book.isBanned(peer));
  }

  /**
   * One question, one answer of its kind. A fault is on the peer's record by then.
   * @throws {NodeError} PEER_UNREACHABLE: no answer in time, or the peer refused. NOT_FOUND: it does not have it.
   * @throws {ProtocolError} as `parseAnswer`, and SCHEMA_INVALID for an answer to something else.
   */
  async ask<K extends SyncRequest['kind']>(
    peer: string,
    request: Extract<SyncRequest, { kind: K }>,
  ): Promise<AnswerTo<K>> {
    const bytes = await this.request(peer, SYNC_PROTOCOL, encodeRequest(request));
    return this.blaming(peer, () => {
      const answer = parseAnswer(bytes);
      if (answer.kind === 'refused') throw refusedBy(peer, answer.reason);
      if (answer.kind === request.kind) return answer as AnswerTo<K>;
      throw new ProtocolError('SCHEMA_INVALID', `asked for ${request.kind}, got ${answer.kind}`);
    });
  }

  /** The bytes that a peer answers. @throws {NodeError} PEER_UNREACHABLE @throws {ProtocolError} what the transport refuses them for. */
  async request(peer: string, protocol: string, bytes: Uint8Array): Promise<Uint8Array> {
    const { network, clock, book } = this.#modules;
    const over = new AbortController();
    if (this.#stopping.signal.aborted) over.abort(DONE);
    let giveUp: Asking['giveUp'] = () => undefined;
    const late = new Promise<never>((_resolve, reject) => (giveUp = reject));
    const asking: Asking = { peer, over, giveUp, untilMs: clock.runMs() + ANSWER_MS_MAX };
    this.#asking.add(asking);
    this.#watching ??= this.#watch();
    try {
      return await Promise.race([network.request(peer, protocol, bytes, over.signal), late]);
    } catch (cause) {
      over.abort(DONE);
      book.failure(peer);
      if (isProtocolError(cause)) return this.#blame(peer, cause);
      if (isNodeError(cause)) throw cause;
      throw new NodeError('PEER_UNREACHABLE', `${peer} did not answer`, { retry: true, cause });
    } finally {
      this.#asking.delete(asking);
    }
  }

  /** Gives up what nobody has answered in time, as long as anything is asked: one wait for all of it. */
  async #watch(): Promise<void> {
    const { clock } = this.#modules;
    for (;;) {
      const [oldest] = this.#asking;
      if (oldest === undefined || this.#stopping.signal.aborted) break;
      const leftMs = oldest.untilMs - clock.runMs();
      if (leftMs > 0) await clock.wait(leftMs, this.#stopping.signal).catch(() => undefined);
      else {
        this.#asking.delete(oldest);
        oldest.giveUp(
          new NodeError('PEER_UNREACHABLE', `${oldest.peer} did not answer within ${ANSWER_MS_MAX} ms`, {
            retry: true,
          }),
        );
      }
    }
    this.#watching = undefined;
  }

  /** Does something with what a peer sent; a fault found there goes on the peer's record and is thrown on. */
  blaming<T>(peer: string, work: () => T): T;
  blaming<T>(peer: string, work: () => Promise<T>): Promise<T>;
  blaming<T>(peer: string, work: () => T | Promise<T>): T | Promise<T> {
    try {
      const result = work();
      return result instanceof Promise ? result.catch((error: unknown) => this.#blame(peer, error)) : result;
    } catch (error) {
      return this.#blame(peer, error);
    }
  }

  #blame(peer: string, error: unknown): never {
    if (isProtocolError(error)) this.#modules.book.fault(peer, error);
    throw error;
  }
}

function refusedBy(peer: string, reason: AnswerTo<'refused'>['reason']): NodeError {
  const isMissing = reason === 'unknown-log' || reason === 'not-there';
  return new NodeError(isMissing ? 'NOT_FOUND' : 'PEER_UNREACHABLE', `${peer} refused: ${reason}`, {
    retry: !isMissing,
  });
}
