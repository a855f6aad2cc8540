/** One region's trust log as a reader of snapshots holds it, and how a part makes it grow. Spec: SPEC.md 10. */
import { equalBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { type Checkpoint, parseCheckpoint } from '../log/checkpoint.ts';
import { Frontier } from '../log/frontier.ts';
import { leafHash } from '../log/merkle.ts';
import { parseNote } from '../log/note.ts';
import { type Sha256 } from '../primitives.ts';
import { type FoldBase } from '../trust/boot.ts';
import { TrustFold } from '../trust/fold.ts';
import { type TrustModules } from '../trust/verify-statement.ts';
import { type SnapshotPart } from './snapshot.ts';

/** Immutable: the fold is never appended to, only forks of it are. */
export interface HeldLog {
  readonly fold: TrustFold;
  readonly base: FoldBase;
  /** From `base.index` to the size of the fold. */
  readonly entries: readonly Uint8Array[];
}

/** The log that a part makes, and what the part says of the tree that was held before. */
export interface OfferedLog extends HeldLog {
  /** Undefined if nothing was held, or the part starts behind what was. */
  readonly rootAtHeldSize: Uint8Array | undefined;
}

/**
 * The log of a part, folded: on from what `held` has before it if the part is a delta, by itself if it is full. Its entries are proven to be
 * those of the tree that the checkpoint names; whether the checkpoint is signed is not looked at.
 * @throws {ProtocolError} SNAPSHOT_INCOMPLETE for a delta that does not go on from anything in `held` or a checkpoint of another size;
 * ROLLBACK, with both sizes; PROOF_INVALID for another root; STATE_MISMATCH for a base that is none, or that leads to another state
 * than what is held of the same tree; HISTORY_NEEDED for a delta
 * that only a full part can bring; what `parseNote` and `parseCheckpoint` throw.
 */
export function offeredLog(
  part: SnapshotPart,
  network: string,
  held: HeldLog | undefined,
  modules: TrustModules,
): OfferedLog {
  const { from, base, entries } = part;
  const checkpoint = parseCheckpoint(parseNote(part.checkpoint).text);
  const isDelta = base === undefined;
  if (isDelta && (held === undefined || from < held.base.index || from > held.fold.size)) {
    throw incomplete('a delta that goes on from what is held', { from, held: held?.fold.size ?? 0 });
  }
  if (checkpoint.size !== from + entries.length) {
    throw incomplete('entries up to the checkpoint', { end: from + entries.length, size: checkpoint.size });
  }
  if (held !== undefined && checkpoint.size < held.fold.size) {
    const details = { held: held.fold.size, offered: checkpoint.size };
    throw new ProtocolError(
      'ROLLBACK',
      `holds ${details.held} entries, is offered ${details.offered}`,
      details,
    );
  }
  const rootAtHeldSize = provenRoot(part, checkpoint, held, modules);
  const isSameTree = rootAtHeldSize && held && equalBytes(rootAtHeldSize, held.fold.root);
  if (isDelta && held !== undefined) {
    if (isSameTree) return { ...grownLog(held, entries.slice(held.fold.size - from)), rootAtHeldSize };
    const branch = { region: part.region, entries: [...entriesBefore(held, from), ...entries] };
    return { ...startedLog(branch, held.base, network, modules), rootAtHeldSize };
  }
  // From its first entry on a log leans on no base.
  const known = isSameTree && from > 0 ? knownFrom(held, part) : undefined;
  const log = startedLog(part, { index: from, frontier: [], items: [], ...base }, network, modules, known);
  return { ...log, rootAtHeldSize };
}

function entriesBefore({ base, entries }: HeldLog, from: number): readonly Uint8Array[] {
  return entries.slice(0, from - base.index);
}

/** Holds the entries against the checkpoint, and gives the root at the held size if the tree passes through it. */
function provenRoot(
  { from, base, entries }: SnapshotPart,
  checkpoint: Checkpoint,
  held: HeldLog | undefined,
  { sha256 }: TrustModules,
): Uint8Array | undefined {
  const tree = base === undefined ? heldTree(held, from, sha256) : Frontier.of(sha256, from, base.frontier);
  let rootAtHeldSize = tree.size === held?.fold.size ? tree.root() : undefined;
  for (const entry of entries) {
    tree.append(leafHash(sha256, entry));
    if (tree.size === held?.fold.size) rootAtHeldSize = tree.root();
  }
  if (equalBytes(tree.root(), checkpoint.root)) return rootAtHeldSize;
  throw new ProtocolError('PROOF_INVALID', 'the entries are not those of the checkpoint', {
    size: tree.size,
  });
}

/** The tree that the held log had at a size that it holds the entries for. */
function heldTree(held: HeldLog | undefined, size: number, sha256: Sha256): Frontier {
  if (held === undefined) return Frontier.of(sha256, 0, []);
  if (size === held.fold.size) return Frontier.of(sha256, size, held.fold.frontier);
  const tree = Frontier.of(sha256, held.base.index, held.base.frontier);
  for (const entry of entriesBefore(held, size)) tree.append(leafHash(sha256, entry));
  return tree;
}

function grownLog(held: HeldLog, more: readonly Uint8Array[]): HeldLog {
  const { base } = held;
  const entries = [...held.entries, ...more];
  const fold = held.fold.fork((fromIndex) => entries.slice(fromIndex - base.index));
  for (const entry of more) fold.append(entry);
  return { fold, base, entries };
}

/** The fold that is held, at the size at which a part that starts from a base is first folded, if that is more. */
function knownFrom(held: HeldLog, { from, entries }: SnapshotPart): TrustFold {
  return held.fold.size > from ? held.fold : grownLog(held, entries.slice(0, 1)).fold;
}

/** A base may keep silent about what is held, and with it the `state` statement that has no effect for whoever folds it there. */
function requireSameState(fold: TrustFold, known: TrustFold): void {
  const { lastAtS } = known.state;
  if (equalBytes(fold.commitmentAt(lastAtS).root, known.commitmentAt(lastAtS).root)) return;
  throw new ProtocolError('STATE_MISMATCH', 'its base leads to another state than the one that is held', {
    size: known.size,
  });
}

/** `known`: a fold of the same tree at some size, which has to come to the same. */
function startedLog(
  { region, entries }: Pick<SnapshotPart, 'region' | 'entries'>,
  base: FoldBase,
  network: string,
  modules: TrustModules,
  known?: TrustFold,
): HeldLog {
  const options = { region, network, history: (fromIndex: number) => entries.slice(fromIndex - base.index) };
  let fold: TrustFold;
  if (base.index === 0) {
    fold = new TrustFold(options, modules);
  } else {
    const [stateEntry] = entries;
    if (stateEntry === undefined) throw incomplete('the entry that proves the base', { from: base.index });
    fold = TrustFold.fromBase({ ...options, base, stateEntry }, modules);
  }
  for (const entry of entries.slice(fold.size - base.index)) {
    if (known?.size === fold.size) requireSameState(fold, known);
    fold.append(entry);
  }
  if (known?.size === fold.size) requireSameState(fold, known);
  return { fold, base, entries };
}

function incomplete(expected: string, details: Record<string, number>): ProtocolError {
  return new ProtocolError('SNAPSHOT_INCOMPLETE', `expected ${expected}`, details);
}
