import assert from 'node:assert/strict';
import { RegionFixture, type TestKey } from '../../support/region-fixture.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { encodeAnswer, parseRequest, SYNC_PROTOCOL, TOPICS } from '../../../node/sync/messages.ts';
import { WRITER_PROTOCOL } from '../../../node/writer/writer-messages.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { cosignatureBy, noteOf } from '../../support/keeper-fixture.ts';
import { type MediumSnapshot } from '../../support/faulty-disk.ts';
import { answerOf } from '../../support/log-story.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { testKey } from '../../support/keys.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';

/** FR is told of in two ways; DE, BE and NL recognise each other and it. */
const OTHERS = ['DE', 'BE', 'NL'] as const;
const LOG = '2026-11';
const ORIGIN = `FR.${NETWORK}/trust`;

describe('a network of nodes in which a thief has told a region in another way', () => {
  let world: NodeWorld;
  let fresh: TestKey;
  /** The disk of DE before it knew of anybody. */
  let early: MediumSnapshot;

  beforeEach(async () => {
    world = new NodeWorld();
    for (const region of ['FR', ...OTHERS]) await world.found(region);
    early = world.machine('DE').medium.snapshot();
    const all = ['FR', ...OTHERS];
    for (const [i, a] of all.entries()) for (const b of all.slice(i + 1)) await world.befriend(a, b);
    fresh = world.machine('FR').fixture.key('fresh checkpoint');
    await world.until(() => OTHERS.every((region) => sizeAt(region) === sizeAt('FR')), 'all have the log');
  });
  afterEach(() => world.stop());

  const sizeAt = (region: string) => world.node(region).log(ORIGIN)?.size ?? 0;
  const keeper = (region: string) => world.node(region).keeper('FR') ?? assert.fail();
  const standing = (region: string) => world.node(region).trust.regions.get('FR')?.standing;

  /** The log of FR as it is now, to be gone on with by a thief. */
  async function copyOfLog(): Promise<RegionFixture> {
    const copy = new RegionFixture({ region: 'FR', network: NETWORK, begins: 'empty' });
    const log = world.node('FR').log(ORIGIN) ?? assert.fail();
    for await (const entry of log.reader.entries(0, log.size)) copy.offer(entry.slice());
    copy.nowS = world.nowS;
    return copy;
  }

  /**
   * What a thief signs reaches some, while FR is cut off from all and signs on itself. Once they meet, FR hears that somebody has signed
   * more than it has.
   */
  async function deceive(
    regions: readonly string[],
    isolatedS = 1,
    silence = () => world.network.isolate('FR'),
  ): Promise<RegionFixture> {
    const bad = await copyOfLog();
    const from = bad.entries.length;
    silence();
    for (const other of OTHERS)
      if (!regions.includes(other)) for (const one of regions) world.network.cut(one, other);
    await world.run(world.node('FR').revoke({ log: LOG, indexes: [900_002] }));
    for (const index of [900_001, 900_003]) bad.revoke([index]);
    for (const region of regions)
      await world.run(keeper(region).apply({ from, entries: bad.entries.slice(from), note: noteOf(bad) }));
    await world.pass(isolatedS);
    for (const region of regions) assert.equal(sizeAt(region), bad.entries.length);
    return bad;
  }

  async function meet(): Promise<void> {
    for (const region of ['FR', ...OTHERS]) world.network.rejoin(region);
    await world.until(() => world.node('FR').status.writing === 'contradicted', 'FR hears of it');
    await world.until(() => OTHERS.every((region) => standing(region) !== 'good'), 'all hold the proof', 90);
  }

  /** The root of FR says which branch goes on, and a fresh key signs it. */
  async function heal(): Promise<void> {
    const { fixture, instead } = world.machine('FR');
    const node = world.node('FR');
    fixture.nowS = world.nowS;
    const { size, root } = node.log(ORIGIN)?.head ?? assert.fail();
    instead.checkpoint = fresh;
    const statements = [
      fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]),
      fixture.compromise(fixture.keys.checkpoint, { trust: { size, root } }),
    ];
    await world.run(node.logEntries(statements.map((statement) => fixture.entryOf(statement))));
    await world.until(() => node.status.writing === 'writing', 'FR signs again');
  }

  /** All have come to the branch of FR, lean on it and keep the proof; of the other, what was revoked counts on where it was known. */
  async function assertHealed(deceived: readonly string[], text: string): Promise<void> {
    await world.until(() => OTHERS.every((region) => sizeAt(region) === sizeAt('FR')), 'one branch', 120);
    await world.pass(40);
    for (const region of OTHERS) {
      assert.match(await world.outcome(region, text), /^pass/, region);
      assert.equal(standing(region), 'good');
      assert.equal(keeper(region).published?.checkpoint.size, sizeAt('FR'));
      assert.deepEqual(keeper(region).state.revoked(LOG)?.has(900_002), true);
      assert.ok(keeper(region).forks.length > 0, `${region} keeps the proof`);
      const { forked, disowned } = world.node(region).status;
      assert.deepEqual([forked, disowned], [[], [ORIGIN]], `${region} holds it against nobody`);
      const beside = world.node(region).trust.regions.get('FR')?.revokedBeside?.get(LOG);
      const { count } = keeper(region).left;
      // Whoever was not deceived at first may have heard of the thief before FR.
      assert.equal(count, deceived.includes(region) ? 1 : Math.min(count, 1));
      assert.equal(beside?.has(900_001) ?? false, count > 0, region);
      assert.deepEqual(world.node(region).status.accusations, [], 'whoever left a branch did so rightly');
    }
    assert.ok(keeper('FR').forks.length > 0);
    assert.deepEqual(world.node('FR').status.forked, []);
  }

  const cosignedByAll = (note: Uint8Array) => {
    const { text, signatures } = parseNote(note);
    const lines = OTHERS.map((of) => cosignatureBy(world.machine(of).fixture, text, world.nowS));
    return encodeNote({ text, signatures: [...signatures, ...lines] });
  };

  it('T3, T4: none with a quorum: all come to the branch that the root names, and verdicts come back', async () => {
    const { text } = await world.issue('FR');
    await world.pass(40);
    await deceive(['DE']);
    await meet();
    for (const region of OTHERS) assert.match(await world.outcome(region, text), /^undetermined .*FORKED/);
    await heal();
    await assertHealed(['DE'], text);
  });

  it('A15, A27, T3: a quorum on the branch of the thief: its witnesses begin anew, and vouch for the other', async () => {
    const { text } = await world.issue('FR');
    await world.pass(40);
    const bad = await deceive(OTHERS, 40);
    for (const region of OTHERS) {
      assert.equal(standing(region), 'good');
      assert.equal(keeper(region).published?.checkpoint.size, bad.entries.length);
    }
    await meet();
    await heal();
    await assertHealed(OTHERS, text);
    // Somebody shows the other branch still, as all have cosigned it, and FR itself signs it anew: lines of witnesses say nothing of that.
    const signed = cosignedByAll(noteOf(bad, undefined, fresh));
    const story = { origin: ORIGIN, tree: new ReferenceTree(bad.entries), note: signed };
    const late = world.network.join('FR#9');
    const asked: string[] = [];
    late.handle(SYNC_PROTOCOL, (_peer, request) => {
      const question = parseRequest(request);
      asked.push(question.kind);
      return Promise.resolve(encodeAnswer(answerOf(question, story)));
    });
    world.network.announce('FR#9');
    await world.until(
      () => asked.filter((kind) => kind === 'claim').length >= 2 * OTHERS.length,
      'it is asked',
    );
    await world.pass(10);
    for (const region of OTHERS) assert.deepEqual(world.node(region).status.accusations, [], region);
  });

  it('A4 T3: who joins after the healing has the proof, and holds nothing against those that bear it', async () => {
    await world.pass(40);
    await deceive(['DE']);
    await meet();
    await heal();
    await world.until(() => OTHERS.every((region) => sizeAt(region) === sizeAt('FR')), 'one branch', 120);
    await world.found('AT');
    for (const region of ['FR', ...OTHERS]) await world.befriend('AT', region);
    await world.until(() => keeper('AT').forks.length > 0, 'AT has the proof', 90);
    await world.pass(100);
    assert.deepEqual(keeper('AT').standingForks, []);
    assert.equal(standing('AT'), 'good');
    for (const one of ['AT', 'FR', ...OTHERS])
      for (const other of ['AT', 'FR', ...OTHERS])
        assert.equal(world.node(one).peerBook.recordOf(other).faultsInAll, 0, `${one} blames ${other}`);
  });

  it('T5: a quorum on both: what is quarantined comes back as well', async () => {
    const { text } = await world.issue('FR');
    await world.pass(40);
    const bad = await deceive(['DE', 'BE']);
    const size = bad.entries.length - 1;
    const log = world.node('FR').log(ORIGIN) ?? assert.fail();
    assert.equal(log.size, size);
    const { root, note } = log.head.signed ?? assert.fail();
    const sides = [
      { note: cosignedByAll(note), root, path: [] },
      { note: cosignedByAll(noteOf(bad, size)), root: bad.rootAt(size), path: [] },
    ] as const;
    await world.run(keeper('NL').accuse({ size, sides }));
    await meet();
    for (const region of OTHERS)
      assert.match(await world.outcome(region, text), /^undetermined .*QUARANTINED/);
    await heal();
    await assertHealed(['DE', 'BE'], text);
  });

  it('T3, T9: DE, whose store went back while FR healed, is held by what it remembers until it has proof, and vouches again', async () => {
    const { text } = await world.issue('FR');
    await world.pass(40);
    const bad = await deceive(['DE'], 40);
    await world.run(world.node('FR').revoke({ log: LOG, indexes: [900_004] }));
    const { medium, secondPlace } = await world.kill('DE');
    for (const place of [ORIGIN, `witness:${ORIGIN}`])
      assert.deepEqual(secondPlace.marks.get(place)?.root, bad.fold.root, place);
    for (const region of ['FR', ...OTHERS]) world.network.rejoin(region);
    await world.pass(20);
    const { fixture, instead } = world.machine('FR');
    const node = world.node('FR');
    fixture.nowS = world.nowS;
    const { size, root } = node.log(ORIGIN)?.head ?? assert.fail();
    assert.ok(size >= bad.entries.length);
    const statements = [
      fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]),
      fixture.compromise(fixture.keys.checkpoint, { trust: { size, root } }),
    ];
    instead.checkpoint = fresh;
    await world.run(node.logEntries(statements.map((statement) => fixture.entryOf(statement))));
    medium.restore(early);
    world.replace('DE');
    await world.boot('DE');
    await world.until(() => sizeAt('DE') === sizeAt('FR'), 'DE has the log', 120);
    await world.pass(40);
    assert.match(await world.outcome('DE', text), /^pass/);
    for (const place of [ORIGIN, `witness:${ORIGIN}`])
      assert.equal(secondPlace.marks.get(place)?.size, sizeAt('FR'), place);
    const seen = await world.run(world.node('DE').witness.lastSeen(ORIGIN));
    assert.deepEqual(seen?.root, world.node('FR').log(ORIGIN)?.head.root);
  });

  it('T3, T4: where witnesses fence FR, a thief who signed more than it is no writer that it follows: its root names its branch, and it writes on', async () => {
    const { text } = await world.issue('FR');
    await world.pass(40);
    await world.kill('FR', { inOrder: true });
    world.replace('FR', { fenced: { identity: testKey(101).publicKey } });
    await world.boot('FR');
    await world.pass(40);
    // Its witnesses permit what it signs, and nobody hears of that.
    await deceive(['DE'], 1, () => {
      world.network.tamper = ({ from, to, protocol, bytes }) =>
        [from, to].includes('FR') && protocol !== WRITER_PROTOCOL ? undefined : bytes;
    });
    world.network.tamper = undefined;
    await meet();
    await heal();
    await assertHealed(['DE'], text);
    assert.equal(world.node('FR').status.writer?.isSelf, true);
  });

  it('T3: FR logs nothing but what names its branch and gives up each key that signed the other', async () => {
    await world.pass(40);
    await deceive(['DE']);
    await meet();
    const node = world.node('FR');
    const { fixture } = world.machine('FR');
    const log = node.log(ORIGIN) ?? assert.fail();
    const { size, root } = log.head;
    const { checkpoint } = fixture.keys;
    const admission = fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]);
    for (const statements of [
      [admission],
      [fixture.compromise(checkpoint, {})],
      [fixture.compromise(checkpoint, { trust: { size, root: new Uint8Array(32) } })],
      [admission, fixture.compromise(fixture.keys['trust-log'], { trust: { size, root } })],
    ]) {
      const entries = statements.map((statement) => fixture.entryOf(statement));
      await assert.rejects(world.run(node.logEntries(entries)), (error) => isNodeError(error, 'REFUSED'));
    }
    assert.equal(log.size, size);
    await assert.rejects(world.run(node.revoke({ log: LOG, indexes: [5] })), (error) =>
      isNodeError(error, 'LOG_CONTRADICTED'),
    );
    await heal();
  });

  it('T3: a thief who goes on adding to the log of FR does not keep the order out', async () => {
    await world.pass(40);
    await deceive(['DE']);
    await meet();
    const bad = await copyOfLog();
    const thief = world.network.join('thief');
    for (const other of OTHERS) world.network.cut('thief', other);
    const from = bad.entries.length;
    let isOver = false;
    const feed = async () => {
      for (let i = 0; !isOver && i < 400; i++) {
        bad.revoke([800_000 + i]);
        const { entries } = bad;
        const at = Math.max(from, entries.length - 4);
        thief.publish(
          TOPICS.trust,
          encodeAnswer({ kind: 'range', from: at, entries: entries.slice(at), note: noteOf(bad), path: [] }),
        );
        await world.clock.wait(4);
      }
    };
    void feed();
    const before = sizeAt('FR');
    await world.pass(0.25);
    assert.ok(sizeAt('FR') > before, 'FR takes what it is given');
    await heal();
    isOver = true;
  });
});
