/** People of whom the registry has something that is damaged: updates pass them over, and do what they do for everybody else. */
import { NodeError } from '../node-error.ts';
import { answersPastDamage } from '../registry/past-damage.ts';
import { type ShelvedDossier } from './dossier-shelf.ts';

export interface UnreadPersonsModules {
  /** Told once of each. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

export class UnreadPersons {
  readonly #modules: UnreadPersonsModules;
  /** What was told of: no more than there are people and rows. */
  readonly #told = new Set<string>();

  constructor(modules: UnreadPersonsModules) {
    this.#modules = modules;
  }

  /**
   * Those of these people of whom all is read, in their order; tells of the others. `read` is asked of some of them together, as `answersPastDamage` does,
   * and rejects where something is damaged. Rejects as `read` where that is no damage.
   */
  async without(
    persons: readonly ShelvedDossier[],
    read: (some: readonly ShelvedDossier[]) => Promise<unknown>,
  ): Promise<readonly ShelvedDossier[]> {
    const answers = await answersPastDamage(persons, async (some) => {
      await read(some);
      return some;
    });
    return persons.filter(({ pseudonym }, i) => {
      const answer = answers[i];
      if (answer instanceof NodeError) this.#tell(pseudonym, answer);
      return !(answer instanceof NodeError);
    });
  }

  #tell(pseudonym: string, cause: NodeError): void {
    const message = `the colour of ${pseudonym} stays as it is, since what the registry has of them cannot be read: ${cause.message}`;
    if (this.#told.has(message)) return;
    this.#told.add(message);
    const hint = 'Restore the registry from its backup. Other colours change as always.';
    this.#modules.onTrouble?.(new NodeError('REGISTRY_CORRUPT', message, { cause, hint }));
  }
}
