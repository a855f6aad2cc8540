/** The parts of a node that know people: background data, who declared, codes on their way to somebody. */
import { type BulkAlarm, type BulkKind, type BulkSpan } from '../abuse/bulk-kept.ts';
import { type BulkLimits, BulkWatch } from '../abuse/bulk-watch.ts';
import { Overrides } from '../abuse/overrides.ts';
import { Disclosing, type DisclosingModules } from '../abuse/disclosing.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type ForgettingDeclared } from '../issuing/forgetting.ts';
import { Handovers } from '../issuing/handovers.ts';
import { IssueOnce, type IssueOnceModules, type IssueOnceOptions } from '../issuing/issue-once.ts';
import { StagingGate } from '../issuing/staging-gate.ts';
import { rulesInForce } from '../life/known.ts';
import { Life, type LifeModules, type LifeOptions } from '../life/life.ts';
import { Lists } from '../lists/lists.ts';
import { Registry, type RegistryModules } from '../registry/registry.ts';
import { requireHere } from '../registry/whereabouts.ts';
import { NodeError } from '../node-error.ts';
import { type Store } from '../store/store.ts';

export interface PeopleModules
  extends
    Omit<LifeModules, 'lists' | 'node' | 'finishOrders' | 'refusalToStage' | 'lately'>,
    Pick<IssueOnceModules, 'sizes'>,
    Primitives {
  readonly store: Store;
  readonly keys: { readonly trustLog: DisclosingModules['signer'] };
  readonly node: LifeModules['node'] &
    Pick<IssueOnceModules, 'issue' | 'tend'> & { log: DisclosingModules['log'] };
  /** Throws why it does not sign: what a machine that follows holds may be of batches that were given up. */
  readonly requireSide: () => unknown;
  /** Told of each alarm once. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

export interface PeopleOptions extends LifeOptions, IssueOnceOptions {
  readonly region: string;
  readonly network: string;
  readonly alarms: BulkLimits;
}

/** @throws {NodeError} REGISTRY_ELSEWHERE, and as `Registry.open`. */
export async function openRegistry(
  { registryKey: key }: IssueOnceOptions,
  modules: RegistryModules & { readonly store: Store },
): Promise<Registry> {
  await requireHere(modules.store, modules.tables);
  return Registry.open({ key }, modules);
}

export function peopleOf(options: PeopleOptions, modules: PeopleModules) {
  const { store, node, requireSide } = modules;
  const zone = (nowS: number) => rulesInForce(modules.state(), options.rulesForPeople, nowS)?.zone;
  const onImported = () => life.news.tell('anybody');
  const lists = new Lists({ key: options.registryKey }, { ...modules, zone, onImported });
  const finishOrders: LifeModules['finishOrders'] = () => overrides.beside.finish();
  const refusalToStage: LifeModules['refusalToStage'] = (...asked) => gate.refusalToStage(...asked);
  const lately: LifeModules['lately'] = (subjects) => once.marks.lately(subjects);
  const life: Life = new Life(options, { ...modules, lists, finishOrders, refusalToStage, lately });
  const issue: IssueOnceModules['issue'] = (request) => node.issue(request);
  const tend: IssueOnceModules['tend'] = () => node.tend();
  const held = () => (requireSide(), node.heldCodes);
  const once = new IssueOnce(options, { ...modules, issue, tend, held });
  const gate: StagingGate = new StagingGate(once);
  // Where records are kept apart an update may be waiting for whoever takes them back.
  const takeBack: Life['takeBack'] = async (codes, subjects, write) => {
    if (modules.tables === store) return life.takeBack(codes, subjects, write);
    await life.takeBackNow(codes, subjects);
    await write?.([]);
  };
  const onAlarm = (alarm: BulkAlarm) => modules.onTrouble?.(bulkChange(alarm));
  const watch = new BulkWatch(options.alarms, { ...modules, onAlarm });
  const overrides: Overrides = new Overrides(options, {
    ...modules,
    once,
    watch,
    held: () => node.heldCodes,
    meanwhile: (work) => life.meanwhile(work),
    revoke: (revocation) => node.revoke(revocation),
  });
  const disclosing = new Disclosing(options, {
    ...modules,
    signer: (atS) => modules.keys.trustLog(atS),
    log: (origin) => node.log(origin),
  });
  return {
    lists,
    life,
    once,
    gate,
    takeBack,
    overrides,
    disclosing,
    watch,
    handovers: new Handovers({ store }),
  };
}

const CHANGED: Readonly<Record<BulkKind, string>> = {
  stricter: 'yellow and red codes issued',
  revoked: 'codes revoked',
  override: 'people whose colour no rule gave',
  told: 'yellow and red codes that rest on what one operator told alone',
  numbersStricter: 'numbers that a list turned stricter',
  numbersLooser: 'numbers that a list turned looser',
};

const WITHIN: Readonly<Record<BulkSpan, string>> = { hour: 'an hour', day: 'a day' };

function bulkChange({ kind, span, count, limit }: BulkAlarm): NodeError {
  return new NodeError('BULK_CHANGE', `${count} ${CHANGED[kind]} within ${WITHIN[span]}, above ${limit}`, {
    hint: 'Ask who ordered that: `entente trail show` says it.',
  });
}

/** Destroys what was declared and what was proposed for somebody. As `Life.forget`. */
export function forgetDeclaredBy({
  life,
  overrides,
}: {
  readonly life: Life;
  readonly overrides: Overrides;
}) {
  return async (subject: string, forgetting: ForgettingDeclared): Promise<boolean> => {
    const wasDeclared = await life.forget(subject, forgetting);
    await overrides.forget(subject);
    return wasDeclared;
  };
}
