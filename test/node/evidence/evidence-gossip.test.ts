import assert from 'node:assert/strict';
import { EVIDENCE_PREFIX, EVIDENCE_STANDING_MAX } from '../../../node/evidence/evidence-book.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { Store } from '../../../node/store/store.ts';
import { encodeAnswer, SYNC_PROTOCOL, TOPICS } from '../../../node/sync/messages.ts';
import { type Evidence, encodeEvidence } from '../../../protocol/evidence/evidence.ts';
import { GOSSIP_BYTES_MAX } from '../../../node/sync/sync-limits.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import * as proofs from '../../support/evidence-fixture.ts';
import { type Machine, NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { RegionFixture } from '../../support/region-fixture.ts';

/** DE and FR are those against whom the fixture has evidence; IT and ES hold it against them. */
const [ACCUSED, WITNESS, A, B] = ['DE', 'FR', 'IT', 'ES'] as const;
const HONEST = [A, B] as const;

const KINDS: Readonly<Record<string, Evidence>> = {
  'A13 contradicting cosignatures of a witness': proofs.cosignatures(),
  'A5 A10 a leaf that is another than was promised': proofs.leaf(),
  'A10 an index given twice': proofs.indexes(),
  'A11 an entry behind a later one': proofs.hours(),
  'A6 A9 an entry that is none': proofs.misplaced(3),
  'two tables of numbers for one minute': proofs.tables(),
};

/** Two attestations for one index, of which there can be many. */
function twice(index: number): Uint8Array {
  const other = proofs.attestation(index, 0, { salting: 'other' });
  return encodeEvidence(proofs.indexes({ attestations: [proofs.attestation(index), other] }));
}

describe('evidence of other kinds than forks, among nodes', () => {
  let world: NodeWorld;

  beforeEach(async () => {
    world = new NodeWorld();
    const all = [ACCUSED, WITNESS, ...HONEST];
    for (const region of all) await world.found(region);
    for (const [i, one] of all.entries())
      for (const other of all.slice(i + 1)) await world.befriend(one, other);
    await world.until(
      () => HONEST.every((region) => world.node(region).trust.regions.size === all.length),
      'all know each other',
    );
    await world.pass(15);
  });
  afterEach(() => world.stop());

  const held = (region: string) => world.node(region).status.accusations;
  /** The store of A, whose node does not run. */
  const storeOf = async ({ medium }: Machine) => {
    const modules = { disk: medium.disk(), mark: medium.mark(), clock: world.clock };
    const store = new Store({ owner: `${A}.${NETWORK}` }, modules);
    await world.run(store.start());
    return store;
  };

  it('T3: has what is kept looked at again once more is known of a region', async () => {
    const { evidence } = world.node(A);
    let heeded = 0;
    evidence.heed = () => void heeded++;
    const { fixture, node } = world.machine(ACCUSED);
    fixture.nowS = world.nowS;
    await world.run(node.submit({ entry: fixture.entryOf(fixture.compromise(fixture.keys.attest, {})) }));
    const isKnown = () =>
      world.node(A).keeper(ACCUSED)?.state.key(fixture.keys.attest.keyId)?.compromise !== undefined;
    await world.until(isKnown, 'it is known');
    assert.ok(heeded > 0);
  });

  for (const [what, evidence] of Object.entries(KINDS))
    it(`${what}: is told once, verified, and kept for good by all who know the root`, async () => {
      let told = 0;
      const file = encodeEvidence(evidence);
      assert.equal(await world.run(world.node(A).accuse(file)), true);
      await world.until(() => HONEST.every((region) => held(region).length === 1), 'both hold it', 1);
      const [accusation] = held(B);
      assert.deepEqual(
        [accusation?.kind, accusation?.region, accusation?.isDisowned],
        [evidence.kind, evidence.kind === 'cosignatures' ? WITNESS : ACCUSED, false],
      );
      world.network.tamper = ({ protocol, bytes }) => {
        if (protocol === TOPICS.evidence) told++;
        return bytes;
      };
      assert.equal(await world.run(world.node(B).accuse(file)), false, 'it is known');
      await world.pass(35);
      assert.equal(told, 0, 'nobody tells it again');
      world.network.tamper = undefined;
      await world.kill(B, { inOrder: true });
      world.replace(B);
      await world.boot(B);
      assert.deepEqual(held(B), [accusation]);
    });

  it('T20: whoever was away is given it when it connects', async () => {
    world.network.isolate(B);
    await world.run(world.node(A).accuse(encodeEvidence(proofs.leaf())));
    await world.pass(5);
    assert.equal(held(B).length, 0);
    world.network.rejoin(B);
    await world.until(() => held(B).length === 1, 'it is told', 35);
  });

  it('T5: what its liar has made too long for gossip is asked for as soon as it is named, by those too who are told by others', async () => {
    const junk = Array.from({ length: 120 }, (_, keyId) => ({
      name: 'x',
      keyId,
      bytes: new Uint8Array(250),
    }));
    const whole = proofs.cosignatures() as Extract<Evidence, { kind: 'cosignatures' }>;
    const [first, second] = whole.sides.map((side) => {
      const { text, signatures } = parseNote(side.note);
      return { ...side, note: encodeNote({ text, signatures: [...signatures, ...junk] }) };
    });
    const file = encodeEvidence({ ...whole, sides: [first, second] as typeof whole.sides });
    assert.ok(file.length > GOSSIP_BYTES_MAX);
    world.network.cut(A, B);
    assert.equal(await world.run(world.node(A).accuse(file)), true);
    await world.until(() => held(B).length === 1, 'it is told of it', 5);
    assert.deepEqual(
      held(B).map(({ kind, region }) => [kind, region]),
      [['cosignatures', WITNESS]],
    );
  });

  it('A27: what proves nothing, or is against a root that nobody knows, is neither kept nor passed on', async () => {
    const whole = encodeEvidence(proofs.leaf());
    const signed = proofs.leaf() as Extract<Evidence, { kind: 'leaf' }>;
    const forged = [
      [
        encodeEvidence(proofs.indexes({ attestations: [proofs.attestation(1), proofs.attestation(1)] })),
        'EVIDENCE_UNFOUNDED',
      ],
      [encodeEvidence({ ...signed, grounds: [proofs.groundOf(proofs.anew)] }), 'PIN_MISMATCH'],
      [whole.subarray(1), 'EVIDENCE_MALFORMED'],
    ] as const;
    for (const [file, code] of forged)
      await assert.rejects(world.run(world.node(A).accuse(file)), (error) => isProtocolError(error, code));
    const liar = world.network.join(`${ACCUSED}#9`);
    for (const [file] of forged.slice(0, 2))
      liar.publish(TOPICS.evidence, encodeAnswer({ kind: 'evidence', files: [file] }));
    await world.pass(5);
    assert.deepEqual([...held(A), ...held(B)], []);
  });

  it('A27, T3: who holds a root that was replaced names keys by it, and is believed by none that has the log', async () => {
    const { fixture } = world.machine(ACCUSED);
    const thief = new RegionFixture({ region: ACCUSED, network: NETWORK });
    const stolen = thief.key('stolen attest');
    const anew = fixture.key('root anew');
    const root = fixture.rootStatement({ version: 2, keys: [anew] });
    const renewed = fixture.entryOf(root, [anew, ...fixture.rootKeys]);
    await world.run(world.node(ACCUSED).submit({ entry: renewed }));
    await world.until(
      () => HONEST.every((of) => world.node(of).keeper(ACCUSED)?.state.root?.version === 2),
      'all know it',
    );
    const naming = thief.entryAt(thief.admit([{ key: stolen, role: 'attest' }]));
    const [first = assert.fail()] = proofs.groundOf(thief);
    const attestations = ['one', 'other'].map((salting) =>
      proofs.attestation(4, 0, { key: stolen, salting }),
    );
    const file = encodeEvidence(
      proofs.indexes({ grounds: [[first, naming]], attestations: attestations as [Uint8Array, Uint8Array] }),
    );
    const isUnnamed = (error: unknown) => isProtocolError(error, 'PIN_MISMATCH');
    for (const of of HONEST) await assert.rejects(world.run(world.node(of).accuse(file)), isUnnamed);
    const liar = world.network.join(`${WITNESS}#9`);
    liar.publish(TOPICS.evidence, encodeAnswer({ kind: 'evidence', files: [file] }));
    await world.pass(5);
    assert.deepEqual([...held(A), ...held(B)], []);
    // One that was kept before logs were asked counts no more either, once the node has looked.
    const machine = await world.kill(A, { inOrder: true });
    const store = await storeOf(machine);
    await world.run(
      store.write([{ put: `${EVIDENCE_PREFIX}/${ACCUSED}.${NETWORK}/trust/stolen`, value: file }]),
    );
    await world.run(store.stop());
    world.replace(A);
    await world.boot(A);
    await world.until(() => held(A).length === 0, 'it counts no more', 5);
    assert.deepEqual(machine.troubles, []);
  });

  it('A28: of a flood a node verifies and keeps no more than so many, and goes on', async () => {
    const files = Array.from({ length: EVIDENCE_STANDING_MAX + 8 }, (_, i) => twice(i));
    const liar = world.network.join(`${WITNESS}#9`);
    for (const file of files)
      liar.publish(TOPICS.evidence, encodeAnswer({ kind: 'evidence', files: [file] }));
    await world.pass(2);
    assert.ok(held(A).length > 0 && held(A).length <= EVIDENCE_STANDING_MAX);
    for (const file of files) await world.run(world.node(A).accuse(file));
    assert.equal(held(A).length, EVIDENCE_STANDING_MAX);
    const { text } = await world.issue(B);
    await world.pass(30);
    assert.match(await world.outcome(A, text), /^pass/);
  });

  it('A28: verifies so many proofs of one peer at once, and another every ten seconds', async () => {
    const { evidence } = world.node(A);
    const taken: boolean[] = [];
    for (let i = 0; i < 9; i++) taken.push(await world.run(evidence.take(twice(i), 'a peer')));
    assert.deepEqual(taken, [...Array.from({ length: 8 }, () => true), false]);
    assert.equal(await world.run(evidence.take(encodeEvidence(proofs.leaf()), 'another peer')), true);
    await world.pass(10);
    assert.equal(await world.run(evidence.take(encodeEvidence(proofs.hours()), 'a peer')), true);
  });

  it('T3: once the root gives up the key behind a word, it is kept and said to be disowned', async () => {
    await world.run(world.node(A).accuse(encodeEvidence(proofs.leaf())));
    const { fixture } = world.machine(ACCUSED);
    fixture.nowS = world.nowS;
    await world.run(
      world.node(ACCUSED).submit({ entry: fixture.entryOf(fixture.compromise(fixture.keys.attest, {})) }),
    );
    await world.until(() => held(A).some(({ isDisowned }) => isDisowned), 'it is disowned');
    assert.equal(held(A).length, 1);
  });

  it('starts where something is kept that is no evidence by its version, tells of it and leaves it', async () => {
    await world.run(world.node(A).accuse(encodeEvidence(proofs.leaf())));
    const machine = await world.kill(A, { inOrder: true });
    const store = await storeOf(machine);
    const key = `${EVIDENCE_PREFIX}/${ACCUSED}.${NETWORK}/trust/${'0'.repeat(32)}`;
    await world.run(store.write([{ put: key, value: Uint8Array.of(0xa0) }]));
    await world.run(store.stop());
    world.replace(A);
    await world.boot(A);
    assert.equal(held(A).length, 1);
    const isOfIt = (error: unknown) => isNodeError(error, 'DATA_INCONSISTENT') && error.message.includes(key);
    assert.equal(machine.troubles.filter(isOfIt).length, 1);
    await world.kill(A, { inOrder: true });
    const again = await storeOf(machine);
    assert.deepEqual(await world.run(again.get(key)), Uint8Array.of(0xa0));
    await world.run(again.stop());
    world.replace(A);
    await world.boot(A);
  });

  it('answers a peer no more than it lacks', async () => {
    await world.run(world.node(A).accuse(encodeEvidence(proofs.leaf())));
    const asked: string[] = [];
    world.network.tamper = ({ from, to, protocol, bytes }) => {
      if (protocol === SYNC_PROTOCOL && from === A && to === B)
        asked.push(Buffer.from(bytes).toString('latin1'));
      return bytes;
    };
    await world.pass(65);
    const answers = asked.filter((bytes) => bytes.includes('evidence') && bytes.includes('files'));
    assert.ok(answers.length > 0);
    assert.ok(
      answers.every((bytes) => bytes.length < 64),
      'what is known is not sent again',
    );
  });
});
