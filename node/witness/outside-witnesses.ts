/** All witnesses outside that the operator's policy asks for and gives an address: each is asked on its own, so that none waits for another. */
import { type WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { type HttpPost } from '../ports.ts';
import { submissionUrl } from './outside-question.ts';
import { type OutsideReport, OutsideWitness, type OutsideWitnessModules } from './outside-witness.ts';

export interface OutsideWitnessesOptions {
  /** The home. */
  readonly region: string;
  readonly policy?: Pick<WitnessPolicy, 'addressed'> | undefined;
}

export class OutsideWitnesses {
  readonly #all: readonly OutsideWitness[];

  /** Without `post` nobody is asked. */
  constructor(
    { region, policy }: OutsideWitnessesOptions,
    { post, ...modules }: Omit<OutsideWitnessModules, 'post'> & { readonly post: HttpPost | undefined },
  ) {
    this.#all = (post === undefined ? [] : (policy?.addressed ?? [])).flatMap(({ key, url: address }) => {
      const url = submissionUrl(address);
      return url === undefined || post === undefined
        ? []
        : [new OutsideWitness({ key, url, region }, { ...modules, post })];
    });
  }

  start(): void {
    for (const one of this.#all) one.start();
  }

  /** Gives up what is asked. Safe to call twice. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((one) => one.stop()));
  }

  /** In the order of the policy. */
  get report(): readonly OutsideReport[] {
    return this.#all.map((one) => one.report);
  }
}
