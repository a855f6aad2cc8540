/**
 * The statements by which regions have named their keys, of the trust logs that a node holds: what evidence is held against before any of its
 * signatures is looked at. Who holds a root that was replaced since can sign other ones, and puts them into no log. Spec: SPEC.md 14.6, 18.2.
 */
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
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
  /** Of the roots and what names keys alone. */
  readonly fold: TrustFold;
  readonly digests: Set<string>;
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

  /** Of a log whose first entries were pruned only the state is left. */
  async #readOn(log: Log): Promise<Read> {
    const { reader, size, head } = log.tree;
    const before = this.#read.get(log.region);
    const goesOn = before?.log === log && before.left === log.left.count && before.size <= size;
    const read = goesOn ? before : this.#unread(log);
    this.#read.set(log.region, read);
    if (head.minimum > 0) return read;
    for await (const bytes of reader.entries(read.size, size)) {
      read.size++;
      if (isOfUse(kindOf(bytes)) && read.fold.append(bytes.slice()) === undefined)
        read.digests.add(this.#digest(bytes));
    }
    return read;
  }

  #unread(log: Log): Read {
    const { region, network } = log.state;
    const fold = new TrustFold({ region, network }, this.#modules);
    return { log, left: log.left.count, fold, digests: new Set(), size: 0 };
  }

  #digest(bytes: Uint8Array): string {
    return hexOf(this.#modules.sha256(bytes));
  }
}

function isOfUse(kind: string | undefined): boolean {
  return kind === 'root' || kind === 'keys';
}

function kindOf(bytes: Uint8Array): string | undefined {
  try {
    return parseEntry(bytes).statement.kind;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
