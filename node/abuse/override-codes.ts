/** The codes of an override: who has one of it already, and those of the others. */
import { equalBytes } from '../../protocol/bytes.ts';
import { type IssueOnce } from '../issuing/issue-once.ts';
import { NodeError } from '../node-error.ts';
import { type CodesBeside, type CodesBesideModules } from './codes-beside.ts';
import { codeOf, type Kept } from './override-kept.ts';

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
   * is a record of a code that is in no log: it is on its way, or will be taken back. Rejects as the registry and its logs.
   */
  async left(subjects: readonly string[], basis: Uint8Array): Promise<Left | undefined> {
    const { beside } = this.#modules;
    const registry = this.#modules.registry();
    const held = this.#modules.held();
    const left: Left = { without: [], bound: [] };
    for (let from = 0; from < subjects.length; from += LOOKED_TOGETHER) {
      const some = subjects.slice(from, from + LOOKED_TOGETHER);
      for (const [i, manual] of (await registry.manualOf(some)).entries()) {
        const bases = await Promise.all(manual.map((record) => registry.basisOf(record)));
        const given = manual.filter((_, at) => bases[at] !== undefined && equalBytes(bases[at], basis));
        for (const record of given) if (!(await held.isLogged(record))) return undefined;
        if (given.length === 0) left.without.push(some[i] ?? '');
        else if (!given.every((record) => beside.isRevoked(record))) left.bound.push(some[i] ?? '');
      }
    }
    return left;
  }

  /** Issues what is left of it, and revokes what is looser. As `Overrides.confirm`. */
  async issue(id: string, kept: Kept): Promise<void> {
    const { once, beside } = this.#modules;
    const { status, basis } = codeOf(id, kept);
    const left = await this.left(kept.subjects, basis);
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

export function onTheirWay(): NodeError {
  return new NodeError('REFUSED', 'codes of it are on their way, or are being taken back', {
    hint: 'Confirm it again in a minute.',
    retry: true,
  });
}
