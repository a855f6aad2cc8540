import assert from 'node:assert/strict';
import { HeadBook } from '../../../node/lookup/head-book.ts';
import { encodeHeadAnswer, parseLookupRequest } from '../../../node/lookup/messages.ts';
import { NodeError } from '../../../node/node-error.ts';
import { type Network } from '../../../node/ports.ts';
import { isProtocolError, ProtocolError } from '../../../protocol/fault.ts';
import { openLookupHead } from '../../../protocol/lookup/head.ts';
import { type Trust } from '../../../protocol/verdict/knowledge.ts';
import { accused, headOf, NETWORK, witness } from '../../support/evidence-fixture.ts';
import { verifySignature } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, START_S } from '../../support/region-fixture.ts';

const DAY = Math.floor(START_S / DAY_S);
const trust = {
  regions: new Map([['DE', { state: accused.state }]]),
  sha256,
} as unknown as Trust;

describe('HeadBook', () => {
  let clock: ManualClock;
  let accusations: (readonly [string, readonly Uint8Array[]])[];
  /** What making evidence waits for. */
  let proving: Promise<void>;
  let troubles: unknown[];
  let told: string[];
  /** What a peer answers. */
  let answer: (head: Uint8Array) => Uint8Array | undefined;

  /** Of a node that is connected to five of others, and one of DE. */
  function book(): HeadBook {
    const peers = ['de#1', 'p1', 'p2', 'p3', 'p4', 'p5'];
    return new HeadBook(
      { network: NETWORK },
      {
        network: {
          request: (peer: string, _protocol: string, bytes: Uint8Array) => {
            told.push(peer);
            const request = parseLookupRequest(bytes);
            assert.equal(request.kind, 'head');
            return Promise.resolve(
              encodeHeadAnswer(answer('head' in request ? request.head : assert.fail())),
            );
          },
        } as unknown as Network,
        clock,
        trust: () => trust,
        peers: () => peers,
        regionOf: (peer) => (peer === 'de#1' ? 'DE' : 'FR'),
        accuse: (region, heads) => {
          accusations.push([region, heads]);
          return proving;
        },
        onTrouble: (error) => troubles.push(error),
        stopping: new AbortController().signal,
        sha256,
        verifySignature,
      },
    );
  }
  const shown = (to: HeadBook, bytes: Uint8Array) =>
    to.shown(openLookupHead(bytes, { verifySignature }), bytes);

  beforeEach(() => {
    clock = new ManualClock(START_S * 1_000);
    accusations = [];
    proving = Promise.resolve();
    troubles = [];
    told = [];
    answer = (head) => head;
  });
  afterEach(() => assert.deepEqual(troubles, []));

  it('gives the first head of a day and minute, and accuses whoever signed another', () => {
    const one = book();
    const [first, other] = [headOf(1), headOf(2)];
    assert.deepEqual(one.heard(first), first);
    assert.deepEqual(one.heard(headOf(1, { at: START_S + 59 })), first, 'the same table is no contradiction');
    assert.deepEqual(accusations, []);
    assert.deepEqual(one.heard(other), first);
    assert.deepEqual(accusations, [['DE', [first, other]]]);
    const next = headOf(2, { at: START_S + 60 });
    assert.deepEqual(one.heard(next), next);
    assert.deepEqual(one.counters, { shown: 0, heard: 2, contradicted: 1 });
  });

  it('accuses once of a day and minute, however often it is told, and makes one proof of a region at a time', async () => {
    const one = book();
    const minutes = [0, 60] as const;
    const first = minutes.map((s) => headOf(1, { at: START_S + s }));
    const others = minutes.map((s) => headOf(2, { at: START_S + s }));
    for (const head of first) one.heard(head);
    let resolve: () => void = assert.fail;
    proving = new Promise((proven) => (resolve = proven));
    const tellAgain = () => {
      for (let i = 0; i < 20; i++) for (const head of others) one.heard(head);
    };
    tellAgain();
    assert.deepEqual(accusations.splice(0), [['DE', [first[0], others[0]]]]);
    resolve();
    await clock.advance(1);
    tellAgain();
    assert.deepEqual(accusations.splice(0), [['DE', [first[1], others[1]]]], 'the other one then');
    await clock.advance(1);
    tellAgain();
    assert.deepEqual(accusations, []);
  });

  for (const [what, failure, again] of [
    ['again where our own store failed', new NodeError('STORE_WRITE_UNKNOWN', 'not now'), 1],
    ['not again by what proves nothing', new ProtocolError('EVIDENCE_UNFOUNDED', 'no proof'), 0],
  ] as const)
    it(`accuses ${what}`, async () => {
      const one = book();
      const [first, other] = [headOf(1), headOf(2)];
      one.heard(first);
      proving = Promise.reject(failure);
      one.heard(other);
      await clock.advance(1);
      assert.deepEqual(troubles.splice(0), [failure]);
      proving = Promise.resolve();
      for (let i = 0; i < 3; i++) {
        one.heard(other);
        await clock.advance(1);
      }
      assert.equal(accusations.length, 1 + again);
    });

  for (const [what, bytes] of [
    ['an hour and a second old', headOf(1, { at: START_S - 3_601 })],
    ['121 s ahead', headOf(1, { at: START_S + 121 })],
    ['of a day that is not answered', headOf(1, { day: DAY + 2 })],
    ['of another network', headOf(1, { network: 'other' })],
    ['of a region that is not recognised', headOf(1, { region: 'FR' }, witness.keys['trust-log'])],
    ['by another key of the region', headOf(1, {}, accused.keys.attest)],
  ] as const)
    it(`holds no head ${what}`, () => {
      const one = book();
      assert.equal(one.heard(bytes), undefined);
      assert.deepEqual(one.counters, { shown: 0, heard: 0, contradicted: 0 });
    });

  it('takes heads at the bounds, and refuses what is none', () => {
    const one = book();
    for (const at of [START_S - 3_600, START_S + 120]) assert.ok(one.heard(headOf(1, { at })));
    assert.throws(() => one.heard(Uint8Array.of(0x80)), (error) => isProtocolError(error, 'LOOKUP_MALFORMED')); // prettier-ignore
  });

  it('holds to the first head of a minute and the same table again, and to no other and none of another hour', () => {
    const one = book();
    assert.ok(shown(one, headOf(1)));
    assert.ok(shown(one, headOf(1, { at: START_S + 59 })));
    assert.ok(!shown(one, headOf(2)));
    assert.ok(!shown(one, headOf(1, { at: START_S - 3_601 })));
  });

  it('tells three peers that are not of the region of a head that is new, the same for everybody and others in the next minute', async () => {
    const one = book();
    shown(one, headOf(1));
    const first = told.splice(0);
    assert.equal(new Set(first).size, 3);
    assert.ok(!first.includes('de#1'));
    shown(one, headOf(1));
    assert.deepEqual(told, [], 'it is told once');
    shown(book(), headOf(1));
    assert.deepEqual(told.splice(0), first);
    const places = new Set<string>();
    for (let minute = 1; minute <= 10; minute++) {
      await clock.advance(60_000);
      shown(one, headOf(1, { at: START_S + 60 * minute }));
      places.add(told.splice(0).toSorted().join());
    }
    assert.ok(places.size > 1);
  });

  it('tells further peers where some do not hold the head, and has as meeting places those that do', async () => {
    const one = book();
    const met = async () => {
      const settled = Promise.all(one.meetingPlaces(openLookupHead(headOf(1), { verifySignature })));
      await clock.advance(1_000);
      return (await settled).flatMap((peer) => peer ?? []);
    };
    assert.deepEqual(await met(), [], 'before it is shown');
    const answers = [undefined, headOf(1, { at: START_S + 1 }), Uint8Array.of(0x80), headOf(2), headOf(1)];
    answer = () => answers.shift();
    shown(one, headOf(1));
    const places = await met();
    assert.equal(new Set(told).size, 5);
    assert.deepEqual(places.toSorted(), [told[1], told[4]].toSorted());
    assert.equal(accusations.length, 1, 'of the other table');
  });

  it('tells of a head that it was told of before as soon as it is shown, so that nobody keeps it silent', () => {
    const one = book();
    one.heard(headOf(1));
    assert.deepEqual(told, []);
    shown(one, headOf(1, { at: START_S + 1 }));
    assert.equal(told.splice(0).length, 3);
    shown(one, headOf(1, { at: START_S + 2 }));
    assert.deepEqual(told, []);
  });

  it('holds the trees of heads that it was shown or told of, and of none that contradicts or is not signed', () => {
    const one = book();
    shown(one, headOf(1));
    one.heard(headOf(2, { at: START_S + 60 }));
    one.heard(headOf(3));
    one.heard(headOf(4, { at: START_S - 60 }, accused.keys.attest));
    const place = { region: 'DE', day: DAY, bits: 1 };
    const isHeld = (root: number, change: object = {}) =>
      one.holds({ ...place, root: new Uint8Array(32).fill(root), ...change });
    assert.deepEqual([1, 2, 3, 4].map((root) => isHeld(root)), [true, true, false, false]); // prettier-ignore
    for (const change of [{ region: 'FR' }, { day: DAY + 1 }, { bits: 2 }])
      assert.equal(isHeld(1, change), false);
    assert.equal(accusations.length, 1);
  });

  it('accuses by what a peer answers, and heeds nothing of it that is no head', async () => {
    const other = headOf(2);
    answer = () => other;
    const first = headOf(1);
    shown(book(), first);
    await clock.advance(1_000);
    assert.deepEqual(accusations[0], ['DE', [first, other]]);
    accusations = [];
    for (const none of [undefined, Uint8Array.of(0x80), headOf(2, {}, accused.keys.attest)]) {
      answer = () => none;
      shown(book(), first);
      await clock.advance(1_000);
    }
    assert.deepEqual(accusations, []);
  });
});
