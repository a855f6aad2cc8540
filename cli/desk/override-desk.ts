/** What commands do with colours that no rule gives, whoever holds the region's directory. */
import {
  type OverrideOrder,
  type OverridesAsked,
  type OverrideSeen,
  type OverrideShown,
  type OverridesListed,
} from '../../node/abuse/override-kept.ts';
import { type Overrides } from '../../node/abuse/overrides.ts';
import { type AdminClient } from '../../node/http/admin-client.ts';
import { type Operators } from '../../node/operators/operators.ts';
import { type Actor } from '../../node/operators/scopes.ts';
import { type Acts } from '../life/life-desk.ts';
import { asked } from './node-answers.ts';

/** Rejects as `Overrides` and `Desk`. */
export interface OverrideDesk {
  propose(order: OverrideOrder): Promise<OverrideSeen>;
  /** With the people whom it names. */
  show(id: string): Promise<OverrideShown>;
  confirm(id: string): Promise<{ readonly issued: number }>;
  list(asked: OverridesAsked): Promise<OverridesListed>;
}

export interface OwnOverridesModules {
  readonly overrides: Overrides;
  readonly operators: Pick<Operators, 'ofKey'>;
  readonly actor: Actor;
  readonly act: Acts['act'];
}

/** Does it here, in the name of whoever runs the command. */
export class OwnOverrides implements OverrideDesk {
  readonly #overrides: Overrides;
  readonly #operators: OwnOverridesModules['operators'];
  readonly #actor: Actor;
  readonly #act: Acts['act'];

  constructor({ overrides, operators, actor, act }: OwnOverridesModules) {
    this.#overrides = overrides;
    this.#operators = operators;
    this.#actor = actor;
    this.#act = act;
  }

  propose(order: OverrideOrder): Promise<OverrideSeen> {
    const { reason: about, subjects } = order;
    const action = { action: 'override/propose', needs: 'issue', count: subjects.length, about } as const;
    return this.#act(action, () => this.#overrides.propose(order, this.#actor));
  }

  show(id: string): Promise<OverrideShown> {
    const action = { action: 'override/show', needs: 'issue', about: id } as const;
    return this.#act(action, () => this.#overrides.show(id));
  }

  confirm(id: string): Promise<{ readonly issued: number }> {
    const action = { action: 'override/confirm', needs: 'issue', about: id } as const;
    return this.#act(action, () => this.#overrides.confirm(id, this.#actor, this.#operators));
  }

  list(asked: OverridesAsked): Promise<OverridesListed> {
    return this.#overrides.list(asked);
  }
}

/** Asks a node that runs. */
export class RunningOverrides implements OverrideDesk {
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  async propose(order: OverrideOrder): Promise<OverrideSeen> {
    return (await this.#post('propose', order)) as OverrideSeen;
  }

  async show(id: string): Promise<OverrideShown> {
    return (await this.#post('show', { id })) as OverrideShown;
  }

  async confirm(id: string): Promise<{ readonly issued: number }> {
    return (await this.#post('confirm', { id })) as { readonly issued: number };
  }

  async list({ last, after }: OverridesAsked): Promise<OverridesListed> {
    const query = new URLSearchParams();
    if (last !== undefined) query.set('last', String(last));
    if (after !== undefined) query.set('after', after);
    const path = query.size === 0 ? '/v1/override' : `/v1/override?${query.toString()}`;
    return (await asked(this.#client.ask({ method: 'GET', path }))) as OverridesListed;
  }

  #post(what: string, body: object): Promise<unknown> {
    return asked(this.#client.ask({ method: 'POST', path: `/v1/override/${what}`, body }));
  }
}
