/** Who is let in: by how much there is to do, and by what the same client has under way already. */
import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';
import { type Admission, type Work } from './admission.ts';
import { clientOf } from '../client-address.ts';
import { Shares } from './shares.ts';
import { Watching } from './watching.ts';

/** A request that was let in. */
export interface Visit {
  /** All that was to be done for it is done: it is not in hand any more, and still under way until its answer is taken. */
  readonly answered: () => void;
  /**
   * The answer is taken, or will never be. What is still in hand then keeps its place, since whoever hangs up does not end the work
   * that he began. Safe to call twice, as `answered` is.
   */
  readonly over: () => void;
}

export interface EntranceOptions {
  /** Requests in hand. */
  readonly inFlightMax: number;
  /** Percent of `inFlightMax` that one client may have under way, and of the places of those who watch. */
  readonly addressSharePercent: number;
}

export class Entrance {
  readonly #admission: Admission;
  readonly #shares: Shares;
  readonly #watching: Watching;
  /** Answers that are not taken yet, of connections that have some. */
  readonly #unreadOn = new WeakMap<Socket, number>();
  #unread = 0;

  constructor(
    { inFlightMax, addressSharePercent }: EntranceOptions,
    { admission }: { readonly admission: Admission },
  ) {
    this.#admission = admission;
    const ofClient = Math.ceil((inFlightMax * addressSharePercent) / 100);
    this.#shares = new Shares({ ofClient, ofAll: inFlightMax });
    this.#watching = new Watching({ sharePercent: addressSharePercent });
  }

  /** Lets a request in; undefined: it is turned away. */
  enter(work: Work, { socket }: Pick<IncomingMessage, 'socket'>): Visit | undefined {
    const client = clientOf(socket);
    return work === 'watch' ? this.#watch(client) : this.#work(work, client, socket);
  }

  /** Answers that are on their way and not taken yet. */
  get unread(): number {
    return this.#unread;
  }

  /** Requests turned away since the start because of what their client had under way. */
  get overShare(): number {
    return this.#shares.refused;
  }

  /** Nothing is under way that counts with its client. */
  get isIdle(): boolean {
    return this.#shares.isIdle;
  }

  #watch(client: string): Visit | undefined {
    if (!this.#watching.take(client)) {
      this.#admission.refuse('watch');
      return undefined;
    }
    return visitOf({ answered: () => undefined, over: () => this.#watching.over(client) });
  }

  #work(work: Exclude<Work, 'watch'>, client: string, socket: Socket): Visit | undefined {
    if (!this.#admission.take(work)) return undefined;
    // However short, an answer behind one that is not taken waits with it.
    const isShort = work === 'verdict' && this.#waitingOn(socket) === 0;
    if (!this.#shares.take(client, isShort)) {
      this.#admission.done();
      return undefined;
    }
    return visitOf({
      answered: () => {
        this.#admission.done();
        this.#shares.answered(client);
        this.#unreadOn.set(socket, this.#waitingOn(socket) + 1);
        this.#unread++;
      },
      over: () => {
        this.#unread--;
        this.#unreadOn.set(socket, this.#waitingOn(socket) - 1);
        this.#shares.over(client);
      },
    });
  }

  #waitingOn(socket: Socket): number {
    return this.#unreadOn.get(socket) ?? 0;
  }
}

/** Calls each once, `over` after `answered` in whatever order they are told. */
function visitOf({ answered, over }: Visit): Visit {
  let isAnswered = false;
  let isOver = false;
  return {
    answered: () => {
      if (isAnswered) return;
      isAnswered = true;
      answered();
      if (isOver) over();
    },
    over: () => {
      if (isOver) return;
      isOver = true;
      if (isAnswered) over();
    },
  };
}
