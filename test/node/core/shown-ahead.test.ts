import assert from 'node:assert/strict';
import { isSignedBy } from '../../../node/log/own-checkpoint.ts';
import { LogKeys } from '../../../node/log/log-keys.ts';
import { stagingChanges } from '../../../node/log/staged-batch.ts';
import { isNodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { Store } from '../../../node/store/store.ts';
import { encodeAnswer, parseAnswer, SYNC_PROTOCOL } from '../../../node/sync/messages.ts';
import {
  encodeWriterRequest,
  parseWriterAnswer,
  WRITER_PROTOCOL,
} from '../../../node/writer/writer-messages.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type Claim, signWord } from '../../../protocol/writer/word.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { type TestKey, trustModules } from '../../support/region-fixture.ts';

const LOG = '2026-11';
const ORIGIN = `FR.${NETWORK}/attest/${LOG}`;
const TRUST = `FR.${NETWORK}/trust`;

describe('a region whose checkpoint key a thief has signed more with than anybody has', () => {
  let world: NodeWorld;
  beforeEach(async () => {
    world = new NodeWorld({ tendMs: 20_000 });
    for (const region of ['FR', 'DE', 'BE']) await world.found(region);
    await world.befriend('FR', 'DE');
    await world.befriend('FR', 'BE');
    await world.befriend('DE', 'BE');
    await world.issue('FR');
    await world.pass(40);
  });
  afterEach(() => world.stop());

  const status = () => world.node('FR').status;
  const head = (origin: string) => world.node('FR').log(origin)?.head ?? assert.fail();
  const isBehind = (error: unknown) => isNodeError(error, 'LOG_BEHIND');

  /** What a thief signs of a log of FR with more entries behind it, and the way there from what DE has seen. */
  async function stolen(
    origin: string,
    by = world.machine('FR').fixture.keys.checkpoint,
    more: readonly Uint8Array[] = Array.from({ length: 40 }, (_, i) => Uint8Array.of(i)),
  ) {
    const { size: before } = (await world.run(world.node('DE').witness.lastSeen(origin))) ?? assert.fail();
    const log = world.node('FR').log(origin) ?? assert.fail();
    const entries: Uint8Array[] = [];
    for await (const entry of log.reader.entries(0, log.size)) entries.push(entry.slice());
    const bad = new ReferenceTree([...entries, ...more]);
    const other = new ReferenceTree(entries.map((_, i) => Uint8Array.of(i)));
    const size = bad.entries.length;
    const { publicKey, sign } = by;
    const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    const noteOf = (tree: ReferenceTree) =>
      encodeNote(signCheckpoint({ origin, size: tree.entries.length, root: tree.root() }, key, sign));
    const note = noteOf(bad);
    return { size, add: { oldSize: before, path: bad.proof(before, size), note }, fork: noteOf(other) };
  }

  /** What the root signs to give checkpoint keys up, by default the one in force, with the logs as they are here. */
  function givingUp(
    keys = [world.machine('FR').fixture.keys.checkpoint],
    by = 'fresh checkpoint',
  ): Uint8Array[] {
    const { fixture } = world.machine('FR');
    fixture.nowS = world.nowS;
    const cutOff = (origin: string) => ({ size: head(origin).size, root: head(origin).root });
    return [
      fixture.keysStatement([{ key: fixture.key(by), role: 'checkpoint' }]),
      ...keys.map((key) => fixture.compromise(key, { [LOG]: cutOff(ORIGIN), trust: cutOff(TRUST) })),
    ].map((statement) => fixture.entryOf(statement));
  }

  async function giveUp(keys?: TestKey[], by = 'fresh checkpoint'): Promise<void> {
    const { fixture, instead, node } = world.machine('FR');
    const entries = givingUp(keys, by);
    const fresh = (instead.checkpoint = fixture.key(by));
    await world.run(node.logEntries(entries));
    await world.until(() => status().writing === 'writing', 'FR signs');
    assert.ok(isSignedBy(TRUST, head(TRUST).signed?.note ?? assert.fail(), fresh, trustModules));
  }

  /** A thief tells a witness, by a key of FR, that he writes for it. */
  async function claim(key: TestKey, witness = 'DE'): Promise<void> {
    const session = new Uint8Array(16).fill(9);
    const writer = new Uint8Array(32).fill(9);
    const said = signWord<Claim>({ kind: 'claim', origin: TRUST, epoch: 7, writer, session, at: 1 }, key);
    const request = encodeWriterRequest({ kind: 'claim', claim: said.bytes });
    const thief = world.network.join(`FR#${witness}`);
    const answer = thief.request(witness, WRITER_PROTOCOL, request, new AbortController().signal);
    const record = parseWriterAnswer(await world.run(answer));
    assert.ok(record.kind === 'record' && record.claim !== undefined, record.kind);
  }

  /** All know it, lean on it and hold nothing against it. */
  async function assertWell(): Promise<void> {
    const { text } = await world.issue('FR', 'p9');
    await world.pass(40);
    for (const region of ['DE', 'BE']) {
      assert.equal(world.node(region).log(TRUST)?.size, head(TRUST).size);
      assert.match(await world.outcome(region, text), /^pass/, region);
    }
    for (const region of ['FR', 'DE', 'BE']) assert.deepEqual(world.node(region).status.forked, [], region);
  }

  /** DE shows FR this besides what it has. */
  function show(...notes: readonly Uint8Array[]): void {
    world.network.tamper = ({ from, to, protocol, bytes }) => {
      if (from !== 'DE' || to !== 'FR' || protocol !== SYNC_PROTOCOL) return bytes;
      const answer = parseAnswer(bytes);
      if (answer.kind !== 'heads') return bytes;
      return encodeAnswer({
        ...answer,
        heads: [...answer.heads, ...notes.map((note) => ({ note, forks: 0 }))],
      });
    };
  }

  it('T3: of an attestation log: logs nothing after a start but what gives the key up, and then all', async () => {
    const { size, add } = await stolen(ORIGIN);
    const { instead } = world.machine('FR');
    instead.isAttestAway = true;
    await assert.rejects(world.issue('FR', 'p8'), (error) => isNodeError(error, 'LOG_UNSETTLED'));
    await world.kill('FR', { inOrder: true });
    instead.isAttestAway = false;
    assert.ok((await world.run(world.node('DE').witness.add(add))).cosigns);
    world.replace('FR');
    await world.boot('FR', (one) => one.status.writing === 'behind');
    await assert.rejects(world.issue('FR', 'p2'), isBehind);
    // An old copy that signs beside the newest forks the trust log too.
    await assert.rejects(world.run(world.node('FR').revoke({ log: LOG, indexes: [0] })), isBehind);
    await giveUp();
    await assertWell();
    assert.deepEqual(
      status().left.map((one) => one.size),
      [size],
    );
    // No place of the log is given out that may have been given to somebody.
    const { log, index } = await world.issue('FR', 'p2');
    assert.deepEqual([log, index], [`${LOG}.1`, 1]);
    // Nor is what was staged there, which is told.
    const { size: here, sealed } = head(ORIGIN);
    assert.deepEqual([here, sealed], [1, true]);
    assert.deepEqual(await world.node('FR').heldCodes.unlogged('p8'), []);
    const { troubles } = world.machine('FR');
    assert.ok(troubles.some((one) => isNodeError(one, 'LOG_NOT_WRITTEN') && /1 person /.test(one.message)));
    // Nothing has been signed of that one elsewhere, and nothing is signed of the other any more.
    await giveUp([world.machine('FR').fixture.key('fresh checkpoint')], 'fresher checkpoint');
    assert.equal((await world.issue('FR', 'p3')).log, `${LOG}.1`);
  });

  it('T9: signs nothing more of a log whose place another has taken, although the root has named nothing of it, and tells what was staged there', async () => {
    const { instead, fixture, troubles } = world.machine('FR');
    instead.isAttestAway = true;
    await assert.rejects(world.issue('FR', 'p8'), (error) => isNodeError(error, 'LOG_UNSETTLED'));
    fixture.nowS = world.nowS;
    const entry = fixture.entryOf({ kind: 'log', log: `${LOG}.1`, minimum: 0 });
    await world.run(world.node('FR').submit({ entry }));
    await startAnew('writing');
    instead.isAttestAway = false;
    await world.run(world.node('FR').tend());
    const { log, index } = await world.issue('FR', 'p2');
    assert.deepEqual([log, index, head(ORIGIN).size], [`${LOG}.1`, 0, 1]);
    assert.ok(troubles.some((one) => isNodeError(one, 'LOG_NOT_WRITTEN') && /1 person /.test(one.message)));
  });

  it('T9: an order that is given without asking peers goes on with another log too', async () => {
    await world.kill('FR', { inOrder: true });
    world.network.isolate('FR');
    world.replace('FR');
    const node = await world.boot('FR', (one) => one.status.writing === 'alone');
    node.force();
    await world.until(() => status().writing === 'writing', 'it signs');
    await giveUp();
    assert.equal((await world.issue('FR', 'p2')).log, `${LOG}.1`);
  });

  it('T9: a crash at any write of the order leaves the key given up and another log to issue into, or neither', async () => {
    const { add } = await stolen(ORIGIN);
    await world.kill('FR', { inOrder: true });
    assert.ok((await world.run(world.node('DE').witness.add(add))).cosigns);
    const { medium, fixture, instead } = world.machine('FR');
    const given = fixture.keys.checkpoint.keyId;
    const disk = medium.snapshot();
    const state = () => world.node('FR').keeper('FR')?.state ?? assert.fail();
    world.replace('FR');
    await world.boot('FR', (one) => one.status.writing === 'behind');
    const entries = givingUp();
    for (let write = 1; state().key(given)?.compromise === undefined; write++) {
      assert.equal(state().log(`${LOG}.1`), undefined);
      await world.kill('FR', { inOrder: true });
      medium.restore(disk);
      instead.checkpoint = fixture.keys.checkpoint;
      world.replace('FR');
      await world.boot('FR', (one) => one.status.writing === 'behind');
      instead.checkpoint = fixture.key('fresh checkpoint');
      const crashed = new Promise<void>((resolve) => medium.onCrash(resolve));
      medium.plan({ write: medium.counters.writes + write, when: 'after', what: 'crash' });
      const logged = world.node('FR').logEntries(entries);
      await world.run(Promise.race([crashed, logged.then(() => assert.fail('it did not crash'))]));
      await world.kill('FR');
      world.replace('FR');
      await world.boot('FR', ({ status: { writing } }) => writing === 'behind' || writing === 'writing');
    }
    assert.ok(state().log(`${LOG}.1`));
    assert.equal(status().writing, 'writing');
    assert.equal((await world.issue('FR', 'p2')).log, `${LOG}.1`);
  });

  it('T3: of an attestation log that is being signed: signs nothing before its root has given the key up', async () => {
    const { add } = await stolen(ORIGIN);
    assert.ok((await world.run(world.node('DE').witness.add(add))).cosigns);
    await world.until(() => status().writing === 'contradicted', 'FR hears of it');
    await giveUp();
    await assertWell();
  });

  it('T3: of the trust log: logs nothing after a start but what gives the key up, by a fresh one, and then all', async () => {
    show((await stolen(TRUST)).add.note);
    await world.kill('FR', { inOrder: true });
    world.replace('FR');
    const node = await world.boot('FR', (one) => one.status.writing === 'behind');
    await assert.rejects(world.issue('FR', 'p2'), isBehind);
    const { fixture } = world.machine('FR');
    const [admission, compromise] = givingUp();
    assert.ok(admission && compromise);
    const { size } = head(TRUST);
    await assert.rejects(world.run(node.logEntries([admission])), isBehind);
    const other = fixture.entryOf(fixture.compromise(fixture.keys.attest, {}));
    await assert.rejects(world.run(node.logEntries([other])), isBehind);
    assert.equal(head(TRUST).size, size);
    await giveUp();
    await assertWell();
  });

  it('T3: of the trust log, and another tree of an attestation log: what gives the key up is logged all the same', async () => {
    show((await stolen(TRUST)).add.note, (await stolen(ORIGIN)).fork);
    await world.kill('FR', { inOrder: true });
    world.replace('FR');
    await world.boot('FR', (one) => one.status.writing === 'behind');
    await giveUp();
  });

  it('T3, T14: a batch that was staged where peers have entries of the thief is given up, and the key then', async () => {
    const { fixture, medium } = world.machine('FR');
    fixture.nowS = world.nowS;
    const { size } = head(TRUST);
    const theirs = fixture.entryOf({ kind: 'log', log: '2026-12', minimum: 0 });
    const { note } = (await stolen(TRUST, fixture.keys.checkpoint, [theirs])).add;
    await world.kill('FR', { inOrder: true });
    const ours = fixture.entryOf({ kind: 'log', log: '2027-01', minimum: 0 });
    const store = new Store(
      { owner: `FR.${NETWORK}` },
      { disk: medium.disk(), mark: medium.mark(), clock: world.clock },
    );
    await world.run(store.start());
    const staged = { index: size, atS: world.nowS, drafts: [ours] };
    await world.run(store.write(stagingChanges(new LogKeys(TRUST), staged)));
    await world.run(store.stop());
    world.network.tamper = ({ from, to, protocol, bytes }) => {
      if (from !== 'DE' || to !== 'FR' || protocol !== SYNC_PROTOCOL) return bytes;
      const answer = parseAnswer(bytes);
      if (answer.kind === 'heads')
        return encodeAnswer({ ...answer, heads: [...answer.heads, { note, forks: 0 }] });
      if (answer.kind !== 'refused') return bytes;
      return encodeAnswer({ kind: 'range', from: size, entries: [theirs], note, path: [] });
    };
    world.replace('FR');
    await world.boot('FR', (one) => one.status.writing === 'writing');
    assert.equal(head(TRUST).size, size + 1);
    world.network.tamper = undefined;
    await giveUp();
    await assertWell();
  });

  /** Another checkpoint key, scheduled beside the one in force, of which all know. */
  async function second(): Promise<TestKey> {
    const { fixture } = world.machine('FR');
    fixture.nowS = world.nowS;
    const key = fixture.key('second checkpoint');
    const admission = fixture.entryOf(fixture.keysStatement([{ key, role: 'checkpoint' }]));
    await world.run(world.node('FR').logEntries([admission]));
    await world.pass(40);
    return key;
  }

  async function startAnew(writing: string): Promise<void> {
    await world.kill('FR', { inOrder: true });
    world.replace('FR');
    await world.boot('FR', (one) => one.status.writing === writing);
  }

  /** An order that gives up `key` is refused since it leaves `other` out, and the refusal says how the order reads with it. */
  async function assertLeftOut(key: TestKey, other: TestKey, code: NodeErrorCode): Promise<void> {
    const { size } = head(TRUST);
    await assert.rejects(world.run(world.node('FR').logEntries(givingUp([key]))), (error) => {
      assert.ok(isNodeError(error, code), String(error));
      assert.ok(error.message.endsWith(`does not give up what signed that: ${other.keyId}`), error.message);
      const order = `entente key compromise DIR --key ${key.keyId} --key ${other.keyId} --cut-off trust=now`;
      assert.ok(error.hint?.includes(order), error.hint);
      return true;
    });
    assert.equal(head(TRUST).size, size);
  }

  it('T3, T9: of the trust log by two keys: an order that leaves one out is refused and names it, and one that gives both up is logged', async () => {
    const first = world.machine('FR').fixture.keys.checkpoint;
    const other = await second();
    show((await stolen(TRUST, first)).add.note, (await stolen(TRUST, other)).add.note);
    await startAnew('behind');
    await assertLeftOut(first, other, 'LOG_BEHIND');
    await assertLeftOut(other, first, 'LOG_BEHIND');
    await giveUp([first, other]);
    await assertWell();
  });

  it('T3: of an attestation log by one key, and of the trust log by another: one order gives both up', async () => {
    const first = world.machine('FR').fixture.keys.checkpoint;
    const other = await second();
    show((await stolen(ORIGIN, first)).add.note, (await stolen(TRUST, other)).add.note);
    await startAnew('behind');
    await assertLeftOut(other, first, 'LOG_BEHIND');
    await giveUp([other, first]);
    await assertWell();
  });

  it('T3: another tree of the trust log by one key: an order that gives up another alone names it', async () => {
    const first = world.machine('FR').fixture.keys.checkpoint;
    const other = await second();
    show((await stolen(TRUST, first)).fork);
    await startAnew('contradicted');
    await assertLeftOut(other, first, 'REFUSED');
    await giveUp([first, other]);
  });

  it('T3, T9: another tree by one key, and more of the one that is here by another: an order that gives the first up alone names it', async () => {
    const first = world.machine('FR').fixture.keys.checkpoint;
    const other = await second();
    show((await stolen(TRUST, first)).fork);
    await startAnew('contradicted');
    show((await stolen(TRUST, first)).fork, (await stolen(TRUST, other)).add.note);
    await assertLeftOut(first, other, 'LOG_BEHIND');
    await giveUp([first, other]);
  });

  it('T3: another tree of the trust log by one key, and of an attestation log by another: an order that gives the first up alone names it', async () => {
    const first = world.machine('FR').fixture.keys.checkpoint;
    const other = await second();
    const { fork } = await stolen(TRUST, first);
    show(fork);
    await startAnew('contradicted');
    show(fork, (await stolen(ORIGIN, other)).fork);
    await assertLeftOut(first, other, 'LOG_CONTRADICTED');
    await giveUp([first, other]);
  });

  it('T9: what a peer has of the trust log by a key that this copy does not know yet is fetched before the order is logged', async () => {
    const { fixture } = world.machine('FR');
    show((await stolen(ORIGIN)).add.note);
    await startAnew('behind');
    fixture.nowS = world.nowS;
    const { size } = head(TRUST);
    const later = fixture.key('later checkpoint');
    const admission = fixture.entryOf(fixture.keysStatement([{ key: later, role: 'checkpoint' }]));
    const ahead = await stolen(ORIGIN);
    const { note } = (await stolen(TRUST, later, [admission])).add;
    show(ahead.add.note, note);
    const { tamper } = world.network;
    world.network.tamper = (message) => {
      const bytes = tamper?.(message) ?? message.bytes;
      if (message.from !== 'DE' || message.to !== 'FR' || message.protocol !== SYNC_PROTOCOL) return bytes;
      if (parseAnswer(bytes).kind !== 'refused') return bytes;
      return encodeAnswer({ kind: 'range', from: size, entries: [admission], note, path: [] });
    };
    await world.run(world.node('FR').logEntries(givingUp())).catch(() => undefined);
    assert.ok(world.node('FR').keeper('FR')?.state.key(later.keyId) !== undefined, 'it has what DE showed');
  });

  it('T11: a claim to write by a key that the order gives up keeps it from nothing; one by another key does, and is named', async () => {
    const first = world.machine('FR').fixture.keys.checkpoint;
    const other = await second();
    await claim(first);
    await startAnew('standby');
    await assert.rejects(world.issue('FR', 'p2'), (error) => isNodeError(error, 'LOG_FENCED'));
    await claim(other, 'BE');
    await assertLeftOut(first, other, 'LOG_FENCED');
    await assertLeftOut(other, first, 'LOG_FENCED');
    await giveUp([first, other]);
    await assertWell();
  });

  it('T11: neither does one beside a larger trust log by the same key', async () => {
    await claim(world.machine('FR').fixture.keys.checkpoint);
    show((await stolen(TRUST)).add.note);
    await startAnew('behind');
    await giveUp();
    await assertWell();
  });

  /** Nobody that FR reaches shows it any more; it is started again, and its operator forces it. */
  async function forget(): Promise<void> {
    world.network.tamper = undefined;
    world.network.cut('DE', 'FR');
    await world.pass(60);
    assert.equal(status().writing, 'behind', 'who showed it is gone');
    await world.kill('FR', { inOrder: true });
    world.replace('FR').force();
    await world.boot('FR', (one) => one.status.writing !== 'checking');
    await world.pass(60);
    assert.equal(status().writing, 'behind', 'after a start, and forced');
  }

  for (const origin of [TRUST, ORIGIN])
    it(`T3: of ${origin}, and whoever showed it is gone: signs nothing before its root has given the key up, and then all`, async () => {
      show((await stolen(origin)).add.note);
      await world.kill('FR', { inOrder: true });
      world.replace('FR');
      await world.boot('FR', (one) => one.status.writing === 'behind');
      await forget();
      const said = /and DE has seen \d+ with our signature, as was shown at 2026-/;
      await world.until(() => said.test(status().reason ?? ''), 'it says who showed it when');
      await giveUp();
      world.network.mend('DE', 'FR');
      await world.pass(40);
      await assertWell();
    });

  it('T3: of a log that was being signed, and whoever showed it is gone: signs nothing after a start either', async () => {
    show((await stolen(ORIGIN)).add.note);
    await world.until(() => status().writing === 'contradicted', 'FR hears of it');
    world.network.tamper = undefined;
    world.network.cut('DE', 'FR');
    await world.kill('FR', { inOrder: true });
    world.replace('FR').force();
    await world.boot('FR', (one) => one.status.writing === 'behind');
    await giveUp();
  });

  it('T9: of the trust log, of which a part was fetched before whoever showed it was gone: signs nothing', async () => {
    const log = world.node('FR').log(TRUST) ?? assert.fail();
    const from = log.size;
    const entries: Uint8Array[] = [];
    for await (const entry of log.reader.entries(0, from)) entries.push(entry.slice());
    const { fixture } = world.machine('FR');
    fixture.nowS = world.nowS;
    for (const name of ['one', 'two'])
      entries.push(fixture.entryOf(fixture.keysStatement([{ key: fixture.key(name), role: 'attest' }])));
    const tree = new ReferenceTree(entries);
    const { publicKey, sign } = fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: TRUST, algorithm: ED25519, publicKey });
    const note = encodeNote(
      signCheckpoint({ origin: TRUST, size: entries.length, root: tree.root() }, key, sign),
    );
    show(note);
    const showing = world.network.tamper ?? assert.fail();
    world.network.tamper = (message) => {
      const { from: by, to, protocol, bytes } = message;
      if (by !== 'DE' || to !== 'FR' || protocol !== SYNC_PROTOCOL) return bytes;
      if (parseAnswer(bytes).kind !== 'refused' || log.size > from) return showing(message);
      const path = tree.proof(from + 1, entries.length);
      return encodeAnswer({ kind: 'range', from, entries: entries.slice(from, from + 1), note, path });
    };
    const { medium } = await world.kill('FR', { inOrder: true });
    world.replace('FR');
    await world.boot('FR', (one) => one.log(TRUST)?.size === from + 1);
    world.network.cut('DE', 'FR');
    await world.kill('FR', { inOrder: true });
    // By the part alone.
    const disk = { disk: medium.disk(), mark: medium.mark(), clock: world.clock };
    const store = new Store({ owner: `FR.${NETWORK}` }, disk);
    await world.run(store.start());
    const kept = await world.run(store.page('own-shown/', 'own-shown0', { limit: 9 }));
    assert.equal(kept.length, 1);
    await world.run(store.write(kept.map(([del]) => ({ del }))));
    await world.run(store.stop());
    world.replace('FR');
    await world.boot('FR', (one) => one.status.writing === 'behind');
    await forget();
    assert.equal(head(TRUST).size, from + 1);
    assert.notEqual(head(TRUST).ahead, undefined);
  });
});
