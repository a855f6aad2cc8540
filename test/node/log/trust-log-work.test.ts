import assert from 'node:assert/strict';
import { trustLogOrigin } from '../../../protocol/log/origin.ts';
import { type TrustLogItem, TrustLogWork } from '../../../node/log/trust-log-work.ts';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { LOG_ID, RegionFixture, START_S, trustModules } from '../../support/region-fixture.ts';

const { verifySignature } = trustModules;
const place = { index: 3, atS: START_S + 60 };
const announcement = (log: string): TrustLogItem => ({
  build: () => ({ statement: { kind: 'log', log, minimum: 0 } }),
});

describe('TrustLogWork', () => {
  const region = new RegionFixture();
  const origin = trustLogOrigin(region.region, region.network);
  const trustLogKey = () => region.keys['trust-log'];
  const work = new TrustLogWork({ origin }, { verifySignature, trustLogKey });

  it('signs statements with the time of their batch, and what it makes has an effect', () => {
    const { drafts, places, changes } = work.prepare(
      [announcement('2026-12'), announcement('2027-01')],
      place,
    );
    assert.deepEqual(places, [3, 4]);
    assert.deepEqual(changes, []);
    for (const draft of drafts) assert.equal(region.offer(work.finish(draft)), undefined);
    assert.ok(region.state.log('2026-12') && region.state.log('2027-01'));
    assert.equal(region.state.lastAtS, place.atS);
  });

  it('passes on what comes signed, and the changes that go with a statement', () => {
    const entry = region.entryOf({ kind: 'withdrawal', region: 'FR', version: 2 }, 'root');
    const change = { put: 'aside', value: new Uint8Array([1]) };
    const build = () => ({ statement: { kind: 'log', log: LOG_ID, minimum: 0 } as const, changes: [change] });
    const { drafts, places, changes } = work.prepare([{ entry }, { build }], place);
    assert.deepEqual(places, [3, 4]);
    assert.equal(drafts[0], entry);
    assert.deepEqual(changes, [change]);
  });

  it('tells each order its own place, and refuses alone what cannot be built, signed or taken', () => {
    const seen: number[] = [];
    const vetted = new TrustLogWork(
      { origin },
      {
        verifySignature,
        trustLogKey,
        vet: (_, { index }) => {
          if (index === 5) throw new NodeError('REFUSED', 'no effect');
        },
      },
    );
    const items: TrustLogItem[] = [
      announcement('2026-12'),
      {
        build: () => {
          throw new NodeError('REVOCATIONS_EXCEEDED', 'too many');
        },
      },
      {
        build: ({ index }) => {
          seen.push(index);
          return { statement: { kind: 'log', log: '2027-01', minimum: 0 } };
        },
      },
      announcement('no log'),
      announcement('2026-11'),
    ];
    const { drafts, places } = vetted.prepare(items, place);
    assert.deepEqual(seen, [4]);
    assert.deepEqual(
      places.map((one) => (typeof one === 'number' ? one : one.name)),
      [3, 'NodeError', 4, 'TypeError', 'NodeError'],
    );
    assert.equal(drafts.length, 2);
  });

  it('gives out no statement that its own key did not sign well', () => {
    const faulty = { ...region.keys['trust-log'], sign: () => new Uint8Array(64) };
    const broken = new TrustLogWork({ origin }, { verifySignature, trustLogKey: () => faulty });
    const [refusal] = broken.prepare([announcement('2026-12')], place).places;
    assert.ok(isNodeError(refusal, 'SIGNER_FAULTY'));
  });
});
