/** Entries of the trust log by their form alone: SPEC.md 8.1 and 8.2, each bound from both sides. */
import assert from 'node:assert/strict';
import { concatBytes, hexBytes, hexOf } from '../../../protocol/bytes.ts';
import { type CborValue, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { ENTRY_BYTES_MAX } from '../../../protocol/limits.ts';
import { signStatement } from '../../../protocol/trust/statement.ts';
import { DAY_S, HOUR_S, START_S, testKey } from '../../support/region-fixture.ts';

const ORIGIN = 'DE.test/trust';
const at = START_S;
const hash = new Uint8Array(32).fill(7);
const keyA = new Uint8Array(32).fill(1);
const keyB = new Uint8Array(32).fill(2);
const keyId = new Uint8Array(8).fill(3);
const signer = testKey('statement test');

/** An entry with that body, whatever it is: signed, so that nothing but the form is at fault. */
export function entryWith(body: CborValue): Uint8Array {
  return signStatement(ORIGIN, encodeCbor(body), [signer]);
}

/** The members of a statement, as they stand in the body. */
export type Members = Readonly<Record<string, CborValue>>;

const key: Members = {
  key: keyA,
  role: 'attest',
  from: at - (at % HOUR_S),
  until: at - (at % HOUR_S) + DAY_S,
};
const hour = at - (at % HOUR_S);

/** Sixteen bytes that name a code of others. */
const foreignHash = (number: number) => Uint8Array.of(...new Uint8Array(14), number >> 8, number & 0xff);
const foreignHashes = (count: number) => Array.from({ length: count }, (_, i) => foreignHash(i));

/** A good statement of each kind. */
const GOOD: Readonly<Record<string, Members>> = {
  root: {
    kind: 'root',
    at,
    region: 'DE',
    network: 'test',
    name: 'Test',
    version: 1,
    threshold: 1,
    keys: [keyA, keyB],
  },
  keys: { kind: 'keys', at, keys: [key] },
  limits: { kind: 'limits', at, version: 0, revocationsPerHour: 10 },
  recognition: {
    kind: 'recognition',
    at,
    region: 'CN-33',
    version: 1,
    fingerprint: hash,
    way: 'direct',
    rules: null,
    from: at,
    until: at + 1,
  },
  withdrawal: { kind: 'withdrawal', at, region: 'CN-33', version: 1 },
  suspension: { kind: 'suspension', at, region: 'CN-33', version: 1 },
  compromise: {
    kind: 'compromise',
    at,
    key: keyId,
    version: 1,
    cutoffs: [
      { log: '2026-11', size: 5, root: hash },
      { log: 'trust', size: 5, root: hash },
    ],
  },
  retirement: { kind: 'retirement', at, key: keyId, version: 1, until: hour + HOUR_S },
  rules: { kind: 'rules', at, id: 'baseline', version: 1, from: at, data: { a: [1, { b: true }] } },
  adapter: { kind: 'adapter', at, id: 'local', version: 1, from: at, until: at + 1, data: { a: [1] } },
  log: { kind: 'log', at, log: '2026-11', minimum: 0 },
  node: { kind: 'node', at, key: keyA, addresses: ['/ip4/192.0.2.1/tcp/4001'], from: at, until: at + 1 },
  revocation: { kind: 'revocation', at, log: '2026-11', effective: at, set: new Uint8Array([4, 0]) },
  'foreign-revocation': { kind: 'foreign-revocation', at, until: at + 1, hashes: [foreignHash(1), foreignHash(2)] },
  tally: {
    kind: 'tally',
    at,
    log: '2026-11',
    from: 0,
    until: 1_100,
    cells: [
      { rule: 'de', colour: 0, count: 1_000 },
      { rule: 'de', colour: 2, count: 10 },
    ],
    merged: 12,
    overrides: [{ reason: 2, colour: 2, count: 1 }],
  },
  state: { kind: 'state', at, format: 1, items: 5, root: hash },
};

const cell = (rule: string, colour: number) => ({ rule, colour, count: 10 });
const override = (reason: number, colour: number) => ({ reason, colour, count: 1 });
const cellsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => cell(`r${String(Math.floor(i / 3)).padStart(2, '0')}`, i % 3));

/** Which change of a good statement breaks which rule. `undefined` takes the member away. */
const BAD: readonly (readonly [
  rule: string,
  kind: string,
  change: Readonly<Record<string, CborValue | undefined>>,
])[] = [
  ['an unknown kind', 'limits', { kind: 'limit' }],
  ['an unknown member', 'limits', { more: 1 }],
  ['a missing member', 'limits', { version: undefined }],
  ['at as text', 'limits', { at: '1' }],
  ['at below 0', 'limits', { at: -1 }],
  ['at null', 'limits', { at: null }],
  ['a name of 65 bytes', 'root', { name: 'x'.repeat(65) }],
  ['a name of 22 letters and 66 bytes', 'root', { name: '区'.repeat(22) }],
  ['an empty name', 'root', { name: '' }],
  ['T19: a region in Cyrillic', 'root', { region: 'СН' }],
  ['a network in upper case', 'root', { network: 'Test' }],
  ['version 0 of a root', 'root', { version: 0 }],
  ['B70: threshold 0', 'root', { threshold: 0 }],
  ['B70: threshold above the keys', 'root', { threshold: 3 }],
  ['no root key', 'root', { keys: [] }],
  ['17 root keys', 'root', { keys: Array.from({ length: 17 }, (_, i) => new Uint8Array(32).fill(i)) }],
  ['root keys that descend', 'root', { keys: [keyB, keyA] }],
  ['one root key twice', 'root', { keys: [keyA, keyA] }],
  ['a root key of 31 bytes', 'root', { keys: [keyA.subarray(1)] }],
  ['no keys', 'keys', { keys: [] }],
  ['401 keys', 'keys', { keys: Array.from({ length: 401 }, () => key) }],
  ['an unknown role', 'keys', { keys: [{ ...key, role: 'root' }] }],
  ['a window within an hour', 'keys', { keys: [{ ...key, until: hour + DAY_S + 1 }] }],
  ['an empty window', 'keys', { keys: [{ ...key, until: hour }] }],
  ['a window of 31 days and an hour', 'keys', { keys: [{ ...key, until: hour + 31 * DAY_S + HOUR_S }] }],
  [
    'a window that ends 100 days and a second after at',
    'keys',
    { at: hour - 1, keys: [{ ...key, from: hour + 99 * DAY_S, until: hour + 100 * DAY_S }] },
  ],
  ['a bridge without via', 'recognition', { way: 'bridge' }],
  ['via without a bridge', 'recognition', { via: 'FR' }],
  ['an unknown way', 'recognition', { way: 'transitive' }],
  ['rules in upper case', 'recognition', { rules: 'Baseline' }],
  ['a rule id of 33 characters', 'rules', { id: 'a'.repeat(33) }],
  ['a recognition that ends as it begins', 'recognition', { until: at }],
  ['a fingerprint of 33 bytes', 'recognition', { fingerprint: new Uint8Array(33) }],
  [
    'cut-offs that descend',
    'compromise',
    {
      cutoffs: [
        { log: 'trust', size: 5, root: hash },
        { log: '2026-11', size: 5, root: hash },
      ],
    },
  ],
  [
    'a cut-off twice',
    'compromise',
    {
      cutoffs: [
        { log: 'trust', size: 5, root: hash },
        { log: 'trust', size: 5, root: hash },
      ],
    },
  ],
  [
    '65 cut-offs',
    'compromise',
    { cutoffs: Array.from({ length: 65 }, (_, i) => ({ log: `20${10 + i}-01`, size: 0, root: hash })) },
  ],
  ['a cut-off of a log of no month', 'compromise', { cutoffs: [{ log: '2026-13', size: 0, root: hash }] }],
  ['a key id of 7 bytes', 'compromise', { key: new Uint8Array(7) }],
  ['a retired key with an id of 9 bytes', 'retirement', { key: new Uint8Array(9) }],
  ['a retirement within an hour', 'retirement', { until: hour + HOUR_S + 1 }],
  ['a retirement at its at', 'retirement', { until: hour, at: hour }],
  ['a retirement before its at', 'retirement', { until: hour - HOUR_S }],
  ['a retirement without an end', 'retirement', { until: undefined }],
  ['a retirement with cut-offs', 'retirement', { cutoffs: [] }],
  ['data that is no map', 'rules', { data: [1] }],
  ['data with integer keys', 'rules', { data: new Map([[1, 2]]) }],
  ['an adapter without an id', 'adapter', { id: undefined }],
  ['an adapter with an id in upper case', 'adapter', { id: 'Local' }],
  ['an adapter with a version below 0', 'adapter', { version: -1 }],
  ['an adapter that ends when it begins', 'adapter', { from: at + 1 }],
  ['an adapter without an end', 'adapter', { until: undefined }],
  ['an adapter with data that is no map', 'adapter', { data: [1] }],
  ['an adapter with data with integer keys', 'adapter', { data: new Map([[1, 2]]) }],
  ['an adapter with one more member', 'adapter', { keys: [] }],
  [
    'a log that begins 100 days and a second after at',
    'log',
    { at: Date.UTC(2026, 11, 1) / 1000 - 100 * DAY_S - 1, log: '2026-12' },
  ],
  ['nine addresses', 'node', { addresses: Array.from({ length: 9 }, () => 'a') }],
  ['an address of 257 bytes', 'node', { addresses: ['a'.repeat(257)] }],
  ['an empty address', 'node', { addresses: [''] }],
  ['effective after at', 'revocation', { effective: at + 1 }],
  ['the trust log as a log of attestations', 'revocation', { log: 'trust' }],
  ['a set that is no byte string', 'revocation', { set: 'x' }],
  ['no hash of a code of others', 'foreign-revocation', { hashes: [] }],
  ['a hash of 15 bytes', 'foreign-revocation', { hashes: [new Uint8Array(15)] }],
  ['a hash of a code of others twice', 'foreign-revocation', { hashes: [foreignHash(1), foreignHash(1)] }],
  ['hashes of codes of others that descend', 'foreign-revocation', { hashes: [foreignHash(2), foreignHash(1)] }],
  ['2,001 hashes of codes of others', 'foreign-revocation', { hashes: foreignHashes(2_001) }],
  ['a revocation of codes of others that ends when it is signed', 'foreign-revocation', { until: at }],
  ['a revocation of codes of others for ten years and a second', 'foreign-revocation', { until: at + 3_660 * DAY_S + 1 }],
  ['a tally of nothing', 'tally', { until: 0 }],
  ['a cell of a tally of nine', 'tally', { cells: [{ rule: 'de', colour: 0, count: 9 }] }],
  ['a cell of a fourth colour', 'tally', { cells: [{ rule: 'de', colour: 3, count: 10 }] }],
  ['cells of a tally that descend', 'tally', { cells: [cell('de', 2), cell('de', 0)] }],
  ['a cell of a tally twice', 'tally', { cells: [cell('de', 0), cell('de', 0)] }],
  ['97 cells of a tally', 'tally', { cells: cellsOf(97), until: 10_000 }],
  ['an override of nobody', 'tally', { overrides: [{ reason: 1, colour: 0, count: 0 }] }],
  ['an override for a 17th reason', 'tally', { overrides: [{ reason: 16, colour: 0, count: 1 }] }],
  ['overrides that descend', 'tally', { overrides: [override(2, 0), override(1, 2)] }],
  ['more codes than leaves', 'tally', { until: 1_022 }],
  ['the trust log tallied', 'tally', { log: 'trust' }],
  ['another format of the state', 'state', { format: 2 }],
];

/** What is just within the bounds that the list above oversteps. */
const EDGE: readonly (readonly [rule: string, kind: string, change: Members])[] = [
  ['a name of 64 bytes', 'root', { name: 'x'.repeat(64) }],
  ['a threshold of all keys', 'root', { threshold: 2 }],
  ['16 root keys', 'root', { keys: Array.from({ length: 16 }, (_, i) => new Uint8Array(32).fill(i)) }],
  ['400 keys', 'keys', { keys: Array.from({ length: 400 }, () => key) }],
  ['a window of 31 days', 'keys', { keys: [{ ...key, until: hour + 31 * DAY_S }] }],
  [
    'a window that ends 100 days after at',
    'keys',
    { at: hour, keys: [{ ...key, from: hour + 99 * DAY_S, until: hour + 100 * DAY_S }] },
  ],
  ['a bridge via a region', 'recognition', { way: 'bridge', via: 'FR' }],
  ['a rule id of 32 characters', 'recognition', { rules: 'a'.repeat(32) }],
  [
    '64 cut-offs',
    'compromise',
    { cutoffs: Array.from({ length: 64 }, (_, i) => ({ log: `20${10 + i}-01`, size: 0, root: hash })) },
  ],
  ['no cut-off', 'compromise', { cutoffs: [] }],
  ['a retirement a second after its at', 'retirement', { at: hour - 1, until: hour }],
  ['empty data', 'rules', { data: {} }],
  ['an adapter with empty data', 'adapter', { data: {} }],
  ['an adapter of one second', 'adapter', { from: 0, until: 1 }],
  [
    'a log that begins 100 days after at',
    'log',
    { at: Date.UTC(2026, 11, 1) / 1000 - 100 * DAY_S, log: '2026-12' },
  ],
  ['2,000 hashes of codes of others', 'foreign-revocation', { hashes: foreignHashes(2_000) }],
  ['a revocation of codes of others for ten years', 'foreign-revocation', { until: at + 3_660 * DAY_S }],
  ['as many codes as leaves', 'tally', { until: 1_023 }],
  ['a tally of leaves that are nobody’s', 'tally', { cells: [], merged: 0, overrides: [] }],
  ['96 cells of a tally', 'tally', { cells: cellsOf(96), until: 10_000 }],
  ['an override for a 16th reason', 'tally', { overrides: [override(15, 2)] }],
  ['no address', 'node', { addresses: [] }],
  ['an address of 256 bytes', 'node', { addresses: ['a'.repeat(256)] }],
  ['version 2^53-1', 'limits', { version: Number.MAX_SAFE_INTEGER }],
];

/** A good statement of that kind with members replaced, or taken away where the change is undefined. */
function changed(kind: string, change: Readonly<Record<string, CborValue | undefined>>): Members {
  const members = Object.entries({ ...GOOD[kind], ...change }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(members) as Members;
}

const body = encodeCbor(GOOD['limits'] ?? {});
const signatureBy = (first: number): CborValue[] => [new Uint8Array(8).fill(first), new Uint8Array(64)];
const signaturesBy = (count: number) => Array.from({ length: count }, (_, i) => signatureBy(i));
const framed = (...parts: CborValue[]) => encodeCbor(parts);

/** Frames around a body that is good, and bodies that are none. */
const FORMS: readonly (readonly [string, Uint8Array])[] = [
    ['no signature', framed(body, [])],
    ['the same key twice', framed(body, [signatureBy(1), signatureBy(1)])],
    ['keys that descend', framed(body, [signatureBy(2), signatureBy(1)])],
    ['B35: a signature of 63 bytes', framed(body, [[new Uint8Array(8), new Uint8Array(63)]])],
    ['a key id of 9 bytes', framed(body, [[new Uint8Array(9), new Uint8Array(64)]])],
    ['a body that is a map', framed(GOOD['limits'] ?? {}, [signatureBy(1)])],
    ['B31: three elements', framed(body, [signatureBy(1)], 1)],
    ['one element', framed(body)],
    ['a signature of three elements', framed(body, [[...signatureBy(1), 1]])],
    ['a body that is no CBOR', framed(new Uint8Array([0xff]), [signatureBy(1)])],
    ['an empty body', framed(new Uint8Array(0), [signatureBy(1)])],
    ['B25: bytes after the body', framed(concatBytes(body, new Uint8Array(1)), [signatureBy(1)])],
    ['B25: bytes after the end', concatBytes(framed(body, [signatureBy(1)]), new Uint8Array(1))],
    ['no bytes', new Uint8Array(0)],
    ['33 signatures', framed(body, signaturesBy(33))],
    ['T13: 65,536 bytes', paddedTo(ENTRY_BYTES_MAX + 1)],
    [
      'B23: a number longer than needed',
      framed(spliced(body, '76657273696f6e00', '76657273696f6e1800'), [signatureBy(1)]),
    ],
    [
      'B22: a key of the body twice',
      framed(spliced(body, 'a4626174', `a5626174${hexOf(encodeCbor(at))}626174`), [signatureBy(1)]),
    ],
    ['B28: a key __proto__', framed(hexBytes('a1695f5f70726f746f5f5fa0'), [signatureBy(1)])],
  ];
/** `bytes` with the one place of `from` replaced by `to`, both in hexadecimal. */
function spliced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const parts = hexOf(bytes).split(from);
  assert.equal(parts.length, 2);
  return hexBytes(parts.join(to));
}


/** A good entry of that many bytes, but for the number of them. */
function paddedTo(length: number): Uint8Array {
  const padded = (pad: number) => {
    const data = { pad: new Uint8Array(pad) };
    return framed(encodeCbor({ ...GOOD['rules'], data }), [signatureBy(1)]);
  };
  return padded(length - (padded(60_000).length - 60_000));
}

export type Named<T> = readonly [name: string, value: T];

/** Members of statements that keep to SPEC.md 8.2: one of each kind, and the edges. */
export const goodStatements: readonly Named<Members>[] = [
  ...Object.entries(GOOD),
  ...EDGE.map(([rule, kind, change]) => [rule, changed(kind, change)] as const),
];

/** Entries that keep to SPEC.md 8.1 and 8.2, whatever their signatures are worth. */
export const goodEntries: readonly Named<Uint8Array>[] = [
  ...goodStatements.map(([name, members]) => [name, entryWith(members)] as const),
  ['32 signatures', framed(body, signaturesBy(32))],
  ['T13: 65,535 bytes', paddedTo(ENTRY_BYTES_MAX)],
];

/** Entries with one fault each: STATEMENT_MALFORMED. */
export const badEntries: readonly Named<Uint8Array>[] = [
  ...BAD.map(([rule, kind, change]) => [rule, entryWith(changed(kind, change))] as const),
  ...FORMS,
];
