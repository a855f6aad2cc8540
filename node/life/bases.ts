/** What colours rest on, as updates ask for it: what cannot be read of one person keeps nobody else from a colour. */
import { type Basis, parseBasis } from '../../protocol/disclosure/basis.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { NodeError } from '../node-error.ts';
import { type Place } from '../registry/place-cipher.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { type Registry } from '../registry/registry.ts';

export interface BasesModules {
  readonly registry: () => Pick<Registry, 'basisOf'>;
  /** Told once of each that cannot be read. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

export class Bases {
  readonly #modules: BasesModules;
  /** What was told of: no more than there are codes. */
  readonly #told = new Set<string>();

  constructor(modules: BasesModules) {
    this.#modules = modules;
  }

  /** `unread` where it is damaged; undefined where it is not known, or forgotten. Rejects as the tables. */
  async of(place: Place): Promise<Basis | 'unread' | undefined> {
    try {
      const bytes = await this.#modules.registry().basisOf(place);
      return bytes && parseBasis(bytes);
    } catch (error) {
      if (!isRegistryDamage(error) && !isProtocolError(error)) throw error;
      this.#tell(place, error);
      return 'unread';
    }
  }

  #tell({ log, index }: Place, cause: Error): void {
    const name = `${log} ${index}`;
    if (this.#told.has(name)) return;
    this.#told.add(name);
    const message = `what the code ${name} rests on cannot be read: it binds updates to its end`;
    const hint =
      'Restore the registry from its backup, or revoke the code (entente revoke) and let its holder declare anew.';
    this.#modules.onTrouble?.(new NodeError('REGISTRY_CORRUPT', message, { cause, hint }));
  }
}
