import assert from 'node:assert/strict';
import { encodeAnswer, parseRequest, SYNC_PROTOCOL, TOPICS } from '../../../node/sync/messages.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../../protocol/log/cosignature.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { witnessName } from '../../../protocol/log/origin.ts';
import { COSIGNATURE, ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { answerOf } from '../../support/log-story.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { type TestKey } from '../../support/region-fixture.ts';

/** Whose log has two trees, who witnesses, and who holds the one that most are shown. */
const [LOG, WITNESS, ...HONEST] = ['DE', 'FR', 'IT', 'ES'] as const;
const ALL = [LOG, WITNESS, ...HONEST] as const;
const ORIGIN = `${LOG}.${NETWORK}/trust`;

describe('WitnessWatch, among nodes', () => {
  let world: NodeWorld;

  beforeEach(async () => {
    world = new NodeWorld();
    for (const region of ALL) await world.found(region);
    for (const [i, one] of ALL.entries())
      for (const other of ALL.slice(i + 1)) await world.befriend(one, other);
    await world.pass(25);
  });
  afterEach(() => world.stop());

  /** Another end of the log, from its entry `at` on. */
  async function otherTree(more: number): Promise<ReferenceTree> {
    const { tree } = world.node(HONEST[0]).keeper(LOG) ?? assert.fail();
    const entries: Uint8Array[] = [];
    for await (const entry of tree.reader.entries(0, tree.size - 1)) entries.push(entry);
    const { fixture } = world.machine(LOG);
    fixture.nowS = world.nowS;
    for (let i = 0; i <= more; i++) entries.push(fixture.entryOf(fixture.revocation([1_000 + i])));
    return new ReferenceTree(entries);
  }

  /** A peer of the log's region comes, that holds this tree, cosigned by these keys in the witness's name. */
  function comes(tree: ReferenceTree, cosigners: readonly TestKey[]): void {
    const { publicKey, sign } = world.machine(LOG).fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: ORIGIN, algorithm: ED25519, publicKey });
    const checkpoint = { origin: ORIGIN, size: tree.entries.length, root: tree.root() };
    const { text, signatures } = signCheckpoint(checkpoint, key, sign);
    const lines = cosigners.map((cosigner) => {
      const { publicKey } = world.machine(WITNESS).fixture.keys.witness;
      const name = witnessName(WITNESS, NETWORK);
      const named = makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey });
      return signCosignature(named, text, world.nowS, cosigner.sign);
    });
    const note = encodeNote({ text, signatures: [...signatures, ...lines] });
    const liar = world.network.join(`${LOG}#9`);
    liar.handle(SYNC_PROTOCOL, (_peer, request) =>
      Promise.resolve(encodeAnswer(answerOf(parseRequest(request), { origin: ORIGIN, tree, note }))),
    );
    world.network.announce(`${LOG}#9`);
    liar.publish(TOPICS.head, encodeAnswer({ kind: 'heads', heads: [{ note, forks: 0 }] }));
  }

  const held = (region: string) =>
    world.node(region).status.accusations.map((one) => `${one.kind} ${one.region} ${one.origin}`);
  const areForked = () => HONEST.every((region) => world.node(region).status.forked.length === 1);

  for (const [what, more] of [
    ['as long', 0],
    ['longer', 3],
  ] as const)
    it(`A13 T5: a witness that cosigned a tree and another that is ${what} is proven to at every node within two periods of heads, and after a restart`, async () => {
      comes(await otherTree(more), [world.machine(WITNESS).fixture.keys.witness]);
      const expected = [`cosignatures ${WITNESS} ${ORIGIN}`];
      await world.until(() => HONEST.every((region) => held(region).length > 0), 'all hold it', 20);
      for (const region of HONEST) assert.deepEqual(held(region), expected, region);
      const [first] = HONEST;
      await world.kill(first, { inOrder: true });
      world.replace(first);
      await world.boot(first);
      assert.deepEqual(held(first), expected);
      await world.pass(70);
      for (const region of HONEST) assert.deepEqual(held(region), expected, 'and no more than that');
      for (const region of HONEST) assert.deepEqual(world.machine(region).troubles, [], region);
    });

  it('A27: who cosigned one of two trees, or whose name stands under what another signed, is not accused', async () => {
    comes(await otherTree(0), []);
    await world.until(areForked, 'the fork is found');
    world.network.leave(`${LOG}#9`);
    comes(await otherTree(0), [world.machine(LOG).fixture.keys.witness]);
    await world.pass(70);
    for (const region of ALL) assert.deepEqual(held(region), [], region);
  });
});
