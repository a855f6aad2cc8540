/** People of whom the registry has something that is damaged: updates pass them over, and do what they do for everybody else. */
import { NodeError } from '../node-error.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
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
   * Those of these people of whom all is read, in their order; tells of the others. `read` is asked of some of them together, and rejects where one is
   * damaged: of k such among n it is asked some k log n times. Rejects as `read` where that is no damage.
   */
  async without(
    persons: readonly ShelvedDossier[],
    read: (some: readonly ShelvedDossier[]) => Promise<unknown>,
  ): Promise<readonly ShelvedDossier[]> {
    if (persons.length === 0) return [];
    try {
      await read(persons);
      return persons;
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      if (persons.length === 1) {
        this.#tell(persons[0]?.pseudonym ?? '', error);
        return [];
      }
      const half = Math.ceil(persons.length / 2);
      const before = await this.without(persons.slice(0, half), read);
      return [...before, ...(await this.without(persons.slice(half), read))];
    }
  }

  #tell(pseudonym: string, cause: NodeError): void {
    const message = `the colour of ${pseudonym} stays as it is, since what the registry has of them cannot be read: ${cause.message}`;
    if (this.#told.has(message)) return;
    this.#told.add(message);
    const hint = 'Restore the registry from its backup. Other colours change as always.';
    this.#modules.onTrouble?.(new NodeError('REGISTRY_CORRUPT', message, { cause, hint }));
  }
}
