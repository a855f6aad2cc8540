/** Questions that many ask in one turn of the event loop, answered by one call: what a call costs by itself is paid once. */

/** Questions of one call; more of them take several. */
const AT_ONCE_MAX = 1_024;

interface Asked<Q, A> {
  readonly question: Q;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
}

export class Gathered<Q, A> {
  readonly #answer: (questions: readonly Q[]) => Promise<readonly (A | Error)[]>;
  #asked: Asked<Q, A>[] = [];

  /**
   * `answer` gives an answer for each question, in their order, or the error with which that one rejects; where it rejects itself, all that it was asked for
   * reject with that.
   */
  constructor(answer: (questions: readonly Q[]) => Promise<readonly (A | Error)[]>) {
    this.#answer = answer;
  }

  ask(question: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#asked.push({ question, resolve, reject }) === 1) setImmediate(() => this.#askAll());
    });
  }

  #askAll(): void {
    const all = this.#asked;
    this.#asked = [];
    for (let at = 0; at < all.length; at += AT_ONCE_MAX) {
      const some = all.slice(at, at + AT_ONCE_MAX);
      const fail = (error: unknown) => some.forEach(({ reject }) => reject(error));
      this.#answer(some.map(({ question }) => question)).then((answers) => {
        if (answers.length !== some.length) fail(new RangeError('expected an answer for each question'));
        some.forEach(({ resolve, reject }, i) => {
          const answer = answers[i] as A | Error;
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        });
      }, fail);
    }
  }
}
