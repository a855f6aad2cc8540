/** Whether a node may begin to sign: what its peers hold of its own logs, and what its root has signed of them, or what its operator decided instead. */
import { type Sha256 } from '../../protocol/primitives.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import {
  type BootCheckModules,
  type BootCheckOptions,
  type BootFinding,
  checkOwnLogs,
  refusalOf,
} from '../sync/boot-check.ts';
import { type LogMender } from '../sync/log-mender.ts';
import { withLeftOut } from './left-out.ts';
import { type LogShelf } from './log-shelf.ts';
import { findCaughtUp, findForked, findNamed } from './named-trees.ts';
import { type NODE_DEFAULTS, type RegionNodeModules, type RegionNodeOptions } from './node-options.ts';

type CheckOptions = Pick<RegionNodeOptions & typeof NODE_DEFAULTS, 'bootQuorum' | 'fingerprint'>;

export interface OwnLogsCheckModules extends Pick<
  BootCheckModules,
  'client' | 'puller' | 'regionOf' | 'shown'
> {
  readonly sha256: Sha256;
  readonly shelf: LogShelf;
  readonly mender: LogMender;
  readonly meet?: RegionNodeModules['meet'];
  /** Aborted when the node stops. */
  readonly stopping: AbortSignal;
}

export interface CheckDecision {
  readonly forced?: boolean;
  readonly givenUp?: BootCheckOptions['givenUp'];
  /** Another tree of a log is known, and the root is about to say which goes on: only what they show by keys that go on binds. */
  readonly isDivided?: boolean;
}

/**
 * `forced`: the operator signs although too few peers answered; what any of them shows or has shown, or another tree that the root has signed, binds all the same. So does a proof
 * of two trust logs that the root has not settled: a copy of this node, or somebody with its keys, has signed the other. Rejects as `checkOwnLogs` and `findNamed`, and with
 * what is damaged in the trust log.
 */
export async function findOwnLogs(
  { bootQuorum, fingerprint }: CheckOptions,
  { shelf, mender, meet, stopping, ...modules }: OwnLogsCheckModules,
  { forced = false, givenUp = [], isDivided = false }: CheckDecision = {},
): Promise<BootFinding> {
  await shelf.followAll();
  await meet?.(stopping);
  const { home, ownLogs } = shelf;
  await mender.mend();
  if (home.damage !== undefined) throw home.damage;
  const { state } = home;
  const isLost = home.tree.size === 0 && fingerprint !== undefined;
  const needed = Math.max(isLost ? 1 : 0, bootQuorum(recognisedDirectly(state)));
  for (const log of ownLogs) log.look({ isAnew: true });
  const passedOver = ownLogs.filter(({ isUncertain }) => isUncertain);
  const found = await checkOwnLogs(
    { needed, givenUp },
    { ...modules, logs: () => ownLogs, isAllAsked: () => home.state === state },
  );
  // Another check may have begun meanwhile: what this one has passed over waits all the same.
  for (const log of passedOver) log.suspend();
  for (const log of shelf.ownLogs) log.look({ isAnew: false });
  const isInTheWay =
    found.finding === 'behind' || (found.finding === 'contradicted' && (found.signers ?? []).length > 0);
  if (isDivided) return isInTheWay ? found : { finding: 'clear' };
  // Who shows another tree is named, where somebody just did.
  const forked = found.finding === 'contradicted' ? undefined : findForked(shelf);
  if (forked !== undefined) return forked;
  // By the trust log as it is now: what has just been fetched of it may say so.
  const isFree = found.finding === 'clear' || found.finding === 'alone';
  // Whoever brought meanwhile what was missing need not have had all: peers are asked anew at once.
  const caughtUp = findCaughtUp(shelf);
  if (isFree && caughtUp !== undefined)
    return { finding: 'behind', origin: caughtUp.origin, size: caughtUp.tree.size };
  const named = isFree ? await findNamed(shelf, shelf.ownLogs) : undefined;
  if (named !== undefined) return named;
  const { finding } = found;
  if (forced && finding === 'alone' && !isLost) return { finding: 'clear' };
  // The region has a log, and this store has nothing of it.
  if (isLost && (finding === 'clear' || finding === 'alone')) {
    return { finding: 'behind', origin: home.origin, size: 0 };
  }
  return found;
}

/** Looks for one order while pieces come in. */
const LOOKS_MAX = 64;

/** @throws {NodeError} why it may not sign, as far as peers hold more of the own logs than they give or too few answer. Rejects as `findOwnLogs`. */
export async function requireWhole(
  options: CheckOptions,
  modules: OwnLogsCheckModules,
  decision: CheckDecision,
): Promise<void> {
  const { shelf, sha256 } = modules;
  const { givenUp = [] } = decision;
  for (let looks = 1; ; looks++) {
    const held = shelf.ownSize;
    const found = await findOwnLogs(options, modules, decision);
    // It has caught up a piece: the next look tells whether that was all.
    if (found.finding === 'behind' && shelf.ownSize > held && looks < LOOKS_MAX) continue;
    const refusal = refusalOf(found, shelf.logs);
    if (refusal === undefined) return;
    throw withLeftOut(refusal, ('signers' in found && found.signers) || [], givenUp, sha256);
  }
}

/** The regions that a region recognises without another in between. */
export function recognisedDirectly(state: TrustState | undefined): readonly string[] {
  if (state === undefined) return [];
  const known = DIRECT.get(state);
  if (known !== undefined) return known;
  const found = [...state.recognitions()]
    .filter((one) => one.standing === 'recognised' && one.way === 'direct')
    .map(({ region }) => region);
  DIRECT.set(state, found);
  return found;
}

/** A state does not change, and is asked before each signature. */
const DIRECT = new WeakMap<TrustState, readonly string[]>();
