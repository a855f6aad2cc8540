import assert from 'node:assert/strict';
import { verifyForkEvidence } from '../../../protocol/evidence/fork.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { trustModules } from '../../support/region-fixture.ts';

describe('RegionNode.witness', () => {
  it('A1 T4: of two trees of one size that are submitted to it every node has evidence', async () => {
    const world = new NodeWorld();
    for (const region of ['DE', 'FR', 'IT']) await world.found(region);
    await world.befriend('DE', 'FR');
    await world.befriend('DE', 'IT');
    await world.befriend('FR', 'IT');
    await world.pass(15);
    const { origin, keys } = world.machine('FR').fixture;
    const { publicKey, sign } = keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    const size = (await world.node('DE').witness.lastSeen(origin))?.size ?? 0;
    const root = sha256(Buffer.from('another tree'));
    const note = encodeNote(signCheckpoint({ origin, size, root }, key, sign));

    const answer = await world.run(world.node('DE').witness.add({ oldSize: size, path: [], note }));
    assert.equal(answer.cosigns, false);
    await world.pass(20);
    for (const region of ['DE', 'IT', 'FR']) {
      const { forks = [] } = world.node(region).keeper('FR') ?? {};
      assert.equal(forks.length, 1, region);
      for (const fork of forks) verifyForkEvidence(fork, [key], trustModules);
    }
    await world.stop();
  });
});
