/** What commands do with colours that no rule gives, whoever holds the region's directory. */
import {
  type OverrideOrder,
  type OverridesAsked,
  type OverrideSeen,
  type OverrideShown,
  type OverridesListed,
  type SignedAt,
} from '../../node/abuse/override-kept.ts';
import { type OverrideOperators, refused } from '../../node/abuse/override-proof.ts';
import {
  type OverrideSigner,
  type OverrideSigningModules,
  proposalDigestOf,
  requireSigner,
  signConfirmation,
  signProposal,
} from '../../node/abuse/override-signing.ts';
import { type Overrides } from '../../node/abuse/overrides.ts';
import { type AdminClient } from '../../node/http/admin-client.ts';
import { type Actor } from '../../node/operators/scopes.ts';
import { type OverrideNames } from '../../protocol/disclosure/override.ts';
import { type Acts } from '../life/life-desk.ts';
import { asked } from './node-answers.ts';

/** Something proposed, and 64 hexadecimal digits of just that, as whoever proposed it signed it. */
export type Digested<Seen extends OverrideSeen = OverrideSeen> = Seen & { readonly proposalDigest: string };

/** Rejects as `Overrides` and `Desk`. */
export interface OverrideDesk {
  propose(order: OverrideOrder): Promise<Digested>;
  /** With the people whom it names. */
  show(id: string): Promise<Digested<OverrideShown>>;
  /** Signs nothing but what has this `proposalDigest`: what lies under the id may be another by now. @throws {NodeError} REFUSED */
  confirm(id: string, proposalDigest: string): Promise<{ readonly issued: number }>;
  list(asked: OverridesAsked): Promise<OverridesListed>;
}

/** Whose people they are, and who signs; nobody where the command is in no operator's name. */
export interface OverrideSigningOptions extends OverrideNames {
  readonly signer: OverrideSigner | undefined;
}

export interface OwnOverridesModules extends OverrideSigningModules {
  readonly overrides: Overrides;
  readonly operators: OverrideOperators;
  readonly actor: Actor;
  readonly act: Acts['act'];
}

/** Does it here, in the name of whoever runs the command. */
export class OwnOverrides implements OverrideDesk {
  readonly #options: OverrideSigningOptions;
  readonly #modules: OwnOverridesModules;
  readonly #overrides: Overrides;
  readonly #act: Acts['act'];

  constructor(options: OverrideSigningOptions, modules: OwnOverridesModules) {
    this.#options = options;
    this.#modules = modules;
    this.#overrides = modules.overrides;
    this.#act = modules.act;
  }

  propose(order: OverrideOrder): Promise<Digested> {
    const { reason: about, subjects } = order;
    const action = { action: 'override/propose', needs: 'issue', count: subjects.length, about } as const;
    const { actor, operators } = this.#modules;
    return this.#act(action, async () => {
      const signed = signProposal(this.#options, order, requireSigner(this.#options.signer), this.#modules);
      return digested(await this.#overrides.propose(signed, actor, operators), this.#options, this.#modules);
    });
  }

  show(id: string): Promise<Digested<OverrideShown>> {
    const action = { action: 'override/show', needs: 'issue', about: id } as const;
    return this.#act(action, async () =>
      digested(await this.#overrides.show(id), this.#options, this.#modules),
    );
  }

  confirm(id: string, proposalDigest: string): Promise<{ readonly issued: number }> {
    const action = { action: 'override/confirm', needs: 'issue', about: id } as const;
    const { actor, operators } = this.#modules;
    return this.#act(action, async () => {
      const seen = digested(await this.#overrides.show(id), this.#options, this.#modules);
      const signed = signWhatWasSeen(seen, proposalDigest, this.#options, this.#modules);
      return this.#overrides.confirm(id, signed, actor, operators);
    });
  }

  list(asked: OverridesAsked): Promise<OverridesListed> {
    return this.#overrides.list(asked);
  }
}

/** Asks a node that runs. */
export class RunningOverrides implements OverrideDesk {
  readonly #options: OverrideSigningOptions;
  readonly #client: AdminClient;
  readonly #modules: OverrideSigningModules;

  constructor(
    options: OverrideSigningOptions,
    { client, ...modules }: OverrideSigningModules & { readonly client: AdminClient },
  ) {
    this.#options = options;
    this.#client = client;
    this.#modules = modules;
  }

  async propose(order: OverrideOrder): Promise<Digested> {
    const signer = requireSigner(this.#options.signer);
    const signed = signProposal(this.#options, order, signer, this.#modules);
    const proposed = (await this.#post('propose', signed)) as OverrideSeen;
    return digested(proposed, this.#options, this.#modules);
  }

  async show(id: string): Promise<Digested<OverrideShown>> {
    const shown = (await this.#post('show', { id })) as OverrideShown;
    return digested(shown, this.#options, this.#modules);
  }

  async confirm(id: string, proposalDigest: string): Promise<{ readonly issued: number }> {
    const seen = await this.show(id);
    const signed = signWhatWasSeen(seen, proposalDigest, this.#options, this.#modules);
    return (await this.#post('confirm', { id, signed })) as { readonly issued: number };
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

function digested<Seen extends OverrideSeen>(
  seen: Seen,
  names: OverrideNames,
  { sha256 }: Pick<OverrideSigningModules, 'sha256'>,
): Digested<Seen> {
  return { ...seen, proposalDigest: proposalDigestOf(sha256, names, seen) };
}

/** @throws {NodeError} REFUSED for another proposal than was seen, and without a signer. */
function signWhatWasSeen(
  seen: Digested,
  proposalDigest: string,
  options: OverrideSigningOptions,
  modules: OverrideSigningModules,
): SignedAt {
  const signer = requireSigner(options.signer);
  if (seen.proposalDigest !== proposalDigest)
    throw refused(
      `what is proposed under this id has another digest than ${proposalDigest}: it is not what was shown`,
      'Show it again (`entente override show`), and confirm only what is right.',
    );
  return signConfirmation(options, seen, signer, modules);
}
