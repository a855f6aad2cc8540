/** The one writer of a region's own trust log: statements are folded before they are written, so none goes in without effect. */
import { join } from 'node:path';
import { equalBytes } from '../../protocol/bytes.ts';
import { Frontier } from '../../protocol/log/frontier.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { encodeStatement, signStatement } from '../../protocol/trust/statement.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { NodeError } from '../node-error.ts';
import { writeFileAtomically } from './files.ts';
import { type Keyring, type RegionSigner } from './keyring.ts';
import { trustLogPath } from './layout.ts';
import { LogAppender, type TreeHead, removeOutgrownTiles } from './log-appender.ts';
import { damaged, LogFiles } from './log-files.ts';
import { type RegionModules } from './modules.ts';
import { signOwnCheckpoint } from './own-checkpoint.ts';
import { readPublicRegion } from './public-region.ts';

type WithoutTime<S> = S extends Statement ? Omit<S, 'at'> : never;

/** A statement to be signed now. */
export type StatementDraft = WithoutTime<Statement>;

/** Who signs: the root's threshold of keys, or the trust-log key in force. */
export type Authority = 'root' | 'trust-log';

export interface TrustWriterModules extends RegionModules {
  readonly keyring: Keyring;
}

/** Not to be used after an error other than REFUSED: what is on disk is the truth then, and is read anew. */
export class TrustWriter {
  readonly #publicPath: string;
  readonly #files: LogFiles;
  readonly #names: { readonly region: string; readonly network: string };
  readonly #modules: TrustWriterModules;
  #fold: TrustFold;
  #entries: Uint8Array[];

  private constructor(
    publicPath: string,
    names: { region: string; network: string },
    modules: TrustWriterModules,
    folded?: { fold: TrustFold; entries: readonly Uint8Array[] },
  ) {
    this.#publicPath = publicPath;
    this.#files = new LogFiles(trustLogPath(publicPath));
    this.#names = names;
    this.#modules = modules;
    this.#entries = [...(folded?.entries ?? [])];
    this.#fold = folded?.fold ?? this.#foldAll();
  }

  /** Before the first statement. Nothing may be published at `publicPath`. */
  static create(
    publicPath: string,
    names: { region: string; network: string },
    modules: TrustWriterModules,
  ): TrustWriter {
    return new TrustWriter(publicPath, names, modules);
  }

  /** Reads and checks what is published. @throws what `readPublicRegion` throws. */
  static async open(
    publicPath: string,
    names: { region: string; network: string },
    modules: TrustWriterModules,
  ): Promise<TrustWriter> {
    const published = await readPublicRegion(publicPath, names, modules);
    return new TrustWriter(publicPath, names, modules, published);
  }

  get state(): TrustState {
    return this.#fold.state;
  }

  /** The `state` statement that commits to what the log says now. */
  stateStatement(atS: number): StatementDraft {
    const { items, root } = this.#fold.commitmentAt(atS);
    return { kind: 'state', format: 1, items: items.length, root };
  }

  /** The root that the log has at an earlier size. @throws {RangeError} beyond the present one. */
  rootAt(size: number): Uint8Array {
    if (size > this.#fold.size) throw new RangeError(`the trust log has ${this.#fold.size} entries`);
    const { sha256 } = this.#modules;
    const frontier = Frontier.empty(sha256);
    for (const entry of this.#entries.slice(0, size)) frontier.append(leafHash(sha256, entry));
    return frontier.root();
  }

  /**
   * Signs and appends statements that belong together: entries synced, then the checkpoint. Returns the index of the first.
   * @throws {NodeError} REFUSED if one would have no effect; nothing is written then.
   */
  async append(statements: readonly { statement: StatementDraft; by: Authority }[]): Promise<number> {
    const atS = this.#modules.nowS();
    const head = { size: this.#fold.size, root: this.#fold.root };
    for (const { statement, by } of statements) {
      const signers = by === 'root' ? await this.#rootSigners(statement) : [await this.#trustLogSigner(atS)];
      this.#take(signEntry(this.#names, { ...statement, at: atS }, signers), statement.kind, head.size);
    }
    await this.#write(head, atS);
    return head.size;
  }

  /** Signs the present checkpoint anew: with the keys of today, and with the time at which the region was last heard from. */
  async renewCheckpoint(): Promise<void> {
    await this.#publish({ size: this.#fold.size, root: this.#fold.root }, this.#modules.nowS());
  }

  #take(entry: Uint8Array, kind: string, sizeBefore: number): void {
    const finding = this.#fold.append(entry);
    if (finding === undefined) {
      this.#entries.push(entry);
      return;
    }
    this.#entries = this.#entries.slice(0, sizeBefore);
    this.#fold = this.#foldAll();
    throw new NodeError('REFUSED', `a ${kind} statement would have no effect: ${finding.reason}`);
  }

  #foldAll(): TrustFold {
    const fold = new TrustFold(
      { ...this.#names, history: (from) => this.#entries.slice(from) },
      this.#modules,
    );
    for (const entry of this.#entries) fold.append(entry);
    return fold;
  }

  async #write(before: TreeHead, atS: number): Promise<void> {
    const appender = await LogAppender.open(this.#files, before, this.#modules.sha256);
    for (const entry of this.#entries.slice(before.size)) await appender.append(entry);
    const head = await appender.finish();
    if (!equalBytes(head.root, this.#fold.root))
      throw damaged(this.#files.path, 'has another tree than its entries');
    await this.#publish(head, atS);
    await removeOutgrownTiles(this.#files.path, before.size, head.size);
  }

  async #publish(head: TreeHead, atS: number): Promise<void> {
    const origin = trustLogOrigin(this.#names.region, this.#names.network);
    const note = await signOwnCheckpoint(origin, head, this.state, atS, this.#modules);
    await writeFileAtomically(join(trustLogPath(this.#publicPath), 'checkpoint'), note);
  }

  /** The first root statement is signed by its own keys, which the state does not know yet. */
  async #rootSigners(statement: StatementDraft): Promise<RegionSigner[]> {
    const { keyring } = this.#modules;
    if (statement.kind === 'root' && this.#fold.size === 0)
      return keyring.rootsAmong(statement.keys, statement.threshold);
    return keyring.roots(this.state);
  }

  #trustLogSigner(atS: number): Promise<RegionSigner> {
    return this.#modules.keyring.inForce(this.state, 'trust-log', atS);
  }
}

function signEntry(
  { region, network }: { region: string; network: string },
  statement: Statement,
  signers: readonly RegionSigner[],
): Uint8Array {
  return signStatement(trustLogOrigin(region, network), encodeStatement(statement), signers);
}
