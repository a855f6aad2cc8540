/**
 * Letting go what a node remembers of a trust log besides its entries: the mark in the second place, the checkpoint that its witness saw
 * last. They outlive the store, so they may name a branch whose entries are gone, and which the root has given up since. Spec: SPEC.md 8.5.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { type OpenedCheckpoint, openCheckpoint } from '../../protocol/log/checkpoint.ts';
import { isGivenUp } from '../../protocol/trust/branch.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type HighWater } from '../ports.ts';
import { type Branch, entriesOf, signersOf } from './branch-weighing.ts';
import { type TrustKeeperOptions } from './keeper-options.ts';
import { type KnownRoots } from './known-roots.ts';
import { logVerifierKeys } from './log-keys.ts';

export interface MarkReleaseModules extends TrustModules {
  readonly tree: LogTree;
  readonly roots: KnownRoots;
}

/**
 * Puts the checkpoint of a log that goes on from what is held in the place of the mark that is further, if that log gives the mark up; false if it does
 * not. Nothing of the log is stored yet.
 * @throws {ProtocolError} PROOF_INVALID for entries that are not those of the note; ORIGIN_INVALID for a note of another log; what `openCheckpoint` throws, by the keys
 * that the log itself names and has not given up. @throws {NodeError} as `LogTree.remark`.
 */
export async function releaseMark(
  { region, network, fingerprint }: TrustKeeperOptions,
  { from, entries, note }: Branch,
  modules: MarkReleaseModules,
): Promise<boolean> {
  const { tree, roots, sha256, verifySignature } = modules;
  const { size, shortfall: mark } = tree;
  if (mark === undefined || from !== size || tree.head.minimum > 0) return false;
  const all = [...(await entriesOf(tree)), ...entries];
  const fold = new TrustFold({ region, network, history: (index) => all.slice(index) }, modules);
  let rootThere: Uint8Array | undefined;
  for (const entry of all) {
    fold.append(entry);
    if (fold.size === mark.size) rootThere = fold.root;
  }
  const { state } = fold;
  // Anybody can begin a log of this name: without a pin, and with nothing held, this one tells nothing of the region.
  const pin = fingerprint ?? (size > 0 ? state.fingerprint : undefined);
  if (pin === undefined || state.fingerprint === undefined || !equalBytes(pin, state.fingerprint))
    return false;
  const checkpoint = openCheckpoint(note, logVerifierKeys(sha256, state, tree.origin), verifySignature);
  requireTreeOf(checkpoint, fold, tree.origin);
  if (!(await roots.areIn(state))) return false;
  if (!isCheckpointGivenUp(state, mark, { rootThere, since: await roots.version() }, modules)) return false;
  await tree.remark({ size: checkpoint.size, root: checkpoint.root, note });
  return true;
}

/** Whether a state gives up a checkpoint that is known by its note alone. `rootThere` is the root of the state's log at that size; `since`: see `isGivenUp`. */
export function isCheckpointGivenUp(
  state: TrustState,
  { size, root, note }: HighWater,
  { rootThere, since }: { readonly rootThere: Uint8Array | undefined; readonly since: number },
  modules: Pick<MarkReleaseModules, 'tree' | 'sha256' | 'verifySignature'>,
): boolean {
  return isGivenUp(state, { size, root, signers: signersOf(note, [state], modules) }, rootThere, since);
}

function requireTreeOf(
  { origin, size, root }: OpenedCheckpoint,
  fold: Pick<TrustFold, 'size' | 'root'>,
  expected: string,
): void {
  if (origin !== expected) throw new ProtocolError('ORIGIN_INVALID', `expected a note of ${expected}`);
  if (size !== fold.size || !equalBytes(root, fold.root))
    throw new ProtocolError('PROOF_INVALID', 'expected the entries of the note', { size });
}
