/**
 * Whether the writer before was this machine's own last process, and that has ended in order: then nobody speaks any more for what no witness permits one
 * by one (SPEC.md 21.5). A process that witnesses let write to its end, and that spoke itself, notes that it has ended once it is silent, and the next one
 * forgets that before it begins. One writer. Row:
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
  #hasClaimed = false;
  /** The session by which it may write. */
  #held: string | undefined;
  #hasSpoken = false;
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

  /** This process claims to write: nobody may have let it yet. */
  begin({ claim, epoch }: Before): void {
    const isEnded = claim !== undefined && claim.epoch === epoch && hexOf(claim.session) === this.#ended;
    this.#isNext = !this.#hasClaimed && isEnded;
    this.#hasClaimed = true;
  }

  /** A quorum lets it write by this session; undefined once it has let go: whoever writes then may speak still when this process has ended. */
  hold(session: Uint8Array | undefined): void {
    const held = session && hexOf(session);
    if (held !== this.#held) this.#hasSpoken = false;
    this.#held = held;
  }

  /** It speaks: the writer before does no more. */
  speak(): void {
    this.#hasSpoken = true;
  }

  /** Whether nobody can have written between the process that ended and this one. */
  get isNext(): boolean {
    return this.#isNext;
  }

  /** To be called once nothing of this process speaks any more. Rejects as the store. */
  async end(): Promise<void> {
    if (this.#held === undefined || !this.#hasSpoken) return;
    await this.#modules.store.write([{ put: ROW, value: hexBytes(this.#held) }]);
  }
}
