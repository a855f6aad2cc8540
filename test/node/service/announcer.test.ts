import assert from 'node:assert/strict';
import { type TrustLogItem } from '../../../node/log/trust-log-work.ts';
import { NodeError } from '../../../node/node-error.ts';
import { Announcer, type AnnouncerModules } from '../../../node/service/announcer.ts';
import { type NodeIdentity, type TrustState } from '../../../protocol/trust/trust-state.ts';
import { equalBytes, hexOf } from '../../../protocol/bytes.ts';
import { testKey } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { DAY_S, START_S } from '../../support/region-fixture.ts';

const OWN = testKey(1).publicKey;
const OTHER = testKey(2).publicKey;
const ADDRESSES = ['/ip4/192.0.2.7/tcp/7411'];
const ROUND_MS = 30_000;

describe('Announcer', () => {
  let clock: ManualClock;
  let announcer: Announcer;
  /** What keeps the node from signing. */
  let refusal: NodeError | undefined;
  let nodes: NodeIdentity[];
  /** As the config says. */
  let standby: AnnouncerModules['standby'];
  let troubles: unknown[];

  beforeEach(() => {
    clock = new ManualClock(START_S * 1_000);
    refusal = undefined;
    nodes = [];
    standby = { key: hexOf(OTHER), addresses: ADDRESSES };
    troubles = [];
    announcer = new Announcer({
      region: {
        state: { nodes: () => nodes } as Partial<TrustState> as TrustState,
        publish: () => Promise.resolve(),
        publishWitnessed: () => Promise.resolve(),
        node: {
          whenWriting: () => (refusal === undefined ? Promise.resolve() : Promise.reject(refusal)),
          submit: (item) => {
            const said = identityIn(item);
            nodes = [...nodes.filter(({ publicKey }) => !equalBytes(publicKey, said.publicKey)), said];
            return Promise.resolve({ index: 0 } as never);
          },
        },
      },
      publicKey: OWN,
      addresses: () => ADDRESSES,
      get standby() {
        return standby;
      },
      clock,
      onTrouble: (error) => troubles.push(error),
    });
  });
  afterEach(() => announcer.stop());

  function identityIn(item: TrustLogItem): NodeIdentity {
    assert.ok('build' in item);
    const { statement } = item.build({ atS: Math.floor(clock.nowMs() / 1_000) } as never) as {
      readonly statement: { readonly key: Uint8Array; readonly from: number; readonly until: number };
    };
    const { key: publicKey, from: fromS, until: untilS } = statement;
    return { publicKey, addresses: ADDRESSES, fromS, untilS };
  }

  it('says once where both machines of the region are', async () => {
    announcer.start();
    await clock.advance(3 * ROUND_MS);
    assert.deepEqual(
      nodes.map(({ publicKey }) => publicKey),
      [OWN, OTHER],
    );
    assert.deepEqual(troubles, []);
  });

  it('says of both anew where one is due, so that the windows of both end together', async () => {
    const other = standby;
    standby = undefined;
    announcer.start();
    await clock.advance(DAY_S * 1_000);
    assert.equal(nodes.length, 1);
    standby = other;
    await clock.advance(ROUND_MS);
    assert.equal(nodes.length, 2);
    assert.equal(new Set(nodes.map(({ untilS }) => untilS)).size, 1);
    const [first] = nodes;
    await clock.advance(14 * DAY_S * 1_000);
    assert.equal(nodes[0], first, 'more than half of its window is left');
    await clock.advance(2 * DAY_S * 1_000);
    assert.notEqual(nodes[0], first);
    assert.equal(new Set(nodes.map(({ untilS }) => untilS)).size, 1);
  });

  for (const code of ['PEER_UNREACHABLE', 'LOG_FENCED', 'LOG_UNSETTLED', 'LOG_BEHIND'] as const) {
    it(`says so within a second of the first signature, where ${code} kept the node from signing, and does not complain of that`, async () => {
      refusal = new NodeError(code, 'not yet');
      announcer.start();
      await clock.advance(2 * ROUND_MS);
      assert.deepEqual(nodes, []);
      refusal = undefined;
      await clock.advance(1_000);
      assert.equal(nodes.length, 2);
      assert.deepEqual(troubles, []);
    });
  }

  it('tells of what fails else, and tries again with the next round alone', async () => {
    refusal = new NodeError('LOG_FAILED', 'it could not begin to sign');
    announcer.start();
    await clock.advance(1_000);
    assert.deepEqual(troubles, [refusal]);
    refusal = undefined;
    await clock.advance(ROUND_MS - 2_000);
    assert.deepEqual(nodes, []);
    await clock.advance(1_000);
    assert.equal(nodes.length, 2);
  });
});
