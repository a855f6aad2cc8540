import assert from 'node:assert/strict';
import { encodeEvaluateAnswer, LOOKUP_PROTOCOL, parseEvaluateAnswer } from '../../../node/lookup/messages.ts';
import { type LookupHead, openLookupHead, signLookupHead } from '../../../protocol/lookup/head.ts';
import { verifySignature } from '../../support/keys.ts';
import { GATE, outcome, PASS, worldOfNumbers } from '../../support/lookup-fixture.ts';
import { type Wire } from '../../support/memory-network.ts';
import { type NodeWorld } from '../../support/node-fixture.ts';

const TWIN = 'DE#2';

describe('a head under which no bucket is taken', function () {
  this.timeout(60_000);
  let world: NodeWorld;
  /** Answers to FR about buckets. */
  let buckets: number;

  beforeEach(async () => {
    ({ world } = await worldOfNumbers({ numbers: ['DE-1', 'DE-2'] }));
    buckets = 0;
  });
  afterEach(() => world.stop());

  const atFr = (number: string) => outcome(world, 'FR', number, GATE);

  /** What a node of DE shows FR, signed by the key of DE. */
  function show(by: string, change: () => Partial<LookupHead>): void {
    const key = world.machine('DE').fixture.keys['trust-log'];
    world.network.tamper = ({ protocol, from, to, bytes }: Wire) => {
      if (protocol !== LOOKUP_PROTOCOL || to !== 'FR') return bytes;
      const answer = evaluateAnswerIn(bytes);
      if (answer === undefined) buckets++;
      if (answer === undefined || 'refusal' in answer || from !== by) return bytes;
      const { head } = openLookupHead(answer.head, { verifySignature });
      return encodeEvaluateAnswer({ ...answer, head: signLookupHead({ ...head, ...change() }, key) });
    };
  }

  for (const ageS of [181, 3_700, -121])
    it(`is one of ${ageS} s ago, of the same table: it is stale`, async () => {
      show('DE', () => ({ at: world.nowS - ageS }));
      assert.match(await atFr('DE-2'), /^undetermined .*NUMBER_STALE/);
      assert.equal(buckets, 0);
    });

  it('is none of 180 s ago', async () => {
    show('DE', () => ({ at: world.nowS - 180 }));
    assert.equal(await atFr('DE-2'), PASS);
    assert.equal(buckets, 1);
  });

  it('is the second of a minute, as soon as it is shown', async () => {
    const root = new Uint8Array(32).fill(9);
    show('DE', () => ({}));
    assert.equal(await atFr('DE-2'), PASS);
    show('DE', () => ({ root }));
    buckets = 0;
    assert.equal(await atFr('DE-1'), 'undetermined NUMBER_UNPROVEN');
    assert.equal(buckets, 0);
  });

  it('is no answer: the next node of the home is asked', async () => {
    let asked = 0;
    const twin = world.network.join(TWIN);
    twin.handle(LOOKUP_PROTOCOL, (_peer, request, signal) => {
      asked++;
      return twin.request('DE', LOOKUP_PROTOCOL, request, signal);
    });
    world.network.announce(TWIN);
    show(TWIN, () => ({ at: world.nowS - 700 }));
    for (let n = 0; n < 8; n++) assert.equal(await atFr('DE-2'), PASS);
    assert.ok(asked > 0);
  });
});

function evaluateAnswerIn(bytes: Uint8Array) {
  try {
    return parseEvaluateAnswer(bytes);
  } catch {
    return undefined;
  }
}
