/** The form of a snapshot: what a verifier without a network needs, as bytes. Spec: SPEC.md 10. */
import { encodeCbor, CborReader, type CborValue } from '../encoding/cbor.ts';
import { ProtocolError } from '../fault.ts';
import {
  ENTRY_BYTES_MAX,
  NOTE_BYTES_MAX,
  SNAPSHOT_BYTES_MAX,
  SNAPSHOT_ENTRIES_MAX,
  SNAPSHOT_ITEMS_MAX,
  SNAPSHOT_PARTS_MAX,
  STATE_ITEM_BYTES_MAX,
} from '../limits.ts';
import { isNetwork, isRegion } from '../log/origin.ts';

/** From where a reader who holds nothing begins: the tree and the state before entry `from`. */
export interface SnapshotBase {
  /** Roots of the perfect subtrees of the tree of size `from`, largest first; 32 bytes each. */
  readonly frontier: readonly Uint8Array[];
  /** The items of the state, sorted bytewise; none if `from` is 0. */
  readonly items: readonly Uint8Array[];
}

/** One region. With a base the part is full, without one it goes on from what the reader holds. */
export interface SnapshotPart {
  readonly region: string;
  /** A signed note, unread. */
  readonly checkpoint: Uint8Array;
  /** Index of the first entry. */
  readonly from: number;
  readonly entries: readonly Uint8Array[];
  readonly base?: SnapshotBase | undefined;
}

export interface Snapshot {
  readonly network: string;
  /** Strictly ascending by region. */
  readonly parts: readonly SnapshotPart[];
}

const HASH_BYTES = 32;
const FORMAT = 1;
/** Bytes of the longest name that is read: a network. */
const NAME_BYTES_MAX = 32;
const KEY_BYTES_MAX = 16;

/**
 * The bytes of a snapshot, freshly allocated.
 * @throws {RangeError} if a reader would refuse them: more than a limit allows, parts out of order, a base that does not
 * fit `from`.
 */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const { network, parts } = snapshot;
  const bytes = encodeCbor({ format: FORMAT, network, parts: parts.map(partValue) });
  try {
    parseSnapshot(bytes);
  } catch (cause) {
    throw new RangeError('no reader would take this snapshot', { cause });
  }
  return bytes;
}

function partValue({ region, checkpoint, from, entries, base }: SnapshotPart): CborValue {
  const delta = { region, checkpoint, from, entries };
  return base === undefined ? delta : { ...delta, base: { frontier: base.frontier, items: base.items } };
}

/**
 * The snapshot whose only encoding is `bytes`: its form alone, nothing is proven. Byte strings in it are views of `bytes`.
 * @throws {ProtocolError} TOO_LARGE; SNAPSHOT_MALFORMED with the `offset` of the item at fault.
 */
export function parseSnapshot(bytes: Uint8Array): Snapshot {
  if (bytes.length > SNAPSHOT_BYTES_MAX) {
    const details = { bytes: bytes.length, bytesMax: SNAPSHOT_BYTES_MAX };
    throw new ProtocolError('TOO_LARGE', `expected at most ${SNAPSHOT_BYTES_MAX} bytes`, details);
  }
  try {
    return new SnapshotReader(bytes).snapshot();
  } catch (cause) {
    if (!(cause instanceof ProtocolError) || cause.fault.code === 'SNAPSHOT_MALFORMED') throw cause;
    throw new ProtocolError('SNAPSHOT_MALFORMED', cause.message, cause.fault.details, { cause });
  }
}

/** Reads members in the one order that deterministic CBOR gives them: by length of the key, then bytewise. */
class SnapshotReader {
  readonly #cbor: CborReader;
  #entriesLeft = SNAPSHOT_ENTRIES_MAX;
  #itemsLeft = SNAPSHOT_ITEMS_MAX;

  constructor(bytes: Uint8Array) {
    this.#cbor = new CborReader(bytes);
  }

  snapshot(): Snapshot {
    const cbor = this.#cbor;
    this.#map(3);
    this.#key('parts');
    const parts: SnapshotPart[] = [];
    for (let count = cbor.array(SNAPSHOT_PARTS_MAX); count > 0; count--) {
      const at = cbor.offset;
      const part = this.#part();
      if (part.region <= (parts.at(-1)?.region ?? '')) throw malformed(at, 'parts ascending by region');
      parts.push(part);
    }
    this.#key('format');
    const formatAt = cbor.offset;
    if (cbor.uint() !== FORMAT) throw malformed(formatAt, `format ${FORMAT}`);
    this.#key('network');
    const networkAt = cbor.offset;
    const network = cbor.text(NAME_BYTES_MAX);
    if (!isNetwork(network)) throw malformed(networkAt, 'a network');
    cbor.end();
    return { network, parts };
  }

  #part(): SnapshotPart {
    const cbor = this.#cbor;
    const at = cbor.offset;
    const members = cbor.mapLength(5);
    if (members < 4) throw malformed(at, 'four or five members');
    const base = members === 5 ? this.#base() : undefined;
    this.#key('from');
    const from = cbor.uint();
    if (base !== undefined && !isBaseOf(base, from)) throw malformed(at, 'a base that fits the first index');
    this.#key('region');
    const regionAt = cbor.offset;
    const region = cbor.text(NAME_BYTES_MAX);
    if (!isRegion(region)) throw malformed(regionAt, 'a region');
    this.#key('entries');
    const entries = this.#list(this.#entriesLeft, 0, ENTRY_BYTES_MAX);
    this.#entriesLeft -= entries.length;
    this.#key('checkpoint');
    const checkpoint = cbor.bytes(0, NOTE_BYTES_MAX);
    return { region, checkpoint, from, entries, base };
  }

  #base(): SnapshotBase {
    this.#key('base');
    this.#map(2);
    this.#key('items');
    const items = this.#list(this.#itemsLeft, 0, STATE_ITEM_BYTES_MAX);
    this.#itemsLeft -= items.length;
    this.#key('frontier');
    return {
      items,
      frontier: this.#list(Number.MAX_SAFE_INTEGER.toString(2).length, HASH_BYTES, HASH_BYTES),
    };
  }

  #map(members: number): void {
    const at = this.#cbor.offset;
    if (this.#cbor.mapLength(members) !== members) throw malformed(at, `${members} members`);
  }

  #key(name: string): void {
    const at = this.#cbor.offset;
    if (this.#cbor.text(KEY_BYTES_MAX) !== name) throw malformed(at, `the member ${name}`);
  }

  #list(countMax: number, bytesMin: number, bytesMax: number): Uint8Array[] {
    const list: Uint8Array[] = [];
    for (let count = this.#cbor.array(countMax); count > 0; count--)
      list.push(this.#cbor.bytes(bytesMin, bytesMax));
    return list;
  }
}

/** One hash for each 1 bit of the size; and at index 0 there is no state yet. */
function isBaseOf({ frontier, items }: SnapshotBase, from: number): boolean {
  let ones = 0;
  for (let rest = from; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return frontier.length === ones && (from > 0 || items.length === 0);
}

function malformed(offset: number, expected: string): ProtocolError {
  return new ProtocolError('SNAPSHOT_MALFORMED', `expected ${expected} at byte ${offset}`, { offset });
}
