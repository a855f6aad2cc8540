/** The codes of an override: who has one of it already, and those of the others. */
import { equalBytes } from '../../protocol/bytes.ts';
import { type IssueOnce } from '../issuing/issue-once.ts';
import { NodeError } from '../node-error.ts';
import { answersPastDamage } from '../registry/past-damage.ts';
import { pastDamage } from '../registry/readable.ts';
import { type RegistryRecord } from '../registry/registry.ts';
import { type CodesBeside, type CodesBesideModules } from './codes-beside.ts';
import { codeOf, type Confirmed, namesIn } from './override-kept.ts';

export interface OverrideCodesModules extends CodesBesideModules {
  readonly once: IssueOnce;
}

interface Left {
  /** Those without a code of it. */
  readonly without: string[];
  /** Those who have one that is not revoked. */
  readonly bound: string[];
}

/** People for whose codes the registry is asked at once. */
const LOOKED_TOGETHER = 1_024;

export class OverrideCodes {
  readonly #modules: OverrideCodesModules & { readonly beside: CodesBeside };

  constructor(modules: OverrideCodesModules & { readonly beside: CodesBeside }) {
    this.#modules = modules;
  }

  /**
   * Of these people those who have a code of this basis, and those who have none: who is asked again after days gets no second one. Undefined while there
   * is a record of a code that is in no log: it is on its way, or will be taken back. What cannot be read is none: that keeps nobody from worse news, and by its
   * key the order is the same as before for a day. Rejects as the tables and the logs.
   */
  async left(subjects: readonly string[], basis: Uint8Array): Promise<Left | undefined> {
    const { beside } = this.#modules;
    const registry = this.#modules.registry();
    const logs = this.#modules.held();
    const left: Left = { without: [], bound: [] };
    for (let from = 0; from < subjects.length; from += LOOKED_TOGETHER) {
      const some = subjects.slice(from, from + LOOKED_TOGETHER);
      const known = await answersPastDamage(some, (all) => registry.manualOf(all));
      for (const [i, manual] of known.entries()) {
        const subject = some[i] ?? '';
        const held = manual instanceof Error ? await this.#manualPastDamage(subject) : manual;
        const bases = await answersPastDamage(held, (all) => registry.basesAt(all));
        const given = held.filter((_, at) => isBasis(bases[at], basis));
        for (const record of given) if (!(await logs.isLogged(record))) return undefined;
        if (given.length === 0) left.without.push(subject);
        else if (!given.every((record) => beside.isRevoked(record))) left.bound.push(subject);
      }
    }
    return left;
  }

  async #manualPastDamage(subject: string): Promise<readonly RegistryRecord[]> {
    const [manual = []] = await pastDamage(this.#modules.registry(), 0).manualOf([subject]);
    return manual;
  }

  /** Issues what is left of it, and revokes what is looser. As `Overrides.confirm`. */
  async issue(id: string, kept: Confirmed): Promise<void> {
    const { once, beside } = this.#modules;
    const { status, basis } = codeOf(id, kept);
    const left = await this.left(namesIn(kept), basis);
    if (left === undefined) throw onTheirWay();
    const { without, bound } = left;
    await beside.revokeLooser(without, status);
    const issued = await Promise.allSettled(
      without.map((subject) =>
        once.issue({
          // With a blank, which no key of a request has: nobody can give another order under it before.
          key: `override ${id} ${subject}`,
          input: Buffer.from(id),
          subject,
          status,
          // Whatever was revoked to make place for it, by this call or one that broke off, is to be told by nobody from the log.
          judge: () =>
            Promise.resolve({ subject, fields: { status }, basis, isReplacement: status.colour !== 'green' }),
        }),
      ),
    );
    // Whoever one operator was giving a code by rules while these were on their way has both by now.
    const passingOn = await beside.revokeLooser([...bound, ...without], status);
    for (const one of issued) if (one.status === 'rejected') throw one.reason;
    // All have their code; confirming again looks once more for what they may hold beside it.
    if (passingOn !== undefined) throw passingOn;
  }
}

function isBasis(one: Uint8Array | NodeError | undefined, basis: Uint8Array): boolean {
  return one !== undefined && !(one instanceof NodeError) && equalBytes(one, basis);
}

export function onTheirWay(): NodeError {
  return new NodeError('REFUSED', 'codes of it are on their way, or are being taken back', {
    hint: 'Confirm it again in a minute.',
    retry: true,
  });
}
