/** What commands do with the lives of colours, whoever holds the region's directory. */
import { type AdminClient } from '../../node/http/admin-client.ts';
import { type Problem } from '../../node/http/problem.ts';
import { type Objection } from '../../node/life/dossier.ts';
import { type Holder } from '../../node/life/holder.ts';
import { type Life } from '../../node/life/life.ts';
import { DECLARED_MAX } from '../../node/life/updater.ts';
import { type UpdateNews, type UpdateOrder } from '../../node/life/updating.ts';
import { type OpenObjection } from '../../node/life/objecting.ts';
import { type Notice } from '../../node/life/notice.ts';
import { type By, type Deciding } from '../../node/life/objections.ts';
import { counting, countingUpdate, textOfUpdate } from '../../node/life/tallies.ts';
import { type act, type actInParts, type Action, type Tally } from '../../node/operators/acting.ts';
import { CliError, exitOfCode } from '../exit.ts';

/** `Life` as a node that runs has it too. Rejects as `Desk`. */
export type LifeDesk = Pick<
  Life,
  'update' | 'untold' | 'told' | 'holder' | 'object' | 'decide' | 'objections'
>;

/** Runs work in somebody's name, as `act` and `actInParts` of node/operators. */
export interface Acts {
  readonly by: By;
  readonly act: <T>(action: Action, work: (tally: Tally) => Promise<T> | T) => ReturnType<typeof act<T>>;
  readonly inParts: <T>(
    action: Action,
    work: (tally: Tally) => AsyncIterable<T>,
  ) => ReturnType<typeof actInParts<T>>;
}

/** Does it here, in the name of whoever runs the command. */
export class OwnLife implements LifeDesk {
  readonly #life: LifeDesk;
  readonly #acts: Acts;

  constructor(life: LifeDesk, acts: Acts) {
    this.#life = life;
    this.#acts = acts;
  }

  async *update(order: UpdateOrder = {}): AsyncGenerator<UpdateNews, void, undefined> {
    const action = { action: 'update', needs: 'issue', about: textOfUpdate(order) } as const;
    yield* await this.#acts.inParts(action, (tally) => countingUpdate(this.#life.update(order), tally));
  }

  async *untold(): AsyncGenerator<Notice, void, undefined> {
    const action = { action: 'notices', needs: 'issue' } as const;
    yield* await this.#acts.inParts(action, (tally) => counting(this.#life.untold(), tally));
  }

  told(handed: Parameters<Life['told']>[0]): Promise<void> {
    const action = { action: 'notices/told', needs: 'issue', count: handed.length } as const;
    return this.#acts.act(action, () => this.#life.told(handed));
  }

  holder(subject: string, isExplained: boolean): Promise<Holder> {
    const action = { action: 'holder', needs: 'issue', count: 1 } as const;
    return this.#acts.act(action, () => this.#life.holder(subject, isExplained));
  }

  object(subject: string, text: string): Promise<Objection> {
    const action = { action: 'objections', needs: 'issue', count: 1 } as const;
    return this.#acts.act(action, () => this.#life.object(subject, text, this.#acts.by));
  }

  decide(subject: string, deciding: Deciding): Promise<Objection> {
    const about = deciding.isUpheld ? 'upheld' : 'dismissed';
    const action = { action: 'objections/decide', needs: 'issue', count: 1, about } as const;
    return this.#acts.act(action, () => this.#life.decide(subject, deciding, this.#acts.by));
  }

  async *objections(): AsyncGenerator<OpenObjection, void, undefined> {
    const action = { action: 'objections', needs: 'issue', about: 'list' } as const;
    yield* await this.#acts.inParts(action, (tally) => counting(this.#life.objections(), tally));
  }
}

/** Asks a node that runs. `told` makes of what it refuses the error of a command. */
export class RunningLife implements LifeDesk {
  readonly #client: AdminClient;
  readonly #told: (error: unknown) => unknown;

  constructor(client: AdminClient, told: (error: unknown) => unknown) {
    this.#client = client;
    this.#told = told;
  }

  update(order: UpdateOrder = {}): AsyncGenerator<UpdateNews, void, undefined> {
    return this.#lines('POST', '/v1/update', order);
  }

  untold(): AsyncGenerator<Notice, void, undefined> {
    return this.#lines('POST', '/v1/notices');
  }

  async told(handed: Parameters<Life['told']>[0]): Promise<void> {
    await this.#ask('/v1/notices/told', { handed });
  }

  holder(subject: string, explain: boolean): Promise<Holder> {
    return this.#ask('/v1/holder', { subject, explain });
  }

  object(subject: string, text: string): Promise<Objection> {
    return this.#ask('/v1/objections', { subject, text });
  }

  decide(subject: string, deciding: Deciding): Promise<Objection> {
    return this.#ask('/v1/objections/decide', { subject, ...deciding });
  }

  objections(): AsyncGenerator<OpenObjection, void, undefined> {
    return this.#lines('GET', '/v1/objections');
  }

  async #ask<T>(path: string, body: unknown): Promise<T> {
    try {
      return (await this.#client.ask({ method: 'POST', path, body })) as T;
    } catch (error) {
      throw this.#told(error);
    }
  }

  async *#lines<T>(method: 'GET' | 'POST', path: string, body?: object): AsyncGenerator<T, void, undefined> {
    const text = body === undefined ? [] : [JSON.stringify(body)];
    try {
      for await (const line of this.#client.lines({ method, path }, text, { type: 'application/json' })) {
        const { problem } = line as { readonly problem?: Problem };
        if (problem !== undefined) throw problemError(problem);
        yield line as T;
      }
    } catch (error) {
      throw this.#told(error);
    }
  }
}

function problemError({ code, detail, hint }: Problem): CliError {
  return new CliError(exitOfCode(code), code, detail, hint === undefined ? {} : { hint });
}

/** Notes of all these that they were handed out. */
export async function tellAll(life: LifeDesk, handed: Parameters<Life['told']>[0]): Promise<void> {
  for (let at = 0; at < handed.length; at += DECLARED_MAX)
    await life.told(handed.slice(at, at + DECLARED_MAX));
}
