import assert from 'node:assert/strict';
import { EVIDENCE_STANDING_MAX } from '../../../node/evidence/evidence-book.ts';
import { encodeEvidence } from '../../../protocol/evidence/evidence.ts';
import { EVIDENCE_STATEMENTS_MAX } from '../../../protocol/limits.ts';
import { encodeNote, parseNote, signNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import * as proofs from '../../support/evidence-fixture.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { RegionFixture, type TestKey } from '../../support/region-fixture.ts';
import { comes, otherTree, storyOf } from '../../support/told-world.ts';

/** Whose log has two trees, who witnesses, and who holds the one that most are shown. */
const [LOG, WITNESS, ...HONEST] = ['DE', 'FR', 'IT', 'ES'] as const;
const ALL = [LOG, WITNESS, ...HONEST] as const;
const LIAR = `${LOG}#9`;
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

  const other = (more: number) => otherTree(world, { region: LOG, holder: HONEST[0], less: 1, more });
  const tell = (tree: ReferenceTree, cosigners: readonly TestKey[]) =>
    comes(
      world,
      LIAR,
      storyOf(
        world,
        LOG,
        tree,
        cosigners.map((key) => ({ witness: WITNESS, key })),
      ),
    );

  const held = (region: string) =>
    world.node(region).status.accusations.map((one) => `${one.kind} ${one.region} ${one.origin}`);
  const areForked = () => HONEST.every((region) => world.node(region).status.forked.length === 1);

  for (const [what, more] of [
    ['as long', 1],
    ['longer', 4],
  ] as const)
    it(`A13 T5: a witness that cosigned a tree and another that is ${what} is proven to at every node within two periods of heads, and after a restart`, async () => {
      tell(await other(more), [world.machine(WITNESS).fixture.keys.witness]);
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

  it('A13: a witness is proven to have cosigned both behind others whose names stand under what another signed', async () => {
    const more = ['PL', 'AT', 'CZ'] as const;
    for (const region of more) await world.found(region);
    for (const region of more) for (const one of ALL) await world.befriend(region, one);
    await world.pass(25);
    const [observer] = HONEST;
    /** In the order in which the observer looks at them. */
    const witnesses = [...world.node(observer).trust.regions.keys()].filter((region) => region !== LOG);
    const liar = witnesses.at(-1) ?? assert.fail();
    const { fixture } = world.machine(LOG);
    const cosigners = witnesses.map((witness) => {
      const { keys } = witness === liar ? world.machine(liar).fixture : fixture;
      return { witness, key: keys.witness };
    });
    const story = storyOf(world, LOG, await other(1), cosigners);
    for (const region of [...ALL, ...more]) if (region !== observer) world.network.cut(LIAR, region);
    comes(world, LIAR, story);
    const expected = [`cosignatures ${liar} ${ORIGIN}`];
    await world.until(() => held(observer).length > 0, 'it holds it', 200);
    assert.deepEqual(held(observer), expected);
  });

  it('A13: a region that signs with more keys than evidence has room for statements hides no witness', async () => {
    const { fixture } = world.machine(LOG);
    const keys = Array.from({ length: EVIDENCE_STATEMENTS_MAX + 2 }, (_, i) =>
      fixture.key(`checkpoint ${i}`),
    );
    const entries = keys.map((key) => fixture.entryOf(fixture.keysStatement([{ key, role: 'checkpoint' }])));
    await world.run(world.node(LOG).logEntries(entries));
    await world.pass(25);
    const story = storyOf(world, LOG, await other(1), [
      { witness: WITNESS, key: world.machine(WITNESS).fixture.keys.witness },
    ]);
    const { text, signatures } = parseNote(story.note);
    const lines = keys.map(({ publicKey, sign }) =>
      signNote(makeVerifierKey(sha256, { name: ORIGIN, algorithm: ED25519, publicKey }), text, sign),
    );
    const cosignature = signatures.filter(({ name }) => name !== ORIGIN);
    comes(world, LIAR, { ...story, note: encodeNote({ text, signatures: [...lines, ...cosignature] }) });
    await world.until(() => HONEST.every((region) => held(region).length > 0), 'all hold it', 30);
    for (const region of HONEST)
      assert.deepEqual(held(region), [`cosignatures ${WITNESS} ${ORIGIN}`], region);
  });

  it('A13: a witness whose word for the tree that is held comes after the first look is proven before a minute is over', async () => {
    await world.kill(WITNESS, { inOrder: true });
    await world.run(world.node(LOG).commitState());
    await world.pass(15);
    const key = world.machine(WITNESS).fixture.keys.witness;
    const truth = await otherTree(world, { region: LOG, holder: HONEST[0], less: 0, more: 0 });
    tell(await other(1), [key]);
    await world.until(areForked, 'the fork is found');
    await world.pass(1);
    for (const region of HONEST) assert.deepEqual(held(region), [], region);
    comes(world, `${WITNESS}#8`, storyOf(world, LOG, truth, [{ witness: WITNESS, key }]));
    await world.until(() => HONEST.every((region) => held(region).length > 0), 'all hold it', 45);
  });

  it('T5: a witness whose proof finds no room is proven to once what takes it is disowned', async () => {
    const accomplice = 'PL';
    await world.found(accomplice);
    for (const one of ALL) await world.befriend(accomplice, one);
    await world.pass(25);
    const trees = [4, 5].map((seed) => {
      const log = new RegionFixture({ region: accomplice, network: NETWORK });
      for (let i = 0; i < EVIDENCE_STANDING_MAX; i++) log.revoke([100 * seed + i]);
      return { log, tree: new ReferenceTree(log.entries) };
    });
    const { log, tree } = trees[0] ?? assert.fail();
    for (let i = 0; i < EVIDENCE_STANDING_MAX; i++) {
      const at = tree.entries.length - i;
      const noted = { origin: log.origin, key: log.keys.checkpoint, by: [proofs.byWitness] };
      const [one, two] = trees.map((other) => proofs.rootedSideOf(other.tree, at, noted));
      const grounds = [proofs.witness, log].map((region) => proofs.groundOf(region));
      const sides = [one ?? assert.fail(), two ?? assert.fail()] as const;
      const file = encodeEvidence(proofs.cosignatures({ grounds, size: at, sides: [...sides] }));
      for (const region of HONEST) await world.run(world.node(region).accuse(file));
    }
    tell(await other(1), [world.machine(WITNESS).fixture.keys.witness]);
    await world.until(areForked, 'the fork is found');
    await world.pass(5);
    const isHeld = (region: string) => held(region).includes(`cosignatures ${WITNESS} ${ORIGIN}`);
    for (const region of HONEST)
      assert.deepEqual([held(region).length, isHeld(region)], [EVIDENCE_STANDING_MAX, false], region);
    const { fixture } = world.machine(accomplice);
    const spare = fixture.key('checkpoint 2');
    for (const said of [
      fixture.keysStatement([{ key: spare, role: 'checkpoint' }]),
      fixture.compromise(spare, {}, 2),
    ])
      await world.run(world.node(accomplice).submit({ entry: fixture.entryOf(said) }));
    await world.until(() => HONEST.every(isHeld), 'all hold it', 150);
  });

  for (const [what, cutOffs, count] of [
    ['nothing where its root has named a branch in the log that a peer holds', { trust: true }, 0],
    ['it where what the root gives up there names no branch', {}, 1],
  ] as const)
    it(`A27: of a witness that cosigned both trees makes ${what}`, async () => {
      const tree = await other(1);
      const { fixture } = world.machine(LOG);
      const spare = fixture.key('checkpoint 2');
      const cutOff = { size: tree.entries.length, root: tree.root() };
      const said = [
        fixture.keysStatement([{ key: spare, role: 'checkpoint' }]),
        fixture.compromise(spare, 'trust' in cutOffs ? { trust: cutOff } : {}),
      ];
      const begin = tree.entries.slice(0, 2).map((entry, index) => ({ index, entry }));
      const end = said.map((one, i) => ({ index: cutOff.size + i, entry: fixture.entryOf(one) }));
      const naming = [...begin, ...end];
      const cosigners = [{ witness: WITNESS, key: world.machine(WITNESS).fixture.keys.witness }];
      comes(world, LIAR, { ...storyOf(world, LOG, tree, cosigners), naming });
      await world.until(areForked, 'the fork is found');
      await world.pass(70);
      for (const region of HONEST) assert.equal(held(region).length, count, region);
    });

  it('A27: who cosigned one of two trees, or whose name stands under what another signed, is not accused', async () => {
    tell(await other(1), []);
    await world.until(areForked, 'the fork is found');
    world.network.leave(LIAR);
    tell(await other(1), [world.machine(LOG).fixture.keys.witness]);
    await world.pass(70);
    for (const region of ALL) assert.deepEqual(held(region), [], region);
  });
});
