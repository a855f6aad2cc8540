import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type CborValue, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  ENTRY_BYTES_MAX,
  NOTE_BYTES_MAX,
  SNAPSHOT_BYTES_MAX,
  SNAPSHOT_ENTRIES_MAX,
  SNAPSHOT_ITEMS_MAX,
  SNAPSHOT_PARTS_MAX,
  STATE_ITEM_BYTES_MAX,
} from '../../../protocol/limits.ts';
import {
  encodeSnapshot,
  parseSnapshot,
  type Snapshot,
  type SnapshotPart,
} from '../../../protocol/snapshot/snapshot.ts';

const HASH = new Uint8Array(32).fill(7);
const NOTE = new Uint8Array(100).fill(9);
const ENTRIES = [Uint8Array.of(1, 2), Uint8Array.of(3)];

const delta = (region: string, from = 5): SnapshotPart => ({
  region,
  checkpoint: NOTE,
  from,
  entries: ENTRIES,
  base: undefined,
});
const full = (region: string): SnapshotPart => ({
  ...delta(region, 0b1011),
  base: { frontier: [HASH, HASH, HASH], items: [Uint8Array.of(4)] },
});
const SNAPSHOT: Snapshot = { network: 'demo', parts: [delta('CN-33'), full('DE')] };

const malformed = (error: unknown) => isProtocolError(error, 'SNAPSHOT_MALFORMED');
const tooLarge = (error: unknown) => isProtocolError(error, 'TOO_LARGE');

describe('parseSnapshot', () => {
  it('gives back what encodeSnapshot was given', () => {
    assert.deepEqual(parseSnapshot(encodeSnapshot(SNAPSHOT)), SNAPSHOT);
    assert.deepEqual(parseSnapshot(encodeSnapshot({ network: 'x', parts: [] })), { network: 'x', parts: [] });
    const start = { ...full('DE'), from: 0, base: { frontier: [], items: [] } };
    assert.deepEqual(parseSnapshot(encodeSnapshot({ network: 'x', parts: [start] })).parts, [start]);
  });

  it('reads what any encoder of deterministic CBOR makes of SPEC 10', () => {
    const value = { format: 1, network: 'demo', parts: [full('DE')] } as unknown as CborValue;
    assert.deepEqual(parseSnapshot(encodeCbor(value)).parts, [full('DE')]);
  });

  const partValue = () => {
    const { base, ...part } = full('DE');
    return { ...part, base } as unknown as Record<string, CborValue>;
  };
  const topValue = (part: Record<string, CborValue> = partValue()): Record<string, CborValue> => ({
    format: 1,
    network: 'demo',
    parts: [part],
  });
  const without = (value: Record<string, CborValue>, name: string) =>
    Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));

  it('refuses a member that is missing, added or of another kind', () => {
    parseSnapshot(encodeCbor(topValue()));
    const cases: Record<string, CborValue>[] = [
      { ...topValue(), extra: 1 },
      ...['format', 'network', 'parts'].map((name) => without(topValue(), name)),
      topValue({ ...partValue(), extra: 1 }),
      ...['region', 'checkpoint', 'from', 'entries'].map((name) => topValue(without(partValue(), name))),
      topValue({ ...partValue(), base: null }),
      topValue({ ...partValue(), base: { frontier: [HASH, HASH, HASH] } }),
      topValue({ ...partValue(), base: { frontier: [HASH, HASH, HASH], items: [], extra: 1 } }),
      topValue({ ...partValue(), entries: ['text'] }),
      topValue({ ...partValue(), checkpoint: 'text' }),
      topValue({ ...partValue(), from: -1 }),
      { ...topValue(), format: 2 },
      { ...topValue(), network: 'No' },
      topValue({ ...partValue(), region: 'de' }),
      topValue({ ...partValue(), region: 'CN-СН' }),
    ];
    cases.forEach((value, i) =>
      assert.throws(() => parseSnapshot(encodeCbor(value)), malformed, `case ${i}`),
    );
    assert.throws(() => parseSnapshot(encodeCbor([1])), malformed);
    assert.throws(() => parseSnapshot(new Uint8Array(0)), malformed);
  });

  it('refuses parts that are doubled or out of order', () => {
    for (const parts of [
      [delta('DE'), delta('CN-33')],
      [delta('DE'), full('DE')],
    ]) {
      assert.throws(() => encodeSnapshot({ network: 'demo', parts }), RangeError);
      const value = {
        format: 1,
        network: 'demo',
        parts: parts.map((part) => ({ ...partValue(), region: part.region })),
      };
      assert.throws(() => parseSnapshot(encodeCbor(value)), malformed);
    }
  });

  it('wants one frontier hash for each 1 bit of the first index, and no items at index 0', () => {
    const based =
      (from: number, hashes: number, items: Uint8Array[] = []) =>
      () =>
        parseSnapshot(
          encodeCbor(
            topValue({
              ...partValue(),
              from,
              base: { frontier: Array<Uint8Array>(hashes).fill(HASH), items },
            }),
          ),
        );
    based(0, 0)();
    based(2 ** 53 - 1, 53)();
    based(2 ** 40, 1, [HASH])();
    assert.throws(based(0, 1), malformed);
    assert.throws(based(0, 0, [HASH]), malformed);
    assert.throws(based(3, 1), malformed);
    assert.throws(based(3, 3), malformed);
    assert.throws(based(2 ** 53 - 1, 54), malformed);
    const short = { frontier: [HASH, HASH, HASH.subarray(1)], items: [] };
    assert.throws(() => parseSnapshot(encodeCbor(topValue({ ...partValue(), base: short }))), malformed);
  });

  it('B25: refuses bytes behind the end and a cut at every byte', () => {
    const bytes = encodeSnapshot(SNAPSHOT);
    assert.throws(() => parseSnapshot(Uint8Array.of(...bytes, 0)), malformed);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => parseSnapshot(bytes.subarray(0, length)), malformed, `${length} bytes`);
    }
  });

  it('T13: refuses a length that the bytes do not hold, before it allocates', () => {
    // A map of three, "parts", and then an array of 2^32 parts, or 256 of them of which none comes.
    const head = [0xa3, 0x65, ...[...'parts'].map((char) => char.charCodeAt(0))];
    assert.throws(() => parseSnapshot(Uint8Array.from([...head, 0x9a, 0xff, 0xff, 0xff, 0xff])), malformed);
    assert.throws(() => parseSnapshot(Uint8Array.from([...head, 0x99, 0x01, 0x00])), malformed);
  });

  it('T13: holds bytes, parts, entries and items against their limits', () => {
    assert.throws(() => parseSnapshot(new Uint8Array(SNAPSHOT_BYTES_MAX + 1)), tooLarge);
    assert.throws(() => parseSnapshot(new Uint8Array(SNAPSHOT_BYTES_MAX)), malformed);

    const tiny = (i: number) => ({
      ...delta(`AA-${i.toString(36).toUpperCase().padStart(3, '0')}`),
      entries: [],
    });
    const parts = (count: number) => ({
      network: 'demo',
      parts: Array.from({ length: count }, (_, i) => tiny(i)),
    });
    assert.equal(parseSnapshot(encodeSnapshot(parts(SNAPSHOT_PARTS_MAX))).parts.length, SNAPSHOT_PARTS_MAX);
    assert.throws(() => encodeSnapshot(parts(SNAPSHOT_PARTS_MAX + 1)), RangeError);

    const empty = new Uint8Array(0);
    const entries = (...counts: number[]) =>
      encodeSnapshot({
        network: 'demo',
        parts: counts.map((count, i) => ({ ...tiny(i), entries: Array<Uint8Array>(count).fill(empty) })),
      });
    entries(SNAPSHOT_ENTRIES_MAX - 1, 1);
    assert.throws(() => entries(SNAPSHOT_ENTRIES_MAX + 1), RangeError);
    assert.throws(() => entries(SNAPSHOT_ENTRIES_MAX - 1, 2), RangeError);

    const items = (...counts: number[]) =>
      encodeSnapshot({
        network: 'demo',
        parts: counts.map((count, i) => ({
          ...tiny(i),
          from: 1,
          base: { frontier: [HASH], items: Array<Uint8Array>(count).fill(empty) },
        })),
      });
    items(SNAPSHOT_ITEMS_MAX - 1, 1);
    assert.throws(() => items(SNAPSHOT_ITEMS_MAX, 1), RangeError);
  });

  it('T13: holds each note, entry and item against its limit', () => {
    const one = (changes: Partial<SnapshotPart>) => () =>
      encodeSnapshot({ network: 'demo', parts: [{ ...full('DE'), ...changes }] });
    one({ checkpoint: new Uint8Array(NOTE_BYTES_MAX) })();
    assert.throws(one({ checkpoint: new Uint8Array(NOTE_BYTES_MAX + 1) }), RangeError);
    one({ entries: [new Uint8Array(ENTRY_BYTES_MAX)] })();
    assert.throws(one({ entries: [new Uint8Array(ENTRY_BYTES_MAX + 1)] }), RangeError);
    const frontier = [HASH, HASH, HASH];
    one({ base: { frontier, items: [new Uint8Array(STATE_ITEM_BYTES_MAX)] } })();
    assert.throws(one({ base: { frontier, items: [new Uint8Array(STATE_ITEM_BYTES_MAX + 1)] } }), RangeError);
  });

  it('is canonical: what it takes, encodeSnapshot gives back to the byte', () => {
    const bytes = encodeSnapshot(SNAPSHOT);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const altered = bytes.slice();
        altered[at] = (altered[at] ?? 0) ^ mask;
        try {
          assert.deepEqual(encodeSnapshot(parseSnapshot(altered)), altered);
        } catch (error) {
          if (!malformed(error)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
