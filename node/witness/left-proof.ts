/**
 * Whether what a witness left of an attestation log while that was shorter was another tree: the checkpoint that it cosigns next of that size or more has to
 * prove it, by whatever way it comes. Spec: SPEC.md 8.5.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type OpenedCheckpoint } from '../../protocol/log/checkpoint.ts';
import { verifyConsistency } from '../../protocol/log/merkle.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type LogTree } from '../log/log-tree.ts';
import { LogView } from '../log/log-view.ts';
import { type Claim } from '../log/replica.ts';
import { type Change } from '../ports.ts';
import { type StoreReader } from '../store/reader.ts';
import { leftKey, readLeft } from './left-mark.ts';

/** The tree of a checkpoint at a smaller size, and the path from there. */
export type TreeBefore = Pick<Claim, 'size' | 'root' | 'path'>;

export interface LeftProofModules extends Primitives {
  readonly store: StoreReader;
  /** What is copied here. */
  readonly copyOf?: (origin: string) => LogTree | undefined;
  /** Makes the proof of a fork durable. */
  readonly keepFork?: (origin: string, evidence: ForkEvidence) => Promise<void>;
}

/**
 * What has to become durable together with the cosignature of a checkpoint, once what was left is held against it, and the proof kept where that was another
 * tree; undefined where nobody has shown what is at that size. `note` is that of the checkpoint, `there` what its bearer shows of it.
 * @throws {ProtocolError} PROOF_INVALID if that is not of this checkpoint. Rejects also as `keepFork`, and as reading the store and the copy.
 */
export async function settleLeft(
  checkpoint: OpenedCheckpoint,
  note: Uint8Array,
  there: TreeBefore | undefined,
  modules: LeftProofModules,
): Promise<readonly Change[] | undefined> {
  const { origin, size } = checkpoint;
  if (parseOrigin(origin).kind !== 'attest') return [];
  const left = await readLeft(origin, modules.store);
  if (left === undefined || left.size > size) return [];
  const found = there?.size === left.size ? there : await treeHere(checkpoint, left.size, modules);
  if (found === undefined) return undefined;
  const { root, path } = found;
  const ends = { oldSize: left.size, newSize: size, oldRoot: root, newRoot: checkpoint.root };
  verifyConsistency(modules.sha256, { ...ends, path });
  if (!equalBytes(root, left.root)) {
    const sides = [
      { note: left.note, root: left.root, path: [] },
      { note, root, path },
    ] as const;
    await modules.keepFork?.(origin, { size: left.size, sides });
  }
  return [{ del: leftKey(origin) }];
}

/** What a checkpoint itself says at its size, and below that the copy that is held, if it is on the same tree. */
async function treeHere(
  { origin, size: newSize, root }: OpenedCheckpoint,
  size: number,
  { copyOf, ...primitives }: LeftProofModules,
): Promise<TreeBefore | undefined> {
  if (size === newSize) return { size, root, path: [] };
  const tree = copyOf?.(origin);
  if (tree === undefined || tree.size < newSize || size <= tree.head.minimum) return undefined;
  if (!equalBytes(await tree.reader.rootAt(newSize), root)) return undefined;
  const path = await new LogView(tree, primitives).consistencyProof({ oldSize: size, newSize });
  return { size, root: await tree.reader.rootAt(size), path };
}
