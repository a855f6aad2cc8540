/**
 * When all colours were last updated, and revoked codes noted. It outlives the process: what somebody declares after a new start is held
 * against it too.
 *
 *   life/updated   when, in seconds
 */
import { z } from 'zod';
import { isProtocolError } from '../../protocol/fault.ts';
import { type AskedList } from '../lists/asked-lists.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Random } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { parseSealedJson } from '../registry/sealed-json.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateName } from '../registry/whereabouts.ts';
import { type UpdateFigures } from './update-figures.ts';

export interface UpdateMade {
  readonly atS: number;
  readonly figures: UpdateFigures;
}

/** Why colours are not updated. */
export interface UpdateTrouble {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** It may pass by itself. */
  readonly retry: boolean;
  /** When an update ended with it; undefined for what the next would end with. */
  readonly atS?: number;
}

/** Whether colours are updated. */
export interface UpdatesReport {
  /** When all were, in seconds, by whatever process; 0 for never. */
  readonly lastAtS: number;
  readonly hasDeclared: boolean;
  /** Why the newest update failed, or the next would; absent too where the region has no rules for people, and nobody who declared. */
  readonly trouble?: UpdateTrouble;
  /** Names of rows of people of whom an update saw that what is kept of them cannot be read, at most 100: nothing is updated of those alone. */
  readonly damaged?: readonly string[];
  /** People whose codes the newest update of this process left as they are, since what the registry has of them cannot be read. */
  readonly unread?: number;
  /** Names of rows of lists in force that cannot be read, as this process found, at most 100: whoever they may be about is in doubt. */
  readonly unreadRows?: readonly string[];
  /** Lists that the rules for people ask for; absent where there are none in force, or nobody said which. */
  readonly lists?: readonly AskedList[];
}

export interface LastUpdateModules {
  readonly tables: PrivateTables;
  readonly random: Random;
  /** Told once where it cannot be read. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

const UPDATED = 'life/updated' satisfies PrivateName;
const schema = z.int();

export class LastUpdate {
  readonly #modules: LastUpdateModules;
  readonly #sealer: Sealer;
  #ofProcess: UpdateMade | undefined;
  #isTold = false;
  #trouble: UpdateTrouble | undefined;

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: LastUpdateModules) {
    this.#modules = modules;
    this.#sealer = new Sealer(derivedKey(key, UPDATED));
  }

  /** Undefined where this process has made none. */
  get ofProcess(): UpdateMade | undefined {
    return this.#ofProcess;
  }

  /** What the newest one of this process ended with; undefined where that came to its end. */
  get trouble(): UpdateTrouble | undefined {
    return this.#trouble;
  }

  failed(error: unknown, atS: number): void {
    this.#trouble = { ...troubleOf(error), atS };
  }

  /** 0 where none was made. @throws {NodeError} REGISTRY_CORRUPT where it cannot be read, and as the tables. */
  async atS(): Promise<number> {
    try {
      const sealed = await this.#modules.tables.get(UPDATED);
      if (sealed === undefined) return 0;
      return parseSealedJson(schema, UPDATED, this.#sealer.open(UPDATED, sealed));
    } catch (error) {
      throw isRegistryDamage(error) ? unreadable(error) : error;
    }
  }

  /**
   * The same for what is declared since: nothing is before it where it cannot be read, so that nobody gets a code again who is to declare anew for it, and
   * nobody else waits for the next update. Rejects as the tables.
   */
  async surelyAtS(): Promise<number> {
    try {
      return await this.atS();
    } catch (error) {
      if (!isNodeError(error, 'REGISTRY_CORRUPT')) throw error;
      if (!this.#isTold) this.#modules.onTrouble?.(error);
      this.#isTold = true;
      return Infinity;
    }
  }

  /** In the place of what was there, damaged or not. Rejects as the tables. */
  async note(made: UpdateMade): Promise<void> {
    const { tables, random } = this.#modules;
    const plain = Buffer.from(JSON.stringify(made.atS));
    await tables.write([{ put: UPDATED, value: this.#sealer.seal(UPDATED, plain, random(NONCE_BYTES)) }]);
    this.#ofProcess = made;
    this.#trouble = undefined;
    this.#isTold = false;
  }
}

function unreadable(cause: NodeError): NodeError {
  return new NodeError('REGISTRY_CORRUPT', `${UPDATED} does not say when colours were last updated`, {
    cause,
    hint: 'The next update writes it anew: entente update. Whose code was revoked by hand since the one before it declares again after that.',
  });
}

export function troubleOf(error: unknown): UpdateTrouble {
  if (isNodeError(error)) {
    const { code, message, hint, retry } = error;
    return { code, message, retry, ...(hint !== undefined && { hint }) };
  }
  if (isProtocolError(error)) return { code: error.fault.code, message: error.message, retry: false };
  return { code: 'INTERNAL', message: 'the program is at fault: the log of the node has more', retry: false };
}
