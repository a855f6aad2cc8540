/**
 * When all colours were last updated, and revoked codes noted. It outlives the process: what somebody declares after a new start is held
 * against it too.
 *
 *   life/updated   when, in seconds
 */
import { z } from 'zod';
import { type Random } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateName } from '../registry/whereabouts.ts';
import { type UpdateFigures } from './update-figures.ts';

export interface UpdateMade {
  readonly atS: number;
  readonly figures: UpdateFigures;
}

export interface LastUpdateModules {
  readonly tables: PrivateTables;
  readonly random: Random;
}

const UPDATED = 'life/updated' satisfies PrivateName;
const schema = z.int();

export class LastUpdate {
  readonly #modules: LastUpdateModules;
  readonly #sealer: Sealer;
  #ofProcess: UpdateMade | undefined;

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: LastUpdateModules) {
    this.#modules = modules;
    this.#sealer = new Sealer(derivedKey(key, UPDATED));
  }

  /** Undefined where this process has made none. */
  get ofProcess(): UpdateMade | undefined {
    return this.#ofProcess;
  }

  /** 0 where none was made. Rejects as the store. */
  async atS(): Promise<number> {
    const sealed = await this.#modules.tables.get(UPDATED);
    if (sealed === undefined) return 0;
    return schema.parse(JSON.parse(Buffer.from(this.#sealer.open(UPDATED, sealed)).toString()));
  }

  /** Rejects as the store. */
  async note(made: UpdateMade): Promise<void> {
    const { tables, random } = this.#modules;
    const plain = Buffer.from(JSON.stringify(made.atS));
    await tables.write([{ put: UPDATED, value: this.#sealer.seal(UPDATED, plain, random(NONCE_BYTES)) }]);
    this.#ofProcess = made;
  }
}
