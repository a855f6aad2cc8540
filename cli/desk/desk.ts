/**
 * What commands do with a region, whoever does it: the command itself, which has opened the directory, or the node that runs on
 * it and is asked through its admin address.
 */
import { type LogReceipt } from '../../node/trust/log-receipt.ts';
import { type Config } from '../../node/config/schema.ts';
import { type RegionLayout } from '../../node/region/layout.ts';
import { type Operator } from '../../node/operators/operators.ts';
import { type Disclosed, type DisclosureOrder } from '../../node/abuse/disclosing.ts';
import { type RegionKeys } from '../../node/region/region-keys.ts';
import { type GivenUp, type Wanted } from '../../node/issuing/held-codes.ts';
import { type ForgetOrder, type Forgotten } from '../../node/issuing/forgetting.ts';
import { type Ordered } from '../../node/issuing/forgotten-marks.ts';
import { type Handover } from '../../node/issuing/handovers.ts';
import { type DeclarationOrder, type IntakeReport } from '../../node/life/intake.ts';
import { type UnfinishedOrders } from '../../node/life/judging.ts';
import { type DeclaredFacts } from '../../node/life/life.ts';
import { type ListKind } from '../../node/lists/kinds.ts';
import { type Found } from '../../node/lists/list-view.ts';
import { type ImportReport, type ListOrder } from '../../node/lists/lists.ts';
import { type Sought } from '../../node/lists/matching.ts';
import { type ListVersion } from '../../node/lists/shelf.ts';
import { type StatementDraft } from '../../node/log/trust-log-work.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type LifeDesk } from '../life/life-desk.ts';
import { type IssuedCode } from '../people/codes-file.ts';
import { type Person } from '../people/person.ts';
import { type OverrideDesk } from './override-desk.ts';
import { type Vouched } from './vouched.ts';

/** A code of the registry. */
export interface Held extends IssuedCode {
  /** Public key of the device it is for, in hexadecimal. */
  readonly holderKey?: string | undefined;
}

/** The code that was issued for one of another region, or why none was. */
export type BridgedCode = IssuedCode | { readonly refused: string };

export interface IssueProgress {
  /** Documents whose hash is made, of those on paper. */
  readonly onHashed: (done: number) => void;
  /** Codes that are signed. */
  readonly onSigned: (done: number) => void;
}

export interface IssueOptions extends IssueProgress {
  /** Whether the others get their codes where somebody is refused, and all rows are one batch. */
  readonly leavesOut?: boolean;
}

/** A batch that can be ordered again, after whoever ordered it died: what was made then is the answer. */
export interface BatchOrder {
  /** 32 hexadecimal digits that nobody can foretell, of this batch alone. */
  readonly key: string;
  /** When this was ordered: how long its codes count rests on that. */
  readonly atS: number;
  /** When what it belongs to was begun: whoever was forgotten since gets nothing. */
  readonly since?: Ordered;
  /** Who has a code of it already, and gets none. */
  readonly has: ReadonlySet<string>;
}

/** Rejects with `NodeError` and `CliError`; what a node refuses comes with the code that it gave. */
export interface Desk {
  readonly config: Config;
  readonly layout: RegionLayout;
  readonly keys: RegionKeys;
  /** What says that something was ordered now: to be asked before, for `BatchOrder.since`. */
  ordered(): Promise<Ordered>;
  /** Whether an order goes on where the command that gave it dies: a node carries it out. */
  readonly doOrdersOutlive: boolean;
  /** What the region's trust log says by now. */
  readonly state: TrustState;
  /** As `TrustFold.falseStart`, of that log. */
  readonly falseStart: number | undefined;
  /** How many vouch for each region of which something is known, the own one among them. */
  vouched(): Promise<readonly Vouched[]>;
  /** Why nothing is signed, such as what a peer has seen of the region's logs that is not here; undefined while all is well. */
  unsigned(): Promise<string | undefined>;
  /** Entries of one of the region's logs, `trust` or the id of an attestation log; 0 where there is none. */
  size(log: string): Promise<number>;
  /** The attestation at a place; undefined where nothing was issued. @throws {NodeError} LOG_PRUNED for one that is given up. */
  leaf(log: string, index: number): Promise<Uint8Array | undefined>;
  /** Where one of the region's logs stands and who vouches for that, or for one entry with its proof; undefined where no signed checkpoint has that. */
  receipt(log: string, index?: number): Promise<LogReceipt | undefined>;
  /** The root that a log had at a size that it has reached. */
  rootAt(log: string, size: number): Promise<Uint8Array>;
  /** Logs statements that belong together, signed by the root here, and gives the index of the first. */
  appendByRoot(statements: readonly StatementDraft[]): Promise<number>;
  /** The same for entries that the root has signed elsewhere. @throws {NodeError} REFUSED, and logs none, if one would have no effect. */
  appendEntries(entries: readonly Uint8Array[]): Promise<number>;
  /** Suspends the recognition of a region, by the trust-log key. */
  suspend(region: string, version: number): Promise<number>;
  /** `why`: what holders who declared are told of it. */
  revoke(log: string, indexes: readonly number[], why?: string): Promise<void>;
  /** Revokes codes of others, by the trust-log key: 1 to 1,000 hashes, strictly ascending, that stay until `untilS`. */
  revokeForeign(hashes: readonly Uint8Array[], untilS: number): Promise<number>;
  commitState(): Promise<number>;
  /**
   * Issues a code to each person, in their order; by then they are logged and published. An order that is given again has the same people, and gives
   * none to those who were forgotten since it was given first.
   * @throws {PartlyIssued} where somebody is refused: a node has issued to the others by then, and a desk without one has where they may be left out, else to nobody.
   */
  issue(people: readonly Person[], options: IssueOptions, order?: BatchOrder): Promise<readonly IssuedCode[]>;
  /** Issues an attestation for each of these codes of other regions that passes here, in their order; by then they are published. */
  bridge(texts: readonly string[], onDone: (done: number) => void): Promise<readonly BridgedCode[]>;
  /**
   * Revokes what passes beside stricter codes of orders by rules that broke off, and gives who holds a looser one all the same, or may. A node that runs does that by
   * itself, and then it gives nobody. Rejects as `CodesBeside.finish`.
   */
  finishOrders(): Promise<UnfinishedOrders>;
  /** Batches of commands that broke off: they are finished, and nobody has confirmed that their codes arrived. */
  openHandovers(): Promise<readonly Handover[]>;
  closeHandovers(handovers: readonly Handover[]): Promise<void>;
  /** The codes of a person or of everybody, in one log or in all, and how many of each log are given up. */
  held(of: Wanted): AsyncIterable<Held | GivenUp>;
  /** Puts a list of background data in force. @throws {NodeError} REFUSED as `Lists.import`. */
  importList(order: Omit<ListOrder, 'operator'>, file: AsyncIterable<Uint8Array>): Promise<ImportReport>;
  /** What the lists in force say of each of these people, in their order. @throws {NodeError} as `Lists.view`. */
  findInLists(people: readonly Sought[]): Promise<readonly Found[]>;
  listsInForce(): Promise<ReadonlyMap<ListKind, ListVersion>>;
  /** The versions of a list, that in force first. */
  listVersions(kind: ListKind): Promise<readonly ListVersion[]>;
  /** Takes declarations of people: all of a file, or none. */
  declare(order: Omit<DeclarationOrder, 'operator'>, file: AsyncIterable<Uint8Array>): Promise<IntakeReport>;
  /** What people declared, in their order, as these rules ask for it; undefined for who has not. */
  declared(subjects: readonly string[], rules: string): Promise<readonly (DeclaredFacts | undefined)[]>;
  /** The colours of people who declared. */
  readonly life: LifeDesk;
  /** Destroys what opens a person's codes. @throws {NodeError} NOT_FOUND, REFUSED as `Forgetting.forget`. */
  forget(order: ForgetOrder): Promise<Forgotten>;
  /** Who the operators of the region are. */
  operators(): Promise<readonly Operator[]>;
  /** @throws {NodeError} as `Operators.add`. */
  addOperator(operator: Omit<Operator, 'addedAtS'>): Promise<void>;
  /** @throws {NodeError} as `Operators.remove`. */
  removeOperator(name: string): Promise<void>;
  /** Colours without a rule. */
  readonly overrides: OverrideDesk;
  /** Opens a stretch of a log for an auditor. Rejects as `Disclosing.disclose`. */
  disclose(order: DisclosureOrder): Promise<Disclosed>;
  /** All that is in the logs stands in the published files. */
  publish(): Promise<void>;
  /** Whoever runs the region takes up what has changed in its config and its folder of keys. */
  reload(): Promise<void>;
}
