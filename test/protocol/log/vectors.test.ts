import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../../../protocol/bytes.ts';
import { utf8Bytes } from '../../../protocol/encoding/utf8.ts';
import { isProtocolError, type FaultCode } from '../../../protocol/fault.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { verifyEntryBundle } from '../../../protocol/log/entry-bundle.ts';
import { verifyConsistency, verifyInclusion } from '../../../protocol/log/merkle.ts';
import { parseOrigin } from '../../../protocol/log/origin.ts';
import { meetsQuorum, parsePolicy } from '../../../protocol/log/policy.ts';
import { parseTilePath } from '../../../protocol/log/tile.ts';
import { parseLogProof, verifyLogProof } from '../../../protocol/log/tlog-proof.ts';
import { parseVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { fromHex } from '../../support/hex.ts';
import { verifySignature } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { projectRoot } from '../../support/project.ts';
import { type CheckpointVector } from '../../vectors/generate/log-checkpoints.ts';
import { type OriginVector, type TilePathVector } from '../../vectors/generate/log-names.ts';
import {
  type PolicyVector,
  type ProofVector,
  type VerifierKeyVector,
} from '../../vectors/generate/log-policies.ts';
import {
  type BundleVector,
  type ConsistencyVector,
  type InclusionVector,
} from '../../vectors/generate/log-trees.ts';
import { logVectorText } from '../../vectors/generate/log.ts';

interface LogVectors {
  readonly origins: readonly OriginVector[];
  readonly tilePaths: readonly TilePathVector[];
  readonly inclusion: readonly InclusionVector[];
  readonly consistency: readonly ConsistencyVector[];
  readonly bundles: readonly BundleVector[];
  readonly verifierKeys: readonly VerifierKeyVector[];
  readonly checkpoints: readonly CheckpointVector[];
  readonly policies: readonly PolicyVector[];
  readonly proofs: readonly ProofVector[];
}

const text = readFileSync(join(projectRoot, 'test/vectors/log.json'), 'utf8');
const vectors = JSON.parse(text) as LogVectors;
const primitives = { sha256, verifySignature };

/** Runs every case: `judge` gives what the case proves, in the form in which `expected` stands in the file. */
function suite<V extends { readonly fault?: FaultCode }>(
  name: string,
  cases: readonly V[],
  judge: (one: V) => unknown,
  expected: (one: V) => unknown,
): void {
  it(`${name}: every case proves what it says or is the fault that it says`, () => {
    for (const one of cases) {
      const what = JSON.stringify(one).slice(0, 200);
      if (one.fault === undefined) assert.deepEqual(judge(one), expected(one), what);
      else assert.throws(() => judge(one), (error) => isProtocolError(error, one.fault), what); // prettier-ignore
    }
  });

  it(`${name}: at least as many bad cases as good ones, and both`, () => {
    const bad = cases.filter(({ fault }) => fault !== undefined).length;
    assert.ok(bad > 0 && bad < cases.length && bad >= cases.length - bad);
  });
}

describe('test/vectors/log.json', () => {
  it('is what its generator makes', () => {
    assert.equal(text, logVectorText());
  });

  suite('origins A19', vectors.origins, ({ text: name }) => parseOrigin(name), ({ origin }) => origin); // prettier-ignore

  suite('tilePaths B61', vectors.tilePaths, ({ path }) => parseTilePath(path), ({ tile }) => tile); // prettier-ignore

  suite(
    'inclusion A23',
    vectors.inclusion,
    ({ index, size, leafHash, root, path }) => {
      const hashes = { leafHash: fromHex(leafHash), root: fromHex(root), path: path.map(fromHex) };
      return verifyInclusion(sha256, { index, size, ...hashes });
    },
    ({ index, size, leafHash, root }) => ({ index, size, leafHash: fromHex(leafHash), root: fromHex(root) }),
  );

  suite(
    'consistency B58, B59, B60',
    vectors.consistency,
    ({ oldSize, newSize, oldRoot, newRoot, path }) => {
      const hashes = { oldRoot: fromHex(oldRoot), newRoot: fromHex(newRoot), path: path.map(fromHex) };
      return verifyConsistency(sha256, { oldSize, newSize, ...hashes });
    },
    ({ oldSize, newSize, oldRoot, newRoot }) => {
      return { oldSize, newSize, oldRoot: fromHex(oldRoot), newRoot: fromHex(newRoot) };
    },
  );

  suite(
    'bundles B62',
    vectors.bundles,
    ({ bundle, tile }) => verifyEntryBundle(sha256, fromHex(bundle), fromHex(tile)).map(hexOf),
    ({ entries }) => entries,
  );

  suite(
    'verifierKeys A19',
    vectors.verifierKeys,
    ({ text: vkey }) => {
      const { name, keyId, algorithm, publicKey } = parseVerifierKey(sha256, vkey);
      return { name, keyId: keyId.toString(16).padStart(8, '0'), algorithm, publicKey: hexOf(publicKey) };
    },
    ({ key }) => key,
  );

  suite(
    'checkpoints B57, A20, A21, A22',
    vectors.checkpoints,
    ({ note, noteBytes, keys }) => {
      const bytes = note === undefined ? fromHex(noteBytes ?? '') : utf8Bytes(note);
      const known = keys.map((key) => parseVerifierKey(sha256, key));
      const { origin, size, root, signers, cosignatures } = openCheckpoint(bytes, known, verifySignature);
      return {
        origin,
        size,
        root: hexOf(root),
        signers: signers.map(({ name }) => name),
        cosigners: cosignatures.map(({ name, timestampS }) => [name, timestampS]),
      };
    },
    ({ opened }) => opened,
  );

  suite(
    'policies A13',
    vectors.policies,
    ({ policy, sets }) => {
      const parsed = parsePolicy(sha256, utf8Bytes(policy));
      return sets?.map(({ cosigners }) => ({
        cosigners,
        met: meetsQuorum(parsed, cosigners.map((key) => ({ publicKey: fromHex(key) }))), // prettier-ignore
      }));
    },
    ({ sets }) => sets,
  );

  suite(
    'proofs A23',
    vectors.proofs,
    ({ proof, entry, policy }) => {
      const parsed = parsePolicy(sha256, utf8Bytes(policy));
      const proven = verifyLogProof(primitives, parseLogProof(utf8Bytes(proof)), fromHex(entry), parsed);
      return { origin: proven.checkpoint.origin, index: proven.index, size: proven.checkpoint.size };
    },
    ({ proven }) => proven,
  );
});
