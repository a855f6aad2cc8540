/** Codes that came about beside an override: nobody keeps a looser one, whichever of both was decided first. */
import { type Status } from '../../protocol/code/status.ts';
import { parseBasis } from '../../protocol/disclosure/basis.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { Gathered } from '../issuing/gathered.ts';
import { type HeldCodes, isTroubleOfLog } from '../issuing/held-codes.ts';
import { bindingOf, stricterBy } from '../life/judging.ts';
import { NodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Registry, type RegistryRecord } from '../registry/registry.ts';
import { type Revocation } from '../revoking/revoker.ts';
import { contradicted } from './issue-gate.ts';

export interface CodesBesideModules {
  readonly clock: Clock;
  readonly registry: () => Registry;
  readonly held: () => Pick<HeldCodes, 'isLogged'>;
  readonly state: () => Pick<TrustState, 'revoked'> | undefined;
  readonly revoke: (revocation: Revocation) => Promise<void>;
}

/** A code that one operator gave. */
export interface GivenCode extends Place {
  readonly subject: string;
  readonly status: Status;
}

/** People for whose codes the registry is asked at once. */
const LOOKED_TOGETHER = 1_024;

export class CodesBeside {
  readonly #modules: CodesBesideModules;
  readonly #manual: Gathered<string, readonly RegistryRecord[]>;

  constructor(modules: CodesBesideModules) {
    this.#modules = modules;
    this.#manual = new Gathered((subjects) => modules.registry().manualOf(subjects));
  }

  /**
   * Refuses a code that is looser than one that two operators gave, and revokes it. To be asked of each code that one operator gave, once it
   * is logged: who confirmed an override meanwhile looks for looser codes once that is logged, so that one of both sees the other.
   * @throws {NodeError} REFUSED then, and as the registry and the revoking.
   */
  async requireUnbound({ subject, status, log, index }: GivenCode, isByRules: boolean): Promise<void> {
    if (!(await this.#isBound({ subject, status }, isByRules)) || this.isRevoked({ log, index })) return;
    await this.#modules.revoke({ log, indexes: [index] });
    throw contradicted('overridden');
  }

  /**
   * Refuses it before it is issued: of a code that one operator has made of another one, which no rules of this region gave.
   * @throws {NodeError} REFUSED then, and as the registry.
   */
  async requireFree(code: Pick<GivenCode, 'subject' | 'status'>): Promise<void> {
    if (await this.#isBound(code, false)) throw contradicted('overridden');
  }

  async #isBound(
    { subject, status }: Pick<GivenCode, 'subject' | 'status'>,
    isByRules: boolean,
  ): Promise<boolean> {
    const manual = await this.#manual.ask(subject);
    if (manual.length === 0) return false;
    // Where nobody is named one operator gives colours by hand, and others after them.
    const counting = isByRules ? manual : await this.#byTwo(manual);
    const isRevoked = (place: Place) => this.isRevoked(place);
    return bindingOf(counting, status, { nowS: this.#nowS(), isRevoked }) !== undefined;
  }

  /**
   * Revokes what these people hold that runs and demands less. A code that is in no log yet is left to `requireUnbound` and the next update: its index may
   * become somebody else's. So is one of a log that cannot tell what it has: it keeps nobody from what is to come, and is told, so that none passes on
   * unseen; undefined where there is none. Rejects as the registry and the revoking.
   */
  async revokeLooser(subjects: readonly string[], status: Status): Promise<NodeError | undefined> {
    const untold: NodeError[] = [];
    for (let from = 0; from < subjects.length; from += LOOKED_TOGETHER) {
      const some = subjects.slice(from, from + LOOKED_TOGETHER);
      const running = (await this.#modules.registry().runningOf(some, this.#nowS())).flat();
      const looser = running.filter(
        (record) => stricterBy(status, record.fields.status) > 0 && !this.isRevoked(record),
      );
      const logged: Place[] = [];
      for (const place of looser) {
        try {
          if (await this.#modules.held().isLogged(place)) logged.push(place);
        } catch (error) {
          if (!isTroubleOfLog(error)) throw error;
          untold.push(error);
        }
      }
      for (const [log, indexes] of byLog(logged)) await this.#modules.revoke({ log, indexes });
    }
    const [cause] = untold;
    return cause && passingOn(untold.length, cause);
  }

  isRevoked({ log, index }: Place): boolean {
    return this.#modules.state()?.revoked(log)?.has(index) === true;
  }

  async #byTwo(manual: readonly RegistryRecord[]): Promise<readonly RegistryRecord[]> {
    const bases = await Promise.all(manual.map((record) => this.#modules.registry().basisOf(record)));
    return manual.filter((_, i) => {
      const basis = bases[i] && parseBasis(bases[i]);
      return basis?.kind === 'override' && basis.reason !== 'one-person';
    });
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
}

function passingOn(count: number, cause: NodeError): NodeError {
  const { code, message, hint, retry, fatal } = cause;
  const all = `${count} looser codes of these people may pass on, since their log cannot tell whether it has them: ${message}`;
  const then = 'Once that is mended, confirm the override again: it revokes them.';
  return new NodeError(code, all, {
    cause,
    retry,
    fatal,
    hint: hint === undefined ? then : `${hint} ${then}`,
  });
}

function byLog(places: readonly Place[]): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const { log, index } of places) found.set(log, [...(found.get(log) ?? []), index]);
  return found;
}
