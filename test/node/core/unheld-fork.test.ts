import assert from 'node:assert/strict';
import { storedEvidence } from '../../../node/trust/stored-evidence.ts';
import { encodeEvidence, type EvidenceOf } from '../../../protocol/evidence/evidence.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
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

  /** FR issues, and DE is shown another tree of its log, which FR has signed too. */
  async function fork(
    meanwhile: () => Promise<void> = () => Promise.resolve(),
    origin = ORIGIN,
  ): Promise<number> {
    await world.issue('FR');
    await world.pass(40);
    const { witness } = world.node('DE');
    const { size } = (await world.run(witness.lastSeen(origin))) ?? assert.fail('DE has cosigned nothing');
    const other = new ReferenceTree(Array.from({ length: size }, (_, i) => Uint8Array.of(i)));
    const { publicKey, sign } = world.machine('FR').fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    const note = encodeNote(signCheckpoint({ origin, size, root: other.root() }, key, sign));
    await meanwhile();
    assert.equal((await world.run(witness.add({ oldSize: size, path: [], note }))).cosigns, false);
    return size;
  }

  it('A1: cosigns only the first, and keeps the proof that the log has forked', async () => {
    const size = await fork();
    assert.equal(world.node('DE').log(ORIGIN), undefined);
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

  for (const origin of [ORIGIN, `FR.${NETWORK}/trust`]) {
    it(`A1: vouches no more for what it had cosigned of ${origin}`, async () => {
      await fork(undefined, origin);
      await world.until(() => world.node('DE').status.forked.includes(origin), 'the proof is kept');
      const { witness } = world.node('DE');
      const { size: oldSize, note } = (await world.run(witness.lastSeen(origin))) ?? assert.fail('nothing');
      const answer = await world.run(witness.add({ oldSize, path: [], note }));
      assert.ok(!answer.cosigns);
      assert.deepEqual([answer.refusal, answer.fault?.fault.code], ['unfit', 'FORK']);
    });
  }

  it('A1: tells its operator, and gives the proof to who holds the log and was away, after a restart too', async () => {
    await fork(async () => void (await world.kill('FR', { inOrder: true })));
    await world.until(() => world.node('DE').status.forked.length > 0, 'the proof is kept');
    await world.kill('DE', { inOrder: true });
    world.replace('DE');
    await world.boot('DE', () => true);
    assert.deepEqual(world.node('DE').status.forked, [ORIGIN]);
    world.replace('FR');
    await world.boot('FR');
    await world.until(() => world.node('FR').status.forked.includes(ORIGIN), 'FR hears of it');

    const { fixture, instead } = world.machine('FR');
    const fresh = (instead.checkpoint = fixture.key('a fresh checkpoint key'));
    const statements = [
      fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]),
      fixture.compromise(fixture.keys.checkpoint, {}),
    ];
    const entries = statements.map((statement) => fixture.entryOf(statement));
    await world.run(world.node('FR').logEntries(entries));
    await world.until(() => world.node('DE').status.disowned.length > 0, 'DE hears that it was given up');
    assert.deepEqual(world.node('DE').status.forked, []);
    const told = () => {
      const { forked, disowned } = world.node('FR').status;
      return [forked, disowned];
    };
    assert.deepEqual(told(), [[], [ORIGIN]], 'FR, whose log it is, keeps the proof and tells no fork');
    await world.kill('FR', { inOrder: true });
    world.replace('FR');
    await world.boot('FR');
    assert.deepEqual(told(), [[], [ORIGIN]]);
  });

  it('T3, T4: a proof stands by a key that its region names only after it came, whoever is given up then, after a restart too', async () => {
    const { fixture, instead } = world.machine('FR');
    const [late, fresh] = [fixture.key('named late'), fixture.key('a fresh checkpoint key')];
    const sides = [1, 2].map((byte) => {
      const root = new ReferenceTree([Uint8Array.of(byte)]).root();
      const lines = [fixture.keys.checkpoint, late].map(({ publicKey, sign }) => {
        const key = makeVerifierKey(sha256, { name: ORIGIN, algorithm: ED25519, publicKey });
        return signCheckpoint({ origin: ORIGIN, size: 1, root }, key, sign);
      });
      const { text, signatures } = lines[0] ?? assert.fail();
      const note = encodeNote({ text, signatures: [...signatures, ...(lines[1]?.signatures ?? [])] });
      return { note, root, path: [] };
    }) as unknown as EvidenceOf<'fork'>['sides'];
    const file = encodeEvidence({ kind: 'fork', grounds: [fixture.entries.slice(0, 2)], size: 1, sides });
    await world.issue('FR');
    await world.pass(40);
    assert.equal(await world.run(world.node('DE').accuse(file)), true);
    instead.checkpoint = fresh;
    fixture.nowS = world.nowS;
    const statements = [
      fixture.keysStatement([late, fresh].map((key) => ({ key, role: 'checkpoint' as const }))),
      fixture.compromise(fixture.keys.checkpoint, {}),
    ];
    const entries = statements.map((statement) => fixture.entryOf(statement));
    await world.run(world.node('FR').logEntries(entries));
    const isGivenUp = () =>
      world.node('DE').keeper('FR')?.state.key(fixture.keys.checkpoint.keyId)?.compromise !== undefined;
    await world.until(isGivenUp, 'DE hears that it was given up');
    await world.pass(5);
    const told = () => {
      const { forked, disowned } = world.node('DE').status;
      return [forked, disowned];
    };
    assert.deepEqual(told(), [[ORIGIN], []]);
    await world.kill('DE', { inOrder: true });
    world.replace('DE');
    await world.boot('DE', () => true);
    assert.deepEqual(told(), [[ORIGIN], []]);
  });

  it('A1, A27: takes the proof of a log that it does not copy from its operator too, and none of a region that it does not follow', async () => {
    const evidenceOf = (origin: string): Uint8Array => {
      const { fixture } = world.machine('FR');
      const { publicKey, sign } = fixture.keys.checkpoint;
      const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
      const sides = [1, 2].map((byte) => {
        const root = new ReferenceTree([Uint8Array.of(byte)]).root();
        return { note: encodeNote(signCheckpoint({ origin, size: 1, root }, key, sign)), root, path: [] };
      }) as unknown as EvidenceOf<'fork'>['sides'];
      return encodeEvidence({ kind: 'fork', grounds: [fixture.entries.slice(0, 2)], size: 1, sides });
    };
    await world.issue('FR');
    await world.pass(40);
    const told = (origin: string) => world.run(world.node('DE').accuse(evidenceOf(origin)));
    assert.deepEqual([await told(ORIGIN), await told(ORIGIN)], [true, false]);
    assert.deepEqual(world.node('DE').status.forked, [ORIGIN]);
    await world.until(() => world.node('FR').status.forked.includes(ORIGIN), 'FR, which holds it, is told');
    for (const origin of [`IT.${NETWORK}/attest/2026-11`, 'FR.other/attest/2026-11'])
      await assert.rejects(told(origin), (error) => isProtocolError(error, 'PIN_MISMATCH'), origin);
  });

  for (const isCopied of [true, false])
    it(`F4: a proof that is damaged is told, stays where it is, clears no log, and keeps no node from starting: ${isCopied ? 'of a log that is copied' : 'of another'}`, async () => {
      await fork();
      await world.until(() => world.node('DE').status.forked.length > 0, 'the proof is kept');
      const { medium, troubles } = await world.kill('DE', { inOrder: true });
      const key = medium.flipBit('fork/') ?? assert.fail();
      medium.compact();
      world.replace('DE', { mirrors: isCopied ? ['FR'] : [] });
      await world.boot('DE');
      const { closed } = world.node('DE').status;
      const told = isCopied ? [closed[ORIGIN] ?? ''] : troubles.map((error) => String(error));
      assert.ok(
        told.some((text) => text.includes(key)),
        `${JSON.stringify(closed)} ${troubles.join()}`,
      );
      assert.deepEqual([Object.keys(closed).length, medium.flipBit(key)], [isCopied ? 1 : 0, key]);
      assert.deepEqual(world.node('DE').status.forked, [ORIGIN], 'what becomes of a disk clears no log');
    });

  for (const origin of [ORIGIN, `FR.${NETWORK}/trust`])
    it(`F4: a proof that is none by this version costs no copy of ${origin}: that is not followed, and stays where it is`, async () => {
      const mirrors = ['FR'];
      await world.kill('DE', { inOrder: true });
      world.replace('DE', { mirrors });
      await world.boot('DE');
      await world.issue('FR');
      const size = () => world.node('FR').log(origin)?.size ?? 0;
      await world.until(() => world.node('DE').log(origin)?.size === size(), 'DE has a copy');
      const { medium } = await world.kill('DE', { inOrder: true });
      const store = storeOn(medium, { owner: `DE.${NETWORK}` });
      await world.run(store.start());
      const copied = async () => {
        const page = await world.run(store.inspect(`log/${origin}/`, 64));
        return page.filter(({ key }) => key.startsWith(`log/${origin}/`)).map(({ key }) => key);
      };
      const before = await copied();
      assert.ok(before.length > 1);
      await world.run(store.write([{ put: `fork/${origin}/${'0a'.repeat(16)}`, value: Uint8Array.of(1) }]));
      await world.run(store.stop());
      await world.kill('FR', { inOrder: true });
      world.replace('DE', { mirrors });
      await world.boot('DE', () => true);
      const { closed, sizes } = world.node('DE').status;
      assert.match(closed[origin] ?? '', /is not a proof of a fork/);
      assert.ok(!(origin in sizes));
      await world.kill('DE', { inOrder: true });
      const after = storeOn(medium, { owner: `DE.${NETWORK}` });
      await world.run(after.start());
      for (const key of before) assert.notEqual(await world.run(after.get(key)), undefined, key);
      await world.run(after.stop());
    });
});
