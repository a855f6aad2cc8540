import assert from 'node:assert/strict';
import { encodeRequest, parseAnswer, SYNC_PROTOCOL } from '../../../node/sync/messages.ts';
import { readNote, signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const LOG = '2026-11';
const ORIGIN = `FR.${NETWORK}/attest/${LOG}`;

describe('a region of which a thief has had a larger tree cosigned', () => {
  let world: NodeWorld;
  beforeEach(async () => {
    world = new NodeWorld();
    for (const region of ['FR', 'DE', 'BE']) await world.found(region);
    await world.befriend('FR', 'DE');
    await world.befriend('FR', 'BE');
    await world.befriend('DE', 'BE');
  });
  afterEach(() => world.stop());

  /** The sizes that a member of that name is shown of the log by DE. */
  async function shownTo(name: string): Promise<number[]> {
    const asking = world.network.join(name);
    const request = encodeRequest({ kind: 'heads' });
    const asked = asking.request('DE', SYNC_PROTOCOL, request, new AbortController().signal);
    const answer = parseAnswer(await world.run(asked));
    world.network.leave(name);
    assert.ok(answer.kind === 'heads');
    const shown = answer.heads.map(({ note }) => readNote(note).checkpoint);
    return shown.filter(({ origin }) => origin === ORIGIN).map(({ size }) => size);
  }

  it('A15: hears of it from the witness that has left it, which tells nobody else, and signs on', async () => {
    const { fixture, instead } = world.machine('FR');
    const { witness } = world.node('DE');
    await world.issue('FR');
    await world.pass(40);
    const seen = (await world.run(witness.lastSeen(ORIGIN))) ?? assert.fail('DE has cosigned nothing');
    const log = world.node('FR').log(ORIGIN) ?? assert.fail();
    const entries: Uint8Array[] = [];
    for await (const entry of log.reader.entries(0, log.size)) entries.push(entry.slice());
    const bad = new ReferenceTree([...entries, ...Array.from({ length: 40 }, (_, i) => Uint8Array.of(i))]);
    const size = bad.entries.length;
    const { publicKey, sign, keyId } = fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: ORIGIN, algorithm: ED25519, publicKey });
    const note = encodeNote(signCheckpoint({ origin: ORIGIN, size, root: bad.root() }, key, sign));
    const add = { oldSize: seen.size, path: bad.proof(seen.size, size), note };
    assert.ok((await world.run(witness.add(add))).cosigns);

    const fresh = (instead.checkpoint = fixture.key('fresh checkpoint'));
    fixture.nowS = world.nowS;
    const cutOff = (origin: string) => {
      const { size: count, root } = world.node('FR').log(origin)?.head ?? assert.fail();
      return { size: count, root };
    };
    const cutOffs = { [LOG]: cutOff(ORIGIN), trust: cutOff(`FR.${NETWORK}/trust`) };
    const statements = [
      fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]),
      fixture.compromise(fixture.keys.checkpoint, cutOffs),
    ];
    const logged = statements.map((statement) => fixture.entryOf(statement));
    await world.run(world.node('FR').logEntries(logged));
    await world.until(() => world.node('FR').status.writing === 'writing', 'FR signs on');
    await world.issue('FR', 'p2');

    const told = [{ origin: ORIGIN, size, keyIds: [keyId], isLarger: true }];
    await world.until(() => world.node('FR').status.left.length > 0, 'FR hears of it', 120);
    assert.deepEqual(world.node('FR').status.left, told);
    for (const other of ['DE', 'BE']) assert.deepEqual(world.node(other).status.left, []);
    await world.pass(40);
    const { size: now } = log;
    assert.deepEqual(await shownTo('FR#7'), [now, size], 'what is left comes last');
    for (const foreign of ['BE#7', 'IT']) assert.deepEqual(await shownTo(foreign), [now], foreign);

    await world.kill('FR', { inOrder: true });
    world.replace('FR');
    await world.boot('FR');
    assert.deepEqual(world.node('FR').status.left, told);
  });
});
