/**
 * A region whose node runs: the node does what its keys do, through its admin address. What it has published in the directory
 * says how things stand, and statements of the root are signed here, since a node never holds root keys.
 */
import { type LogReceipt } from '../../node/trust/log-receipt.ts';
import { join, resolve } from 'node:path';
import { type Disclosed, type DisclosureOrder } from '../../node/abuse/disclosing.ts';
import { type AdminClient, type AdminRequest } from '../../node/http/admin-client.ts';
import { type HeldCodeLine, type WitnessedReport } from '../../node/http/admin-schemas.ts';
import { type Problem } from '../../node/http/problem.ts';
import { type Ordered } from '../../node/issuing/forgotten-marks.ts';
import { type GivenUp, type Wanted } from '../../node/issuing/held-codes.ts';
import { type ForgetOrder, type Forgotten } from '../../node/issuing/forgetting.ts';
import { type Handover } from '../../node/issuing/handovers.ts';
import { type DeclarationOrder, type IntakeReport } from '../../node/life/intake.ts';
import { type UnfinishedOrders } from '../../node/life/judging.ts';
import { type DeclaredFacts } from '../../node/life/life.ts';
import { DECLARED_MAX } from '../../node/life/updater.ts';
import { type ListKind } from '../../node/lists/kinds.ts';
import { type Found } from '../../node/lists/list-view.ts';
import { type ImportReport, type ListOrder } from '../../node/lists/lists.ts';
import { type Sought } from '../../node/lists/matching.ts';
import { type ListVersion } from '../../node/lists/shelf.ts';
import { type Operator } from '../../node/operators/operators.ts';
import { type StatementDraft } from '../../node/log/trust-log-work.ts';
import { type Config } from '../../node/config/schema.ts';
import {
  attestationLogsPath,
  readRegionConfig,
  RegionLayout,
  trustLogPath,
} from '../../node/region/layout.ts';
import { LogFiles } from '../../node/region/log-files.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { type PublicRegion, readPublicRegion } from '../../node/region/public-region.ts';
import { RegionKeys } from '../../node/region/region-keys.ts';
import { systemClock } from '../../node/system-clock.ts';
import { firstFinding } from '../../node/trust/region-fold.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { rootOf } from '../../protocol/log/merkle-proof.ts';
import { encodeStatement, signStatement } from '../../protocol/trust/statement.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { CliError, EXIT } from '../exit.ts';
import { type LifeDesk, RunningLife } from '../life/life-desk.ts';
import { type IssuedCode } from '../people/codes-file.ts';
import { type Person } from '../people/person.ts';
import { adminOf } from './admin-of.ts';
import { linesOfOrder, newOrder } from './batch-order.ts';
import { type BatchOrder, type BridgedCode, type Desk, type Held, type IssueOptions } from './desk.ts';
import { giveOrder } from './give-order.ts';
import { asked, linesOf, mayComeRight, refusedBy, told } from './node-answers.ts';
import { type OverrideDesk, RunningOverrides } from './override-desk.ts';
import { requireEffect } from './trial.ts';
import { type Vouched, vouchedOfStatus } from './vouched.ts';

/** A node that was restarted is back within seconds. */
const TRIES = 3;
const TRY_AGAIN_MS = 3_000;
/** Milliseconds that a node may take to begin to sign once it is told to. */
const FORCE_MS_MAX = 10_000;

interface Parts {
  readonly config: Config;
  readonly layout: RegionLayout;
  readonly keys: RegionKeys;
  readonly published: PublicRegion;
}

export class RunningDesk implements Desk {
  readonly doOrdersOutlive = true;
  readonly config: Config;
  readonly layout: RegionLayout;
  readonly keys: RegionKeys;
  readonly #published: PublicRegion;
  readonly #client: AdminClient;
  readonly #modules: RegionModules;

  private constructor(
    { config, layout, keys, published }: Parts,
    client: AdminClient,
    modules: RegionModules,
  ) {
    this.config = config;
    this.layout = layout;
    this.keys = keys;
    this.#published = published;
    this.#client = client;
    this.#modules = modules;
  }

  /** @throws {NodeError} PEER_UNREACHABLE if no node answers there, or its secret is not at hand. */
  static async open(
    path: string,
    environment: Readonly<Record<string, string | undefined>>,
    modules: RegionModules,
  ): Promise<RunningDesk> {
    const client = await adminOf(path, environment);
    await asked(client.ask({ method: 'POST', path: '/v1/publish' }));
    const layout = new RegionLayout(resolve(path));
    const config = await readRegionConfig(layout, { environment });
    const { region, network } = config;
    const published = await readPublicRegion(layout.public, { region, network }, modules);
    const keys = await RegionKeys.open(layout.keys, config, modules);
    keys.follow(() => published.state);
    return new RunningDesk({ config, layout, keys, published }, client, modules);
  }

  get state(): TrustState {
    return this.#published.state;
  }

  get falseStart(): number | undefined {
    return this.#published.fold.falseStart;
  }

  async vouched(): Promise<readonly Vouched[]> {
    return vouchedOfStatus(await asked(this.#client.ask({ method: 'GET', path: '/v1/status' })));
  }

  async unsigned(): Promise<string | undefined> {
    const status = await asked(this.#client.ask({ method: 'GET', path: '/v1/status' }));
    const { writing, reason } = status as { readonly writing: string; readonly reason?: string };
    return writing === 'writing' ? undefined : (reason ?? `the node is ${writing}`);
  }

  /** Lets the node sign although too few peers have answered, and waits until it does. */
  async force(): Promise<void> {
    await this.#post('/v1/force');
    const endMs = performance.now() + FORCE_MS_MAX;
    for (;;) {
      const { writing } = (await asked(this.#client.ask({ method: 'GET', path: '/v1/status' }))) as {
        writing: string;
      };
      if (writing === 'writing' || performance.now() > endMs) return;
      await systemClock.wait(200, new AbortController().signal);
    }
  }

  async ordered(): Promise<Ordered> {
    return (await asked(this.#client.ask({ method: 'GET', path: '/v1/issue/ordered' }))) as Ordered;
  }

  async publish(): Promise<void> {
    await this.#post('/v1/publish');
  }

  size(log: string): Promise<number> {
    return this.#files(log).claimedSize();
  }

  async leaf(log: string, index: number): Promise<Uint8Array | undefined> {
    const size = await this.size(log);
    return index < size ? this.#files(log).entry(index, size) : undefined;
  }

  async receipt(log: string, index?: number): Promise<LogReceipt | undefined> {
    const query = new URLSearchParams({ log, ...(index !== undefined && { index: String(index) }) });
    const path = `/v1/receipt?${query.toString()}`;
    return (await asked(this.#client.ask({ method: 'GET', path }))) as LogReceipt;
  }

  async rootAt(log: string, size: number): Promise<Uint8Array> {
    const { sha256 } = this.#modules;
    const present = await this.size(log);
    return this.#files(log).withHashes(sha256, size, (source) => rootOf(sha256, size, source), present);
  }

  async appendByRoot(statements: readonly StatementDraft[]): Promise<number> {
    const signers = await this.keys.roots();
    const { region, network } = this.config;
    const origin = trustLogOrigin(region, network);
    const at = this.#modules.nowS();
    const entries = statements.map((statement) => {
      return signStatement(origin, encodeStatement({ ...statement, at }), signers);
    });
    return this.appendEntries(entries);
  }

  async appendEntries(entries: readonly Uint8Array[]): Promise<number> {
    const { fold, entries: before } = this.#published;
    const all = [...before, ...entries];
    const trial = fold.fork((from) => all.slice(from));
    requireEffect(entries, fold.size, firstFinding(trial, entries), this.#modules.nowS());
    // A key that these statements admit has to be at hand where it signs.
    await this.reload();
    const body = { entries: entries.map((entry) => Buffer.from(entry).toString('base64')) };
    const { index } = (await this.#post('/v1/entries', body)) as { index: number };
    return index;
  }

  async suspend(region: string): Promise<number> {
    const { index } = (await this.#post('/v1/suspend', { region })) as { index: number };
    return index;
  }

  async revoke(log: string, indexes: readonly number[], why?: string): Promise<void> {
    await this.#post('/v1/revoke', { log, indexes, ...(why !== undefined && { why }) });
  }

  async revokeForeign(hashes: readonly Uint8Array[], untilS: number): Promise<number> {
    const body = { hashes: hashes.map(hexOf), untilS };
    const { index } = (await this.#post('/v1/foreign-revocations', body)) as { index: number };
    return index;
  }

  async commitState(): Promise<number> {
    const { index } = (await this.#post('/v1/state')) as { index: number };
    return index;
  }

  /** Under a key, so that a node that dies meanwhile can be asked again without a second code for anybody; with `order` by another command too. */
  async issue(
    people: readonly Person[],
    { onSigned }: IssueOptions,
    order: BatchOrder = newOrder(this.#modules),
  ): Promise<readonly IssuedCode[]> {
    const lines = linesOfOrder(people, order);
    const placeOf = new Map(people.map(({ subject }, i) => [subject, i]));
    for (let tries = 1; ; tries++) {
      try {
        const issued = await giveOrder(this.#client, lines, order, { onSigned, isFirst: tries === 1 });
        return issued.sort((a, b) => (placeOf.get(a.subject) ?? 0) - (placeOf.get(b.subject) ?? 0));
      } catch (error) {
        if (tries === TRIES || !mayComeRight(error)) throw error;
        await systemClock.wait(TRY_AGAIN_MS, new AbortController().signal);
      }
    }
  }

  finishOrders(): Promise<UnfinishedOrders> {
    return Promise.resolve({ holders: new Set(), unread: [] });
  }

  async bridge(texts: readonly string[], onDone: (done: number) => void): Promise<readonly BridgedCode[]> {
    const request = { method: 'POST', path: '/v1/bridge/batch' } as const;
    const bridged: BridgedCode[] = [];
    for await (const answer of this.#lines(
      request,
      linesOf(texts, (code) => ({ code })),
    )) {
      const line = answer as IssuedCode & { readonly problem?: Problem };
      const { problem, subject, log, index, code } = line;
      bridged.push(problem === undefined ? { subject, log, index, code } : refusedBy(problem));
      onDone(bridged.length);
    }
    if (bridged.length < texts.length)
      throw new CliError(EXIT.undetermined, 'PEER_UNREACHABLE', 'the answer of the node broke off');
    return bridged;
  }

  /** What an earlier command left is told by the next one that opens the directory itself. */
  openHandovers(): Promise<readonly Handover[]> {
    return Promise.resolve([]);
  }

  closeHandovers(): Promise<void> {
    return Promise.resolve();
  }

  async *held({ subject, log, from }: Wanted): AsyncGenerator<Held | GivenUp, void, undefined> {
    const order = JSON.stringify({ subject, log, from });
    const request = { method: 'POST', path: '/v1/codes' } as const;
    for await (const line of this.#lines(request, [order], { type: 'application/json' }))
      yield line as HeldCodeLine | GivenUp;
  }

  /** Lets it cosign the logs of these regions, or of all that it can ask. */
  async witness(regions?: readonly string[]): Promise<WitnessedReport> {
    return (await this.#post('/v1/witness', { regions })) as WitnessedReport;
  }

  async importList(
    order: Omit<ListOrder, 'operator'>,
    file: AsyncIterable<Uint8Array>,
  ): Promise<ImportReport> {
    const { empty = false, ...others } = order;
    const query = new URLSearchParams({ ...others, asOfS: String(order.asOfS), empty: String(empty) });
    const request = { method: 'POST', path: `/v1/lists/import?${query.toString()}` } as const;
    return (await asked(this.#client.sendFile(request, file))) as ImportReport;
  }

  async findInLists(people: readonly Sought[]): Promise<readonly Found[]> {
    const request = { method: 'POST', path: '/v1/lists/find' } as const;
    const found: Found[] = [];
    for await (const line of this.#lines(request, linesOf(people))) found.push(line as Found);
    if (found.length === people.length) return found;
    throw new CliError(EXIT.undetermined, 'PEER_UNREACHABLE', 'the answer of the node broke off');
  }

  async listsInForce(): Promise<ReadonlyMap<ListKind, ListVersion>> {
    const newest = Object.entries(await this.#lists()).map(([kind, [first]]) => [kind, first]);
    return new Map(newest.filter((pair): pair is [ListKind, ListVersion] => pair[1] !== undefined));
  }

  async listVersions(kind: ListKind): Promise<readonly ListVersion[]> {
    return (await this.#lists())[kind];
  }

  async #lists(): Promise<Readonly<Record<ListKind, readonly ListVersion[]>>> {
    const answer = await asked(this.#client.ask({ method: 'GET', path: '/v1/lists' }));
    return (answer as { lists: Record<ListKind, readonly ListVersion[]> }).lists;
  }

  async declare(
    order: Omit<DeclarationOrder, 'operator'>,
    file: AsyncIterable<Uint8Array>,
  ): Promise<IntakeReport> {
    const query = new URLSearchParams({ ...order });
    const request = { method: 'POST', path: `/v1/declarations/import?${query.toString()}` } as const;
    return (await asked(this.#client.sendFile(request, file))) as IntakeReport;
  }

  async declared(
    subjects: readonly string[],
    rules: string,
  ): Promise<readonly (DeclaredFacts | undefined)[]> {
    const declared: (DeclaredFacts | undefined)[] = [];
    for (let at = 0; at < subjects.length; at += DECLARED_MAX) {
      const order = { rules, subjects: subjects.slice(at, at + DECLARED_MAX) };
      const { people } = (await this.#post('/v1/declarations/find', order)) as {
        people: readonly (DeclaredFacts | null)[];
      };
      declared.push(...people.map((one) => one ?? undefined));
    }
    return declared;
  }

  get life(): LifeDesk {
    return new RunningLife(this.#client, told);
  }

  async forget(order: ForgetOrder): Promise<Forgotten> {
    return (await this.#post('/v1/forget', order)) as Forgotten;
  }

  async operators(): Promise<readonly Operator[]> {
    const answer = await asked(this.#client.ask({ method: 'GET', path: '/v1/operators' }));
    return (answer as { readonly operators: readonly Operator[] }).operators;
  }

  async addOperator(operator: Omit<Operator, 'addedAtS'>): Promise<void> {
    await this.#post('/v1/operators', operator);
  }

  async removeOperator(name: string): Promise<void> {
    await this.#post('/v1/operators/remove', { name });
  }

  async disclose(order: DisclosureOrder): Promise<Disclosed> {
    const answer = await this.#post('/v1/disclosures', order);
    const { file, ...shown } = answer as Omit<Disclosed, 'bytes'> & { readonly file: string };
    return { ...shown, bytes: new Uint8Array(Buffer.from(file, 'base64')) };
  }

  get overrides(): OverrideDesk {
    const { region, network } = this.config;
    const client = this.#client;
    return new RunningOverrides({ region, network, signer: client.operator }, { ...this.#modules, client });
  }

  async reload(): Promise<void> {
    await this.#post('/v1/reload');
  }

  async *#lines(...args: Parameters<AdminClient['lines']>): AsyncGenerator<unknown, void, undefined> {
    try {
      yield* this.#client.lines(...args);
    } catch (error) {
      throw told(error);
    }
  }

  #post(path: string, body?: AdminRequest['body']): Promise<unknown> {
    return asked(this.#client.ask({ method: 'POST', path, body }));
  }

  #files(log: string): LogFiles {
    const { public: published } = this.layout;
    return new LogFiles(
      log === 'trust' ? trustLogPath(published) : join(attestationLogsPath(published), log),
    );
  }
}
