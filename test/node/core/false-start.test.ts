import assert from 'node:assert/strict';
import { vouchableSize } from '../../../cli/ceremony/cut-offs.ts';
import { encodeAnswer, parseAnswer, SYNC_PROTOCOL } from '../../../node/sync/messages.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const LOG = '2026-11';
const ORIGIN = `FR.${NETWORK}/attest/${LOG}`;
const TRUST = `FR.${NETWORK}/trust`;

describe('a region whose node has taken a `state` statement of nobody, under its stolen checkpoint key', () => {
  let world: NodeWorld;
  afterEach(() => world.stop());

  const head = (origin: string) => world.node('FR').log(origin)?.head ?? assert.fail();

  /** DE gives FR, which starts, one entry more of its trust log. Gives its index. */
  async function takeFalseStart(): Promise<number> {
    const { fixture } = world.machine('FR');
    fixture.nowS = world.nowS;
    const log = world.node('FR').log(TRUST) ?? assert.fail();
    const from = log.size;
    const entries: Uint8Array[] = [];
    for await (const entry of log.reader.entries(0, from)) entries.push(entry.slice());
    const state = {
      kind: 'state',
      at: world.nowS,
      format: 1,
      items: 1,
      root: sha256(Uint8Array.of(9)),
    } as const;
    const forged = fixture.entryOf(state, [fixture.key('x')]);
    const tree = new ReferenceTree([...entries, forged]);
    const { publicKey, sign } = fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: TRUST, algorithm: ED25519, publicKey });
    const note = encodeNote(signCheckpoint({ origin: TRUST, size: from + 1, root: tree.root() }, key, sign));
    world.network.tamper = ({ from: by, to, protocol, bytes }) => {
      if (by !== 'DE' || to !== 'FR' || protocol !== SYNC_PROTOCOL) return bytes;
      const answer = parseAnswer(bytes);
      if (answer.kind === 'heads')
        return encodeAnswer({ ...answer, heads: [...answer.heads, { note, forks: 0 }] });
      if (answer.kind !== 'refused') return bytes;
      return encodeAnswer({ kind: 'range', from, entries: [forged], note, path: [] });
    };
    await world.kill('FR', { inOrder: true });
    world.replace('FR');
    await world.boot('FR', (one) => one.log(TRUST)?.size === from + 1);
    world.network.tamper = undefined;
    await world.until(() => world.node('FR').status.writing === 'writing', 'FR signs');
    return from;
  }

  it('T1: is vouched for again once its root has named what lies before the statement, and then what is there', async () => {
    world = new NodeWorld({ tendMs: 20_000 });
    for (const region of ['FR', 'DE', 'BE']) await world.found(region);
    await world.befriend('FR', 'DE');
    await world.befriend('FR', 'BE');
    await world.befriend('DE', 'BE');
    await world.issue('FR');
    await world.pass(40);
    const falseStart = await takeFalseStart();
    assert.equal(world.node('FR').status.falseStart, falseStart);
    const { fixture, instead, node } = world.machine('FR');
    const { reader } = node.log(TRUST) ?? assert.fail();
    const fresh = fixture.key('fresh checkpoint');
    const cutOff = async (size: number) => ({
      [LOG]: { size: head(ORIGIN).size, root: head(ORIGIN).root },
      trust: { size, root: await reader.rootAt(size) },
    });
    fixture.nowS = world.nowS;
    const admission = fixture.entryOf(fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]));
    const { checkpoint } = fixture.keys;
    const before = fixture.entryOf(
      fixture.compromise(checkpoint, await cutOff(vouchableSize({ falseStart }, head(TRUST).size))),
    );
    instead.checkpoint = fresh;
    await world.run(node.logEntries([admission, before]));
    assert.equal(node.status.falseStart, undefined);
    const now = fixture.entryOf(fixture.compromise(checkpoint, await cutOff(head(TRUST).size), 2));
    await world.run(node.logEntries([now]));
    const { text } = await world.issue('FR', 'p2');
    await world.pass(60);
    for (const region of ['FR', 'DE', 'BE']) {
      assert.match(await world.outcome(region, text), /^pass/, region);
      assert.deepEqual(world.node(region).status.forked, [], region);
    }
  });
});
