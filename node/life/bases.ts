/** What colours rest on, as updates ask for it: what cannot be read of one person keeps nobody else from a colour. */
import { type Basis, parseBasis } from '../../protocol/disclosure/basis.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { NodeError } from '../node-error.ts';
import { type Place } from '../registry/place-cipher.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { type Registry } from '../registry/registry.ts';

export interface BasesModules {
  readonly registry: () => Pick<Registry, 'basisOf' | 'basesAt'>;
  /** Told once of each that cannot be read. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

export class Bases {
  readonly #modules: BasesModules;
  /** What was told of: no more than there are codes. */
  readonly #told = new Set<string>();
  /** By the names of codes, what was fetched ahead. */
  #ahead: ReadonlyMap<string, Uint8Array | undefined> = new Map();

  constructor(modules: BasesModules) {
    this.#modules = modules;
  }

  /** Fetches those of many codes, for whoever asks for them one after the other; lets go of those before. Rejects as the tables. */
  async ahead(places: readonly Place[]): Promise<void> {
    this.#ahead = new Map();
    try {
      const bases = await this.#modules.registry().basesAt(places);
      this.#ahead = new Map(places.map((place, i) => [nameOf(place), bases[i]]));
    } catch (error) {
      // Each is asked for by itself then: it may be of one of them alone.
      if (!isRegistryDamage(error)) throw error;
    }
  }

  /** `unread` where it is damaged; undefined where it is not known, or forgotten. Rejects as the tables. */
  async of(place: Place): Promise<Basis | 'unread' | undefined> {
    try {
      const name = nameOf(place);
      const isThere = this.#ahead.has(name);
      const bytes = isThere ? this.#ahead.get(name) : await this.#modules.registry().basisOf(place);
      return bytes && parseBasis(bytes);
    } catch (error) {
      if (!isRegistryDamage(error) && !isProtocolError(error)) throw error;
      this.#tell(place, error);
      return 'unread';
    }
  }

  #tell(place: Place, cause: Error): void {
    const name = nameOf(place);
    if (this.#told.has(name)) return;
    this.#told.add(name);
    const message = `what the code ${name} rests on cannot be read: it binds updates to its end`;
    const hint =
      'Restore the registry from its backup, or revoke the code (entente revoke) and let its holder declare anew.';
    this.#modules.onTrouble?.(new NodeError('REGISTRY_CORRUPT', message, { cause, hint }));
  }
}

function nameOf({ log, index }: Place): string {
  return `${log} ${index}`;
}
