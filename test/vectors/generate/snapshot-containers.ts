/** Snapshots of good and bad form: SPEC.md 10, nothing of which is proven yet. */
import { concatBytes } from '../../../protocol/bytes.ts';
import { type CborValue, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { type FaultCode } from '../../../protocol/fault.ts';
import { SNAPSHOT_PARTS_MAX } from '../../../protocol/limits.ts';

type Members = Readonly<Record<string, CborValue>>;

const HASH = new Uint8Array(32).fill(7);
const DELTA: Members = { region: 'DE', checkpoint: Uint8Array.of(9), from: 5, entries: [Uint8Array.of(1, 2), Uint8Array.of(3)] };
const BASE: Members = { frontier: [HASH, HASH, HASH], items: [Uint8Array.of(4)] };
const FULL: Members = { ...DELTA, from: 0b1011, base: BASE };

const snapshot = (changes: Members = {}) => encodeCbor({ format: 1, network: 'demo', parts: [FULL], ...changes });
const withParts = (...parts: readonly CborValue[]) => snapshot({ parts });
const withPart = (changes: Members) => withParts({ ...FULL, ...changes });
const withBase = (from: number, changes: Members) => withPart({ from, base: { ...BASE, ...changes } });

function without(members: Members, name: string): Members {
  return Object.fromEntries(Object.entries(members).filter(([key]) => key !== name));
}

/** The same snapshot, in which one byte string stands for another. */
function replaced(from: Uint8Array, to: Uint8Array): Uint8Array {
  const bytes = snapshot();
  const at = Buffer.from(bytes).indexOf(from);
  return concatBytes(bytes.subarray(0, at), to, bytes.subarray(at + from.length));
}

const hashes = (count: number) => Array<Uint8Array>(count).fill(HASH);
const many = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ ...DELTA, entries: [], region: `AA-${i.toString(36).toUpperCase().padStart(3, '0')}` }));

export const GOOD_CONTAINERS: Readonly<Record<string, Uint8Array>> = {
  'a full part': snapshot(),
  'a delta': withParts(DELTA),
  'no parts': withParts(),
  'parts in order': withParts({ ...DELTA, region: 'CN-33' }, FULL, { ...DELTA, region: 'FR' }),
  'from index 0': withBase(0, { frontier: [], items: [] }),
  'from an index with one 1 bit': withBase(2 ** 40, { frontier: hashes(1) }),
  'from the last index': withBase(2 ** 53 - 1, { frontier: hashes(53) }),
  'a delta from index 0': withParts({ ...DELTA, from: 0 }),
  'no entries': withPart({ entries: [] }),
  'byte strings without a byte': withPart({ checkpoint: new Uint8Array(0), entries: [new Uint8Array(0)] }),
  'as many parts as may be': withParts(...many(SNAPSHOT_PARTS_MAX)),
};

const MALFORMED: Readonly<Record<string, Uint8Array>> = {
  'no bytes': new Uint8Array(0),
  'an array': encodeCbor([1, 'demo', []]),
  ...Object.fromEntries(['format', 'network', 'parts'].map((name) => [`a snapshot without ${name}`, encodeCbor(without({ format: 1, network: 'demo', parts: [] }, name))])),
  ...Object.fromEntries(Object.keys(DELTA).map((name) => [`a part without ${name}`, withParts(without(FULL, name))])),
  ...Object.fromEntries(Object.keys(BASE).map((name) => [`a base without ${name}`, withPart({ base: without(BASE, name) })])),
  'a member more': snapshot({ extra: 1 }),
  'a part with a member more': withPart({ extra: 1 }),
  'a base with a member more': withPart({ base: { ...BASE, extra: 1 } }),
  'another format': snapshot({ format: 2 }),
  'a format that is no number': snapshot({ format: '1' }),
  'a network that is no name': snapshot({ network: 'No' }),
  'a network that is no text': snapshot({ network: 1 }),
  'parts that are no array': snapshot({ parts: {} }),
  'a part that is no map': withParts(1),
  'a region that is no name': withPart({ region: 'de' }),
  'a checkpoint that is text': withPart({ checkpoint: 'text' }),
  'an index below 0': withPart({ from: -1 }),
  'an index that is text': withPart({ from: '5' }),
  'entries that are no array': withPart({ entries: HASH }),
  'an entry that is text': withPart({ entries: ['text'] }),
  'a base that is null': withPart({ base: null }),
  'an item that is text': withPart({ base: { ...BASE, items: ['text'] } }),
  'parts in another order': withParts(FULL, { ...DELTA, region: 'CN-33' }),
  'two parts of a region': withParts(DELTA, FULL),
  'a frontier with a hash too few': withBase(0b1011, { frontier: hashes(2) }),
  'a frontier with a hash too many': withBase(0b1011, { frontier: hashes(4) }),
  'a frontier at index 0': withBase(0, { frontier: hashes(1), items: [] }),
  'items at index 0': withBase(0, { frontier: [] }),
  'a hash of 31 bytes': withBase(0b1011, { frontier: [HASH, HASH, HASH.subarray(1)] }),
  'a hash of 33 bytes': withBase(0b1011, { frontier: [HASH, HASH, new Uint8Array(33)] }),
  'a byte behind the end': concatBytes(snapshot(), Uint8Array.of(0)),
  'a byte too few': snapshot().subarray(0, -1),
  'a number longer than needed': replaced(encodeCbor({ format: 1 }).subarray(1), concatBytes(encodeCbor('format'), Uint8Array.of(0x18, 1))),
  'members in another order': concatBytes(Uint8Array.of(0xa3), ...['network', 'format', 'parts'].map((name) => member(name))),
  'an array of more parts than there are bytes': concatBytes(Uint8Array.of(0xa3), encodeCbor('parts'), Uint8Array.of(0x9a, 0xff, 0xff, 0xff, 0xff)),
  'an array without end': concatBytes(Uint8Array.of(0xa3), encodeCbor('parts'), Uint8Array.of(0x9f, 0xff), member('format'), member('network')),
};

function member(name: string): Uint8Array {
  const values: Members = { format: 1, network: 'demo', parts: [] };
  return concatBytes(encodeCbor(name), encodeCbor(values[name] ?? null));
}

export const BAD_CONTAINERS: readonly (readonly [name: string, fault: FaultCode, bytes: Uint8Array])[] = [
  ...Object.entries(MALFORMED).map(([name, bytes]) => [name, 'SNAPSHOT_MALFORMED', bytes] as const),
  ['a part too many', 'SNAPSHOT_MALFORMED', withParts(...many(SNAPSHOT_PARTS_MAX + 1))],
];
