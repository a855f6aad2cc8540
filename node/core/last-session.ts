/**
 * Whether the writer before was this machine's own last process, and that has ended in order: then nobody speaks any more for what no witness permits one
 * by one (SPEC.md 21.5). A process notes that it has ended once it is silent, and the next one forgets that before it begins. One writer. Row:
 *
 *   writer/ended     the session of the process that ended
 */
import { hexBytes, hexOf } from '../../protocol/bytes.ts';
import { type Claim } from '../../protocol/writer/word.ts';
import { type Change } from '../ports.ts';

export interface LastSessionModules {
  readonly store: {
    get(key: string): Promise<Uint8Array | undefined>;
    write(changes: readonly Change[]): Promise<void>;
  };
}

/** What a process finds when it makes its claim. */
export interface Before {
  /** The highest claim that counts. */
  readonly claim: Claim | undefined;
  /** The highest epoch of all words, those that do not count among them. */
  readonly epoch: number;
}

const ROW = 'writer/ended';

export class LastSession {
  readonly #modules: LastSessionModules;
  #ended: string | undefined;
  #own: string | undefined;
  #isNext = false;

  constructor(modules: LastSessionModules) {
    this.#modules = modules;
  }

  /** Rejects as the store. */
  async open(): Promise<void> {
    const bytes = await this.#modules.store.get(ROW);
    if (bytes === undefined) return;
    await this.#modules.store.write([{ del: ROW }]);
    this.#ended = hexOf(bytes);
  }

  /** This process claims to write, by a session of its own. */
  begin({ claim, epoch }: Before, session: Uint8Array): void {
    const isEnded = claim !== undefined && claim.epoch === epoch && hexOf(claim.session) === this.#ended;
    this.#isNext = this.#own === undefined && isEnded;
    this.#own = hexOf(session);
  }

  /** Whether nobody can have written between the process that ended and this one. */
  get isNext(): boolean {
    return this.#isNext;
  }

  /** To be called once nothing of this process speaks any more. Rejects as the store. */
  async end(): Promise<void> {
    if (this.#own === undefined) return;
    await this.#modules.store.write([{ put: ROW, value: hexBytes(this.#own) }]);
  }
}
