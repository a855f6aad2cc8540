import { Frontier } from '../../protocol/log/frontier.ts';
import { leafHash, verifyInclusion } from '../../protocol/log/merkle.ts';
import { inclusionProof } from '../../protocol/log/merkle-proof.ts';
import { type Bench, perSecond, secondsOf } from './bench.ts';
import { nativeModules } from './federation.ts';

const LEAVES = 2 ** 20;
const ENTRY_BYTES = 145;
const PROOFS = 100_000;

export const treeBench: Bench = {
  name: 'tree',
  about: `a tree of 2^20 entries of ${ENTRY_BYTES} bytes, against hashing them alone`,
  async run() {
    const { sha256 } = await nativeModules();
    const entries = new Uint8Array(ENTRY_BYTES * LEAVES);
    for (let i = 0; i < LEAVES; i++) new DataView(entries.buffer).setUint32(i * ENTRY_BYTES, i);
    const entry = (i: number) => entries.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);
    let checksum = 0;
    const hashS = secondsOf(() => {
      for (let i = 0; i < LEAVES; i++) checksum += leafHash(sha256, entry(i))[0] ?? 0;
    });
    if (checksum === 0) throw new Error('nothing hashed');
    const levels = Array.from({ length: 21 }, (_, level) => new Uint8Array(32 * 2 ** (20 - level)));
    const tree = Frontier.empty(sha256);
    const treeS = secondsOf(() => {
      for (let i = 0; i < LEAVES; i++) {
        tree.append(leafHash(sha256, entry(i)), (level, index, hash) => levels[level]?.set(hash, 32 * index));
      }
    });
    const root = tree.root();
    const hashAt = (level: number, index: number) =>
      (levels[level] ?? new Uint8Array()).subarray(32 * index, 32 * (index + 1));
    const proofS = secondsOf(() => {
      for (let i = 0; i < PROOFS; i++) {
        const index = (i * 7_919) % LEAVES;
        const path = inclusionProof(sha256, { index, size: LEAVES }, hashAt);
        verifyInclusion(sha256, { index, size: LEAVES, leafHash: hashAt(0, index), path, root });
      }
    });
    return [
      { name: 'leaf hashes only', value: perSecond(LEAVES, hashS) },
      {
        name: 'tree with all inner hashes kept',
        value: perSecond(LEAVES, treeS),
        ratio: hashS / treeS,
        of: 'leaf hashes only',
      },
      { name: 'inclusion proofs made and verified', value: perSecond(PROOFS, proofS) },
    ];
  },
};
