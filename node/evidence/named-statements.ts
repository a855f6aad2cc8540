/**
 * The statements by which regions have named their keys, of the trust logs that a node holds: what evidence is held against before any of its
 * signatures is looked at. Who holds a root that was replaced since can sign other ones, and puts them into no log. And which of the keys that a state
 * has forgotten were given up: a thief has them still. A statement that has no effect where the state is folded has none here. Spec: SPEC.md 14.6, 18.2.
 */
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type Clock } from '../ports.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { WholeFold } from '../trust/whole-fold.ts';

type Log = Pick<TrustKeeper, 'region' | 'state' | 'fold' | 'tree' | 'left'>;

export interface NamedStatementsModules extends TrustModules {
  readonly clock: Clock;
  readonly keeper: (region: string) => Log | undefined;
}

/** An entry that names keys, or gives one up: whether with effect, the fold tells. */
interface Naming {
  readonly index: number;
  readonly digest: string;
  /** Of `keys`, their ids. */
  readonly named: readonly string[];
  readonly givenUp: string | undefined;
}

/** What was read of a log from its first entry on. */
interface Read {
  readonly log: Log;
  /** How many branches it had left then. */
  readonly left: number;
  /** By key id, whether a key that the state did not name when it was looked up was given up anywhere in the log, as far as that was read. */
  readonly forgotten: Map<string, boolean>;
  /** Of `size` entries. */
  said: Said;
  size: number;
}

/** Goes on where it is asked for again, once the log has grown. */
interface Folding {
  readonly read: Read;
  readonly fold: WholeFold;
  readonly naming: Naming[];
}

/** One that is, or was, held of a log. */
interface Branch extends Pick<Read, 'log' | 'left'> {
  readonly number: number;
}

/** What the entries that have effect say. */
interface Said {
  readonly digests: ReadonlySet<string>;
  readonly named: ReadonlySet<string>;
  readonly givenUp: ReadonlySet<string>;
}

/** Leaf hashes that are looked at before others have their turn. */
const HASHES_STEP = 4_096;

export class NamedStatements {
  readonly #modules: NamedStatementsModules;
  /** By region, of those that are held. */
  readonly #read = new Map<string, Read>();
  /** Of the log that was folded last: each is as large as the state of its region, and of a log that has not grown what was found is enough. */
  #folding: Folding | undefined;
  readonly #branches = new Map<string, Branch>();
  #branchCount = 0;

  constructor(modules: NamedStatementsModules) {
    this.#modules = modules;
  }

  /**
   * Whether each of these entries stands in the trust log of the region that is held, with effect or without: told by the hashes of its leaves, and
   * nothing is folded for it. Rejects as reading the log.
   */
  async stand(region: string, entries: readonly Uint8Array[]): Promise<boolean> {
    const log = this.#modules.keeper(region);
    return log !== undefined && (await this.#areIn(log, this.#besidesState(log, entries)));
  }

  /**
   * Whether each of these entries stands, with effect, in the trust log of the region that is held. The state has most of them; it forgets keys that
   * are over, and the log is folded for those, if they stand in it at all. One call at a time. Rejects as reading the log.
   */
  async have(region: string, entries: readonly Uint8Array[]): Promise<boolean> {
    const log = this.#modules.keeper(region);
    if (log === undefined) return false;
    const wanted = this.#besidesState(log, entries);
    if (wanted.length === 0) return true;
    if (!(await this.#areIn(log, wanted))) return false;
    const { said } = await this.#readOn(log);
    return wanted.every((bytes) => said.digests.has(this.#digest(bytes)));
  }

  /** Those of which the state does not say that they name keys. */
  #besidesState(log: Log, entries: readonly Uint8Array[]): Uint8Array[] {
    const wanted = new Map(entries.map((bytes) => [this.#digest(bytes), bytes]));
    for (const { entry } of log.fold.statements())
      if (isOfUse(entry.statement.kind)) wanted.delete(this.#digest(entry.bytes));
    return [...wanted.values()];
  }

  /** Of a log whose first entries were pruned only the state is left. */
  async #areIn({ tree }: Log, entries: readonly Uint8Array[]): Promise<boolean> {
    const { sha256 } = this.#modules;
    const wanted = new Set(entries.map((bytes) => hexOf(leafHash(sha256, bytes))));
    const { size, reader, head } = tree;
    if (head.minimum > 0) return wanted.size === 0;
    for (let from = 0; from < size && wanted.size > 0; from += HASHES_STEP)
      for (const hash of await reader.leafHashes(from, Math.min(size, from + HASHES_STEP)))
        wanted.delete(hexOf(hash));
    return wanted.size === 0;
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

  /** A number for the branch that is held of a region's log, each time one takes the place of another a further one; undefined without any. */
  branchOf(region: string): number | undefined {
    const log = this.#modules.keeper(region);
    if (log === undefined) return undefined;
    const before = this.#branches.get(region);
    const { count: left } = log.left;
    if (before?.log === log && before.left === left) return before.number;
    const number = this.#branchCount++;
    this.#branches.set(region, { log, left, number });
    return number;
  }

  /** Reads the log for keys that the state does not name, for `wasGivenUp`. As `have`. */
  async lookUp(region: string, keyIds: readonly string[]): Promise<void> {
    const log = this.#modules.keeper(region);
    const wanted = keyIds.filter((keyId) => log?.state.key(keyId) === undefined);
    if (log === undefined || wanted.length === 0) return;
    const { said, forgotten } = await this.#readOn(log);
    for (const keyId of wanted) forgotten.set(keyId, isGivenUp(keyId, said));
  }

  /** What was read of the log as it is held now. */
  #readOf(log: Log): Read | undefined {
    const before = this.#read.get(log.region);
    const goesOn = before?.log === log && before.left === log.left.count && before.size <= log.tree.size;
    return goesOn ? before : undefined;
  }

  /** A log that has not grown is folded once. */
  async #readOn(log: Log): Promise<Read> {
    const read = this.#readOf(log) ?? unread(log);
    for (const region of this.#read.keys())
      if (this.#modules.keeper(region) === undefined) this.#read.delete(region);
    this.#read.set(log.region, read);
    // Of a log whose first entries were pruned only the state is left.
    if (log.tree.head.minimum > 0 || read.size === log.tree.size) return read;
    const folding = this.#folding?.read === read ? this.#folding : this.#started(read);
    this.#folding = folding;
    const { fold, naming } = folding;
    await fold.advance((bytes, index) => naming.push(...this.#namingIn(bytes, index)));
    // Another branch has taken its place meanwhile.
    if (this.#readOf(log) !== read) return this.#readOn(log);
    read.size = fold.size;
    read.said = saidBy(naming, fold);
    // A key that was forgotten may have been named anew, and given up then.
    for (const keyId of read.forgotten.keys()) read.forgotten.set(keyId, isGivenUp(keyId, read.said));
    return read;
  }

  #namingIn(bytes: Uint8Array, index: number): Naming[] {
    try {
      const { statement } = parseEntry(bytes);
      if (!isOfUse(statement.kind) && statement.kind !== 'compromise') return [];
      const keys = statement.kind === 'keys' ? statement.keys : [];
      const named = keys.map(({ key }) => keyIdOf(this.#modules.sha256, key));
      const givenUp = statement.kind === 'compromise' ? hexOf(statement.key) : undefined;
      return [{ index, digest: this.#digest(bytes), named, givenUp }];
    } catch (error) {
      if (isProtocolError(error)) return [];
      throw error;
    }
  }

  #started(read: Read): Folding {
    const { log } = read;
    const fold = new WholeFold(log.state, { ...this.#modules, tree: () => log.tree });
    return { read, fold, naming: [] };
  }

  #digest(bytes: Uint8Array): string {
    return hexOf(this.#modules.sha256(bytes));
  }
}

function unread(log: Log): Read {
  const said = { digests: new Set<string>(), named: new Set<string>(), givenUp: new Set<string>() };
  return { log, left: log.left.count, forgotten: new Map(), said, size: 0 };
}

function saidBy(naming: readonly Naming[], { findings }: WholeFold): Said {
  const isWithout = new Set(findings.map(({ index }) => index));
  const inEffect = naming.filter(({ index }) => !isWithout.has(index));
  return {
    digests: new Set(inEffect.map(({ digest }) => digest)),
    named: new Set(inEffect.flatMap(({ named }) => named)),
    givenUp: new Set(inEffect.flatMap(({ givenUp }) => givenUp ?? [])),
  };
}

function isGivenUp(keyId: string, { named, givenUp }: Said): boolean {
  return !named.has(keyId) || givenUp.has(keyId);
}

function isOfUse(kind: Statement['kind']): boolean {
  return kind === 'root' || kind === 'keys';
}
