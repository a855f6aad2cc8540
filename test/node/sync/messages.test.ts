import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeCbor, type CborValue } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { ENTRY_BYTES_MAX, NOTE_BYTES_MAX } from '../../../protocol/limits.ts';
import {
  encodeAnswer,
  encodeRequest,
  parseAnswer,
  parseRequest,
  type SyncAnswer,
  type SyncRequest,
} from '../../../node/sync/messages.ts';
import {
  ANSWER_BYTES_MAX,
  FORKS_MAX,
  HEADS_MAX,
  RANGE_BYTES_MAX,
  RANGE_ENTRIES_MAX,
  SYNC_REQUEST_BYTES_MAX,
} from '../../../node/sync/sync-limits.ts';

const HASH = new Uint8Array(32).fill(9);
const NOTE = Uint8Array.from(Buffer.from('note'));
const ORIGIN = 'DE.test/trust';
const side = { note: NOTE, root: HASH, path: [HASH] };

const requests: SyncRequest[] = [
  { kind: 'heads' },
  { kind: 'heads', known: new Uint8Array(0) },
  { kind: 'heads', known: new Uint8Array(HEADS_MAX * 32).fill(7) },
  { kind: 'range', origin: ORIGIN, from: 0, bytesMax: RANGE_BYTES_MAX },
  { kind: 'claim', origin: ORIGIN, size: 1 },
  { kind: 'forks', origin: 'x'.repeat(56) },
  { kind: 'leaf', origin: ORIGIN, index: 0, size: Number.MAX_SAFE_INTEGER },
  { kind: 'naming', origin: ORIGIN },
];

const answers: SyncAnswer[] = [
  { kind: 'heads', heads: [{ note: NOTE, forks: 0 }] },
  { kind: 'heads', heads: Array.from({ length: HEADS_MAX }, () => ({ note: NOTE, forks: 1 })) },
  { kind: 'range', from: 3, entries: [NOTE, new Uint8Array(0)], note: NOTE, path: [HASH, HASH] },
  {
    kind: 'claim',
    size: 5,
    root: HASH,
    path: Array.from({ length: 54 }, () => HASH),
    note: new Uint8Array(NOTE_BYTES_MAX),
  },
  {
    kind: 'forks',
    forks: Array.from({ length: FORKS_MAX }, () => ({
      size: 2,
      sides: [side, side] as [typeof side, typeof side],
    })),
  },
  { kind: 'leaf', leafHash: HASH, path: [] },
  { kind: 'naming', statements: [], note: NOTE },
  {
    kind: 'naming',
    statements: Array.from({ length: 64 }, (_, index) => ({ index, entry: HASH })),
    note: NOTE,
  },
  { kind: 'refused', reason: 'busy' },
];

function faultOf(parse: (bytes: Uint8Array) => unknown, bytes: Uint8Array): string {
  try {
    parse(bytes);
    return 'none';
  } catch (error) {
    return isProtocolError(error) ? error.fault.code : assert.fail(String(error));
  }
}

const cbor = (value: CborValue): Uint8Array => encodeCbor(value);

describe('parseRequest and parseAnswer', () => {
  it('take back what was encoded', () => {
    for (const request of requests) assert.deepEqual(parseRequest(encodeRequest(request)), request);
    for (const answer of answers) assert.deepEqual(parseAnswer(encodeAnswer(answer)), answer);
  });

  const badRequests: [title: string, value: CborValue][] = [
    ['B48 another kind', { kind: 'hello' }],
    ['B48 a member too many', { kind: 'heads', all: true }],
    ['a digest that is cut', { kind: 'heads', known: new Uint8Array(33) }],
    ['a digest too many', { kind: 'heads', known: new Uint8Array((HEADS_MAX + 1) * 32) }],
    ['digests that are no bytes', { kind: 'heads', known: 1 }],
    ['B48 a member missing', { kind: 'claim', origin: ORIGIN }],
    ['a negative index', { kind: 'range', origin: ORIGIN, from: -1, bytesMax: 1 }],
    [
      'more bytes than anybody gives',
      { kind: 'range', origin: ORIGIN, from: 0, bytesMax: RANGE_BYTES_MAX + 1 },
    ],
    ['a size of 0', { kind: 'claim', origin: ORIGIN, size: 0 }],
    ['an origin of 57 characters', { kind: 'forks', origin: 'x'.repeat(57) }],
    ['no map', [1]],
  ];
  for (const [title, value] of badRequests) {
    it(`parseRequest refuses ${title}`, () =>
      assert.equal(faultOf(parseRequest, cbor(value)), 'SCHEMA_INVALID'));
  }

  const badAnswers: [title: string, value: CborValue][] = [
    ['a path that is no whole number of hashes', { kind: 'leaf', leafHash: HASH, path: new Uint8Array(31) }],
    ['B60 a path of 55 hashes', { kind: 'leaf', leafHash: HASH, path: new Uint8Array(55 * 32) }],
    [
      'a root of 31 bytes',
      { kind: 'claim', size: 1, root: HASH.subarray(1), path: new Uint8Array(0), note: NOTE },
    ],
    ['a note too long', { kind: 'heads', heads: [{ note: new Uint8Array(NOTE_BYTES_MAX + 1), forks: 0 }] }],
    [
      'a head too many',
      { kind: 'heads', heads: Array.from({ length: HEADS_MAX + 1 }, () => ({ note: NOTE, forks: 0 })) },
    ],
    [
      'an entry too long',
      {
        kind: 'range',
        from: 0,
        entries: [new Uint8Array(ENTRY_BYTES_MAX + 1)],
        note: NOTE,
        path: new Uint8Array(0),
      },
    ],
    [
      'an entry too many',
      {
        kind: 'range',
        from: 0,
        entries: Array.from({ length: RANGE_ENTRIES_MAX + 1 }, () => new Uint8Array(0)),
        note: NOTE,
        path: new Uint8Array(0),
      },
    ],
    [
      'a fork with one side',
      { kind: 'forks', forks: [{ size: 2, sides: [{ note: NOTE, root: HASH, path: HASH }] }] },
    ],
    [
      'a statement too many',
      {
        kind: 'naming',
        statements: Array.from({ length: 65 }, () => ({ index: 0, entry: HASH })),
        note: NOTE,
      },
    ],
    ['a statement without its index', { kind: 'naming', statements: [{ entry: HASH }], note: NOTE }],
    ['an unknown reason', { kind: 'refused', reason: 'no' }],
  ];
  for (const [title, value] of badAnswers) {
    it(`parseAnswer refuses ${title}`, () =>
      assert.equal(faultOf(parseAnswer, cbor(value)), 'SCHEMA_INVALID'));
  }

  it('T13: refuse what is too long before reading it', () => {
    assert.equal(faultOf(parseRequest, new Uint8Array(SYNC_REQUEST_BYTES_MAX + 1)), 'TOO_LARGE');
    assert.equal(faultOf(parseAnswer, new Uint8Array(ANSWER_BYTES_MAX + 1)), 'TOO_LARGE');
    assert.throws(
      () =>
        encodeAnswer({
          kind: 'range',
          from: 0,
          entries: [new Uint8Array(ANSWER_BYTES_MAX)],
          note: NOTE,
          path: [],
        }),
      RangeError,
    );
  });

  it('throw nothing but faults on any bytes, whole, cut or with a bit flipped', () => {
    const good = [...requests.map(encodeRequest), ...answers.filter((_, i) => i !== 1).map(encodeAnswer)];
    const damaged = fc.tuple(fc.constantFrom(...good), fc.nat(), fc.nat(7)).map(([bytes, at, bit]) => {
      const copy = bytes.slice();
      const place = at % copy.length;
      copy[place] = (copy[place] ?? 0) ^ (1 << bit);
      return bit === 0 ? copy.subarray(0, place) : copy;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged), (bytes) => {
        faultOf(parseRequest, bytes);
        faultOf(parseAnswer, bytes);
      }),
      { numRuns: 500 },
    );
  });
});
