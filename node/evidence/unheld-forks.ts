/** The proofs that logs have forked of which no copy is held: kept by the witness that met them, told to its operator, and given to whoever asks. Spec: SPEC.md 14.5.1. */
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type NodeStatus } from '../core/node-status.ts';
import { NodeError } from '../node-error.ts';
import { type Followed } from '../sync/followed.ts';
import { FORK_PREFIX, ForkBook, type ForkBookModules } from '../trust/fork-book.ts';
import { allVerifierKeys } from '../trust/log-keys.ts';
import { Turns } from '../turns.ts';
import { keptKeys } from './kept-files.ts';

export interface UnheldForksModules extends ForkBookModules {
  /** Those that are held, by origin: each is the only writer of the proofs against it. */
  readonly logs: () => ReadonlyMap<string, Pick<Followed, 'accuse'>>;
  readonly stateOf: (region: string) => TrustState | undefined;
  /** Told of what is kept and cannot be read. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

export class UnheldForks {
  readonly #modules: UnheldForksModules;
  readonly #turns = new Turns();
  /** By origin, of logs that were not held when a proof was met. */
  readonly #books = new Map<string, ForkBook>();
  /** By which state of its region each was looked at, once the store has what was found. */
  readonly #looked = new WeakMap<ForkBook, TrustState>();
  #isOpen = false;

  constructor(modules: UnheldForksModules) {
    this.#modules = modules;
  }

  /** Reads what the store has. Rejects as the store does, but for what is damaged. */
  open(): Promise<void> {
    this.#isOpen = true;
    return this.reread('');
  }

  /** What the store has against the logs whose names begin so is another by now. Does nothing before `open`. Rejects as that. */
  async reread(prefix: string): Promise<void> {
    if (!this.#isOpen) return;
    const origins = new Set([...this.#books.keys()].filter((origin) => origin.startsWith(prefix)));
    const { store, onTrouble } = this.#modules;
    for await (const key of keptKeys(`${FORK_PREFIX}/${prefix}`, store))
      origins.add(key.slice(FORK_PREFIX.length + 1, key.lastIndexOf('/')));
    const unheld = [...origins].filter((origin) => !this.#modules.logs().has(origin));
    for (const origin of unheld)
      await this.#turns.take(origin, () => this.#open(origin)).catch((error: unknown) => onTrouble(error));
  }

  /** Looks who else has signed what is kept, by the keys that its regions name now: see `ForkBook.learn`. For whenever more is known of one. */
  async learn(): Promise<void> {
    for (const origin of [...this.#books.keys()]) await this.#turns.take(origin, () => this.#learn(origin));
  }

  /** Proofs against a log that is not held, those first that count. */
  of(origin: string): readonly ForkEvidence[] {
    const book = this.#books.get(origin);
    const state = book && this.#stateOf(origin);
    if (state === undefined || this.#modules.logs().has(origin)) return [];
    return book?.standingFirst(state) ?? [];
  }

  /** Whether there is a proof that counts against a log that is not held, or one that cannot be read: what happens to a disk clears no log. */
  isForked(origin: string): boolean {
    const [book, state] = [this.#books.get(origin), this.#stateOf(origin)];
    if (book === undefined || state === undefined || this.#modules.logs().has(origin)) return false;
    return book.unread > 0 || book.standingBy(state).length > 0;
  }

  /** As `LogShelf.report`, of the attestation logs that their regions have not forgotten. */
  get report(): Pick<NodeStatus, 'forked' | 'disowned'> {
    const [forked, disowned]: [string[], string[]] = [[], []];
    for (const origin of this.#books.keys()) {
      const [parsed, state] = [parseOrigin(origin), this.#stateOf(origin)];
      if (parsed.kind !== 'attest' || state?.log(parsed.log) === undefined) continue;
      if (this.isForked(origin)) forked.push(origin);
      else if (this.of(origin).length > 0) disowned.push(origin);
    }
    return { forked, disowned };
  }

  /** Gives a proof to the copy that is held, or keeps it for one that may be. @throws {ProtocolError} as `verifyForkEvidence`. Rejects also as the store. */
  keep(origin: string, evidence: ForkEvidence): Promise<void> {
    return this.#turns.take(origin, async () => {
      const held = this.#modules.logs().get(origin);
      if (held !== undefined) return held.accuse(evidence);
      const state = this.#stateOf(origin);
      if (state === undefined) return;
      const book = this.#books.get(origin) ?? (await this.#open(origin));
      await book.take(evidence, allVerifierKeys(this.#modules.sha256, state, origin), state);
    });
  }

  async #open(origin: string): Promise<ForkBook> {
    this.#books.delete(origin);
    const { onTrouble } = this.#modules;
    const book = await ForkBook.open(origin, this.#modules, (cause) => onTrouble(unread(origin, cause)));
    this.#books.set(origin, book);
    await this.#learn(origin);
    return book;
  }

  async #learn(origin: string): Promise<void> {
    const [book, state] = [this.#books.get(origin), this.#stateOf(origin)];
    if (book === undefined || state === undefined || this.#modules.logs().has(origin)) return;
    if (this.#looked.get(book) === state) return;
    const keys = allVerifierKeys(this.#modules.sha256, state, origin);
    if (await book.learn(keys, state)) this.#looked.set(book, state);
  }

  #stateOf(origin: string): TrustState | undefined {
    return this.#modules.stateOf(parseOrigin(origin).region);
  }
}

function unread(origin: string, cause: NodeError): NodeError {
  const message = `a proof that ${origin} has forked cannot be read: it is left where it is, and the log counts as forked (${cause.message})`;
  return new NodeError(cause.code, message, {
    cause,
    hint: 'Have the disk looked at. Whoever has the proof as a file can give it again: `entente evidence tell`.',
  });
}
