/** Who is let in: by how much there is to do, and by what the same client has under way already. */
import { type IncomingMessage } from 'node:http';
import { type Admission, type Work } from './admission.ts';
import { clientOf } from '../client-address.ts';
import { Shares } from './shares.ts';
import { Watching } from './watching.ts';

/** A request that was let in. */
export interface Visit {
  /** What it asked for is done, and the answer is on its way: it is not in hand any more, and still under way. */
  readonly answered: () => void;
  /** The answer is taken, or will never be. Safe to call twice, as `answered` is. */
  readonly over: () => void;
}

export interface EntranceOptions {
  /** Requests in hand. */
  readonly inFlightMax: number;
  /** Percent of `inFlightMax` that one client may have under way. */
  readonly addressSharePercent: number;
}

export class Entrance {
  readonly #admission: Admission;
  readonly #shares: Shares;
  readonly #watching = new Watching();
  #unread = 0;

  constructor(
    { inFlightMax, addressSharePercent }: EntranceOptions,
    { admission }: { readonly admission: Admission },
  ) {
    this.#admission = admission;
    this.#shares = new Shares({ max: Math.ceil((inFlightMax * addressSharePercent) / 100) });
  }

  /** Lets a request in; undefined: it is turned away. */
  enter(work: Work, { socket }: Pick<IncomingMessage, 'socket'>): Visit | undefined {
    const client = clientOf(socket);
    return work === 'watch' ? this.#watch(client) : this.#work(work, client);
  }

  /** Answers that are on their way and not taken yet. */
  get unread(): number {
    return this.#unread;
  }

  /** Requests turned away since the start because of what their client had under way. */
  get overShare(): number {
    return this.#shares.refused;
  }

  /** Clients that have requests under way. */
  get clients(): number {
    return this.#shares.clients;
  }

  #watch(client: string): Visit | undefined {
    if (!this.#watching.take(client)) {
      this.#admission.refuse('watch');
      return undefined;
    }
    let isOver = false;
    const over = (): void => {
      if (!isOver) this.#watching.over(client);
      isOver = true;
    };
    return { answered: () => undefined, over };
  }

  #work(work: Exclude<Work, 'watch'>, client: string): Visit | undefined {
    if (!this.#admission.take(work)) return undefined;
    if (!this.#shares.take(client)) {
      this.#admission.done();
      return undefined;
    }
    let stage: 'in hand' | 'unread' | 'over' = 'in hand';
    const answered = (): void => {
      if (stage !== 'in hand') return;
      stage = 'unread';
      this.#unread++;
      this.#admission.done();
    };
    const over = (): void => {
      if (stage === 'over') return;
      if (stage === 'unread') this.#unread--;
      else this.#admission.done();
      stage = 'over';
      this.#shares.over(client);
    };
    return { answered, over };
  }
}
