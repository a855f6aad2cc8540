import assert from 'node:assert/strict';
import { NodeError } from '../../../node/node-error.ts';
import { encodeRequest, SYNC_PROTOCOL } from '../../../node/sync/messages.ts';
import {
  encodeWriterRequest,
  parseWriterAnswer,
  WRITER_PROTOCOL,
} from '../../../node/writer/writer-messages.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type Claim, signWord } from '../../../protocol/writer/word.ts';
import { type FaultyMedium } from '../../support/faulty-disk.ts';
import { testKey } from '../../support/keys.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

function bytesOn(medium: FaultyMedium): number {
  return medium.snapshot().entries.reduce((bytes, [key, value]) => bytes + key.length + value.length, 0);
}

const ORIGIN = 'AT.test/attest/2026-11';

describe('a node that follows a region under another root', () => {
  let world: NodeWorld;
  let version: number;
  beforeEach(async () => {
    world = new NodeWorld({ bootQuorum: () => 0 });
    version = 0;
    await world.found('BE');
  });
  afterEach(() => world.stop());

  const submit = async (entryOf: (fixture: ReturnType<NodeWorld['machine']>['fixture']) => Uint8Array) => {
    const { fixture, node } = world.machine('BE');
    fixture.nowS = world.nowS;
    await world.run(node.submit({ entry: entryOf(fixture) }));
  };
  const recognise = (fingerprint: Uint8Array) =>
    submit((fixture) => fixture.entryOf(fixture.recognitionOf({ region: 'AT', fingerprint }, ++version)));
  const withdraw = () =>
    submit((fixture) => fixture.entryOf({ kind: 'withdrawal', region: 'AT', version: ++version }));
  const restart = async () => {
    await world.kill('BE', { inOrder: true });
    world.replace('BE');
    await world.boot('BE');
  };
  /** A machine of AT, with a root of so many keys, which announces its attestation log. */
  const foundAt = async (rootKeys: number): Promise<Uint8Array> => {
    await world.found('AT', {}, rootKeys);
    const { fixture, node } = world.machine('AT');
    await world.run(node.submit({ entry: fixture.entries[2] as Uint8Array }));
    return fixture.fingerprint;
  };

  it('T5: cosigns no second story under a root while a peer asks for its heads, which reads what it has seen', async () => {
    const story = (name: string, size: number) =>
      Array.from({ length: size }, (_, i) => Buffer.from(`${name} ${i}`));
    const one = new ReferenceTree(story('first', 5));
    const two = new ReferenceTree(story('second', 9));
    /** What BE's witness says of a checkpoint that is signed with a key which AT kept under both roots. */
    const cosigns = async (tree: ReferenceTree, size: number, oldSize: number): Promise<boolean> => {
      const { publicKey, sign } = world.machine('AT').fixture.keys.checkpoint;
      const key = makeVerifierKey(sha256, { name: ORIGIN, algorithm: ED25519, publicKey });
      const note = encodeNote(signCheckpoint({ origin: ORIGIN, size, root: tree.root(size) }, key, sign));
      const path = oldSize > 0 ? tree.proof(oldSize, size) : [];
      return (await world.run(world.node('BE').witness.add({ oldSize, path, note }))).cosigns;
    };
    const first = await foundAt(1);
    await recognise(first);
    await world.pass(40);
    assert.ok(await cosigns(one, 3, 0));
    await withdraw();
    await world.kill('AT', { inOrder: true });
    await restart();
    const second = await foundAt(2);
    await recognise(second);
    await world.pass(40);
    assert.ok(await cosigns(two, 2, 0));
    await withdraw();
    await world.kill('AT', { inOrder: true });
    await restart();
    const { secondPlace } = world.machine('BE');
    const [raise, forget] = [secondPlace.raise.bind(secondPlace), secondPlace.forget.bind(secondPlace)];
    secondPlace.raise = (name, mark) => world.clock.wait(20).then(() => raise(name, mark));
    secondPlace.forget = (name) => world.clock.wait(20).then(() => forget(name));
    const peer = world.network.join('EVE');
    const asking = new AbortController();
    let asked = 0;
    const ask = async () => {
      const request = encodeRequest({ kind: 'heads', known: new Uint8Array() });
      while (!asking.signal.aborted) {
        await peer.request('BE', SYNC_PROTOCOL, request, asking.signal).then(
          () => asked++,
          () => undefined,
        );
      }
    };
    const all = ask();
    await recognise(first);
    await world.pass(3);
    asking.abort();
    await world.run(all);
    assert.ok(asked > 10, String(asked));
    assert.ok(!(await cosigns(two, 6, 2)));
    assert.ok(await cosigns(one, 4, 3));
  });

  it('T9: holds nothing against the writer of a region that was set up anew of what was claimed under the root before', async () => {
    /** What BE's witness answers to a claim by a key that AT kept under both roots. */
    const claims = async (epoch: number): Promise<string> => {
      const { checkpoint } = world.machine('AT').fixture.keys;
      const session = new Uint8Array(16).fill(epoch % 256);
      const writer = testKey(109).publicKey;
      const claim = signWord<Claim>(
        { kind: 'claim', origin: 'AT.test/trust', epoch, writer, session, at: 1 },
        checkpoint,
      );
      const request = encodeWriterRequest({ kind: 'claim', claim: claim.bytes });
      const peer = world.network.join('AT#9');
      const answer = await world.run(
        peer.request('BE', WRITER_PROTOCOL, request, new AbortController().signal),
      );
      world.network.leave('AT#9');
      return parseWriterAnswer(answer).kind;
    };
    await recognise(await foundAt(1));
    await world.pass(40);
    assert.equal(await claims(Number.MAX_SAFE_INTEGER), 'record');
    assert.equal(await claims(1), 'fenced');
    await withdraw();
    await world.kill('AT', { inOrder: true });
    await restart();
    await recognise(await foundAt(2));
    await world.pass(40);
    assert.equal(await claims(1), 'record');
  });

  for (const full of ['store', 'second place'])
    it(`F3: starts and judges though the disk of the ${full} takes nothing of what the change has to write, and follows once it does`, async () => {
      const known = await foundAt(1);
      await recognise(known);
      await world.pass(40);
      await world.kill('AT', { inOrder: true });
      const other = new Uint8Array(32).fill(0x5f);
      await recognise(other);
      const { medium, secondPlace } = await world.kill('BE', { inOrder: true });
      const raise = secondPlace.raise.bind(secondPlace);
      if (full === 'store') medium.setCapacity(bytesOn(medium) + 20);
      else secondPlace.raise = () => Promise.reject(new NodeError('DISK_FULL', 'the second place is full'));
      const node = world.replace('BE');
      await world.run(node.start());
      assert.ok(node.trust.regions.has('BE'));
      assert.equal(node.keeper('AT'), undefined);
      assert.match(node.status.closed['AT.test/trust'] ?? '', /full|space/);
      if (full === 'store') medium.setCapacity(Infinity);
      secondPlace.raise = raise;
      world.network.announce('BE');
      await world.until(() => node.status.writing === 'writing', 'it writes again');
      await world.pass(120);
      await recognise(other);
      await world.until(() => node.keeper('AT') !== undefined, 'AT is followed');
    });
});
