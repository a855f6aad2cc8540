import assert from 'node:assert/strict';
import { storedEvidence } from '../../../node/trust/stored-evidence.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { storeOn } from '../../support/store-fixture.ts';

const ORIGIN = `FR.${NETWORK}/attest/2026-11`;

describe('a witness that is shown another tree of a log that it does not copy', () => {
  let world: NodeWorld;
  beforeEach(async () => {
    world = new NodeWorld();
    for (const region of ['FR', 'DE']) await world.found(region);
    await world.befriend('FR', 'DE');
  });
  afterEach(() => world.stop());

  it('A1: cosigns only the first, and keeps the proof that the log has forked', async () => {
    await world.issue('FR');
    await world.pass(40);
    const { witness } = world.node('DE');
    assert.equal(world.node('DE').log(ORIGIN), undefined);
    const { size } = (await world.run(witness.lastSeen(ORIGIN))) ?? assert.fail('DE has cosigned nothing');
    const other = new ReferenceTree(Array.from({ length: size }, (_, i) => Uint8Array.of(i)));
    const { publicKey, sign } = world.machine('FR').fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: ORIGIN, algorithm: ED25519, publicKey });
    const note = encodeNote(signCheckpoint({ origin: ORIGIN, size, root: other.root() }, key, sign));
    assert.equal((await world.run(witness.add({ oldSize: size, path: [], note }))).cosigns, false);

    const { medium } = world.machine('DE');
    await world.kill('DE', { inOrder: true });
    const store = storeOn(medium, { owner: `DE.${NETWORK}` });
    await world.run(store.start());
    const forks = await world.run(storedEvidence(store));
    await world.run(store.stop());
    assert.deepEqual(
      forks.map(({ origin, fork }) => [origin, fork.evidence.size]),
      [[ORIGIN, size]],
    );
  });
});
