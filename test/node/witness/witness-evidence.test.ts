import assert from 'node:assert/strict';
import { verifyForkEvidence } from '../../../protocol/evidence/fork.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey, type VerifierKey } from '../../../protocol/log/verifier-key.ts';
import { encodeAnswer, TOPICS, WITNESS_PROTOCOL } from '../../../node/sync/messages.ts';
import { encodeAddCheckpoint } from '../../../node/witness/add-checkpoint.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { trustModules } from '../../support/region-fixture.ts';

describe('RegionNode.witness', () => {
  let world: NodeWorld;
  beforeEach(async () => {
    world = new NodeWorld();
    for (const region of ['DE', 'FR', 'IT']) await world.found(region);
    await world.befriend('DE', 'FR');
    await world.befriend('DE', 'IT');
    await world.befriend('FR', 'IT');
    await world.pass(15);
  });
  afterEach(() => world.stop());

  function other(size: number) {
    const { origin, keys } = world.machine('FR').fixture;
    const { publicKey, sign } = keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    const root = sha256(Buffer.from('another tree'));
    return { key, note: encodeNote(signCheckpoint({ origin, size, root }, key, sign)) };
  }

  function assertProven(key: VerifierKey): void {
    for (const region of ['DE', 'IT', 'FR']) {
      const { forks = [] } = world.node(region).keeper('FR') ?? {};
      assert.equal(forks.length, 1, region);
      for (const fork of forks) verifyForkEvidence(fork, [key], trustModules);
    }
  }

  it('A1 T4: of two trees of one size that are submitted to it every node has evidence', async () => {
    const { origin } = world.machine('FR').fixture;
    const size = (await world.node('DE').witness.lastSeen(origin))?.size ?? 0;
    const { key, note } = other(size);
    const answer = await world.run(world.node('DE').witness.add({ oldSize: size, path: [], note }));
    assert.equal(answer.cosigns, false);
    await world.pass(20);
    assertProven(key);
  });

  for (const [words, old] of [
    ['with the old size that it cosigned last', (size: number) => size],
    ['with another old size', () => 1],
  ] as const)
    it(`A1 T4: of a smaller tree, not of what it cosigned, that a peer submits ${words} every node has evidence`, async () => {
      const { origin } = world.machine('FR').fixture;
      const size = (await world.node('DE').witness.lastSeen(origin))?.size ?? 0;
      const { key, note } = other(size - 1);
      const request = encodeAddCheckpoint({ oldSize: old(size), path: [], note });
      const asked = world.network
        .join('a stranger')
        .request('DE', WITNESS_PROTOCOL, request, new AbortController().signal);
      const answer = Buffer.from(await world.run(asked)).toString();
      assert.equal(answer, old(size) === size ? '400\n' : `409\n${size}\n`);
      await world.pass(20);
      assertProven(key);
    });

  for (const [words, show] of [
    [
      'that is submitted to it',
      async (note: Uint8Array, size: number) => {
        const request = encodeAddCheckpoint({ oldSize: size, path: [sha256(note)], note });
        assert.equal((await world.run(world.node('DE').witnessDesk.replyTo(request))).status, 422);
      },
    ],
    [
      'that is told to it',
      async (note: Uint8Array) => {
        const heads = encodeAnswer({ kind: 'heads', heads: [{ note, forks: 0 }] });
        world.network.tamper = ({ to, protocol, bytes }) =>
          to !== 'DE' && protocol === TOPICS.head && Buffer.from(bytes).equals(heads) ? undefined : bytes;
        world.network.join('a stranger').publish(TOPICS.head, heads);
        await world.pass(1);
      },
    ],
  ] as const)
    it(`A1 T4: of a larger tree than it holds, ${words}, every node has evidence once the log is as long, after a restart too`, async () => {
      const { origin } = world.machine('FR').fixture;
      const size = (await world.node('DE').witness.lastSeen(origin))?.size ?? 0;
      const { key, note } = other(size + 2);
      await show(note, size);
      await world.pass(120);
      await world.kill('DE', { inOrder: true });
      world.replace('DE');
      await world.boot('DE');
      assert.deepEqual(world.node('DE').status.forked, []);
      for (let i = 0; i < 2; i++) await world.run(world.node('FR').commitState());
      await world.pass(20);
      assertProven(key);
    });

  it('A12: of a smaller tree that the log has not signed it has none, nor of one that it holds', async () => {
    const { origin } = world.machine('FR').fixture;
    const { note: latest = new Uint8Array() } = world.node('DE').keeper('FR') ?? {};
    const { text, signatures } = parseNote(other(2).note);
    const forged = encodeNote({ text, signatures: parseNote(latest).signatures });
    const unsigned = encodeNote({ text, signatures: signatures.map((line) => ({ ...line, keyId: 1 })) });
    for (const note of [forged, unsigned, latest]) {
      const request = encodeAddCheckpoint({ oldSize: 1, path: [], note });
      const { status } = await world.run(world.node('DE').witnessDesk.replyTo(request));
      assert.equal(status, note === latest ? 409 : 403);
    }
    await world.pass(20);
    for (const region of ['DE', 'IT', 'FR']) assert.deepEqual(world.node(region).status.forked, [], origin);
  });
});
