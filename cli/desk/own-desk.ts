/** A region whose directory the command itself has opened. */
import { type LogReceipt } from '../../node/trust/log-receipt.ts';
import { type Disclosed, type DisclosureOrder, toldOfDisclosure } from '../../node/abuse/disclosing.ts';
import { isNodeError } from '../../node/node-error.ts';
import { type ForgetOrder, type Forgotten } from '../../node/issuing/forgetting.ts';
import { type Ordered } from '../../node/issuing/forgotten-marks.ts';
import { type Handover } from '../../node/issuing/handovers.ts';
import { type GivenUp, type HeldCode, textOfWanted, type Wanted } from '../../node/issuing/held-codes.ts';
import { type DeclarationOrder, type IntakeReport } from '../../node/life/intake.ts';
import { type UnfinishedOrders } from '../../node/life/judging.ts';
import { type DeclaredFacts } from '../../node/life/life.ts';
import { countingImport, countingIntake } from '../../node/life/tallies.ts';
import { DECLARED_MAX } from '../../node/life/updater.ts';
import { type ListKind } from '../../node/lists/kinds.ts';
import { type Found, SOUGHT_MAX } from '../../node/lists/list-view.ts';
import { type ImportReport, type ListOrder } from '../../node/lists/lists.ts';
import { type Sought } from '../../node/lists/matching.ts';
import { type ListVersion } from '../../node/lists/shelf.ts';
import { type StatementDraft } from '../../node/log/trust-log-work.ts';
import { type LogTree } from '../../node/log/log-tree.ts';
import { LogView } from '../../node/log/log-view.ts';
import { act, type Action, actInParts, type Tally } from '../../node/operators/acting.ts';
import { broughtBy } from '../../node/operators/brought-by.ts';
import { type OperatorKey } from '../../node/operators/operator-key.ts';
import { type Operator } from '../../node/operators/operators.ts';
import { type Actor } from '../../node/operators/scopes.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { type Region } from '../../node/region/region.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type LifeDesk, OwnLife } from '../life/life-desk.ts';
import { CliError } from '../exit.ts';
import { issuedCodeOf, type IssuedCode } from '../people/codes-file.ts';
import { type Person } from '../people/person.ts';
import { holdingsOfRegion } from '../snapshot-file.ts';
import { type BatchOrder, type BridgedCode, type Desk, type Held, type IssueOptions } from './desk.ts';
import { bridgeHere } from './own-bridging.ts';
import { issueHere } from './own-issuing.ts';
import { type OverrideDesk, OwnOverrides } from './override-desk.ts';
import { requireEffect } from './trial.ts';
import { type Vouched, vouchedOfTrust } from './vouched.ts';

/** Hears of every signature that the region's node makes on an attestation, and of documents that are hashed. */
export interface SigningMeter {
  onSigned: () => void;
  onHashed: (documents: number) => void;
}

export interface OwnDeskModules extends RegionModules {
  /** In whose name it acts. */
  readonly actor: Actor;
  /** The key of an operator who acts. */
  readonly signer: OperatorKey | undefined;
  readonly meter: SigningMeter;
}

export class OwnDesk implements Desk {
  readonly doOrdersOutlive = false;
  readonly #region: Region;
  readonly #modules: OwnDeskModules;

  constructor(region: Region, modules: OwnDeskModules) {
    this.#region = region;
    this.#modules = modules;
  }

  get config() {
    return this.#region.config;
  }

  get layout() {
    return this.#region.layout;
  }

  get keys() {
    return this.#region.keys;
  }

  get state() {
    return this.#region.state;
  }

  get falseStart() {
    return this.#region.node.keeper(this.config.region)?.fold.falseStart;
  }

  /** By the directories of peers, as a verifier reads them who goes by this one; nothing while that verifier takes nothing from them. */
  async vouched(): Promise<readonly Vouched[]> {
    try {
      const { trust } = (await holdingsOfRegion(this.layout.path, this.#modules)).holdings;
      return vouchedOfTrust(trust, this.#modules.nowS());
    } catch (error) {
      if (error instanceof CliError || isNodeError(error) || isProtocolError(error)) return [];
      throw error;
    }
  }

  unsigned(): Promise<string | undefined> {
    const { writing, reason } = this.#region.node.status;
    return Promise.resolve(writing === 'writing' ? undefined : (reason ?? `the node is ${writing}`));
  }

  size(log: string): Promise<number> {
    return Promise.resolve(this.#tree(log)?.size ?? 0);
  }

  async leaf(log: string, index: number): Promise<Uint8Array | undefined> {
    const tree = this.#tree(log);
    if (tree === undefined || index >= tree.size) return undefined;
    const view = new LogView(tree, this.#modules);
    for await (const leaf of view.entries(index, index + 1)) return leaf;
    return undefined;
  }

  async receipt(log: string, index?: number): Promise<LogReceipt | undefined> {
    const { receipts } = this.#region.node;
    const origin = this.#region.originOf(log);
    return index === undefined ? receipts.of(origin) : receipts.ofEntry(origin, index);
  }

  async rootAt(log: string, size: number): Promise<Uint8Array> {
    const tree = this.#tree(log);
    if (tree === undefined) throw new RangeError(`the region has no log ${log}`);
    return tree.reader.rootAt(size);
  }

  appendByRoot(statements: readonly StatementDraft[]): Promise<number> {
    const action = { action: 'entries', needs: 'trust', count: statements.length } as const;
    return this.#act(action, () => this.#region.append(statements, 'root'));
  }

  async appendEntries(entries: readonly Uint8Array[]): Promise<number> {
    const fold = this.#region.node.keeper(this.config.region)?.fold;
    if (fold !== undefined)
      requireEffect(entries, fold.size, await fold.firstFindingOf(entries), this.#modules.nowS());
    const action = { action: 'entries', needs: 'trust', count: entries.length } as const;
    return this.#act(action, () => this.#region.appendEntries(entries));
  }

  suspend(region: string, version: number): Promise<number> {
    return this.#act({ action: 'suspend', needs: 'trust', about: region }, () =>
      this.#region.append([{ kind: 'suspension', region, version }], 'trust-log'),
    );
  }

  revoke(log: string, indexes: readonly number[], why?: string): Promise<void> {
    const action = { action: 'revoke', needs: 'revoke', about: log, count: indexes.length } as const;
    const { node } = this.#region;
    return this.#act(action, async () => {
      await node.revoke({ log, indexes });
      const places = indexes.map((index) => ({ log, index }));
      if (why !== undefined) await node.life.revokedBecause(places, why);
    });
  }

  revokeForeign(hashes: readonly Uint8Array[], untilS: number): Promise<number> {
    const statement = {
      kind: 'foreign-revocation' as const,
      until: untilS,
      hashes: [...hashes],
    } satisfies StatementDraft;
    return this.#act({ action: 'foreign-revocations', needs: 'revoke', count: hashes.length }, () =>
      this.#region.append([statement], 'trust-log'),
    );
  }

  async commitState(): Promise<number> {
    const commit = () => this.#region.node.commitState();
    return (await this.#act({ action: 'state', needs: 'trust' }, commit)).index;
  }

  ordered(): Promise<Ordered> {
    return this.#region.node.once.marks.now();
  }

  issue(
    people: readonly Person[],
    options: IssueOptions,
    order?: BatchOrder,
  ): Promise<readonly IssuedCode[]> {
    const act = <T>(action: Action, work: (tally: Tally) => Promise<T>) => this.#act(action, work);
    return issueHere(people, options, order, { ...this.#modules, region: this.#region, act });
  }

  async finishOrders(): Promise<UnfinishedOrders> {
    const left = await this.#region.node.overrides.beside.finish();
    await this.#region.publish();
    return left;
  }

  bridge(texts: readonly string[], onDone: (done: number) => void): Promise<readonly BridgedCode[]> {
    const act = <T>(action: Action, work: () => Promise<T>) => this.#act(action, work);
    return bridgeHere(texts, onDone, { ...this.#modules, region: this.#region, act });
  }

  openHandovers(): Promise<readonly Handover[]> {
    return this.#region.node.handovers.open();
  }

  async closeHandovers(handovers: readonly Handover[]): Promise<void> {
    if (handovers.length === 0) return;
    const action = { action: 'handovers/close', needs: 'issue', count: handovers.length } as const;
    return this.#act(action, () => this.#region.node.handovers.close(handovers));
  }

  async *held(wanted: Wanted): AsyncGenerator<Held | GivenUp, void, undefined> {
    const action = { action: 'codes', needs: 'issue', about: textOfWanted(wanted) } as const;
    yield* await this.#inParts(action, (tally) => this.#heldLines(wanted, tally));
  }

  async *#heldLines(wanted: Wanted, tally: Tally): AsyncGenerator<Held | GivenUp, void, undefined> {
    for await (const held of this.#region.node.heldCodes.of(wanted)) {
      if ('givenUp' in held) {
        yield held;
        continue;
      }
      tally.done++;
      yield this.#heldOf(held);
    }
  }

  get #by(): Pick<ListOrder, 'operator'> {
    return { operator: broughtBy(this.#modules.actor) };
  }

  importList(order: Omit<ListOrder, 'operator'>, file: AsyncIterable<Uint8Array>): Promise<ImportReport> {
    return this.#act({ action: 'lists/import', needs: 'issue', about: order.kind }, (tally) =>
      countingImport(tally, this.#region.node.lists.import({ ...order, ...this.#by }, file)),
    );
  }

  async findInLists(people: readonly Sought[]): Promise<readonly Found[]> {
    const action = { action: 'lists/find', needs: 'issue', count: people.length } as const;
    const view = await this.#act(action, () => this.#region.node.lists.view());
    const found: Found[] = [];
    for (let at = 0; at < people.length; at += SOUGHT_MAX)
      found.push(...(await view.find(people.slice(at, at + SOUGHT_MAX))));
    return found;
  }

  listsInForce(): Promise<ReadonlyMap<ListKind, ListVersion>> {
    return this.#region.node.lists.inForce();
  }

  listVersions(kind: ListKind): Promise<readonly ListVersion[]> {
    return this.#region.node.lists.versions(kind);
  }

  declare(order: Omit<DeclarationOrder, 'operator'>, file: AsyncIterable<Uint8Array>): Promise<IntakeReport> {
    const action = { action: 'declarations/import', needs: 'issue', about: 'file' } as const;
    const take = (parts: AsyncIterable<Uint8Array>) =>
      this.#region.node.life.declare({ ...order, ...this.#by }, parts);
    return this.#act(action, (tally) => countingIntake(file, tally, take));
  }

  async declared(
    subjects: readonly string[],
    rules: string,
  ): Promise<readonly (DeclaredFacts | undefined)[]> {
    const { life } = this.#region.node;
    const action = { action: 'declarations/find', needs: 'issue', count: subjects.length } as const;
    return this.#act(action, async () => {
      const declared: (DeclaredFacts | undefined)[] = [];
      for (let at = 0; at < subjects.length; at += DECLARED_MAX)
        declared.push(...(await life.declared(subjects.slice(at, at + DECLARED_MAX), rules)));
      return declared;
    });
  }

  get life(): LifeDesk {
    return new OwnLife(this.#region.node.life, {
      by: this.#modules.actor,
      act: (action, work) => this.#act(action, work),
      inParts: (action, work) => this.#inParts(action, work),
    });
  }

  forget(order: ForgetOrder): Promise<Forgotten> {
    return this.#act({ action: 'forget', needs: 'revoke', count: 1 }, () => this.#region.node.forget(order));
  }

  operators(): Promise<readonly Operator[]> {
    return Promise.resolve(this.#region.operators.all);
  }

  addOperator(operator: Omit<Operator, 'addedAtS'>): Promise<void> {
    const addedAtS = this.#modules.nowS();
    const { operators } = this.#region;
    const action = { action: 'operators', needs: 'operators', about: operators.told(operator) } as const;
    return this.#act(action, () => operators.add({ ...operator, addedAtS }));
  }

  removeOperator(name: string): Promise<void> {
    const { operators } = this.#region;
    const action = { action: 'operators/remove', needs: 'operators', about: operators.toldOf(name) } as const;
    return this.#act(action, () => operators.remove(name, this.#modules.nowS()));
  }

  disclose(order: DisclosureOrder): Promise<Disclosed> {
    const action = { action: 'disclosures', needs: 'audit', ...toldOfDisclosure(order) } as const;
    return this.#act(action, async (tally) => {
      const disclosed = await this.#region.node.disclosing.disclose(order, this.#region.operators);
      tally.failed = disclosed.unread.leaves;
      return disclosed;
    });
  }

  get overrides(): OverrideDesk {
    const act = <T>(action: Action, work: (tally: Tally) => Promise<T> | T) => this.#act(action, work);
    const { node, operators } = this.#region;
    const { region, network } = this.config;
    const { signer, ...modules } = this.#modules;
    return new OwnOverrides(
      { region, network, signer },
      { ...modules, overrides: node.overrides, operators, act },
    );
  }

  publish(): Promise<void> {
    return this.#region.publish();
  }

  reload(): Promise<void> {
    return Promise.resolve();
  }

  #act<T>(action: Action, work: (tally: Tally) => Promise<T> | T): Promise<T> {
    return act(this.#region.trail, this.#modules.actor, action, work);
  }

  #inParts<T>(action: Action, work: (tally: Tally) => AsyncIterable<T>): Promise<AsyncIterableIterator<T>> {
    return actInParts(this.#region.trail, this.#modules.actor, action, work);
  }

  #heldOf(held: HeldCode): Held {
    const { holderKey } = held.fields;
    return {
      ...issuedCodeOf(this.#modules.sha256, held.subject, held),
      holderKey: holderKey && hexOf(holderKey),
    };
  }

  #tree(log: string): LogTree | undefined {
    return this.#region.node.log(this.#region.originOf(log));
  }
}
