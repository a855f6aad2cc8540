import assert from 'node:assert/strict';
import { concatBytes, equalBytes } from '../../../protocol/bytes.ts';
import { encodeStatus, type Status } from '../../../protocol/code/status.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  type LookupHead,
  openLookupHead,
  signLookupHead,
  treeOfTable,
  verifyBucket,
} from '../../../protocol/lookup/head.ts';
import { type NumberSecrets } from '../../../protocol/lookup/oblivious.ts';
import {
  bucketOf,
  LOOKUP_ENTRY_BYTES,
  makeTable,
  sealStatus,
  statusIn,
} from '../../../protocol/lookup/table.ts';
import { testKey, verifySignature } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { seeded } from '../../support/seeded.ts';

const PLACE = { region: 'DE', network: 'demo', day: 20_783 };
const GREEN: Status = {
  colour: 'green',
  measure: 'none',
  expiresAtS: 1_796_000_000,
  ruleId: 'baseline',
  ruleVersion: 1,
};
const RED: Status = { ...GREEN, colour: 'red', measure: 'isolate', untilS: 1_796_000_000 };
const chance = seeded(7);
const random = (length: number) => Uint8Array.from({ length }, () => Math.floor(256 * chance()));
const someone = (): NumberSecrets => ({ locator: random(16), key: random(32) });
const isMalformed = (error: unknown) => isProtocolError(error, 'LOOKUP_MALFORMED');

describe('a table of sealed statuses', function () {
  this.timeout(20_000);
  const people = Array.from({ length: 200 }, someone);
  const entries = people.map((one, i) => sealStatus(one, i % 2 === 0 ? GREEN : RED, PLACE, random));
  const table = makeTable(entries, { bits: 4 }, random);

  it('whoever has a number finds its status; for any other there is none', () => {
    for (const [i, one] of people.entries()) {
      const bucket = table.buckets[bucketOf(one.locator, 4)] ?? assert.fail();
      const status = statusIn(bucket, table, one, PLACE) ?? assert.fail(`${i} is not there`);
      assert.deepEqual(encodeStatus(status), encodeStatus(i % 2 === 0 ? GREEN : RED));
    }
    const stranger = someone();
    const bucket = table.buckets[bucketOf(stranger.locator, 4)] ?? assert.fail();
    assert.equal(statusIn(bucket, table, stranger, PLACE), undefined);
  });

  it('all buckets have one size and are sorted, however many are known', () => {
    assert.equal(table.buckets.length, 16);
    assert.equal(table.capacity % 16, 0);
    for (const [i, bucket] of table.buckets.entries()) {
      assert.equal(bucket.length, table.capacity * LOOKUP_ENTRY_BYTES);
      const locators = Array.from({ length: table.capacity }, (_, at) =>
        Buffer.from(bucket.subarray(at * LOOKUP_ENTRY_BYTES).subarray(0, 16)).toString('hex'),
      );
      assert.deepEqual(locators, locators.toSorted());
      assert.ok(locators.every((locator) => parseInt(locator.slice(0, 1), 16) === i));
    }
    const empty = makeTable([], { bits: 4 }, random);
    assert.equal(empty.buckets[3]?.length, 16 * LOOKUP_ENTRY_BYTES);
    // One more than fits a step takes another step, for all.
    const crowd = Array.from({ length: 17 }, () => sealStatus(someone(), GREEN, PLACE, random));
    assert.equal(makeTable(crowd, { bits: 0 }, random).capacity, 32);
  });

  it('the longest and the shortest status have one size, and the same status twice nothing in common', () => {
    const one = someone();
    const longest = { ...RED, ruleId: 'x'.repeat(32), ruleVersion: 2 ** 53 - 1, untilS: RED.expiresAtS };
    assert.ok(encodeStatus(longest).length > encodeStatus(GREEN).length);
    const [first, second, third] = [GREEN, GREEN, longest].map((status) =>
      sealStatus(one, status, PLACE, random),
    );
    assert.deepEqual([first?.length, second?.length, third?.length], [140, 140, 140]);
    assert.ok(!equalBytes(first?.subarray(16) ?? new Uint8Array(), second?.subarray(16) ?? new Uint8Array()));
  });

  it('an entry that was altered, or is of another day, region or number, is refused', () => {
    const one = someone();
    const entry = sealStatus(one, GREEN, PLACE, random);
    const single = { capacity: 1 };
    assert.equal(statusIn(entry, single, one, PLACE)?.colour, 'green');
    for (let at = 16; at < entry.length; at++) {
      const altered = entry.slice();
      altered[at] = (altered[at] ?? 0) ^ 1;
      assert.throws(() => statusIn(altered, single, one, PLACE), isMalformed, `byte ${at}`);
    }
    for (const place of [
      { ...PLACE, day: PLACE.day + 1 },
      { ...PLACE, region: 'FR' },
      { ...PLACE, network: 'other' },
    ])
      assert.throws(() => statusIn(entry, single, one, place), isMalformed);
    assert.throws(() => statusIn(entry, single, { ...one, key: random(32) }, PLACE), isMalformed);
    for (const bucket of [entry.slice(1), concatBytes(entry, entry), new Uint8Array()])
      assert.throws(() => statusIn(bucket, single, one, PLACE), isMalformed);
  });

  it('makeTable refuses a number that is there twice, more bits than there are, and a bucket above 448', () => {
    const [entry = assert.fail()] = entries;
    assert.throws(() => makeTable([entry, entry], { bits: 4 }, random), RangeError);
    for (const bits of [-1, 0.5, 21]) assert.throws(() => makeTable([], { bits }, random), RangeError);
    assert.throws(() => makeTable([entry.slice(1)], { bits: 4 }, random), RangeError);
    const crowd = Array.from({ length: 449 }, () => random(LOOKUP_ENTRY_BYTES));
    assert.throws(() => makeTable(crowd, { bits: 0 }, random), RangeError);
  });

  it('treeOfTable proves each bucket; one that is left out, of another place or altered is refused', () => {
    for (const bits of [0, 1, 4]) {
      const of = makeTable(entries, { bits }, random);
      const { root, pathOf } = treeOfTable(sha256, of);
      for (const [bucket, bytes] of of.buckets.entries())
        verifyBucket(sha256, { root, bits }, { bucket, bytes, path: pathOf(bucket) });
    }
    const { root, pathOf } = treeOfTable(sha256, table);
    const [bytes = assert.fail(), other = assert.fail()] = table.buckets;
    for (const wrong of [
      { bucket: 0, bytes: other, path: pathOf(0) },
      { bucket: 1, bytes, path: pathOf(1) },
      { bucket: 0, bytes, path: pathOf(0).slice(1) },
    ])
      assert.throws(
        () => verifyBucket(sha256, { root, bits: 4 }, wrong),
        (error) => isProtocolError(error, 'PROOF_INVALID'),
      );
  });
});

describe('the head of a table', () => {
  const key = testKey(1);
  const HEAD: LookupHead = {
    kind: 'lookup',
    ...PLACE,
    at: 1_795_700_000,
    bits: 4,
    capacity: 16,
    salt: new Uint8Array(16).fill(4),
    root: new Uint8Array(32).fill(3),
  };

  it('openLookupHead gives what was signed, and by which key', () => {
    const { head, publicKey } = openLookupHead(signLookupHead(HEAD, key), { verifySignature });
    assert.deepEqual(head, HEAD);
    assert.deepEqual(publicKey, key.publicKey);
  });

  it('refuses any flipped bit, and bytes that are none', () => {
    const bytes = signLookupHead(HEAD, key);
    for (let at = 0; at < bytes.length; at++) {
      const altered = bytes.slice();
      altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
      assert.throws(
        () => openLookupHead(altered, { verifySignature }),
        (error) => isProtocolError(error),
        `${at}`,
      );
    }
    for (const wrong of [new Uint8Array(), Uint8Array.of(0x80), new Uint8Array(1_025)])
      assert.throws(
        () => openLookupHead(wrong, { verifySignature }),
        (error) => isProtocolError(error),
      );
  });

  for (const [what, change] of [
    ['21 bits', { bits: 21 }],
    ['no entries', { capacity: 0 }],
    ['449 entries', { capacity: 449 }],
    ['a salt of 17 bytes', { salt: new Uint8Array(17) }],
    ['a root of 31 bytes', { root: new Uint8Array(31) }],
    ['a region that is none', { region: 'de' }],
    ['a day before 1970', { day: -1 }],
  ] as const)
    it(`signLookupHead refuses ${what}`, () => {
      assert.throws(() => signLookupHead({ ...HEAD, ...change }, key), TypeError);
    });
});
