/**
 * A region as a directory on disk, and the one who writes to it: trust log, attestation logs, registry, keys. One process at a
 * time, held by a lock. Everything behind it may be replaced by another store; its users see what is here.
 */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { encodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { type KeyRole, type TrustKey, type TrustState } from '../../protocol/trust/trust-state.ts';
import { hexBytes } from '../../protocol/bytes.ts';
import { NodeError } from '../node-error.ts';
import { type Config, readConfig, writeConfig } from './config.ts';
import { makeDirectory, moveFile, namesIn, removeTree } from './files.ts';
import { type IssueRequest, type Issued, Issuer } from './issuer.ts';
import { Keyring } from './keyring.ts';
import { missingLogs, missingWindows } from './key-schedule.ts';
import { RegionLayout } from './layout.ts';
import { takeLock } from './lock.ts';
import { type RegionModules } from './modules.ts';
import { type BatchHeader, readRegistry, type RegistryRecord } from './registry.ts';
import { type Authority, type StatementDraft, TrustWriter } from './trust-writer.ts';

const HOUR_S = 3_600;

export interface RegionOptions {
  readonly region: string;
  readonly network: string;
  /** What the region calls itself: 1 to 64 bytes. */
  readonly name: string;
  /** Root keys, 1 to 16, of which `threshold` sign together. */
  readonly roots: number;
  readonly threshold: number;
}

export class RegionDirectory {
  readonly layout: RegionLayout;
  readonly keyring: Keyring;
  readonly #modules: RegionModules;
  readonly #trust: TrustWriter;
  readonly #issuer: Issuer;
  readonly #release: () => Promise<void>;
  #config: Config;
  #recovered: readonly BatchHeader[] = [];

  private constructor(
    options: {
      layout: RegionLayout;
      config: Config;
      keyring: Keyring;
      trust: TrustWriter;
      release: () => Promise<void>;
    },
    modules: RegionModules,
  ) {
    this.layout = options.layout;
    this.keyring = options.keyring;
    this.#config = options.config;
    this.#trust = options.trust;
    this.#release = options.release;
    this.#modules = modules;
    const { region, network } = options.config;
    this.#issuer = new Issuer(
      { layout: this.layout, region, network },
      { ...modules, keyring: this.keyring },
    );
  }

  /**
   * Sets a region up: root keys, trust keys for 90 days, announced logs, config. The directory appears whole or not at all.
   * @throws {NodeError} DIRECTORY_EXISTS unless there is nothing at `path` or an empty directory.
   */
  static async create(path: string, options: RegionOptions, modules: RegionModules): Promise<void> {
    const target = resolve(path);
    if ((await namesIn(target)).length > 0) {
      throw new NodeError('DIRECTORY_EXISTS', `${path} is not empty`, {
        hint: 'Nothing was changed. Name another directory, or remove this one if you are sure.',
      });
    }
    const making = `${target}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      await fill(new RegionLayout(making), options, modules);
      await moveFile(making, target);
    } catch (error) {
      await removeTree(making);
      throw error;
    }
  }

  /**
   * Opens a region for writing: takes the lock, checks the trust log against its checkpoint, finishes what broke off.
   * @throws {NodeError} DIRECTORY_MISSING, DIRECTORY_LOCKED, CONFIG_INVALID, DATA_INCONSISTENT; {ProtocolError} as `readPublicRegion`.
   */
  static async open(path: string, modules: RegionModules): Promise<RegionDirectory> {
    const layout = new RegionLayout(resolve(path));
    const config = await readConfig(layout.config);
    const release = await takeLock(layout.lock);
    try {
      const keyring = new Keyring(layout.keys, config, modules);
      const names = { region: config.region, network: config.network };
      const trust = await TrustWriter.open(layout.public, names, { ...modules, keyring });
      const directory = new RegionDirectory({ layout, config, keyring, trust, release }, modules);
      directory.#recovered = await directory.#issuer.recover(trust.state);
      return directory;
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** Gives the lock back. Safe to call twice. */
  close(): Promise<void> {
    return this.#release();
  }

  get config(): Config {
    return this.#config;
  }

  get state(): TrustState {
    return this.#trust.state;
  }

  /** Batches that an earlier process staged and this one finished when it opened the directory: nobody has got their codes. */
  get recovered(): readonly BatchHeader[] {
    return this.#recovered;
  }

  /** As `Issuer.issue`. */
  issue(requests: readonly IssueRequest[], onProgress?: (done: number) => void): Promise<Issued[]> {
    return this.#issuer.issue(requests, this.state, onProgress);
  }

  /** As `Issuer.codeOf`. */
  codeOf(record: RegistryRecord): Promise<Issued> {
    return this.#issuer.codeOf(record, this.state);
  }

  /** Everybody who ever got an attestation, batch by batch. */
  records(): AsyncIterable<RegistryRecord> {
    return readRegistry(this.layout.registry);
  }

  /** As `TrustWriter.append`, for one statement. Returns its index. */
  append(statement: StatementDraft, by: Authority): Promise<number> {
    return this.#trust.append([{ statement, by }]);
  }

  /** As `TrustWriter.append`. Returns the index of the first. */
  appendAll(statements: readonly { statement: StatementDraft; by: Authority }[]): Promise<number> {
    return this.#trust.append(statements);
  }

  /** Revokes indexes of one log, from now on and for ever. Returns the statement's index in the trust log. */
  revoke(log: string, indexes: readonly number[], by: Authority): Promise<number> {
    const set = encodeIndexSet(Float64Array.from(new Set(indexes)).sort());
    return this.append({ kind: 'revocation', log, effective: this.#modules.nowS(), set }, by);
  }

  /** Commits to the state so that readers can start here. Returns the statement's index. */
  appendState(): Promise<number> {
    return this.append(this.#trust.stateStatement(this.#modules.nowS()), 'trust-log');
  }

  /** Makes and admits the keys and logs that are missing for the next 90 days. Returns how many of each. */
  async extendKeys(): Promise<{ keys: number; logs: number }> {
    const statements = await upkeep(this.state, this.keyring, this.#modules.nowS(), 'root');
    if (statements.length > 0) await this.appendAll(statements);
    const [first] = statements;
    const keys = first?.statement.kind === 'keys' ? first.statement.keys.length : 0;
    return { keys, logs: statements.length - (keys > 0 ? 1 : 0) };
  }

  /**
   * Gives up a key: of what it signed, only what stands below the cut-offs counts on. If its window is open or to come, a fresh key
   * takes its place in the same breath. Returns the id of that key.
   */
  async compromise(
    key: TrustKey,
    cutOffs: readonly { log: string; size: number; root: Uint8Array }[],
  ): Promise<string | undefined> {
    const { keyId, role, untilS } = key;
    const nowS = this.#modules.nowS();
    const version = (this.state.key(keyId)?.compromise?.version ?? 0) + 1;
    const cutoffs = cutOffs.toSorted((a, b) => (a.log < b.log ? -1 : 1));
    const statement: StatementDraft = { kind: 'compromise', key: hexBytes(keyId), version, cutoffs };
    if (untilS <= nowS) {
      await this.append(statement, 'root');
      return undefined;
    }
    const fromS = Math.max(key.fromS, nowS - (nowS % HOUR_S));
    const fresh = await this.keyring.create(role);
    const keys: StatementDraft = {
      kind: 'keys',
      keys: [{ key: fresh.publicKey, role, from: fromS, until: untilS }],
    };
    await this.appendAll([
      { statement: keys, by: 'root' },
      { statement, by: 'root' },
    ]);
    return fresh.keyId;
  }

  /** The root of the trust log at one of its sizes. */
  trustRootAt(size: number): Uint8Array {
    return this.#trust.rootAt(size);
  }

  /** As `TrustWriter.renewCheckpoint`. */
  renewCheckpoint(): Promise<void> {
    return this.#trust.renewCheckpoint();
  }

  /** Remembers where a peer publishes. */
  async setPeer(region: string, publicPath: string): Promise<void> {
    this.#config = { ...this.#config, peers: { ...this.#config.peers, [region]: publicPath } };
    await writeConfig(this.layout.config, this.#config);
  }
}

async function fill(layout: RegionLayout, options: RegionOptions, modules: RegionModules): Promise<void> {
  const { region, network, name, roots, threshold } = options;
  await makeDirectory(layout.keys, 0o700);
  const keyring = new Keyring(layout.keys, { region, network }, modules);
  const rootKeys: Uint8Array[] = [];
  for (let i = 0; i < roots; i++) rootKeys.push((await keyring.create('root')).publicKey);
  rootKeys.sort((a, b) => Buffer.compare(a, b));
  const trust = TrustWriter.create(layout.public, { region, network }, { ...modules, keyring });
  const root: StatementDraft = { kind: 'root', region, network, name, version: 1, threshold, keys: rootKeys };
  const statements = await upkeep(trust.state, keyring, modules.nowS(), 'root');
  await trust.append([{ statement: root, by: 'root' }, ...statements]);
  await writeConfig(layout.config, { format: 1, region, network, name, peers: {} });
}

/** What is missing for the next `AHEAD_S`: a `keys` statement with fresh keys, if any, and `log` statements. */
async function upkeep(
  state: TrustState,
  keyring: Keyring,
  atS: number,
  by: Authority,
): Promise<{ statement: StatementDraft; by: Authority }[]> {
  const keys: { key: Uint8Array; role: KeyRole; from: number; until: number }[] = [];
  for (const { role, fromS, untilS } of missingWindows(state, atS)) {
    const { publicKey } = await keyring.create(role);
    keys.push({ key: publicKey, role, from: fromS, until: untilS });
  }
  const logs = missingLogs(state, atS).map((log) => ({ kind: 'log', log, minimum: 0 }) as const);
  const statements: StatementDraft[] = [
    ...(keys.length > 0 ? [{ kind: 'keys', keys } as const] : []),
    ...logs,
  ];
  return statements.map((statement) => ({ statement, by }));
}
