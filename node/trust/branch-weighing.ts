/** Another branch of a trust log, as a peer gave it, held against the one that a node has. Spec: SPEC.md 8.5. */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { type OpenedCheckpoint, openCheckpoint } from '../../protocol/log/checkpoint.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type BranchStanding, standingOfBranch } from '../../protocol/trust/branch.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { ForkProver } from '../log/fork-prover.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type HighWater } from '../ports.ts';
import { allVerifierKeys, logVerifierKeys } from './log-keys.ts';

/** All entries of another tree of a log from an index on up to its note. Those before are the ones that are held. */
export interface Branch {
  readonly from: number;
  readonly entries: readonly Uint8Array[];
  readonly note: Uint8Array;
}

export interface WeighedBranch {
  readonly standing: BranchStanding;
  /** Entries with which both begin. */
  readonly common: number;
  /** The other's from there on, what it folds to, and its checkpoint. */
  readonly entries: readonly Uint8Array[];
  readonly fold: TrustFold;
  readonly checkpoint: OpenedCheckpoint;
  readonly note: Uint8Array;
  /** What is held from there on, and what that folds to. */
  readonly heldEntries: readonly Uint8Array[];
  readonly heldFold: TrustFold;
  /** What proves the fork, and the keys that open it. */
  readonly evidence: ForkEvidence | undefined;
  readonly keys: readonly VerifierKey[];
}

export interface WeighingModules extends TrustModules {
  readonly tree: LogTree;
}

/**
 * Reads and folds the whole log, and the other branch beside it. Undefined where they are no two branches: one goes on from the other.
 * @throws {ProtocolError} PIN_MISMATCH for a log that begins otherwise; PROOF_INVALID for entries that are not those of the note; what `openCheckpoint` throws, by the keys that the
 * branch itself names and its root has not given up; ORIGIN_INVALID for a note of another log.
 */
export async function weighBranch(
  { region, network }: { readonly region: string; readonly network: string },
  branch: Branch,
  modules: WeighingModules,
): Promise<WeighedBranch | undefined> {
  const { tree, sha256, verifySignature } = modules;
  const held = await entriesOf(tree);
  const common = commonOf(held, branch);
  if (common === undefined) return undefined;
  if (common === 0) throw new ProtocolError('PIN_MISMATCH', `${tree.origin}: another root under this name`);
  const entries = branch.entries.slice(common - branch.from);
  const heldEntries = held.slice(common);
  const past = held.slice(0, common);
  const shared = new TrustFold({ region, network, history: (from) => past.slice(from) }, modules);
  for (const entry of past) shared.append(entry);
  const fold = foldedOn(shared, past, entries);
  const checkpoint = openCheckpoint(
    branch.note,
    logVerifierKeys(sha256, fold.state, tree.origin),
    verifySignature,
  );
  if (checkpoint.origin !== tree.origin)
    throw new ProtocolError('ORIGIN_INVALID', `expected a note of ${tree.origin}`);
  if (checkpoint.size !== fold.size || !equalBytes(checkpoint.root, fold.root))
    throw new ProtocolError('PROOF_INVALID', 'expected the entries of the note', { size: checkpoint.size });
  const heldFold = foldedOn(shared, past, heldEntries);
  const leafHashes = entries.map((entry) => leafHash(sha256, entry));
  const mark = await markBeside(tree, common, leafHashes);
  const words = notesBeyond(tree, common, mark).map((known) =>
    signersOf(known, [heldFold.state, fold.state], modules),
  );
  const standing = standingOfBranch(fold.state, { state: heldFold.state, words }, common);
  const theirs = { note: branch.note, size: fold.size, from: common, leafHashes, path: [] };
  const evidence = await new ForkProver(modules).againstTree(theirs, Math.min(held.length, fold.size));
  // Keys that another root than the one in force may have admitted prove nothing against the region.
  const states = standing === 'named' ? [heldFold.state, fold.state] : [heldFold.state];
  const keys = states.flatMap((state) => logVerifierKeys(sha256, state, tree.origin));
  const { note } = branch;
  return { standing, common, entries, fold, checkpoint, note, heldEntries, heldFold, evidence, keys };
}

/** All that is held. */
export async function entriesOf({ reader, head }: LogTree): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = [];
  for await (const entry of reader.entries(0, head.size)) entries.push(entry.slice());
  return entries;
}

/** Undefined where one goes on from the other. */
function commonOf(held: readonly Uint8Array[], { from, entries }: Branch): number | undefined {
  for (let i = 0; i < entries.length; i++) {
    const mine = held[from + i];
    if (mine === undefined) return undefined;
    if (!equalBytes(mine, entries[i] as Uint8Array)) return from + i;
  }
  return undefined;
}

function foldedOn(shared: TrustFold, past: readonly Uint8Array[], entries: readonly Uint8Array[]): TrustFold {
  const all = [...past, ...entries];
  const fold = shared.fork((from) => all.slice(from));
  for (const entry of entries) fold.append(entry);
  return fold;
}

/** The further mark in the second place: a word for what was held, unless it is on the other branch, which begins with `common` entries. */
async function markBeside(
  { shortfall, reader }: LogTree,
  common: number,
  leafHashes: readonly Uint8Array[],
): Promise<HighWater | undefined> {
  if (shortfall === undefined || shortfall.size > common + leafHashes.length) return shortfall;
  const frontier = await reader.frontierAt(common);
  for (const hash of leafHashes.slice(0, shortfall.size - common)) frontier.append(hash);
  return equalBytes(shortfall.root, frontier.root()) ? undefined : shortfall;
}

/** The notes under which entries from `common` on are or were held. `mark` is what the second place says beyond that. */
export function notesBeyond(
  { head: { signed, ahead } }: LogTree,
  common: number,
  mark: HighWater | undefined,
): Uint8Array[] {
  const notes = [
    signed !== undefined && signed.size > common ? signed.note : undefined,
    ahead?.note,
    mark?.note,
  ];
  return notes.filter((note) => note !== undefined);
}

/** The ids of the keys of any of the states that signed a note of a log; none if it opens by none. Whoever has been given up has signed it all the same. */
export function signersOf(
  note: Uint8Array,
  states: readonly TrustState[],
  { tree, sha256, verifySignature }: Pick<WeighingModules, 'tree' | 'sha256' | 'verifySignature'>,
): string[] {
  const named = states.flatMap((state) => allVerifierKeys(sha256, state, tree.origin));
  const keys = [...new Map(named.map((key) => [hexOf(key.publicKey), key])).values()];
  try {
    const { signers } = openCheckpoint(note, keys, verifySignature);
    return signers.map(({ publicKey }) => keyIdOf(sha256, publicKey));
  } catch (error) {
    if (isProtocolError(error)) return [];
    throw error;
  }
}
