/** An attestation log in memory, for proofs of its leaves. */
import assert from 'node:assert/strict';
import { Frontier } from '../../protocol/log/frontier.ts';
import { inclusionProof } from '../../protocol/log/merkle-proof.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { type LeafProof } from '../../protocol/verdict/cut-off.ts';
import { type IssuedCode } from './code-fixture.ts';
import { sha256 } from './primitives.ts';
import { LOG } from './verdict-fixture.ts';

/** The root of the log of these codes, and what a mirror of it proves of any index. */
export function provenLog(codes: readonly IssuedCode[]): {
  readonly root: Uint8Array;
  readonly proofAt: (index: number) => LeafProof;
} {
  const tree = Frontier.empty(sha256);
  const hashes = new Map<string, Uint8Array>();
  for (const { attestation } of codes) {
    tree.append(leafHash(sha256, attestation), (level, index, hash) => hashes.set(`${level}/${index}`, hash));
  }
  const source = (level: number, index: number) => hashes.get(`${level}/${index}`) ?? assert.fail();
  const size = codes.length;
  const proofAt = (index: number) => ({
    log: LOG,
    index,
    size,
    leafHash: source(0, index),
    path: inclusionProof(sha256, { index, size }, source),
  });
  return { root: tree.root(), proofAt };
}
