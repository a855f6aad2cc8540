import assert from 'node:assert/strict';
import { BucketShelf } from '../../../node/lookup/bucket-shelf.ts';
import { type BucketPlace, encodeBucketAnswer, type ProvenBucket } from '../../../node/lookup/messages.ts';
import { type Network } from '../../../node/ports.ts';
import { type ProtocolError } from '../../../protocol/fault.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { treeOfLeaves } from '../../../protocol/lookup/head.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { sha256 } from '../../support/primitives.ts';

const BUCKETS = [1, 2].map((byte) => new Uint8Array(140).fill(byte));
const TREE = treeOfLeaves(
  sha256,
  BUCKETS.map((bucket) => leafHash(sha256, bucket)),
);
const DE: BucketPlace = { region: 'DE', day: 20_000, root: TREE.root, bits: 1, bucket: 1 };
const GENUINE: ProvenBucket = { bytes: BUCKETS[1] ?? assert.fail(), path: TREE.pathOf(1) };
const WRONG: ProvenBucket = { ...GENUINE, bytes: BUCKETS[0] ?? assert.fail() };

describe('BucketShelf', () => {
  const { signal } = new AbortController();
  let asked: string[];
  let faults: string[];
  /** Whether a head of the tree is held. */
  let isHeld: boolean;
  let answerOf: (peer: string) => Uint8Array;

  /** Of a node of a region that is connected to two nodes of each. */
  function shelf(region: string): BucketShelf {
    return new BucketShelf(
      { region },
      {
        network: {
          request: (peer: string) => {
            asked.push(peer);
            return new Promise((resolve) => resolve(answerOf(peer)));
          },
        } as unknown as Network,
        sha256,
        clock: new ManualClock(),
        press: { bucket: () => undefined },
        heads: { holds: () => isHeld },
        nodesOf: (of) => [`${of}#1`, `${of}#2`],
        isAnnouncing: () => true,
        onFault: (peer: string, { fault }: ProtocolError) => faults.push(`${peer} ${fault.code}`),
      },
    );
  }

  beforeEach(() => {
    asked = [];
    faults = [];
    isHeld = true;
    answerOf = () => encodeBucketAnswer(GENUINE);
  });

  it('fetches a bucket from nodes of its region once, under a head that is held', async () => {
    const one = shelf('FR');
    assert.deepEqual(await one.get(DE, signal), GENUINE);
    assert.deepEqual(await one.get(DE, signal), GENUINE);
    assert.deepEqual(asked, ['DE#1']);
  });

  it('asks nobody for a tree of which no head is held', async () => {
    isHeld = false;
    assert.equal(await shelf('FR').get(DE, signal), undefined);
    assert.deepEqual(asked, []);
  });

  it('asks no other node of its own region, which would ask back', async () => {
    assert.equal(await shelf('DE').get(DE, signal), undefined);
    assert.deepEqual(asked, []);
  });

  it('tells of a peer that gives another bucket or none of the form, and asks the next', async () => {
    for (const [bytes, code] of [
      [encodeBucketAnswer(WRONG), 'PROOF_INVALID'],
      [Uint8Array.of(0x81, 0x00), 'SCHEMA_INVALID'],
    ] as const) {
      answerOf = (peer) => (peer === 'DE#1' ? bytes : encodeBucketAnswer(GENUINE));
      assert.deepEqual(await shelf('FR').get(DE, signal), GENUINE);
      assert.deepEqual(faults.splice(0), [`DE#1 ${code}`]);
    }
  });

  it('holds nothing against a peer that has none, or cannot be reached', async () => {
    answerOf = (peer) => {
      if (peer === 'DE#1') return encodeBucketAnswer(undefined);
      throw new Error('it is not connected');
    };
    assert.equal(await shelf('FR').get(DE, signal), undefined);
    assert.deepEqual([asked, faults], [['DE#1', 'DE#2'], []]);
  });
});
