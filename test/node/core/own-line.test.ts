import assert from 'node:assert/strict';
import { readNote, type ReadNote } from '../../../protocol/log/checkpoint.ts';
import { encodeAnswer, parseAnswer, TOPICS } from '../../../node/sync/messages.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { witnessName } from '../../../protocol/log/origin.ts';
import { type Wire } from '../../support/memory-network.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';

const REGIONS = ['DE', 'FR', 'IT'] as const;
const TRUST = `DE.${NETWORK}/trust`;

async function three(): Promise<NodeWorld> {
  const world = new NodeWorld();
  for (const region of REGIONS) await world.found(region);
  await world.befriend('DE', 'FR');
  await world.befriend('DE', 'IT');
  await world.befriend('FR', 'IT');
  await world.pass(15);
  return world;
}

/** What a message shows of the trust log of DE. */
function shown({ bytes }: Wire): ReadNote[] {
  const answer = parseAnswer(bytes);
  const notes =
    answer.kind === 'heads'
      ? answer.heads.map(({ note }) => note)
      : answer.kind === 'range' || answer.kind === 'claim'
        ? [answer.note]
        : [];
  return notes.map((note) => readNote(note)).filter(({ checkpoint }) => checkpoint.origin === TRUST);
}

function hasOwnLine({ note }: ReadNote): boolean {
  return note.signatures.some(({ name }) => name === witnessName('DE', NETWORK));
}

function withoutOwnLine({ bytes }: Wire): Uint8Array {
  const answer = parseAnswer(bytes);
  const bare = (note: Uint8Array): Uint8Array => {
    const { text, signatures } = readNote(note).note;
    return encodeNote({
      text,
      signatures: signatures.filter(({ name }) => name !== witnessName('DE', NETWORK)),
    });
  };
  if (answer.kind === 'heads') {
    return encodeAnswer({
      ...answer,
      heads: answer.heads.map((head) => ({ ...head, note: bare(head.note) })),
    });
  }
  return answer.kind === 'range' || answer.kind === 'claim'
    ? encodeAnswer({ ...answer, note: bare(answer.note) })
    : bytes;
}

function isAnswer({ protocol }: Wire): boolean {
  return protocol.startsWith('/entente/sync/') || Object.values(TOPICS).includes(protocol as never);
}

describe('RegionNode, of its newest checkpoint', () => {
  it('shows none without the line of its own witness: in gossip, in answers, after a death and from its start on', async () => {
    const world = await three();
    const sizes = new Set<number>();
    const bare: string[] = [];
    world.network.tamper = (wire) => {
      if (wire.from === 'DE' && isAnswer(wire)) {
        for (const one of shown(wire)) {
          sizes.add(one.checkpoint.size);
          if (!hasOwnLine(one)) bare.push(`${wire.protocol} to ${wire.to}: size ${one.checkpoint.size}`);
        }
      }
      return wire.bytes;
    };
    const code = await world.issue('DE');
    for (let i = 0; i < 5; i++) {
      await world.run(world.node('DE').revoke({ log: code.log, indexes: [1_000 + i] }));
      await world.pass(i);
    }
    for (const inOrder of [true, false]) {
      await world.run(world.node('DE').revoke({ log: code.log, indexes: [inOrder ? 2_000 : 3_000] }));
      await world.kill('DE', { inOrder });
      world.replace('DE');
      await world.boot('DE');
      await world.pass(31);
    }
    assert.deepEqual(bare, []);
    assert.ok(sizes.size >= 8, `${sizes.size} sizes were shown`);
    await world.stop();
  });

  it('its death in the moment in which others hear of it leaves them with a silence that has an end', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(2);
    const before = world.node('FR').keeper('DE')?.tree.size ?? 0;
    // The entries and their checkpoint are the last that anybody gets of it.
    let told = 0;
    world.network.tamper = (wire) => {
      if (wire.from !== 'DE' || !isAnswer(wire)) return wire.bytes;
      if (wire.protocol === TOPICS.trust && shown(wire).some(({ checkpoint }) => checkpoint.size > before))
        told++;
      return told === 0 || wire.protocol === TOPICS.trust ? wire.bytes : undefined;
    };
    await world.run(world.node('DE').revoke({ log: code.log, indexes: [1_000] }));
    await world.pass(1);
    await world.kill('DE');
    assert.equal(told, 2);
    for (const [minutes, expected] of [
      [0, /^pass(?!.*ISSUER_SILENT)/],
      [15, /^pass.*ISSUER_SILENT(?!_TOO_LONG)/],
    ] as const) {
      await world.pass(minutes * 60);
      for (const region of ['FR', 'IT']) {
        assert.match(await world.outcome(region, code.text), expected, region);
        assert.equal(world.node(region).trust.regions.get('DE')?.checkpoint.size, before + 1);
      }
    }
    await world.stop();
  });

  it('whoever brings a later checkpoint without that line makes nobody forget when the region was heard of', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(12);
    const before = world.node('FR').keeper('DE')?.tree.size ?? 0;
    let stripped = 0;
    world.network.tamper = (wire) => {
      if (!isAnswer(wire) || !shown(wire).some(({ checkpoint }) => checkpoint.size > before))
        return wire.bytes;
      stripped++;
      return withoutOwnLine(wire);
    };
    await world.run(world.node('DE').revoke({ log: code.log, indexes: [1_000] }));
    await world.pass(12);
    await world.kill('DE');
    assert.ok(stripped > 0);
    for (const [minutes, expected] of [
      [0, /^pass(?!.*ISSUER_SILENT)/],
      [15, /^pass.*ISSUER_SILENT(?!_TOO_LONG)/],
    ] as const) {
      await world.pass(minutes * 60);
      for (const region of ['FR', 'IT']) {
        const known = world.node(region).trust.regions.get('DE');
        assert.equal(known?.checkpoint.size, before + 1);
        assert.ok(known.cosignatures.every((one) => one.region !== 'DE'));
        assert.match(await world.outcome(region, code.text), expected, region);
      }
    }
    await world.stop();
  });
});
