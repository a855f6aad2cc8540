import assert from 'node:assert/strict';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { logVerifierKeys } from '../../../node/trust/log-keys.ts';
import {
  ADDRESSED_POLICY,
  cosignedOutside,
  OUTSIDE,
  OUTSIDE_POLICY,
  outsideDesk,
  witnessPolicyOf,
} from '../../support/outside-witness.ts';
import { sha256 } from '../../support/primitives.ts';
import { parseNote } from '../../../protocol/log/note.ts';

const policy = witnessPolicyOf(OUTSIDE_POLICY, NETWORK);

/** DE, IT and FR recognise each other; the first two go by a witness outside alone. */
async function three(): Promise<NodeWorld> {
  const world = new NodeWorld();
  await world.found('DE', { policy });
  await world.found('IT', { policy });
  await world.found('FR');
  await world.befriend('DE', 'FR');
  await world.befriend('DE', 'IT');
  await world.befriend('FR', 'IT');
  await world.pass(15);
  return world;
}

/** The witness outside cosigns what a node holds of the logs, and whoever asked it tells that node. */
async function cosign(world: NodeWorld, at: string, logs: readonly string[], aheadS = 0): Promise<void> {
  for (const region of logs) {
    const keeper = world.node(at).keeper(region) ?? assert.fail(`${at} follows no ${region}`);
    const note = cosignedOutside(keeper.note ?? assert.fail(), world.nowS + aheadS);
    assert.equal(await world.run(keeper.heed(note)), 'known');
  }
}

describe('RegionNode with a policy of witnesses', () => {
  it('says undetermined until the witness outside has cosigned, hears that from a peer, and passes then', async () => {
    const world = await three();
    const { text } = await world.issue('FR');
    await world.pass(15);
    const before = await world.verify('DE', text);
    assert.equal(before.outcome, 'undetermined');
    // Its own log goes no further than its first checkpoint either, before anybody was recognised.
    assert.deepEqual(
      before.reasons.flatMap((one) => (one.code === 'UNWITNESSED' ? [[one.region, one.details]] : [])),
      [['DE', { counted: 0, needed: 1, of: 1, by: 'policy' }]],
    );
    assert.match(await world.outcome('FR', text), /^pass/);

    await cosign(world, 'DE', ['DE']);
    assert.match(await world.outcome('DE', text), /^undetermined UNWITNESSED/);
    // Only IT is told: gossip takes the lines to DE, and past FR, who does not know the witness.
    await cosign(world, 'IT', ['DE', 'FR']);
    await world.pass(15);
    assert.match(await world.outcome('DE', text), /^pass/);
    const { knowledge } = await world.verify('DE', text);
    assert.deepEqual(
      knowledge.map(({ region, witnesses }) => [region, witnesses]),
      ['DE', 'FR'].map((region) => [region, { counted: 1, needed: 1, of: 1, by: 'policy' }]),
    );
    const lines = (at: string) =>
      parseNote(world.node(at).keeper('FR')?.note ?? assert.fail()).signatures.map(({ name }) => name);
    assert.ok(lines('DE').includes(OUTSIDE.name));
    assert.ok(!lines('FR').includes(OUTSIDE.name));
    await world.stop();
  });

  it('asks the witness itself where the policy gives an address, about its own log and those that it follows', async () => {
    const world = new NodeWorld();
    const desk = await outsideDesk(world.clock, (origin) => {
      const keeper = ['DE', 'FR']
        .map((at) => world.node('DE').keeper(at))
        .find((one) => one?.origin === origin);
      return keeper && logVerifierKeys(sha256, keeper.state, origin);
    });
    await world.found('DE', { policy: witnessPolicyOf(ADDRESSED_POLICY, NETWORK), httpPost: desk.post });
    await world.found('FR', { policy });
    await world.befriend('DE', 'FR');
    await world.pass(70);
    const { text } = await world.issue('FR');
    await world.pass(15);
    assert.match(await world.outcome('DE', text), /^pass/);
    assert.match(await world.outcome('FR', text), /^pass/, 'the lines are passed on');
    const [outside, ...more] = world.node('DE').status.outside;
    assert.deepEqual([outside?.name, outside?.failed, outside?.troubles, more], [OUTSIDE.name, 0, {}, []]);
    assert.deepEqual(world.node('FR').status.outside, []);
    await world.stop();
    await desk.stop();
  });

  it('is stale once the witness outside is silent, though all regions vouch, and leans on no time ahead', async () => {
    const world = await three();
    const { text } = await world.issue('FR');
    await world.pass(15);
    await cosign(world, 'DE', ['DE', 'FR'], 121);
    assert.match(await world.outcome('DE', text), /^undetermined.* UNWITNESSED/);
    await cosign(world, 'DE', ['DE', 'FR']);
    assert.match(await world.outcome('DE', text), /^pass/);
    await world.pass(601);
    assert.match(await world.outcome('DE', text), /^undetermined.* KNOWLEDGE_STALE/);
    assert.match(await world.outcome('FR', text), /^pass/);
    await world.stop();
  });

  it('goes on with the state for which its witness vouched, and counts what is revoked since at once', async () => {
    const world = await three();
    const code = await world.issue('FR');
    const other = await world.issue('FR');
    await world.pass(15);
    await cosign(world, 'DE', ['DE', 'FR']);
    assert.match(await world.outcome('DE', code.text), /^pass/);
    await world.run(world.node('FR').revoke({ log: code.log, indexes: [code.index] }));
    await world.pass(15);
    assert.match(await world.outcome('DE', code.text), /^stop.*REVOKED/);
    assert.match(await world.outcome('DE', other.text), /^pass/);
    await world.stop();
  });
});
