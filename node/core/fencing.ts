/** Putting together what lets a node write where witnesses fence that. */
import { equalBytes } from '../../protocol/bytes.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { parseEntry, parseStatement } from '../../protocol/trust/statement.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type GrownTree } from '../log/log-writer.ts';
import { NodeError } from '../node-error.ts';
import { type Signer } from '../ports.ts';
import { logVerifierKeys } from '../trust/log-keys.ts';
import { type Store } from '../store/store.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type Voters } from '../writer/hearing.ts';
import { type OwnTree, type WritershipModules } from '../writer/writer-ports.ts';
import { PERMITTED_LOGS_MAX } from '../writer/writer-record.ts';
import { Writership } from '../writer/writership.ts';
import { GivingUp } from './giving-up.ts';
import { withLeftOut } from './left-out.ts';
import { type LogShelf } from './log-shelf.ts';
import { type RegionNodeModules, type RegionNodeOptions } from './node-options.ts';
import { recognisedDirectly } from './own-logs-check.ts';

export interface FencingModules
  extends RegionNodeModules, Pick<WritershipModules, 'client' | 'onReign' | 'onHeld'> {
  readonly store: Store;
  readonly shelf: LogShelf;
  readonly keeper: (region: string) => TrustKeeper | undefined;
}

/** What lets a node write, and lets its root give up the key by which it says so. */
export interface Fence {
  readonly writership: Writership;
  readonly giving: GivingUp;
}

/** Undefined for a region whose node is the only one that ever writes. */
export function fenceFor(options: RegionNodeOptions, modules: FencingModules): Fence | undefined {
  return options.fenced === undefined ? undefined : fenceOf(options, options.fenced.identity, modules);
}

/** Whether the root has given up a checkpoint key of the region: then a machine may have written whose claim nobody shows any more. */
export function hasGivenUp(fence: Fence | undefined): boolean {
  const keys = fence?.giving.state?.keysWithRole('checkpoint') ?? [];
  return [...keys].some(({ compromise }) => compromise !== undefined);
}

/**
 * Claims to write in the place of another machine, by a key that witnesses know: what that was about to give up is shown to them first.
 * Rejects as `GivingUp.showStaged` and `Writership.take`.
 */
export async function claimToWrite(modules: {
  readonly shelf: LogShelf;
  readonly fence?: Fence | undefined;
}): Promise<void> {
  const { fence, shelf } = modules;
  await fence?.giving.showStaged(shelf.home.tree);
  await fence?.writership.take('promote');
}

/**
 * For a node that nobody fences: a copy of a region from before its writer was fenced must not sign beside it.
 * `givenUp`: public keys that the root is about to give up; what these have claimed counts for nothing.
 * @throws {NodeError} LOG_FENCED if any witness knows of a writer.
 */
export async function requireUnfenced(
  options: RegionNodeOptions,
  modules: FencingModules,
  givenUp: readonly Uint8Array[] = [],
): Promise<void> {
  if (options.isFenceIgnored === true) return;
  const claimants = await fenceOf(options, new Uint8Array(32), modules).writership.claimants();
  const others = claimants.filter((key) => !givenUp.some((one) => equalBytes(one, key)));
  if (others.length === 0) return;
  const refusal = new NodeError(
    'LOG_FENCED',
    'witnesses fence the writer of this region, and the config here does not say so',
    {
      fatal: true,
      hint: 'Set `writer.fenced: true` in entente.yaml and start it again: then it follows whoever writes. If nobody else does, a checkpoint key is stolen: entente key compromise DIR --key ID --cut-off trust=now.',
    },
  );
  throw withLeftOut(refusal, others, givenUp, modules.sha256);
}

/** Of a promotion where nobody would fence the one that writes. */
export function notFenced(): NodeError {
  return new NodeError('REFUSED', 'no witness fences the writer of this region', {
    hint: 'Make a standby with `entente standby make`, and start both machines again.',
  });
}

function fenceOf(
  { region, network }: RegionNodeOptions,
  writer: Uint8Array,
  { keeper, shelf, ...modules }: FencingModules,
): Fence {
  const origin = trustLogOrigin(region, network);
  const witnesses = () => recognisedDirectly(keeper(region)?.state);
  const home = () => keeper(region);
  const giving = new GivingUp(origin, {
    ...modules,
    witnesses,
    home,
    named: async (entries) => {
      const own = home();
      return own === undefined ? [] : namedBy(own, { origin, from: own.fold.size, entries });
    },
  });
  const writership = new Writership(
    { origin, writer },
    {
      ...modules,
      witnesses,
      folded: () => keeper(region)?.state.size ?? 0,
      trees: () => signedTrees(shelf),
      checkpointKey: (atS) => modules.keys.checkpointBy(giving.state, atS),
      keys: () => {
        const { state } = giving;
        return state === undefined ? [] : logVerifierKeys(modules.sha256, state, origin);
      },
    },
  );
  return { writership, giving };
}

/** The trust log, and of the others those of the latest months: their names sort so. */
function signedTrees({ ownLogs }: LogShelf): OwnTree[] {
  return ownLogs
    .filter(({ tree }) => tree.trouble === undefined)
    .sort((one, other) => (one.origin < other.origin ? -1 : 1))
    .slice(-PERMITTED_LOGS_MAX)
    .map(({ origin, tree }) => {
      const { size, root } = tree.head;
      return { origin, size, root, rootAt: (at: number) => tree.reader.rootAt(at) };
    });
}

/** Kinds of statements that never change whom the region recognises. */
const INDIFFERENT: readonly Statement['kind'][] = [
  'revocation',
  'foreign-revocation',
  'log',
  'state',
  'node',
  'rules',
];

type Home = Pick<TrustKeeper, 'origin' | 'fold' | 'state'>;

/** Has a tree permitted, of the trust log by those too whom it names as witnesses. Gives what `Writership.permit` gives; rejects as that and `RegionFold.statesAfter`. */
export async function permitTree(
  home: Home,
  writership: Writership,
  tree: GrownTree,
): Promise<Signer | undefined> {
  return writership.permit({ ...tree, named: await namedBy(home, tree) });
}

/**
 * Makes sure, before entries are made durable by which the region has other witnesses, that enough of those let it write.
 * Rejects as `Writership.sound` and `RegionFold.statesAfter`.
 */
export async function soundOut(
  home: Home,
  writership: Writership | undefined,
  entries: readonly Uint8Array[],
): Promise<void> {
  const { origin, fold } = home;
  await writership?.sound(await namedBy(home, { origin, from: fold.size, entries }));
}

/** Whom the trust log names after each of the entries that are about to be signed, where that changes. */
async function namedBy(
  { origin, fold, state }: Home,
  { origin: of, from, entries }: Pick<GrownTree, 'origin' | 'from' | 'entries'>,
): Promise<Voters[]> {
  if (of !== origin || entries.every(isIndifferent)) return [];
  return changesOf(recognisedDirectly(state), await fold.statesAfter(from, entries));
}

function changesOf(now: Voters, states: readonly TrustState[]): Voters[] {
  const named: Voters[] = [];
  for (const state of states) {
    const next = recognisedDirectly(state);
    if (next.join() !== (named.at(-1) ?? now).join()) named.push(next);
  }
  return named;
}

function isIndifferent(entry: Uint8Array): boolean {
  return INDIFFERENT.includes(parseStatement(parseEntry(entry).body).kind);
}
