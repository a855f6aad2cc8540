/**
 * Reading the distinguished encoding of ASN.1, strictly: what has more than one spelling is refused. Items are read one behind the other by whoever knows what is
 * to come, so that nothing here calls itself and no text decides how deep it goes. Spec: SPEC.md 17.13, ITU-T X.690 8 and 10.
 */
import { compareBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';

/** Tags of one byte: no other stands in what is read here. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Bytes of a number that counts the bytes of an item: none that is read here has 65,536. */
const LENGTH_BYTES_MAX = 2;

/** Septets of an arc of an object identifier: 49 bits, which a number holds. */
const ARC_SEPTETS_MAX = 7;

export interface DerItem {
  readonly tag: number;
  /** A view, as `bytes` is, which has tag and length too. */
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Items one behind the other. Every method throws a `ProtocolError` CERTIFICATE_MALFORMED for what is not there as it has to be. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Whether an item with this tag comes next. */
  isNext(tag: number): boolean {
    return this.#bytes[this.#at] === tag;
  }

  /** The next item, whatever its tag: with a tag of one byte and a definite length in its shortest form. */
  any(): DerItem {
    const from = this.#at;
    const tag = this.#bytes[from];
    if (tag === undefined) throw malformed('expected another item');
    if ((tag & 0x1f) === 0x1f) throw malformed('expected a tag of one byte');
    const length = this.#length(from + 1);
    const begin = this.#at;
    const end = begin + length;
    if (end > this.#bytes.length) throw malformed('expected an item that ends where what holds it does');
    this.#at = end;
    return {
      tag,
      content: this.#bytes.subarray(begin, end),
      bytes: this.#bytes.subarray(from, end),
    };
  }

  /** The next item, which has this tag. */
  item(tag: number): DerItem {
    if (!this.isNext(tag)) throw malformed(`expected an item with the tag ${tag}`);
    return this.any();
  }

  /** What is in the next item, which has this tag. */
  within(tag: number): DerReader {
    return new DerReader(this.item(tag).content);
  }

  /** Requires that nothing stands behind what was read. */
  end(): void {
    if (!this.isAtEnd) throw malformed('expected nothing behind the end');
  }

  /** A truth value; true is 0xff alone. */
  boolean(): boolean {
    const { content } = this.item(TAG.boolean);
    const [value] = content;
    if (content.length !== 1 || (value !== 0 && value !== 0xff)) throw malformed('expected a truth value');
    return value === 0xff;
  }

  /** A whole number that is not negative, big-endian and without leading zeros, of 1 to so many bytes. */
  unsigned(bytesMax: number): Uint8Array {
    const { content } = this.item(TAG.integer);
    const [first, second = 0] = content;
    if (first === undefined || first >= 0x80) throw malformed('expected a whole number that is not negative');
    const isPadded = first === 0 && content.length > 1;
    if (isPadded && second < 0x80) throw malformed('expected a number in its shortest form');
    const digits = isPadded ? content.subarray(1) : content;
    if (digits.length > bytesMax) throw malformed(`expected a number of at most ${bytesMax} bytes`);
    return digits;
  }

  /** The bytes of a bit string that is made of whole ones. */
  wholeBits(): Uint8Array {
    const { content } = this.item(TAG.bitString);
    if (content[0] !== 0) throw malformed('expected a bit string of whole bytes');
    return content.subarray(1);
  }

  /** Which of the first nine bits of a list of named bits are set. Bits behind the last one that is set are not written. */
  namedBits(): readonly number[] {
    const { content } = this.item(TAG.bitString);
    const [unused = 8, ...bytes] = content;
    const last = bytes.at(-1) ?? 0;
    // The lowest bit that is set is the last one written.
    const isShortest = bytes.length === 0 ? unused === 0 : last !== 0 && (last & -last) === 1 << unused;
    if (unused > 7 || bytes.length > 2 || !isShortest)
      throw malformed('expected named bits in their shortest form');
    return [0, 1, 2, 3, 4, 5, 6, 7, 8].filter((bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
  }

  /** An object identifier in its dotted form. */
  oid(): string {
    const { content } = this.item(TAG.oid);
    const arcs: number[] = [];
    let [arc, septets] = [0, 0];
    for (const byte of content) {
      if (septets === 0 && byte === 0x80)
        throw malformed('expected an object identifier in its shortest form');
      if (++septets > ARC_SEPTETS_MAX)
        throw malformed('expected an object identifier with arcs of at most 49 bits');
      arc = arc * 128 + (byte & 0x7f);
      if (byte < 0x80) {
        arcs.push(arc);
        [arc, septets] = [0, 0];
      }
    }
    const [first, ...rest] = arcs;
    if (first === undefined || septets > 0) throw malformed('expected a whole object identifier');
    const top = Math.min(2, Math.floor(first / 40));
    return [top, first - 40 * top, ...rest].join('.');
  }

  /** UTC or generalised time to the second, in seconds since 1970. */
  time(): number {
    const { tag, content } = this.any();
    const text = String.fromCharCode(...content.subarray(0, 16));
    const [, years = '', ...parts] =
      (tag === TAG.utcTime
        ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
        : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
      ).exec(text) ?? [];
    if (
      (tag !== TAG.utcTime && tag !== TAG.generalizedTime) ||
      years === '' ||
      content.length !== text.length
    )
      throw malformed('expected a time to the second in UTC');
    // RFC 5280 4.1.2.5.1: two digits are those of 1950 to 2049.
    const year =
      tag === TAG.generalizedTime ? Number(years) : Number(years) + (Number(years) < 50 ? 2000 : 1900);
    const [month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = parts.map(Number);
    const timeMs = Date.UTC(year, month - 1, day, hours, minutes, seconds);
    const written = new Date(timeMs).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '');
    if (year < 1950 || written !== `${year}${parts.join('')}`)
      throw malformed('expected a time that there is');
    return timeMs / 1_000;
  }

  /** The items of a set of one type, at most so many, which stand in the order of their bytes. */
  set(countMax: number): readonly DerItem[] {
    const inner = this.within(TAG.set);
    const items: DerItem[] = [];
    while (!inner.isAtEnd) {
      const item = inner.any();
      const before = items.at(-1);
      if (before !== undefined && compareBytes(before.bytes, item.bytes) >= 0)
        throw malformed('expected a set in the order of its bytes');
      if (items.length >= countMax) throw malformed(`expected a set of at most ${countMax}`);
      items.push(item);
    }
    if (items.length === 0) throw malformed('expected a set that is not empty');
    return items;
  }

  /** The length that stands at an offset; what it counts begins behind it. */
  #length(at: number): number {
    const first = this.#bytes[at];
    if (first === undefined) throw malformed('expected a length');
    this.#at = at + 1;
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > LENGTH_BYTES_MAX) throw malformed('expected a definite length below 65,536');
    const digits = this.#bytes.subarray(at + 1, at + 1 + count);
    const length = digits.reduce((sum, digit) => 256 * sum + digit, 0);
    const isShortest = count === 1 ? length >= 0x80 : length >= 0x100;
    if (digits.length < count || !isShortest) throw malformed('expected a length in its shortest form');
    this.#at = at + 1 + count;
    return length;
  }
}

export function malformed(message: string): ProtocolError {
  return new ProtocolError('CERTIFICATE_MALFORMED', message);
}
