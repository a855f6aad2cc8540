/**
 * The statements by which regions have named their keys, of the trust logs that a node holds: what evidence is held against before any of its
 * signatures is looked at. Who holds a root that was replaced since can sign other ones, and puts them into no log. And which of the keys that a state
 * has forgotten were given up: a thief has them still. Spec: SPEC.md 14.6, 18.2.
 */
import { hexOf } from '../../protocol/bytes.ts';
import { StateDraft } from '../../protocol/trust/state-draft.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { takeNaming } from '../trust/naming-entry.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';

type Log = Pick<TrustKeeper, 'region' | 'state' | 'fold' | 'tree' | 'left'>;

export interface NamedStatementsModules extends TrustModules {
  readonly keeper: (region: string) => Log | undefined;
}

/** What was read of a log from its first entry on. */
interface Read {
  readonly log: Log;
  /** How many branches it had left then. */
  readonly left: number;
  /** Of the roots, what names keys and what gives them up alone. It forgets nothing. */
  readonly draft: StateDraft;
  readonly digests: Set<string>;
  /** By key id, whether a key that the state did not name when it was looked up was given up: nothing changes that any more. */
  readonly forgotten: Map<string, boolean>;
  size: number;
}

export class NamedStatements {
  readonly #modules: NamedStatementsModules;
  /** By region. */
  readonly #read = new Map<string, Read>();

  constructor(modules: NamedStatementsModules) {
    this.#modules = modules;
  }

  /**
   * Whether each of these entries stands, with effect, in the trust log of the region that is held. The state has most of them; it forgets keys that
   * are over, and the log is read for those, each entry once. One call at a time. Rejects as reading the log.
   */
  async have(region: string, entries: readonly Uint8Array[]): Promise<boolean> {
    const log = this.#modules.keeper(region);
    if (log === undefined) return false;
    const wanted = new Set(entries.map((bytes) => this.#digest(bytes)));
    for (const { entry } of log.fold.statements())
      if (isOfUse(entry.statement.kind)) wanted.delete(this.#digest(entry.bytes));
    if (wanted.size === 0) return true;
    const { digests } = await this.#readOn(log);
    return [...wanted].every((digest) => digests.has(digest));
  }

  /** Whether a log that is held from its first entry on has not all of them; of any other log nobody can say. As `have`. */
  async lack(region: string, entries: readonly Uint8Array[]): Promise<boolean> {
    const log = this.#modules.keeper(region);
    return log?.tree.head.minimum === 0 && !(await this.have(region, entries));
  }

  /**
   * Whether a key that the state names no more was given up, as `lookUp` has found; undefined before that, and once another branch is held. What no log
   * says that is held counts as given up: where nobody can tell, nobody is accused.
   */
  wasGivenUp(region: string, keyId: string): boolean | undefined {
    const log = this.#modules.keeper(region);
    return log === undefined ? undefined : this.#readOf(log)?.forgotten.get(keyId);
  }

  /** Reads the log for keys that the state does not name, for `wasGivenUp`. As `have`. */
  async lookUp(region: string, keyIds: readonly string[]): Promise<void> {
    const log = this.#modules.keeper(region);
    const isForgotten = (keyId: string) => log?.state.key(keyId) === undefined;
    const wanted = keyIds.filter(
      (keyId) => isForgotten(keyId) && this.wasGivenUp(region, keyId) === undefined,
    );
    if (log === undefined || wanted.length === 0) return;
    const { draft, forgotten } = await this.#readOn(log);
    for (const keyId of wanted) {
      const key = draft.key(keyId);
      forgotten.set(keyId, key === undefined || key.compromise !== undefined);
    }
  }

  /** What was read of the log as it is held now. */
  #readOf(log: Log): Read | undefined {
    const before = this.#read.get(log.region);
    const goesOn = before?.log === log && before.left === log.left.count && before.size <= log.tree.size;
    return goesOn ? before : undefined;
  }

  /** Of a log whose first entries were pruned only the state is left. */
  async #readOn(log: Log): Promise<Read> {
    const { reader, size, head } = log.tree;
    const read = this.#readOf(log) ?? this.#unread(log);
    this.#read.set(log.region, read);
    if (head.minimum > 0) return read;
    for await (const bytes of reader.entries(read.size, size)) {
      await this.#take(bytes.slice(), read);
      read.size++;
    }
    return read;
  }

  async #take(bytes: Uint8Array, { log, draft, digests, size: index }: Read): Promise<void> {
    const rootAt = (size: number) => log.tree.reader.rootAt(size);
    const kind = await takeNaming(bytes, { index, draft, rootAt }, this.#modules);
    if (kind !== undefined && isOfUse(kind)) digests.add(this.#digest(bytes));
  }

  #unread(log: Log): Read {
    const draft = new StateDraft(log.state, this.#modules.sha256);
    return { log, left: log.left.count, draft, digests: new Set(), forgotten: new Map(), size: 0 };
  }

  #digest(bytes: Uint8Array): string {
    return hexOf(this.#modules.sha256(bytes));
  }
}

function isOfUse(kind: Statement['kind']): boolean {
  return kind === 'root' || kind === 'keys';
}
