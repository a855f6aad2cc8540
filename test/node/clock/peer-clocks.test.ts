import assert from 'node:assert/strict';
import { encodeSignatureLine } from '../../../protocol/log/signature-line.ts';
import { VOTE_MS_MAX } from '../../../node/clock/clock-votes.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { WITNESS_PROTOCOL } from '../../../node/sync/messages.ts';
import { signCosignature } from '../../../protocol/log/cosignature.ts';
import { witnessName } from '../../../protocol/log/origin.ts';
import { COSIGNATURE, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';

const REGIONS = ['DE', 'FR', 'IT', 'JP'] as const;
const HOUR_MS = 3_600_000;

/** Regions that all recognise each other, and have asked each other what time it is. */
async function worldOf(regions: readonly string[]): Promise<NodeWorld> {
  const world = new NodeWorld();
  for (const region of regions) await world.found(region);
  for (const [i, region] of regions.entries()) {
    for (const other of regions.slice(i + 1)) await world.befriend(region, other);
  }
  await world.pass(35);
  return world;
}

function standingOf(world: NodeWorld, region: string): string {
  return world.node(region).status.clock.standing;
}

function isAstray(error: unknown): boolean {
  return isNodeError(error, 'CLOCK_ASTRAY') && error.retry && /most regions/.test(error.message);
}

/** From now on the witness of a region answers with cosignatures of its own, of another time. */
function lie(world: NodeWorld, liar: string, aheadS: number): void {
  const { witness } = world.machine(liar).fixture.keys;
  const verifier = makeVerifierKey(sha256, {
    name: witnessName(liar, NETWORK),
    algorithm: COSIGNATURE,
    publicKey: witness.publicKey,
  });
  world.network.tamper = ({ from, to, protocol, bytes }) => {
    const text = world.node(to).keeper(liar)?.latest?.pool.text;
    if (from !== liar || protocol !== WITNESS_PROTOCOL || text === undefined) return bytes;
    const line = signCosignature(verifier, text, world.nowS + aheadS, (message) => witness.sign(message));
    return Buffer.from(`200\n${encodeSignatureLine(line)}`);
  };
}

describe('PeerClocks', () => {
  it('T15: a node whose clock steps by an hour signs nothing and says so, gives verdicts, and signs once it is right', async () => {
    const world = await worldOf(REGIONS.slice(0, 3));
    const { clockError } = world.machine('DE');
    const code = await world.issue('FR');
    await world.pass(2);
    for (const aheadMs of [HOUR_MS, -HOUR_MS]) {
      assert.equal(standingOf(world, 'DE'), 'agrees');
      clockError.aheadMs = aheadMs;
      await assert.rejects(
        world.issue('DE'),
        (error) => isAstray(error) || isNodeError(error, 'CLOCK_BEHIND'),
      );
      const { writing, clock } = world.node('DE').status;
      assert.equal(writing, 'astray');
      assert.ok(Math.abs((clock.aheadS ?? 0) - aheadMs / 1_000) <= 1);
      // With an hour that has not come here nobody passes, and what is an hour old by this clock is too old to tell.
      assert.match(await world.outcome('DE', code.text), aheadMs > 0 ? /^undetermined/ : /NOT_YET_ISSUED/);
      await world.pass(40);
      // The others neither hear its wrong time nor take it for theirs.
      for (const region of ['FR', 'IT']) assert.notEqual(standingOf(world, region), 'astray');
      await world.issue('FR', `p ${aheadMs}`);
      clockError.aheadMs = 0;
      await world.issue('DE', `q ${aheadMs}`);
      assert.equal(world.node('DE').status.writing, 'writing');
      await world.pass(40);
    }
    await world.stop();
  });

  it('T15: a node that starts with a clock that is wrong does not sign anything before it knows', async () => {
    const world = await worldOf(REGIONS.slice(0, 3));
    const machine = await world.kill('DE', { inOrder: true });
    machine.clockError.aheadMs = HOUR_MS;
    world.replace('DE');
    await world.boot('DE', ({ status }) => status.writing === 'astray');
    await assert.rejects(world.issue('DE'), isAstray);
    await world.stop();
  });

  it('T15: asks every two minutes while most agree, and every half minute while there is doubt', async () => {
    const world = await worldOf(REGIONS.slice(0, 3));
    let answers = 0;
    world.network.tamper = ({ to, protocol, bytes }) => {
      if (to === 'DE' && protocol === WITNESS_PROTOCOL) answers++;
      return bytes;
    };
    await world.pass(480);
    assert.ok(answers >= 6 && answers <= 10, `${answers} answers in agreement`);
    world.machine('DE').clockError.aheadMs = -HOUR_MS;
    await world.pass(40);
    answers = 0;
    await world.pass(480);
    assert.ok(answers >= 28 && answers <= 34, `${answers} answers in doubt`);
    await world.stop();
  });

  it('T15: one liar among three neither stops a node whose clock is right, nor lets one sign whose clock is wrong', async () => {
    for (const aheadS of [10 * 365 * 86_400, -86_400]) {
      const world = await worldOf(REGIONS);
      lie(world, 'IT', aheadS);
      await world.pass(130);
      const { clock } = world.node('DE').status;
      assert.ok(Math.abs((clock.aheadOfS['IT'] ?? 0) + aheadS) <= 2, 'the lie is heard');
      assert.equal(clock.standing, 'agrees');
      await world.issue('DE');
      world.machine('DE').clockError.aheadMs = -Math.sign(aheadS) * HOUR_MS;
      await assert.rejects(
        world.issue('DE'),
        (error) => isAstray(error) || isNodeError(error, 'CLOCK_BEHIND'),
      );
      assert.equal(world.node('DE').status.writing, 'astray');
      await world.stop();
    }
  });

  it('T15: a node that is cut off from all but a liar signs on', async () => {
    const world = await worldOf(REGIONS);
    lie(world, 'IT', HOUR_MS / 1_000);
    for (const region of ['FR', 'JP']) world.network.cut('DE', region);
    await world.pass(130);
    assert.equal(standingOf(world, 'DE'), 'agrees');
    await world.pass(VOTE_MS_MAX / 1_000);
    assert.equal(standingOf(world, 'DE'), 'doubtful');
    await world.issue('DE');
    await world.stop();
  });

  it('a region that recognises nobody, and one with a single peer, are never stopped', async () => {
    for (const count of [1, 2]) {
      const world = await worldOf(REGIONS.slice(0, count));
      world.machine('DE').clockError.aheadMs = HOUR_MS;
      await world.pass(40);
      assert.equal(standingOf(world, 'DE'), count === 1 ? 'alone' : 'doubtful');
      await world.issue('DE');
      await world.stop();
    }
  });
});
